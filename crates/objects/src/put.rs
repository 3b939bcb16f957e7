//! PutObject.

use crate::acquire::Identity;
use crate::body::Body;
use crate::bucket::Bucket;
use crate::checksum::{Algorithm, Checksum, ChecksumClaim};
use crate::commit::Ready;
use crate::condition::WriteCondition;
use crate::encryption::{EncryptionRequest, Mode, Settled};
use crate::error::Error;
use crate::etag::ETag;
use crate::info::Stored;
use crate::metadata::Metadata;
use crate::name::ObjectName;
use crate::objects::Objects;
use crate::record::{ObjectRecord, Part, Parts};
use crate::rows::object_key;
use crate::tags::Tags;
use crate::write::{Digests, Intake, PUT_LIMIT};
use blob::BlobId;
use keys::Principal;
use meta::{Table, Transaction};

/// A PutObject, all but its bytes.
#[derive(Debug, Default)]
pub struct PutObject {
    /// System and user metadata.
    pub metadata: Metadata,
    /// Tags.
    pub tags: Tags,
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
        let key = object_key(bucket, name);
        let by_default = matches!(request.encryption, EncryptionRequest::Default);
        let customer_md5 = request.encryption.customer_md5();
        let settled = request.encryption.settle(&bucket.encryption)?;
        if !request.condition.is_none() {
            // The commit checks again; this spares a body that is refused anyway.
            let row = self.object_row(&key).await?;
            request.condition.check(row.as_ref().map(|row| &row.record.etag))?;
        }
        let new = NewObject {
            settled,
            metadata: request.metadata,
            tags: request.tags,
            checksum: request.checksum,
            content_md5: request.content_md5,
            condition: request.condition,
            length: request.length,
        };
        let record = self.store_object(principal, bucket, name, new, body).await?;
        Ok(record.stored(customer_md5, by_default))
    }

    /// Seals a body into an object of one part and commits it: the common road of PutObject and of copies.
    pub(crate) async fn store_object(
        &self,
        principal: &Principal,
        bucket: &Bucket,
        name: &ObjectName,
        new: NewObject,
        body: &mut dyn Body,
    ) -> Result<ObjectRecord, Error> {
        new.metadata.check()?;
        let key = object_key(bucket, name);
        let (version, blob) = (seal::random_bytes(), BlobId::generate());
        let _held = self.in_flight.hold(blob);
        let identity = Identity { bucket, name, version: &version, data_id: blob.as_bytes() };
        let (keys, sealed_key) = self.new_object_keys(principal, identity, new.settled).await?;
        let (sealer, inner, outer) = keys.sealer(ONLY_PART, blob);
        let is_md5 = sealed_key.mode() == Mode::SseS3;
        let intake = Intake {
            body,
            length: new.length,
            limit: PUT_LIMIT,
            inline: Some(self.settings.inline_limit),
            digests: Digests::new(new.checksum, Some(Algorithm::Crc64Nvme), new.content_md5, is_md5),
        };
        let sealed = self.seal_body(sealer, blob, intake).await?;

        let part = Part {
            number: ONLY_PART,
            size: sealed.size,
            blob,
            location: sealed.location,
            inner,
            outer,
            checksum: None,
        };
        let record = ObjectRecord {
            version,
            data_id: *blob.as_bytes(),
            size: sealed.size,
            modified: self.now(),
            etag: ETag::single(sealed.md5.filter(|_| is_md5).unwrap_or_else(seal::random_bytes)),
            key: sealed_key,
            metadata: new.metadata,
            checksum: sealed.checksum.map(Checksum::full),
            parts: Parts::Single(Box::new(part)),
            tags: new.tags,
        };
        let value = self.seal_row(Table::Object, &key, &record.encode());
        let blobs = if sealed.inline.is_some() { Vec::new() } else { vec![blob] };
        let ready = Ready {
            value,
            body: sealed.inline,
            data_id: record.data_id,
            blobs,
            keeps_data: false,
            beside: Transaction::new(),
        };
        self.commit_object(bucket, name, &new.condition, None, ready).await?;
        Ok(record)
    }
}

/// An object about to be stored, all but its bytes.
pub(crate) struct NewObject {
    pub(crate) settled: Settled,
    pub(crate) metadata: Metadata,
    pub(crate) tags: Tags,
    pub(crate) checksum: Option<ChecksumClaim>,
    pub(crate) content_md5: Option<[u8; 16]>,
    pub(crate) condition: WriteCondition,
    pub(crate) length: Option<u64>,
}

/// A PutObject or copy is one part, which its segments are bound to.
pub(crate) const ONLY_PART: u16 = 1;
