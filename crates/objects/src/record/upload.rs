//! A row of table `Upload`: a multipart upload that is still open.

use super::codec::{Decoder, Encoder, Malformed, array, flag, number, text, unknown};
use super::tags::{decode_pairs, encode_pairs};
use super::{SealedKey, algorithm, algorithm_code, from_milliseconds, kind, kind_code, milliseconds};
use crate::checksum::{Algorithm, ChecksumType};
use crate::metadata::Metadata;
use crate::tags::Tags;
use std::time::SystemTime;

/// All of an upload but its bucket, name and id, which are the row's key.
///
/// Version and data id of the object to come are chosen when the upload begins, and the object key is sealed to them then: so
/// Complete needs neither a data key nor the SSE-C key, which not every client sends there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UploadRecord {
    pub(crate) version: [u8; 16],
    pub(crate) data_id: [u8; 16],
    pub(crate) initiated: SystemTime,
    /// ARN of who began it.
    pub(crate) initiator: String,
    pub(crate) key: SealedKey,
    /// Whether the bucket's default chose the mode.
    pub(crate) by_default: bool,
    pub(crate) metadata: Metadata,
    pub(crate) checksum: Option<(Algorithm, ChecksumType)>,
    pub(crate) tags: Tags,
    /// Headers that it was created with and that bucket policies may ask for at each of its parts: name and value.
    pub(crate) said: Vec<(String, String)>,
}

impl UploadRecord {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut encoder = Encoder::new(VERSION);
        encoder
            .field(OBJECT_VERSION, &self.version)
            .field(DATA_ID, &self.data_id)
            .number(INITIATED, milliseconds(self.initiated))
            .field(INITIATOR, self.initiator.as_bytes())
            .field(KEY, &self.key.encode())
            .field(BY_DEFAULT, &[u8::from(self.by_default)])
            .field(METADATA, &self.metadata.encode());
        if let Some((algorithm, kind)) = self.checksum {
            encoder.field(CHECKSUM, &[algorithm_code(algorithm), kind_code(kind)]);
        }
        if !self.tags.is_empty() {
            encoder.field(TAGS, &self.tags.encode());
        }
        if !self.said.is_empty() {
            let said = self.said.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            encoder.field(SAID, &encode_pairs(said));
        }
        encoder.finish()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<UploadRecord, Malformed> {
        let mut decoder = Decoder::new(bytes, VERSION)?;
        let (mut version, mut data_id, mut initiated, mut initiator) = (None, None, None, None);
        let (mut key, mut by_default, mut metadata, mut checksum) = (None, false, None, None);
        let (mut tags, mut said) = (Tags::default(), Vec::new());
        while let Some((tag, value)) = decoder.next()? {
            match tag {
                OBJECT_VERSION => version = Some(array(value)?),
                DATA_ID => data_id = Some(array(value)?),
                INITIATED => initiated = Some(from_milliseconds(number(value)?)),
                INITIATOR => initiator = Some(text(value)?),
                KEY => key = Some(SealedKey::decode(value)?),
                BY_DEFAULT => by_default = flag(value)?,
                METADATA => metadata = Some(Metadata::decode(value)?),
                CHECKSUM => {
                    let [code, kind_code] = array(value)?;
                    checksum = Some((algorithm(code)?, kind(kind_code)?));
                }
                TAGS => tags = Tags::decode(value)?,
                SAID => said = decode_pairs(value)?,
                other => unknown(other)?,
            }
        }
        let missing = Malformed("an upload without one of its fields");
        Ok(UploadRecord {
            version: version.ok_or(missing)?,
            data_id: data_id.ok_or(missing)?,
            initiated: initiated.ok_or(missing)?,
            initiator: initiator.ok_or(missing)?,
            key: key.ok_or(missing)?,
            by_default,
            metadata: metadata.ok_or(missing)?,
            checksum,
            tags,
            said,
        })
    }
}

const VERSION: u8 = 1;
const OBJECT_VERSION: u8 = 1;
const DATA_ID: u8 = 2;
const INITIATED: u8 = 3;
const INITIATOR: u8 = 4;
const KEY: u8 = 5;
const BY_DEFAULT: u8 = 6;
const METADATA: u8 = 7;
const CHECKSUM: u8 = 8;
const TAGS: u8 = 9;
const SAID: u8 = 10;
