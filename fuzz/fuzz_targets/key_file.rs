//! Only what is byte for byte of the form is a root key file.
#![no_main]

use keys::KeyFile;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let of_the_form =
        data.len() == KeyFile::LEN && data.starts_with(b"SRROOTK\x01") && data[8..].iter().any(|&byte| byte != 0);
    assert_eq!(KeyFile::parse(data).is_some(), of_the_form);
});
