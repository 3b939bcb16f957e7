//! PutObject.

use crate::body::Body;
use crate::bucket::Bucket;
use crate::checksum::ChecksumClaim;
use crate::condition::WriteCondition;
use crate::encryption::EncryptionRequest;
use crate::error::Error;
use crate::info::Stored;
use crate::metadata::Metadata;
use crate::name::ObjectName;
use crate::objects::Objects;
use keys::Principal;

/// A PutObject, all but its bytes.
#[derive(Debug, Default)]
pub struct PutObject {
    /// System and user metadata.
    pub metadata: Metadata,
    /// What the headers say of encryption.
    pub encryption: EncryptionRequest,
    /// What the headers say of a checksum. CRC-64/NVME is computed if they say nothing.
    pub checksum: Option<ChecksumClaim>,
    /// `Content-MD5`.
    pub content_md5: Option<[u8; 16]>,
    /// What must hold of the object that is replaced.
    pub condition: WriteCondition,
    /// Plaintext bytes announced (`Content-Length`, or `x-amz-decoded-content-length`).
    pub length: Option<u64>,
}

impl Objects {
    /// Stores an object. It exists, durably, when this returns, and not at all when this fails.
    pub async fn put_object(
        &self,
        principal: &Principal,
        bucket: &Bucket,
        name: &ObjectName,
        request: PutObject,
        body: &mut dyn Body,
    ) -> Result<Stored, Error> {
        todo!()
    }
}
