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

const P256_ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
    0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

const P384_ORDER: [u8; 48] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf, 0x58, 0x1a, 0x0d, 0xb2, 0x48, 0xb0,
    0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73,
];

/// Signatures that are tried for one of the usual length: one in a hundred is not, so this many never are.
const SIGNATURES: usize = 64;

impl Curve {
    /// Order of the group (SP 800-186, section 3.2.1), big-endian.
    fn order(self) -> &'static [u8] {
        match self {
            Curve::P256 => &P256_ORDER,
            Curve::P384 => &P384_ORDER,
        }
    }

    /// Length of every signature that is written, in bytes: that of the usual encoding, one byte below the longest.
    pub(super) fn signature_length(self) -> usize {
        2 * self.order().len() + 7
    }

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
        Signer { pair: Arc::clone(&self.pair), hash: self.curve.hash(), curve: self.curve }
    }
}

/// Hashes a message as it is written, then signs it.
pub(super) struct Signer {
    pair: Arc<EcdsaKeyPair>,
    hash: digest::Context,
    curve: Curve,
}

impl Signer {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
    }

    /// The footer: length and signature in DER. The signature has always the same length, so that of a message is known beforehand.
    pub(super) fn footer(self) -> Result<Vec<u8>> {
        let (digest, length) = (self.hash.finish(), self.curve.signature_length());
        for _ in 0..SIGNATURES {
            let signature = self.pair.sign_digest(&digest).map_err(|_| Error::Library)?;
            let negated = negated(signature.as_ref(), self.curve.order());
            for signature in [signature.as_ref().to_vec(), negated] {
                if signature.len() == length {
                    let length = u16::try_from(length).map_err(|_| Error::Library)?;
                    return Ok([&length.to_be_bytes()[..], &signature].concat());
                }
            }
        }
        Err(Error::Library)
    }

    /// Length of what [`Signer::footer`] gives, in bytes.
    pub(super) fn footer_length(&self) -> usize {
        2 + self.curve.signature_length()
    }
}

/// The other signature with the same r: s and n - s both verify. In DER (X.690): a sequence of two integers, each of less than 128 bytes.
fn negated(signature: &[u8], order: &[u8]) -> Vec<u8> {
    let r_end = 4 + usize::from(signature[3]);
    let s = &signature[r_end + 2..];
    let mut difference = order.to_vec();
    let mut borrow = false;
    for (at, digit) in difference.iter_mut().rev().enumerate() {
        let (next, below) = digit.overflowing_sub(s.iter().rev().nth(at).copied().unwrap_or(0));
        let (next, under) = next.overflowing_sub(u8::from(borrow));
        (*digit, borrow) = (next, below || under);
    }
    let digits = difference.iter().skip_while(|digit| **digit == 0).copied();
    let sign = difference.iter().find(|digit| **digit != 0).is_some_and(|digit| *digit >= 0x80).then_some(0);
    let s: Vec<u8> = sign.into_iter().chain(digits).collect();
    let length = |bytes: usize| u8::try_from(bytes).unwrap_or(u8::MAX);
    let integers = [&signature[2..r_end], &[2, length(s.len())], &s].concat();
    [&[0x30, length(integers.len())][..], &integers].concat()
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn every_signature_has_the_length_that_is_known_beforehand_and_verifies() {
        for curve in [Curve::P256, Curve::P384] {
            for n in 0..300_u32 {
                let key = SigningKey::generate(curve).unwrap();
                let mut signer = key.start();
                let mut verifier = Verifier::new(curve, &key.public().unwrap()).unwrap();
                signer.update(&n.to_be_bytes());
                verifier.update(&n.to_be_bytes());
                let expected = signer.footer_length();
                let footer = signer.footer().unwrap();
                assert_eq!(footer.len(), expected);
                verifier.verify(&footer[2..]).unwrap();
            }
        }
    }
}
