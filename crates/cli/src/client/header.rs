//! What a message's header says, for JSON and for people.

use client::message::{Body, EncryptedDataKey, Header};
use data_encoding::{BASE64, HEXLOWER};
use serde_json::{Value, json};

use super::progress::size;

/// What stands between the name of a raw AES key and its IV of 12 bytes: the tag's length in bits, then the IV's in bytes.
const AES_LENGTHS: [u8; 8] = [0, 0, 0, 128, 0, 0, 0, 12];

/// The header as JSON.
pub(super) fn json(header: &Header) -> Value {
    let suite = header.suite();
    let keys: Vec<Value> = header
        .keys()
        .iter()
        .map(|key| {
            let (kind, name) = wrapped(key);
            json!({ "kind": kind, "provider": key.provider, "name": name })
        })
        .collect();
    let context: serde_json::Map<String, Value> =
        header.context().iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
    json!({
        "format": "aws-encryption-sdk",
        "version": header.version(),
        "suite": {
            "id": suite.to_string(),
            "name": suite.name(),
            "committing": suite.commits(),
            "signed": suite.signs(),
        },
        "message_id": BASE64.encode(header.message_id()),
        "encryption_context": context,
        "keys": keys,
        "frame_length": frame_length(header),
    })
}

/// Bytes in a frame, if there are frames.
pub(super) fn frame_length(header: &Header) -> Option<u32> {
    match header.body() {
        Body::Framed(length) => Some(length),
        Body::Whole => None,
    }
}

/// The sort of key that wrapped a data key, as far as its form tells, and its name or ARN.
pub(super) fn wrapped(key: &EncryptedDataKey) -> (&'static str, String) {
    let text = |bytes: &[u8]| match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => format!("0x{}", HEXLOWER.encode(bytes)),
    };
    if key.provider == "aws-kms" {
        return ("kms", text(&key.info));
    }
    let name = key.info.len().checked_sub(AES_LENGTHS.len() + 12).map(|at| key.info.split_at(at));
    match name {
        Some((name, rest)) if rest.starts_with(&AES_LENGTHS) => ("aes", text(name)),
        _ => ("rsa", text(&key.info)),
    }
}

/// Keys that an error names. Who wrote the message chose how many there are.
const NAMED: usize = 8;

/// The keys of a message, for an error.
pub(super) fn named(header: &Header) -> String {
    let name = |key| {
        let (kind, name) = wrapped(key);
        if kind == "kms" { name } else { format!("{kind} {}/{name}", key.provider) }
    };
    let mut names: Vec<String> = header.keys().iter().take(NAMED).map(name).collect();
    if header.keys().len() > NAMED {
        names.push(format!("{} more", header.keys().len() - NAMED));
    }
    names.join(", ")
}

/// Lines for people: a name and what it is.
pub(super) fn lines(header: &Header) -> Vec<(&'static str, String)> {
    let suite = header.suite();
    let yes = |is: bool| if is { "yes" } else { "no" }.to_owned();
    let mut lines = vec![
        ("format", format!("message of the AWS Encryption SDK, version {}", header.version())),
        ("suite", format!("{suite} {}", suite.name())),
        ("commitment", yes(suite.commits())),
        ("signed", yes(suite.signs())),
    ];
    for key in header.keys() {
        let (kind, name) = wrapped(key);
        let name = if kind == "kms" { name } else { format!("{}/{name}", key.provider) };
        lines.push(("key", format!("{kind} {name}")));
    }
    lines.extend(header.context().iter().map(|(name, value)| ("context", format!("{name}={value}"))));
    lines.push(match frame_length(header) {
        Some(length) => ("frames", format!("of {}", size(length.into()))),
        None => ("frames", "none".to_owned()),
    });
    lines
}
