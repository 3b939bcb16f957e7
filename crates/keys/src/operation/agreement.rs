//! Shared secrets: DeriveSharedSecret (ECDH), Encapsulate and Decapsulate (ML-KEM).

use material::{EncapsulationAlgorithm, KeyAgreementAlgorithm, KeyUsage};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::ready::named;
use super::refusals::{refuse_recipient, stop_dry_run};
use crate::Keys;
use crate::access::Action;
use crate::decide::Use;
use crate::error::Error;
use crate::principal::Principal;
use crate::wire::{Blob, Plaintext};

model::requests!(kms: DeriveSharedSecretRequest, EncapsulateRequest, DecapsulateRequest);

/// The request of DeriveSharedSecret.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeriveSharedSecretRequest {
    /// `KeyId`.
    pub key_id: String,
    /// `KeyAgreementAlgorithm`: `ECDH`.
    pub key_agreement_algorithm: String,
    /// `PublicKey`: the peer's, a DER `SubjectPublicKeyInfo`.
    pub public_key: Blob,
    /// `GrantTokens`.
    pub grant_tokens: Option<Vec<String>>,
    /// `DryRun`.
    pub dry_run: Option<bool>,
    /// `Recipient`.
    pub recipient: Option<IgnoredAny>,
}

/// The answer of DeriveSharedSecret.
#[derive(Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeriveSharedSecretResponse {
    /// `KeyId`: the key's ARN.
    pub key_id: String,
    /// `SharedSecret`: the x coordinate, big-endian.
    pub shared_secret: Plaintext,
    /// `KeyAgreementAlgorithm`.
    pub key_agreement_algorithm: &'static str,
    /// `KeyOrigin`.
    pub key_origin: &'static str,
}

/// The request of Encapsulate.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct EncapsulateRequest {
    /// `KeyId`.
    pub key_id: String,
    /// `EncapsulationAlgorithm`: `ML_KEM`.
    pub encapsulation_algorithm: String,
    /// `GrantTokens`.
    pub grant_tokens: Option<Vec<String>>,
    /// `DryRun`.
    pub dry_run: Option<bool>,
}

/// The answer of Encapsulate.
#[derive(Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct EncapsulateResponse {
    /// `KeyId`: the key's ARN.
    pub key_id: String,
    /// `SharedSecret`, 32 B.
    pub shared_secret: Plaintext,
    /// `SharedSecretCiphertextBlob`: the ML-KEM ciphertext.
    pub shared_secret_ciphertext_blob: Blob,
    /// `EncapsulationAlgorithm`.
    pub encapsulation_algorithm: &'static str,
}

/// The request of Decapsulate.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DecapsulateRequest {
    /// `KeyId`.
    pub key_id: String,
    /// `SharedSecretCiphertextBlob`.
    pub shared_secret_ciphertext_blob: Blob,
    /// `EncapsulationAlgorithm`: `ML_KEM`.
    pub encapsulation_algorithm: String,
    /// `GrantTokens`.
    pub grant_tokens: Option<Vec<String>>,
    /// `DryRun`.
    pub dry_run: Option<bool>,
}

/// The answer of Decapsulate.
#[derive(Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DecapsulateResponse {
    /// `KeyId`: the key's ARN.
    pub key_id: String,
    /// `SharedSecret`, 32 B.
    pub shared_secret: Plaintext,
    /// `EncapsulationAlgorithm`.
    pub encapsulation_algorithm: &'static str,
}

impl Keys {
    /// DeriveSharedSecret.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, DeriveSharedSecret.
    pub async fn derive_shared_secret(
        &self,
        principal: &Principal,
        request: DeriveSharedSecretRequest,
    ) -> Result<DeriveSharedSecretResponse, Error> {
        refuse_recipient(request.recipient.as_ref())?;
        let algorithm = named(&request.key_agreement_algorithm, KeyAgreementAlgorithm::named)?;
        let facts = [("kms:keyagreementalgorithm", algorithm.name().into())];
        let wish = Use::of(Action::DeriveSharedSecret).tokens(request.grant_tokens.as_ref()).facts(&facts);
        let key = self.key_for(principal, &request.key_id, wish, KeyUsage::KeyAgreement).await?;
        stop_dry_run(request.dry_run)?;
        let secret = self.with_material(&key, |it| it.agree(algorithm, &request.public_key.0)).await?;
        self.used(&key, Action::DeriveSharedSecret);
        Ok(DeriveSharedSecretResponse {
            key_id: key.arn.clone(),
            shared_secret: Plaintext::from(secret.into_bytes()),
            key_agreement_algorithm: algorithm.name(),
            key_origin: key.record.origin.name(),
        })
    }

    /// Encapsulate.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, Encapsulate.
    pub async fn encapsulate(
        &self,
        principal: &Principal,
        request: EncapsulateRequest,
    ) -> Result<EncapsulateResponse, Error> {
        let algorithm = named(&request.encapsulation_algorithm, EncapsulationAlgorithm::named)?;
        let usage = KeyUsage::EncapsulateDecapsulate;
        let facts = [("kms:encapsulationalgorithm", algorithm.name().into())];
        let wish = Use::of(Action::Encapsulate).tokens(request.grant_tokens.as_ref()).facts(&facts);
        let key = self.key_for(principal, &request.key_id, wish, usage).await?;
        stop_dry_run(request.dry_run)?;
        let made = self.with_material(&key, |it| it.encapsulate(algorithm)).await?;
        self.used(&key, Action::Encapsulate);
        Ok(EncapsulateResponse {
            key_id: key.arn.clone(),
            shared_secret: Plaintext::from(made.shared_secret.into_bytes()),
            shared_secret_ciphertext_blob: Blob(made.ciphertext),
            encapsulation_algorithm: algorithm.name(),
        })
    }

    /// Decapsulate. A changed ciphertext gives another secret and no error: ML-KEM's implicit rejection (FIPS 203).
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, Decapsulate.
    pub async fn decapsulate(
        &self,
        principal: &Principal,
        request: DecapsulateRequest,
    ) -> Result<DecapsulateResponse, Error> {
        let algorithm = named(&request.encapsulation_algorithm, EncapsulationAlgorithm::named)?;
        let usage = KeyUsage::EncapsulateDecapsulate;
        let facts = [("kms:encapsulationalgorithm", algorithm.name().into())];
        let wish = Use::of(Action::Decapsulate).tokens(request.grant_tokens.as_ref()).facts(&facts);
        let key = self.key_for(principal, &request.key_id, wish, usage).await?;
        stop_dry_run(request.dry_run)?;
        let ciphertext = &request.shared_secret_ciphertext_blob.0;
        let secret = self.with_material(&key, |it| it.decapsulate(algorithm, ciphertext)).await?;
        self.used(&key, Action::Decapsulate);
        Ok(DecapsulateResponse {
            key_id: key.arn.clone(),
            shared_secret: Plaintext::from(secret.into_bytes()),
            encapsulation_algorithm: algorithm.name(),
        })
    }
}
