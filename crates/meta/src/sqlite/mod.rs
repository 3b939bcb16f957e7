//! The embedded backend: one SQLite database, one thread that commits, a few connections that read.

mod committer;
mod fault;
mod reader;
mod reserve;
mod schema;
mod statement;

use std::fs::File;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use crate::{Error, Order, Range, Record, Row, Statistics, Store, Table, Transaction};
use committer::{Committer, Message, Request, Shared};
use reader::Readers;
use reserve::Reserve;

/// Rows of one step of a scan. A step is one read on the caller's thread, and between two of them other tasks run; at
/// 1 to 2 µs a row this stays below half a millisecond.
const SCAN_STEP: usize = 256;

/// Bytes at which a step ends early.
const SCAN_STEP_BYTES: usize = 256 * 1024;

/// How to open a store. The defaults are what the measurements in docs/formats/metadata-store.md chose.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// Bytes of page cache that the committing connection may fill: the inner pages of a tree of millions of records and
    /// its hot leaves. 8 MiB by default.
    pub cache: u32,
}

impl Default for Options {
    fn default() -> Options {
        Options { cache: 8 * 1024 * 1024 }
    }
}

/// A store in a SQLite database. See docs/formats/metadata-store.md for the file and for why it is set up as it is.
///
/// Dropping it finishes what is queued too, but blocks meanwhile; [`Store::close`] does not.
pub struct Sqlite {
    // First to be dropped: the committer ends when nobody can queue any more.
    queue: mpsc::Sender<Message>,
    readers: Readers,
    shared: Arc<Shared>,
    held: Mutex<Option<Held>>,
}

/// What a store holds until it is closed.
struct Held {
    committer: Option<JoinHandle<()>>,
    _lock: File,
}

impl Sqlite {
    /// Opens the database at `path`, or makes it. Blocks on the disk.
    ///
    /// # Errors
    /// [`Error::InUse`] while another process has it open, [`Error::UnknownVersion`] if a newer Strongroom wrote it,
    /// [`Error::Corrupt`] if it is something else, [`Error::Io`] and [`Error::Full`] as they come.
    pub fn open(path: &Path, options: Options) -> Result<Sqlite, Error> {
        let lock = schema::lock(path)?;
        let mut connection = schema::connect(path, options.cache)?;
        schema::prepare(&mut connection, path)?;
        let readers = Readers::open(path)?;
        let shared = Arc::new(Shared::default());
        let reserve = Reserve::new(schema::beside(path, "-reserve"));
        let (queue, waiting) = mpsc::channel(committer::QUEUE);
        let committer = Committer::new(connection, waiting, Arc::clone(&shared), reserve)?;
        let committer = std::thread::Builder::new()
            .name("meta-committer".to_owned())
            .spawn(move || committer.run())
            .map_err(|error| Error::Io(error.to_string()))?;
        Ok(Sqlite { queue, readers, shared, held: Mutex::new(Some(Held { committer: Some(committer), _lock: lock })) })
    }
}

#[async_trait]
impl Store for Sqlite {
    async fn get(&self, table: Table, key: &[u8]) -> Result<Option<Bytes>, Error> {
        self.readers.with(|it| statement::value(it, table, key))
    }

    async fn record(&self, table: Table, key: &[u8]) -> Result<Option<Record>, Error> {
        self.readers.with(|it| statement::record(it, table, key))
    }

    async fn scan(&self, table: Table, range: &Range, order: Order, limit: usize) -> Result<Vec<Row>, Error> {
        let mut rows = Vec::new();
        let mut rest = range.clone();
        while rows.len() < limit {
            let step = SCAN_STEP.min(limit - rows.len());
            let exhausted =
                self.readers.with(|it| statement::scan(it, table, &rest, order, step, SCAN_STEP_BYTES, &mut rows))?;
            let Some(last) = rows.last().filter(|_| !exhausted && rows.len() < limit) else {
                break;
            };
            rest = match order {
                Order::Ascending => rest.after(&last.key),
                Order::Descending => rest.before(&last.key),
            };
            tokio::task::yield_now().await;
        }
        Ok(rows)
    }

    async fn commit(&self, transaction: Transaction) -> Result<(), Error> {
        let bytes = transaction.measure()?;
        if self.shared.poisoned.load(Ordering::Acquire) {
            return Err(Error::Poisoned);
        }
        let (answer, answered) = oneshot::channel();
        let request = Request { transaction, bytes, answer };
        let queued = self.queue.send(Message::Commit(request)).await;
        queued.map_err(|_| Error::Closed)?;
        // The committer drops a request without an answer only if it panics.
        answered.await.unwrap_or(Err(Error::Poisoned))
    }

    fn statistics(&self) -> Statistics {
        self.shared.statistics()
    }

    async fn close(&self) {
        let _ = self.queue.send(Message::Close).await;
        self.queue.closed().await;
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.readers.close();
        // Joins the committer, which may be carrying the log over.
        let _ = tokio::task::spawn_blocking(move || drop(held)).await;
    }
}

impl Drop for Held {
    /// Lets go of the lock only when the committer has ended.
    fn drop(&mut self) {
        let ended = self.committer.take().map(JoinHandle::join);
        if let Some(Err(_)) = ended {
            tracing::error!("the metadata store's committer panicked");
        }
    }
}
