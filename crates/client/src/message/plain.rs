//! Plaintext between its frame and the caller.

use crate::secret::wipe;
use zeroize::Zeroizing;

/// Plaintext that was verified lies from `start` to `end`. The rest is room, kept so that it is not zeroed again and again.
///
/// It is wiped when it is dropped, and where it lay when it moves.
#[derive(Default)]
pub(super) struct Plain {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Plain {
    /// With room for so many bytes, which costs nothing before they come.
    pub(super) fn with_room(bytes: usize) -> Self {
        Self { bytes: vec![0; bytes], start: 0, end: 0 }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// Those bytes were taken.
    pub(super) fn pass(&mut self, bytes: usize) {
        self.start += bytes.min(self.end - self.start);
    }

    /// Room for so many bytes, which only count once [`Plain::push`] says so. `soon` is how many it will be: when it grows, then no further.
    pub(super) fn room(&mut self, bytes: usize, soon: usize) -> &mut [u8] {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
        let needed = self.end + bytes;
        if needed > self.bytes.len() {
            let size = needed.max((2 * self.bytes.len()).min(self.end + soon));
            let mut larger = Self::with_room(size);
            larger.bytes[..self.bytes.len()].copy_from_slice(&self.bytes);
            (larger.start, larger.end) = (self.start, self.end);
            *self = larger;
        }
        &mut self.bytes[self.end..needed]
    }

    /// The bytes that were put into the room are plaintext.
    pub(super) fn push(&mut self, bytes: usize) {
        self.end += bytes;
    }

    pub(super) fn wipe(&mut self) {
        *self = Self::default();
    }

    /// All of it.
    pub(super) fn into_bytes(mut self) -> Zeroizing<Vec<u8>> {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.truncate(self.end);
        bytes.drain(..self.start);
        Zeroizing::new(bytes)
    }
}

impl Drop for Plain {
    fn drop(&mut self) {
        wipe(&mut self.bytes);
    }
}
