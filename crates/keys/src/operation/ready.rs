//! What the operations on asymmetric and HMAC keys have in common: a key of the right usage, ready.

use std::sync::Arc;

use material::{KeySpec, KeyUsage};

use crate::Keys;
use crate::access::Via;
use crate::decide::Use;
use crate::error::{Error, Internal};
use crate::principal::Principal;
use crate::vault::{Key, Master};

impl Keys {
    /// The key that a caller means, if it may be used for this now.
    pub(super) async fn key_for<'u>(
        &self,
        principal: &Principal,
        key_id: &str,
        wish: impl Into<Use<'u>>,
        usage: KeyUsage,
    ) -> Result<Arc<Key>, Error> {
        let wish = wish.into();
        let key = self.find(principal, key_id, wish, Via::Kms).await?;
        // In AWS's order: a disabled key of another usage is told of its usage.
        key.require_usage(usage, wish.action.operation())?;
        self.require_usable(&key).await?;
        Ok(key)
    }

    /// Runs `work` with the key's material.
    ///
    /// # Errors
    /// What `work` refuses, as AWS answers it: [`cryptographic`].
    pub(super) async fn with_material<T>(
        &self,
        key: &Key,
        work: impl FnOnce(&material::Key) -> Result<T, material::Error>,
    ) -> Result<T, Error> {
        let material = key.record.sealing(&key.arn)?;
        match &*self.vault.material(key.id, key.record.spec, material).await? {
            Master::Key(loaded) => work(loaded).map_err(cryptographic),
            Master::Envelope(_) => Err(Error::InvalidKeyUsage(format!("{} is a symmetric encryption key.", key.arn))),
        }
    }
}

impl Key {
    /// That the key is for what `operation` does.
    pub(crate) fn require_usage(&self, usage: KeyUsage, operation: &str) -> Result<(), Error> {
        let own = self.record.usage;
        if own == usage {
            return Ok(());
        }
        let arn = &self.arn;
        Err(Error::InvalidKeyUsage(format!("{arn} key usage is {own} which is not valid for {operation}.")))
    }

    pub(crate) fn is_symmetric(&self) -> bool {
        self.record.spec == KeySpec::SymmetricDefault
    }

    /// That the key is one under which data keys are made.
    pub(super) fn require_symmetric(&self) -> Result<(), Error> {
        if self.is_symmetric() {
            return Ok(());
        }
        Err(Error::InvalidKeyUsage("You cannot generate a data key with an asymmetric CMK".to_owned()))
    }
}

/// A refusal of the material's, as AWS answers it.
pub(super) fn cryptographic(error: material::Error) -> Error {
    use material::Error as Refusal;
    match error {
        Refusal::Algorithm { .. } => Error::InvalidKeyUsage(error.to_string()),
        Refusal::Ciphertext => Error::InvalidCiphertext(String::new()),
        Refusal::Material { .. } | Refusal::WrappingKey | Refusal::Library => Internal::Cryptography(error).into(),
        _ => Error::Validation(error.to_string()),
    }
}

/// An algorithm by its name, which the service model has let through: one that is not known here is SM2's.
pub(super) fn named<T>(name: &str, named: fn(&str) -> Option<T>) -> Result<T, Error> {
    named(name).ok_or_else(|| Error::UnsupportedOperation(format!("{name} is not supported in this Region.")))
}
