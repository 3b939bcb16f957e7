//! Several keyrings over one data key
//! ([specification](https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/framework/multi-keyring.md)).

use super::{Keyring, Request, Wrapped};
use crate::error::{Error, Result};
use crate::failures::Failures;
use crate::message::header::EncryptedDataKey;
use crate::secret::DataKey;

/// Several keyrings: all wrap the data key, and any of them opens it.
///
/// ```
/// use client::keys::AesKey;
/// use client::message::{Decryptor, Encryptor, Multi, RawAes};
///
/// let (office, vault) = (AesKey::generate()?, AesKey::generate()?);
/// let both = Multi::new(RawAes::new("x", "office", office)?).with(RawAes::new("x", "vault", vault.clone())?);
/// let message = Encryptor::new(both).encrypt(b"attack at dawn")?;
/// assert!(Decryptor::new(RawAes::new("x", "vault", vault)?).decrypt(&message).is_ok());
/// # Ok::<(), client::Error>(())
/// ```
pub struct Multi {
    generator: Option<Box<dyn Keyring>>,
    others: Vec<Box<dyn Keyring>>,
}

impl Multi {
    /// With the keyring that makes the data key.
    #[must_use]
    pub fn new(generator: impl Keyring + 'static) -> Self {
        Self { generator: Some(Box::new(generator)), others: Vec::new() }
    }

    /// Without one: it opens, and within another one it wraps.
    #[must_use]
    pub fn without_generator() -> Self {
        Self { generator: None, others: Vec::new() }
    }

    /// And another one.
    #[must_use]
    pub fn with(mut self, keyring: impl Keyring + 'static) -> Self {
        self.others.push(Box::new(keyring));
        self
    }
}

impl Keyring for Multi {
    fn on_encrypt(&self, request: &Request<'_>, wrapped: &mut Wrapped) -> Result<()> {
        if let Some(generator) = &self.generator {
            if wrapped.data_key.is_some() {
                return Err(Error::KeyringCannot(
                    "make a data key where there is one: a multi-keyring within another has no generator",
                ));
            }
            generator.on_encrypt(request, wrapped)?;
        }
        if wrapped.data_key.is_none() {
            return Err(Error::NoDataKey);
        }
        self.others.iter().try_for_each(|keyring| keyring.on_encrypt(request, wrapped))
    }

    fn on_decrypt(&self, request: &Request<'_>, keys: &[EncryptedDataKey]) -> Result<DataKey> {
        let mut failures = Failures::default();
        for keyring in self.generator.iter().chain(&self.others) {
            match keyring.on_decrypt(request, keys) {
                Ok(data_key) => return Ok(data_key),
                Err(Error::NoKeyOpens(more)) => failures.append(more),
                Err(failure) => failures.push(failure),
            }
        }
        Err(Error::NoKeyOpens(failures))
    }
}
