//! What is known of an object without reading it.

use crate::checksum::{Checksum, ChecksumType};
use crate::encryption::Applied;
use crate::etag::ETag;
use crate::metadata::Metadata;
use crate::record::Part;
use crate::window::Window;
use std::time::SystemTime;

/// What GET and HEAD answer beside the bytes.
#[derive(Debug, Clone)]
pub struct ObjectInfo {
    /// The object's ETag.
    pub etag: ETag,
    /// Plaintext bytes of the whole object.
    pub size: u64,
    /// When the object was stored, in whole milliseconds.
    pub modified: SystemTime,
    /// What the client stored with it.
    pub metadata: Metadata,
    /// How it is encrypted.
    pub applied: Applied,
    /// The checksum of the whole object; of a part, if one was asked for.
    pub checksum: Option<Checksum>,
    /// How many parts it has, if it came from a multipart upload.
    pub parts: Option<u16>,
    /// How many tags it has.
    pub tags: usize,
}

impl ObjectInfo {
    /// Where a part is asked for, the checksum is that part's. AWS tells it if the object's checksum is composed of the parts', or if
    /// there is no other part.
    pub(crate) fn seen_through(mut self, window: Window, parts: &[Part]) -> ObjectInfo {
        let Window::Part(number) = window else { return self };
        self.checksum = match (self.checksum, parts) {
            (Some(Checksum { kind: ChecksumType::Composite, .. }), _) => {
                let part = usize::from(number).checked_sub(1).and_then(|index| parts.get(index));
                let value = part.and_then(|part| part.checksum);
                value.map(|value| Checksum { value, kind: ChecksumType::Composite, parts: None })
            }
            (whole, [_]) => whole,
            _ => None,
        };
        self
    }
}

/// What a write answers.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The new object's ETag.
    pub etag: ETag,
    /// Plaintext bytes.
    pub size: u64,
    /// When it was stored, in whole milliseconds.
    pub modified: SystemTime,
    /// How it is encrypted.
    pub applied: Applied,
    /// Its checksum.
    pub checksum: Option<Checksum>,
}
