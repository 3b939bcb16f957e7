//! What a caller demands of the suites of messages.

use super::suite::Suite;
use crate::error::{Error, Result};

/// Whether messages have to commit to their data key
/// ([specification](https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/framework/commitment-policy.md)).
///
/// Without commitment, whoever makes a message can make one that opens to two different plaintexts under two data keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CommitmentPolicy {
    /// Write without commitment, read both: for readers that are too old to read it.
    ForbidEncryptAllowDecrypt,
    /// Write with commitment, read both: for old messages.
    RequireEncryptAllowDecrypt,
    /// Write and read with commitment alone.
    #[default]
    RequireEncryptRequireDecrypt,
}

impl CommitmentPolicy {
    /// The suite of whoever names none.
    #[must_use]
    pub fn default_suite(self) -> Suite {
        match self {
            CommitmentPolicy::ForbidEncryptAllowDecrypt => Suite::Aes256HkdfP384,
            _ => Suite::Aes256CommitP384,
        }
    }

    pub(super) fn check_encrypt(self, suite: Suite) -> Result<()> {
        let required = self != CommitmentPolicy::ForbidEncryptAllowDecrypt;
        if suite.commits() == required { Ok(()) } else { Err(Error::CommitmentPolicy(suite.id())) }
    }

    pub(super) fn check_decrypt(self, suite: Suite) -> Result<()> {
        let required = self == CommitmentPolicy::RequireEncryptRequireDecrypt;
        if suite.commits() || !required { Ok(()) } else { Err(Error::CommitmentPolicy(suite.id())) }
    }
}

/// When the plaintext of a signed message leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Release {
    /// After the signature has been verified: until then it is held in memory, up to the reader's `hold_limit`.
    #[default]
    Verified,
    /// Each frame when its tag is right, the last one after the signature. **Until the end of the input is reached without an error,
    /// what was read is what somebody who can open the message may have written**, and must be undone if an error comes.
    Frames,
    /// Never: signed messages are refused.
    UnsignedOnly,
}

/// How many wrapped data keys a message may have.
pub(super) fn check_keys(count: usize, limit: Option<usize>) -> Result<()> {
    match limit {
        Some(limit) if count > limit => Err(Error::TooManyKeys { count, limit }),
        _ => Ok(()),
    }
}
