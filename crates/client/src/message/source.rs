//! Input in a window that holds what is needed next, and beyond two mebibytes grows no faster than bytes arrive.

use crate::error::{Error, Result};
use std::io::{ErrorKind, Read};
use zeroize::Zeroizing;

/// Bytes asked of the input at once, at least: 16 frames of the usual 4 KiB.
const READ: usize = 1 << 16;

/// Bytes for which there is room at once when they are needed; beyond, the window grows as they arrive. Frames of a mebibyte are usual.
const EAGER: usize = 2 << 20;

/// Bytes beyond those that are needed: the last frame's head is longer than the others', and a signature may follow.
const SPARE: usize = 256;

/// What has arrived and is not done with lies from `start` to `end`. Frames are decrypted where they lie, so it is wiped.
pub(super) struct Source<R> {
    input: R,
    window: Zeroizing<Vec<u8>>,
    start: usize,
    end: usize,
}

impl<R: Read> Source<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, window: Zeroizing::new(Vec::new()), start: 0, end: 0 }
    }

    /// The next bytes, so many; they stay where they are.
    ///
    /// # Errors
    /// [`Error::Truncated`] within `what`.
    pub(super) fn need(&mut self, bytes: usize, what: &'static str) -> Result<&mut [u8]> {
        while self.end - self.start < bytes {
            self.make_room(bytes);
            if self.read_some(bytes)? == 0 {
                return Err(Error::Truncated(what));
            }
        }
        Ok(&mut self.window[self.start..self.start + bytes])
    }

    /// Some of the next bytes, one at least, `bytes` at most.
    ///
    /// # Errors
    /// [`Error::Truncated`] within `what`.
    pub(super) fn some(&mut self, bytes: u64, what: &'static str) -> Result<&mut [u8]> {
        self.need(1, what)?;
        let there = self.end - self.start;
        let taken = usize::try_from(bytes).map_or(there, |bytes| bytes.min(there));
        Ok(&mut self.window[self.start..self.start + taken])
    }

    /// Those bytes are done with; where they lay.
    pub(super) fn pass(&mut self, bytes: usize) -> usize {
        let at = self.start;
        self.start += bytes;
        debug_assert!(self.start <= self.end, "only what was there is passed");
        at
    }

    /// Bytes by their place, which holds until the next `need`.
    pub(super) fn at(&self, from: usize, to: usize) -> &[u8] {
        &self.window[from..to]
    }

    /// # Errors
    /// [`Error::Trailing`] when something follows.
    pub(super) fn end(&mut self) -> Result<()> {
        if self.end == self.start {
            // The last frame lies before `start`, and stays.
            let mut one = [0];
            if self.read(&mut one)? == 0 {
                return Ok(());
            }
        }
        Err(Error::Trailing)
    }

    /// Room behind what is there: by moving it to the front, and once the window is full, in a larger one: of twice the size at most, or
    /// of [`EAGER`].
    fn make_room(&mut self, bytes: usize) {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
        if self.start + bytes <= self.window.len() {
            return;
        }
        let there = self.end - self.start;
        self.window.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, there);
        if there == self.window.len() {
            let size = if bytes <= EAGER { bytes + SPARE } else { bytes.min(2 * there) };
            let mut larger = Zeroizing::new(vec![0; size.max(READ)]);
            larger[..there].copy_from_slice(&self.window);
            self.window = larger;
        }
    }

    /// Reads towards `bytes`, and no more than [`READ`] beyond what is there unless they are needed: so the next frame is not moved.
    fn read_some(&mut self, bytes: usize) -> Result<usize> {
        let upto = (self.start + bytes).max(self.end + 1).max(self.start + READ).min(self.window.len());
        loop {
            match self.input.read(&mut self.window[self.end..upto]) {
                Ok(read) => {
                    self.end += read;
                    return Ok(read);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        loop {
            match self.input.read(into) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => return Ok(read?),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use proptest::prelude::*;

    /// Gives its bytes in pieces of the sizes that are drawn.
    struct Trickle<'a>(&'a [u8], std::iter::Cycle<std::slice::Iter<'a, usize>>);

    impl Read for Trickle<'_> {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            let take = (*self.1.next().unwrap()).min(into.len()).min(self.0.len());
            into[..take].copy_from_slice(&self.0[..take]);
            self.0 = &self.0[take..];
            Ok(take)
        }
    }

    proptest! {
        #[test]
        fn any_pieces_come_out_in_order(
            arrivals in prop::collection::vec(1usize..100_000, 1..8),
            needs in prop::collection::vec(0usize..200_000, 1..20),
        ) {
            let total: usize = needs.iter().sum();
            let data: Vec<u8> = (0..total).map(|n| u8::try_from(n % 251).unwrap()).collect();
            let mut source = Source::new(Trickle(&data, arrivals.iter().cycle()));
            let mut at = 0;
            for need in needs {
                prop_assert_eq!(source.need(need, "test").unwrap(), &data[at..at + need]);
                let place = source.pass(need);
                prop_assert_eq!(source.at(place, place + need), &data[at..at + need]);
                at += need;
            }
            prop_assert!(source.end().is_ok());
            prop_assert!(matches!(source.need(1, "test"), Err(Error::Truncated("test"))));
        }
    }

    #[test]
    fn a_window_grows_no_faster_than_bytes_arrive() {
        let mut source = Source::new(&[1; 3_000_000][..]);
        assert!(matches!(source.need(usize::MAX / 4, "test"), Err(Error::Truncated("test"))));
        assert!(source.window.len() <= 6_000_000, "{}", source.window.len());
    }
}
