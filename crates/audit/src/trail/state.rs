//! How far the delivery of a trail's events is, in one Region.

use keys::Timestamp;
use serde::{Deserialize, Serialize};

/// What delivery remembers between its steps, all in one row.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// The number of the event log to read on from.
    pub next: u64,
    /// A log file that is being delivered: made again from this, byte by byte, if a crash comes between.
    pub file: Option<Intent>,
    /// When the delivery of a log file was last tried.
    #[serde(default)]
    pub attempted: Option<Timestamp>,
    /// When a log file was last delivered.
    pub delivered: Option<Timestamp>,
    /// Why the last attempt failed: an S3 error code.
    pub error: Option<String>,
    /// The digest that is next.
    pub digest: Option<DigestState>,
    /// When a digest was last delivered.
    pub digest_delivered: Option<Timestamp>,
    /// Why the last attempt failed.
    pub digest_error: Option<String>,
}

/// A log file that was announced.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Intent {
    /// When, which its name tells.
    pub at: Timestamp,
    /// The first number of the event log that it may hold, and one more than the last.
    pub from: u64,
    /// See `from`.
    pub until: u64,
}

/// A digest in the making.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DigestState {
    /// The chain that it belongs to ([`Trail::chain`](super::Trail::chain)).
    pub chain: u64,
    /// From when on files count.
    pub start: Timestamp,
    /// Up to when, once that is settled: it is signed over, so it must not change when the delivery is repeated.
    pub end: Option<Timestamp>,
    /// The key that signs it, settled with the end.
    pub signer: Option<String>,
    /// The files.
    pub files: Vec<Delivered>,
    /// The one before.
    pub previous: Option<Previous>,
}

/// A delivered log file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Delivered {
    /// The bucket.
    pub bucket: String,
    /// The object.
    pub object: String,
    /// SHA-256 of its content before compression, in hexadecimal.
    pub hash: String,
    /// Of its newest event.
    pub newest: Timestamp,
    /// Of its oldest event.
    pub oldest: Timestamp,
}

/// A digest that is followed by another.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Previous {
    /// The bucket.
    pub bucket: String,
    /// The object.
    pub object: String,
    /// SHA-256 of its content before compression, in hexadecimal.
    pub hash: String,
    /// Its signature, in hexadecimal.
    pub signature: String,
}
