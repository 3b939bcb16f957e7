//! The scrub: everything stored is read and verified.

use crate::error::Error;
use crate::name::{BucketName, ObjectName};
use crate::objects::Objects;

/// Something stored that is not as it was written.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The bucket, if its record could be read.
    pub bucket: Option<BucketName>,
    /// The object.
    pub name: Option<ObjectName>,
    /// The part, for multipart objects.
    pub part: Option<u16>,
    /// The blob's id in hexadecimal, if it is one.
    pub blob: Option<String>,
    /// What is wrong.
    pub damage: Damage,
}

/// A kind of damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// A record does not open under its key, or holds what its version cannot hold.
    Record,
    /// A blob that a record names is not there.
    Missing,
    /// A blob is shorter or longer than its record says.
    Length,
    /// A blob's CRC-64/NVME differs from its record's.
    Checksum,
    /// A segment's tag or a part's key commitment does not verify.
    Tag,
    /// The KMS key is unavailable: the tags could not be verified.
    KeyUnavailable,
}

/// What a scrub looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ScrubReport {
    /// Objects and open uploads' parts.
    pub objects: u64,
    /// Blobs.
    pub blobs: u64,
    /// Sealed bytes.
    pub bytes: u64,
    /// Findings.
    pub findings: u64,
}

impl Objects {
    /// Reads everything once and reports what is damaged. SSE-C data is checked by its CRC, as nobody here has its key.
    pub async fn scrub(&self, sink: &mut (dyn FnMut(Finding) + Send)) -> Result<ScrubReport, Error> {
        todo!()
    }
}
