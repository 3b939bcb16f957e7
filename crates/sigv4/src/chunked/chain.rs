use std::sync::Arc;

use subtle::ConstantTimeEq;

use crate::canonical::{EMPTY_SHA256, sha256};
use crate::chunked::Trailer;
use crate::encode::{hex32, hex64};
use crate::key::SigningKey;
use crate::{Error, Mismatch, Timestamp};

/// The chain of signatures of a chunked body: each covers the one before it, and the first that of the head.
#[derive(Debug, Clone)]
pub(crate) struct Chain {
    pub(crate) key: Arc<SigningKey>,
    pub(crate) access_key_id: String,
    /// `<date>/<region>/<service>/aws4_request`.
    pub(crate) scope: String,
    pub(crate) time: Timestamp,
    pub(crate) previous: [u8; 32],
}

impl Chain {
    /// Signs the chunk whose data has this SHA-256, and goes on from it.
    pub(crate) fn sign_chunk(&mut self, hash: &[u8; 32]) -> [u8; 32] {
        self.previous = self.key.sign(&self.chunk_text(hash));
        self.previous
    }

    /// Signs the trailer, which ends the chain.
    pub(crate) fn sign_trailer(&self, trailers: &[Trailer]) -> [u8; 32] {
        self.key.sign(&self.trailer_text(trailers))
    }

    pub(crate) fn verify_chunk(&mut self, hash: &[u8; 32], provided: &[u8; 32]) -> Result<(), Error> {
        let text = self.chunk_text(hash);
        self.previous = self.check(text, provided)?;
        Ok(())
    }

    pub(crate) fn verify_trailer(&self, trailers: &[Trailer], provided: &str) -> Result<(), Error> {
        let provided = hex32(provided.as_bytes()).ok_or(Error::MalformedTrailer)?;
        self.check(self.trailer_text(trailers), &provided).map(drop)
    }

    fn check(&self, text: Vec<u8>, provided: &[u8; 32]) -> Result<[u8; 32], Error> {
        let signature = self.key.sign(&text);
        if bool::from(signature.ct_eq(provided)) {
            return Ok(signature);
        }
        Err(Error::SignatureDoesNotMatch(Box::new(Mismatch {
            access_key_id: self.access_key_id.clone(),
            provided: String::from_utf8_lossy(&hex64(provided)).into_owned(),
            string_to_sign: text,
            canonical_request: Vec::new(),
        })))
    }

    fn chunk_text(&self, hash: &[u8; 32]) -> Vec<u8> {
        let mut text = self.text("AWS4-HMAC-SHA256-PAYLOAD");
        text.extend_from_slice(EMPTY_SHA256);
        text.push(b'\n');
        text.extend_from_slice(&hex64(hash));
        text
    }

    fn trailer_text(&self, trailers: &[Trailer]) -> Vec<u8> {
        let mut sorted: Vec<_> = trailers.iter().collect();
        sorted.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        let lines: String = sorted.iter().map(|trailer| format!("{}:{}\n", trailer.name, trailer.value)).collect();
        let mut text = self.text("AWS4-HMAC-SHA256-TRAILER");
        text.extend_from_slice(&hex64(&sha256(lines.as_bytes())));
        text
    }

    /// The four lines that both kinds begin with.
    fn text(&self, algorithm: &str) -> Vec<u8> {
        let mut text = Vec::with_capacity(algorithm.len() + self.scope.len() + 16 + 3 * 64 + 6);
        for line in [algorithm.as_bytes(), &self.time.text(), self.scope.as_bytes(), &hex64(&self.previous)] {
            text.extend_from_slice(line);
            text.push(b'\n');
        }
        text
    }
}
