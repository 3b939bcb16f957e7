//! Key material through its public calls, and against OpenSSL.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;
mod hostile;
mod keys;
mod openssl;
