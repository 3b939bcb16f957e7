//! Data keys under an AES key of your own.

use super::super::algorithm::Wrapping;
use super::super::cipher::{self, Padded};
use super::{Fit, ObjectKeyring, UnwrapRequest, WrapRequest, WrappedKey, described};
use crate::context::EncryptionContext;
use crate::error::{Error, Result};
use crate::keys::AesKey;
use crate::secret::DataKey;
use zeroize::Zeroizing;

/// An AES key: AES-GCM over the data key, bound to the content's algorithm. It opens, where that is allowed, what old clients wrapped by
/// RFC 3394 or in AES-ECB.
///
/// ```
/// use client::keys::AesKey;
/// use client::object::{AesKeyring, ObjectDecryptor, ObjectEncryptor};
///
/// let keyring = AesKeyring::new(AesKey::generate()?).material_description([("key", "of 2026")]);
/// let object = ObjectEncryptor::new(&keyring).encrypt(b"attack at dawn")?;
/// assert_eq!(*ObjectDecryptor::new(&keyring).decrypt(&object.metadata, None, &object.body)?, *b"attack at dawn");
/// # Ok::<(), client::Error>(())
/// ```
pub struct AesKeyring {
    key: AesKey,
    description: EncryptionContext,
}

impl AesKeyring {
    /// Of this key.
    #[must_use]
    pub fn new(key: AesKey) -> Self {
        Self { key, description: EncryptionContext::new() }
    }

    /// What is stored in clear with each object, to tell keys apart. Nothing authenticates it.
    #[must_use]
    pub fn material_description(self, description: impl Into<EncryptionContext>) -> Self {
        Self { description: description.into(), ..self }
    }
}

impl ObjectKeyring for AesKeyring {
    fn wrap(&self, request: &WrapRequest<'_>) -> Result<WrappedKey> {
        let data_key = request.raw_data_key()?;
        let (iv, sealed) = self.key.seal(request.content.bound(), data_key.as_bytes())?;
        Ok(WrappedKey {
            data_key,
            ciphertext: [&iv[..], &sealed].concat(),
            wrapping: Wrapping::AesGcm,
            description: self.description.clone(),
        })
    }

    fn unwrap(&self, request: &UnwrapRequest<'_>) -> Result<DataKey> {
        match request.wrapping {
            Wrapping::AesGcm => {
                let (iv, sealed) = request.ciphertext.split_first_chunk().ok_or(Error::Unwrap)?;
                self.key.open(iv, request.content.bound(), sealed)
            }
            Wrapping::AesWrap => Ok(DataKey::from_bytes(evp::unwrap(self.key.as_bytes(), request.ciphertext)?)),
            Wrapping::Aes => self.open_ecb(request.ciphertext),
            _ => Err(Error::KeyringCannot("open a data key that is not wrapped with AES")),
        }
    }

    fn fit(&self, request: &UnwrapRequest<'_>) -> Fit {
        match request.wrapping {
            Wrapping::AesGcm | Wrapping::AesWrap | Wrapping::Aes => described(&self.description, request),
            _ => Fit::No,
        }
    }
}

impl AesKeyring {
    /// One error for whatever is wrong: nothing authenticates these bytes, and somebody may try many.
    fn open_ecb(&self, ciphertext: &[u8]) -> Result<DataKey> {
        // A data key of 16, 24 or 32 bytes, padded.
        if !matches!(ciphertext.len(), 32 | 48) {
            return Err(Error::Unwrap);
        }
        let mut key = Zeroizing::new(ciphertext.to_vec());
        cipher::open_ecb(self.key.as_bytes(), &mut key)?;
        let length = Padded::of(&key).length().filter(|length| matches!(length, 16 | 24 | 32)).ok_or(Error::Unwrap)?;
        key.truncate(length);
        Ok(DataKey::from_bytes(key))
    }
}
