//! Signatures of messages: ECDSA over everything before the footer
//! ([specification](https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/data-format/message-footer.md)).
//!
//! The key pair is made for one message (or for the life of a cached data key); its public half travels in the encryption context,
//! where the data key authenticates it. So whoever can wrap a data key can sign, and whoever can only open one cannot.

use super::suite::Curve;
use crate::error::{Error, Result};
use aws_lc_rs::digest::{self, SHA256, SHA384};
use aws_lc_rs::encoding::{AsBigEndian, EcPublicKeyCompressedBin};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA384_ASN1_SIGNING,
    EcdsaKeyPair, KeyPair, ParsedPublicKey,
};
use data_encoding::BASE64;
use std::sync::Arc;

/// The name in the encryption context under which the public key travels.
pub(super) const PUBLIC_KEY: &str = "aws-crypto-public-key";

impl Curve {
    fn hash(self) -> digest::Context {
        digest::Context::new(match self {
            Curve::P256 => &SHA256,
            Curve::P384 => &SHA384,
        })
    }
}

/// A key pair that signs messages.
#[derive(Clone)]
pub(super) struct SigningKey {
    pair: Arc<EcdsaKeyPair>,
    curve: Curve,
}

impl SigningKey {
    pub(super) fn generate(curve: Curve) -> Result<Self> {
        let pair = EcdsaKeyPair::generate(match curve {
            Curve::P256 => &ECDSA_P256_SHA256_ASN1_SIGNING,
            Curve::P384 => &ECDSA_P384_SHA384_ASN1_SIGNING,
        });
        Ok(Self { pair: Arc::new(pair.map_err(|_| Error::Library)?), curve })
    }

    /// The compressed point (SEC 1, section 2.3.3) in Base64.
    pub(super) fn public(&self) -> Result<String> {
        let point: EcPublicKeyCompressedBin<'_> = self.pair.public_key().as_be_bytes().map_err(|_| Error::Library)?;
        Ok(BASE64.encode(point.as_ref()))
    }

    pub(super) fn start(&self) -> Signer {
        Signer { pair: Arc::clone(&self.pair), hash: self.curve.hash() }
    }
}

/// Hashes a message as it is written, then signs it.
pub(super) struct Signer {
    pair: Arc<EcdsaKeyPair>,
    hash: digest::Context,
}

impl Signer {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
    }

    /// The footer: length and signature in DER.
    pub(super) fn footer(self) -> Result<Vec<u8>> {
        let signature = self.pair.sign_digest(&self.hash.finish()).map_err(|_| Error::Library)?;
        let length = u16::try_from(signature.as_ref().len()).map_err(|_| Error::Library)?;
        Ok([&length.to_be_bytes(), signature.as_ref()].concat())
    }
}

/// Hashes a message as it is read, then verifies its signature.
pub(super) struct Verifier {
    key: ParsedPublicKey,
    hash: digest::Context,
}

impl Verifier {
    /// With the public key as it stands in the context.
    pub(super) fn new(curve: Curve, public: &str) -> Result<Self> {
        let point = BASE64.decode(public.as_bytes()).map_err(|_| Error::SignatureKey)?;
        let key = match curve {
            Curve::P256 => ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point),
            Curve::P384 => ParsedPublicKey::new(&ECDSA_P384_SHA384_ASN1, point),
        };
        Ok(Self { key: key.map_err(|_| Error::SignatureKey)?, hash: curve.hash() })
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
    }

    pub(super) fn verify(self, signature: &[u8]) -> Result<()> {
        self.key.verify_digest_sig(&self.hash.finish(), signature).map_err(|_| Error::Signature)
    }
}
