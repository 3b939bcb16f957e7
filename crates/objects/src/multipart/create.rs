//! CreateMultipartUpload.

use super::UploadId;
use crate::bucket::Bucket;
use crate::checksum::{Algorithm, ChecksumType};
use crate::encryption::{Applied, EncryptionRequest};
use crate::error::Error;
use crate::metadata::Metadata;
use crate::name::ObjectName;
use crate::objects::Objects;
use keys::Principal;

/// A CreateMultipartUpload.
#[derive(Debug, Default)]
pub struct CreateUpload {
    /// Metadata of the object to come.
    pub metadata: Metadata,
    /// Its encryption. SSE-C: the same key must come with every part.
    pub encryption: EncryptionRequest,
    /// `x-amz-checksum-algorithm`.
    pub checksum: Option<Algorithm>,
    /// `x-amz-checksum-type`.
    pub checksum_type: Option<ChecksumType>,
}

/// What it answers.
#[derive(Debug, Clone)]
pub struct CreatedUpload {
    /// The upload.
    pub id: UploadId,
    /// How it is encrypted.
    pub applied: Applied,
    /// Algorithm and type that the upload settled on; `None` if the client named none.
    pub checksum: Option<(Algorithm, ChecksumType)>,
}

impl Objects {
    /// Begins an upload. The object key is made here and sealed to the upload.
    pub async fn create_upload(
        &self,
        principal: &Principal,
        bucket: &Bucket,
        name: &ObjectName,
        request: CreateUpload,
    ) -> Result<CreatedUpload, Error> {
        todo!()
    }
}
