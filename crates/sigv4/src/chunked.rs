use bytes::Bytes;

use crate::Error;

/// The longest chunk header, in bytes without its CRLF: 16 hexadecimal digits, `;chunk-signature=` and 64 more.
pub const MAX_CHUNK_HEADER: usize = 16 + 17 + 64;
/// The largest chunk, in bytes: the largest object that one PUT may carry (5 GiB), since some clients send it as one chunk.
pub const MAX_CHUNK: u64 = 5 << 30;
/// The smallest chunk that is not the last, in bytes.
pub const MIN_CHUNK: u64 = 8192;
/// The most trailers.
pub const MAX_TRAILERS: usize = 8;
/// The longest trailer section, in bytes with line ends.
pub const MAX_TRAILER_BYTES: usize = 8192;

/// A trailer: lower-case name and trimmed value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trailer {
    /// Lower case.
    pub name: String,
    /// Without surrounding spaces.
    pub value: String,
}

/// Decodes an aws-chunked body piece by piece.
#[derive(Debug)]
pub struct ChunkedDecoder;

impl ChunkedDecoder {
    /// Takes from `input` until there is data to give, or until `input` is empty (`None`). The data is a slice of `input`, not a copy.
    ///
    /// # Errors
    /// A broken framing, a wrong chunk signature, more data than declared. Nothing may be pushed after an error.
    pub fn push(&mut self, input: &mut Bytes) -> Result<Option<Bytes>, Error> {
        let _ = input;
        todo!()
    }

    /// The HTTP body is over. Only now is the body known to be whole and signed to its end.
    ///
    /// # Errors
    /// The body ended early, or the trailer is not what was announced.
    pub fn finish(self) -> Result<Vec<Trailer>, Error> {
        todo!()
    }
}
