//! The gateway over a connection: authentication, bodies, services, limits.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod authentication;
mod body;
mod connection;
mod kms;
mod operations;
mod s3;
mod support;
mod throttle;
