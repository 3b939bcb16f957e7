//! GenerateDataKey, GenerateDataKeyWithoutPlaintext.

use std::collections::BTreeMap;

use material::{EncryptionAlgorithm, KeyUsage};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::refusals::{refuse_recipient, stop_dry_run};
use crate::Keys;
use crate::access::{Action, Asker, Via};
use crate::cipher::encryption_context;
use crate::decide::Use;
use crate::error::Error;
use crate::principal::Principal;
use crate::wire::{Blob, Plaintext};

model::requests!(kms: GenerateDataKeyRequest, GenerateDataKeyWithoutPlaintextRequest);

/// The request of GenerateDataKey.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GenerateDataKeyRequest {
    /// `KeyId`.
    pub key_id: String,
    /// `EncryptionContext`.
    pub encryption_context: Option<BTreeMap<String, String>>,
    /// `NumberOfBytes`, 1 to 1,024.
    pub number_of_bytes: Option<i64>,
    /// `KeySpec`: `AES_256` or `AES_128`.
    pub key_spec: Option<String>,
    /// `GrantTokens`.
    pub grant_tokens: Option<Vec<String>>,
    /// `Recipient`.
    pub recipient: Option<IgnoredAny>,
    /// `DryRun`.
    pub dry_run: Option<bool>,
}

/// The answer of GenerateDataKey.
#[derive(Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GenerateDataKeyResponse {
    /// `CiphertextBlob`.
    pub ciphertext_blob: Blob,
    /// `Plaintext`.
    pub plaintext: Plaintext,
    /// `KeyId`: the key's ARN.
    pub key_id: String,
    /// `KeyMaterialId`.
    pub key_material_id: String,
}

/// The request of GenerateDataKeyWithoutPlaintext.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GenerateDataKeyWithoutPlaintextRequest {
    /// `KeyId`.
    pub key_id: String,
    /// `EncryptionContext`.
    pub encryption_context: Option<BTreeMap<String, String>>,
    /// `KeySpec`: `AES_256` or `AES_128`.
    pub key_spec: Option<String>,
    /// `NumberOfBytes`, 1 to 1,024.
    pub number_of_bytes: Option<i64>,
    /// `GrantTokens`.
    pub grant_tokens: Option<Vec<String>>,
    /// `DryRun`.
    pub dry_run: Option<bool>,
}

/// The answer of GenerateDataKeyWithoutPlaintext.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct GenerateDataKeyWithoutPlaintextResponse {
    /// `CiphertextBlob`.
    pub ciphertext_blob: Blob,
    /// `KeyId`: the key's ARN.
    pub key_id: String,
    /// `KeyMaterialId`.
    pub key_material_id: String,
}

impl Keys {
    /// GenerateDataKey.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, GenerateDataKey.
    pub async fn generate_data_key(
        &self,
        principal: &Principal,
        request: GenerateDataKeyRequest,
    ) -> Result<GenerateDataKeyResponse, Error> {
        self.make_data_key(principal, request, Action::GenerateDataKey).await
    }

    /// GenerateDataKeyWithoutPlaintext.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, GenerateDataKeyWithoutPlaintext.
    pub async fn generate_data_key_without_plaintext(
        &self,
        principal: &Principal,
        request: GenerateDataKeyWithoutPlaintextRequest,
    ) -> Result<GenerateDataKeyWithoutPlaintextResponse, Error> {
        let request = GenerateDataKeyRequest {
            key_id: request.key_id,
            encryption_context: request.encryption_context,
            number_of_bytes: request.number_of_bytes,
            key_spec: request.key_spec,
            grant_tokens: request.grant_tokens,
            recipient: None,
            dry_run: request.dry_run,
        };
        let made = self.make_data_key(principal, request, Action::GenerateDataKeyWithoutPlaintext).await?;
        let GenerateDataKeyResponse { ciphertext_blob, key_id, key_material_id, .. } = made;
        Ok(GenerateDataKeyWithoutPlaintextResponse { ciphertext_blob, key_id, key_material_id })
    }

    async fn make_data_key(
        &self,
        principal: &Principal,
        request: GenerateDataKeyRequest,
        action: Action,
    ) -> Result<GenerateDataKeyResponse, Error> {
        let len = data_key_len(request.number_of_bytes, request.key_spec.as_deref())?;
        refuse_recipient(request.recipient.as_ref())?;
        let context = encryption_context(request.encryption_context)?;

        let facts = [("kms:encryptionalgorithm", EncryptionAlgorithm::SymmetricDefault.name().into())];
        let wish = Use::of(action).tokens(request.grant_tokens.as_ref()).context(&context).facts(&facts);
        let key = self.key_for(principal, &request.key_id, wish, KeyUsage::EncryptDecrypt).await?;
        key.require_symmetric()?;
        stop_dry_run(request.dry_run)?;
        let mut plaintext = Zeroizing::new(vec![0; len]);
        seal::fill_random(&mut plaintext);
        let blob = self.seal_under(&key, Asker::of(principal, action, Via::Kms), &context, &plaintext).await?;
        self.used(&key, action);
        Ok(GenerateDataKeyResponse {
            ciphertext_blob: Blob(blob),
            plaintext: Plaintext::from(plaintext),
            key_id: key.arn.clone(),
            key_material_id: key.record.sealing(&key.arn)?.id_text(),
        })
    }
}

/// The data key's length in bytes: exactly one of the two must say it.
fn data_key_len(number_of_bytes: Option<i64>, key_spec: Option<&str>) -> Result<usize, Error> {
    match (number_of_bytes, key_spec) {
        (Some(number), None) => Ok(usize::try_from(number).unwrap_or_default()),
        (None, Some("AES_128")) => Ok(16),
        (None, Some(_)) => Ok(32),
        _ => Err(Error::Validation("Please specify either number of bytes or key spec.".to_owned())),
    }
}
