use std::fmt;

use aws_lc_rs::digest;
use subtle::ConstantTimeEq;

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
        let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
        Err(Error::XAmzContentSHA256Mismatch { client: hex(&self.claimed), computed: hex(digest.as_ref()) })
    }
}

impl fmt::Debug for PayloadHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PayloadHasher").finish_non_exhaustive()
    }
}
