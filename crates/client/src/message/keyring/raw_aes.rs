//! Data keys under an AES key of your own
//! ([specification](https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/framework/raw-aes-keyring.md)).

use super::{Keyring, Name, Request, Wrapped, first};
use crate::error::Result;
use crate::keys::AesKey;
use crate::message::header::EncryptedDataKey;
use crate::secret::DataKey;

/// Tag length in bits, then IV length in bytes, as they stand between name and IV.
const LENGTHS: [u8; 8] = [0, 0, 0, 128, 0, 0, 0, 12];

/// An AES key with a name: AES-GCM over the data key, bound to the encryption context.
///
/// ```
/// use client::keys::AesKey;
/// use client::message::{Decryptor, Encryptor, RawAes};
///
/// let key = AesKey::generate()?;
/// let keyring = RawAes::new("my company", "key of 2026", key)?;
/// let message = Encryptor::new(&keyring).encrypt(b"attack at dawn")?;
/// assert_eq!(&Decryptor::new(&keyring).decrypt(&message)?.plaintext[..], b"attack at dawn");
/// # Ok::<(), client::Error>(())
/// ```
pub struct RawAes {
    name: Name,
    key: AesKey,
}

impl RawAes {
    /// With the name space (AWS's clients call it provider id, too) and the name that stand in messages in clear.
    ///
    /// # Errors
    /// [`Error::KeyName`](crate::Error::KeyName) for the name space `aws-kms`.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>, key: AesKey) -> Result<Self> {
        Ok(Self { name: Name::new(namespace, name)?, key })
    }

    /// The IV, where the key is this one by its name.
    fn iv<'a>(&self, key: &'a EncryptedDataKey) -> Option<&'a [u8; 12]> {
        let after = key.info.strip_prefix(self.name.name.as_bytes()).filter(|_| key.provider == self.name.space)?;
        after.strip_prefix(&LENGTHS)?.try_into().ok()
    }
}

impl Keyring for RawAes {
    fn on_encrypt(&self, request: &Request<'_>, wrapped: &mut Wrapped) -> Result<()> {
        let aad = request.context.serialize()?;
        let (iv, ciphertext) = self.key.seal(&aad, wrapped.data_key(request.suite)?.as_bytes())?;
        let info = [self.name.name.as_bytes(), &LENGTHS, &iv].concat();
        wrapped.keys.push(EncryptedDataKey { provider: self.name.space.clone(), info, ciphertext });
        Ok(())
    }

    fn on_decrypt(&self, request: &Request<'_>, keys: &[EncryptedDataKey]) -> Result<DataKey> {
        let aad = request.context.serialize()?;
        first(keys, |key| Some(self.key.open(self.iv(key)?, &aad, &key.ciphertext)))
    }
}
