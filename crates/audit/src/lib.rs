//! The event log: who did what, and proof that nobody has edited it.
//!
//! An [`Event`] is a finished CloudTrail record with what it is found by. [`Audit::record`] ends when its events are durable (strict
//! mode): all that wait go into one block, hashed into a chain, sealed, one row in one commit. [`Audit::lookup`] finds them again,
//! newest first; [`Audit::read`] hands them on in order, for trails; [`Audit::verify`] holds the chain against every stored byte.
//!
//! ```text
//! E_n    = an event, encoded with its record                        n counts from 1 without gaps
//! H_0    = SHA-256("strongroom audit log v1" ‖ number of the log)
//! H_n    = SHA-256(H_{n-1} ‖ n ‖ SHA-256(E_n))
//! block  = first n ‖ count ‖ H_{first-1} ‖ H_last ‖ events, compressed      sealed, bound to its row key
//! ```
//!
//! The rows byte by byte: docs/formats/audit-log.md. The crate knows no HTTP and does not know what is in a record.

mod block;
mod chain;
mod codec;
mod committer;
mod cursor;
mod encoding;
mod error;
mod event;
mod head;
mod index;
mod log;
mod lookup;
mod query;
mod read;
mod retention;
mod rows;
pub mod trail;
mod verify;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use chain::{Hash, InvalidLink, Link};
pub use error::Error;
pub use event::{Category, Event, MAX_RECORD, Resource, Searchable, Stored};
pub use log::{Audit, Mode, Settings};
pub use query::{Attribute, MAX_PAGE, Page, Query};
pub use read::{Batch, events_from};
pub use verify::{Finding, MAX_FINDINGS, Report, verify};
