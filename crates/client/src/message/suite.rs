//! The algorithm suites
//! ([specification](https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/framework/algorithm-suites.md)).

use crate::error::{Error, Result};
use std::fmt;

/// An algorithm suite: the length of the AES-GCM key, how it is derived, whether the message commits to it and whether it is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Suite {
    /// `0014`: AES-128, the data key itself.
    Aes128NoKdf,
    /// `0046`: AES-192, the data key itself.
    Aes192NoKdf,
    /// `0078`: AES-256, the data key itself.
    Aes256NoKdf,
    /// `0114`: AES-128, HKDF-SHA256.
    Aes128Hkdf,
    /// `0146`: AES-192, HKDF-SHA256.
    Aes192Hkdf,
    /// `0178`: AES-256, HKDF-SHA256.
    Aes256Hkdf,
    /// `0214`: AES-128, HKDF-SHA256, signed with ECDSA P-256.
    Aes128HkdfP256,
    /// `0346`: AES-192, HKDF-SHA384, signed with ECDSA P-384.
    Aes192HkdfP384,
    /// `0378`: AES-256, HKDF-SHA384, signed with ECDSA P-384.
    Aes256HkdfP384,
    /// `0478`: AES-256, HKDF-SHA512, key commitment.
    Aes256Commit,
    /// `0578`: AES-256, HKDF-SHA512, key commitment, signed with ECDSA P-384. The default.
    Aes256CommitP384,
}

/// How the message key comes out of the data key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Derivation {
    /// It is the data key.
    Identity,
    /// HKDF (RFC 5869) with SHA-256.
    Sha256,
    /// HKDF with SHA-384.
    Sha384,
    /// HKDF with SHA-512, and a commitment beside the key.
    Commit,
}

/// What signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Curve {
    P256,
    P384,
}

struct Row {
    suite: Suite,
    id: u16,
    key: usize,
    derivation: Derivation,
    curve: Option<Curve>,
}

const fn row(suite: Suite, id: u16, key: usize, derivation: Derivation, curve: Option<Curve>) -> Row {
    Row { suite, id, key, derivation, curve }
}

/// In the order of [`Suite`].
const TABLE: [Row; 11] = [
    row(Suite::Aes128NoKdf, 0x0014, 16, Derivation::Identity, None),
    row(Suite::Aes192NoKdf, 0x0046, 24, Derivation::Identity, None),
    row(Suite::Aes256NoKdf, 0x0078, 32, Derivation::Identity, None),
    row(Suite::Aes128Hkdf, 0x0114, 16, Derivation::Sha256, None),
    row(Suite::Aes192Hkdf, 0x0146, 24, Derivation::Sha256, None),
    row(Suite::Aes256Hkdf, 0x0178, 32, Derivation::Sha256, None),
    row(Suite::Aes128HkdfP256, 0x0214, 16, Derivation::Sha256, Some(Curve::P256)),
    row(Suite::Aes192HkdfP384, 0x0346, 24, Derivation::Sha384, Some(Curve::P384)),
    row(Suite::Aes256HkdfP384, 0x0378, 32, Derivation::Sha384, Some(Curve::P384)),
    row(Suite::Aes256Commit, 0x0478, 32, Derivation::Commit, None),
    row(Suite::Aes256CommitP384, 0x0578, 32, Derivation::Commit, Some(Curve::P384)),
];

impl Suite {
    /// All of them.
    ///
    /// ```
    /// use client::message::Suite;
    ///
    /// assert_eq!(Suite::all().filter(|suite| suite.commits()).map(|suite| suite.to_string()).collect::<Vec<_>>(), ["0478", "0578"]);
    /// ```
    pub fn all() -> impl Iterator<Item = Suite> {
        TABLE.iter().map(|row| row.suite)
    }

    /// The number that stands in a header.
    #[must_use]
    pub fn id(self) -> u16 {
        self.row().id
    }

    /// The name that AWS's clients give it.
    ///
    /// ```
    /// use client::message::Suite;
    ///
    /// assert_eq!(Suite::Aes256Commit.name(), "AES_256_GCM_HKDF_SHA512_COMMIT_KEY");
    /// ```
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Suite::Aes128NoKdf => "AES_128_GCM_IV12_TAG16",
            Suite::Aes192NoKdf => "AES_192_GCM_IV12_TAG16",
            Suite::Aes256NoKdf => "AES_256_GCM_IV12_TAG16",
            Suite::Aes128Hkdf => "AES_128_GCM_IV12_TAG16_HKDF_SHA256",
            Suite::Aes192Hkdf => "AES_192_GCM_IV12_TAG16_HKDF_SHA256",
            Suite::Aes256Hkdf => "AES_256_GCM_IV12_TAG16_HKDF_SHA256",
            Suite::Aes128HkdfP256 => "AES_128_GCM_IV12_TAG16_HKDF_SHA256_ECDSA_P256",
            Suite::Aes192HkdfP384 => "AES_192_GCM_IV12_TAG16_HKDF_SHA384_ECDSA_P384",
            Suite::Aes256HkdfP384 => "AES_256_GCM_IV12_TAG16_HKDF_SHA384_ECDSA_P384",
            Suite::Aes256Commit => "AES_256_GCM_HKDF_SHA512_COMMIT_KEY",
            Suite::Aes256CommitP384 => "AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384",
        }
    }

    /// By its number.
    ///
    /// # Errors
    /// [`Error::UnknownSuite`].
    pub fn from_id(id: u16) -> Result<Self> {
        TABLE.iter().find(|row| row.id == id).map(|row| row.suite).ok_or(Error::UnknownSuite(id))
    }

    /// Length of the data key and of the AES key, in bytes.
    #[must_use]
    pub fn key_length(self) -> usize {
        self.row().key
    }

    /// Whether the message commits to its data key, so that no other one opens it to anything.
    #[must_use]
    pub fn commits(self) -> bool {
        self.derivation() == Derivation::Commit
    }

    /// Whether the message is signed.
    #[must_use]
    pub fn signs(self) -> bool {
        self.curve().is_some()
    }

    pub(super) fn derivation(self) -> Derivation {
        self.row().derivation
    }

    pub(super) fn curve(self) -> Option<Curve> {
        self.row().curve
    }

    /// Length of a message id in bytes: 16 in version 1 of the format, 32 in version 2.
    pub(super) fn message_id_length(self) -> usize {
        if self.commits() { 32 } else { 16 }
    }

    fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }
}

impl fmt::Display for Suite {
    /// Four hexadecimal digits.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:04x}", self.id())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_suites() {
        for (at, row) in TABLE.iter().enumerate() {
            assert_eq!(row.suite as usize, at);
            assert_eq!(Suite::from_id(row.id).unwrap(), row.suite);
        }
        assert!(matches!(Suite::from_id(0x0070), Err(Error::UnknownSuite(0x70))), "the S3 Encryption Client's");
    }
}
