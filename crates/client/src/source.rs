//! Input by as much as is needed next: read where it lies in the caller's buffer, and copied only where that ends within it.

use crate::error::{Error, Result};
use std::io::{BufRead, ErrorKind};

/// Bytes that the processor is asked to fetch while it works on the ones before.
pub(crate) const NEAR: usize = 1 << 14;

pub(crate) struct Source<R> {
    input: R,
    /// What was taken off the input, and is not done with. Empty, but where something lies across the end of the input's buffer.
    gathered: Vec<u8>,
    /// Bytes that the input's buffer has behind those.
    buffered: usize,
}

impl<R: BufRead> Source<R> {
    pub(crate) fn new(input: R) -> Self {
        Self { input, gathered: Vec::new(), buffered: 0 }
    }

    /// The next bytes, so many; they stay where they are.
    ///
    /// # Errors
    /// [`Error::Truncated`] within `what`.
    pub(crate) fn need(&mut self, bytes: usize, what: &'static str) -> Result<&[u8]> {
        if bytes > 0 && self.gathered.is_empty() && self.fill()? >= bytes {
            return Ok(&self.input.fill_buf()?[..bytes]);
        }
        while self.gathered.len() < bytes {
            if self.fill()? == 0 {
                return Err(Error::Truncated(what));
            }
            let taken = self.buffered.min(bytes - self.gathered.len());
            self.gathered.extend_from_slice(&self.input.fill_buf()?[..taken]);
            self.consume(taken);
        }
        Ok(&self.gathered[..bytes])
    }

    /// Some of the next bytes, one at least, `bytes` at most.
    ///
    /// # Errors
    /// [`Error::Truncated`] within `what`.
    pub(crate) fn some(&mut self, bytes: usize, what: &'static str) -> Result<&[u8]> {
        let there = if self.gathered.is_empty() { self.fill()? } else { self.gathered.len() };
        self.need(there.max(1).min(bytes), what)
    }

    /// As [`Source::some`], but few enough for the processor's nearest cache, and it is asked to fetch the ones behind them.
    ///
    /// # Errors
    /// As [`Source::some`].
    pub(crate) fn near(&mut self, bytes: usize, what: &'static str) -> Result<&[u8]> {
        evp::prefetch(self.behind(NEAR, NEAR));
        self.some(bytes.min(NEAR), what)
    }

    /// The next bytes, copied to another place.
    ///
    /// # Errors
    /// [`Error::Truncated`] within `what`.
    pub(crate) fn copy_to(&mut self, mut place: &mut [u8], what: &'static str) -> Result<()> {
        while !place.is_empty() {
            let some = self.some(place.len(), what)?;
            let length = some.len();
            place[..length].copy_from_slice(some);
            self.pass(length);
            place = &mut place[length..];
        }
        Ok(())
    }

    /// What lies behind the next `bytes`, no more than `most` of it and without waiting for any.
    pub(crate) fn behind(&mut self, bytes: usize, most: usize) -> &[u8] {
        if !self.gathered.is_empty() || self.buffered <= bytes {
            return &[];
        }
        let buffer = self.input.fill_buf().unwrap_or_default();
        &buffer[bytes.min(buffer.len())..bytes.saturating_add(most).min(buffer.len())]
    }

    /// Those bytes are done with.
    pub(crate) fn pass(&mut self, bytes: usize) {
        let gathered = bytes.min(self.gathered.len());
        self.gathered.drain(..gathered);
        self.consume(bytes - gathered);
    }

    /// Whether so many bytes are there, without waiting for any.
    pub(crate) fn has(&self, bytes: usize) -> bool {
        self.gathered.len() + self.buffered >= bytes
    }

    /// # Errors
    /// [`Error::Trailing`] when something follows.
    pub(crate) fn end(&mut self) -> Result<()> {
        if self.gathered.is_empty() && self.fill()? == 0 { Ok(()) } else { Err(Error::Trailing) }
    }

    /// Bytes in the input's buffer, which is filled if it is empty; 0 at the end.
    fn fill(&mut self) -> Result<usize> {
        loop {
            match self.input.fill_buf() {
                Ok(buffer) => self.buffered = buffer.len(),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            }
            return Ok(self.buffered);
        }
    }

    fn consume(&mut self, bytes: usize) {
        self.input.consume(bytes);
        self.buffered -= bytes;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use proptest::prelude::*;
    use std::io::{self, BufReader, Read};

    /// Gives its bytes in pieces of the sizes that are drawn, and is interrupted between them.
    struct Trickle<'a>(&'a [u8], std::iter::Cycle<std::slice::Iter<'a, usize>>, bool);

    impl Read for Trickle<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.2 = !self.2;
            if self.2 {
                return Err(ErrorKind::Interrupted.into());
            }
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
            buffer in prop_oneof![1usize..100, 1usize..100_000],
            needs in prop::collection::vec((0usize..200_000, any::<bool>()), 1..20),
        ) {
            let total: usize = needs.iter().map(|(need, _)| need).sum();
            let data: Vec<u8> = (0..total).map(|n| u8::try_from(n % 251).unwrap()).collect();
            let trickle = Trickle(&data, arrivals.iter().cycle(), false);
            let mut source = Source::new(BufReader::with_capacity(buffer, trickle));
            let mut at = 0;
            for (need, some) in needs {
                prop_assert_eq!(source.need(need / 2, "test").unwrap(), &data[at..at + need / 2]);
                let end = at + need;
                while some && at < end {
                    let piece = source.some(end - at, "test").unwrap();
                    let length = piece.len();
                    prop_assert!(length > 0 && piece == &data[at..at + length]);
                    prop_assert!(source.has(length));
                    let behind = source.behind(length, 100);
                    prop_assert!(behind.len() <= 100 && data[at + length..].starts_with(behind));
                    source.pass(length);
                    at += length;
                }
                prop_assert_eq!(source.need(end - at, "test").unwrap(), &data[at..end]);
                source.pass(end - at);
                at = end;
            }
            prop_assert!(source.end().is_ok());
            prop_assert!(matches!(source.need(1, "test"), Err(Error::Truncated("test"))));
        }
    }

    #[test]
    fn what_follows_is_noticed_wherever_it_lies() {
        for buffer in 1..10 {
            let mut source = Source::new(BufReader::with_capacity(buffer, &[1; 9][..]));
            source.need(8, "test").unwrap();
            source.pass(8);
            assert!(matches!(source.end(), Err(Error::Trailing)));
            source.pass(1);
            assert!(source.end().is_ok());
        }
    }
}
