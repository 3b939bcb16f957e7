//! Signature Version 4 through its public calls: AWS's examples and suite, properties, refusals.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod aws_examples;
mod chunked;
mod properties;
mod refusals;
mod suite;
