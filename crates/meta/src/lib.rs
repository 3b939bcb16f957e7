//! The metadata store: ordered byte records, transactions with preconditions, one sync for all that wait.
//!
//! A store is a fixed set of [`Table`]s; a table maps keys to records in the order of their bytes (memcmp). A record is a
//! small value, which scans return, and an optional larger body, which they never touch. Everything that changes goes through
//! [`Store::commit`]: a [`Transaction`] names what it expects to find and what it writes, happens wholly or not at all, and is
//! durable when the call returns.
//!
//! The crate knows no rule of objects or keys, and nothing of SQLite shows outside [`sqlite`]. [`memory`] is the same
//! contract over maps, for tests. `conformance` (feature of that name) is the contract as tests; every backend passes it.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! use meta::{Store, Table, Transaction};
//! let store = meta::memory::Memory::new();
//! let create = Transaction::new().expect_absent(Table::Bucket, "photos").put(Table::Bucket, "photos", "a record");
//! store.commit(create.clone()).await?;
//! assert_eq!(store.commit(create).await, Err(meta::Error::Conflict { expect: 0 }));
//! # Ok::<(), meta::Error>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod record;
mod transaction;

#[cfg(feature = "conformance")]
pub mod conformance;
pub mod memory;
pub mod sqlite;

pub use error::Error;
pub use record::{Order, Range, Record, Row, Table};
pub use transaction::{Expect, MAX_BODY, MAX_KEY, MAX_OPERATIONS, MAX_TRANSACTION, MAX_VALUE, Transaction, Write};

use async_trait::async_trait;
use bytes::Bytes;

/// An ordered record store. Shared as `Arc<dyn Store>`; every method may be called from any number of tasks.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// The value under `key`, without its body.
    async fn get(&self, table: Table, key: &[u8]) -> Result<Option<Bytes>, Error>;

    /// The value under `key` with its body, both from the same moment.
    async fn record(&self, table: Table, key: &[u8]) -> Result<Option<Record>, Error>;

    /// At most `limit` rows of `range`, from its start or (descending) from its end. Fewer rows than `limit` mean that the
    /// range has no more. A long scan is made in steps: a row that is committed while it runs may or may not be in it, but
    /// every row that stood throughout is there once, in order.
    async fn scan(&self, table: Table, range: &Range, order: Order, limit: usize) -> Result<Vec<Row>, Error>;

    /// Checks every expectation against the state before the transaction, then makes all writes; durable when this
    /// returns `Ok`, without any trace when it returns [`Error::Conflict`], [`Error::Full`] or [`Error::TooLarge`]. After
    /// [`Error::Poisoned`] or [`Error::Io`], or when the future is dropped before its end, the transaction may have happened.
    async fn commit(&self, transaction: Transaction) -> Result<(), Error>;

    /// What the store has done since it was opened.
    fn statistics(&self) -> Statistics;

    /// Finishes what is queued and lets go of the files. Afterwards everything answers [`Error::Closed`].
    async fn close(&self);
}

/// Counters since the store was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Transactions that were committed.
    pub transactions: u64,
    /// Transactions that were refused because an expectation did not hold.
    pub conflicts: u64,
    /// Commits of the engine, each of one or more transactions.
    pub groups: u64,
    /// Syncs to the disk: one a group, and those of checkpoints as far as the store can see them.
    pub syncs: u64,
    /// Times that the write-ahead log was carried over into the main file.
    pub checkpoints: u64,
}
