//! Data keys under an RSA key of your own.

use super::super::algorithm::{ContentAlgorithm, Wrapping};
use super::{Fit, ObjectKeyring, UnwrapRequest, WrapRequest, WrappedKey, described};
use crate::context::EncryptionContext;
use crate::error::{Error, Result};
use crate::keys::{RsaPadding, RsaPrivateKey, RsaPublicKey};
use crate::secret::DataKey;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// An RSA key, or either half of one: the public key wraps, with OAEP, a data key and the content's algorithm; the private key opens
/// that and, where it is allowed, what old clients wrapped with PKCS#1 v1.5 and with OAEP and SHA-256.
///
/// ```no_run
/// use client::keys::{RsaPrivateKey, RsaPublicKey};
/// use client::object::{ObjectDecryptor, ObjectEncryptor, RsaKeyring};
///
/// let public = RsaPublicKey::from_pem(&std::fs::read_to_string("public.pem")?)?;
/// let object = ObjectEncryptor::new(RsaKeyring::new(Some(public), None)?).encrypt(b"attack at dawn")?;
/// let private = RsaPrivateKey::from_pem(&std::fs::read_to_string("private.pem")?)?;
/// let opener = ObjectDecryptor::new(RsaKeyring::new(None, Some(private))?);
/// assert_eq!(*opener.decrypt(&object.metadata, None, &object.body)?, *b"attack at dawn");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct RsaKeyring {
    public: Option<RsaPublicKey>,
    private: Option<RsaPrivateKey>,
    description: EncryptionContext,
}

impl RsaKeyring {
    /// With one key or both.
    ///
    /// # Errors
    /// [`Error::Setting`] without any.
    pub fn new(public: Option<RsaPublicKey>, private: Option<RsaPrivateKey>) -> Result<Self> {
        if public.is_none() && private.is_none() {
            return Err(Error::Setting("an RSA keyring needs a public or a private key"));
        }
        Ok(Self { public, private, description: EncryptionContext::new() })
    }

    /// What is stored in clear with each object, to tell keys apart. Nothing authenticates it.
    #[must_use]
    pub fn material_description(self, description: impl Into<EncryptionContext>) -> Self {
        Self { description: description.into(), ..self }
    }
}

impl ObjectKeyring for RsaKeyring {
    fn wrap(&self, request: &WrapRequest<'_>) -> Result<WrappedKey> {
        let public = self.public.as_ref().ok_or(Error::KeyringCannot("encrypt: it has no public key"))?;
        let data_key = request.raw_data_key()?;
        let framed = framed(&data_key, request.content)?;
        Ok(WrappedKey {
            ciphertext: public.encrypt(RsaPadding::OaepSha1, &framed)?,
            data_key,
            wrapping: Wrapping::RsaOaepSha1,
            description: self.description.clone(),
        })
    }

    fn unwrap(&self, request: &UnwrapRequest<'_>) -> Result<DataKey> {
        let padding = padding(request.wrapping).ok_or(Error::KeyringCannot("open what is not wrapped with RSA"))?;
        let private = self.private.as_ref().ok_or(Error::KeyringCannot("decrypt: it has no private key"))?;
        let opened = private.decrypt(padding, request.ciphertext)?;
        match request.wrapping {
            Wrapping::RsaOaepSha1 => unframed(&opened, request.content),
            // As any other refusal: whether a padding of PKCS#1 was right is nobody's business.
            _ if !matches!(opened.len(), 16 | 24 | 32) => Err(Error::Unwrap),
            _ => Ok(opened),
        }
    }

    fn fit(&self, request: &UnwrapRequest<'_>) -> Fit {
        if padding(request.wrapping).is_some() { described(&self.description, request) } else { Fit::No }
    }
}

fn padding(wrapping: Wrapping) -> Option<RsaPadding> {
    match wrapping {
        Wrapping::RsaOaepSha1 => Some(RsaPadding::OaepSha1),
        Wrapping::Rsa => Some(RsaPadding::Pkcs1),
        Wrapping::RsaOaepSha256 => Some(RsaPadding::OaepSha256Mgf1Sha1),
        _ => None,
    }
}

/// Length of the data key in one byte, the data key, the content's algorithm.
fn framed(data_key: &DataKey, content: ContentAlgorithm) -> Result<Zeroizing<Vec<u8>>> {
    let length =
        u8::try_from(data_key.len()).map_err(|_| Error::DataKeyLength { expected: 32, found: data_key.len() })?;
    let bound = content.bound();
    let mut framed = Zeroizing::new(Vec::with_capacity(1 + data_key.len() + bound.len()));
    framed.push(length);
    framed.extend_from_slice(data_key.as_bytes());
    framed.extend_from_slice(bound);
    Ok(framed)
}

fn unframed(framed: &DataKey, content: ContentAlgorithm) -> Result<DataKey> {
    let (length, rest) = framed.as_bytes().split_first().ok_or(Error::Unwrap)?;
    let (data_key, bound) = rest.split_at_checked(usize::from(*length)).ok_or(Error::Unwrap)?;
    if !matches!(data_key.len(), 16 | 24 | 32) || !bool::from(bound.ct_eq(content.bound())) {
        return Err(Error::Unwrap);
    }
    Ok(DataKey::from_bytes(Zeroizing::new(data_key.to_vec())))
}
