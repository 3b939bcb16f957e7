//! RSA keys of 2,048 to 16,384 bits, in every form that they come in.

use super::pem;
use crate::error::{Error, Result};
use crate::secret::DataKey;
use evp::rsa::{Hash, Padding, PrivateKey, PublicKey};

/// How a data key is padded before RSA encrypts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RsaPadding {
    /// PKCS#1 v1.5: for what is there already, not for anything new.
    Pkcs1,
    /// OAEP with SHA-1 for label and mask.
    OaepSha1,
    /// OAEP with SHA-256 for label and mask.
    OaepSha256,
    /// OAEP with SHA-384 for label and mask.
    OaepSha384,
    /// OAEP with SHA-512 for label and mask.
    OaepSha512,
    /// OAEP with SHA-256 for the label and SHA-1 for the mask: what Java calls `OAEPWithSHA-256AndMGF1Padding`.
    OaepSha256Mgf1Sha1,
}

impl RsaPadding {
    fn evp(self) -> Padding {
        let (hash, mgf1) = match self {
            RsaPadding::Pkcs1 => return Padding::Pkcs1,
            RsaPadding::OaepSha1 => (Hash::Sha1, Hash::Sha1),
            RsaPadding::OaepSha256 => (Hash::Sha256, Hash::Sha256),
            RsaPadding::OaepSha384 => (Hash::Sha384, Hash::Sha384),
            RsaPadding::OaepSha512 => (Hash::Sha512, Hash::Sha512),
            RsaPadding::OaepSha256Mgf1Sha1 => (Hash::Sha256, Hash::Sha1),
        };
        Padding::Oaep { hash, mgf1 }
    }
}

/// A public key: wraps data keys.
pub struct RsaPublicKey(PublicKey);

impl RsaPublicKey {
    /// From PEM: `PUBLIC KEY` (SubjectPublicKeyInfo) or `RSA PUBLIC KEY` (PKCS#1).
    ///
    /// # Errors
    /// [`Error::Key`].
    pub fn from_pem(text: &str) -> Result<Self> {
        match pem::decode(text)? {
            ("PUBLIC KEY", der) => Ok(Self(PublicKey::from_spki(&der)?)),
            ("RSA PUBLIC KEY", der) => Ok(Self(PublicKey::from_pkcs1(&der)?)),
            _ => Err(Error::Key("the PEM block is no public key")),
        }
    }

    /// From DER: a SubjectPublicKeyInfo or a PKCS#1 RSAPublicKey.
    ///
    /// # Errors
    /// [`Error::Key`].
    pub fn from_der(der: &[u8]) -> Result<Self> {
        Ok(Self(PublicKey::from_spki(der).or_else(|error| other_form(error, || PublicKey::from_pkcs1(der)))?))
    }

    /// Encrypts a data key, or another few bytes.
    ///
    /// # Errors
    /// [`Error::Key`] when the key is too short for the padding and so many bytes.
    pub fn encrypt(&self, padding: RsaPadding, plaintext: &[u8]) -> Result<Vec<u8>> {
        Ok(self.0.encrypt(padding.evp(), plaintext)?)
    }
}

/// A private key: opens what the public one wrapped. Wiped when dropped, never printed.
pub struct RsaPrivateKey(PrivateKey);

impl RsaPrivateKey {
    /// From PEM: `PRIVATE KEY` (PKCS#8) or `RSA PRIVATE KEY` (PKCS#1), not encrypted.
    ///
    /// # Errors
    /// [`Error::Key`].
    pub fn from_pem(text: &str) -> Result<Self> {
        match pem::decode(text)? {
            ("PRIVATE KEY", der) => Ok(Self(PrivateKey::from_pkcs8(&der)?)),
            ("RSA PRIVATE KEY", der) => Ok(Self(PrivateKey::from_pkcs1(&der)?)),
            _ => Err(Error::Key("the PEM block is no private key")),
        }
    }

    /// From DER: PKCS#8 or PKCS#1.
    ///
    /// # Errors
    /// [`Error::Key`].
    pub fn from_der(der: &[u8]) -> Result<Self> {
        Ok(Self(PrivateKey::from_pkcs8(der).or_else(|error| other_form(error, || PrivateKey::from_pkcs1(der)))?))
    }

    /// Opens a wrapped data key.
    ///
    /// # Errors
    /// [`Error::Unwrap`].
    pub fn decrypt(&self, padding: RsaPadding, ciphertext: &[u8]) -> Result<DataKey> {
        Ok(DataKey::from_bytes(self.0.decrypt(padding.evp(), ciphertext)?))
    }
}

/// Tries the other form of DER, unless the first was an RSA key that was refused for its size.
fn other_form<T>(error: evp::Error, parse: impl FnOnce() -> Result<T, evp::Error>) -> Result<T, evp::Error> {
    if error == evp::Error::RsaKey { parse() } else { Err(error) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
    use aws_lc_rs::rsa::{KeySize, PrivateDecryptingKey};
    use data_encoding::BASE64;

    fn pem(label: &str, der: &[u8]) -> String {
        let body = BASE64.encode(der);
        let lines: Vec<&str> = body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
    }

    #[test]
    fn every_form_of_a_key_is_read() {
        let key = PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap();
        let pkcs8: Pkcs8V1Der<'_> = key.as_der().unwrap();
        let spki: PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
        let (pkcs8, spki) = (pkcs8.as_ref(), spki.as_ref());
        let (private, public) = (&pkcs8[26..], &spki[24..]);
        let publics = [
            RsaPublicKey::from_pem(&pem("PUBLIC KEY", spki)).unwrap(),
            RsaPublicKey::from_pem(&pem("RSA PUBLIC KEY", public)).unwrap(),
            RsaPublicKey::from_der(spki).unwrap(),
            RsaPublicKey::from_der(public).unwrap(),
        ];
        let privates = [
            RsaPrivateKey::from_pem(&pem("PRIVATE KEY", pkcs8)).unwrap(),
            RsaPrivateKey::from_pem(&pem("RSA PRIVATE KEY", private)).unwrap(),
            RsaPrivateKey::from_der(pkcs8).unwrap(),
            RsaPrivateKey::from_der(private).unwrap(),
        ];
        let paddings = [
            RsaPadding::Pkcs1,
            RsaPadding::OaepSha1,
            RsaPadding::OaepSha256,
            RsaPadding::OaepSha384,
            RsaPadding::OaepSha512,
            RsaPadding::OaepSha256Mgf1Sha1,
        ];
        for (n, padding) in paddings.into_iter().enumerate() {
            let wrapped = publics[n % 4].encrypt(padding, b"a data key").unwrap();
            assert_eq!(privates[n % 4].decrypt(padding, &wrapped).unwrap().as_bytes(), b"a data key");
            let other = paddings[(n + 1) % paddings.len()];
            assert!(matches!(privates[0].decrypt(other, &wrapped), Err(Error::Unwrap)));
        }
        assert!(RsaPublicKey::from_pem(&pem("PRIVATE KEY", pkcs8)).is_err());
        assert!(RsaPrivateKey::from_pem(&pem("PUBLIC KEY", spki)).is_err());
        assert!(RsaPrivateKey::from_der(spki).is_err());
    }
}
