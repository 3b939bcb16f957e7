//! What can go wrong with the log.

/// Why the log refused or failed. Says nothing of what is in a record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The store refused or failed: among others [`meta::Error::Full`], no room on the disk.
    #[error("the audit log: {0}")]
    Store(#[from] meta::Error),
    /// A row does not open, or says what cannot be.
    #[error("the audit log is damaged: {0}")]
    Damaged(String),
    /// Somebody else has written to this log. Nothing more is recorded until the log is opened anew.
    #[error("another process has written to the audit log")]
    AnotherWriter,
    /// An event is too large to be recorded.
    #[error("an event of {size} bytes is over the limit of {limit}")]
    TooLarge {
        /// Its bytes.
        size: usize,
        /// The most there may be.
        limit: usize,
    },
    /// A token of a lookup that we did not give, or gave for another query.
    #[error("the token is not of this query")]
    InvalidToken,
    /// The log was closed.
    #[error("the audit log is closed")]
    Closed,
}
