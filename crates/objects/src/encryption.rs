//! The encryption modes: what a request may ask, what a bucket says, and what applies.

use crate::bucket::{BucketEncryption, DefaultEncryption};
use crate::error::Error;
use md5::{Digest as _, Md5};
use seal::SecretKey;
use seal::context::EncryptionContext;
use std::fmt;

/// What a request's headers say about server-side encryption. Headers of two modes at once are the gateway's to refuse.
#[derive(Debug, Default)]
pub enum EncryptionRequest {
    /// No header: the bucket's default applies.
    #[default]
    Default,
    /// `AES256`.
    SseS3,
    /// `aws:kms`.
    SseKms {
        /// Key id, key ARN, alias name or alias ARN; the AWS-managed `aws/s3` if absent.
        key: Option<String>,
        /// Further pairs of encryption context. `aws:s3:arn` in it is refused.
        context: Option<EncryptionContext>,
        /// `x-amz-server-side-encryption-bucket-key-enabled`; the bucket's setting if absent.
        bucket_key: Option<bool>,
    },
    /// `aws:kms:dsse`.
    DsseKms {
        /// As for SSE-KMS.
        key: Option<String>,
        /// As for SSE-KMS.
        context: Option<EncryptionContext>,
    },
    /// SSE-C.
    Customer(CustomerKey),
}

/// A client's SSE-C key with the MD5 that it sent beside it (checked). Zeroized on drop.
pub struct CustomerKey {
    secret: SecretKey,
    md5: [u8; 16],
}

/// A mode of server-side encryption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// SSE-S3: `AES256`.
    SseS3,
    /// SSE-KMS: `aws:kms`.
    SseKms,
    /// DSSE-KMS: `aws:kms:dsse`.
    DsseKms,
    /// SSE-C.
    Customer,
}

/// How an object is encrypted, as answers say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The mode.
    pub mode: Mode,
    /// The KMS key's ARN, for SSE-KMS and DSSE-KMS.
    pub key_arn: Option<String>,
    /// The caller's pairs of encryption context, without `aws:s3:arn`.
    pub context: Option<EncryptionContext>,
    /// Whether a Bucket Key wraps the object's key.
    pub bucket_key: bool,
    /// The MD5 of the SSE-C key, in base64. Known only where the client has just sent the key.
    pub customer_key_md5: Option<String>,
    /// Whether the bucket's default, not a header, chose the mode (CloudTrail's `Default_SSE_S3`, `Default_SSE_KMS`). Always
    /// false for a read.
    pub by_default: bool,
}

/// A settled choice for new data.
#[derive(Debug)]
pub(crate) enum Settled {
    SseS3,
    SseKms { key: Option<String>, context: Option<EncryptionContext>, bucket_key: bool },
    DsseKms { key: Option<String>, context: Option<EncryptionContext> },
    Customer(CustomerKey),
}

impl Settled {
    pub(crate) fn mode(&self) -> Mode {
        match self {
            Settled::SseS3 => Mode::SseS3,
            Settled::SseKms { .. } => Mode::SseKms,
            Settled::DsseKms { .. } => Mode::DsseKms,
            Settled::Customer(_) => Mode::Customer,
        }
    }
}

impl CustomerKey {
    /// `secret` is 32 bytes, `md5` 16 bytes, both after base64.
    ///
    /// Errors: `InvalidArgument` with AWS's texts for a wrong length or an MD5 that is not the key's.
    pub fn new(secret: &[u8], md5: &[u8]) -> Result<CustomerKey, Error> {
        let secret: [u8; 32] = secret
            .try_into()
            .map_err(|_| Error::InvalidArgument("The secret key was invalid for the specified algorithm."))?;
        let computed: [u8; 16] = Md5::digest(secret).into();
        if computed[..] != *md5 {
            return Err(Error::InvalidArgument(
                "The calculated MD5 hash of the key did not match the hash that was provided.",
            ));
        }
        Ok(CustomerKey { secret: SecretKey::from_bytes(secret), md5: computed })
    }

    /// The MD5 in base64, as answers echo it.
    pub fn md5(&self) -> String {
        data_encoding::BASE64.encode(&self.md5)
    }

    pub(crate) fn secret(&self) -> &SecretKey {
        &self.secret
    }
}

/// Neither the key nor its MD5.
impl fmt::Debug for CustomerKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("CustomerKey(..)")
    }
}

impl EncryptionRequest {
    /// The MD5 of the SSE-C key, for the answer.
    pub(crate) fn customer_md5(&self) -> Option<String> {
        match self {
            EncryptionRequest::Customer(key) => Some(key.md5()),
            _ => None,
        }
    }

    /// The request's header beats the bucket's default; the bucket may block SSE-C.
    pub(crate) fn settle(self, bucket: &BucketEncryption) -> Result<Settled, Error> {
        let context = |context: Option<EncryptionContext>| -> Result<Option<EncryptionContext>, Error> {
            match context {
                Some(pairs) if pairs.value(ARN_CONTEXT).is_some() => {
                    Err(Error::InvalidArgument("The encryption context must not contain the key aws:s3:arn."))
                }
                Some(pairs) if pairs.is_empty() => Ok(None),
                other => Ok(other),
            }
        };
        Ok(match self {
            EncryptionRequest::Default => match &bucket.default {
                DefaultEncryption::SseS3 => Settled::SseS3,
                DefaultEncryption::SseKms { key } => {
                    Settled::SseKms { key: key.clone(), context: None, bucket_key: bucket.bucket_key }
                }
                DefaultEncryption::DsseKms { key } => Settled::DsseKms { key: key.clone(), context: None },
            },
            EncryptionRequest::SseS3 => Settled::SseS3,
            EncryptionRequest::SseKms { key, context: pairs, bucket_key } => Settled::SseKms {
                key: key.or_else(|| bucket.default.key()),
                context: context(pairs)?,
                bucket_key: bucket_key.unwrap_or(bucket.bucket_key),
            },
            EncryptionRequest::DsseKms { key, context: pairs } => {
                Settled::DsseKms { key: key.or_else(|| bucket.default.key()), context: context(pairs)? }
            }
            EncryptionRequest::Customer(_) if bucket.blocked.customer => {
                return Err(Error::AccessDenied(
                    "The bucket does not allow objects encrypted with customer-provided keys (SSE-C). Change its BlockedEncryptionTypes with PutBucketEncryption to allow them.",
                ));
            }
            EncryptionRequest::Customer(key) => Settled::Customer(key),
        })
    }
}

/// The pair that S3 itself puts into every encryption context
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html>).
pub(crate) const ARN_CONTEXT: &str = "aws:s3:arn";
