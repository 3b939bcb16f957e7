//! Plaintext between its frame and the caller.

use crate::plaintext::Plaintext;

/// Plaintext that was verified lies from `start` to `end`. The rest is room, kept so that it is not zeroed again and again.
#[derive(Default)]
pub(super) struct Plain {
    bytes: Plaintext,
    start: usize,
    end: usize,
}

impl Plain {
    /// With room for so many bytes.
    pub(super) fn with_room(bytes: usize) -> Self {
        Self { bytes: Plaintext::zeroed(bytes), start: 0, end: 0 }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// Those bytes were taken.
    pub(super) fn pass(&mut self, bytes: usize) {
        self.start += bytes.min(self.end - self.start);
    }

    /// Room for so many bytes, which only count once [`Plain::push`] says so. `soon` is how many it will be: alone, they get no more room
    /// than that. Where there are others before them, room doubles, so that however many come, each is moved twice at most.
    pub(super) fn room(&mut self, bytes: usize, soon: usize) -> &mut [u8] {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
        let needed = self.end + bytes;
        if needed > self.bytes.len() {
            let most = if self.end == 0 { soon } else { usize::MAX };
            let size = needed.max(self.bytes.len().saturating_mul(2).min(most));
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
    pub(super) fn into_plaintext(self) -> Plaintext {
        self.bytes.trimmed(self.start, self.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_short_frames_move_seldom_and_a_long_one_gets_no_more_room_than_it_needs() {
        let (mut plain, mut moves) = (Plain::default(), 0);
        for _ in 0..4096 {
            let before = plain.bytes.len();
            plain.room(4096, 4096).fill(1);
            plain.push(4096);
            moves += usize::from(plain.bytes.len() != before);
        }
        assert_eq!(plain.bytes(), vec![1; 16 << 20]);
        assert!(moves <= 13, "{moves}");

        let mut plain = Plain::default();
        for arrived in (1..=11).map(|pieces| pieces * 100_000) {
            plain.room(arrived, 1_100_000);
        }
        assert_eq!(plain.bytes.len(), 1_100_000);
    }
}
