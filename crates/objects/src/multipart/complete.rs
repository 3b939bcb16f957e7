//! CompleteMultipartUpload.

use super::{MINIMUM_PART, PART_LIMIT, PartNumber, PartRow, UploadId, expect_no_others};
use crate::acquire::Identity;
use crate::bucket::Bucket;
use crate::checksum::{Algorithm, Checksum, ChecksumType, ChecksumValue};
use crate::combine::Combiner;
use crate::commit::{ATTEMPTS, Outcome, Ready};
use crate::condition::{ETagMatch, WriteCondition};
use crate::encryption::CustomerKey;
use crate::error::{Digest, Error};
use crate::etag::ETag;
use crate::info::Stored;
use crate::name::ObjectName;
use crate::objects::Objects;
use crate::record::{KeySource, ObjectRecord, Part, Parts, UploadRecord};
use crate::rows::{object_key, upload_key};
use blob::BlobId;
use keys::Principal;
use md5::{Digest as _, Md5};
use meta::{Table, Transaction};

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
    /// The SSE-C key. AWS asks for it only if the object is made with a checksum algorithm; if it comes, it is the upload's.
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
    /// Makes an object of an upload's parts. Copies nothing; parts that are not named are deleted. Calls no KMS unless the client named
    /// a checksum: then "you must have permission to use the kms:Decrypt action"
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html>).
    pub async fn complete_upload(
        &self,
        principal: &Principal,
        bucket: &Bucket,
        name: &ObjectName,
        upload: &UploadId,
        request: CompleteUpload,
    ) -> Result<Stored, Error> {
        if !request.parts.is_sorted_by(|one, next| one.number < next.number) {
            return Err(Error::InvalidPartOrder);
        }
        let key = object_key(bucket, name);
        for _ in 0..ATTEMPTS {
            let record = match self.upload(bucket, name, upload).await {
                Err(Error::NoSuchUpload) => return self.completed_before(bucket, name, upload, &request).await,
                found => found?,
            };
            let rows = self.part_rows(upload, 0, usize::from(PART_LIMIT)).await?;
            request.check_upload(&record, &rows)?;
            if request.uses_checksum(&record, &rows) {
                let identity = Identity { bucket, name, version: &record.version, data_id: &record.data_id };
                self.require_kms(principal, identity, &record.key).await?;
            }
            let chosen = request.choose(&rows, &record)?;
            let (object, parts) = request.assemble(record, &chosen)?;

            let upload_row = upload_key(bucket, name, upload);
            let mut beside =
                Transaction::new().expect_present(Table::Upload, &upload_row).delete(Table::Upload, &upload_row);
            for row in &rows {
                beside = row.delete(beside);
            }
            let blobs: Vec<BlobId> = parts.iter().map(|part| part.blob).collect();
            let unnamed = unnamed_blobs(&rows, &request.parts);
            for blob in &unnamed {
                beside = beside.delete(Table::Blob, blob.as_bytes());
            }
            let ready = Ready {
                value: self.seal_row(Table::Object, &key, &object.encode()),
                body: Some(self.seal_manifest(&key, &object, &parts)),
                data_id: object.data_id,
                blobs,
                keeps_data: false,
                beside: expect_no_others(beside, upload, &rows),
            };
            match self.commit_object(bucket, name, &request.condition, None, ready).await? {
                Outcome::Done => {
                    self.garbage.discard(unnamed);
                    return Ok(object.stored(request.customer_key.map(|key| key.md5()), false));
                }
                // The upload ended, or a part came or was replaced: look again.
                Outcome::BesideFailed => {}
            }
        }
        Err(Error::OperationAborted)
    }

    /// A client that lost the answer asks again, and gets it as long as the object stands
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html>).
    async fn completed_before(
        &self,
        bucket: &Bucket,
        name: &ObjectName,
        upload: &UploadId,
        request: &CompleteUpload,
    ) -> Result<Stored, Error> {
        let row = self.object_row(&object_key(bucket, name)).await?.ok_or(Error::NoSuchUpload)?;
        if row.record.data_id != *upload.as_bytes() || request.named_etag() != Some(row.record.etag) {
            return Err(Error::NoSuchUpload);
        }
        Ok(row.record.stored(request.customer_key.as_ref().map(CustomerKey::md5), false))
    }
}

impl CompleteUpload {
    /// The object's ETag, if the parts have the ETags that the request names.
    fn named_etag(&self) -> Option<ETag> {
        let mut md5 = Md5::new();
        for part in &self.parts {
            let ETagMatch::Of(tags) = &part.etag else { return None };
            md5.update(ETag::parse(tags.first()?)?.digest());
        }
        Some(ETag::multipart(md5.finalize().into(), u16::try_from(self.parts.len()).ok()?))
    }

    fn check_upload(&self, record: &UploadRecord, rows: &[PartRow]) -> Result<(), Error> {
        let is_customer = matches!(record.key.source, KeySource::Customer { .. });
        if self.customer_key.is_some() || (is_customer && self.uses_checksum(record, rows)) {
            record.check_part_key(self.customer_key.as_ref())?;
        }
        if self.parts.is_empty() {
            return Err(NO_PARTS);
        }
        let (_, kind) = record.settled_checksum();
        if self.checksum_type.is_some_and(|claimed| claimed != kind) {
            return Err(OTHER_TYPE);
        }
        Ok(())
    }

    /// Whether the client named a checksum anywhere from Create to here. The one that is computed unasked does not count.
    fn uses_checksum(&self, record: &UploadRecord, rows: &[PartRow]) -> bool {
        let claimed = |row: &PartRow| row.record.as_ref().is_some_and(|record| record.claimed.is_some());
        record.checksum.is_some()
            || self.checksum.is_some()
            || self.parts.iter().any(|part| part.checksum.is_some())
            || rows.iter().any(claimed)
    }

    /// The parts that the request names, as they are stored.
    fn choose<'a>(&self, rows: &'a [PartRow], upload: &UploadRecord) -> Result<Vec<&'a PartRow>, Error> {
        let mut chosen = Vec::with_capacity(self.parts.len());
        for named in &self.parts {
            let number = named.number.value();
            let invalid = Error::InvalidPart { number };
            let Ok(index) = rows.binary_search_by_key(&named.number, |row| row.number) else { return Err(invalid) };
            let record = rows[index].record.as_ref().ok_or(Error::DamagedObject)?;
            let known = |value: &ChecksumValue| {
                record.part.checksum.as_ref() == Some(value) || record.claimed.as_ref() == Some(value)
            };
            if !named.etag.matches(&record.etag) || named.checksum.as_ref().is_some_and(|value| !known(value)) {
                return Err(invalid);
            }
            if record.part.outer.is_some() != upload.key.outer.is_some() {
                return Err(Error::DamagedObject);
            }
            chosen.push(&rows[index]);
        }
        Ok(chosen)
    }

    /// The object that the parts make.
    fn assemble(&self, upload: UploadRecord, chosen: &[&PartRow]) -> Result<(ObjectRecord, Vec<Part>), Error> {
        let mut parts = Vec::with_capacity(chosen.len());
        let mut md5 = Md5::new();
        for row in chosen {
            let record = row.record.as_ref().ok_or(Error::DamagedObject)?;
            md5.update(record.etag.digest());
            parts.push(record.part.clone());
        }
        let last = parts.len() - 1;
        if let Some(small) = parts[..last].iter().find(|part| part.size < MINIMUM_PART) {
            return Err(Error::EntityTooSmall { number: small.number, size: small.size, minimum: MINIMUM_PART });
        }
        // 10,000 parts of 5 GiB each are far below 64 bits.
        let size: u64 = parts.iter().map(|part| part.size).sum();
        if self.object_size.is_some_and(|claimed| claimed != size) {
            return Err(OTHER_SIZE);
        }
        let count = u16::try_from(parts.len()).expect("numbers are distinct and at most 10,000");
        let checksum = checksum(upload.settled_checksum(), &parts, count)?;
        if let Some(claimed) = self.checksum
            && claimed != checksum.value
        {
            return Err(Error::BadDigest(Digest::Checksum(claimed.algorithm())));
        }
        let object = ObjectRecord {
            version: upload.version,
            data_id: upload.data_id,
            size,
            // "For multipart uploads, the object creation date is the date of initiation of the multipart upload."
            // (https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html)
            modified: upload.initiated,
            etag: ETag::multipart(md5.finalize().into(), count),
            key: upload.key,
            metadata: upload.metadata,
            checksum: Some(checksum),
            parts: Parts::Manifest(count),
            tags: upload.tags,
        };
        Ok((object, parts))
    }
}

/// The object's checksum from its parts', without reading a byte of data.
fn checksum((algorithm, kind): (Algorithm, ChecksumType), parts: &[Part], count: u16) -> Result<Checksum, Error> {
    let of = |part: &Part| part.checksum.filter(|value| value.algorithm() == algorithm).ok_or(Error::DamagedObject);
    match (kind, Combiner::new(algorithm)) {
        (ChecksumType::FullObject, Some(mut combiner)) => {
            for part in parts {
                combiner.append(&of(part)?, part.size);
            }
            Ok(Checksum::full(combiner.finish()))
        }
        (ChecksumType::FullObject, None) => Err(Error::DamagedObject),
        (ChecksumType::Composite, _) => {
            let mut hasher = algorithm.hasher();
            for part in parts {
                hasher.update(of(part)?.as_bytes());
            }
            Ok(Checksum { value: hasher.finish(), kind, parts: Some(count) })
        }
    }
}

/// Blobs of parts that the object leaves out.
fn unnamed_blobs(rows: &[PartRow], named: &[CompletedPart]) -> Vec<BlobId> {
    let is_named = |row: &&PartRow| named.binary_search_by_key(&row.number, |part| part.number).is_ok();
    let unnamed = rows.iter().filter(|row| !is_named(row));
    unnamed.filter_map(|row| row.record.as_ref()).map(|record| record.part.blob).collect()
}

const NO_PARTS: Error = Error::InvalidRequest("You must specify at least one part");
const OTHER_TYPE: Error =
    Error::InvalidRequest("The checksum type of the complete request is not the one that the upload was created with.");
const OTHER_SIZE: Error =
    Error::InvalidRequest("The provided 'x-amz-mp-object-size' header value does not match what was computed.");
