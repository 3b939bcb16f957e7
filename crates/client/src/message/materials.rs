//! Where the data key of a message comes from.

use super::header::EncryptedDataKey;
use super::keyring::{Keyring, Request, Wrapped};
use super::sign::{PUBLIC_KEY, SigningKey};
use super::suite::Suite;
use crate::context::EncryptionContext;
use crate::error::{Error, Result};
use crate::secret::DataKey;

/// Gives data keys to messages. Every [`Keyring`] does: a new one for each message; [`Cache`](super::Cache) gives one to several.
///
/// What it gives can only be made by this crate, so the trait cannot be implemented elsewhere; implement [`Keyring`].
pub trait Materials: Send + Sync {
    /// For a message that will be written.
    ///
    /// # Errors
    /// What the keyring fails with.
    fn encryption(&self, request: &EncryptionRequest<'_>) -> Result<EncryptionMaterials>;

    /// For a message that was read.
    ///
    /// # Errors
    /// What the keyring fails with.
    fn decryption(&self, request: &DecryptionRequest<'_>) -> Result<DecryptionMaterials>;
}

/// What is known of a message that will be written.
#[derive(Debug)]
pub struct EncryptionRequest<'a> {
    pub(super) suite: Suite,
    /// All of it, also what will not be stored; without a public key.
    pub(super) context: &'a EncryptionContext,
    /// How long the plaintext will be at most, if that is known.
    pub(super) plaintext_length: Option<u64>,
}

/// What is known of a message that was read.
#[derive(Debug)]
pub struct DecryptionRequest<'a> {
    pub(super) suite: Suite,
    /// All of it, also what the caller had to supply.
    pub(super) context: &'a EncryptionContext,
    pub(super) keys: &'a [EncryptedDataKey],
}

/// A data key, wrapped and in clear, and what signs.
#[derive(Clone)]
pub struct EncryptionMaterials {
    /// With the public key of the signature.
    pub(super) context: EncryptionContext,
    pub(super) data_key: DataKey,
    pub(super) keys: Vec<EncryptedDataKey>,
    pub(super) signing: Option<SigningKey>,
}

/// A data key in clear.
#[derive(Clone)]
pub struct DecryptionMaterials {
    pub(super) data_key: DataKey,
}

impl<K: Keyring> Materials for K {
    fn encryption(&self, request: &EncryptionRequest<'_>) -> Result<EncryptionMaterials> {
        let mut context = request.context.clone();
        let signing = request.suite.curve().map(SigningKey::generate).transpose()?;
        if let Some(key) = &signing {
            context.insert(PUBLIC_KEY, key.public()?);
        }
        let mut wrapped = Wrapped::default();
        self.on_encrypt(&Request { suite: request.suite, context: &context }, &mut wrapped)?;
        let Wrapped { data_key, keys } = wrapped;
        let data_key = checked(request.suite, data_key.ok_or(Error::NoDataKey)?)?;
        if keys.is_empty() {
            return Err(Error::NoDataKey);
        }
        Ok(EncryptionMaterials { context, data_key, keys, signing })
    }

    fn decryption(&self, request: &DecryptionRequest<'_>) -> Result<DecryptionMaterials> {
        let data_key = self.on_decrypt(&Request { suite: request.suite, context: request.context }, request.keys)?;
        Ok(DecryptionMaterials { data_key: checked(request.suite, data_key)? })
    }
}

/// A data key has the length that its suite takes.
fn checked(suite: Suite, data_key: DataKey) -> Result<DataKey> {
    let (expected, found) = (suite.key_length(), data_key.len());
    if expected == found { Ok(data_key) } else { Err(Error::DataKeyLength { expected, found }) }
}
