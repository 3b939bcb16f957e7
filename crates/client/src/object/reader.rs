//! The plaintext of an object, as it is read.

use super::cipher::{self, TAG};
use super::decrypt::Opening;
use super::header::ObjectHeader;
use super::policy::Release;
use super::source::Source;
use crate::error::{Error, Result};
use crate::held::Held;
use std::io::{self, BufRead, Read};
use zeroize::Zeroizing;

/// The plaintext of an object. Unless [`Release::Unverified`] was asked for, [`Read`] and [`BufRead`] give nothing before all of it was
/// verified; in any case they report an end only after that, and an error otherwise.
///
/// An [`io::Error`] of it has an [`Error`] within: `client::Error::from(error)` takes it out.
pub struct ObjectReader<R> {
    opening: Opening,
    source: Source<R>,
    cipher: Option<cipher::Opening>,
    /// Ciphertext that was not read yet, without the tag.
    left: u64,
    piece: Zeroizing<Vec<u8>>,
    held: Held,
    ready: Ready,
    /// Plaintext so far.
    total: u64,
    state: State,
}

/// Plaintext that may leave: from a place to another in the last piece, or what is held, from a place on.
enum Ready {
    Piece(usize, usize),
    Held(usize),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Content,
    Done,
    Failed,
}

impl<R: Read> ObjectReader<R> {
    pub(super) fn new(opening: Opening, input: R) -> Result<Self> {
        let left = opening.content_length();
        if opening.release == Release::Verified && left > opening.hold_limit {
            let limit = usize::try_from(opening.hold_limit).unwrap_or(usize::MAX);
            return Err(Error::HoldLimit { limit });
        }
        let source = Source::new(input);
        Ok(Self {
            cipher: Some(opening.key.opening()?),
            piece: source.buffer(left),
            source,
            left,
            opening,
            held: Held::default(),
            ready: Ready::Piece(0, 0),
            total: 0,
            state: State::Content,
        })
    }

    /// What the object says of itself.
    pub fn header(&self) -> &ObjectHeader {
        &self.opening.header
    }

    fn ready_bytes(&self) -> &[u8] {
        match self.ready {
            Ready::Piece(from, to) => &self.piece[from..to],
            Ready::Held(from) => &self.held.bytes()[from..],
        }
    }

    /// Makes something ready, unless the end is reached.
    fn advance(&mut self) -> Result<()> {
        while self.ready_bytes().is_empty() && self.state == State::Content {
            self.ready = Ready::Piece(0, 0);
            if let Err(error) = self.next() {
                self.state = State::Failed;
                self.ready = Ready::Piece(0, 0);
                self.held.clear();
                return Err(error);
            }
        }
        if self.state == State::Failed { Err(Error::Failed) } else { Ok(()) }
    }

    /// All of it, or the next piece; the end with it, where it is the last.
    fn next(&mut self) -> Result<()> {
        let hold = self.opening.release == Release::Verified;
        loop {
            let length = self.next_piece()?;
            let last = self.left == 0;
            if last {
                self.verify()?;
            }
            if !hold {
                self.ready = Ready::Piece(0, length);
            } else if last && self.held.len() == 0 {
                // All in one piece.
                self.ready = Ready::Piece(0, length);
            } else {
                self.held.extend(&self.piece[..length]);
                if last {
                    self.ready = Ready::Held(0);
                }
            }
            if last {
                self.state = State::Done;
            }
            if last || !hold {
                return Ok(());
            }
        }
    }

    fn next_piece(&mut self) -> Result<usize> {
        let taken = self.source.fill(&mut self.piece, self.left, "the object")?;
        self.left -= u64::try_from(taken).map_err(|_| Error::Library)?;
        let data = &mut self.piece[..taken];
        self.cipher.as_mut().ok_or(Error::Failed)?.update(data)?;
        let length = if self.left == 0 { self.opening.unpadded(data)?.len() } else { taken };
        self.total += u64::try_from(length).map_err(|_| Error::Library)?;
        Ok(length)
    }

    fn verify(&mut self) -> Result<()> {
        let cipher = self.cipher.take().ok_or(Error::Failed)?;
        if self.opening.key.gcm().is_some() {
            let mut tag = [0; TAG];
            self.source.exactly(&mut tag, "the tag")?;
            cipher.finish(&tag)?;
        }
        self.source.end()?;
        self.opening.check_told(self.total)
    }
}

impl<R: Read> BufRead for ObjectReader<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.advance()?;
        Ok(self.ready_bytes())
    }

    fn consume(&mut self, bytes: usize) {
        let bytes = bytes.min(self.ready_bytes().len());
        self.ready = match self.ready {
            Ready::Piece(from, to) => Ready::Piece(from + bytes, to),
            Ready::Held(from) => Ready::Held(from + bytes),
        };
    }
}

impl<R: Read> Read for ObjectReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        let ready = self.fill_buf()?;
        let taken = ready.len().min(into.len());
        into[..taken].copy_from_slice(&ready[..taken]);
        self.consume(taken);
        Ok(taken)
    }
}
