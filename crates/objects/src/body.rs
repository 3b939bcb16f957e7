//! The bytes that a client sends, as they arrive.

use crate::checksum::Algorithm;
use bytes::Bytes;
use std::fmt;

/// A request's body. Nothing is stored before `next` has answered `None`, and that happens only when everything that frames or
/// signs the body (length, chunk signatures, trailer) has verified.
#[async_trait::async_trait]
pub trait Body: Send {
    /// The next bytes, never empty; `None` at the verified end.
    async fn next(&mut self) -> Result<Option<Bytes>, BodyError>;

    /// The checksum that the trailer claims (base64, as sent). Known after `next` has answered `None`.
    fn trailing_checksum(&self) -> Option<(Algorithm, String)> {
        None
    }
}

/// Why a body could not be read, in the words of whoever reads it. This crate only carries it.
pub struct BodyError(Box<dyn std::error::Error + Send + Sync>);

impl BodyError {
    /// Wraps the reader's own error.
    pub fn new(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> BodyError {
        BodyError(error.into())
    }

    /// The reader's own error, to be downcast.
    pub fn into_inner(self) -> Box<dyn std::error::Error + Send + Sync> {
        self.0
    }
}

impl fmt::Debug for BodyError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, out)
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, out)
    }
}

impl std::error::Error for BodyError {}

/// A whole body in memory. For bodies that a server makes itself, and for tests.
#[async_trait::async_trait]
impl Body for Option<Bytes> {
    async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        Ok(self.take().filter(|bytes| !bytes.is_empty()))
    }
}
