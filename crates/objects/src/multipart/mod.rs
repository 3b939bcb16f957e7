//! Multipart uploads: a record for the upload, a blob and a record for each part, a manifest at the end. Nothing is copied.

mod abort;
mod complete;
mod copy;
mod create;
mod list;
mod part;

pub use complete::{CompleteUpload, CompletedPart};
pub use copy::CopyPart;
pub use create::{CreateUpload, CreatedUpload};
pub use list::{ListParts, ListUploads, PartEntry, PartPage, UploadEntry, UploadPage};
pub use part::{StoredPart, UploadPart};

use crate::error::Error;
use std::fmt;

/// A multipart upload's id: 16 random bytes, 32 hexadecimal digits as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UploadId(pub(crate) [u8; 16]);

/// A part's number, 1 to 10,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartNumber(u16);

impl UploadId {
    /// Reads an id; anything else names no upload.
    pub fn parse(text: &str) -> Result<UploadId, Error> {
        let bytes = data_encoding::HEXLOWER.decode(text.as_bytes()).map_err(|_| Error::NoSuchUpload)?;
        bytes.try_into().map(UploadId).map_err(|_| Error::NoSuchUpload)
    }

    /// The id's bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for UploadId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl PartNumber {
    /// 1 to [`PART_LIMIT`], or `InvalidArgument`.
    pub fn new(number: u64) -> Result<PartNumber, Error> {
        match u16::try_from(number) {
            Ok(number @ 1..=PART_LIMIT) => Ok(PartNumber(number)),
            _ => Err(Error::InvalidArgument("Part number must be an integer between 1 and 10000, inclusive")),
        }
    }

    /// The number.
    pub fn value(self) -> u16 {
        self.0
    }
}

/// The highest part number (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>).
pub const PART_LIMIT: u16 = 10_000;
/// The smallest part but the last, in bytes (same page).
pub const MINIMUM_PART: u64 = 5 * 1024 * 1024;
