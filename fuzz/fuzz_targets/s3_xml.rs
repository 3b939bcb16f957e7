//! Whatever a stranger sends as a document of S3: reading it never panics, never expands, and what is written reads back.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| gateway::s3::fuzzing::documents(bytes));
