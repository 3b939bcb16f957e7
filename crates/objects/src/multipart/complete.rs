//! CompleteMultipartUpload.

use super::{PartNumber, UploadId};
use crate::bucket::Bucket;
use crate::checksum::{ChecksumType, ChecksumValue};
use crate::condition::{ETagMatch, WriteCondition};
use crate::encryption::CustomerKey;
use crate::error::Error;
use crate::info::Stored;
use crate::name::ObjectName;
use crate::objects::Objects;
use keys::Principal;

/// A CompleteMultipartUpload.
#[derive(Debug, Default)]
pub struct CompleteUpload {
    /// The parts that make the object, in ascending order.
    pub parts: Vec<CompletedPart>,
    /// The whole object's checksum as the client knows it, for FULL_OBJECT.
    pub checksum: Option<ChecksumValue>,
    /// `x-amz-checksum-type`; must be the upload's.
    pub checksum_type: Option<ChecksumType>,
    /// `x-amz-mp-object-size`; another size is `InvalidRequest`.
    pub object_size: Option<u64>,
    /// The SSE-C key, which AWS does not ask for here; checked if it comes.
    pub customer_key: Option<CustomerKey>,
    /// What must hold of the object that is replaced.
    pub condition: WriteCondition,
}

/// A part as Complete names it.
#[derive(Debug, Clone)]
pub struct CompletedPart {
    /// Its number.
    pub number: PartNumber,
    /// Its ETag.
    pub etag: ETagMatch,
    /// Its checksum.
    pub checksum: Option<ChecksumValue>,
}

impl Objects {
    /// Makes an object of an upload's parts. Copies nothing; parts that are not named are deleted.
    pub async fn complete_upload(
        &self,
        principal: &Principal,
        bucket: &Bucket,
        name: &ObjectName,
        upload: &UploadId,
        request: CompleteUpload,
    ) -> Result<Stored, Error> {
        todo!()
    }
}
