//! What a caller demands of objects, and allows.

use super::algorithm::{ContentAlgorithm, Version};
use crate::error::{Error, Result};
use crate::message::CommitmentPolicy;

/// When plaintext leaves a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Release {
    /// After all of it has been verified: until then it is held in memory, up to the `hold_limit`.
    #[default]
    Verified,
    /// As it is decrypted. **Until the end is reached without an error it may be anything that anybody who can write the object put
    /// there**, and must be undone if an error comes. AWS calls it delayed authentication.
    Unverified,
}

/// The content algorithm of a new object.
///
/// # Errors
/// [`Error::CommitmentPolicy`]; [`Error::Setting`] for version 1, which is read only.
pub(super) fn to_write(policy: CommitmentPolicy, version: Version) -> Result<ContentAlgorithm> {
    let content = match version {
        Version::V1 => return Err(Error::Setting("version 1 of the format is read only")),
        Version::V2 => ContentAlgorithm::AesGcm,
        Version::V3 => ContentAlgorithm::AesGcmCommit,
    };
    let required = policy != CommitmentPolicy::ForbidEncryptAllowDecrypt;
    if content.commits() == required { Ok(content) } else { Err(Error::CommitmentPolicy(content.id())) }
}

/// # Errors
/// [`Error::CommitmentPolicy`].
pub(super) fn check_read(policy: CommitmentPolicy, content: ContentAlgorithm) -> Result<()> {
    let required = policy == CommitmentPolicy::RequireEncryptRequireDecrypt;
    if content.commits() || !required { Ok(()) } else { Err(Error::CommitmentPolicy(content.id())) }
}
