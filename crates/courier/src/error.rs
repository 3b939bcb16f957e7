use std::time::Duration;

/// Why there is no answer. What a service answered, be it an error, is an [`crate::Answer`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The name has no address, or nobody listens there, or no connection came about in time.
    #[error("cannot reach {to}: {reason}")]
    Unreachable {
        /// Host and port.
        to: String,
        /// What the system said.
        reason: String,
    },
    /// Somebody listens, but does not speak TLS as we do, or has no certificate that we trust for this name.
    #[error("no TLS with {to}: {reason}")]
    Tls {
        /// Host and port.
        to: String,
        /// What was wrong.
        reason: String,
    },
    /// Connected, and no whole answer came in time.
    #[error("{to} did not answer within {} ms", limit.as_millis())]
    TimedOut {
        /// Host and port.
        to: String,
        /// The time that it had.
        limit: Duration,
    },
    /// The connection ended before the answer did.
    #[error("{to} closed the connection before its answer was whole")]
    Disconnected {
        /// Host and port.
        to: String,
    },
    /// The answer is not HTTP.
    #[error("{to} gave an answer that is not HTTP: {reason}")]
    Malformed {
        /// Host and port.
        to: String,
        /// What was wrong.
        reason: String,
    },
    /// The answer's body is longer than the limit.
    #[error("{to} gave an answer of more than {limit} bytes")]
    TooLarge {
        /// Host and port.
        to: String,
        /// The limit in bytes.
        limit: usize,
    },
    /// The path or a header cannot be sent.
    #[error("the request cannot be sent: {0}")]
    Request(String),
}
