//! Sign, Verify.

use material::{KeyUsage, MessageType, SigningAlgorithm};
use serde::{Deserialize, Serialize};

use super::ready::named;
use super::refusals::stop_dry_run;
use crate::Keys;
use crate::access::Action;
use crate::decide::{Fact, Use};
use crate::error::Error;
use crate::principal::Principal;
use crate::wire::{Blob, Plaintext};

model::requests!(kms: SignRequest, VerifyRequest);

/// The request of Sign.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SignRequest {
    /// `KeyId`.
    pub key_id: String,
    /// `Message`, 1 to 4,096 B: the message, its digest or μ.
    pub message: Plaintext,
    /// `MessageType`: `RAW` if absent.
    pub message_type: Option<String>,
    /// `GrantTokens`.
    pub grant_tokens: Option<Vec<String>>,
    /// `SigningAlgorithm`.
    pub signing_algorithm: String,
    /// `DryRun`.
    pub dry_run: Option<bool>,
}

/// The answer of Sign.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct SignResponse {
    /// `KeyId`: the key's ARN.
    pub key_id: String,
    /// `Signature`.
    pub signature: Blob,
    /// `SigningAlgorithm`.
    pub signing_algorithm: &'static str,
}

/// The request of Verify.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct VerifyRequest {
    /// `KeyId`.
    pub key_id: String,
    /// `Message`, 1 to 4,096 B: the message, its digest or μ.
    pub message: Plaintext,
    /// `MessageType`: `RAW` if absent.
    pub message_type: Option<String>,
    /// `Signature`.
    pub signature: Blob,
    /// `SigningAlgorithm`.
    pub signing_algorithm: String,
    /// `GrantTokens`.
    pub grant_tokens: Option<Vec<String>>,
    /// `DryRun`.
    pub dry_run: Option<bool>,
}

/// The answer of Verify.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct VerifyResponse {
    /// `KeyId`: the key's ARN.
    pub key_id: String,
    /// `SignatureValid`: always true. A signature that is not valid is [`Error::InvalidSignature`].
    pub signature_valid: bool,
    /// `SigningAlgorithm`.
    pub signing_algorithm: &'static str,
}

impl Keys {
    /// Sign.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, Sign.
    pub async fn sign(&self, principal: &Principal, request: SignRequest) -> Result<SignResponse, Error> {
        let (algorithm, message_type) = how(&request.signing_algorithm, request.message_type.as_deref())?;
        let facts = facts(algorithm, message_type);
        let wish = Use::of(Action::Sign).tokens(request.grant_tokens.as_ref()).facts(&facts);
        let key = self.key_for(principal, &request.key_id, wish, KeyUsage::SignVerify).await?;
        key.require_signing(algorithm)?;
        stop_dry_run(request.dry_run)?;
        let message = request.message.expose();
        let signature = self.with_material(&key, |it| it.sign(algorithm, message_type, message)).await?;
        self.used(&key, Action::Sign);
        Ok(SignResponse { key_id: key.arn.clone(), signature: Blob(signature), signing_algorithm: algorithm.name() })
    }

    /// Verify.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, Verify; [`Error::InvalidSignature`] if it is not the key's over the message.
    pub async fn verify_signature(
        &self,
        principal: &Principal,
        request: VerifyRequest,
    ) -> Result<VerifyResponse, Error> {
        let (algorithm, message_type) = how(&request.signing_algorithm, request.message_type.as_deref())?;
        let facts = facts(algorithm, message_type);
        let wish = Use::of(Action::Verify).tokens(request.grant_tokens.as_ref()).facts(&facts);
        let key = self.key_for(principal, &request.key_id, wish, KeyUsage::SignVerify).await?;
        key.require_signing(algorithm)?;
        stop_dry_run(request.dry_run)?;
        let (message, signature) = (request.message.expose(), &request.signature.0);
        let valid = self.with_material(&key, |it| it.verify(algorithm, message_type, message, signature)).await?;
        if !valid {
            return Err(Error::InvalidSignature(String::new()));
        }
        self.used(&key, Action::Verify);
        Ok(VerifyResponse { key_id: key.arn.clone(), signature_valid: true, signing_algorithm: algorithm.name() })
    }
}

fn how(algorithm: &str, message_type: Option<&str>) -> Result<(SigningAlgorithm, MessageType), Error> {
    let message_type = named(message_type.unwrap_or(MessageType::Raw.name()), MessageType::named)?;
    Ok((named(algorithm, SigningAlgorithm::named)?, message_type))
}

/// What key policies may ask about a signature.
fn facts(algorithm: SigningAlgorithm, message_type: MessageType) -> [Fact<'static>; 2] {
    [("kms:signingalgorithm", algorithm.name().into()), ("kms:messagetype", message_type.name().into())]
}

impl crate::vault::Key {
    fn require_signing(&self, algorithm: SigningAlgorithm) -> Result<(), Error> {
        let spec = self.record.spec;
        if spec.signing_algorithms(self.record.usage).contains(&algorithm) {
            return Ok(());
        }
        Err(Error::InvalidKeyUsage(format!("Algorithm {algorithm} is incompatible with key spec {spec}.")))
    }
}
