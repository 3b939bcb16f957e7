//! UploadPart.

use super::{PartNumber, UploadId};
use crate::acquire::{Identity, ObjectKeys};
use crate::body::Body;
use crate::bucket::Bucket;
use crate::checksum::{Algorithm, ChecksumClaim, ChecksumType, ChecksumValue};
use crate::commit::ATTEMPTS;
use crate::encryption::{Applied, CustomerKey, Mode};
use crate::error::Error;
use crate::etag::ETag;
use crate::name::ObjectName;
use crate::objects::Objects;
use crate::record::{Part, PartRecord, UploadRecord};
use crate::rows::{Owner, part_key, upload_key};
use crate::write::{Digests, Intake, PUT_LIMIT};
use blob::BlobId;
use bytes::Bytes;
use keys::Principal;
use meta::{Table, Transaction};
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
    /// Stores a part, replacing one of the same number. At most one KMS call.
    #[allow(clippy::too_many_arguments, reason = "who, where and which part; the rest is one struct")]
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
        let open = self.open_upload(principal, bucket, name, upload, request.customer_key.as_ref()).await?;
        let new =
            NewPart { number, checksum: request.checksum, content_md5: request.content_md5, length: request.length };
        let mut stored = self.store_part(&open, new, body).await?;
        stored.applied.customer_key_md5 = request.customer_key.map(|key| key.md5());
        Ok(stored)
    }

    /// An upload with its keys open, for parts to be sealed under.
    pub(super) async fn open_upload(
        &self,
        principal: &Principal,
        bucket: &Bucket,
        name: &ObjectName,
        upload: &UploadId,
        customer: Option<&CustomerKey>,
    ) -> Result<OpenUpload, Error> {
        let record = self.upload(bucket, name, upload).await?;
        record.check_part_key(customer)?;
        let identity = Identity { bucket, name, version: &record.version, data_id: &record.data_id };
        let keys = self.open_object_keys(principal, identity, &record.key, customer).await?;
        Ok(OpenUpload { id: *upload, row: upload_key(bucket, name, upload), record, keys })
    }

    /// Seals a body into a blob and commits it as a part.
    pub(super) async fn store_part(
        &self,
        upload: &OpenUpload,
        new: NewPart,
        body: &mut dyn Body,
    ) -> Result<StoredPart, Error> {
        let digests = upload.digests(&new)?;
        let blob = BlobId::generate();
        let _held = self.in_flight.hold(blob);
        let (sealer, inner, outer) = upload.keys.sealer(new.number.value(), blob);
        let intake = Intake { body, length: new.length, limit: PUT_LIMIT, inline: None, digests };
        let sealed = self.seal_body(sealer, blob, intake).await?;
        let digest = sealed.md5.filter(|_| upload.record.key.mode() == Mode::SseS3);
        let part = Part {
            number: new.number.value(),
            size: sealed.size,
            blob,
            location: sealed.location,
            inner,
            outer,
            checksum: sealed.checksum,
        };
        let record = PartRecord {
            part,
            etag: ETag::single(digest.unwrap_or_else(seal::random_bytes)),
            modified: self.now(),
            claimed: sealed.claimed,
        };
        self.commit_part(upload, new.number, &record).await?;
        Ok(StoredPart {
            etag: record.etag,
            size: record.part.size,
            modified: record.modified,
            checksum: record.claimed.or(record.part.checksum),
            applied: upload.record.key.applied(None, upload.record.by_default),
        })
    }

    /// Puts a part in the place of what has its number, if the upload still is open. The last to commit stands.
    async fn commit_part(&self, upload: &OpenUpload, number: PartNumber, record: &PartRecord) -> Result<(), Error> {
        let key = part_key(&upload.id, number);
        let blob = record.part.blob;
        let value = self.seal_row(Table::Part, &key, &record.encode());
        let owner = self.seal_row(Table::Blob, blob.as_bytes(), &Owner::Part { key: key.clone() }.encode());
        for _ in 0..ATTEMPTS {
            let old = self.store.get(Table::Part, &key).await?;
            // A damaged row names no blob; the sweep finds what it named.
            let old_blob = old.as_ref().and_then(|old| self.part_record(&key, old).ok()).map(|old| old.part.blob);
            let mut transaction = Transaction::new().expect_present(Table::Upload, &upload.row);
            transaction = match old {
                Some(old) => transaction.expect_equals(Table::Part, &key, old),
                None => transaction.expect_absent(Table::Part, &key),
            };
            if let Some(old) = old_blob {
                transaction = transaction.delete(Table::Blob, old.as_bytes());
            }
            transaction =
                transaction.put(Table::Part, &key, value.clone()).put(Table::Blob, blob.as_bytes(), owner.clone());
            match self.store.commit(transaction).await {
                Ok(()) => {
                    self.garbage.discard(old_blob);
                    return Ok(());
                }
                Err(meta::Error::Conflict { expect: 0 }) => {
                    self.garbage.discard([blob]);
                    return Err(Error::NoSuchUpload);
                }
                Err(meta::Error::Conflict { .. }) => {}
                Err(meta::Error::Full) => {
                    self.garbage.discard([blob]);
                    return Err(Error::StoreFull);
                }
                Err(other) => return Err(other.into()),
            }
        }
        self.garbage.discard([blob]);
        Err(Error::OperationAborted)
    }
}

/// An upload with its keys open.
pub(super) struct OpenUpload {
    id: UploadId,
    row: Bytes,
    record: UploadRecord,
    keys: ObjectKeys,
}

/// A part about to be stored, all but its bytes.
pub(super) struct NewPart {
    pub(super) number: PartNumber,
    pub(super) checksum: Option<ChecksumClaim>,
    pub(super) content_md5: Option<[u8; 16]>,
    pub(super) length: Option<u64>,
}

impl OpenUpload {
    /// An upload that named an algorithm takes no other. One that named none gets CRC-64/NVME, whatever its parts claim beside.
    fn digests(&self, new: &NewPart) -> Result<Digests, Error> {
        let is_md5 = self.record.key.mode() == Mode::SseS3;
        let claimed = new.checksum.as_ref().map(ChecksumClaim::algorithm);
        let (stored, _) = self.record.settled_checksum();
        if self.record.checksum.is_some() && claimed.is_some_and(|claimed| claimed != stored) {
            return Err(OTHER_CHECKSUM);
        }
        let digests = Digests::new(new.checksum.clone(), Some(stored), new.content_md5, is_md5);
        Ok(digests.and(stored))
    }
}

impl UploadRecord {
    /// Algorithm and type of the object to come: AWS's default if the client named none.
    pub(super) fn settled_checksum(&self) -> (Algorithm, ChecksumType) {
        self.checksum.unwrap_or((Algorithm::Crc64Nvme, ChecksumType::FullObject))
    }
}

const OTHER_CHECKSUM: Error = Error::InvalidRequest(
    "Checksum Type mismatch occurred: the part's checksum algorithm is not the one that the upload was created with.",
);
