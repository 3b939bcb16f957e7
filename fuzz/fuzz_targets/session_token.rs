//! The bytes of a session, as they lie in a token that has opened.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| identity::sts::fuzz_session(bytes));
