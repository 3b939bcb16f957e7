//! Blobs: ciphertext under random names.
//!
//! A blob is written once, from its start to its end, synced, and from then on only read and deleted. It comes to *mean* something
//! when a metadata record names it; until then it is an orphan that the sweep of `objects` removes. Nothing here knows what the
//! bytes are: keys, segments and tags are the business of `seal`.
//!
//! Bytes travel in [`Buffer`]s of about a mebibyte, which are lent from a [`BufferPool`] and come back to it.
//!
//! Invariants:
//! - A [`Writer`] that is dropped before it finished leaves no file.
//! - [`Writer::finish`] returns only when the file and the folder that names it are synced.
//! - A failed sync is never tried again: the kernel may have dropped the pages that it could not write and call the next sync a
//!   success. The store refuses writes from then on ([`Error::Poisoned`]) until it is opened anew.

mod buffer;
mod error;
pub mod format;
mod id;
pub mod local;

use std::time::SystemTime;

use async_trait::async_trait;

pub use crate::buffer::{Buffer, BufferPool};
pub use crate::error::Error;
pub use crate::id::BlobId;

/// A place for blobs. Operations may be called from any task, concurrently.
#[async_trait]
pub trait Blobs: Send + Sync + 'static {
    /// Begins a new blob. That the id is taken shows at the latest in [`Writer::finish`], as [`Error::Exists`].
    async fn create(&self, id: BlobId) -> Result<Box<dyn Writer>, Error>;

    /// Opens a finished blob, and checks that the file is one of ours and this one: magic, version and id.
    async fn open(&self, id: BlobId) -> Result<Box<dyn Reader>, Error>;

    /// Removes a blob. Also succeeds when there is none. Not synced: what a crash brings back, the sweep finds again.
    async fn delete(&self, id: BlobId) -> Result<(), Error>;

    /// Up to `limit` blobs in the order of their ids, from the first one after `after`. Blobs that are still being written are
    /// among them: see [`Entry::modified`].
    async fn list(&self, after: Option<BlobId>, limit: usize) -> Result<Vec<Entry>, Error>;

    /// The buffers that writers and readers of this store take and give.
    fn buffers(&self) -> &BufferPool;

    /// Whether a failed sync has ended all writing.
    fn poisoned(&self) -> bool;
}

/// A blob on its way in. Dropped before [`Writer::finish`] returned `Ok`, it leaves nothing behind.
#[async_trait]
pub trait Writer: Send {
    /// Appends all of `buffer` and returns an empty one to fill next.
    ///
    /// The bytes may still be on their way to the disk when this returns, so an error can belong to an earlier call. After an error
    /// or a cancelled call the writer is of no more use, and the blob is gone.
    async fn write(&mut self, buffer: Buffer) -> Result<Buffer, Error>;

    /// Syncs the file and then the folder that names it. From here on a crash cannot take the blob back.
    async fn finish(self: Box<Self>) -> Result<Written, Error>;
}

/// A finished blob, opened.
#[async_trait]
pub trait Reader: Send {
    /// The number of bytes in the blob; its header is not counted.
    fn len(&self) -> u64;

    /// Whether the blob holds no bytes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Replaces the contents of `buffer` with the `len` bytes from `offset` on. The header is not counted.
    ///
    /// [`Error::Truncated`] if the blob ends before `offset + len`.
    async fn read_at(&mut self, offset: u64, buffer: Buffer, len: usize) -> Result<Buffer, Error>;
}

/// What was written, over the bytes after the header. The record of the object keeps both, so that a scrub can check a blob whose
/// key it does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Bytes.
    pub len: u64,
    /// CRC-64/NVME of the bytes.
    pub crc64: u64,
}

/// A blob in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub id: BlobId,
    /// When it was last written to. A sweep leaves young blobs alone: they may be waiting for their record.
    pub modified: SystemTime,
    /// Bytes after the header.
    pub len: u64,
}

/// A running CRC-64/NVME, the checksum of [`Written::crc64`].
#[derive(Clone)]
pub struct Crc64(crc_fast::Digest);

impl Crc64 {
    /// The checksum of nothing so far.
    #[must_use]
    pub fn new() -> Crc64 {
        Crc64(crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc64Nvme))
    }

    /// Takes in the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The checksum of all bytes taken in so far.
    #[must_use]
    pub fn value(&self) -> u64 {
        self.0.clone().finalize()
    }
}

impl Default for Crc64 {
    fn default() -> Crc64 {
        Crc64::new()
    }
}
