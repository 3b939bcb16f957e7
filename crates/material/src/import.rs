//! Imported key material: what a client wraps under a public key that we made, as AWS's *Importing key material* describes.
//!
//! ```text
//! RSAES_OAEP_SHA_n           OAEP(wrapping key, material)
//! RSA_AES_KEY_WRAP_SHA_n     OAEP(wrapping key, AES key) ‖ AES-KWP(AES key, material)
//! ```
//!
//! OAEP has the same hash for its label and for MGF1 (RFC 8017, section 7.1); KWP is RFC 5649; the pair of them is PKCS#11's
//! `CKM_RSA_AES_KEY_WRAP`. The material is bare bytes for symmetric and HMAC keys, PKCS#8 DER for private keys.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::key_wrap::{AES_128, AES_256, AesKek, KeyWrapPadded};
use aws_lc_rs::rsa::{
    KeySize, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm, OaepPrivateDecryptingKey, PrivateDecryptingKey,
};
use zeroize::Zeroizing;

use crate::key::SYMMETRIC_LEN;
use crate::spec::named;
use crate::{Error, Key, KeySpec, Secret, mac, ml_dsa};

named! {
    /// The size of a wrapping key: the model's `WrappingKeySpec` without SM2.
    pub enum WrappingKeySpec {
        /// RSA, 2,048-bit modulus.
        Rsa2048 = "RSA_2048",
        /// RSA, 3,072-bit modulus.
        Rsa3072 = "RSA_3072",
        /// RSA, 4,096-bit modulus.
        Rsa4096 = "RSA_4096",
    }
}

named! {
    /// How material is wrapped: the model's `AlgorithmSpec` without SM2PKE, and without RSAES_PKCS1_V1_5, which AWS has not
    /// taken since October 2023.
    pub enum WrappingAlgorithm {
        /// RSAES-OAEP with SHA-1 and MGF1-SHA-1.
        RsaesOaepSha1 = "RSAES_OAEP_SHA_1",
        /// RSAES-OAEP with SHA-256 and MGF1-SHA-256.
        RsaesOaepSha256 = "RSAES_OAEP_SHA_256",
        /// An AES key under RSAES-OAEP with SHA-1, then the material under the AES key.
        RsaAesKeyWrapSha1 = "RSA_AES_KEY_WRAP_SHA_1",
        /// An AES key under RSAES-OAEP with SHA-256, then the material under the AES key.
        RsaAesKeyWrapSha256 = "RSA_AES_KEY_WRAP_SHA_256",
    }
}

impl WrappingKeySpec {
    /// One byte for stored records and tokens. Never reused, never renumbered; 0 is none.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            WrappingKeySpec::Rsa2048 => 1,
            WrappingKeySpec::Rsa3072 => 2,
            WrappingKeySpec::Rsa4096 => 3,
        }
    }

    /// The spec of a stored byte; `None` for a byte that no version wrote.
    #[must_use]
    pub fn from_code(code: u8) -> Option<WrappingKeySpec> {
        WrappingKeySpec::ALL.iter().copied().find(|spec| spec.code() == code)
    }

    const fn size(self) -> KeySize {
        match self {
            WrappingKeySpec::Rsa2048 => KeySize::Rsa2048,
            WrappingKeySpec::Rsa3072 => KeySize::Rsa3072,
            WrappingKeySpec::Rsa4096 => KeySize::Rsa4096,
        }
    }
}

impl WrappingAlgorithm {
    /// One byte for stored records and tokens. Never reused, never renumbered; 0 is none.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            WrappingAlgorithm::RsaesOaepSha1 => 1,
            WrappingAlgorithm::RsaesOaepSha256 => 2,
            WrappingAlgorithm::RsaAesKeyWrapSha1 => 3,
            WrappingAlgorithm::RsaAesKeyWrapSha256 => 4,
        }
    }

    /// The algorithm of a stored byte; `None` for a byte that no version wrote.
    #[must_use]
    pub fn from_code(code: u8) -> Option<WrappingAlgorithm> {
        WrappingAlgorithm::ALL.iter().copied().find(|algorithm| algorithm.code() == code)
    }

    /// Whether material of this spec may be wrapped so under a key of that size (`GetParametersForImport`,
    /// `WrappingAlgorithm`): the two-step algorithms are for RSA and elliptic curves, OAEP alone for everything but RSA, and
    /// not for a P-521 key under 2,048 bits, where it would not fit.
    #[must_use]
    pub const fn wraps(self, spec: KeySpec, under: WrappingKeySpec) -> bool {
        let rsa = spec.modulus_len().is_some();
        let curve = matches!(
            spec,
            KeySpec::EccNistP256
                | KeySpec::EccNistP384
                | KeySpec::EccNistP521
                | KeySpec::EccSecgP256K1
                | KeySpec::EccNistEdwards25519
        );
        let too_long = matches!((spec, under), (KeySpec::EccNistP521, WrappingKeySpec::Rsa2048));
        is_importable(spec) && if self.is_two_step() { rsa || curve } else { !rsa && !too_long }
    }

    const fn is_two_step(self) -> bool {
        matches!(self, WrappingAlgorithm::RsaAesKeyWrapSha1 | WrappingAlgorithm::RsaAesKeyWrapSha256)
    }

    const fn oaep(self) -> &'static OaepAlgorithm {
        match self {
            WrappingAlgorithm::RsaesOaepSha1 | WrappingAlgorithm::RsaAesKeyWrapSha1 => &OAEP_SHA1_MGF1SHA1,
            WrappingAlgorithm::RsaesOaepSha256 | WrappingAlgorithm::RsaAesKeyWrapSha256 => &OAEP_SHA256_MGF1SHA256,
        }
    }
}

/// Whether material of this spec can be imported: all but ML-KEM. `GetParametersForImport` and `ImportKeyMaterial` name
/// symmetric and HMAC keys and those for asymmetric encryption, signatures and key agreement, not for encapsulation.
#[must_use]
pub const fn is_importable(spec: KeySpec) -> bool {
    !matches!(spec, KeySpec::MlKem512 | KeySpec::MlKem768 | KeySpec::MlKem1024)
}

/// An RSA key pair under whose public half a client wraps material. There is no `Debug`.
pub struct WrappingKey {
    private: PrivateDecryptingKey,
    oaep: OaepPrivateDecryptingKey,
}

impl WrappingKey {
    /// Makes one. This takes from 50 ms to some seconds of computing: it belongs on a blocking thread.
    ///
    /// # Errors
    /// [`Error::Library`] if the library fails.
    pub fn generate(spec: WrappingKeySpec) -> Result<WrappingKey, Error> {
        WrappingKey::new(PrivateDecryptingKey::generate(spec.size())?)
    }

    /// Loads what [`WrappingKey::to_stored`] gave.
    ///
    /// # Errors
    /// [`Error::WrappingKey`] if the bytes are not that.
    pub fn from_stored(bytes: &[u8]) -> Result<WrappingKey, Error> {
        let private = PrivateDecryptingKey::from_pkcs8(bytes).map_err(|_| Error::WrappingKey)?;
        WrappingKey::new(private)
    }

    /// The private key for keeping, sealed: PKCS#8 DER (RFC 5958 version 1, RFC 8017 `RSAPrivateKey`).
    ///
    /// # Errors
    /// [`Error::Library`] if the library fails.
    pub fn to_stored(&self) -> Result<Secret, Error> {
        let der: Pkcs8V1Der<'_> = self.private.as_der()?;
        Ok(Secret::from(der.as_ref()))
    }

    /// The public half for the client: a DER `SubjectPublicKeyInfo` (RFC 5280).
    ///
    /// # Errors
    /// [`Error::Library`] if the library fails.
    pub fn public_key_der(&self) -> Result<Vec<u8>, Error> {
        let der: PublicKeyX509Der<'_> = self.private.public_key().as_der()?;
        Ok(der.as_ref().to_vec())
    }

    /// Opens what a client wrapped. What comes out still has to pass [`accept`].
    ///
    /// The AES key of the two-step algorithms has 256 bits (or 128, which PKCS#11 allows too).
    ///
    /// # Errors
    /// [`Error::Ciphertext`] if it does not open, whatever the reason.
    pub fn unwrap(&self, algorithm: WrappingAlgorithm, wrapped: &[u8]) -> Result<Secret, Error> {
        if !algorithm.is_two_step() {
            return Ok(self.open(algorithm, wrapped)?.into());
        }
        let (key, material) = wrapped.split_at_checked(self.oaep.key_size_bytes()).ok_or(Error::Ciphertext)?;
        Ok(unwrap_padded(&self.open(algorithm, key)?, material)?.into())
    }

    fn open(&self, algorithm: WrappingAlgorithm, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut plaintext = Zeroizing::new(vec![0; self.oaep.min_output_size()]);
        let opened = self.oaep.decrypt(algorithm.oaep(), ciphertext, &mut plaintext, None);
        let len = opened.map_err(|_| Error::Ciphertext)?.len();
        plaintext.truncate(len);
        Ok(plaintext)
    }

    fn new(private: PrivateDecryptingKey) -> Result<WrappingKey, Error> {
        Ok(WrappingKey { oaep: OaepPrivateDecryptingKey::new(private.clone())?, private })
    }
}

/// AES-KWP unwrapping (RFC 5649, section 4.2).
fn unwrap_padded(key: &[u8], wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let cipher = match key.len() {
        16 => &AES_128,
        32 => &AES_256,
        _ => return Err(Error::Ciphertext),
    };
    let mut material = Zeroizing::new(vec![0; wrapped.len()]);
    let unwrapped = AesKek::new(cipher, key)?.unwrap_with_padding(wrapped, &mut material);
    let len = unwrapped.map_err(|_| Error::Ciphertext)?.len();
    material.truncate(len);
    Ok(material)
}

/// Takes unwrapped bytes as material of a spec, in its stored form.
///
/// `SYMMETRIC_DEFAULT`: 32 bytes. HMAC: as many as the hash has. RSA, elliptic curves, Ed25519: PKCS#8 DER that is a valid key
/// of just this spec. ML-DSA: PKCS#8 DER with the seed (RFC 9881). Whatever else PKCS#8 may hold beside the key (attributes,
/// a public key) is dropped, so that one key gives the same bytes whoever encoded it, and reimported material compares equal.
///
/// # Errors
/// [`Error::Material`] if they are anything else, or the spec is not [importable](is_importable).
pub fn accept(spec: KeySpec, material: &[u8]) -> Result<Secret, Error> {
    let refused = Error::Material { spec };
    match spec {
        KeySpec::SymmetricDefault if material.len() == SYMMETRIC_LEN => Ok(Secret::from(material)),
        KeySpec::Hmac224 | KeySpec::Hmac256 | KeySpec::Hmac384 | KeySpec::Hmac512
            if Some(material.len()) == mac::key_len(spec) =>
        {
            Ok(Secret::from(material))
        }
        KeySpec::Rsa2048
        | KeySpec::Rsa3072
        | KeySpec::Rsa4096
        | KeySpec::EccNistP256
        | KeySpec::EccNistP384
        | KeySpec::EccNistP521
        | KeySpec::EccSecgP256K1
        | KeySpec::EccNistEdwards25519 => Key::load(spec, material).map_err(|_| refused)?.private_key_der(),
        KeySpec::MlDsa44 | KeySpec::MlDsa65 | KeySpec::MlDsa87 => ml_dsa::seed_of_pkcs8(spec, material),
        _ => Err(refused),
    }
}

#[cfg(test)]
mod tests;
