//! The KMS domain through its public calls, over the store in memory.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, reason = "a test may panic and is nobody's API")]

mod access;
mod aliases;
mod asymmetric;
mod cryptography;
mod deletion;
mod fixture;
mod grants;
mod identity;
mod import;
mod import_model;
mod last_usage;
mod lifecycle;
mod managed;
mod model;
mod multi_region;
mod multi_region_model;
mod pinned;
mod policies;
mod protection;
mod rotation;
mod states;
mod tags;
mod tampering;
mod vectors;
