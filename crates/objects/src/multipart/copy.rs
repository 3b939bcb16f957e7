//! UploadPartCopy.

use super::{PartNumber, StoredPart, UploadId};
use crate::bucket::Bucket;
use crate::copy::CopySource;
use crate::encryption::CustomerKey;
use crate::error::Error;
use crate::name::ObjectName;
use crate::objects::Objects;
use keys::Principal;

/// An UploadPartCopy.
#[derive(Debug)]
pub struct CopyPart {
    /// What is read.
    pub source: CopySource,
    /// `x-amz-copy-source-range`: first and last byte, both inclusive and both within the source.
    pub range: Option<(u64, u64)>,
    /// The upload's SSE-C key.
    pub customer_key: Option<CustomerKey>,
}

impl Objects {
    /// Stores a part from another object's bytes.
    pub async fn upload_part_copy(
        &self,
        principal: &Principal,
        bucket: &Bucket,
        name: &ObjectName,
        upload: &UploadId,
        number: PartNumber,
        request: CopyPart,
    ) -> Result<StoredPart, Error> {
        todo!()
    }
}
