//! Writing a file, one write behind the caller.
//!
//! What a caller hands over is written while it fills the next buffer. The first buffer is held back until there is a second one or
//! the end: a blob of one buffer is created, written and synced in a single trip to a blocking thread.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::runtime::Handle;
use tokio::task::{JoinHandle, spawn_blocking};

use super::{Shared, acquire, run, stopped};
use crate::{BlobId, Buffer, Crc64, Error, Writer, Written, format};

pub(super) struct LocalWriter {
    shared: Arc<Shared>,
    stage: Stage,
}

/// A call takes the stage and leaves `Broken` in its place until it knows the next one, so a cancelled or failed call ends the writer.
enum Stage {
    Idle { file: Box<Unfinished>, held: Option<Buffer>, spare: Buffer },
    Busy(JoinHandle<Result<(Box<Unfinished>, Buffer), Error>>),
    Broken,
}

impl LocalWriter {
    pub(super) fn new(shared: Arc<Shared>, id: BlobId) -> LocalWriter {
        let file = Box::new(Unfinished { id, path: shared.path(id), file: None, crc: Crc64::new(), len: 0 });
        LocalWriter { stage: Stage::Idle { file, held: None, spare: shared.buffers.take() }, shared }
    }

    /// Waits for the write under way.
    async fn settle(&mut self) -> Result<(Box<Unfinished>, Option<Buffer>, Buffer), Error> {
        if let Stage::Busy(job) = &mut self.stage {
            let result = job.await;
            self.stage = Stage::Broken;
            let (file, spare) = result.unwrap_or_else(|error| Err(stopped(&error)))?;
            return Ok((file, None, spare));
        }
        match std::mem::replace(&mut self.stage, Stage::Broken) {
            Stage::Idle { file, held, spare } => Ok((file, held, spare)),
            Stage::Busy(_) | Stage::Broken => Err(Error::Interrupted),
        }
    }
}

#[async_trait]
impl Writer for LocalWriter {
    async fn write(&mut self, buffer: Buffer) -> Result<Buffer, Error> {
        let (mut file, held, spare) = self.settle().await?;
        self.shared.check_writable()?;
        if held.is_none() && file.file.is_none() {
            self.stage = Stage::Idle { file, held: Some(buffer), spare: Buffer::default() };
            return Ok(spare);
        }
        let permit = acquire(&self.shared.writes).await;
        let spare = if held.is_some() { self.shared.buffers.take() } else { spare };
        self.stage = Stage::Busy(spawn_blocking(move || {
            let _permit = permit;
            let mut buffer = buffer;
            if let Some(held) = held {
                file.append(&held)?;
            }
            file.append(&buffer)?;
            buffer.clear();
            Ok((file, buffer))
        }));
        Ok(spare)
    }

    async fn finish(mut self: Box<Self>) -> Result<Written, Error> {
        let (mut file, held, _) = self.settle().await?;
        let shared = Arc::clone(&self.shared);
        run(&self.shared.writes, move || {
            shared.check_writable()?;
            file.append(held.as_deref().unwrap_or_default())?;
            file.finish(&shared)
        })
        .await
    }
}

/// A file that is removed when this is dropped, unless it was finished.
struct Unfinished {
    id: BlobId,
    path: PathBuf,
    /// Made by the first write.
    file: Option<File>,
    crc: Crc64,
    len: u64,
}

impl Unfinished {
    fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if self.file.is_none() {
            self.file = Some(self.create()?);
            self.put(&format::header(self.id))?;
        }
        self.put(bytes)?;
        self.crc.update(bytes);
        self.len += bytes.len() as u64;
        Ok(())
    }

    fn create(&self) -> Result<File, Error> {
        // std sets O_CLOEXEC on everything it opens.
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.path).map_err(|error| {
            match error.kind() {
                io::ErrorKind::AlreadyExists => Error::Exists(self.id),
                _ => Error::from_write(error),
            }
        })
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let mut file = self.file.as_ref().expect("append has made the file");
        let result = file.write_all(bytes).map_err(Error::from_write);
        if result.is_err() {
            // At once, so that the room is there again before the caller learns that there was none.
            self.remove();
        }
        result
    }

    fn finish(mut self, shared: &Shared) -> Result<Written, Error> {
        let file = self.file.as_ref().expect("append has made the file");
        if let Err(error) = (shared.syncs.file)(file) {
            let error = match Error::from_write(error) {
                // Blocks that are allocated only now found no room. The kernel tells this to the file that lost its data, and that
                // one goes: no other blob is in doubt.
                Error::Full => Error::Full,
                Error::Io(error) => {
                    shared.poison("file", &error);
                    Error::Io(error)
                }
                other => other,
            };
            self.remove();
            return Err(error);
        }
        let folder = shared.folder(self.id.as_bytes()[0]);
        if let Err(error) = File::open(folder).and_then(|folder| (shared.syncs.folder)(&folder)) {
            shared.poison("folder", &error);
            self.remove();
            return Err(Error::Io(error));
        }
        self.file = None;
        Ok(Written { len: self.len, crc64: self.crc.value() })
    }

    fn remove(&mut self) {
        if self.file.take().is_some() {
            unlink(&self.path);
        }
    }
}

impl Drop for Unfinished {
    /// Freeing the blocks of a large file takes milliseconds, which no task should have to wait for.
    fn drop(&mut self) {
        let Some(file) = self.file.take() else { return };
        let path = std::mem::take(&mut self.path);
        let remove = move || {
            unlink(&path);
            drop(file);
        };
        match Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(remove)),
            Err(_) => remove(),
        }
    }
}

fn unlink(path: &PathBuf) {
    if let Err(error) = fs::remove_file(path) {
        tracing::warn!(%error, path = %path.display(), "an unfinished blob could not be removed; the sweep will try again");
    }
}
