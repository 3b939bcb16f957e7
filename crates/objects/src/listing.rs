//! ListObjects and ListObjectsV2.

use crate::bucket::Bucket;
use crate::checksum::{Algorithm, ChecksumType};
use crate::error::Error;
use crate::etag::ETag;
use crate::name::ObjectName;
use crate::objects::Objects;
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
        todo!()
    }
}
