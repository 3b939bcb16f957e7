//! The clients of S3 and KMS against a server that says what a test tells it to say.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod encryption;
mod instruction;
mod kms;
mod resume;
mod s3;
mod server;
mod store;
mod tls;
