//! What an object is sealed with, without a key.

use client::aws::{EncryptionClient, GetOptions, S3Client};
use client::message::Header;
use client::object::{ContentAlgorithm, ObjectHeader, Version};
use serde_json::{Map, Value, json};

use super::super::failure::{Failure, Kind};
use super::super::header;
use super::url::S3Url;

/// Bytes of an object that are fetched to see whether it is a message.
const MESSAGE_HEAD: u64 = 1 << 16;

/// What was found.
pub(in crate::client) enum Found {
    /// An object of the S3 Encryption Client, with its length as it is stored.
    Object(ObjectHeader, u64),
    /// A message of the Encryption SDK.
    Message(Header),
    /// Neither.
    Nothing,
}

/// Looks at an object's metadata, at its instruction file where it may have one, and at its first bytes where there is neither.
pub(in crate::client) fn look(s3: &S3Client, url: &S3Url) -> Result<Found, Failure> {
    let (info, header) = EncryptionClient::new(s3).inspect(&url.bucket, &url.key)?;
    if let Some(header) = header {
        return Ok(Found::Object(header, info.length));
    }
    if info.length == 0 {
        return Ok(Found::Nothing);
    }
    let options = GetOptions::new().range(0..=MESSAGE_HEAD - 1).if_match(info.etag);
    let object = s3.get(&url.bucket, &url.key, &options)?;
    Ok(Header::inspect(object.body).map_or(Found::Nothing, Found::Message))
}

impl Found {
    /// For `inspect --json` and `ls --long --json`.
    pub(in crate::client) fn json(&self) -> Value {
        match self {
            Found::Message(header) => header::json(header),
            Found::Object(header, length) => {
                let mut object = object_json(header);
                object["body"] = match plaintext(header, *length) {
                    PlaintextLength::Truncated => json!({ "sealed_bytes": length, "truncated": true }),
                    PlaintextLength::Has(plaintext) => {
                        json!({ "sealed_bytes": length, "truncated": false, "plaintext_bytes": plaintext })
                    }
                    PlaintextLength::AtMost(_) => {
                        json!({ "sealed_bytes": length, "truncated": false, "plaintext_bytes": null })
                    }
                };
                object
            }
            Found::Nothing => Value::Null,
        }
    }

    /// In a few words.
    pub(super) fn brief(&self) -> String {
        match self {
            Found::Object(header, _) => {
                let wrapping = header.wrapping.map_or("?", client::object::Wrapping::name);
                let place = if header.in_instruction_file { ", instruction file" } else { "" };
                format!("{} {wrapping}{place}", header.version)
            }
            Found::Message(header) => format!("message {}", header.suite()),
            Found::Nothing => "not encrypted by a client".to_owned(),
        }
    }

    /// Lines for people.
    pub(in crate::client) fn lines(&self) -> Result<Vec<(&'static str, String)>, Failure> {
        let (header, length) = match self {
            Found::Object(header, length) => (header, *length),
            Found::Message(header) => return Ok(header::lines(header)),
            Found::Nothing => return Err(Failure::new(Kind::Input, "not encrypted by a client")),
        };
        let yes = |is: bool| if is { "yes" } else { "no" }.to_owned();
        let mut lines = vec![
            ("format", format!("object of the S3 Encryption Client, {}", header.version)),
            ("suite", format!("{:04x} {}", header.content.id(), algorithm(header))),
            ("commitment", yes(header.content.commits())),
            ("wrapping", header.wrapping.map_or("unknown", client::object::Wrapping::name).to_owned()),
        ];
        lines.extend(header.description.iter().map(|(name, value)| ("description", format!("{name}={value}"))));
        lines.push((
            "materials",
            if header.in_instruction_file { "in an instruction file" } else { "in the metadata" }.to_owned(),
        ));
        let words = match plaintext(header, length) {
            PlaintextLength::Truncated => "truncated: the object's end is missing".to_owned(),
            PlaintextLength::Has(plaintext) => format!("{plaintext} bytes"),
            PlaintextLength::AtMost(most) => format!("at most {most} bytes"),
        };
        lines.push(("plaintext", words));
        Ok(lines)
    }
}

/// The header of an object, as JSON.
pub(in crate::client) fn object_json(header: &ObjectHeader) -> Value {
    let description: Map<String, Value> =
        header.description.iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
    json!({
        "format": "s3-encryption-client",
        "version": match header.version { Version::V1 => 1, Version::V2 => 2, Version::V3 => 3 },
        "suite": {
            "id": format!("{:04x}", header.content.id()),
            "name": algorithm(header),
            "committing": header.content.commits(),
        },
        "wrapping": header.wrapping.map(client::object::Wrapping::name),
        "description": description,
        "instruction_file": header.in_instruction_file,
    })
}

/// The name of the content's algorithm; that of version 3 is a number only.
fn algorithm(header: &ObjectHeader) -> &'static str {
    if header.content.commits() { "AES/GCM with HKDF-SHA512 and key commitment" } else { header.content.name() }
}

/// What the length as it is stored tells of the plaintext's.
enum PlaintextLength {
    /// No object is stored with this length.
    Truncated,
    Has(u64),
    /// So many at most.
    AtMost(u64),
}

fn plaintext(header: &ObjectHeader, sealed: u64) -> PlaintextLength {
    match header.content {
        // Whole blocks, of which the last one pads a byte at least.
        ContentAlgorithm::AesCbc if sealed == 0 || !sealed.is_multiple_of(16) => PlaintextLength::Truncated,
        ContentAlgorithm::AesCbc => PlaintextLength::AtMost(sealed - 1),
        _ => sealed.checked_sub(16).map_or(PlaintextLength::Truncated, PlaintextLength::Has),
    }
}
