//! Data keys under an RSA key of your own
//! ([specification](https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/framework/raw-rsa-keyring.md)).

use super::{Keyring, Name, Request, Wrapped, first};
use crate::error::{Error, Result};
use crate::keys::{RsaPadding, RsaPrivateKey, RsaPublicKey};
use crate::message::header::EncryptedDataKey;
use crate::secret::DataKey;

/// An RSA key with a name: whoever has its public half writes, whoever has the private one reads.
///
/// RSA binds no encryption context; the message's own header does.
///
/// [`RsaPadding::Pkcs1`] is for reading messages that are there already: whoever may have many forged ones read with the private key, and
/// sees how each fails, learns step by step what a wrapped key holds (Bleichenbacher's attack). Here a wrong padding and a data key of a
/// wrong length fail alike, and only a right one of a right length goes on to fail at the message's own header. Going on with a random data
/// key after every failure would hide that too, but would keep the other wrapped keys of a message, and the other keyrings of a
/// [`Multi`](super::Multi), from being tried. OAEP has no such weakness.
///
/// ```
/// # use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
/// # let pair = aws_lc_rs::rsa::PrivateDecryptingKey::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
/// # let (private_der, public_der): (Pkcs8V1Der<'_>, PublicKeyX509Der<'_>) = (pair.as_der().unwrap(), pair.public_key().as_der().unwrap());
/// # let (private_der, public_der) = (private_der.as_ref(), public_der.as_ref());
/// use client::keys::{RsaPadding, RsaPrivateKey, RsaPublicKey};
/// use client::message::{Decryptor, Encryptor, RawRsa};
///
/// let writer = RawRsa::new("my company", "the archive", RsaPadding::OaepSha256)?
///     .public_key(RsaPublicKey::from_der(public_der)?);
/// let message = Encryptor::new(writer).encrypt(b"attack at dawn")?;
///
/// let reader = RawRsa::new("my company", "the archive", RsaPadding::OaepSha256)?
///     .private_key(RsaPrivateKey::from_der(private_der)?);
/// assert_eq!(&Decryptor::new(reader).decrypt(&message)?.plaintext[..], b"attack at dawn");
/// # Ok::<(), client::Error>(())
/// ```
pub struct RawRsa {
    name: Name,
    padding: RsaPadding,
    public: Option<RsaPublicKey>,
    private: Option<RsaPrivateKey>,
}

impl RawRsa {
    /// With the name space and name that stand in messages in clear. Without a key it can do nothing: give it one or both.
    ///
    /// # Errors
    /// [`Error::KeyName`] for the name space `aws-kms`; [`Error::Setting`] for the padding with two hashes, which the format has not.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>, padding: RsaPadding) -> Result<Self> {
        if padding == RsaPadding::OaepSha256Mgf1Sha1 {
            return Err(Error::Setting("the Encryption SDK has no OAEP with two different hashes"));
        }
        Ok(Self { name: Name::new(namespace, name)?, padding, public: None, private: None })
    }

    /// Wraps with this key.
    #[must_use]
    pub fn public_key(self, key: RsaPublicKey) -> Self {
        Self { public: Some(key), ..self }
    }

    /// Opens with this key.
    #[must_use]
    pub fn private_key(self, key: RsaPrivateKey) -> Self {
        Self { private: Some(key), ..self }
    }
}

impl Keyring for RawRsa {
    fn on_encrypt(&self, request: &Request<'_>, wrapped: &mut Wrapped) -> Result<()> {
        let public = self.public.as_ref().ok_or(Error::KeyringCannot("encrypt without a public key"))?;
        let ciphertext = public.encrypt(self.padding, wrapped.data_key(request.suite)?.as_bytes())?;
        let (provider, info) = (self.name.space.clone(), self.name.name.clone().into_bytes());
        wrapped.keys.push(EncryptedDataKey { provider, info, ciphertext });
        Ok(())
    }

    fn on_decrypt(&self, request: &Request<'_>, keys: &[EncryptedDataKey]) -> Result<DataKey> {
        let private = self.private.as_ref().ok_or(Error::KeyringCannot("decrypt without a private key"))?;
        first(keys, |key| {
            let ours = key.provider == self.name.space && key.info == self.name.name.as_bytes();
            ours.then(|| {
                let data_key = private.decrypt(self.padding, &key.ciphertext)?;
                // As a wrong padding: which of the two it is is nobody's business.
                if data_key.len() == request.suite.key_length() { Ok(data_key) } else { Err(Error::Unwrap) }
            })
        })
    }
}
