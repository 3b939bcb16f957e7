//! A row of table `Object`: the current version of an object.

use super::codec::{Decoder, Encoder, Malformed, array, number, unknown};
use super::{
    Part, SealedKey, decode_checksum, decode_etag, encode_checksum, encode_etag, from_milliseconds, milliseconds,
};
use crate::checksum::Checksum;
use crate::etag::ETag;
use crate::info::{ObjectInfo, Stored};
use crate::metadata::Metadata;
use crate::tags::Tags;
use std::time::SystemTime;

/// All of an object but its bucket and name, which are the row's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ObjectRecord {
    /// Random, for each version: sealed keys are bound to it.
    pub(crate) version: [u8; 16],
    /// Random, for each body of data: stays when the record is sealed anew.
    pub(crate) data_id: [u8; 16],
    /// Plaintext bytes.
    pub(crate) size: u64,
    pub(crate) modified: SystemTime,
    pub(crate) etag: ETag,
    pub(crate) key: SealedKey,
    pub(crate) metadata: Metadata,
    pub(crate) checksum: Option<Checksum>,
    pub(crate) parts: Parts,
    pub(crate) tags: Tags,
}

/// The parts of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Parts {
    /// One part, described here, its bytes in a blob or in the row's body. Boxed, as it is large beside the other.
    Single(Box<Part>),
    /// Parts of a multipart upload, so many, described in the row's body: a sealed manifest. Listings never read it.
    Manifest(u16),
}

impl ObjectRecord {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut encoder = Encoder::new(VERSION);
        encoder
            .field(OBJECT_VERSION, &self.version)
            .field(DATA_ID, &self.data_id)
            .number(SIZE, self.size)
            .number(MODIFIED, milliseconds(self.modified))
            .field(ETAG, &encode_etag(&self.etag))
            .field(KEY, &self.key.encode())
            .field(METADATA, &self.metadata.encode());
        if let Some(checksum) = &self.checksum {
            encoder.field(CHECKSUM, &encode_checksum(checksum));
        }
        match &self.parts {
            Parts::Single(part) => encoder.field(PART, &part.encode()),
            Parts::Manifest(count) => encoder.field(MANIFEST, &count.to_be_bytes()),
        };
        if !self.tags.is_empty() {
            encoder.field(TAGS, &self.tags.encode());
        }
        encoder.finish()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<ObjectRecord, Malformed> {
        let mut decoder = Decoder::new(bytes, VERSION)?;
        let (mut version, mut data_id, mut size, mut modified, mut etag) = (None, None, None, None, None);
        let (mut key, mut metadata, mut checksum, mut parts) = (None, None, None, None);
        let mut tags = Tags::default();
        while let Some((tag, value)) = decoder.next()? {
            match tag {
                OBJECT_VERSION => version = Some(array(value)?),
                DATA_ID => data_id = Some(array(value)?),
                SIZE => size = Some(number(value)?),
                MODIFIED => modified = Some(from_milliseconds(number(value)?)),
                ETAG => etag = Some(decode_etag(value)?),
                KEY => key = Some(SealedKey::decode(value)?),
                METADATA => metadata = Some(Metadata::decode(value)?),
                CHECKSUM => checksum = Some(decode_checksum(value)?),
                PART => parts = Some(Parts::Single(Box::new(Part::decode(value)?))),
                MANIFEST => parts = Some(Parts::Manifest(u16::from_be_bytes(array(value)?))),
                TAGS => tags = Tags::decode(value)?,
                other => unknown(other)?,
            }
        }
        let missing = Malformed("an object without one of its fields");
        let record = ObjectRecord {
            version: version.ok_or(missing)?,
            data_id: data_id.ok_or(missing)?,
            size: size.ok_or(missing)?,
            modified: modified.ok_or(missing)?,
            etag: etag.ok_or(missing)?,
            key: key.ok_or(missing)?,
            metadata: metadata.ok_or(missing)?,
            checksum,
            parts: parts.ok_or(missing)?,
            tags,
        };
        match &record.parts {
            Parts::Single(part) => record.check_parts(std::slice::from_ref(part))?,
            Parts::Manifest(0) => return Err(Malformed("a manifest without parts")),
            Parts::Manifest(_) => {}
        }
        Ok(record)
    }

    /// What GET and HEAD answer.
    pub(crate) fn info(&self, customer_key_md5: Option<String>) -> ObjectInfo {
        ObjectInfo {
            etag: self.etag,
            size: self.size,
            modified: self.modified,
            metadata: self.metadata.clone(),
            applied: self.key.applied(customer_key_md5, false),
            checksum: self.checksum,
            parts: match self.parts {
                Parts::Single(_) => None,
                Parts::Manifest(count) => Some(count),
            },
            tags: self.tags.len(),
        }
    }

    /// What a write answers.
    pub(crate) fn stored(&self, customer_key_md5: Option<String>, by_default: bool) -> Stored {
        Stored {
            etag: self.etag,
            size: self.size,
            modified: self.modified,
            applied: self.key.applied(customer_key_md5, by_default),
            checksum: self.checksum,
        }
    }

    /// Sizes and layers agree between the record and its parts.
    fn check_parts(&self, parts: &[Part]) -> Result<(), Malformed> {
        let total = parts.iter().try_fold(0_u64, |total, part| total.checked_add(part.size));
        if total != Some(self.size) {
            return Err(Malformed("parts that do not add up to the object"));
        }
        if parts.iter().any(|part| part.outer.is_some() != self.key.outer.is_some()) {
            return Err(Malformed("a part with another number of layers than the object"));
        }
        Ok(())
    }
}

/// The manifest, to be sealed into the row's body.
pub(crate) fn encode_manifest(parts: &[Part]) -> Vec<u8> {
    let mut encoder = Encoder::new(MANIFEST_VERSION);
    for part in parts {
        encoder.field(PART, &part.encode());
    }
    encoder.finish()
}

/// The manifest of `record`, checked against it.
pub(crate) fn decode_manifest(record: &ObjectRecord, bytes: &[u8]) -> Result<Vec<Part>, Malformed> {
    let Parts::Manifest(count) = record.parts else { return Err(Malformed("a manifest that nobody expects")) };
    let mut decoder = Decoder::new(bytes, MANIFEST_VERSION)?;
    let mut parts = Vec::with_capacity(usize::from(count));
    while let Some((tag, value)) = decoder.next()? {
        match tag {
            PART => parts.push(Part::decode(value)?),
            other => unknown(other)?,
        }
    }
    if parts.len() != usize::from(count) {
        return Err(Malformed("a manifest of another number of parts"));
    }
    if parts.iter().any(|part| part.stored_blob().is_none()) {
        return Err(Malformed("a manifest with a part that is not in a blob"));
    }
    record.check_parts(&parts)?;
    Ok(parts)
}

const VERSION: u8 = 1;
const OBJECT_VERSION: u8 = 1;
const DATA_ID: u8 = 2;
const SIZE: u8 = 3;
const MODIFIED: u8 = 4;
const ETAG: u8 = 5;
const KEY: u8 = 6;
const METADATA: u8 = 7;
const CHECKSUM: u8 = 8;
const PART: u8 = 9;
const MANIFEST: u8 = 10;
const TAGS: u8 = 11;

const MANIFEST_VERSION: u8 = 1;
