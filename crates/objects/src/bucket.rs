//! A bucket and its encryption configuration.

use crate::bucket_policy::BucketPolicy;
use crate::error::Error;
use crate::name::BucketName;
use crate::public_access::PublicAccessBlock;
use crate::tags::Tags;
use bytes::Bytes;
use keys::{AccountId, Region};
use std::time::SystemTime;

/// A bucket as it was when it was read.
#[derive(Debug, Clone)]
pub struct Bucket {
    /// Random: a bucket deleted and made again is another bucket.
    pub id: [u8; 16],
    /// Its name.
    pub name: BucketName,
    /// The account that made it.
    pub owner: AccountId,
    /// Where it lives.
    pub region: Region,
    /// When it was made, in whole milliseconds.
    pub created: SystemTime,
    /// What applies to new objects without headers of their own.
    pub encryption: BucketEncryption,
    /// Its policy.
    pub policy: Option<BucketPolicy>,
    /// Its settings of Block Public Access; `None`: none were made, or they were deleted.
    pub public_access_block: Option<PublicAccessBlock>,
    /// Its tags.
    pub tags: Tags,
    /// The sealed row, so that a write can be tied to the bucket as it was read.
    pub(crate) row: Bytes,
}

/// `ServerSideEncryptionConfiguration` with its one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketEncryption {
    /// The mode of new objects that name none.
    pub default: DefaultEncryption,
    /// `BucketKeyEnabled`.
    pub bucket_key: bool,
    /// `BlockedEncryptionTypes`.
    pub blocked: BlockedTypes,
}

/// A mode that can be a bucket's default. SSE-C never can.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum DefaultEncryption {
    /// `AES256`.
    #[default]
    SseS3,
    /// `aws:kms`.
    SseKms {
        /// Id, ARN or alias, as given; the AWS-managed `aws/s3` if absent.
        key: Option<String>,
    },
    /// `aws:kms:dsse`.
    DsseKms {
        /// As for SSE-KMS.
        key: Option<String>,
    },
}

/// Encryption types that new objects must not use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BlockedTypes {
    /// SSE-C. False is AWS's `NONE`.
    pub customer: bool,
}

impl BucketEncryption {
    /// What a bucket has that nobody configured: AES256, no Bucket Key.
    pub fn unconfigured(blocked: BlockedTypes) -> BucketEncryption {
        BucketEncryption { default: DefaultEncryption::SseS3, bucket_key: false, blocked }
    }

    /// DSSE-KMS knows no Bucket Keys
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingDSSEncryption.html>).
    pub(crate) fn check(&self) -> Result<(), Error> {
        match self.default {
            DefaultEncryption::DsseKms { .. } if self.bucket_key => {
                Err(Error::InvalidArgument("S3 Bucket Keys are not supported for DSSE-KMS."))
            }
            _ => Ok(()),
        }
    }
}

impl DefaultEncryption {
    /// The key that the rule names.
    pub(crate) fn key(&self) -> Option<String> {
        match self {
            DefaultEncryption::SseS3 => None,
            DefaultEncryption::SseKms { key } | DefaultEncryption::DsseKms { key } => key.clone(),
        }
    }
}
