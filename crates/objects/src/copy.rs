//! CopyObject.

use crate::acquire::Identity;
use crate::body::{Body, BodyError};
use crate::bucket::Bucket;
use crate::checksum::{Algorithm, ChecksumClaim};
use crate::commit::Ready;
use crate::condition::{ReadConditions, WriteCondition};
use crate::encryption::{CustomerKey, EncryptionRequest, Mode, Settled};
use crate::error::Error;
use crate::etag::ETag;
use crate::get::GetObject;
use crate::info::Stored;
use crate::metadata::Metadata;
use crate::name::ObjectName;
use crate::objects::Objects;
use crate::put::NewObject;
use crate::read::{ObjectReader, OpenFailure};
use crate::record::{ObjectRecord, Part, Parts};
use crate::rows::{Row, object_key};
use crate::tagging::check_seen;
use crate::tags::{TaggingDirective, Tags};
use crate::write::PUT_LIMIT;
use bytes::Bytes;
use keys::Principal;
use md5::{Digest as _, Md5};
use meta::{Table, Transaction};
use std::sync::Arc;

/// The object that a copy reads.
#[derive(Debug)]
pub struct CopySource {
    /// Its bucket.
    pub bucket: Arc<Bucket>,
    /// Its name.
    pub name: ObjectName,
    /// Its SSE-C key (`x-amz-copy-source-server-side-encryption-customer-*`).
    pub customer_key: Option<CustomerKey>,
    /// `x-amz-copy-source-if-*`.
    pub conditions: ReadConditions,
    /// The tags that it must still have, if somebody decided by them.
    pub seen: Option<Tags>,
}

/// A CopyObject; the destination's bucket and name stand beside it.
#[derive(Debug)]
pub struct CopyObject {
    /// What is read.
    pub source: CopySource,
    /// How the copy is encrypted. A copy does not inherit its source's mode.
    pub encryption: EncryptionRequest,
    /// Which metadata it has.
    pub metadata: MetadataDirective,
    /// Which tags it has.
    pub tags: TaggingDirective,
    /// Its checksum algorithm; the source's if absent.
    pub checksum: Option<Algorithm>,
    /// What must hold of the object that is replaced.
    pub condition: WriteCondition,
}

/// `x-amz-metadata-directive`.
#[derive(Debug, Clone, Default)]
pub enum MetadataDirective {
    /// The source's.
    #[default]
    Copy,
    /// The request's.
    Replace(Metadata),
}

impl Objects {
    /// Copies an object, between any two modes. A copy onto itself between SSE-S3 and SSE-KMS moves no data: its key is sealed
    /// anew. To and from DSSE-KMS, and from and to SSE-C, data is encrypted again even then: layers cannot be added to what is
    /// written, and a customer's key shall be the only one that ever led to the data.
    pub async fn copy_object(
        &self,
        principal: &Principal,
        bucket: &Bucket,
        name: &ObjectName,
        request: CopyObject,
    ) -> Result<Stored, Error> {
        let CopyObject { source, encryption, metadata, tags, checksum, condition } = request;
        let onto_itself = source.bucket.id == bucket.id && source.name == *name;
        let by_default = matches!(encryption, EncryptionRequest::Default);
        let unchanged = by_default && checksum.is_none() && matches!(metadata, MetadataDirective::Copy);
        let customer_md5 = encryption.customer_md5();
        let settled = encryption.settle(&bucket.encryption)?;
        let copy = Copy { settled, metadata, tags, checksum, condition };

        let record = if onto_itself {
            let row = self.whole_row(&object_key(bucket, name)).await?.ok_or(Error::NoSuchKey)?;
            if unchanged && row.record.key.mode() != Mode::Customer {
                return Err(UNCHANGED);
            }
            if copy.moves_no_data(&row.record) {
                source.check(&row.record)?;
                self.reseal(principal, bucket, name, row, copy).await?
            } else {
                self.copy_data(principal, bucket, name, source, copy).await?
            }
        } else {
            self.copy_data(principal, bucket, name, source, copy).await?
        };
        Ok(record.stored(customer_md5, by_default))
    }

    /// Reads, decrypts, encrypts, writes.
    async fn copy_data(
        &self,
        principal: &Principal,
        bucket: &Bucket,
        name: &ObjectName,
        mut source: CopySource,
        copy: Copy,
    ) -> Result<ObjectRecord, Error> {
        let read = GetObject { customer_key: source.customer_key.take(), ..GetObject::default() };
        // A source that is refused is not read: open_record verifies its first mebibyte.
        let from = object_key(&source.bucket, &source.name);
        let row = self.object_row(&from).await?.ok_or(Error::NoSuchKey)?;
        row.record.key.check_customer(read.customer_key.as_ref())?;
        source.check(&row.record)?;
        let (row, reader) = self.open_record(principal, &source.bucket, &source.name, &read).await?;
        source.check(&row.record)?;
        let algorithm = copy.checksum.or(row.record.checksum.map(|checksum| checksum.value.algorithm()));
        let new = NewObject {
            settled: copy.settled,
            metadata: copy.metadata.apply(row.record.metadata),
            tags: copy.tags.apply(row.record.tags),
            checksum: algorithm.map(ChecksumClaim::Compute),
            content_md5: None,
            condition: copy.condition,
            length: Some(row.record.size),
        };
        self.store_object(principal, bucket, name, new, &mut Source(reader)).await
    }

    /// Seals an object's key anew, in its own row.
    async fn reseal(
        &self,
        principal: &Principal,
        bucket: &Bucket,
        name: &ObjectName,
        row: Row,
        copy: Copy,
    ) -> Result<ObjectRecord, Error> {
        let Row { value, record: old, body } = row;
        let key = object_key(bucket, name);
        let metadata = copy.metadata.apply(old.metadata.clone());
        metadata.check()?;
        let tags = copy.tags.apply(old.tags.clone());
        let parts = self.parts(&key, &old, body.as_ref())?;
        let etag =
            self.resealed_etag(principal, bucket, name, &old, &parts, body.as_ref(), copy.settled.mode()).await?;
        let object_keys = self.keys_of(principal, bucket, name, &old, None).await?;
        let version = seal::random_bytes();
        let identity = Identity { bucket, name, version: &version, data_id: &old.data_id };
        let sealed = self.reseal_object_keys(principal, &object_keys, identity, copy.settled).await?;
        let new = ObjectRecord { version, key: sealed, metadata, tags, etag, modified: self.now(), ..old };
        let body = match new.parts {
            Parts::Single(_) => body,
            Parts::Manifest(_) => Some(self.seal_manifest(&key, &new, &parts)),
        };
        let ready = Ready {
            value: self.seal_row(Table::Object, &key, &new.encode()),
            body,
            data_id: new.data_id,
            blobs: Vec::new(),
            keeps_data: true,
            beside: Transaction::new(),
        };
        self.commit_object(bucket, name, &copy.condition, Some(&value), ready).await?;
        Ok(new)
    }

    /// The ETag that fits the new mode: no MD5 where the mode has none, and the data's own where clients compare it. That needs
    /// the data to be read, though not to be moved. A multipart object's is no MD5 of its data in any mode.
    #[allow(clippy::too_many_arguments, reason = "one caller, and a struct would only rename them")]
    async fn resealed_etag(
        &self,
        principal: &Principal,
        bucket: &Bucket,
        name: &ObjectName,
        record: &ObjectRecord,
        parts: &[Part],
        body: Option<&Bytes>,
        mode: Mode,
    ) -> Result<ETag, Error> {
        if mode == record.key.mode() || record.etag.parts().is_some() {
            return Ok(record.etag);
        }
        if mode != Mode::SseS3 {
            return Ok(ETag::single(seal::random_bytes()));
        }
        let keys = self.keys_of(principal, bucket, name, record, None).await?;
        let opened =
            ObjectReader::open(record.info(None), None, parts.to_vec(), body.cloned(), keys, &self.blobs).await;
        let mut reader = opened.map_err(OpenFailure::into_error)?;
        let mut md5 = Md5::new();
        while let Some(piece) = reader.next().await? {
            md5.update(&piece);
        }
        Ok(ETag::single(md5.finalize().into()))
    }
}

/// What is to become of the source.
struct Copy {
    settled: Settled,
    metadata: MetadataDirective,
    tags: TaggingDirective,
    checksum: Option<Algorithm>,
    condition: WriteCondition,
}

impl Copy {
    /// Whether a copy onto itself is done by sealing the key anew.
    fn moves_no_data(&self, record: &ObjectRecord) -> bool {
        let one_layer = |mode| matches!(mode, Mode::SseS3 | Mode::SseKms);
        let own = record.checksum.map(|checksum| checksum.value.algorithm());
        let same_checksum = self.checksum.is_none() || self.checksum == own;
        one_layer(record.key.mode()) && one_layer(self.settled.mode()) && same_checksum
    }
}

impl CopySource {
    /// The conditions, and AWS's limit of what one request copies.
    pub(crate) fn check(&self, record: &ObjectRecord) -> Result<(), Error> {
        check_seen(&record.tags, self.seen.as_ref())?;
        self.conditions.check_source(&record.etag, record.modified)?;
        if record.size > PUT_LIMIT { Err(TOO_LARGE) } else { Ok(()) }
    }
}

impl MetadataDirective {
    fn apply(self, source: Metadata) -> Metadata {
        match self {
            MetadataDirective::Copy => source,
            MetadataDirective::Replace(metadata) => metadata,
        }
    }
}

/// An object that is read as another's body.
pub(crate) struct Source(pub(crate) ObjectReader);

#[async_trait::async_trait]
impl Body for Source {
    async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        self.0.next().await.map_err(BodyError::new)
    }
}

const UNCHANGED: Error = Error::InvalidRequest(
    "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
);
const TOO_LARGE: Error = Error::InvalidRequest(
    "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120",
);
