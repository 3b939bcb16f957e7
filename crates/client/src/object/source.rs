//! Input of a length that is known.

use crate::error::{Error, Result};
use crate::secret::wipe;
use std::io::{ErrorKind, Read};
use std::ops::{Deref, DerefMut};

/// Bytes that are decrypted at once: enough to keep the cipher busy, and few enough to stay in a processor's cache.
pub(super) const PIECE: usize = 1 << 17;

/// Room for plaintext, which is wiped when dropped: at the speed of memory, where `Zeroizing` goes byte by byte.
pub(super) struct Buffer(Vec<u8>);

impl Buffer {
    /// For a piece of what has so many bytes.
    pub(super) fn for_piece_of(length: u64) -> Self {
        Self(vec![0; usize::try_from(length).map_or(PIECE, |length| length.min(PIECE))])
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

pub(super) struct Source<R>(R);

impl<R: Read> Source<R> {
    pub(super) fn new(input: R) -> Self {
        Self(input)
    }

    /// The next bytes: as many as there is room for, but no more than are left.
    ///
    /// # Errors
    /// [`Error::Truncated`] within `what`.
    pub(super) fn fill(&mut self, piece: &mut [u8], left: u64, what: &'static str) -> Result<usize> {
        let taken = usize::try_from(left).map_or(piece.len(), |left| left.min(piece.len()));
        self.exactly(&mut piece[..taken], what)?;
        Ok(taken)
    }

    /// # Errors
    /// [`Error::Truncated`] within `what`.
    pub(super) fn exactly(&mut self, mut into: &mut [u8], what: &'static str) -> Result<()> {
        while !into.is_empty() {
            match self.read(into)? {
                0 => return Err(Error::Truncated(what)),
                read => into = &mut into[read..],
            }
        }
        Ok(())
    }

    /// # Errors
    /// [`Error::Trailing`] when something follows.
    pub(super) fn end(&mut self) -> Result<()> {
        if self.read(&mut [0])? == 0 { Ok(()) } else { Err(Error::Trailing) }
    }

    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        loop {
            match self.0.read(into) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => return Ok(read?),
            }
        }
    }
}
