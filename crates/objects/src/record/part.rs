//! A part: where its sealed bytes lie, and what its keys are derived with. A PutObject has one.

use super::codec::{Decoder, Encoder, Malformed, array, number, unknown};
use super::{decode_etag, decode_value, encode_etag, encode_value, from_milliseconds, milliseconds};
use crate::checksum::ChecksumValue;
use crate::etag::ETag;
use blob::BlobId;
use seal::stream::{Commitment, Layers, Layout, PartSalt};
use std::time::SystemTime;

/// One part of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// As uploaded; part of what the segments are bound to. 1 for a PutObject.
    pub(crate) number: u16,
    /// Plaintext bytes.
    pub(crate) size: u64,
    /// What the segments are bound to: the blob's id, also where the sealed bytes lie in the record.
    pub(crate) blob: BlobId,
    /// Where the sealed bytes lie.
    pub(crate) location: Location,
    /// Salt and commitment of the only layer, or of the inner one.
    pub(crate) inner: Layer,
    /// DSSE: of the outer one.
    pub(crate) outer: Option<Layer>,
    /// The part's own checksum, where it is not the object's.
    pub(crate) checksum: Option<ChecksumValue>,
}

/// Where a part's sealed bytes lie, and their CRC-64/NVME: all that the scrub has to know SSE-C data by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Location {
    /// In the body of the object's row.
    Inline { crc64: u64 },
    /// In the blob of the part's id.
    Blob { crc64: u64 },
}

/// What one layer's key is derived with and held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layer {
    pub(crate) salt: PartSalt,
    pub(crate) commitment: Commitment,
}

/// A row of table `Part`: a part of an upload that is still open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PartRecord {
    pub(crate) part: Part,
    pub(crate) etag: ETag,
    pub(crate) modified: SystemTime,
    /// What the client claimed of an algorithm that is not the upload's, verified: Complete may name it again.
    pub(crate) claimed: Option<ChecksumValue>,
}

impl Part {
    /// The shape of its sealed bytes.
    pub(crate) fn layout(&self) -> Layout {
        let layers = if self.outer.is_some() { Layers::Two } else { Layers::One };
        Layout::new(self.size, layers).expect("decode and the write path refuse larger parts")
    }

    /// The blob, if there is one.
    pub(crate) fn stored_blob(&self) -> Option<BlobId> {
        matches!(self.location, Location::Blob { .. }).then_some(self.blob)
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut encoder = Encoder::nested();
        encoder
            .field(NUMBER, &self.number.to_be_bytes())
            .number(SIZE, self.size)
            .field(BLOB, self.blob.as_bytes())
            .field(LAYER, &self.inner.to_bytes());
        if let Some(outer) = &self.outer {
            encoder.field(LAYER, &outer.to_bytes());
        }
        match self.location {
            Location::Blob { crc64 } => encoder.number(BLOB_CRC64, crc64),
            Location::Inline { crc64 } => encoder.number(INLINE_CRC64, crc64),
        };
        if let Some(checksum) = &self.checksum {
            encoder.field(CHECKSUM, &encode_value(checksum));
        }
        encoder.finish()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Part, Malformed> {
        let mut decoder = Decoder::nested(bytes);
        let (mut part_number, mut size, mut blob, mut checksum) = (None, None, None, None);
        let (mut inner, mut outer) = (None, None);
        let mut location = None;
        while let Some((tag, value)) = decoder.next()? {
            match tag {
                NUMBER => part_number = Some(u16::from_be_bytes(array(value)?)),
                SIZE => size = Some(number(value)?),
                BLOB => blob = Some(BlobId::from_bytes(array(value)?)),
                LAYER if inner.is_none() => inner = Some(Layer::from_bytes(value)?),
                LAYER if outer.is_none() => outer = Some(Layer::from_bytes(value)?),
                BLOB_CRC64 => location = Some(Location::Blob { crc64: number(value)? }),
                INLINE_CRC64 => location = Some(Location::Inline { crc64: number(value)? }),
                CHECKSUM => checksum = Some(decode_value(value)?),
                other => unknown(other)?,
            }
        }
        let missing = Malformed("a part without one of its fields");
        let size = size.ok_or(missing)?;
        Layout::new(size, Layers::One).ok_or(Malformed("a part that is too large"))?;
        Ok(Part {
            number: part_number.ok_or(missing)?,
            size,
            blob: blob.ok_or(missing)?,
            location: location.ok_or(missing)?,
            inner: inner.ok_or(missing)?,
            outer,
            checksum,
        })
    }
}

impl Layer {
    /// salt (32) ‖ commitment (32)
    fn to_bytes(self) -> [u8; 64] {
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(self.salt.as_bytes());
        bytes[32..].copy_from_slice(self.commitment.as_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Result<Layer, Malformed> {
        let (salt, commitment) = bytes.split_first_chunk().ok_or(Malformed("a short layer"))?;
        Ok(Layer { salt: PartSalt::from_bytes(*salt), commitment: Commitment::from_bytes(array(commitment)?) })
    }
}

impl PartRecord {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut encoder = Encoder::new(VERSION);
        encoder
            .field(PART, &self.part.encode())
            .field(ETAG, &encode_etag(&self.etag))
            .number(MODIFIED, milliseconds(self.modified));
        if let Some(claimed) = &self.claimed {
            encoder.field(CLAIMED, &encode_value(claimed));
        }
        encoder.finish()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<PartRecord, Malformed> {
        let mut decoder = Decoder::new(bytes, VERSION)?;
        let (mut part, mut etag, mut modified, mut claimed) = (None, None, None, None);
        while let Some((tag, value)) = decoder.next()? {
            match tag {
                PART => part = Some(Part::decode(value)?),
                ETAG => etag = Some(decode_etag(value)?),
                MODIFIED => modified = Some(from_milliseconds(number(value)?)),
                CLAIMED => claimed = Some(decode_value(value)?),
                other => unknown(other)?,
            }
        }
        let missing = Malformed("a part's row without one of its fields");
        Ok(PartRecord {
            part: part.ok_or(missing)?,
            etag: etag.ok_or(missing)?,
            modified: modified.ok_or(missing)?,
            claimed,
        })
    }
}

const VERSION: u8 = 1;
const PART: u8 = 1;
const ETAG: u8 = 2;
const MODIFIED: u8 = 3;
const CLAIMED: u8 = 4;

const NUMBER: u8 = 1;
const SIZE: u8 = 2;
const BLOB: u8 = 3;
const LAYER: u8 = 4;
const BLOB_CRC64: u8 = 5;
const CHECKSUM: u8 = 6;
const INLINE_CRC64: u8 = 7;
