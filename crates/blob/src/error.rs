//! What can go wrong with a blob.

use std::io;

use crate::BlobId;

/// An operation on a blob failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no blob of this name.
    #[error("there is no blob {0}")]
    NotFound(BlobId),
    /// There is a blob of this name already.
    #[error("blob {0} exists already")]
    Exists(BlobId),
    /// The file is not a blob of this store, not the blob that its name says, or of a version that this program does not know.
    #[error("blob {id} is damaged: {reason}")]
    Damaged {
        /// The blob that was asked for.
        id: BlobId,
        /// What about its header is wrong.
        reason: &'static str,
    },
    /// The blob ends before the bytes that were asked for.
    #[error("blob {0} is shorter than it has to be")]
    Truncated(BlobId),
    /// No room is left. The blob that was being written is gone; the store works on once there is room.
    #[error("no space is left for blobs")]
    Full,
    /// A sync has failed, and what the disk holds is no longer certain. Nothing is written until the store is opened anew.
    #[error("the blob store refuses writes because a sync has failed")]
    Poisoned,
    /// The writer had failed, or a call to it was cancelled, before this call.
    #[error("the blob's writer was interrupted before")]
    Interrupted,
    /// Any other failure of the file system.
    #[error("blob storage: {0}")]
    Io(#[from] io::Error),
}

impl Error {
    /// Sorts a failure of the file system: a full disk or quota is not like the others.
    pub(crate) fn from_write(error: io::Error) -> Error {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::Full,
            _ => Error::Io(error),
        }
    }
}
