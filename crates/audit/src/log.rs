//! The log as its users see it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use keys::{Clock, Keys, Timestamp};
use meta::Store;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::chain::Link;
use crate::committer::{Committer, Queue};
use crate::encoding::Encoded;
use crate::error::Error;
use crate::event::Event;
use crate::head;
use crate::index::Index;

/// The event log of a store. One for all accounts and Regions.
pub struct Audit {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) keys: Arc<Keys>,
    pub(crate) settings: Settings,
    pub(crate) index: Arc<Index>,
    pub(crate) newest: watch::Receiver<u64>,
    /// Held while blocks are removed, and while somebody relies on their staying.
    pub(crate) pruning: tokio::sync::Mutex<()>,
    queue: Arc<Queue>,
    tasks: Mutex<Option<Tasks>>,
}

struct Tasks {
    committer: JoinHandle<()>,
    index: JoinHandle<()>,
}

/// How the log is kept.
#[derive(Clone)]
pub struct Settings {
    /// Whether an answer waits for its record.
    pub mode: Mode,
    /// How long events are kept. LookupEvents looks back 90 days, so no less.
    pub retention: Duration,
    /// The time of day, for retention.
    pub clock: Clock,
}

/// Whether an answer waits for its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// [`Audit::record`] ends when the events are durable, and fails if they could not be written.
    Strict,
    /// [`Audit::record`] ends at once; the events are written within half a second. A crash loses those that are not. While they cannot
    /// be written (a full disk), 8 MiB of them wait, then recording waits and fails as in strict mode.
    Relaxed,
}

impl Audit {
    /// Opens the log of a store, within a tokio runtime. Writes nothing: the first block is written with the first event. Reads the
    /// newest block alone; the rest of the index is made beside the requests, and lookups wait for it.
    ///
    /// # Errors
    /// [`Error::Damaged`] if the newest block is not the one that the head names: to go on would hide that blocks were removed.
    /// A failing store.
    pub async fn open(store: Arc<dyn Store>, keys: Arc<Keys>, settings: Settings) -> Result<Arc<Self>, Error> {
        let head: Link = head::checked_head(&*store, &keys).await?;
        let anchor = head::anchor(&*store, &keys).await?;
        let index = Arc::new(Index::new(Arc::clone(&store), Arc::clone(&keys)));
        let queue = Arc::new(Queue::default());
        let (sender, newest) = watch::channel(head.number);
        let committer = Committer {
            store: Arc::clone(&store),
            keys: Arc::clone(&keys),
            index: Arc::clone(&index),
            queue: Arc::clone(&queue),
            newest: sender,
            head,
            pending: None,
        };
        let tasks = Tasks {
            committer: tokio::spawn(committer.run()),
            index: tokio::spawn(Arc::clone(&index).run(anchor.number + 1, head.number)),
        };
        let (tasks, pruning) = (Mutex::new(Some(tasks)), tokio::sync::Mutex::default());
        Ok(Arc::new(Self { store, keys, settings, index, newest, pruning, queue, tasks }))
    }

    /// Records events, in this order and next to each other. In strict mode they are durable when this returns `Ok`; after an error
    /// none of them is in the log, unless the store failed in a way that leaves open what reached the disk. Dropped before its end, it
    /// records them all the same.
    ///
    /// # Errors
    /// [`Error::TooLarge`]; a failing store: the request has to fail then.
    pub async fn record(&self, events: Vec<Event>) -> Result<(), Error> {
        self.record_in(self.settings.mode, events).await
    }

    /// The same, durable when it returns `Ok` whatever the log's mode: for who takes that as leave to forget them.
    ///
    /// # Errors
    /// As [`Audit::record`].
    pub async fn record_durably(&self, events: Vec<Event>) -> Result<(), Error> {
        self.record_in(Mode::Strict, events).await
    }

    async fn record_in(&self, mode: Mode, events: Vec<Event>) -> Result<(), Error> {
        if events.is_empty() {
            return Ok(());
        }
        let encoded = events.iter().map(Encoded::of).collect::<Result<Vec<_>, _>>()?;
        match self.queue.push(encoded, mode)? {
            None => Ok(()),
            // The committer drops a call without an answer only if it ends by a panic.
            Some(answered) => answered.await.unwrap_or(Err(Error::Closed)),
        }
    }

    /// The number of the newest durable event; 0 if there is none. [`watch::Receiver::changed`] tells of more.
    pub fn newest(&self) -> watch::Receiver<u64> {
        self.newest.clone()
    }

    /// Writes what waits, and ends. Afterwards [`Audit::record`] answers [`Error::Closed`].
    pub async fn close(&self) {
        self.queue.close();
        let tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Tasks { committer, index }) = tasks {
            if committer.await.is_err() {
                tracing::error!("the task that writes the audit log has panicked");
            }
            // What it has not written is made again at the next start.
            index.abort();
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from((self.settings.clock)())
    }
}

impl Drop for Audit {
    fn drop(&mut self) {
        self.queue.close();
        if let Some(tasks) = self.tasks.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            tasks.index.abort();
        }
    }
}
