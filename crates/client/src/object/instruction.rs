//! Instruction files: the wrapped data key of an object in a second object, so that it can be wrapped anew
//! ([specification](https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/s3-encryption/data-format/metadata-strategy.md#instruction-file)).

use super::json;
use super::member::{COMMITMENT_V3, CONTENT_V3, MESSAGE_ID_V3};
use super::metadata::{INSTRUCTION_MARK, METADATA_LIMIT, Metadata};
use crate::error::{Error, Result};
use std::collections::BTreeMap;

/// # Errors
/// [`Error::MetadataLength`], [`Error::InstructionFile`].
pub(super) fn read(body: &[u8]) -> Result<Metadata> {
    if body.len() > METADATA_LIMIT {
        return Err(Error::MetadataLength { limit: METADATA_LIMIT });
    }
    let pairs = json::read(body).map_err(Error::InstructionFile)?;
    let count = pairs.len();
    let metadata = Metadata::from(pairs);
    if metadata.len() == count { Ok(metadata) } else { Err(Error::InstructionFile("a name twice")) }
}

/// The body of an instruction file, and what is left for the object itself: in version 3 what describes its content, so that nobody
/// swaps that with the file; in version 2 nothing.
pub(super) fn split(metadata: Metadata) -> Result<(Vec<u8>, Metadata)> {
    let of_object = [CONTENT_V3, COMMITMENT_V3, MESSAGE_ID_V3];
    let (kept, moved): (BTreeMap<&str, &str>, BTreeMap<&str, &str>) =
        metadata.iter().partition(|(name, _)| of_object.contains(name));
    Ok((json::write(moved.into_iter())?.into_bytes(), kept.into_iter().collect()))
}

/// What the metadata of an instruction file say.
pub(crate) fn mark() -> Metadata {
    Metadata::from([(INSTRUCTION_MARK, "")])
}
