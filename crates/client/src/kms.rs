//! The key management service, as far as data keys need it.
//!
//! [`Kms`] is what a keyring calls; who implements it brings HTTP and signatures, or a key in memory for a test.

mod arn;

pub use arn::{KeyArn, mrk_match};

use crate::context::EncryptionContext;
use crate::secret::DataKey;

/// Three operations of the AWS Key Management Service. Calls block until they are answered.
///
/// Here is one whose only key is in memory; one of AWS or Strongroom signs HTTP requests instead.
///
/// ```
/// use client::keys::AesKey;
/// use client::kms::{DecryptedKey, EncryptedKey, GeneratedKey, KeyRequest, Kms, KmsError};
/// use client::message::{Decryptor, Encryptor, KmsDiscovery, KmsKeyring};
/// use client::{DataKey, Error};
///
/// const ARN: &str = "arn:aws:kms:eu-central-1:111122223333:key/1234";
///
/// struct InMemory(AesKey);
///
/// fn failed(error: Error) -> KmsError {
///     KmsError::new("InvalidCiphertextException", error.to_string())
/// }
///
/// impl Kms for InMemory {
///     fn generate_data_key(&self, key: &KeyRequest<'_>, bytes: usize) -> Result<GeneratedKey, KmsError> {
///         let plaintext = DataKey::random(bytes).map_err(failed)?;
///         let EncryptedKey { ciphertext, key_arn } = self.encrypt(key, &plaintext)?;
///         Ok(GeneratedKey { plaintext, ciphertext, key_arn })
///     }
///
///     fn encrypt(&self, key: &KeyRequest<'_>, plaintext: &DataKey) -> Result<EncryptedKey, KmsError> {
///         let aad = key.context.serialize().map_err(failed)?;
///         let (iv, sealed) = self.0.seal(&aad, plaintext.as_bytes()).map_err(failed)?;
///         Ok(EncryptedKey { ciphertext: [&iv[..], &sealed].concat(), key_arn: ARN.to_owned() })
///     }
///
///     fn decrypt(&self, key: &KeyRequest<'_>, ciphertext: &[u8]) -> Result<DecryptedKey, KmsError> {
///         let aad = key.context.serialize().map_err(failed)?;
///         let (iv, sealed) = ciphertext.split_first_chunk().ok_or(failed(Error::Unwrap))?;
///         Ok(DecryptedKey { plaintext: self.0.open(iv, &aad, sealed).map_err(failed)?, key_arn: ARN.to_owned() })
///     }
/// }
///
/// let kms = InMemory(AesKey::generate()?);
/// let message = Encryptor::new(KmsKeyring::new(&kms, ARN)?).context([("purpose", "backup")]).encrypt(b"attack at dawn")?;
///
/// // With that key alone, or with any of an account's keys that a message names.
/// assert!(Decryptor::new(KmsKeyring::new(&kms, ARN)?).decrypt(&message).is_ok());
/// let ours = KmsDiscovery::new(&kms).only("aws", ["111122223333"]);
/// assert_eq!(&Decryptor::new(ours).decrypt(&message)?.plaintext[..], b"attack at dawn");
/// # Ok::<(), Error>(())
/// ```
pub trait Kms: Send + Sync {
    /// `GenerateDataKey`: a new data key of so many bytes, in clear and encrypted.
    ///
    /// # Errors
    /// What the service said, or why it could not be asked.
    fn generate_data_key(&self, key: &KeyRequest<'_>, bytes: usize) -> Result<GeneratedKey, KmsError>;

    /// `Encrypt`: the data key under another key.
    ///
    /// # Errors
    /// What the service said, or why it could not be asked.
    fn encrypt(&self, key: &KeyRequest<'_>, plaintext: &DataKey) -> Result<EncryptedKey, KmsError>;

    /// `Decrypt`: the data key in clear.
    ///
    /// # Errors
    /// What the service said, or why it could not be asked.
    fn decrypt(&self, key: &KeyRequest<'_>, ciphertext: &[u8]) -> Result<DecryptedKey, KmsError>;
}

impl<K: Kms + ?Sized> Kms for &K {
    fn generate_data_key(&self, key: &KeyRequest<'_>, bytes: usize) -> Result<GeneratedKey, KmsError> {
        (**self).generate_data_key(key, bytes)
    }

    fn encrypt(&self, key: &KeyRequest<'_>, plaintext: &DataKey) -> Result<EncryptedKey, KmsError> {
        (**self).encrypt(key, plaintext)
    }

    fn decrypt(&self, key: &KeyRequest<'_>, ciphertext: &[u8]) -> Result<DecryptedKey, KmsError> {
        (**self).decrypt(key, ciphertext)
    }
}

impl<K: Kms + ?Sized> Kms for std::sync::Arc<K> {
    fn generate_data_key(&self, key: &KeyRequest<'_>, bytes: usize) -> Result<GeneratedKey, KmsError> {
        (**self).generate_data_key(key, bytes)
    }

    fn encrypt(&self, key: &KeyRequest<'_>, plaintext: &DataKey) -> Result<EncryptedKey, KmsError> {
        (**self).encrypt(key, plaintext)
    }

    fn decrypt(&self, key: &KeyRequest<'_>, ciphertext: &[u8]) -> Result<DecryptedKey, KmsError> {
        (**self).decrypt(key, ciphertext)
    }
}

/// What all three operations are told.
#[derive(Debug, Clone, Copy)]
pub struct KeyRequest<'a> {
    /// Key ARN, key id, alias ARN or alias.
    pub key_id: &'a str,
    /// The encryption context.
    pub context: &'a EncryptionContext,
    /// Grant tokens.
    pub grant_tokens: &'a [String],
}

/// What `GenerateDataKey` answers.
pub struct GeneratedKey {
    /// The data key.
    pub plaintext: DataKey,
    /// The data key, encrypted.
    pub ciphertext: Vec<u8>,
    /// ARN of the key that encrypted it.
    pub key_arn: String,
}

/// What `Encrypt` answers.
#[derive(Debug, Clone)]
pub struct EncryptedKey {
    /// The data key, encrypted.
    pub ciphertext: Vec<u8>,
    /// ARN of the key that encrypted it.
    pub key_arn: String,
}

/// What `Decrypt` answers.
pub struct DecryptedKey {
    /// The data key.
    pub plaintext: DataKey,
    /// ARN of the key that decrypted it.
    pub key_arn: String,
}

/// What a key management service refuses with, or why it could not be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("key management service: {code}: {message}")]
pub struct KmsError {
    /// The service's word, `AccessDeniedException` say; or one of the transport's.
    pub code: String,
    /// For a person.
    pub message: String,
}

impl KmsError {
    /// From both parts.
    #[must_use]
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into() }
    }
}
