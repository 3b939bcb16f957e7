use std::fmt;

use aws_lc_rs::digest;
use bytes::{Buf, Bytes};

use crate::Error;
use crate::chunked::{Announced, Chain, MAX_TRAILER_BYTES, MAX_TRAILERS, SIGNATURE_TRAILER, Trailer};
use crate::encode::{hex_digit, hex32};

/// The longest chunk header, in bytes without its CRLF: 16 digits of size, `;chunk-signature=` and 64 more.
pub const MAX_CHUNK_HEADER: usize = MAX_SIZE_DIGITS + CHUNK_SIGNATURE.len() + 64;

/// The largest chunk, in bytes: the largest object that one PUT may carry (5 GiB), since some clients send it as one chunk. Memory
/// does not grow with it.
pub const MAX_CHUNK: u64 = 5 << 30;

/// The smallest chunk that is not the last, in bytes.
pub const MIN_CHUNK: u64 = 8192;

/// The most digits of a chunk size: those of a `u64`, some of which clients fill with zeros.
const MAX_SIZE_DIGITS: usize = 16;

const CHUNK_SIGNATURE: &[u8] = b";chunk-signature=";

/// Decodes an aws-chunked body piece by piece, whatever the pieces.
///
/// Data is handed out as it arrives, so before the signature of its chunk is known: commit nothing before
/// [`finish`](ChunkedDecoder::finish) has agreed. Never is more handed out than `x-amz-decoded-content-length` declares.
pub struct ChunkedDecoder {
    state: State,
    /// The line being read, without its LF.
    line: Vec<u8>,
    /// Bytes of data that have been announced by chunk headers, and that the whole body must have.
    announced: u64,
    declared: u64,
    chunks: u64,
    /// The size of the chunk before, if it was smaller than [`MIN_CHUNK`] and so must have been the last.
    small: Option<u64>,
    signed: Option<Signed>,
    trailer: TrailerSection,
}

/// The signature of the current chunk, as far as it is known.
struct Signed {
    chain: Chain,
    hash: digest::Context,
    provided: [u8; 32],
}

#[derive(Default)]
struct TrailerSection {
    /// `None`: the payload mode has no trailers.
    announced: Option<Announced>,
    received: Vec<Trailer>,
    signature: Option<String>,
    /// Whether the empty line that some clients put before the signature has come.
    gap: bool,
    bytes: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// In the line that begins a chunk.
    Header,
    /// In data, of which so many bytes are to come.
    Data(u64),
    /// In the CRLF after data.
    DataEnd,
    /// In the CRLF after the last chunk of a body without trailers.
    End,
    /// In the lines after the last chunk.
    Trailer,
    /// The body is complete. One more CRLF is borne where `spare`.
    Complete { spare: bool },
    /// An error has been reported.
    Failed,
}

impl ChunkedDecoder {
    pub(crate) fn new(declared: u64, announced: Option<Announced>, chain: Option<Chain>) -> ChunkedDecoder {
        let signed =
            chain.map(|chain| Signed { chain, hash: digest::Context::new(&digest::SHA256), provided: [0; 32] });
        ChunkedDecoder {
            state: State::Header,
            line: Vec::new(),
            announced: 0,
            declared,
            chunks: 0,
            small: None,
            signed,
            trailer: TrailerSection { announced, ..TrailerSection::default() },
        }
    }

    /// The bytes of data that the body was declared to have.
    #[must_use]
    pub fn declared_len(&self) -> u64 {
        self.declared
    }

    /// Takes from `input` until there is data to hand out, or until `input` is empty (`None`). The data is a slice of `input`, not a
    /// copy, and never empty.
    ///
    /// # Errors
    /// Broken framing, a wrong chunk signature, more data than declared, bytes after the end. The decoder is of no use after that.
    pub fn push(&mut self, input: &mut Bytes) -> Result<Option<Bytes>, Error> {
        let result = self.advance(input);
        if result.is_err() {
            self.state = State::Failed;
        }
        result
    }

    /// The HTTP body is over. Only now is it known to be whole, and signed to its end where it is signed at all.
    ///
    /// # Errors
    /// The body ended early, or an error was reported before.
    pub fn finish(self) -> Result<Vec<Trailer>, Error> {
        match self.state {
            State::Complete { .. } if self.line.is_empty() => Ok(self.trailer.received),
            _ => Err(Error::IncompleteBody),
        }
    }

    fn advance(&mut self, input: &mut Bytes) -> Result<Option<Bytes>, Error> {
        while !input.is_empty() {
            match self.state {
                State::Data(left) => return Ok(Some(self.data(input, left))),
                State::Header => {
                    if self.read_line(input, MAX_CHUNK_HEADER + 1)? {
                        self.chunk_header()?;
                    }
                }
                State::DataEnd => {
                    if self.read_line(input, 1)? {
                        self.empty_line()?;
                        self.verify_chunk()?;
                        self.state = State::Header;
                    }
                }
                State::End => {
                    if self.read_line(input, 1)? {
                        self.empty_line()?;
                        self.state = State::Complete { spare: false };
                    }
                }
                State::Trailer => {
                    let left = MAX_TRAILER_BYTES.saturating_sub(self.trailer.bytes);
                    if self.read_line(input, left).map_err(|_| Error::MalformedTrailer)? {
                        self.trailer_line()?;
                    }
                }
                State::Complete { spare: true } => {
                    if self.read_line(input, 1)? {
                        self.empty_line()?;
                        self.state = State::Complete { spare: false };
                    }
                }
                State::Complete { spare: false } => return Err(Error::MalformedChunk("bytes after the end")),
                State::Failed => return Err(Error::IncompleteBody),
            }
        }
        Ok(None)
    }

    fn data(&mut self, input: &mut Bytes, left: u64) -> Bytes {
        let take = usize::try_from(left).map_or(input.len(), |left| left.min(input.len()));
        let data = input.split_to(take);
        if let Some(signed) = &mut self.signed {
            signed.hash.update(&data);
        }
        self.state = match left - take as u64 {
            0 => State::DataEnd,
            left => State::Data(left),
        };
        data
    }

    /// Reads on until LF. Whether the line is complete; `limit` is the most bytes before the LF.
    fn read_line(&mut self, input: &mut Bytes, limit: usize) -> Result<bool, Error> {
        let window = &input[..input.len().min(limit - self.line.len() + 1)];
        match window.iter().position(|byte| *byte == b'\n') {
            Some(at) => {
                self.line.extend_from_slice(&input[..at]);
                input.advance(at + 1);
                Ok(true)
            }
            None if self.line.len() + window.len() > limit => Err(Error::MalformedChunk("a line is too long")),
            None => {
                self.line.extend_from_slice(window);
                input.advance(window.len());
                Ok(false)
            }
        }
    }

    fn chunk_header(&mut self) -> Result<(), Error> {
        let (size, provided) = parse_header(&self.line, self.signed.is_some())?;
        self.line.clear();
        self.chunks += 1;
        if let Some(signed) = &mut self.signed {
            signed.provided = provided;
        }
        if size == 0 {
            return self.last_chunk();
        }
        if let Some(small) = self.small {
            return Err(Error::InvalidChunkSize { chunk: self.chunks, size: small });
        }
        if size > MAX_CHUNK {
            return Err(Error::MalformedChunk("a chunk is too large"));
        }
        self.small = (size < MIN_CHUNK).then_some(size);
        // Neither can overflow: `announced` is at most `declared`.
        if size > self.declared - self.announced {
            return Err(Error::IncompleteBody);
        }
        self.announced += size;
        self.state = State::Data(size);
        Ok(())
    }

    fn last_chunk(&mut self) -> Result<(), Error> {
        if self.announced != self.declared {
            return Err(Error::IncompleteBody);
        }
        self.verify_chunk()?;
        self.state = if self.trailer.announced.is_some() { State::Trailer } else { State::End };
        Ok(())
    }

    fn empty_line(&mut self) -> Result<(), Error> {
        let empty = self.line == b"\r";
        self.line.clear();
        if empty { Ok(()) } else { Err(Error::MalformedChunk("CRLF expected")) }
    }

    fn verify_chunk(&mut self) -> Result<(), Error> {
        let Some(signed) = &mut self.signed else { return Ok(()) };
        let hash = std::mem::replace(&mut signed.hash, digest::Context::new(&digest::SHA256)).finish();
        let mut bytes = [0; 32];
        bytes.copy_from_slice(hash.as_ref());
        signed.chain.verify_chunk(&bytes, &signed.provided)
    }

    /// A line of the trailer section. Lines end in CRLF; `name:value` may end in LF alone, and one empty line may precede the
    /// signature, because minio-go writes both and S3 takes them.
    fn trailer_line(&mut self) -> Result<(), Error> {
        let line = std::mem::take(&mut self.line);
        let section = &mut self.trailer;
        section.bytes += line.len() + 1;
        if line == b"\r" {
            return self.trailer_end();
        }
        let trailer = Trailer::parse(line.strip_suffix(b"\r").unwrap_or(&line)).ok_or(Error::MalformedTrailer)?;
        let repeated = section.received.iter().any(|one| one.name == trailer.name);
        if section.signature.is_some() || repeated || section.received.len() == MAX_TRAILERS {
            return Err(Error::MalformedTrailer);
        }
        if trailer.name != SIGNATURE_TRAILER {
            section.received.push(trailer);
        } else if self.signed.is_some() {
            section.signature = Some(trailer.value);
        } else {
            return Err(Error::MalformedTrailer);
        }
        Ok(())
    }

    fn trailer_end(&mut self) -> Result<(), Error> {
        let section = &mut self.trailer;
        match (&self.signed, &section.signature) {
            (Some(_), None) if section.gap => return Err(Error::IncompleteBody),
            (Some(_), None) => {
                section.gap = true;
                return Ok(());
            }
            (Some(signed), Some(signature)) => signed.chain.verify_trailer(&section.received, signature)?,
            (None, _) => {}
        }
        if let Some(announced) = &section.announced {
            announced.check(&section.received)?;
        }
        // minio-go ends an unsigned trailer with two empty lines.
        self.state = State::Complete { spare: self.signed.is_none() };
        Ok(())
    }
}

impl fmt::Debug for ChunkedDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChunkedDecoder")
            .field("state", &self.state)
            .field("declared", &self.declared)
            .finish_non_exhaustive()
    }
}

/// The size and, where chunks are signed, the signature in the line that begins a chunk (without its LF).
fn parse_header(line: &[u8], signed: bool) -> Result<(u64, [u8; 32]), Error> {
    const BROKEN: Error = Error::MalformedChunk("a chunk header is broken");
    let line = line.strip_suffix(b"\r").ok_or(BROKEN)?;
    let (digits, rest) = line.split_at(line.iter().position(|byte| *byte == b';').unwrap_or(line.len()));
    if digits.is_empty() || digits.len() > MAX_SIZE_DIGITS {
        return Err(BROKEN);
    }
    let mut size = 0;
    for digit in digits {
        size = size << 4 | u64::from(hex_digit(*digit).ok_or(BROKEN)?);
    }
    match (signed, rest) {
        (true, rest) => {
            let signature = rest.strip_prefix(CHUNK_SIGNATURE).and_then(hex32).ok_or(BROKEN)?;
            Ok((size, signature))
        }
        (false, []) => Ok((size, [0; 32])),
        (false, _) => Err(BROKEN),
    }
}
