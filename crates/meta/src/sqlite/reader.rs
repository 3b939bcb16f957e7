//! Connections that read.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use rusqlite::Connection;

use super::{fault, schema};
use crate::Error;

/// Connections that read side by side. A read takes microseconds, so a few serve every task.
const READERS: usize = 4;

/// Bytes of page cache a reader may fill. It is dropped whenever somebody has committed, so a large one would not help: what
/// makes reads fast is the kernel's page cache.
const CACHE: u32 = 512 * 1024;

/// A fixed set of connections.
pub(super) struct Readers {
    connections: [Mutex<Option<Connection>>; READERS],
    next: AtomicUsize,
}

impl Readers {
    pub(super) fn open(database: &Path) -> Result<Readers, Error> {
        let mut connections: [Mutex<Option<Connection>>; READERS] = Default::default();
        for slot in &mut connections {
            let connection = schema::connect(database, CACHE)?;
            let forbid = connection.pragma_update(None, "query_only", true);
            forbid.map_err(|error| fault::of_read(&error))?;
            *slot = Mutex::new(Some(connection));
        }
        Ok(Readers { connections, next: AtomicUsize::new(0) })
    }

    /// Runs `read` with a connection that nobody else uses meanwhile.
    ///
    /// It runs on the calling task's thread. A hot read takes some 5 µs; handing it to a blocking thread and back costs
    /// several times that (see docs/formats/metadata-store.md), and a cold one waits for three or four pages of the disk.
    pub(super) fn with<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Error> {
        let slot = self.idle();
        let connection = slot.as_ref().ok_or(Error::Closed)?;
        read(connection).map_err(|error| fault::of_read(&error))
    }

    /// Closes all, once their reads have ended.
    pub(super) fn close(&self) {
        for connection in &self.connections {
            lock(connection).take();
        }
    }

    fn idle(&self) -> MutexGuard<'_, Option<Connection>> {
        for connection in &self.connections {
            match connection.try_lock() {
                Ok(guard) => return guard,
                // A read panicked; the connection itself is whole, its statements are reset when they are dropped.
                Err(TryLockError::Poisoned(poisoned)) => return poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % READERS;
        lock(&self.connections[turn])
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
