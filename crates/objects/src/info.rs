//! What is known of an object without reading it.

use crate::checksum::Checksum;
use crate::encryption::Applied;
use crate::etag::ETag;
use crate::metadata::Metadata;
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
    /// The checksum of the whole object.
    pub checksum: Option<Checksum>,
    /// How many parts it has, if it came from a multipart upload.
    pub parts: Option<u16>,
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
