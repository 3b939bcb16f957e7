//! Reading a file.

use std::fs::File;
use std::io::{self, IoSliceMut};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use async_trait::async_trait;
use rustix::io::{Errno, ReadWriteFlags};

use super::{Shared, run};
use crate::format::{self, HEADER_LEN};
use crate::{BlobId, Buffer, Error, Reader};

pub(super) struct LocalReader {
    shared: Arc<Shared>,
    id: BlobId,
    file: Arc<File>,
    len: u64,
}

impl LocalReader {
    pub(super) fn open(shared: Arc<Shared>, id: BlobId) -> Result<LocalReader, Error> {
        let file = File::open(shared.path(id)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Error::NotFound(id),
            _ => Error::Io(error),
        })?;
        let mut header = [0; HEADER_LEN];
        file.read_exact_at(&mut header, 0).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => Error::Damaged { id, reason: "it is shorter than its header" },
            _ => Error::Io(error),
        })?;
        format::check(&header, id).map_err(|reason| Error::Damaged { id, reason })?;
        let len = file.metadata()?.len().saturating_sub(HEADER_LEN as u64);
        Ok(LocalReader { shared, id, file: Arc::new(file), len })
    }
}

#[async_trait]
impl Reader for LocalReader {
    fn len(&self) -> u64 {
        self.len
    }

    async fn read_at(&mut self, offset: u64, mut buffer: Buffer, len: usize) -> Result<Buffer, Error> {
        let id = self.id;
        if offset.checked_add(len as u64).is_none_or(|end| end > self.len) {
            return Err(Error::Truncated(id));
        }
        let start = offset + HEADER_LEN as u64;
        let cached = read_cached(&self.file, start, buffer.overwrite(len));
        if cached == len {
            return Ok(buffer);
        }
        let file = Arc::clone(&self.file);
        run(&self.shared.reads, move || match file.read_exact_at(&mut buffer[cached..], start + cached as u64) {
            Ok(()) => Ok(buffer),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(Error::Truncated(id)),
            Err(error) => Err(Error::Io(error)),
        })
        .await
    }
}

/// Copies what the page cache holds, without waiting for the disk, and says how many bytes that was. A read that does not wait
/// needs no other thread, and most reads of a busy store are such.
fn read_cached(file: &File, start: u64, into: &mut [u8]) -> usize {
    let mut done = 0;
    while done < into.len() {
        let rest = &mut [IoSliceMut::new(&mut into[done..])];
        match rustix::io::preadv2(file, rest, start + done as u64, ReadWriteFlags::NOWAIT) {
            Err(Errno::INTR) => {}
            // AGAIN: not in the cache. Anything else, the reading that waits will find again and report.
            Ok(0) | Err(_) => break,
            Ok(count) => done += count,
        }
    }
    done
}
