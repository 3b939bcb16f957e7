//! The XML of S3: one writer, one strict reader, and the documents that clients send as types.

mod read;
pub(crate) mod request;
mod write;

pub(crate) use read::Malformed;
pub(crate) use write::Writer;
