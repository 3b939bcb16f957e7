//! No bytes make the reader of Encryption SDK messages panic, hold more than it may, or give plaintext that was not written.
#![no_main]

use client::message::{
    CommitmentPolicy, Decryptor, EncryptedDataKey, Encryptor, Header, Keyring, Release, Request, Suite, Wrapped,
    plaintext_length,
};
use client::{DataKey, Result};
use libfuzzer_sys::fuzz_target;
use std::io::Read;

/// One data key for everything: whatever is wrapped opens, so that headers are looked at to their end.
struct Open;

impl Keyring for Open {
    fn on_encrypt(&self, request: &Request<'_>, wrapped: &mut Wrapped) -> Result<()> {
        wrapped.data_key = Some(data_key(request));
        wrapped.keys.push(EncryptedDataKey { provider: "x".to_owned(), info: vec![1], ciphertext: vec![2] });
        Ok(())
    }

    fn on_decrypt(&self, request: &Request<'_>, _: &[EncryptedDataKey]) -> Result<DataKey> {
        Ok(data_key(request))
    }
}

fn data_key(request: &Request<'_>) -> DataKey {
    DataKey::from_bytes(vec![7; request.suite.key_length()].into())
}

const HOLD: usize = 4096;

fn decryptor(release: Release) -> Decryptor<Open> {
    Decryptor::new(Open)
        .commitment(CommitmentPolicy::RequireEncryptAllowDecrypt)
        .release(release)
        .frame_limit(1 << 16)
        .hold_limit(HOLD)
}

/// What leaves the reader, in both ways of reading.
fn read(message: &[u8], release: Release) -> (Vec<u8>, bool) {
    let mut plaintext = Vec::new();
    let ended = decryptor(release).start(message).is_ok_and(|mut reader| reader.read_to_end(&mut plaintext).is_ok());
    if release == Release::Verified {
        let whole = decryptor(release).decrypt(message);
        assert!(!ended || whole.is_ok_and(|whole| *whole.plaintext == plaintext));
    }
    (plaintext, ended)
}

fuzz_target!(|data: &[u8]| {
    let _ = Header::inspect(data);
    assert!(plaintext_length(data).unwrap_or(0) <= data.len());
    for release in [Release::Verified, Release::Frames] {
        assert!(read(data, release).0.is_empty(), "made without the data key's tags");
    }

    let [suite, frame, form, at, change, rest @ ..] = data else { return };
    let suite = Suite::all().nth(usize::from(*suite) % 11).expect("one of eleven");
    let policy = if suite.commits() {
        CommitmentPolicy::RequireEncryptRequireDecrypt
    } else {
        CommitmentPolicy::ForbidEncryptAllowDecrypt
    };
    let (plaintext, splice) = rest.split_at(rest.len() / 2);
    let mut writer = Encryptor::new(Open).suite(suite).commitment(policy).frame_length(u32::from(*frame) + 1);
    if form & 1 == 1 {
        writer = writer.whole();
    }
    let message = writer.encrypt(plaintext).expect("a data key and memory are there");

    // Changed, cut, or with a strange end: whatever leaves is the beginning of what was written, and all of it only if nothing changed.
    let place = (usize::from(*at) * message.len()) >> 8;
    let mut forged = message.clone();
    match form >> 1 & 3 {
        0 => forged[place] ^= change,
        1 => forged.truncate(place),
        2 => forged.splice(place.., splice.iter().copied()).for_each(drop),
        _ => forged.splice(place..place, splice.iter().copied()).for_each(drop),
    }
    for release in [Release::Verified, Release::Frames] {
        let (found, ended) = read(&forged, release);
        assert!(plaintext.starts_with(&found));
        assert!(release == Release::Frames || !suite.signs() || ended || found.is_empty());
        let fits = plaintext.len() <= HOLD || (form & 1 == 0 && (!suite.signs() || release == Release::Frames));
        assert_eq!(ended, forged == message && fits);
    }
});
