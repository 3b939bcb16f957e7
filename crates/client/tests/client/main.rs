//! What the library promises, asked through its public calls; and the vectors of AWS's own clients.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod archive;
mod caching;
mod hostile;
mod kms;
mod messages;
mod object_contents;
mod object_keys;
mod object_labels;
mod object_metadata;
mod object_ranges;
mod object_release;
mod object_support;
mod object_vectors;
mod raw_rsa;
mod release;
mod settings;
mod support;
mod tries;
mod vectors;
