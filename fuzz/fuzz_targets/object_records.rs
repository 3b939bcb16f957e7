//! What lies inside the seal of the store's rows: every record of the S3 domain decodes or is refused, and never panics.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    objects::decode_any(bytes);
});
