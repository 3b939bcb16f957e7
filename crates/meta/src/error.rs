//! What can go wrong with a store.

/// Why a store refused or failed. Says nothing of the records' contents.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// An expectation of the transaction did not hold; nothing was written.
    #[error("expectation {expect} of the transaction does not hold")]
    Conflict {
        /// Index into [`Transaction::expects`](crate::Transaction::expects) of the first that failed.
        expect: usize,
    },
    /// No space on the device; nothing was written. Writing works again when there is room.
    #[error("no space left for the metadata store")]
    Full,
    /// A sync or commit failed, so what is on the disk is unknown: the store takes no writes until it is opened anew.
    /// A transaction that was under way when it failed may be found after reopening.
    #[error("the metadata store takes no more writes: a commit failed and what reached the disk is unknown")]
    Poisoned,
    /// The files are not a metadata store, or are damaged.
    #[error("the metadata store is damaged: {0}")]
    Corrupt(String),
    /// Written by a newer Strongroom.
    #[error("the metadata store has format version {found}, this Strongroom knows versions up to {newest}")]
    UnknownVersion {
        /// The version in the file.
        found: i32,
        /// The newest that this build reads.
        newest: i32,
    },
    /// Another process, or another handle of this one, has the store open.
    #[error("the metadata store {0} is in use by another process")]
    InUse(String),
    /// The operating system or the engine failed.
    #[error("the metadata store failed: {0}")]
    Io(String),
    /// A key, value, body or transaction is over its limit.
    #[error("{what} of {size} is over the limit of {limit}")]
    TooLarge {
        /// Which of them: "a key", "a value", "a body" (bytes), "a transaction" (bytes), "the number of operations".
        what: &'static str,
        /// What was asked for.
        size: usize,
        /// The most there may be.
        limit: usize,
    },
    /// The store was closed.
    #[error("the metadata store is closed")]
    Closed,
}
