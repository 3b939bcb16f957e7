//! ListObjects and ListObjectsV2.

use crate::bucket::Bucket;
use crate::checksum::{Algorithm, ChecksumType};
use crate::error::Error;
use crate::etag::ETag;
use crate::name::ObjectName;
use crate::objects::Objects;
use crate::walk::{Shown, Walk};
use meta::{Row, Table};
use std::time::SystemTime;

/// Which objects a listing wants.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// Names begin with it.
    pub prefix: String,
    /// Names that hold it behind the prefix are rolled up to one common prefix. Never empty.
    pub delimiter: Option<String>,
    /// Names and common prefixes come after it: `marker`, `start-after`, or what a continuation token holds.
    pub after: Option<String>,
    /// At most that many objects and common prefixes together. 0 gives an empty page.
    pub max_keys: usize,
}

/// An object in a listing.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its name.
    pub name: ObjectName,
    /// Its ETag.
    pub etag: ETag,
    /// Plaintext bytes.
    pub size: u64,
    /// When it was stored.
    pub modified: SystemTime,
    /// Algorithm and type of its checksum.
    pub checksum: Option<(Algorithm, ChecksumType)>,
}

/// A page of a listing, in the order of names as bytes.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// Objects.
    pub entries: Vec<Entry>,
    /// Common prefixes.
    pub common_prefixes: Vec<String>,
    /// The last object or common prefix of this page if there is more (`after` of the next).
    pub next: Option<String>,
}

impl Objects {
    /// A page of a bucket's objects. Needs no KMS key: listings read records, not data.
    pub async fn list_objects(&self, bucket: &Bucket, request: &Listing) -> Result<Page, Error> {
        let mut page = Page::default();
        if request.max_keys == 0 {
            return Ok(page);
        }
        let mut walk = Walk::whole(Table::Object, &bucket.id, &request.prefix, request.delimiter.as_deref());
        if let Some(after) = &request.after {
            walk = walk.after_name(after);
        }
        let (shown, more) = self.walk(walk, request.max_keys).await?;
        for shown in shown {
            match shown {
                Shown::Row(name, row) => page.entries.push(self.entry(name, &row)?),
                Shown::Prefix(prefix) => page.common_prefixes.push(prefix),
            }
        }
        if more {
            let last_name = page.entries.last().map(|entry| entry.name.as_str());
            page.next = last_name.max(page.common_prefixes.last().map(String::as_str)).map(str::to_owned);
        }
        Ok(page)
    }

    fn entry(&self, name: ObjectName, row: &Row) -> Result<Entry, Error> {
        let record = self.object_record(&row.key, &row.value)?;
        Ok(Entry {
            name,
            etag: record.etag,
            size: record.size,
            modified: record.modified,
            checksum: record.checksum.map(|checksum| (checksum.value.algorithm(), checksum.kind)),
        })
    }
}
