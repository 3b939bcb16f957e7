//! CreateMultipartUpload.

use super::UploadId;
use crate::acquire::Identity;
use crate::bucket::Bucket;
use crate::checksum::{Algorithm, ChecksumType};
use crate::commit::ATTEMPTS;
use crate::encryption::{Applied, EncryptionRequest};
use crate::error::Error;
use crate::metadata::Metadata;
use crate::name::ObjectName;
use crate::objects::Objects;
use crate::record::UploadRecord;
use crate::rows::upload_key;
use crate::tags::Tags;
use keys::Principal;
use meta::{Table, Transaction};

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
    /// Tags of the object to come.
    pub tags: Tags,
    /// Headers that bucket policies may ask for again when parts come: name and value.
    pub said: Vec<(String, String)>,
}

/// What an upload was created with, as far as policies ask for it again at each of its parts.
#[derive(Debug, Clone)]
pub struct UploadCreation {
    /// How the object to come will be encrypted.
    pub applied: Applied,
    /// Its tags.
    pub tags: Tags,
    /// [`CreateUpload::said`].
    pub said: Vec<(String, String)>,
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
    /// Begins an upload. The object key is made here, sealed to the object to come: one KMS call at most.
    pub async fn create_upload(
        &self,
        principal: &Principal,
        bucket: &Bucket,
        name: &ObjectName,
        request: CreateUpload,
    ) -> Result<CreatedUpload, Error> {
        request.metadata.check()?;
        let checksum = settle_checksum(request.checksum, request.checksum_type)?;
        let by_default = matches!(request.encryption, EncryptionRequest::Default);
        let customer_md5 = request.encryption.customer_md5();
        let settled = request.encryption.settle(&bucket.encryption)?;
        let initiated = self.now();
        let id = UploadId::generate(initiated);
        // The data is known by the upload that it came with, which is how a Complete that is asked twice finds it.
        let (version, data_id) = (seal::random_bytes(), *id.as_bytes());
        let identity = Identity { bucket, name, version: &version, data_id: &data_id };
        let (_, key) = self.new_object_keys(principal, identity, settled).await?;
        let applied = key.applied(customer_md5, by_default);
        let record = UploadRecord {
            version,
            data_id,
            initiated,
            initiator: principal.arn.clone(),
            key,
            by_default,
            metadata: request.metadata,
            checksum,
            tags: request.tags,
            said: request.said,
        };
        let row = upload_key(bucket, name, &id);
        let value = self.seal_row(Table::Upload, &row, &record.encode());
        let mut bucket_row = bucket.row.clone();
        for _ in 0..ATTEMPTS {
            let transaction = Transaction::new().expect_equals(Table::Bucket, bucket.name.as_str(), bucket_row).put(
                Table::Upload,
                &row,
                value.clone(),
            );
            match self.store.commit(transaction).await {
                Ok(()) => return Ok(CreatedUpload { id, applied, checksum }),
                Err(meta::Error::Conflict { .. }) => bucket_row = self.same_bucket(bucket).await?,
                Err(other) => return Err(other.into()),
            }
        }
        Err(Error::OperationAborted)
    }
}

impl Objects {
    /// What an open upload was created with.
    ///
    /// # Errors
    /// `NoSuchUpload`.
    pub async fn upload_creation(
        &self,
        bucket: &Bucket,
        name: &ObjectName,
        upload: &UploadId,
    ) -> Result<UploadCreation, Error> {
        let record = self.upload(bucket, name, upload).await?;
        Ok(UploadCreation {
            applied: record.key.applied(None, record.by_default),
            tags: record.tags,
            said: record.said,
        })
    }
}

/// What AWS allows, and its defaults
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html>).
fn settle_checksum(
    algorithm: Option<Algorithm>,
    kind: Option<ChecksumType>,
) -> Result<Option<(Algorithm, ChecksumType)>, Error> {
    use Algorithm::{Crc32, Crc32c, Crc64Nvme, Sha1, Sha256};
    use ChecksumType::{Composite, FullObject};
    let kind = match (algorithm, kind) {
        (None, None) => return Ok(None),
        (None, Some(_)) => return Err(TYPE_ALONE),
        (Some(Crc64Nvme), Some(Composite)) => return Err(CRC64NVME_COMPOSITE),
        (Some(Sha1), Some(FullObject)) => return Err(SHA1_FULL_OBJECT),
        (Some(Sha256), Some(FullObject)) => return Err(SHA256_FULL_OBJECT),
        (Some(_), Some(kind)) => kind,
        (Some(Crc64Nvme), None) => FullObject,
        (Some(Crc32 | Crc32c | Sha1 | Sha256), None) => Composite,
    };
    Ok(algorithm.map(|algorithm| (algorithm, kind)))
}

const TYPE_ALONE: Error =
    Error::InvalidRequest("The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.");
const CRC64NVME_COMPOSITE: Error =
    Error::InvalidRequest("The COMPOSITE checksum type cannot be used with the crc64nvme checksum algorithm.");
const SHA1_FULL_OBJECT: Error =
    Error::InvalidRequest("The FULL_OBJECT checksum type cannot be used with the sha1 checksum algorithm.");
const SHA256_FULL_OBJECT: Error =
    Error::InvalidRequest("The FULL_OBJECT checksum type cannot be used with the sha256 checksum algorithm.");
