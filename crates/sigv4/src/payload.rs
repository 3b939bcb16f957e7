use std::borrow::Cow;
use std::fmt;

use aws_lc_rs::digest;
use data_encoding::HEXLOWER;
use subtle::ConstantTimeEq;

use crate::canonical::sha256;
use crate::encode::hex32;
use crate::{ChunkedDecoder, Error};

/// What `x-amz-content-sha256` said of the body.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payload {
    /// The SHA-256 of the whole body.
    Signed([u8; 32]),
    /// `UNSIGNED-PAYLOAD`: the body is not covered by the signature.
    Unsigned,
    /// `STREAMING-AWS4-HMAC-SHA256-PAYLOAD`, with `trailer` `STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER`: aws-chunked, each chunk signed.
    ChunkedSigned {
        /// Whether signed trailers follow the last chunk.
        trailer: bool,
    },
    /// `STREAMING-UNSIGNED-PAYLOAD-TRAILER`: aws-chunked without signatures, with trailers.
    ChunkedUnsignedTrailer,
}

impl Payload {
    /// Parses the value of `x-amz-content-sha256`.
    #[must_use]
    pub fn parse(word: &[u8]) -> Option<Payload> {
        match word {
            b"UNSIGNED-PAYLOAD" => Some(Payload::Unsigned),
            b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD" => Some(Payload::ChunkedSigned { trailer: false }),
            b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => Some(Payload::ChunkedSigned { trailer: true }),
            b"STREAMING-UNSIGNED-PAYLOAD-TRAILER" => Some(Payload::ChunkedUnsignedTrailer),
            _ => hex32(word).map(Payload::Signed),
        }
    }

    /// The value of `x-amz-content-sha256` that says this.
    #[must_use]
    pub fn word(&self) -> Cow<'static, str> {
        match self {
            Payload::Signed(hash) => HEXLOWER.encode(hash).into(),
            Payload::Unsigned => "UNSIGNED-PAYLOAD".into(),
            Payload::ChunkedSigned { trailer: false } => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD".into(),
            Payload::ChunkedSigned { trailer: true } => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER".into(),
            Payload::ChunkedUnsignedTrailer => "STREAMING-UNSIGNED-PAYLOAD-TRAILER".into(),
        }
    }

    /// What signs a body of which all is known.
    #[must_use]
    pub fn of(body: &[u8]) -> Payload {
        Payload::Signed(sha256(body))
    }
}

/// How the body of an authenticated request is to be read.
#[derive(Debug)]
pub enum BodyCheck {
    /// As it is: nothing signs it, or it was checked with the head.
    Plain,
    /// As it is, and hashed: the hasher's `finish` must agree before anything is committed.
    Sha256(PayloadHasher),
    /// Through the decoder, which must `finish` before anything is committed.
    Chunked(Box<ChunkedDecoder>),
}

/// Hashes a body as it arrives and compares at the end with the SHA-256 that was signed.
pub struct PayloadHasher {
    context: digest::Context,
    claimed: [u8; 32],
}

impl PayloadHasher {
    /// A hasher that will expect `claimed`.
    #[must_use]
    pub fn new(claimed: [u8; 32]) -> PayloadHasher {
        PayloadHasher { context: digest::Context::new(&digest::SHA256), claimed }
    }

    /// Takes the next bytes of the body.
    pub fn update(&mut self, data: &[u8]) {
        self.context.update(data);
    }

    /// The body is over.
    ///
    /// # Errors
    /// [`Error::XAmzContentSHA256Mismatch`].
    pub fn finish(self) -> Result<(), Error> {
        let digest = self.context.finish();
        if bool::from(digest.as_ref().ct_eq(&self.claimed)) {
            return Ok(());
        }
        Err(Error::XAmzContentSHA256Mismatch {
            client: HEXLOWER.encode(&self.claimed),
            computed: HEXLOWER.encode(digest.as_ref()),
        })
    }
}

impl fmt::Debug for PayloadHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PayloadHasher").finish_non_exhaustive()
    }
}
