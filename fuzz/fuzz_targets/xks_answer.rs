//! Whatever an external key store proxy answers: never a panic, never a text of another length than was asked for.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u16, u8, &[u8])| {
    let (status, length, body) = input;
    xks::read_answer(status, body, b"additional data", length.into());
});
