//! ListParts and ListMultipartUploads.

use super::{PartNumber, UploadId};
use crate::bucket::Bucket;
use crate::checksum::{Algorithm, ChecksumType, ChecksumValue};
use crate::error::Error;
use crate::etag::ETag;
use crate::name::ObjectName;
use crate::objects::Objects;
use keys::Principal;
use std::time::SystemTime;

/// A ListParts.
#[derive(Debug, Clone, Copy)]
pub struct ListParts {
    /// Parts with higher numbers only.
    pub after: u16,
    /// At most that many.
    pub max_parts: usize,
}

/// A part in a listing.
#[derive(Debug, Clone)]
pub struct PartEntry {
    /// Its number.
    pub number: PartNumber,
    /// Its ETag.
    pub etag: ETag,
    /// Plaintext bytes.
    pub size: u64,
    /// When it was stored.
    pub modified: SystemTime,
    /// Its checksum.
    pub checksum: Option<ChecksumValue>,
}

/// A page of parts.
#[derive(Debug, Clone)]
pub struct PartPage {
    /// The upload.
    pub upload: UploadEntry,
    /// Its parts in order.
    pub parts: Vec<PartEntry>,
    /// The last number of this page if there are more.
    pub next: Option<PartNumber>,
}

/// A ListMultipartUploads.
#[derive(Debug, Clone, Default)]
pub struct ListUploads {
    /// Names begin with it.
    pub prefix: String,
    /// As in [`crate::Listing`].
    pub delimiter: Option<String>,
    /// `key-marker`.
    pub after_name: Option<String>,
    /// `upload-id-marker`; means nothing without `after_name`.
    pub after_upload: Option<UploadId>,
    /// At most that many uploads and common prefixes together.
    pub max_uploads: usize,
}

/// An open upload in a listing.
#[derive(Debug, Clone)]
pub struct UploadEntry {
    /// Its object's name.
    pub name: ObjectName,
    /// Its id.
    pub id: UploadId,
    /// When it began.
    pub initiated: SystemTime,
    /// ARN of who began it.
    pub initiator: String,
    /// Algorithm and type of its checksum.
    pub checksum: Option<(Algorithm, ChecksumType)>,
}

/// A page of uploads.
#[derive(Debug, Clone, Default)]
pub struct UploadPage {
    /// Uploads, by name, then by when they began.
    pub uploads: Vec<UploadEntry>,
    /// Common prefixes.
    pub common_prefixes: Vec<String>,
    /// `NextKeyMarker` and `NextUploadIdMarker` (none behind a common prefix) if there is more.
    pub next: Option<(String, Option<UploadId>)>,
}

impl Objects {
    /// A page of an upload's parts.
    pub async fn list_parts(
        &self,
        principal: &Principal,
        bucket: &Bucket,
        name: &ObjectName,
        upload: &UploadId,
        request: &ListParts,
    ) -> Result<PartPage, Error> {
        todo!()
    }

    /// A page of a bucket's open uploads.
    pub async fn list_uploads(&self, bucket: &Bucket, request: &ListUploads) -> Result<UploadPage, Error> {
        todo!()
    }
}
