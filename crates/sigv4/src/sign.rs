use std::time::SystemTime;

use crate::{Payload, RequestHead, Secret, Trailer};

/// Why a request could not be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// There is no `host` header.
    #[error("the request has no host header")]
    NoHost,
    /// The lifetime is not 1..=604800 seconds.
    #[error("a presigned request lives 1 to 604800 seconds")]
    Lifetime,
    /// A value that cannot stand in a header.
    #[error("the access key id or the scope cannot stand in a header")]
    Header,
}

/// Signs requests with one access key for one region and service. Keeps the day's signing key.
#[derive(Debug)]
pub struct Signer;

/// Signs the chunks and the trailer of an aws-chunked body.
#[derive(Debug)]
pub struct ChunkSigner;

impl Signer {
    /// A signer.
    #[must_use]
    pub fn new(access_key_id: &str, secret: &Secret, region: &str, service: &str) -> Signer {
        let _ = (access_key_id, secret, region, service);
        todo!()
    }

    /// Signs `method path?query` with all of `headers`, and adds `x-amz-date`, `x-amz-content-sha256` (for S3) and `authorization`.
    /// The signer of chunks goes on from here.
    ///
    /// # Errors
    /// [`SignError`].
    pub fn sign(
        &self,
        method: &str,
        path: &str,
        query: &str,
        headers: &mut http::HeaderMap,
        payload: Payload,
        now: SystemTime,
    ) -> Result<ChunkSigner, SignError> {
        let _ = (method, path, query, headers, payload, now);
        todo!()
    }

    /// The whole query, signature included, of a presigned `head`, all of whose headers are signed and must be sent.
    ///
    /// # Errors
    /// [`SignError`].
    pub fn presign(&self, head: &RequestHead<'_>, lifetime: u32, now: SystemTime) -> Result<String, SignError> {
        let _ = (head, lifetime, now);
        todo!()
    }
}

impl ChunkSigner {
    /// Appends a chunk with its signature (none, if the payload mode has none) to `out`. An empty one ends the data.
    pub fn chunk(&mut self, data: &[u8], out: &mut Vec<u8>) {
        let _ = (data, out);
        todo!()
    }

    /// Appends the final chunk and the trailers to `out`.
    pub fn finish(self, trailers: &[Trailer], out: &mut Vec<u8>) {
        let _ = (trailers, out);
        todo!()
    }
}
