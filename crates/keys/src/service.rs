//! What the object store asks for: data keys, as the caller through S3, or under the service key of SSE-S3.

use std::borrow::Cow;
use std::sync::Arc;

use material::{EncryptionAlgorithm, KeyUsage};
use policy::Value;
use seal::{EncryptionContext, SecretKey};
use uuid::Uuid;

use crate::Keys;
use crate::access::{Action, Asker, Via};
use crate::decide::{Fact, Use};
use crate::error::Error;
use crate::identifier::{KeyArn, Reference, Target};
use crate::principal::Principal;
use crate::record::Material;
use crate::request::{self, KeyUse, ServiceUse};
use crate::vault::Key;

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

/// A use of a key by S3, as the audit will tell it.
struct Noted<'a> {
    event: Uuid,
    action: Action,
    context: &'a EncryptionContext,
    /// Once it is found, and the caller may use it.
    key: Option<Arc<Key>>,
    /// The material that it was done with.
    material_id: Option<String>,
}

impl<'a> Noted<'a> {
    fn new(action: Action, context: &'a EncryptionContext) -> Self {
        Self { event: Uuid::new_v4(), action, context, key: None, material_id: None }
    }

    /// Notes how it ended. `named` is what S3 called the key, which may be none.
    fn end(self, keys: &Keys, named: &str, error: Option<&Error>) {
        let key = self.key.as_deref();
        if let (Some(key), None) = (key, error) {
            keys.used_in(key, self.action, Some(self.event));
        }
        request::note(|| KeyUse {
            event: self.event,
            operation: self.action.operation(),
            key_arn: key.map_or(named, |key| &key.arn).to_owned(),
            owner: key.and_then(|key| key.record.owner.account()),
            material_id: self.material_id.filter(|_| error.is_none()),
            key_store_id: key.and_then(|key| key.record.custody.store()).map(str::to_owned),
            grant_id: None,
            by_service: Some(ServiceUse {
                encryption_context: self.context.clone(),
                error: error.map(|error| (error.code(), error.message().to_owned())),
            }),
        });
    }
}

impl Key {
    /// `KeyMaterialId` of one of its materials, if those have names.
    fn material_name(&self, material: Option<&Material>) -> Option<String> {
        material.filter(|_| self.record.custody.store().is_none()).map(Material::id_text)
    }
}

impl Keys {
    /// Which key an id, ARN, alias name or alias ARN means to this caller. `alias/aws/s3` is made if this is its first use.
    ///
    /// # Errors
    /// As [`Keys::describe_key`](crate::Keys::describe_key).
    pub async fn resolve(&self, principal: &Principal, key_id: &str) -> Result<KeyArn, Error> {
        let key = self.find(principal, key_id, Action::DescribeKey, Via::S3).await?;
        self.arn_of(&key)
    }

    /// The ARN of the key that an id, ARN, alias name or alias ARN means, whoever asks, whether there is such a key or not: what bucket
    /// policies compare (`s3:x-amz-server-side-encryption-aws-kms-key-id`). None for what names nothing.
    pub async fn arn_meant(&self, principal: &Principal, key_id: &str) -> Option<String> {
        let Reference { account, target } = Reference::parse(key_id, principal, &self.region).ok()?;
        let key = match target {
            Target::Key(key) => key,
            Target::Alias(name) => self.vault.alias(account, name).await.ok()??,
        };
        Some(KeyArn { region: self.region.clone(), account, key }.to_string())
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
        let mut noted = Noted::new(Action::GenerateDataKey, context);
        let made = async {
            let found = noted.key.insert(self.usable(principal, key, Action::GenerateDataKey, context).await?);
            let plaintext = SecretKey::generate();
            let asker = Asker::of(principal, Action::GenerateDataKey, Via::S3);
            let blob = self.seal_under(found, asker, context, plaintext.expose()).await?;
            noted.material_id = found.material_name(found.record.current());
            Ok(DataKey { key_arn: found.arn.clone(), plaintext, blob })
        };
        let made = made.await;
        noted.end(self, key, made.as_ref().err());
        made
    }

    /// Whether the caller may still use a key through S3: what [`Keys::data_key`] and [`Keys::decrypt_data_key`] check, without any
    /// cryptography and without a trace. For data keys that S3 keeps a while (Bucket Keys), at each use. Gives the key's ARN: an alias
    /// may mean another key by now.
    ///
    /// # Errors
    /// Those of GenerateDataKey or Decrypt.
    pub async fn may_use(
        &self,
        principal: &Principal,
        key: &str,
        sealing: bool,
        context: &EncryptionContext,
    ) -> Result<String, Error> {
        let action = if sealing { Action::GenerateDataKey } else { Action::Decrypt };
        self.usable(principal, key, action, context).await.map(|key| key.arn.clone())
    }

    /// A key that the caller may use through S3, in a state to be used.
    async fn usable(
        &self,
        principal: &Principal,
        key: &str,
        action: Action,
        context: &EncryptionContext,
    ) -> Result<Arc<Key>, Error> {
        let wish = Use::of(action).context(context).facts(&FACTS);
        let key = self.find(principal, key, wish, Via::S3).await?;
        self.require_usable(&key).await?;
        key.require_usage(KeyUsage::EncryptDecrypt, action.operation())?;
        Ok(key)
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
        let mut noted = Noted::new(Action::Decrypt, context);
        let opened = async {
            let found = noted.key.insert(self.usable(principal, key_arn, Action::Decrypt, context).await?);
            let asker = Asker::of(principal, Action::Decrypt, Via::S3);
            let (plaintext, material) = self.open_under(found, asker, context, blob).await?;
            noted.material_id = found.material_name(Some(&material));
            Ok(plaintext)
        };
        let opened: Result<_, Error> = opened.await;
        noted.end(self, key_arn, opened.as_ref().err());
        let plaintext = opened?;
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
