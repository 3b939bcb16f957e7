//! Segments: the index of 16,384 consecutive numbers. Gathered in memory while its events come, then written once, in key order.

use keys::Keys;
use meta::{Store, Table, Transaction};

use super::Term;
use crate::codec::Decoder;
use crate::error::Error;
use crate::event::Stored;
use crate::rows::{self, Kind, LOG};

/// A segment in memory: which terms its events have, in the order in which they came.
#[derive(Default, Clone)]
pub(crate) struct Open {
    terms: Vec<(Term, u16)>,
    times: Times,
}

/// The earliest and the latest time of each run of 1,024 numbers, in milliseconds: what a time range leaves out is never read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Times([(u64, u64); GRANULES]);

impl Default for Times {
    fn default() -> Self {
        // Of an empty run: no time is in it.
        Self([(u64::MAX, 0); GRANULES])
    }
}

impl Times {
    fn add(&mut self, offset: u16, time: u64) {
        let (earliest, latest) = &mut self.0[usize::from(offset) / GRANULE];
        *earliest = time.min(*earliest);
        *latest = time.max(*latest);
    }

    /// Whether the run of this offset has events between the two.
    pub(crate) fn overlap(&self, offset: u16, start: u64, end: u64) -> bool {
        let (earliest, latest) = self.0[usize::from(offset) / GRANULE];
        earliest <= end && latest >= start
    }

    /// Whether any run has.
    pub(crate) fn any_overlap(&self, start: u64, end: u64) -> bool {
        self.0.iter().any(|(earliest, latest)| *earliest <= end && *latest >= start)
    }
}

impl Open {
    pub(crate) fn add(&mut self, number: u64, time: u64, terms: impl IntoIterator<Item = Term>) {
        let offset = offset_of(number);
        self.times.add(offset, time);
        self.terms.extend(terms.into_iter().map(|term| (term, offset)));
    }

    /// Both together.
    pub(crate) fn and(mut self, other: Open) -> Open {
        self.terms.extend(other.terms);
        for (one, other) in self.times.0.iter_mut().zip(other.times.0) {
            *one = (one.0.min(other.0), one.1.max(other.1));
        }
        self
    }

    pub(crate) fn times(&self) -> &Times {
        &self.times
    }

    /// The offsets of the events that have this term; a tenth of a millisecond for a full segment.
    pub(crate) fn find(&self, term: Term) -> Vec<u16> {
        let mut found: Vec<u16> = self.terms.iter().filter(|(of, _)| *of == term).map(|(_, offset)| *offset).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The segment's rows.
    pub(crate) fn write(mut self, keys: &Keys, segment: u32) -> (Transaction, Times) {
        self.terms.sort_unstable();
        self.terms.dedup();
        let mut to = Transaction::new();
        let mut long: u16 = 0;
        let mut rest = &self.terms[..];
        for bucket in 0..=u8::MAX {
            let (here, later) = rest.split_at(rest.partition_point(|(term, _)| term.bucket() <= bucket));
            rest = later;
            let mut plaintext = vec![VERSION];
            for run in here.chunk_by(|(one, _), (other, _)| one == other) {
                plaintext.extend_from_slice(&run[0].0.0.to_be_bytes());
                let offsets = run.iter().flat_map(|(_, offset)| offset.to_be_bytes());
                if run.len() <= SHORT {
                    plaintext.push(u8::try_from(run.len()).unwrap_or(LONG));
                    plaintext.extend(offsets);
                } else {
                    plaintext.push(LONG);
                    plaintext.extend_from_slice(&long.to_be_bytes());
                    let postings: Vec<u8> = std::iter::once(VERSION).chain(offsets).collect();
                    to = rows::put(to, keys, Kind::Postings, TABLE, &postings_key(segment, long), &postings);
                    long += 1;
                }
            }
            to = rows::put(to, keys, Kind::Bucket, TABLE, &bucket_key(segment, bucket), &plaintext);
        }
        let times = self.times.0.iter().flat_map(|(one, other)| [one.to_be_bytes(), other.to_be_bytes()]).flatten();
        let summary: Vec<u8> = std::iter::once(VERSION).chain(times).collect();
        (rows::put(to, keys, Kind::Segment, TABLE, &segment_key(segment), &summary), self.times)
    }
}

/// The offsets, ascending, of the events of a written segment that have this term.
pub(crate) async fn find(store: &dyn Store, keys: &Keys, segment: u32, term: Term) -> Result<Vec<u16>, Error> {
    let key = bucket_key(segment, term.bucket());
    let bucket = rows::get(store, keys, Kind::Bucket, TABLE, &key).await?;
    let bucket = bucket.ok_or_else(|| rows::damaged(Kind::Bucket, &key))?;
    match entry(&bucket, term).ok_or_else(|| rows::damaged(Kind::Bucket, &key))? {
        Entry::Short(offsets) => Ok(offsets),
        Entry::Long(number) => {
            let key = postings_key(segment, number);
            let postings = rows::get(store, keys, Kind::Postings, TABLE, &key).await?;
            let postings = postings.as_deref().and_then(|row| offsets(row.strip_prefix(&[VERSION])?));
            postings.ok_or_else(|| rows::damaged(Kind::Postings, &key))
        }
    }
}

enum Entry {
    Short(Vec<u16>),
    Long(u16),
}

/// What a bucket has under a term; `None` if it is damaged.
fn entry(bucket: &[u8], term: Term) -> Option<Entry> {
    let mut from = Decoder(bucket.strip_prefix(&[VERSION])?);
    while !from.0.is_empty() {
        let (this, count) = (from.number()?, from.byte()?);
        let entry = match count {
            LONG => Entry::Long(from.short()?),
            count if this == term.0 => Entry::Short(offsets(from.bytes(2 * usize::from(count))?)?),
            count => {
                from.bytes(2 * usize::from(count))?;
                continue;
            }
        };
        if this == term.0 {
            return Some(entry);
        }
    }
    Some(Entry::Short(Vec::new()))
}

fn offsets(bytes: &[u8]) -> Option<Vec<u16>> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect())
}

/// What a segment's own row says; `None` if it is damaged.
pub(crate) fn parse_summary(plaintext: &[u8]) -> Option<Times> {
    let mut from = Decoder(plaintext.strip_prefix(&[VERSION])?);
    let mut times = Times::default();
    for granule in &mut times.0 {
        *granule = (from.number()?, from.number()?);
    }
    from.finish().map(|()| times)
}

/// Removes a segment's rows. There may be as many lists of postings as it says.
pub(crate) async fn remove(store: &dyn Store, segment: u32) -> Result<(), Error> {
    let mut to = Transaction::new().delete(TABLE, segment_key(segment));
    for kind in [b'i', b'p'] {
        let range = meta::Range::prefix(prefix(kind, segment));
        for row in store.scan(TABLE, &range, meta::Order::Ascending, meta::MAX_OPERATIONS - 1_024).await? {
            to = to.delete(TABLE, row.key);
        }
    }
    Ok(store.commit(to).await?)
}

/// The segment of an event's number.
pub(crate) fn segment_of(number: u64) -> u32 {
    u32::try_from(number / SIZE).unwrap_or(u32::MAX)
}

/// The first number of a segment.
pub(crate) fn start_of(segment: u32) -> u64 {
    u64::from(segment) * SIZE
}

fn offset_of(number: u64) -> u16 {
    u16::try_from(number % SIZE).expect("a segment has 16,384 numbers")
}

/// `s` ‖ log ‖ segment (4)
pub(crate) fn segment_key(segment: u32) -> [u8; 9] {
    prefix(b's', segment)
}

/// All segments' own rows.
pub(crate) fn segments() -> meta::Range {
    meta::Range::prefix([&b"s"[..], &LOG.to_be_bytes()].concat())
}

/// `i` ‖ log ‖ segment (4) ‖ bucket (1)
fn bucket_key(segment: u32, bucket: u8) -> Vec<u8> {
    [&prefix(b'i', segment)[..], &[bucket]].concat()
}

/// `p` ‖ log ‖ segment (4) ‖ number (2)
fn postings_key(segment: u32, number: u16) -> Vec<u8> {
    [&prefix(b'p', segment)[..], &number.to_be_bytes()].concat()
}

fn prefix(kind: u8, segment: u32) -> [u8; 9] {
    let mut key = [kind; 9];
    key[1..5].copy_from_slice(&LOG.to_be_bytes());
    key[5..].copy_from_slice(&segment.to_be_bytes());
    key
}

/// What a block's event adds, when an index is made of blocks.
pub(crate) fn terms_of(stored: &Stored) -> Vec<Term> {
    match stored.event.category {
        crate::Category::Management => Term::all_of(&stored.event),
        crate::Category::Data => Vec::new(),
    }
}

pub(crate) const TABLE: Table = Table::AuditIndex;
/// Numbers of a segment. Ten million events are 610 segments, each a read of 3 µs for a term that is in none; and what is rebuilt
/// at a start is at most one.
pub(crate) const SIZE: u64 = 16_384;
const GRANULE: usize = 1_024;
const GRANULES: usize = 16;
const VERSION: u8 = 1;
/// Offsets that stand in the bucket itself. More are a row of their own, so that a bucket stays small for its other terms.
const SHORT: usize = 64;
/// Instead of a count: the number of a row of postings follows.
const LONG: u8 = 255;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;
    use crate::testing::Fixture;

    #[tokio::test]
    async fn a_written_segment_finds_what_the_open_one_did() {
        let fixture = Fixture::new().await;
        let mut open = Open::default();
        let term = |of: u64| Term(of.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        for number in 5 * SIZE..6 * SIZE {
            let terms = [1, 2 + number % 3, 1_000 + number % 150, 1_000_000 + number];
            open.add(number, 1_000 + number, terms.map(term));
        }
        let (rows, times) = open.clone().write(&fixture.keys, 5);
        fixture.store.commit(rows).await.unwrap();
        for of in [1, 2, 3, 4, 1_000, 1_149, 1_000_000 + 5 * SIZE, 1_000_000 + 6 * SIZE, 7] {
            let found = find(&*fixture.store, &fixture.keys, 5, term(of)).await.unwrap();
            assert_eq!(found, open.find(term(of)), "{of}");
        }
        let row = rows::get(&*fixture.store, &fixture.keys, Kind::Segment, TABLE, &segment_key(5)).await.unwrap();
        assert_eq!(parse_summary(&row.unwrap()).unwrap(), times);
        assert!(times.overlap(0, 0, 1_000 + 5 * SIZE) && !times.overlap(1_024, 0, 1_000 + 5 * SIZE));
        assert!(times.any_overlap(0, u64::MAX) && !times.any_overlap(0, 999 + 5 * SIZE));
        remove(&*fixture.store, 5).await.unwrap();
        assert!(fixture.store.scan(TABLE, &meta::Range::all(), meta::Order::Ascending, 9).await.unwrap().is_empty());
    }
}
