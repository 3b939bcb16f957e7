//! The road of a GET: sealed segments in, verified plaintext out.

use crate::error::Error;
use crate::info::ObjectInfo;
use crate::window::Span;
use bytes::Bytes;

/// An open object. Its bytes come in verified pieces of at most one segment (64 KiB).
pub struct ObjectReader {
    info: ObjectInfo,
    span: Option<Span>,
}

impl ObjectReader {
    /// The object.
    pub fn info(&self) -> &ObjectInfo {
        &self.info
    }

    /// The bytes that come, if a range or part was asked for (206); `None`: the whole object.
    pub fn span(&self) -> Option<Span> {
        self.span
    }

    /// Plaintext bytes that come in all.
    pub fn content_length(&self) -> u64 {
        self.span.map_or(self.info.size, |span| span.len())
    }

    /// The next verified bytes, never empty; `None` when all have come. After an error the connection must be cut: bytes are
    /// missing.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        todo!()
    }
}
