//! Bodies on their way: framed and signed as they are sent, counted and verified as they arrive.

use super::super::error::AwsError;
use super::super::http::{Body, SignedRead};
use super::checksum::{self, Crc64, Expected};
use sigv4::{ChunkSigner, Trailer};
use std::io::{Error, ErrorKind, Read, Result};

/// Bytes of a chunk: as many as a connection takes at once. S3 wants 8 KiB at least.
const CHUNK: u64 = 1 << 17;

/// A reader of known length as an `aws-chunked` body, with its CRC-64/NVME behind it.
pub(super) struct Framed<'a> {
    input: Exact<'a>,
    signer: Option<ChunkSigner>,
    crc: Crc64,
    /// The plain bytes of a chunk.
    chunk: Vec<u8>,
    /// What is to be sent of the current chunk, from `at` on.
    out: Vec<u8>,
    at: usize,
}

impl<'a> Framed<'a> {
    pub(super) fn new(input: Exact<'a>) -> Self {
        Self { input, signer: None, crc: Crc64::new(), chunk: Vec::new(), out: Vec::new(), at: 0 }
    }

    /// Bytes on the wire of so many bytes of data.
    pub(super) fn length(data: u64, signed: bool) -> u64 {
        const SIGNATURE: u64 = ";chunk-signature=".len() as u64 + 64;
        let signature = if signed { SIGNATURE } else { 0 };
        let frame = |length: u64| (format!("{length:x}").len() as u64) + signature + length + 4;
        let (whole, rest) = (data / CHUNK, data % CHUNK);
        let rest = if rest > 0 { frame(rest) } else { 0 };
        let trailer = (checksum::SENT.len() + 1 + checksum::SENT_LENGTH + 2) as u64;
        let trailer_signature = if signed { "x-amz-trailer-signature:".len() as u64 + 64 + 2 } else { 0 };
        // The last chunk is empty, and the last line, too.
        whole * frame(CHUNK) + rest + (1 + signature + 2) + trailer + trailer_signature + 2
    }

    fn next(&mut self) -> Result<()> {
        self.out.clear();
        self.at = 0;
        let wanted = usize::try_from(self.input.left.min(CHUNK)).unwrap_or(usize::MAX);
        self.chunk.resize(wanted, 0);
        let mut there = 0;
        while there < wanted {
            there += self.input.read(&mut self.chunk[there..])?;
        }
        let used = || Error::other("a body is sent once, after its head is signed");
        if wanted > 0 {
            self.crc.update(&self.chunk);
            self.signer.as_mut().ok_or_else(used)?.chunk(&self.chunk, &mut self.out);
        } else if let Some(signer) = self.signer.take() {
            let trailer = Trailer { name: checksum::SENT.to_owned(), value: self.crc.text() };
            signer.finish(&[trailer], &mut self.out);
        }
        Ok(())
    }
}

impl SignedRead for Framed<'_> {
    fn begin(&mut self, signer: ChunkSigner) {
        self.signer = Some(signer);
    }
}

impl Read for Framed<'_> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        if self.at == self.out.len() {
            self.next()?;
        }
        let taken = into.len().min(self.out.len() - self.at);
        into[..taken].copy_from_slice(&self.out[self.at..self.at + taken]);
        self.at += taken;
        Ok(taken)
    }
}

/// Exactly so many bytes of a reader: it fails if there are less or more.
pub(super) struct Exact<'a> {
    input: &'a mut dyn Read,
    left: u64,
    /// Whether anything was taken from the input, which then cannot be sent again.
    pub(super) begun: &'a mut bool,
}

impl<'a> Exact<'a> {
    pub(super) fn new(input: &'a mut dyn Read, length: u64, begun: &'a mut bool) -> Self {
        Self { input, left: length, begun }
    }

    /// Fails if there is more.
    pub(super) fn end(&mut self) -> Result<()> {
        *self.begun = true;
        match read(self.input, &mut [0])? {
            0 => Ok(()),
            _ => Err(Error::new(ErrorKind::InvalidData, "the input is longer than was announced")),
        }
    }
}

impl SignedRead for Exact<'_> {
    fn begin(&mut self, _: ChunkSigner) {}
}

impl Read for Exact<'_> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        let wanted = usize::try_from(self.left).map_or(into.len(), |left| left.min(into.len()));
        if wanted == 0 {
            return Ok(0);
        }
        *self.begun = true;
        let taken = read(self.input, &mut into[..wanted])?;
        if taken == 0 {
            let why = format!("the input is {} bytes shorter than was announced", self.left);
            return Err(Error::new(ErrorKind::UnexpectedEof, why));
        }
        self.left -= taken as u64;
        if self.left == 0 {
            // Before the last byte leaves, so that nothing is stored that is cut off.
            self.end()?;
        }
        Ok(taken)
    }
}

fn read(input: &mut dyn Read, into: &mut [u8]) -> Result<usize> {
    loop {
        match input.read(into) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

/// The body of an object, as it is read. It fails if it breaks off or has not the checksum that is stored: only after its end was read is
/// it known to be whole. Errors are an [`AwsError`] within an [`std::io::Error`].
pub struct ObjectBody {
    body: Body,
    operation: &'static str,
    expected: Option<Expected>,
}

impl ObjectBody {
    pub(super) fn new(body: Body, operation: &'static str, expected: Option<Expected>) -> Self {
        Self { body: body.paced(), operation, expected }
    }

    /// Bytes to come.
    #[must_use]
    pub fn remaining(&self) -> u64 {
        self.body.length().unwrap_or(0)
    }
}

impl Read for ObjectBody {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        let read = self.body.read(into)?;
        if let Some(expected) = &mut self.expected {
            expected.update(&into[..read]);
        }
        if self.body.length() == Some(0)
            && let Some(expected) = self.expected.take()
        {
            let algorithm = expected.name;
            if !expected.met() {
                return Err(Error::other(AwsError::Checksum { operation: self.operation, algorithm }));
            }
        }
        Ok(read)
    }
}
