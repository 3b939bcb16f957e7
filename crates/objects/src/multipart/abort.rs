//! AbortMultipartUpload.

use super::UploadId;
use crate::bucket::Bucket;
use crate::error::Error;
use crate::name::ObjectName;
use crate::objects::Objects;
use keys::Principal;

impl Objects {
    /// Ends an upload and deletes its parts.
    pub async fn abort_upload(
        &self,
        principal: &Principal,
        bucket: &Bucket,
        name: &ObjectName,
        upload: &UploadId,
    ) -> Result<(), Error> {
        todo!()
    }

    /// Ends all uploads of a bucket that is about to be deleted.
    pub(crate) async fn discard_uploads(&self, bucket: &Bucket) -> Result<(), Error> {
        todo!()
    }
}
