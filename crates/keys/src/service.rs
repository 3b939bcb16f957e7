//! What the object store asks for: data keys, as the caller through S3, or under the service key of SSE-S3.

use std::borrow::Cow;

use material::{EncryptionAlgorithm, KeyUsage};
use policy::Value;
use seal::{EncryptionContext, SecretKey};

use crate::Keys;
use crate::access::{Action, Asker, Via};
use crate::decide::{Fact, Use};
use crate::error::Error;
use crate::identifier::KeyArn;
use crate::principal::Principal;

/// A fresh data key.
pub struct DataKey {
    /// The ARN of the KMS key that sealed it.
    pub key_arn: String,
    /// The key itself.
    pub plaintext: SecretKey,
    /// The key sealed, for [`Keys::decrypt_data_key`].
    pub blob: Vec<u8>,
}

/// A fresh data key under the service key, which has no name.
pub struct ServiceDataKey {
    /// The key itself.
    pub plaintext: SecretKey,
    /// The key sealed, for [`Keys::open_service_data_key`].
    pub blob: Vec<u8>,
}

/// What key policies may ask of S3's uses, beside their encryption context.
static FACTS: [Fact<'static>; 1] =
    [("kms:encryptionalgorithm", Value::One(Cow::Borrowed(EncryptionAlgorithm::SymmetricDefault.name())))];

impl Keys {
    /// Which key an id, ARN, alias name or alias ARN means to this caller. `alias/aws/s3` is made if this is its first use.
    ///
    /// # Errors
    /// As [`Keys::describe_key`](crate::Keys::describe_key).
    pub async fn resolve(&self, principal: &Principal, key_id: &str) -> Result<KeyArn, Error> {
        let key = self.find(principal, key_id, Action::DescribeKey, Via::S3).await?;
        self.arn_of(&key)
    }

    /// A 256-bit data key under a KMS key (id, ARN, alias name or alias ARN), on behalf of the caller, through S3: AWS managed
    /// keys allow that. `alias/aws/s3` is made if this is its first use.
    ///
    /// # Errors
    /// Those of GenerateDataKey.
    pub async fn data_key(
        &self,
        principal: &Principal,
        key: &str,
        context: &EncryptionContext,
    ) -> Result<DataKey, Error> {
        let wish = Use::of(Action::GenerateDataKey).context(context).facts(&FACTS);
        let key = self.find(principal, key, wish, Via::S3).await?;
        self.require_usable(&key).await?;
        key.require_usage(KeyUsage::EncryptDecrypt, Action::GenerateDataKey.operation())?;
        let plaintext = SecretKey::generate();
        let asker = Asker::of(principal, Action::GenerateDataKey, Via::S3);
        let blob = self.seal_under(&key, asker, context, plaintext.expose()).await?;
        self.used(&key, Action::GenerateDataKey);
        Ok(DataKey { key_arn: key.arn.clone(), plaintext, blob })
    }

    /// Opens what [`Keys::data_key`] gave, on behalf of the caller, through S3.
    ///
    /// # Errors
    /// Those of Decrypt. [`Error::InvalidCiphertext`] if the blob is not this context's, [`Error::IncorrectKey`] if not this
    /// key's.
    pub async fn decrypt_data_key(
        &self,
        principal: &Principal,
        key_arn: &str,
        blob: &[u8],
        context: &EncryptionContext,
    ) -> Result<SecretKey, Error> {
        let wish = Use::of(Action::Decrypt).context(context).facts(&FACTS);
        let key = self.find(principal, key_arn, wish, Via::S3).await?;
        let asker = Asker::of(principal, Action::Decrypt, Via::S3);
        let (plaintext, _) = self.open_under(&key, asker, context, blob).await?;
        self.used(&key, Action::Decrypt);
        SecretKey::from_slice(&plaintext).map_err(|_| Error::InvalidCiphertext(String::new()))
    }

    /// A 256-bit data key under the service key, for SSE-S3.
    ///
    /// # Errors
    /// A failing store.
    pub async fn service_data_key(&self, context: &EncryptionContext) -> Result<ServiceDataKey, Error> {
        let key = self.service_key().await?;
        let plaintext = SecretKey::generate();
        let asker = Asker::server(Action::GenerateDataKey);
        let blob = self.seal_under(&key, asker, context, plaintext.expose()).await?;
        Ok(ServiceDataKey { plaintext, blob })
    }

    /// Opens what [`Keys::service_data_key`] gave.
    ///
    /// # Errors
    /// [`Error::InvalidCiphertext`] if the blob is not the service key's or not this context's; a failing store.
    pub async fn open_service_data_key(&self, blob: &[u8], context: &EncryptionContext) -> Result<SecretKey, Error> {
        let key = self.service_key().await?;
        let invalid = || Error::InvalidCiphertext(String::new());
        let opened = self.open_under(&key, Asker::server(Action::Decrypt), context, blob).await;
        let (plaintext, _) =
            opened.map_err(|error| if matches!(error, Error::IncorrectKey(_)) { invalid() } else { error })?;
        SecretKey::from_slice(&plaintext).map_err(|_| invalid())
    }
}
