//! The public keys of an identity provider: a JSON Web Key Set (RFC 7517, RFC 7518 section 6).

use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, EcdsaVerificationAlgorithm,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RsaParameters,
    UnparsedPublicKey,
};
use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;

/// Keys of a type that a set may have, RSA or elliptic curves; a larger set is refused, as AWS refuses it.
pub(crate) const MAX_KEYS_OF_TYPE: usize = 100;

/// Bytes of the longest RSA modulus that is taken: 8,192 bits.
const MAX_MODULUS: usize = 1024;

/// How a token is signed (RFC 7518, section 3.1). AWS takes these and no others: no `none`, no shared secrets, no `PS256`, no `EdDSA`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// ECDSA on P-521 with SHA-512.
    Es512,
}

impl Algorithm {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "RS256" => Self::Rs256,
            "RS384" => Self::Rs384,
            "RS512" => Self::Rs512,
            "ES256" => Self::Es256,
            "ES384" => Self::Es384,
            "ES512" => Self::Es512,
            _ => return None,
        })
    }

    fn scheme(self) -> Scheme {
        match self {
            Self::Rs256 => Scheme::Rsa(&RSA_PKCS1_2048_8192_SHA256),
            Self::Rs384 => Scheme::Rsa(&RSA_PKCS1_2048_8192_SHA384),
            Self::Rs512 => Scheme::Rsa(&RSA_PKCS1_2048_8192_SHA512),
            Self::Es256 => Scheme::Ec(Curve::P256, &ECDSA_P256_SHA256_FIXED),
            Self::Es384 => Scheme::Ec(Curve::P384, &ECDSA_P384_SHA384_FIXED),
            Self::Es512 => Scheme::Ec(Curve::P521, &ECDSA_P521_SHA512_FIXED),
        }
    }
}

enum Scheme {
    Rsa(&'static RsaParameters),
    Ec(Curve, &'static EcdsaVerificationAlgorithm),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Curve {
    P256,
    P384,
    P521,
}

/// The keys of one provider.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct KeySet(Vec<PublicKey>);

/// One key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct PublicKey {
    id: Option<String>,
    /// The only algorithm that it is for, if its owner says so.
    algorithm: Option<String>,
    material: Material,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Material {
    Rsa {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
    /// The point uncompressed (SEC 1, section 2.3.3).
    Ec {
        curve: Curve,
        point: Vec<u8>,
    },
}

/// A document that is no key set, or one that is too large.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a JSON Web Key Set of at most {MAX_KEYS_OF_TYPE} RSA and {MAX_KEYS_OF_TYPE} elliptic keys")]
pub(crate) struct InvalidKeySet;

#[derive(Deserialize)]
struct Document {
    keys: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    n: Option<String>,
    e: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl KeySet {
    /// Reads a key set. Keys of other types, for other uses or that cannot be read are left out (RFC 7517, section 5).
    ///
    /// # Errors
    /// [`InvalidKeySet`].
    pub(crate) fn parse(json: &[u8]) -> Result<Self, InvalidKeySet> {
        let document: Document = serde_json::from_slice(json).map_err(|_| InvalidKeySet)?;
        for kind in ["RSA", "EC"] {
            if document.keys.iter().filter(|entry| entry.kty == kind).count() > MAX_KEYS_OF_TYPE {
                return Err(InvalidKeySet);
            }
        }
        Ok(Self(document.keys.into_iter().filter_map(Entry::key).collect()))
    }

    /// The key of this id that may make such signatures. A token that names none is its who has one such key alone.
    pub(super) fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Option<&PublicKey> {
        let mut fit = self.0.iter().filter(|key| key.fits(algorithm) && (id.is_none() || key.id.as_deref() == id));
        let found = fit.next()?;
        // Two keys of one id: whoever made the set has to say which.
        fit.next().is_none().then_some(found)
    }
}

impl Entry {
    fn key(self) -> Option<PublicKey> {
        if self.usage.is_some_and(|usage| usage != "sig") {
            return None;
        }
        let bytes = |text: Option<String>| BASE64URL_NOPAD.decode(text?.as_bytes()).ok();
        let material = match self.kty.as_str() {
            "RSA" => {
                let (modulus, exponent) = (bytes(self.n)?, bytes(self.e)?);
                // Some write a zero in front, as DER has it.
                let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
                let modulus = modulus.get(zeros..)?.to_vec();
                if modulus.is_empty() || modulus.len() > MAX_MODULUS || exponent.is_empty() || exponent.len() > 8 {
                    return None;
                }
                Material::Rsa { modulus, exponent }
            }
            "EC" => {
                let (curve, length) = match self.crv?.as_str() {
                    "P-256" => (Curve::P256, 32),
                    "P-384" => (Curve::P384, 48),
                    "P-521" => (Curve::P521, 66),
                    _ => return None,
                };
                let (x, y) = (bytes(self.x)?, bytes(self.y)?);
                if x.len() != length || y.len() != length {
                    return None;
                }
                Material::Ec { curve, point: [&[4], &x[..], &y[..]].concat() }
            }
            _ => return None,
        };
        Some(PublicKey { id: self.kid, algorithm: self.alg, material })
    }
}

impl PublicKey {
    /// The type of the key decides, never the token alone: a public key is no shared secret, and a curve has its own hash.
    fn fits(&self, algorithm: Algorithm) -> bool {
        if self.algorithm.as_deref().is_some_and(|own| Algorithm::named(own) != Some(algorithm)) {
            return false;
        }
        match (&self.material, algorithm.scheme()) {
            (Material::Rsa { .. }, Scheme::Rsa(_)) => true,
            (Material::Ec { curve, .. }, Scheme::Ec(needed, _)) => *curve == needed,
            _ => false,
        }
    }

    pub(super) fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        match (&self.material, algorithm.scheme()) {
            (Material::Rsa { modulus, exponent }, Scheme::Rsa(parameters)) => {
                PublicKeyComponents { n: modulus, e: exponent }.verify(parameters, message, signature).is_ok()
            }
            (Material::Ec { curve, point }, Scheme::Ec(needed, parameters)) if *curve == needed => {
                UnparsedPublicKey::new(parameters, point).verify(message, signature).is_ok()
            }
            _ => false,
        }
    }
}
