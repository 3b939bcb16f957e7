//! ListParts and ListMultipartUploads.

use super::{PART_LIMIT, PartNumber, UploadId};
use crate::acquire::Identity;
use crate::bucket::Bucket;
use crate::checksum::{Algorithm, ChecksumType, ChecksumValue};
use crate::error::Error;
use crate::etag::ETag;
use crate::name::ObjectName;
use crate::objects::Objects;
use crate::record::UploadRecord;
use crate::walk::{Shown, Walk};
use keys::Principal;
use meta::Table;
use std::time::SystemTime;

/// A ListParts.
#[derive(Debug, Clone, Copy)]
pub struct ListParts {
    /// Parts with higher numbers only.
    pub after: u16,
    /// At most that many.
    pub max_parts: usize,
}

/// A part in a listing.
#[derive(Debug, Clone)]
pub struct PartEntry {
    /// Its number.
    pub number: PartNumber,
    /// Its ETag.
    pub etag: ETag,
    /// Plaintext bytes.
    pub size: u64,
    /// When it was stored.
    pub modified: SystemTime,
    /// Its checksum.
    pub checksum: Option<ChecksumValue>,
}

/// A page of parts.
#[derive(Debug, Clone)]
pub struct PartPage {
    /// The upload.
    pub upload: UploadEntry,
    /// Its parts in order.
    pub parts: Vec<PartEntry>,
    /// The last number of this page if there are more.
    pub next: Option<PartNumber>,
}

/// A ListMultipartUploads.
#[derive(Debug, Clone, Default)]
pub struct ListUploads {
    /// Names begin with it.
    pub prefix: String,
    /// As in [`crate::Listing`].
    pub delimiter: Option<String>,
    /// `key-marker`.
    pub after_name: Option<String>,
    /// `upload-id-marker`; means nothing without `after_name`.
    pub after_upload: Option<UploadId>,
    /// At most that many uploads and common prefixes together.
    pub max_uploads: usize,
}

/// An open upload in a listing.
#[derive(Debug, Clone)]
pub struct UploadEntry {
    /// Its object's name.
    pub name: ObjectName,
    /// Its id.
    pub id: UploadId,
    /// When it began.
    pub initiated: SystemTime,
    /// ARN of who began it.
    pub initiator: String,
    /// Algorithm and type of its checksum.
    pub checksum: Option<(Algorithm, ChecksumType)>,
}

/// A page of uploads.
#[derive(Debug, Clone, Default)]
pub struct UploadPage {
    /// Uploads, by name, then by when they began.
    pub uploads: Vec<UploadEntry>,
    /// Common prefixes.
    pub common_prefixes: Vec<String>,
    /// `NextKeyMarker` and `NextUploadIdMarker` (none behind a common prefix) if there is more.
    pub next: Option<(String, Option<UploadId>)>,
}

impl Objects {
    /// A page of an upload's parts. Needs no SSE-C key, but "permission to the kms:Decrypt action" of an upload under a KMS key
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html>).
    pub async fn list_parts(
        &self,
        principal: &Principal,
        bucket: &Bucket,
        name: &ObjectName,
        upload: &UploadId,
        request: &ListParts,
    ) -> Result<PartPage, Error> {
        let record = self.upload(bucket, name, upload).await?;
        let identity = Identity { bucket, name, version: &record.version, data_id: &record.data_id };
        self.require_kms(principal, identity, &record.key).await?;
        let mut rows = match request.max_parts {
            0 => Vec::new(),
            max => self.part_rows(upload, request.after, max.min(usize::from(PART_LIMIT)) + 1).await?,
        };
        let more = rows.len() > request.max_parts;
        rows.truncate(request.max_parts);
        let next = rows.last().filter(|_| more).map(|row| row.number);
        let mut parts = Vec::with_capacity(rows.len());
        for row in rows {
            let record = row.record.ok_or(Error::DamagedObject)?;
            parts.push(PartEntry {
                number: row.number,
                etag: record.etag,
                size: record.part.size,
                modified: record.modified,
                checksum: record.part.checksum,
            });
        }
        Ok(PartPage { upload: UploadEntry::new(name.clone(), *upload, record), parts, next })
    }

    /// A page of a bucket's open uploads.
    pub async fn list_uploads(&self, bucket: &Bucket, request: &ListUploads) -> Result<UploadPage, Error> {
        let mut page = UploadPage::default();
        if request.max_uploads == 0 {
            return Ok(page);
        }
        let mut walk = Walk::whole(Table::Upload, &bucket.id, &request.prefix, request.delimiter.as_deref());
        walk.suffix = 1 + 16;
        if let Some(name) = &request.after_name {
            // Without an upload, all of that name are behind the marker.
            let upload = request.after_upload.map_or([0xff; 16], |upload| *upload.as_bytes());
            walk = walk.after_row(name, &[&[0], &upload[..]].concat());
        }
        let (shown, more) = self.walk(walk, request.max_uploads).await?;
        for shown in shown {
            page.next = Some(match shown {
                Shown::Row(name, row) => {
                    let id = UploadId::of_row(&row.key)?;
                    let record = self.upload_record(&row.key, &row.value)?;
                    page.uploads.push(UploadEntry::new(name.clone(), id, record));
                    (name.as_str().to_owned(), Some(id))
                }
                Shown::Prefix(prefix) => {
                    page.common_prefixes.push(prefix.clone());
                    (prefix, None)
                }
            });
        }
        page.next = page.next.filter(|_| more);
        Ok(page)
    }
}

impl UploadEntry {
    fn new(name: ObjectName, id: UploadId, record: UploadRecord) -> UploadEntry {
        let checksum = record.checksum;
        UploadEntry { name, id, initiated: record.initiated, initiator: record.initiator, checksum }
    }
}
