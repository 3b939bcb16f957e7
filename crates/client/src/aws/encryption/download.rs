//! Downloads: several ranges of one object on their way at once, and read in their order.

use super::{EncryptionClient, Remote};
use crate::aws::error::AwsError;
use crate::aws::s3::GetOptions;
use crate::error::Result;
use std::io::{self, Read};
use std::ops::RangeInclusive;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Length of a range, in bytes. One that breaks off is fetched again as a whole.
pub(super) const PART: u64 = 4 << 20;

impl EncryptionClient<'_> {
    /// All of an object, whose first bytes are here.
    pub(super) fn with_ciphertext<T>(
        &self,
        remote: &Remote,
        first: Vec<u8>,
        consume: impl FnOnce(&mut dyn Read) -> Result<T>,
    ) -> Result<T> {
        let (begin, length) = (first.len() as u64, remote.info.length);
        self.with_pieces(remote, begin..length, first, 0, consume)
    }

    /// A range of an object.
    pub(super) fn with_range<T>(
        &self,
        remote: &Remote,
        range: RangeInclusive<u64>,
        consume: impl FnOnce(&mut dyn Read) -> Result<T>,
    ) -> Result<T> {
        self.with_pieces(remote, *range.start()..range.end().saturating_add(1), Vec::new(), 0, consume)
    }

    /// The rest of an object.
    pub(super) fn with_rest<T>(
        &self,
        remote: &Remote,
        there: u64,
        consume: impl FnOnce(&mut dyn Read) -> Result<T>,
    ) -> Result<T> {
        self.with_pieces(remote, there..remote.info.length, Vec::new(), there, consume)
    }

    fn with_pieces<T>(
        &self,
        remote: &Remote,
        range: std::ops::Range<u64>,
        first: Vec<u8>,
        done: u64,
        consume: impl FnOnce(&mut dyn Read) -> Result<T>,
    ) -> Result<T> {
        let pieces = (range.end.saturating_sub(range.start)).div_ceil(self.download_part);
        let total = done + first.len() as u64 + range.end.saturating_sub(range.start);
        let carriers = pieces.min(self.parallel as u64);
        let free = Mutex::new(Vec::new());
        let free = &free;
        std::thread::scope(|scope| {
            let fetched = (0..carriers).map(|carrier| {
                // Each has one piece in its hands, until that is taken.
                let (give, take) = mpsc::sync_channel(0);
                let range = range.clone();
                scope.spawn(move || {
                    let mut mine = (carrier..pieces).step_by(usize::try_from(carriers).unwrap_or(1));
                    mine.try_for_each(|piece| {
                        let buffer = lock(free).pop().unwrap_or_default();
                        let fetched = self.piece(remote, &range, piece, buffer);
                        let failed = fetched.is_err();
                        // Nobody takes it any more when the reader has failed.
                        if give.send(fetched).is_err() || failed { Err(()) } else { Ok(()) }
                    })
                });
                take
            });
            let fetched = fetched.collect();
            let mut reader = InOrder { client: self, fetched, free, pieces, next: 0, piece: first, at: 0, done, total };
            self.report(done, Some(total));
            consume(&mut reader)
        })
    }

    fn piece(
        &self,
        remote: &Remote,
        range: &std::ops::Range<u64>,
        piece: u64,
        mut bytes: Vec<u8>,
    ) -> Result<Vec<u8>, AwsError> {
        let first = range.start + piece * self.download_part;
        let last = first.saturating_add(self.download_part).min(range.end) - 1;
        let options = GetOptions::new().range(first..=last).if_match(&*remote.info.etag);
        let info = self.s3.fetch(&remote.bucket, &remote.key, &options, &mut bytes)?;
        if info.length == remote.info.length && bytes.len() as u64 == last - first + 1 {
            return Ok(bytes);
        }
        Err(AwsError::answer("GetObject", "another length than before, under the same ETag"))
    }
}

fn lock(free: &Mutex<Vec<Vec<u8>>>) -> MutexGuard<'_, Vec<Vec<u8>>> {
    free.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Piece after piece, as they were asked for.
struct InOrder<'a> {
    client: &'a EncryptionClient<'a>,
    fetched: Vec<Receiver<Result<Vec<u8>, AwsError>>>,
    /// Buffers that were read: there are never more than one for each carrier and one for the reader.
    free: &'a Mutex<Vec<Vec<u8>>>,
    pieces: u64,
    next: u64,
    piece: Vec<u8>,
    at: usize,
    done: u64,
    total: u64,
}

impl InOrder<'_> {
    /// Whether there is a next piece.
    fn advance(&mut self) -> io::Result<bool> {
        if self.next == self.pieces {
            return Ok(false);
        }
        lock(self.free).push(std::mem::take(&mut self.piece));
        self.at = 0;
        let carrier = usize::try_from(self.next % self.fetched.len() as u64).unwrap_or(0);
        let fetched = self.fetched[carrier].recv().map_err(|_| io::Error::other(crate::Error::Failed))?;
        self.piece = fetched.map_err(io::Error::other)?;
        self.next += 1;
        Ok(true)
    }
}

impl Read for InOrder<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() || (self.at == self.piece.len() && !self.advance()?) {
            return Ok(0);
        }
        let taken = into.len().min(self.piece.len() - self.at);
        into[..taken].copy_from_slice(&self.piece[self.at..self.at + taken]);
        self.at += taken;
        self.done += taken as u64;
        if self.at == self.piece.len() {
            self.client.report(self.done, Some(self.total));
        }
        Ok(taken)
    }
}
