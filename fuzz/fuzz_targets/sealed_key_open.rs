//! No bytes make the opening of a sealed object key or the reading of a customer key's check panic, and none made without
//! the key open.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seal::customer::CustomerCheck;
use seal::{ObjectBinding, ObjectKey, SecretKey};
use std::sync::LazyLock;

static KEK: LazyLock<SecretKey> = LazyLock::new(SecretKey::generate);

fuzz_target!(|data: &[u8]| {
    let bound = |key| ObjectBinding {
        bucket_id: &[1; 16],
        key,
        version: &[2; 16],
        data_id: &[3; 16],
        mode: 1,
        layer: ObjectBinding::ONLY,
    };
    assert!(ObjectKey::open(&KEK, &bound(b"name"), data).is_err(), "made without the key");
    if let Ok(check) = CustomerCheck::from_bytes(data) {
        assert!(check.to_bytes() == data);
        assert!(check.verify(&KEK).is_err(), "made without the key");
    }

    // Sealed for one name, opened for another.
    let sealed = ObjectKey::generate().seal(&KEK, &bound(data));
    assert!(ObjectKey::open(&KEK, &bound(data), &sealed).is_ok());
    assert_eq!(ObjectKey::open(&KEK, &bound(b"name"), &sealed).is_ok(), data == b"name");
});
