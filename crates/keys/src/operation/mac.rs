//! GenerateMac, VerifyMac.

use material::{KeyUsage, MacAlgorithm};
use serde::{Deserialize, Serialize};

use super::ready::named;
use super::refusals::stop_dry_run;
use crate::Keys;
use crate::access::Action;
use crate::decide::Use;
use crate::error::Error;
use crate::principal::Principal;
use crate::vault::Key;
use crate::wire::{Blob, Plaintext};

model::requests!(kms: GenerateMacRequest, VerifyMacRequest);

/// The request of GenerateMac.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GenerateMacRequest {
    /// `Message`, 1 to 4,096 B.
    pub message: Plaintext,
    /// `KeyId`.
    pub key_id: String,
    /// `MacAlgorithm`.
    pub mac_algorithm: String,
    /// `GrantTokens`.
    pub grant_tokens: Option<Vec<String>>,
    /// `DryRun`.
    pub dry_run: Option<bool>,
}

/// The answer of GenerateMac.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct GenerateMacResponse {
    /// `Mac`.
    pub mac: Blob,
    /// `MacAlgorithm`.
    pub mac_algorithm: &'static str,
    /// `KeyId`: the key's ARN.
    pub key_id: String,
}

/// The request of VerifyMac.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct VerifyMacRequest {
    /// `Message`, 1 to 4,096 B.
    pub message: Plaintext,
    /// `KeyId`.
    pub key_id: String,
    /// `MacAlgorithm`.
    pub mac_algorithm: String,
    /// `Mac`.
    pub mac: Blob,
    /// `GrantTokens`.
    pub grant_tokens: Option<Vec<String>>,
    /// `DryRun`.
    pub dry_run: Option<bool>,
}

/// The answer of VerifyMac.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct VerifyMacResponse {
    /// `KeyId`: the key's ARN.
    pub key_id: String,
    /// `MacValid`: always true. A MAC that is not valid is [`Error::InvalidMac`].
    pub mac_valid: bool,
    /// `MacAlgorithm`.
    pub mac_algorithm: &'static str,
}

impl Keys {
    /// GenerateMac.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, GenerateMac.
    pub async fn generate_mac(
        &self,
        principal: &Principal,
        request: GenerateMacRequest,
    ) -> Result<GenerateMacResponse, Error> {
        let algorithm = named(&request.mac_algorithm, MacAlgorithm::named)?;
        let facts = [("kms:macalgorithm", algorithm.name().into())];
        let wish = Use::of(Action::GenerateMac).tokens(request.grant_tokens.as_ref()).facts(&facts);
        let key = self.key_for(principal, &request.key_id, wish, KeyUsage::GenerateVerifyMac).await?;
        require_mac(&key, algorithm)?;
        stop_dry_run(request.dry_run)?;
        let mac = self.with_material(&key, |it| it.mac(algorithm, request.message.expose())).await?;
        self.used(&key, Action::GenerateMac);
        Ok(GenerateMacResponse { mac: Blob(mac), mac_algorithm: algorithm.name(), key_id: key.arn.clone() })
    }

    /// VerifyMac.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, VerifyMac; [`Error::InvalidMac`] if it is not the key's over the message.
    pub async fn verify_mac(
        &self,
        principal: &Principal,
        request: VerifyMacRequest,
    ) -> Result<VerifyMacResponse, Error> {
        let algorithm = named(&request.mac_algorithm, MacAlgorithm::named)?;
        let facts = [("kms:macalgorithm", algorithm.name().into())];
        let wish = Use::of(Action::VerifyMac).tokens(request.grant_tokens.as_ref()).facts(&facts);
        let key = self.key_for(principal, &request.key_id, wish, KeyUsage::GenerateVerifyMac).await?;
        require_mac(&key, algorithm)?;
        stop_dry_run(request.dry_run)?;
        let (message, mac) = (request.message.expose(), &request.mac.0);
        if !self.with_material(&key, |it| it.verify_mac(algorithm, message, mac)).await? {
            return Err(Error::InvalidMac(String::new()));
        }
        self.used(&key, Action::VerifyMac);
        Ok(VerifyMacResponse { key_id: key.arn.clone(), mac_valid: true, mac_algorithm: algorithm.name() })
    }
}

fn require_mac(key: &Key, algorithm: MacAlgorithm) -> Result<(), Error> {
    let spec = key.record.spec;
    if spec.mac_algorithms(key.record.usage).contains(&algorithm) {
        return Ok(());
    }
    Err(Error::InvalidKeyUsage(format!("Algorithm {algorithm} is incompatible with key spec {spec}.")))
}
