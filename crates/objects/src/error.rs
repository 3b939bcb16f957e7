//! Everything that an S3 operation can answer but success.
//!
//! A variant per S3 error where the client must be told apart; the texts are AWS's where AWS documents or was seen to send one
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>). Codes and status live in the gateway's error table.

use crate::body::BodyError;
use crate::checksum::Algorithm;
use crate::condition::Condition;
use crate::etag::ETag;
use crate::tags::InvalidTags;
use std::time::SystemTime;

/// Which digest of the body did not agree with what the client claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digest {
    /// `Content-MD5`.
    Md5,
    /// An `x-amz-checksum-*` header or trailer.
    Checksum(Algorithm),
}

/// What went wrong, in the words of the S3 domain. `Display` is the message for the client and holds nothing secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// `InvalidBucketName`: the name breaks the rules of general purpose buckets.
    #[error("The specified bucket is not valid.")]
    InvalidBucketName,
    /// `KeyTooLongError`: more than 1,024 bytes of UTF-8.
    #[error("Your key is too long")]
    KeyTooLong,
    /// `InvalidArgument`: an empty object name.
    #[error("Object key must not be empty.")]
    KeyEmpty,
    /// `NoSuchBucket`.
    #[error("The specified bucket does not exist")]
    NoSuchBucket,
    /// `BucketAlreadyExists`: another account owns it.
    #[error(
        "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again."
    )]
    BucketAlreadyExists,
    /// `BucketAlreadyOwnedByYou`.
    #[error("Your previous request to create the named bucket succeeded and you already own it.")]
    BucketAlreadyOwnedByYou,
    /// `TooManyBuckets`.
    #[error("You have attempted to create more buckets than allowed")]
    TooManyBuckets,
    /// `BucketNotEmpty`: objects or open uploads are left.
    #[error("The bucket you tried to delete is not empty")]
    BucketNotEmpty,
    /// `NoSuchKey`.
    #[error("The specified key does not exist.")]
    NoSuchKey,
    /// `NoSuchUpload`.
    #[error(
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."
    )]
    NoSuchUpload,
    /// `InvalidPart`: a part that Complete names is missing or its ETag or checksum differs.
    #[error(
        "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag."
    )]
    InvalidPart {
        /// The part's number.
        number: u16,
    },
    /// `InvalidPartOrder`.
    #[error("The list of parts was not in ascending order. Parts must be ordered by part number.")]
    InvalidPartOrder,
    /// `EntityTooSmall`: a part other than the last is smaller than 5 MiB.
    #[error("Your proposed upload is smaller than the minimum allowed size")]
    EntityTooSmall {
        /// The part's number.
        number: u16,
        /// Its size in bytes.
        size: u64,
        /// The smallest allowed, in bytes.
        minimum: u64,
    },
    /// `EntityTooLarge`: more than a single request or object may hold.
    #[error("Your proposed upload exceeds the maximum allowed size")]
    EntityTooLarge {
        /// The proposed size in bytes, as far as it is known.
        size: u64,
        /// The largest allowed, in bytes.
        limit: u64,
    },
    /// `MetadataTooLarge`: user metadata of more than [`crate::USER_METADATA_LIMIT`] bytes.
    #[error("Your metadata headers exceed the maximum allowed metadata size")]
    MetadataTooLarge {
        /// Bytes of all names and values.
        size: usize,
    },
    /// `PreconditionFailed`: 412, with the condition that did not hold.
    #[error("At least one of the pre-conditions you specified did not hold")]
    PreconditionFailed(Condition),
    /// 304 Not Modified. Carries what the answer must repeat (RFC 9110, 15.4.5).
    #[error("Not Modified")]
    NotModified {
        /// The object's current ETag.
        etag: ETag,
        /// When the object was last modified.
        modified: SystemTime,
    },
    /// `ConditionalRequestConflict`: 409, another writer was at the same object meanwhile.
    #[error("The conditional request cannot succeed due to a conflicting operation against this resource.")]
    ConditionalRequestConflict,
    /// `InvalidRange`: 416.
    #[error("The requested range is not satisfiable")]
    InvalidRange {
        /// The object's size in bytes, for `Content-Range: bytes */size` and `ActualObjectSize`.
        size: u64,
    },
    /// `InvalidPartNumber`: 416, a GET or HEAD names a part that the object does not have.
    #[error("The requested partnumber is not satisfiable")]
    InvalidPartNumber {
        /// The part asked for.
        requested: u16,
        /// How many the object has.
        count: u16,
    },
    /// `BadDigest`: the body is not what its digest claims.
    #[error("{}", bad_digest(.0))]
    BadDigest(Digest),
    /// `IncompleteBody`: fewer or more bytes than announced.
    #[error("You did not provide the number of bytes specified by the Content-Length HTTP header")]
    IncompleteBody {
        /// Bytes announced.
        expected: u64,
        /// Bytes that came.
        received: u64,
    },
    /// Reading the body failed: what it says is the gateway's own error (a chunk's signature, framing, a lost connection).
    #[error("{0}")]
    Body(#[source] BodyError),
    /// `InvalidRequest`, with AWS's message.
    #[error("{0}")]
    InvalidRequest(&'static str),
    /// `InvalidRequest`: a checksum value that is not base64 of the right length.
    #[error("Value for x-amz-checksum-{} header is invalid.", .0.name())]
    InvalidChecksum(Algorithm),
    /// `InvalidArgument`, with AWS's message.
    #[error("{0}")]
    InvalidArgument(&'static str),
    /// `AccessDenied`: a wrong SSE-C key, or SSE-C where the bucket blocks it.
    #[error("{0}")]
    AccessDenied(&'static str),
    /// `BadRequest` or `InvalidTag`.
    #[error(transparent)]
    Tags(InvalidTags),
    /// `MalformedPolicy`: a bucket policy that breaks a rule, in AWS's words, with the piece that breaks it.
    #[error("{message}")]
    MalformedPolicy {
        /// AWS's text.
        message: String,
        /// AWS's `Detail`.
        detail: Option<String>,
    },
    /// `AccessDenied`: a public policy for a bucket whose `BlockPublicPolicy` is on.
    #[error("public policies are blocked by the BlockPublicPolicy block public access setting")]
    PublicPolicyBlocked,
    /// `InvalidArgument`: an anonymous caller and a KMS key.
    #[error("Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4.")]
    SignatureRequired,
    /// An error of the key: `KMS.` and the exception's name.
    #[error(transparent)]
    Kms(keys::Error),
    /// 500 `InternalError`: what is stored failed its integrity check. The log says what and where.
    #[error("We encountered an internal error. Please try again.")]
    DamagedObject,
    /// 503: the disk is full. Nothing was stored.
    #[error("The storage is full.")]
    StoreFull,
    /// 503: an earlier sync failed, the store takes no writes until it is restarted.
    #[error("The storage does not accept writes.")]
    Poisoned,
    /// `OperationAborted` (409): too many concurrent changes of the same row.
    #[error("A conflicting conditional operation is currently in progress against this resource. Please try again.")]
    OperationAborted,
    /// 500 `InternalError`. The log says what.
    #[error("We encountered an internal error. Please try again.")]
    Internal,
}

impl From<meta::Error> for Error {
    fn from(error: meta::Error) -> Error {
        match error {
            meta::Error::Full => Error::StoreFull,
            meta::Error::Poisoned => Error::Poisoned,
            meta::Error::Conflict { .. } => Error::OperationAborted,
            other => {
                tracing::error!(error = %other, "the metadata store failed");
                Error::Internal
            }
        }
    }
}

impl From<blob::Error> for Error {
    fn from(error: blob::Error) -> Error {
        match error {
            blob::Error::Full => Error::StoreFull,
            blob::Error::Poisoned => Error::Poisoned,
            blob::Error::NotFound(_) | blob::Error::Damaged { .. } | blob::Error::Truncated(_) => {
                tracing::error!(%error, "a blob is damaged");
                Error::DamagedObject
            }
            other => {
                tracing::error!(error = %other, "the blob store failed");
                Error::Internal
            }
        }
    }
}

impl From<keys::Error> for Error {
    fn from(error: keys::Error) -> Error {
        match error {
            keys::Error::Internal(keys::Internal::Store(error)) => error.into(),
            keys::Error::Internal(error) => {
                tracing::error!(%error, "the keys failed");
                Error::Internal
            }
            other => Error::Kms(other),
        }
    }
}

/// A body that is itself an object being read (a copy) fails with an error of this crate; it is answered as it is.
impl From<BodyError> for Error {
    fn from(error: BodyError) -> Error {
        match error.into_inner().downcast::<Error>() {
            Ok(own) => *own,
            Err(other) => Error::Body(BodyError::new(other)),
        }
    }
}

fn bad_digest(digest: &Digest) -> String {
    match digest {
        Digest::Md5 => "The Content-MD5 you specified did not match what we received.".to_owned(),
        Digest::Checksum(algorithm) => {
            format!("The {} you specified did not match the calculated checksum.", algorithm.label())
        }
    }
}
