//! The digest that a signature is over: computed from the message, or given.

use crate::{Error, MessageType, SigningAlgorithm};
use aws_lc_rs::digest::{self, Digest};

/// The digest of a `RAW` message, or the `DIGEST` itself.
///
/// Whoever signs a given digest vouches for it being one: AWS's `Sign` offers just that.
pub(crate) fn of(algorithm: SigningAlgorithm, message_type: MessageType, message: &[u8]) -> Result<Digest, Error> {
    let hash = hash(algorithm)?;
    match message_type {
        MessageType::Raw => Ok(digest::digest(hash, message)),
        MessageType::Digest => {
            Digest::import_less_safe(message, hash).map_err(|_| Error::DigestLength { algorithm: algorithm.name() })
        }
        MessageType::ExternalMu => Err(Error::Library),
    }
}

fn hash(algorithm: SigningAlgorithm) -> Result<&'static digest::Algorithm, Error> {
    match algorithm {
        SigningAlgorithm::RsassaPssSha256 | SigningAlgorithm::RsassaPkcs1V15Sha256 | SigningAlgorithm::EcdsaSha256 => {
            Ok(&digest::SHA256)
        }
        SigningAlgorithm::RsassaPssSha384 | SigningAlgorithm::RsassaPkcs1V15Sha384 | SigningAlgorithm::EcdsaSha384 => {
            Ok(&digest::SHA384)
        }
        SigningAlgorithm::RsassaPssSha512 | SigningAlgorithm::RsassaPkcs1V15Sha512 | SigningAlgorithm::EcdsaSha512 => {
            Ok(&digest::SHA512)
        }
        // Key lets only RSA and ECDSA algorithms through to here.
        SigningAlgorithm::MlDsaShake256 | SigningAlgorithm::Ed25519Sha512 | SigningAlgorithm::Ed25519PhSha512 => {
            Err(Error::Library)
        }
    }
}
