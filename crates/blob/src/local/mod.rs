//! Blobs in a local directory.

use std::path::Path;

use crate::Error;

/// Blobs in a local directory.
pub struct LocalBlobs {}

impl LocalBlobs {
    /// Opens the directory, and makes it and its 256 folders if they are not there.
    pub fn open(_directory: &Path, _options: Options) -> Result<LocalBlobs, Error> {
        todo!()
    }
}

/// Settings of [`LocalBlobs`].
#[derive(Debug, Clone)]
pub struct Options {}
