//! UploadPart.

use super::{PartNumber, UploadId};
use crate::body::Body;
use crate::bucket::Bucket;
use crate::checksum::{ChecksumClaim, ChecksumValue};
use crate::encryption::{Applied, CustomerKey};
use crate::error::Error;
use crate::etag::ETag;
use crate::name::ObjectName;
use crate::objects::Objects;
use keys::Principal;
use std::time::SystemTime;

/// An UploadPart, all but its bytes.
#[derive(Debug, Default)]
pub struct UploadPart {
    /// The upload's SSE-C key.
    pub customer_key: Option<CustomerKey>,
    /// What the headers say of a checksum.
    pub checksum: Option<ChecksumClaim>,
    /// `Content-MD5`.
    pub content_md5: Option<[u8; 16]>,
    /// Plaintext bytes announced.
    pub length: Option<u64>,
}

/// What UploadPart and UploadPartCopy answer.
#[derive(Debug, Clone)]
pub struct StoredPart {
    /// The part's ETag.
    pub etag: ETag,
    /// Plaintext bytes.
    pub size: u64,
    /// When it was stored.
    pub modified: SystemTime,
    /// Its checksum.
    pub checksum: Option<ChecksumValue>,
    /// How it is encrypted.
    pub applied: Applied,
}

impl Objects {
    /// Stores a part, replacing one of the same number.
    pub async fn upload_part(
        &self,
        principal: &Principal,
        bucket: &Bucket,
        name: &ObjectName,
        upload: &UploadId,
        number: PartNumber,
        request: UploadPart,
        body: &mut dyn Body,
    ) -> Result<StoredPart, Error> {
        todo!()
    }
}
