//! What can go wrong with key material.

use crate::spec::{KeySpec, MessageType};

/// Why an operation on key material was refused.
///
/// What concerns secret bytes (a ciphertext that does not open) says nothing about why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The spec does not offer this algorithm. AWS: `InvalidKeyUsageException` with this text.
    #[error("Algorithm {algorithm} is incompatible with key spec {spec}.")]
    Algorithm {
        /// The spec of the key.
        spec: KeySpec,
        /// The algorithm's AWS name.
        algorithm: &'static str,
    },

    /// The algorithm does not take this message type (Ed25519 and Ed25519ph each take one, `EXTERNAL_MU` is ML-DSA's alone).
    /// AWS: `ValidationException`, which for Ed25519 names the algorithm and for all else the key spec.
    #[error("Message type {message_type} is incompatible with {}.", incompatible(*spec, algorithm))]
    MessageType {
        /// The spec of the key.
        spec: KeySpec,
        /// The algorithm's AWS name.
        algorithm: &'static str,
        /// What was asked for.
        message_type: MessageType,
    },

    /// A message of type `DIGEST` has not the length of the algorithm's hash. The text is that of AWS's `ValidationException`.
    #[error("Digest is invalid length for algorithm {algorithm}.")]
    DigestLength {
        /// The algorithm's AWS name.
        algorithm: &'static str,
    },

    /// A message of type `EXTERNAL_MU` has not 64 bytes. AWS: `ValidationException`.
    #[error("External Mu is invalid length for algorithm {algorithm}.")]
    MuLength {
        /// The algorithm's AWS name.
        algorithm: &'static str,
    },

    /// The plaintext is longer than RSA-OAEP takes with this key (RFC 8017, section 7.1.1). AWS: `ValidationException`.
    #[error("Algorithm {algorithm} and key spec {spec} cannot encrypt data larger than {limit} bytes.")]
    PlaintextLength {
        /// The spec of the key.
        spec: KeySpec,
        /// The algorithm's AWS name.
        algorithm: &'static str,
        /// The longest plaintext in bytes.
        limit: usize,
    },

    /// A ciphertext or an encapsulation does not open under this key.
    #[error("the ciphertext does not open")]
    Ciphertext,

    /// A peer's public key is no SubjectPublicKeyInfo of a valid point on this key's curve (RFC 5280, RFC 5480).
    #[error("The public key is not a DER-encoded X.509 public key on the curve of {spec}.")]
    PublicKey {
        /// The spec of the key that was to agree with it.
        spec: KeySpec,
    },

    /// Bytes that should be key material of the spec are not: damaged stored material, or imported material of another kind.
    #[error("the bytes are not key material of {spec}")]
    Material {
        /// The spec that they were to be of.
        spec: KeySpec,
    },

    /// The stored bytes of a wrapping key do not parse.
    #[error("the bytes are not a wrapping key")]
    WrappingKey,

    /// The library refused for no reason that the arguments give: out of memory, no randomness.
    #[error("the cryptographic library failed")]
    Library,
}

impl From<aws_lc_rs::error::Unspecified> for Error {
    fn from(_: aws_lc_rs::error::Unspecified) -> Error {
        Error::Library
    }
}

fn incompatible(spec: KeySpec, algorithm: &str) -> String {
    match spec {
        KeySpec::EccNistEdwards25519 => format!("algorithm {algorithm}"),
        _ => format!("key spec {spec}"),
    }
}
