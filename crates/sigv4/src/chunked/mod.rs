//! aws-chunked bodies.
//!
//! ```text
//! <size in hexadecimal>[;chunk-signature=<64 hexadecimal digits>]\r\n
//! <data>\r\n                                     size bytes; as often as need be
//! 0[;chunk-signature=<...>]\r\n
//! [x-amz-checksum-<algorithm>:<value>\r\n]...    as announced by x-amz-trailer
//! [x-amz-trailer-signature:<...>\r\n]            where the chunks are signed
//! \r\n
//! ```
//!
//! Sources: S3 API Reference, "Transferring Payload in Multiple Chunks"
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html>) and "Including Trailing Headers"
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html>).

mod chain;
mod decoder;
mod trailer;

pub(crate) use chain::Chain;
pub use decoder::{ChunkedDecoder, MAX_CHUNK, MAX_CHUNK_HEADER, MIN_CHUNK};
pub(crate) use trailer::{Announced, SIGNATURE_TRAILER};
pub use trailer::{MAX_TRAILER_BYTES, MAX_TRAILERS, Trailer};
