//! The object store through its public calls, over maps and a temporary directory.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, reason = "a test may panic and is nobody's API")]

mod access;
mod conditions;
mod listing;
mod modes;
mod multipart;
mod scrub;
mod support;
mod sweep;
mod tampering;
