//! Named cases out of AWS's documentation. Each table says which page its cases stem from: `IAM` is the IAM User Guide, `S3` the S3
//! User Guide, `KMS` the KMS Developer Guide, `STS` the STS API reference.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../common/mod.rs"]
mod common;

mod combination;
mod conditions;
mod examples;
mod global;
mod malformed;
mod public;
mod statements;
mod told;
