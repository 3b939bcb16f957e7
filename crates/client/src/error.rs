//! What can go wrong.

use crate::failures::Failures;
use crate::kms::KmsError;
use std::io;

/// The result of everything here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something was refused.
///
/// Precise about what is wrong with a message, and silent about keys: what a wrapped key or a tag fails with is one word.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The input or the output failed.
    #[error(transparent)]
    Io(io::Error),

    /// The input ended where more has to come.
    #[error("truncated: the input ends within {0}")]
    Truncated(&'static str),

    /// Bytes follow the end of the message.
    #[error("bytes follow the end of the message")]
    Trailing,

    /// The first byte is not a version of the message format.
    #[error("not a message of the AWS Encryption SDK: version {0:#04x}")]
    Version(u8),

    /// A field of a header has a value that the format does not allow.
    #[error("the header is malformed: {0}")]
    Header(&'static str),

    /// A header is longer than what is read of one.
    #[error("the header is longer than {limit} bytes")]
    HeaderLength {
        /// The limit in bytes.
        limit: usize,
    },

    /// An algorithm suite that no specification names, or not for this version of the format.
    #[error("unknown algorithm suite {0:#06x}")]
    UnknownSuite(u16),

    /// The commitment policy does not allow this algorithm suite.
    #[error("the commitment policy does not allow algorithm suite {0:#06x}")]
    CommitmentPolicy(u16),

    /// The data key is not the one that the message commits to.
    #[error("the data key is not the one that was committed to")]
    Commitment,

    /// The header is not what was written with this data key, or the context that was to be supplied is another.
    #[error("the header's tag is wrong")]
    HeaderTag,

    /// More wrapped keys than the caller allows.
    #[error("{count} wrapped data keys, where {limit} are allowed")]
    TooManyKeys {
        /// How many there are.
        count: usize,
        /// How many are allowed.
        limit: usize,
    },

    /// A pair of an encryption context has a name that is reserved to the format.
    #[error("the encryption context's name {0:?} is reserved")]
    ReservedContext(String),

    /// An encryption context, or a name or value in it, is longer than its length field can say.
    #[error("the encryption context is too long")]
    ContextLength,

    /// A name has to be in the encryption context that the caller gives, and is not.
    #[error("the encryption context lacks {0:?}, which is required")]
    MissingContext(String),

    /// The caller's encryption context and the stored one say different things of a name.
    #[error("the encryption context is another one: {0:?} differs")]
    ContextMismatch(String),

    /// A frame comes out of order.
    #[error("frame {found} stands where frame {expected} belongs")]
    FrameOrder {
        /// The number that comes next.
        expected: u32,
        /// The number that was read.
        found: u32,
    },

    /// A frame is not what was written: changed, from elsewhere, or moved.
    #[error("the tag of frame {0} is wrong")]
    FrameTag(u32),

    /// A last frame that claims more bytes than a frame has.
    #[error("the last frame claims {length} bytes, where frames have {frame}")]
    LastFrameLength {
        /// What it claims.
        length: u32,
        /// What the header says.
        frame: u32,
    },

    /// A frame longer than the reader is set to hold.
    #[error("a frame of {length} bytes, where {limit} are held at most: raise `frame_limit`")]
    FrameLimit {
        /// Its length in bytes.
        length: u32,
        /// The limit in bytes.
        limit: u32,
    },

    /// More frames than a message may have: 2^32 - 1. Longer frames carry more.
    #[error("more than 2^32 - 1 frames: use longer ones")]
    TooManyFrames,

    /// The body of a message without frames is not what was written.
    #[error("the tag of the body is wrong")]
    BodyTag,

    /// A body without frames is longer than AES-GCM allows.
    #[error("a body of {0} bytes is longer than AES-GCM allows")]
    BodyLength(u64),

    /// More plaintext than the caller announced.
    #[error("more plaintext than the {0} bytes that were announced")]
    PlaintextLength(u64),

    /// Less plaintext than a message without frames was announced to have: so many bytes are missing.
    #[error("{0} bytes of the announced plaintext are missing")]
    Missing(u64),

    /// A plaintext that must be held until it is verified as a whole is longer than the reader is set to hold.
    #[error(
        "more than {limit} bytes have to be held until the whole is verified: raise `hold_limit`, write to a place that is discarded \
         on failure with `decrypt_into`, or take less for granted with `release`: `Release::Frames` for a signed message, \
         `Release::Unverified` for an object"
    )]
    HoldLimit {
        /// The limit in bytes.
        limit: usize,
    },

    /// The message is signed, and the caller takes only unsigned ones.
    #[error("the message is signed, and signed messages are not taken")]
    Signed,

    /// The signature is not that of the key in the header over what was read.
    #[error("the signature is wrong")]
    Signature,

    /// A message under a signing suite without a public key in its context, or the other way round.
    #[error("the public key of the signature does not go with the algorithm suite")]
    SignatureKey,

    /// No keyring could open any of the wrapped keys. The failures of those that tried, if any did.
    #[error("no key opens any of the wrapped data keys{}", .0.listed())]
    NoKeyOpens(Failures),

    /// The data key of an object is wrapped in a way that none of the keyrings is for.
    #[error("the data key is wrapped with {0}, and no key of that kind was given")]
    OtherWrapping(&'static str),

    /// A keyring has tried so many wrapped keys of a message, and tries no more.
    #[error("{limit} wrapped data keys were tried, and no more are")]
    Tries {
        /// The most that are tried.
        limit: usize,
    },

    /// A keyring that only decrypts (discovery, a private key alone) was asked to encrypt, or one that has only a public key to decrypt.
    #[error("this keyring cannot {0}")]
    KeyringCannot(&'static str),

    /// A keyring that wraps a data key came first, where one has to make it.
    #[error("no keyring made a data key")]
    NoDataKey,

    /// A data key has not the length that the algorithm suite takes.
    #[error("a data key of {found} bytes, where the algorithm suite takes {expected}")]
    DataKeyLength {
        /// What the suite takes, in bytes.
        expected: usize,
        /// What was given, in bytes.
        found: usize,
    },

    /// A wrapping key's name space or name is reserved, empty or too long.
    #[error("the wrapping key's {0}")]
    KeyName(&'static str),

    /// Bytes that are no key of the kind that was named.
    #[error("not a key: {0}")]
    Key(&'static str),

    /// A wrapped data key does not open under a key that it names.
    #[error("the wrapped data key does not open under this key")]
    Unwrap,

    /// What should be the ARN of a KMS key is none.
    #[error("not the ARN of a KMS key: {0:?}")]
    KeyArn(String),

    /// The key management service answered for another key than the one that was asked.
    #[error("the key management service answered for {found:?}, where {asked:?} was asked")]
    OtherKey {
        /// What was asked for.
        asked: String,
        /// Whose answer it is.
        found: String,
    },

    /// The key management service refused, or could not be asked.
    #[error(transparent)]
    Kms(#[from] KmsError),

    /// S3 refused, or could not be asked.
    #[cfg(feature = "transport")]
    #[error(transparent)]
    Aws(crate::aws::AwsError),

    /// The object's metadata say nothing of a client's encryption, and no instruction file does.
    #[error("the object is not encrypted by a client, or its instruction file is missing")]
    NotEncrypted,

    /// The object's materials lie in its instruction file, which was not given.
    #[error("the object's materials lie in its instruction file, which is missing")]
    InstructionFileMissing,

    /// The object's materials lie in its metadata, so there is no instruction file to be written anew.
    #[error("the object was written without an instruction file: its wrapped data key lies in its metadata")]
    NoInstructionFile,

    /// What is wrong is an instruction file, and not the object's own metadata.
    #[cfg(feature = "transport")]
    #[error("{name}: {error}")]
    OfInstructionFile {
        /// Of the file: an object in the same bucket.
        name: String,
        /// What is wrong with it.
        error: Box<Error>,
    },

    /// More than one of the members that hold a wrapped data key, each of another version of the format.
    #[error("wrapped data keys of several versions of the format: {0} and {1}")]
    SeveralVersions(&'static str, &'static str),

    /// Metadata lack a member that the format demands.
    #[error("the metadata lack {0}")]
    MissingMember(&'static str),

    /// Metadata have a member that belongs to another version of the format, or to another place.
    #[error("{0} does not belong to these metadata")]
    ForeignMember(&'static str),

    /// A member of the metadata has a value that the format does not allow.
    #[error("{0} is malformed: {1}")]
    Member(&'static str, &'static str),

    /// Metadata, or an instruction file, are longer than what is read of them.
    #[error("metadata of more than {limit} bytes")]
    MetadataLength {
        /// The limit in bytes.
        limit: usize,
    },

    /// An instruction file that is no JSON object of strings, or has a name twice.
    #[error("the instruction file is malformed: {0}")]
    InstructionFile(&'static str),

    /// A header that comes twice.
    #[error("the metadata have {0:?} twice")]
    RepeatedMember(String),

    /// The data key is wrapped in a way that only old clients wrote, and that is not enabled.
    #[error("the data key is wrapped with {0}, which only old clients did: `legacy` allows it")]
    LegacyWrapping(&'static str),

    /// The object is encrypted in a way that authenticates nothing, and that is not enabled.
    #[error("the object is encrypted with {0}, which authenticates nothing: `legacy` allows it")]
    LegacyContent(&'static str),

    /// A range was asked for, which cannot be authenticated, and that is not enabled.
    #[error("what is read of a range is not authenticated: `ranges` allows it")]
    RangesOff,

    /// No byte of the range lies within the object.
    #[error("no byte of the range lies within the object")]
    Range,

    /// The last bytes were asked for of what does not tell its length.
    #[error("how long a plaintext in {0} is, is known at its end alone: its last bytes cannot be asked for")]
    SuffixRange(&'static str),

    /// An encryption context for a key that cannot bind it.
    #[error(
        "an encryption context is bound by keys of a key management service alone; keys of your own have a material description"
    )]
    ContextUnbound,

    /// What was decrypted does not end as what is encrypted in blocks ends.
    #[error("the padding is wrong: not what was written, or not with this data key")]
    Padding,

    /// The length of what was decrypted is not the one that the metadata tell.
    #[error("{found} bytes, where the metadata tell {told}")]
    ContentLength {
        /// By the metadata.
        told: u64,
        /// What there is.
        found: u64,
    },

    /// The new key of an instruction file has the material description of the old one, which is what tells keys apart.
    #[error("the new key has the material description of the old one")]
    SameDescription,

    /// The old key opens what the new one wrapped.
    #[error("the old key opens what the new one wrapped: the key was not rotated")]
    NotRotated,

    /// What came of an object is not what was sealed, and a part of it was what an earlier download had left. That is deleted, so the next
    /// try fetches all of it, and tells whether the object itself is wrong.
    #[cfg(feature = "transport")]
    #[error("what an earlier download left, or the object, was changed: {0}")]
    Resumed(Box<Error>),

    /// A setting has a value that makes no sense.
    #[error("{0}")]
    Setting(&'static str),

    /// A writer or reader is used after it failed.
    #[error("used after a failure")]
    Failed,

    /// The cryptographic library failed where only a lack of memory or of randomness lets it.
    #[error("the cryptographic library failed")]
    Library,
}

impl From<io::Error> for Error {
    /// An error of this crate that travelled through [`io::Read`] or [`io::Write`] comes out as itself.
    fn from(error: io::Error) -> Self {
        let error = match error.downcast::<Error>() {
            Ok(ours) => return ours,
            Err(error) => error,
        };
        #[cfg(feature = "transport")]
        let error = match error.downcast::<crate::aws::AwsError>() {
            Ok(ours) => return Error::from(ours),
            Err(error) => error,
        };
        Error::Io(error)
    }
}

#[cfg(feature = "transport")]
impl From<crate::aws::AwsError> for Error {
    /// A failure of an input, on its way through a request, comes out as itself.
    fn from(error: crate::aws::AwsError) -> Self {
        match error {
            crate::aws::AwsError::Io(error) => Error::from(error),
            error => Error::Aws(error),
        }
    }
}

impl From<Error> for io::Error {
    /// [`io::ErrorKind::UnexpectedEof`] for what is truncated, [`io::ErrorKind::InvalidData`] for all else that is wrong with the input.
    fn from(error: Error) -> Self {
        match error {
            Error::Io(error) => error,
            Error::Truncated(_) => io::Error::new(io::ErrorKind::UnexpectedEof, error),
            error => io::Error::new(io::ErrorKind::InvalidData, error),
        }
    }
}

impl From<evp::Error> for Error {
    fn from(error: evp::Error) -> Self {
        match error {
            evp::Error::KeyLength => Error::Key("an AES key has 16, 24 or 32 bytes"),
            evp::Error::RsaKey => Error::Key("not an RSA key in this form"),
            evp::Error::RsaBits(_) => Error::Key("an RSA key has 2048 to 16384 bits here"),
            evp::Error::RsaPlaintext => Error::Key("an RSA key too short for this padding and data key"),
            evp::Error::RsaCiphertext | evp::Error::Unwrap | evp::Error::WrapLength => Error::Unwrap,
            evp::Error::Tag => Error::BodyTag,
            _ => Error::Library,
        }
    }
}
