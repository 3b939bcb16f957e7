//! What the rows hold inside their seal. The bytes: `docs/formats/object-record.md`.

mod bucket;
mod codec;
mod key;
mod metadata;
mod object;
mod part;
mod tags;
mod upload;

pub(crate) use bucket::BucketRecord;
pub(crate) use codec::Malformed;
pub(crate) use key::{KeySource, SealedKey, mode_code};
pub(crate) use object::{ObjectRecord, Parts, decode_manifest, encode_manifest};
pub(crate) use part::{Layer, Location, Part, PartRecord};
pub(crate) use upload::UploadRecord;

use crate::checksum::{Algorithm, Checksum, ChecksumType, ChecksumValue};
use crate::etag::ETag;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970, which is what records hold and what answers show.
pub(crate) fn milliseconds(time: SystemTime) -> u64 {
    let elapsed = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_millis();
    u64::try_from(elapsed).unwrap_or(u64::MAX)
}

pub(crate) fn from_milliseconds(milliseconds: u64) -> SystemTime {
    UNIX_EPOCH.checked_add(Duration::from_millis(milliseconds)).unwrap_or(UNIX_EPOCH)
}

fn algorithm_code(algorithm: Algorithm) -> u8 {
    match algorithm {
        Algorithm::Crc32 => 1,
        Algorithm::Crc32c => 2,
        Algorithm::Crc64Nvme => 3,
        Algorithm::Sha1 => 4,
        Algorithm::Sha256 => 5,
    }
}

fn algorithm(code: u8) -> Result<Algorithm, Malformed> {
    let found = Algorithm::ALL.into_iter().find(|algorithm| algorithm_code(*algorithm) == code);
    found.ok_or(Malformed("unknown checksum algorithm"))
}

fn kind_code(kind: ChecksumType) -> u8 {
    match kind {
        ChecksumType::FullObject => 1,
        ChecksumType::Composite => 2,
    }
}

fn kind(code: u8) -> Result<ChecksumType, Malformed> {
    match code {
        1 => Ok(ChecksumType::FullObject),
        2 => Ok(ChecksumType::Composite),
        _ => Err(Malformed("unknown checksum type")),
    }
}

/// algorithm (1) ‖ value
fn encode_value(value: &ChecksumValue) -> Vec<u8> {
    [&[algorithm_code(value.algorithm())], value.as_bytes()].concat()
}

fn decode_value(bytes: &[u8]) -> Result<ChecksumValue, Malformed> {
    let (&code, value) = bytes.split_first().ok_or(Malformed("an empty checksum"))?;
    ChecksumValue::from_bytes(algorithm(code)?, value).ok_or(Malformed("a checksum of another length"))
}

/// type (1) ‖ parts (2, big-endian, 0: none) ‖ algorithm (1) ‖ value
fn encode_checksum(checksum: &Checksum) -> Vec<u8> {
    let [high, low] = checksum.parts.unwrap_or(0).to_be_bytes();
    [&[kind_code(checksum.kind), high, low], &encode_value(&checksum.value)[..]].concat()
}

fn decode_checksum(bytes: &[u8]) -> Result<Checksum, Malformed> {
    let (&[code, high, low], value) = bytes.split_first_chunk().ok_or(Malformed("a short checksum"))?;
    let parts = Some(u16::from_be_bytes([high, low])).filter(|parts| *parts != 0);
    Ok(Checksum { value: decode_value(value)?, kind: kind(code)?, parts })
}

/// digest (16) ‖ parts (2, big-endian, 0: not multipart)
fn encode_etag(etag: &ETag) -> [u8; 18] {
    let mut bytes = [0; 18];
    bytes[..16].copy_from_slice(etag.digest());
    bytes[16..].copy_from_slice(&etag.parts().unwrap_or(0).to_be_bytes());
    bytes
}

fn decode_etag(bytes: &[u8]) -> Result<ETag, Malformed> {
    let bytes: [u8; 18] = codec::array(bytes)?;
    let (digest, parts) = bytes.split_first_chunk().ok_or(Malformed("a short ETag"))?;
    Ok(match u16::from_be_bytes([parts[0], parts[1]]) {
        0 => ETag::single(*digest),
        parts => ETag::multipart(*digest, parts),
    })
}

/// Decodes bytes as every kind of record. For fuzzers: whatever comes, it must end without a panic.
#[doc(hidden)]
pub fn decode_any(bytes: &[u8]) {
    let _ = BucketRecord::decode(bytes);
    let _ = UploadRecord::decode(bytes);
    let _ = PartRecord::decode(bytes);
    if let Ok(record) = ObjectRecord::decode(bytes) {
        assert_eq!(ObjectRecord::decode(&record.encode()).as_ref(), Ok(&record), "what decodes is encoded alike");
        let _ = decode_manifest(&record, bytes);
    }
}

#[cfg(test)]
mod tests;
