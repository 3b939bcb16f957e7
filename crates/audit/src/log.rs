//! The log as its users see it.

use std::sync::Arc;
use std::time::Duration;

use keys::{Clock, Keys};
use meta::Store;
use tokio::sync::watch;

use crate::error::Error;
use crate::event::{Event, Stored};
use crate::query::{Page, Query};

/// The event log of a store. One for all accounts and Regions.
pub struct Audit {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) keys: Arc<Keys>,
    pub(crate) settings: Settings,
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
    /// [`Audit::record`] ends at once; the events are written within a second. A crash loses those that are not.
    Relaxed,
}

/// A piece of the log, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The events that were wanted.
    pub events: Vec<Stored>,
    /// Where to read on: one more than the last number that was looked at.
    pub next: u64,
    /// Whether this was the end of the log, for now.
    pub end: bool,
}

#[allow(clippy::todo, clippy::unused_async, unused_variables, reason = "being built")]
impl Audit {
    /// Opens the log of a store. Writes nothing: the first block is written with the first event.
    ///
    /// # Errors
    /// A failing store; a damaged head.
    pub async fn open(store: Arc<dyn Store>, keys: Arc<Keys>, settings: Settings) -> Result<Arc<Self>, Error> {
        Ok(Arc::new(Self { store, keys, settings }))
    }

    /// Records events, in this order and next to each other. In strict mode they are durable when this returns `Ok`; after an error
    /// none of them is in the log, unless the store was poisoned by it.
    ///
    /// # Errors
    /// [`Error::TooLarge`]; a failing store: the request has to fail then.
    pub async fn record(&self, events: Vec<Event>) -> Result<(), Error> {
        todo!()
    }

    /// The number of the newest durable event; 0 if there is none. [`watch::Receiver::changed`] tells of more.
    pub fn newest(&self) -> watch::Receiver<u64> {
        todo!()
    }

    /// LookupEvents.
    ///
    /// # Errors
    /// [`Error::InvalidToken`]; a failing store.
    pub async fn lookup(&self, query: &Query) -> Result<Page, Error> {
        todo!()
    }

    /// Reads events from `from` on (or from the oldest that is kept), oldest first: at most `limit` that are `wanted`. Looks at a
    /// bounded number, so a batch may be empty before the end.
    ///
    /// # Errors
    /// A failing store; a damaged block.
    pub async fn read(&self, from: u64, limit: usize, wanted: impl Fn(&Event) -> bool + Send) -> Result<Batch, Error> {
        todo!()
    }

    /// Where the reader of this name has come to ([`Batch::next`]), if it ever said.
    ///
    /// # Errors
    /// A failing store; a damaged row.
    pub async fn cursor(&self, reader: &str) -> Result<Option<u64>, Error> {
        todo!()
    }

    /// Remembers, durably, where the reader of this name has come to.
    ///
    /// # Errors
    /// A failing store.
    pub async fn set_cursor(&self, reader: &str, next: u64) -> Result<(), Error> {
        todo!()
    }

    /// Forgets a reader.
    ///
    /// # Errors
    /// A failing store.
    pub async fn remove_cursor(&self, reader: &str) -> Result<(), Error> {
        todo!()
    }

    /// Writes what waits, in relaxed mode, and ends. Afterwards [`Audit::record`] answers [`Error::Closed`].
    pub async fn close(&self) {
        todo!()
    }
}
