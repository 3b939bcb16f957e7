//! No metadata, instruction file and body make the reader of S3 Encryption Client objects panic, hold more than it may, or give plaintext
//! that was not written.
#![no_main]

use arbitrary::Arbitrary;
use client::keys::AesKey;
use client::object::{
    AesKeyring, CommitmentPolicy, Fit, Metadata, ObjectDecryptor, ObjectEncryptor, ObjectHeader, ObjectKeyring,
    Release, SealedObject, UnwrapRequest, Version, WrapRequest, WrappedKey,
};
use client::{DataKey, Error, Result};
use libfuzzer_sys::fuzz_target;
use std::io::{BufReader, Read};

/// One data key for everything: whatever is wrapped opens, so that metadata and bodies are looked at to their end.
struct Open;

impl ObjectKeyring for Open {
    fn wrap(&self, _: &WrapRequest<'_>) -> Result<WrappedKey> {
        Err(Error::NoDataKey)
    }

    fn unwrap(&self, _: &UnwrapRequest<'_>) -> Result<DataKey> {
        Ok(DataKey::from_bytes(vec![7; 32].into()))
    }

    fn fit(&self, _: &UnwrapRequest<'_>) -> Fit {
        Fit::Kind
    }
}

const NAMES: [&str; 16] = [
    "x-amz-key",
    "x-amz-key-v2",
    "x-amz-3",
    "x-amz-iv",
    "x-amz-matdesc",
    "x-amz-wrap-alg",
    "x-amz-cek-alg",
    "x-amz-tag-len",
    "x-amz-c",
    "x-amz-w",
    "x-amz-d",
    "x-amz-i",
    "x-amz-m",
    "x-amz-t",
    "x-amz-unencrypted-content-length",
    "colour",
];

/// Values that lead on, which chance does not find.
const VALUES: [&str; 12] = [
    "115",
    "02",
    "12",
    "128",
    "AES/GCM",
    "kms+context",
    "kms",
    "RSA",
    "AES/GCM/NoPadding",
    "AES/CBC/PKCS5Padding",
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
    "{\"aws:x-amz-cek-alg\":\"115\"}",
];

#[derive(Arbitrary, Debug)]
enum Value {
    Known(u8),
    Base64(Vec<u8>),
    Text(String),
}

#[derive(Arbitrary, Debug)]
enum Change {
    None,
    Flip { at: u16, change: u8 },
    Cut { at: u16 },
    Insert { at: u16, bytes: Vec<u8> },
    Member { which: u8, at: u8, change: u8 },
    Instruction { at: u16, change: u8 },
}

#[derive(Arbitrary, Debug)]
struct Input {
    metadata: Vec<(u8, Value)>,
    instruction: Option<Vec<u8>>,
    body: Vec<u8>,
    claimed: u64,
    range: (u64, u64),
    v2: bool,
    in_file: bool,
    change: Change,
    /// Bytes in the buffer of what is read, without one.
    buffer: u16,
}

const HOLD: u64 = 4096;

fn decryptor<K: ObjectKeyring>(keyring: K) -> ObjectDecryptor<K> {
    ObjectDecryptor::new(keyring).commitment(CommitmentPolicy::RequireEncryptAllowDecrypt).hold_limit(HOLD)
}

/// What leaves a reader, and whether it ends well.
fn read<K: ObjectKeyring>(
    decryptor: &ObjectDecryptor<K>,
    metadata: &Metadata,
    instruction: Option<&[u8]>,
    (body, buffer): (&[u8], u16),
    length: u64,
) -> (Vec<u8>, bool) {
    let input = BufReader::with_capacity(usize::from(buffer) + 1, body);
    let mut plaintext = Vec::new();
    let ended = decryptor
        .start(metadata, instruction, length)
        .and_then(|opening| opening.into_buffered_reader(input))
        .is_ok_and(|mut reader| reader.read_to_end(&mut plaintext).is_ok());
    (plaintext, ended)
}

/// Made up from the first to the last byte.
fn made_up(input: &Input) {
    let metadata: Metadata = input
        .metadata
        .iter()
        .map(|(name, value)| {
            let value = match value {
                Value::Known(which) => VALUES[usize::from(*which) % VALUES.len()].to_owned(),
                Value::Base64(bytes) => data_encoding::BASE64.encode(bytes),
                Value::Text(text) => text.clone(),
            };
            (NAMES[usize::from(*name) % NAMES.len()], value)
        })
        .collect();
    let (instruction, body) = (input.instruction.as_deref(), (&input.body[..], input.buffer));
    let _ = ObjectHeader::inspect(&metadata, instruction);
    let _ = ObjectHeader::inspect(&metadata, None);
    let length = u64::try_from(input.body.len()).expect("a small number");
    for told in [length, input.claimed] {
        let (found, ended) = read(&decryptor(Open), &metadata, instruction, body, told);
        assert!(found.is_empty() && !ended, "made without the data key's tags");
        // Of a block cipher that authenticates nothing anything may come, but no more than went in, and all of it or nothing.
        let (found, ended) =
            read(&decryptor(Open).legacy(true).hold_limit(u64::MAX), &metadata, instruction, body, told);
        assert!(found.len() <= input.body.len() && (ended || found.is_empty()));
        let unverified = decryptor(Open).legacy(true).release(Release::Unverified);
        let (found, _) = read(&unverified, &metadata, instruction, body, told);
        assert!(found.len() <= input.body.len());
        let Ok(opening) = decryptor(Open).legacy(true).ranges(true).start(&metadata, instruction, told) else {
            continue;
        };
        let (first, last) = input.range;
        if let Ok(range) = opening.range(first..=last) {
            let mut place = Vec::new();
            let written = range.decrypt_into(&input.body[..], &mut place).unwrap_or_default();
            assert_eq!(u64::try_from(place.len()), Ok(written));
            assert!(written <= (last - first).saturating_add(1));
        }
    }
}

/// Written, and then changed.
fn forged(input: &Input) {
    let keyring = AesKeyring::new(AesKey::new(&[1; 32]).expect("a key has 32 bytes"));
    let (version, policy) = if input.v2 {
        (Version::V2, CommitmentPolicy::ForbidEncryptAllowDecrypt)
    } else {
        (Version::V3, CommitmentPolicy::RequireEncryptRequireDecrypt)
    };
    let writer = ObjectEncryptor::new(&keyring).version(version).commitment(policy).instruction_file(input.in_file);
    let plaintext = &input.body;
    let object = writer.encrypt(plaintext).expect("a key and memory are there");
    let mut changed = object.clone();
    change(&mut changed, &input.change);

    let file = changed.instruction.as_ref().map(|(body, _)| &body[..]);
    let length = u64::try_from(changed.body.len()).expect("a small number");
    let opened = decryptor(&keyring).decrypt(&changed.metadata, file, &changed.body);
    let (found, ended) = read(&decryptor(&keyring), &changed.metadata, file, (&changed.body, input.buffer), length);
    // A description may change, since nothing authenticates it; nothing else.
    assert!(opened.as_ref().is_ok_and(|opened| **opened == *plaintext) || opened.is_err());
    assert!(opened.is_ok() || (!ended && found.is_empty()), "nothing leaves of what does not verify");
    assert!(opened.is_err() || ended == (u64::try_from(plaintext.len()).is_ok_and(|length| length <= HOLD)));
    assert!(!ended || found == *plaintext);
    if changed == object {
        assert!(opened.is_ok());
    }
    if changed.body != object.body {
        assert!(opened.is_err());
    }
}

fn change(object: &mut SealedObject, change: &Change) {
    let flip = |bytes: &mut [u8], at: usize, change: u8| {
        let length = bytes.len().max(1);
        if let Some(byte) = bytes.get_mut(at % length) {
            *byte ^= change;
        }
    };
    let place = |at: u16| usize::from(at) % (object.body.len() + 1);
    match change {
        Change::None => {}
        Change::Flip { at, change } => flip(&mut object.body, usize::from(*at), *change),
        Change::Cut { at } => object.body.truncate(place(*at)),
        Change::Insert { at, bytes } => {
            let at = place(*at);
            object.body.splice(at..at, bytes.iter().copied()).for_each(drop);
        }
        Change::Member { which, at, change } => {
            let members: Vec<(String, String)> =
                object.metadata.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            let Some((name, value)) = members.get(usize::from(*which) % members.len().max(1)) else { return };
            let mut bytes = value.clone().into_bytes();
            flip(&mut bytes, usize::from(*at), *change);
            if let Ok(value) = String::from_utf8(bytes) {
                object.metadata.insert(name.clone(), value);
            }
        }
        Change::Instruction { at, change } => {
            if let Some((body, _)) = &mut object.instruction {
                flip(body, usize::from(*at), *change);
            }
        }
    }
}

fuzz_target!(|input: Input| {
    made_up(&input);
    forged(&input);
});
