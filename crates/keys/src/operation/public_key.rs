//! GetPublicKey.

use serde::{Deserialize, Serialize};

use crate::Keys;
use crate::access::{Action, Via};
use crate::decide::Use;
use crate::error::Error;
use crate::principal::Principal;
use crate::wire::Blob;

model::requests!(kms: GetPublicKeyRequest);

/// The request of GetPublicKey.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetPublicKeyRequest {
    /// `KeyId`.
    pub key_id: String,
    /// `GrantTokens`.
    pub grant_tokens: Option<Vec<String>>,
}

/// The answer of GetPublicKey.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct GetPublicKeyResponse {
    /// `KeyId`: the key's ARN.
    pub key_id: String,
    /// `PublicKey`: a DER `SubjectPublicKeyInfo` (RFC 5280).
    pub public_key: Blob,
    /// `CustomerMasterKeySpec`, the older name of `KeySpec`.
    pub customer_master_key_spec: &'static str,
    /// `KeySpec`.
    pub key_spec: &'static str,
    /// `KeyUsage`.
    pub key_usage: &'static str,
    /// `EncryptionAlgorithms`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub encryption_algorithms: Vec<&'static str>,
    /// `SigningAlgorithms`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub signing_algorithms: Vec<&'static str>,
    /// `KeyAgreementAlgorithms`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub key_agreement_algorithms: Vec<&'static str>,
    /// `EncapsulationAlgorithms`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub encapsulation_algorithms: Vec<&'static str>,
}

impl Keys {
    /// GetPublicKey.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, GetPublicKey. [`Error::UnsupportedOperation`] for a key without a public half.
    pub async fn get_public_key(
        &self,
        principal: &Principal,
        request: GetPublicKeyRequest,
    ) -> Result<GetPublicKeyResponse, Error> {
        let wish = Use::of(Action::GetPublicKey).tokens(request.grant_tokens.as_ref());
        let key = self.find(principal, &request.key_id, wish, Via::Kms).await?;
        let (spec, usage) = (key.record.spec, key.record.usage);
        // AWS says no more.
        let unsupported = || Error::UnsupportedOperation(String::new());
        key.record.require_enabled(&key.arn)?;
        if !spec.is_asymmetric() {
            return Err(unsupported());
        }
        let public_key = self.with_material(&key, |it| Ok(it.public_key_der())).await?.ok_or_else(unsupported)?;
        Ok(GetPublicKeyResponse {
            key_id: key.arn.clone(),
            public_key: Blob(public_key),
            customer_master_key_spec: spec.name(),
            key_spec: spec.name(),
            key_usage: usage.name(),
            encryption_algorithms: spec.encryption_algorithms(usage).iter().map(|it| it.name()).collect(),
            signing_algorithms: spec.signing_algorithms(usage).iter().map(|it| it.name()).collect(),
            key_agreement_algorithms: spec.key_agreement_algorithms(usage).iter().map(|it| it.name()).collect(),
            encapsulation_algorithms: spec.encapsulation_algorithms(usage).iter().map(|it| it.name()).collect(),
        })
    }
}
