//! Where the segments of a part lie: arithmetic alone.

use super::{MAX_PLAINTEXT, SEGMENT, TAG};
use std::ops::Range;

/// How often each byte is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layers {
    /// Every mode but DSSE.
    One,
    /// DSSE.
    Two,
}

impl Layers {
    /// Bytes that sealing adds to each segment.
    pub const fn overhead(self) -> usize {
        match self {
            Layers::One => TAG,
            Layers::Two => 2 * TAG,
        }
    }
}

/// The shape of a part, which its plaintext's length and its layers settle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    plaintext_len: u64,
    layers: Layers,
}

/// The segments that hold a range of plaintext.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentRange {
    /// The index of the first segment.
    pub first: u64,
    /// How many segments, at least one.
    pub count: u64,
    /// Where they lie among the part's sealed bytes.
    pub sealed: Range<u64>,
    /// Bytes of the first segment's plaintext that stand before the range.
    pub skip: usize,
    /// Bytes of the range.
    pub take: u64,
}

impl Layout {
    /// The layout of `plaintext_len` bytes; `None` if they are more than [`MAX_PLAINTEXT`].
    pub const fn new(plaintext_len: u64, layers: Layers) -> Option<Layout> {
        if plaintext_len > MAX_PLAINTEXT {
            return None;
        }
        Some(Layout { plaintext_len, layers })
    }

    /// Bytes of plaintext.
    pub const fn plaintext_len(&self) -> u64 {
        self.plaintext_len
    }

    /// How often each byte is encrypted.
    pub const fn layers(&self) -> Layers {
        self.layers
    }

    /// How many segments: at least one, for an empty part has one too.
    pub const fn segments(&self) -> u64 {
        match self.plaintext_len.div_ceil(SEGMENT as u64) {
            0 => 1,
            segments => segments,
        }
    }

    /// Bytes of all sealed segments.
    pub const fn sealed_len(&self) -> u64 {
        self.plaintext_len + self.segments() * self.layers.overhead() as u64
    }

    /// Whether `index` is the last segment.
    pub const fn is_last(&self, index: u64) -> bool {
        index == self.segments() - 1
    }

    /// Where segment `index` starts among the sealed bytes; their end for an index beyond the last.
    pub fn sealed_offset(&self, index: u64) -> u64 {
        if index < self.segments() { index * (SEGMENT + self.layers.overhead()) as u64 } else { self.sealed_len() }
    }

    /// Bytes of segment `index` when sealed, which is the length of its slot; 0 beyond the last.
    pub fn slot_len(&self, index: u64) -> usize {
        let len = self.sealed_offset(index.saturating_add(1)) - self.sealed_offset(index);
        usize::try_from(len).expect("a slot is one segment and its tags")
    }

    /// All segments.
    pub fn all(&self) -> SegmentRange {
        self.covering(0..self.plaintext_len)
    }

    /// The segments of a range of plaintext bytes (end exclusive); `None` if it ends before it starts or beyond the plaintext.
    ///
    /// A range without bytes has one segment too: something must verify before an answer leaves.
    pub fn segments_for(&self, range: Range<u64>) -> Option<SegmentRange> {
        if range.start > range.end || range.end > self.plaintext_len {
            return None;
        }
        Some(self.covering(range))
    }

    fn covering(&self, range: Range<u64>) -> SegmentRange {
        let segment = SEGMENT as u64;
        // An empty range at the very end of a full last segment belongs to that segment.
        let first = (range.start / segment).min(self.segments() - 1);
        let end = range.end.div_ceil(segment).max(first + 1);
        SegmentRange {
            first,
            count: end - first,
            sealed: self.sealed_offset(first)..self.sealed_offset(end),
            skip: usize::try_from(range.start - first * segment).expect("at most one segment's bytes"),
            take: range.end - range.start,
        }
    }
}
