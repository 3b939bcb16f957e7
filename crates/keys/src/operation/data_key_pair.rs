//! GenerateDataKeyPair, GenerateDataKeyPairWithoutPlaintext.

use std::collections::BTreeMap;

use material::{EncryptionAlgorithm, KeySpec, KeyUsage};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::ready::{cryptographic, named};
use super::refusals::{refuse_recipient, stop_dry_run};
use crate::Keys;
use crate::access::{Action, Asker, Via};
use crate::cipher::encryption_context;
use crate::decide::Use;
use crate::error::Error;
use crate::principal::Principal;
use crate::wire::{Blob, Plaintext};

model::requests!(kms: GenerateDataKeyPairRequest, GenerateDataKeyPairWithoutPlaintextRequest);

/// The request of GenerateDataKeyPair.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GenerateDataKeyPairRequest {
    /// `EncryptionContext`.
    pub encryption_context: Option<BTreeMap<String, String>>,
    /// `KeyId`: of a symmetric encryption key.
    pub key_id: String,
    /// `KeyPairSpec`.
    pub key_pair_spec: String,
    /// `GrantTokens`.
    pub grant_tokens: Option<Vec<String>>,
    /// `Recipient`.
    pub recipient: Option<IgnoredAny>,
    /// `DryRun`.
    pub dry_run: Option<bool>,
}

/// The answer of GenerateDataKeyPair.
#[derive(Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GenerateDataKeyPairResponse {
    /// `PrivateKeyCiphertextBlob`: the private key under the KMS key.
    pub private_key_ciphertext_blob: Blob,
    /// `PrivateKeyPlaintext`: DER PKCS#8 (RFC 5958).
    pub private_key_plaintext: Plaintext,
    /// `PublicKey`: a DER `SubjectPublicKeyInfo` (RFC 5280).
    pub public_key: Blob,
    /// `KeyId`: the KMS key's ARN.
    pub key_id: String,
    /// `KeyPairSpec`.
    pub key_pair_spec: &'static str,
    /// `KeyMaterialId`.
    pub key_material_id: String,
}

/// The request of GenerateDataKeyPairWithoutPlaintext.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GenerateDataKeyPairWithoutPlaintextRequest {
    /// `EncryptionContext`.
    pub encryption_context: Option<BTreeMap<String, String>>,
    /// `KeyId`: of a symmetric encryption key.
    pub key_id: String,
    /// `KeyPairSpec`.
    pub key_pair_spec: String,
    /// `GrantTokens`.
    pub grant_tokens: Option<Vec<String>>,
    /// `DryRun`.
    pub dry_run: Option<bool>,
}

/// The answer of GenerateDataKeyPairWithoutPlaintext.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct GenerateDataKeyPairWithoutPlaintextResponse {
    /// `PrivateKeyCiphertextBlob`: the private key under the KMS key.
    pub private_key_ciphertext_blob: Blob,
    /// `PublicKey`: a DER `SubjectPublicKeyInfo` (RFC 5280).
    pub public_key: Blob,
    /// `KeyId`: the KMS key's ARN.
    pub key_id: String,
    /// `KeyPairSpec`.
    pub key_pair_spec: &'static str,
    /// `KeyMaterialId`.
    pub key_material_id: String,
}

impl Keys {
    /// GenerateDataKeyPair.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, GenerateDataKeyPair.
    pub async fn generate_data_key_pair(
        &self,
        principal: &Principal,
        request: GenerateDataKeyPairRequest,
    ) -> Result<GenerateDataKeyPairResponse, Error> {
        self.make_data_key_pair(principal, request, Action::GenerateDataKeyPair).await
    }

    /// GenerateDataKeyPairWithoutPlaintext.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, GenerateDataKeyPairWithoutPlaintext.
    pub async fn generate_data_key_pair_without_plaintext(
        &self,
        principal: &Principal,
        request: GenerateDataKeyPairWithoutPlaintextRequest,
    ) -> Result<GenerateDataKeyPairWithoutPlaintextResponse, Error> {
        let request = GenerateDataKeyPairRequest {
            encryption_context: request.encryption_context,
            key_id: request.key_id,
            key_pair_spec: request.key_pair_spec,
            grant_tokens: request.grant_tokens,
            recipient: None,
            dry_run: request.dry_run,
        };
        let made = self.make_data_key_pair(principal, request, Action::GenerateDataKeyPairWithoutPlaintext).await?;
        Ok(GenerateDataKeyPairWithoutPlaintextResponse {
            private_key_ciphertext_blob: made.private_key_ciphertext_blob,
            public_key: made.public_key,
            key_id: made.key_id,
            key_pair_spec: made.key_pair_spec,
            key_material_id: made.key_material_id,
        })
    }

    async fn make_data_key_pair(
        &self,
        principal: &Principal,
        request: GenerateDataKeyPairRequest,
        action: Action,
    ) -> Result<GenerateDataKeyPairResponse, Error> {
        refuse_recipient(request.recipient.as_ref())?;
        let context = encryption_context(request.encryption_context)?;
        let spec = named(&request.key_pair_spec, KeySpec::named)?;
        let facts = [
            ("kms:datakeypairspec", spec.name().into()),
            ("kms:encryptionalgorithm", EncryptionAlgorithm::SymmetricDefault.name().into()),
        ];
        let wish = Use::of(action).tokens(request.grant_tokens.as_ref()).context(&context).facts(&facts);
        let key = self.key_for(principal, &request.key_id, wish, KeyUsage::EncryptDecrypt).await?;
        key.require_symmetric()?;
        key.require_kept_here()?;
        self.admit_pair(principal, spec)?;
        stop_dry_run(request.dry_run)?;
        let secret = self.shared.generator.generate(spec).await?;
        let pair = material::Key::load(spec, secret.expose()).map_err(cryptographic)?;
        let private_key = pair.private_key_der().map_err(cryptographic)?;
        let asker = Asker::of(principal, action, Via::Kms);
        let blob = self.seal_under(&key, asker, &context, private_key.expose()).await?;
        self.used(&key, action);
        Ok(GenerateDataKeyPairResponse {
            private_key_ciphertext_blob: Blob(blob),
            private_key_plaintext: Plaintext::from(private_key.into_bytes()),
            public_key: Blob(pair.public_key_der().unwrap_or_default()),
            key_id: key.arn.clone(),
            key_pair_spec: spec.name(),
            key_material_id: key.record.sealing(&key.arn)?.id_text(),
        })
    }
}
