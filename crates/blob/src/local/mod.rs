//! Blobs in a local directory: `<directory>/<first byte of the id, 2 digits>/<id, 32 digits>`.
//!
//! The 256 folders are made when the store is opened, so that a blob needs the sync of one folder only. Calls that may wait for the
//! disk run on tokio's blocking threads, of which reads and writes each get a bounded number: a slow sync holds up no read.

mod append;
mod reader;
mod writer;

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinError, spawn_blocking};

use crate::format::HEADER_LEN;
use crate::{BlobId, Blobs, BufferPool, Entry, Error, Reader, Writer};

/// Blobs in a local directory. A clone is another handle to the same store.
#[derive(Clone)]
pub struct LocalBlobs(Arc<Shared>);

/// Settings of [`LocalBlobs`].
#[derive(Debug, Clone)]
pub struct Options {
    /// How many reads may wait for the disk at once.
    pub concurrent_reads: usize,
    /// How many writes and syncs may wait for the disk at once.
    pub concurrent_writes: usize,
    /// How many buffers of about a mebibyte may lie idle.
    pub idle_buffers: usize,
}

impl Default for Options {
    /// 64 transfers at once reach the disk without waiting for one another; 32 MiB of idle buffers serve bursts.
    fn default() -> Options {
        Options { concurrent_reads: 64, concurrent_writes: 64, idle_buffers: 32 }
    }
}

struct Shared {
    directory: PathBuf,
    buffers: BufferPool,
    reads: Arc<Semaphore>,
    writes: Arc<Semaphore>,
    poisoned: AtomicBool,
    /// Whether writes may pass by the page cache, until the file system refuses.
    direct: AtomicBool,
    syncs: Syncs,
}

/// The two syncs. Tests put failing ones in their place.
#[derive(Clone, Copy)]
struct Syncs {
    file: fn(&File) -> io::Result<()>,
    folder: fn(&File) -> io::Result<()>,
}

/// `fdatasync` writes the size along with the data, which is all that reading a new file back needs.
const SYNCS: Syncs = Syncs { file: File::sync_data, folder: File::sync_all };

impl LocalBlobs {
    /// Opens the directory, and makes it and its 256 folders if they are not there. Its parent has to exist.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::Full`].
    pub fn open(directory: &Path, options: &Options) -> Result<LocalBlobs, Error> {
        LocalBlobs::with_syncs(directory, options, SYNCS)
    }

    fn with_syncs(directory: &Path, options: &Options, syncs: Syncs) -> Result<LocalBlobs, Error> {
        make_folders(directory, syncs).map_err(Error::from_write)?;
        Ok(LocalBlobs(Arc::new(Shared {
            directory: directory.to_owned(),
            buffers: BufferPool::new(options.idle_buffers),
            reads: Arc::new(Semaphore::new(options.concurrent_reads)),
            writes: Arc::new(Semaphore::new(options.concurrent_writes)),
            poisoned: AtomicBool::new(false),
            direct: AtomicBool::new(true),
            syncs,
        })))
    }
}

#[async_trait]
impl Blobs for LocalBlobs {
    async fn create(&self, id: BlobId) -> Result<Box<dyn Writer>, Error> {
        self.0.check_writable()?;
        Ok(Box::new(writer::LocalWriter::new(Arc::clone(&self.0), id)))
    }

    async fn open(&self, id: BlobId) -> Result<Box<dyn Reader>, Error> {
        let shared = Arc::clone(&self.0);
        let reader = run(&self.0.reads, move || reader::LocalReader::open(shared, id)).await?;
        Ok(Box::new(reader))
    }

    async fn delete(&self, id: BlobId) -> Result<(), Error> {
        self.0.check_writable()?;
        let path = self.0.path(id);
        run(&self.0.writes, move || match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::Io(error)),
            _ => Ok(()),
        })
        .await
    }

    async fn list(&self, after: Option<BlobId>, limit: usize) -> Result<Vec<Entry>, Error> {
        let shared = Arc::clone(&self.0);
        run(&self.0.reads, move || shared.list(after, limit)).await
    }

    fn buffers(&self) -> &BufferPool {
        &self.0.buffers
    }

    fn poisoned(&self) -> bool {
        self.0.poisoned.load(Ordering::Acquire)
    }
}

impl Shared {
    fn folder(&self, first: u8) -> PathBuf {
        self.directory.join(format!("{first:02x}"))
    }

    fn path(&self, id: BlobId) -> PathBuf {
        self.folder(id.as_bytes()[0]).join(id.to_string())
    }

    fn check_writable(&self) -> Result<(), Error> {
        if self.poisoned.load(Ordering::Acquire) { Err(Error::Poisoned) } else { Ok(()) }
    }

    fn poison(&self, what: &str, error: &io::Error) {
        self.poisoned.store(true, Ordering::Release);
        tracing::error!(%error, what, "a sync failed: no more blobs are written until the server is started anew");
    }

    fn list(&self, after: Option<BlobId>, limit: usize) -> Result<Vec<Entry>, Error> {
        let first_folder = after.map_or(0, |id| id.as_bytes()[0]);
        let mut entries = Vec::new();
        for folder in first_folder..=u8::MAX {
            if entries.len() == limit {
                break;
            }
            let mut ids = self.ids(folder)?;
            ids.retain(|id| after.is_none_or(|after| *id > after));
            ids.sort_unstable();
            for id in ids {
                if entries.len() == limit {
                    break;
                }
                match fs::metadata(self.path(id)) {
                    Ok(metadata) => entries.push(Entry {
                        id,
                        modified: metadata.modified()?,
                        len: metadata.len().saturating_sub(HEADER_LEN as u64),
                    }),
                    // Deleted since the folder was read.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(entries)
    }

    /// The blobs of a folder. Files with other names are not ours, and are left alone.
    fn ids(&self, folder: u8) -> Result<Vec<BlobId>, Error> {
        let mut ids = Vec::new();
        for entry in fs::read_dir(self.folder(folder))? {
            let name = entry?.file_name();
            match BlobId::parse(name.as_encoded_bytes()) {
                Some(id) if id.as_bytes()[0] == folder => ids.push(id),
                _ => tracing::debug!(?name, folder, "not a blob"),
            }
        }
        Ok(ids)
    }
}

/// Runs what may wait for the disk. The permit goes along, so that a cancelled caller does not make room before the disk does.
async fn run<T, F>(permits: &Arc<Semaphore>, job: F) -> Result<T, Error>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, Error> + Send + 'static,
{
    let permit = acquire(permits).await;
    let job = spawn_blocking(move || {
        let result = job();
        drop(permit);
        result
    });
    job.await.unwrap_or_else(|error| Err(stopped(&error)))
}

async fn acquire(permits: &Arc<Semaphore>) -> OwnedSemaphorePermit {
    Arc::clone(permits).acquire_owned().await.expect("nobody closes the semaphore")
}

/// The job did not come to its end: it panicked, or the runtime is shutting down.
fn stopped(error: &JoinError) -> Error {
    Error::Io(io::Error::other(error.to_string()))
}

fn make_folders(directory: &Path, syncs: Syncs) -> io::Result<()> {
    let mut made = make_folder(directory)?;
    if made && let Some(parent) = directory.parent() {
        let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        (syncs.folder)(&File::open(parent)?)?;
    }
    for first in 0..=u8::MAX {
        made |= make_folder(&directory.join(format!("{first:02x}")))?;
    }
    if made {
        (syncs.folder)(&File::open(directory)?)?;
    }
    Ok(())
}

/// Whether it was not there before.
fn make_folder(path: &Path) -> io::Result<bool> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
