//! No bytes make the header's parser or `open` panic, and none but what was sealed opens.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seal::SecretKey;
use seal::envelope::{Envelope, Label, parse_header};
use std::sync::LazyLock;

static KEY: LazyLock<Envelope> = LazyLock::new(|| Envelope::new(&SecretKey::generate()));

fuzz_target!(|data: &[u8]| {
    for label in [Label::Kms, Label::Material, Label::DomainKey, Label::Record, Label::ObjectKey] {
        assert!(KEY.open(label, b"", data).is_err(), "made without the key");
    }
    if let Ok(header) = parse_header(data) {
        assert!(data.windows(header.fields.len().max(1)).any(|w| header.fields.is_empty() || w == header.fields));
    }

    // What was sealed, with one byte changed: the first byte says where, the second how.
    if let [at, change, rest @ ..] = data {
        let (fields, plaintext) = rest.split_at(rest.len().min(usize::from(*at)) / 2);
        let mut blob = KEY.seal(Label::Kms, fields, b"aad", plaintext);
        assert!(KEY.open(Label::Kms, b"aad", &blob).is_ok_and(|opened| *opened == plaintext));
        let at = usize::from(*at) % blob.len();
        blob[at] ^= change;
        assert_eq!(KEY.open(Label::Kms, b"aad", &blob).is_ok(), *change == 0);
    }
});
