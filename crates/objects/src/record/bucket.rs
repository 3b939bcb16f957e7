//! A bucket's row.

use super::codec::{Decoder, Encoder, Malformed, array, flag, number, text, unknown};
use super::{from_milliseconds, milliseconds};
use crate::bucket::{BlockedTypes, BucketEncryption, DefaultEncryption};
use crate::public_access::PublicAccessBlock;
use crate::tags::Tags;
use keys::{AccountId, Region};
use std::time::SystemTime;

/// All of a bucket but its name, which is the row's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BucketRecord {
    pub(crate) id: [u8; 16],
    pub(crate) owner: AccountId,
    pub(crate) region: Region,
    pub(crate) created: SystemTime,
    pub(crate) encryption: BucketEncryption,
    /// The policy's text, as it was put.
    pub(crate) policy: Option<String>,
    pub(crate) public_access_block: Option<PublicAccessBlock>,
    pub(crate) tags: Tags,
}

impl BucketRecord {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut encoder = Encoder::new(VERSION);
        encoder
            .field(ID, &self.id)
            .field(OWNER, self.owner.as_str().as_bytes())
            .field(REGION, self.region.as_str().as_bytes())
            .number(CREATED, milliseconds(self.created));
        let (code, key) = match &self.encryption.default {
            DefaultEncryption::SseS3 => (SSE_S3, None),
            DefaultEncryption::SseKms { key } => (SSE_KMS, key.as_deref()),
            DefaultEncryption::DsseKms { key } => (DSSE_KMS, key.as_deref()),
        };
        encoder
            .field(DEFAULT, &[code])
            .optional(KEY, key)
            .field(BUCKET_KEY, &[u8::from(self.encryption.bucket_key)])
            .field(BLOCKED_CUSTOMER, &[u8::from(self.encryption.blocked.customer)])
            .optional(POLICY, self.policy.as_deref());
        match self.public_access_block {
            Some(block) => encoder.field(PUBLIC_ACCESS_BLOCK, &[block.bits()]),
            None => encoder.field(PUBLIC_ACCESS_BLOCK, &[]),
        };
        if !self.tags.is_empty() {
            encoder.field(TAGS, &self.tags.encode());
        }
        encoder.finish()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<BucketRecord, Malformed> {
        let mut decoder = Decoder::new(bytes, VERSION)?;
        let (mut id, mut owner, mut region, mut created) = (None, None, None, None);
        let (mut default, mut key, mut bucket_key, mut blocked) = (None, None, false, false);
        // Buckets of releases without this field could not be public; so they stay until somebody wants otherwise.
        let mut public_access_block = Some(PublicAccessBlock::ALL);
        let (mut policy, mut tags) = (None, Tags::default());
        while let Some((tag, value)) = decoder.next()? {
            match tag {
                ID => id = Some(array(value)?),
                OWNER => owner = Some(AccountId::parse(&text(value)?).map_err(|_| Malformed("not an account id"))?),
                REGION => region = Some(Region::parse(&text(value)?).map_err(|_| Malformed("not a Region"))?),
                CREATED => created = Some(from_milliseconds(number(value)?)),
                DEFAULT => default = Some(array::<1>(value)?[0]),
                KEY => key = Some(text(value)?),
                BUCKET_KEY => bucket_key = flag(value)?,
                BLOCKED_CUSTOMER => blocked = flag(value)?,
                POLICY => policy = Some(text(value)?),
                PUBLIC_ACCESS_BLOCK => public_access_block = public_access(value)?,
                TAGS => tags = Tags::decode(value)?,
                other => unknown(other)?,
            }
        }
        let default = match default {
            Some(SSE_S3) => DefaultEncryption::SseS3,
            Some(SSE_KMS) => DefaultEncryption::SseKms { key },
            Some(DSSE_KMS) => DefaultEncryption::DsseKms { key },
            _ => return Err(Malformed("unknown default encryption")),
        };
        let missing = Malformed("a bucket without one of its fields");
        Ok(BucketRecord {
            id: id.ok_or(missing)?,
            owner: owner.ok_or(missing)?,
            region: region.ok_or(missing)?,
            created: created.ok_or(missing)?,
            encryption: BucketEncryption { default, bucket_key, blocked: BlockedTypes { customer: blocked } },
            policy,
            public_access_block,
            tags,
        })
    }
}

/// One byte of bits; nothing: there is no configuration.
fn public_access(value: &[u8]) -> Result<Option<PublicAccessBlock>, Malformed> {
    match value {
        [] => Ok(None),
        [bits] => PublicAccessBlock::from_bits(*bits).map(Some).ok_or(Malformed("unknown bits of Block Public Access")),
        _ => Err(Malformed("a field of another length")),
    }
}

const VERSION: u8 = 1;
const ID: u8 = 1;
const OWNER: u8 = 2;
const REGION: u8 = 3;
const CREATED: u8 = 4;
const DEFAULT: u8 = 5;
const KEY: u8 = 6;
const BUCKET_KEY: u8 = 7;
const BLOCKED_CUSTOMER: u8 = 8;
const POLICY: u8 = 9;
const PUBLIC_ACCESS_BLOCK: u8 = 10;
const TAGS: u8 = 11;

const SSE_S3: u8 = 1;
const SSE_KMS: u8 = 2;
const DSSE_KMS: u8 = 3;
