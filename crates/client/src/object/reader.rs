//! The plaintext of an object, as it is read.

use super::cipher::{self, TAG};
use super::decrypt::{Opening, piece_of};
use super::header::ObjectHeader;
use super::policy::Release;
use crate::error::{Error, Result};
use crate::plaintext::Plaintext;
use crate::source::Source;
use std::collections::VecDeque;
use std::io::{self, BufRead, Read};

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
    /// Plaintext that did not leave yet: of each piece, so many bytes.
    held: VecDeque<(Plaintext, usize)>,
    /// What has left of the first of them.
    taken: usize,
    /// All plaintext so far.
    total: u64,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// There is more, and nothing that is held may leave.
    Content,
    /// There is more, and what is held may leave.
    Unverified,
    Verified,
    Failed,
}

impl<R: BufRead> ObjectReader<R> {
    pub(super) fn new(opening: Opening, input: R) -> Result<Self> {
        let left = opening.content_length();
        let hold = opening.release == Release::Verified;
        if hold && left > opening.hold_limit {
            let limit = usize::try_from(opening.hold_limit).unwrap_or(usize::MAX);
            return Err(Error::HoldLimit { limit });
        }
        Ok(Self {
            cipher: Some(opening.key.opening()?),
            source: Source::new(input),
            left,
            opening,
            held: VecDeque::new(),
            taken: 0,
            total: 0,
            state: if hold { State::Content } else { State::Unverified },
        })
    }

    /// What the object says of itself.
    pub fn header(&self) -> &ObjectHeader {
        &self.opening.header
    }

    fn ready_bytes(&self) -> &[u8] {
        match (self.held.front(), self.state) {
            (Some((piece, length)), State::Unverified | State::Verified) => &piece[self.taken..*length],
            _ => &[],
        }
    }

    /// Makes something ready, unless the end is reached.
    fn advance(&mut self) -> Result<()> {
        while self.ready_bytes().is_empty() && self.state != State::Failed {
            let spent = if self.state == State::Content { None } else { self.held.pop_front() };
            self.taken = 0;
            if self.state == State::Verified {
                if self.held.is_empty() {
                    return Ok(());
                }
                continue;
            }
            if let Err(error) = self.next_piece(spent.map(|(piece, _)| piece)) {
                self.state = State::Failed;
                self.held.clear();
                return Err(error);
            }
        }
        if self.state == State::Failed { Err(Error::Failed) } else { Ok(()) }
    }

    /// Decrypts a piece, into room that is there if there is any; the end with it, where it is the last.
    fn next_piece(&mut self, room: Option<Plaintext>) -> Result<()> {
        let mut piece = room.unwrap_or_else(|| Plaintext::zeroed(piece_of(self.left)));
        let cipher = self.cipher.as_mut().ok_or(Error::Failed)?;
        let taken = cipher.take(&mut self.source, self.left, &mut piece, "the object")?;
        self.left -= u64::try_from(taken).map_err(|_| Error::Library)?;
        let length = if self.left == 0 { self.opening.unpadded(&piece[..taken])?.len() } else { taken };
        self.total += u64::try_from(length).map_err(|_| Error::Library)?;
        if self.left == 0 {
            self.verify()?;
            self.state = State::Verified;
        }
        self.held.push_back((piece, length));
        Ok(())
    }

    fn verify(&mut self) -> Result<()> {
        let cipher = self.cipher.take().ok_or(Error::Failed)?;
        if self.opening.key.gcm().is_some() {
            let mut tag = [0; TAG];
            self.source.copy_to(&mut tag, "the tag")?;
            cipher.finish(&tag)?;
        }
        self.source.end()?;
        self.opening.check_told(self.total)
    }
}

impl<R: BufRead> BufRead for ObjectReader<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.advance()?;
        Ok(self.ready_bytes())
    }

    fn consume(&mut self, bytes: usize) {
        self.taken += bytes.min(self.ready_bytes().len());
    }
}

impl<R: BufRead> Read for ObjectReader<R> {
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
