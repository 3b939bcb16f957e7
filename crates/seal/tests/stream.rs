//! The object stream from outside: against a naive model, and under every kind of tampering.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use proptest::prelude::*;
use seal::stream::{
    Commitment, Layers, Layout, MAX_PLAINTEXT, MAX_SEGMENTS, Opener, OpeningKey, PartSalt, SEGMENT, Sealer, TAG,
};
use seal::{ObjectKey, OpenError};
use std::ops::Range;

const BLOB: [u8; 16] = [7; 16];
const PART: u16 = 3;

/// What is kept of one layer of a part.
struct Kept {
    key: ObjectKey,
    salt: PartSalt,
    commitment: Commitment,
}

impl Kept {
    fn open(&self) -> OpeningKey {
        self.key.open_part(PART, &BLOB, &self.salt, &self.commitment).unwrap()
    }
}

/// A sealed part.
struct Part {
    kept: Vec<Kept>,
    layout: Layout,
    segments: Vec<Vec<u8>>,
}

impl Part {
    fn seal(plaintext: &[u8], layers: Layers) -> Part {
        Part::seal_with(plaintext, layers, ObjectKey::generate)
    }

    fn seal_with(plaintext: &[u8], layers: Layers, object_key: impl Fn() -> ObjectKey) -> Part {
        let new = || {
            let key = object_key();
            let (sealing, salt, commitment) = key.new_part(PART, &BLOB);
            (sealing, Kept { key, salt, commitment })
        };
        let (inner, first) = new();
        let (mut sealer, kept) = match layers {
            Layers::One => (Sealer::one(inner), vec![first]),
            Layers::Two => {
                let (outer, second) = new();
                (Sealer::two(inner, outer), vec![first, second])
            }
        };

        let mut chunks: Vec<&[u8]> = plaintext.chunks(SEGMENT).collect();
        let last = chunks.pop().unwrap_or_default();
        let slot = |chunk: &[u8]| [chunk, &vec![0; layers.overhead()]].concat();
        let mut segments = Vec::new();
        for chunk in chunks {
            let mut slot = slot(chunk);
            sealer.seal_segment(&mut slot);
            segments.push(slot);
        }
        let mut slot = slot(last);
        sealer.seal_last(&mut slot);
        segments.push(slot);
        let layout = Layout::new(plaintext.len() as u64, layers).unwrap();
        Part { kept, layout, segments }
    }

    fn opener(&self) -> Opener {
        match &self.kept[..] {
            [only] => Opener::one(only.open()),
            [inner, outer] => Opener::two(inner.open(), outer.open()),
            _ => unreachable!("one layer or two"),
        }
    }

    fn open(&self) -> Result<Vec<u8>, OpenError> {
        open(&self.opener(), &self.segments)
    }

    /// Reads a range as a server would: the sealed bytes of its segments, opened, cut.
    fn read(&self, range: Range<u64>) -> Vec<u8> {
        let stored = self.segments.concat();
        let wanted = self.layout.segments_for(range).unwrap();
        let mut sealed = stored[usize(wanted.sealed.start)..usize(wanted.sealed.end)].to_vec();
        let opener = self.opener();
        let mut plaintext = Vec::new();
        let mut rest = &mut sealed[..];
        for index in wanted.first..wanted.first + wanted.count {
            let (slot, after) = rest.split_at_mut(self.layout.slot_len(index));
            let len = opener.open_segment(index, self.layout.is_last(index), slot).unwrap();
            plaintext.extend_from_slice(&slot[..len]);
            rest = after;
        }
        assert!(rest.is_empty());
        plaintext[wanted.skip..wanted.skip + usize(wanted.take)].to_vec()
    }
}

/// Opens segments as a whole part.
fn open(opener: &Opener, segments: &[Vec<u8>]) -> Result<Vec<u8>, OpenError> {
    let mut plaintext = Vec::new();
    for (index, sealed) in segments.iter().enumerate() {
        let mut slot = sealed.clone();
        match opener.open_segment(index as u64, index + 1 == segments.len(), &mut slot) {
            Ok(len) => plaintext.extend_from_slice(&slot[..len]),
            Err(error) => {
                assert!(slot.iter().all(|byte| *byte == 0), "what did not open is gone");
                return Err(error);
            }
        }
    }
    Ok(plaintext)
}

fn usize(number: u64) -> usize {
    number.try_into().unwrap()
}

fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|i| u8::try_from((i * 7 + i / 256) % 256).unwrap()).collect()
}

fn layers() -> impl Strategy<Value = Layers> {
    prop_oneof![Just(Layers::One), Just(Layers::Two)]
}

/// Lengths around the ends of segments, and any between.
fn lengths() -> impl Strategy<Value = usize> {
    let near = (0_usize..4, 0_usize..5).prop_map(|(segments, off)| (segments * SEGMENT + off).saturating_sub(2));
    prop_oneof![near, 0..3 * SEGMENT]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_was_sealed_opens_and_is_as_long_as_the_layout_says(len in lengths(), layers in layers()) {
        let plaintext = bytes(len);
        let part = Part::seal(&plaintext, layers);
        prop_assert_eq!(part.layout.segments(), part.segments.len() as u64);
        prop_assert_eq!(part.layout.sealed_len(), part.segments.concat().len() as u64);
        prop_assert!(part.open().unwrap() == plaintext);
        prop_assert!(part.read(0..len as u64) == plaintext);
        prop_assert_eq!(part.layout.all(), part.layout.segments_for(0..len as u64).unwrap());
    }

    #[test]
    fn any_range_reads_as_a_slice_does(len in lengths(), layers in layers(), from in 0_usize..=4 * SEGMENT, size in lengths()) {
        let plaintext = bytes(len);
        let from = from.min(len);
        let to = (from + size).min(len);
        let part = Part::seal(&plaintext, layers);
        prop_assert!(part.read(from as u64..to as u64) == plaintext[from..to]);
    }

    #[test]
    fn any_changed_bit_is_refused(len in 0_usize..300, layers in layers(), position in any::<prop::sample::Index>(), bit in 0..8) {
        let mut part = Part::seal(&bytes(len), layers);
        let position = position.index(part.segments[0].len());
        part.segments[0][position] ^= 1_u8 << bit;
        prop_assert_eq!(part.open(), Err(OpenError));
    }

    /// The arithmetic against counting, for lengths that no test can hold.
    #[test]
    fn a_layout_adds_up(len in 0..=MAX_PLAINTEXT, layers in layers(), a in any::<u64>(), b in any::<u64>()) {
        let layout = Layout::new(len, layers).unwrap();
        let last = layout.segments() - 1;
        prop_assert!(layout.is_last(last) && layout.segments() <= MAX_SEGMENTS);
        prop_assert_eq!(layout.sealed_offset(last) + layout.slot_len(last) as u64, layout.sealed_len());
        prop_assert_eq!(layout.slot_len(last + 1), 0);
        prop_assert_eq!(layout.slot_len(u64::MAX), 0);

        let (a, b) = (a % (len + 1), b % (len + 1));
        let (start, end) = (a.min(b), a.max(b));
        let wanted = layout.segments_for(start..end).unwrap();
        prop_assert_eq!(wanted.take, end - start);
        prop_assert_eq!(wanted.first * SEGMENT as u64 + wanted.skip as u64, start);
        prop_assert!(wanted.count >= 1 && wanted.first + wanted.count <= layout.segments());
        prop_assert!(end <= (wanted.first + wanted.count) * SEGMENT as u64);
        // No segment too many.
        prop_assert!(wanted.count == 1 || end > (wanted.first + wanted.count - 1) * SEGMENT as u64);
    }
}

const BOTH: [Layers; 2] = [Layers::One, Layers::Two];

#[test]
fn lengths_at_the_ends_of_segments_are_known() {
    for (len, segments) in [(0, 1), (1, 1), (65_535, 1), (65_536, 1), (65_537, 2), (131_072, 2), (131_073, 3)] {
        for layers in BOTH {
            let layout = Layout::new(len, layers).unwrap();
            assert_eq!(layout.segments(), segments);
            assert_eq!(layout.sealed_len(), len + segments * layers.overhead() as u64);
        }
    }
    assert_eq!(Layout::new(MAX_PLAINTEXT, Layers::One).unwrap().segments(), MAX_SEGMENTS);
    assert_eq!(Layout::new(MAX_PLAINTEXT + 1, Layers::One), None);
    assert_eq!(Layout::new(u64::MAX, Layers::Two), None);
}

#[test]
fn a_range_beyond_the_plaintext_has_no_segments() {
    let layout = Layout::new(100, Layers::One).unwrap();
    assert_eq!(layout.segments_for(0..101), None);
    assert_eq!(layout.segments_for(101..101), None);
    assert_eq!(layout.segments_for(Range { start: 2, end: 1 }), None);
}

#[test]
fn an_empty_range_has_one_segment_to_verify() {
    for len in [0, 1, SEGMENT as u64, SEGMENT as u64 + 1] {
        let layout = Layout::new(len, Layers::One).unwrap();
        let wanted = layout.segments_for(len..len).unwrap();
        assert_eq!((wanted.count, wanted.take), (1, 0));
        assert_eq!(wanted.first, layout.segments() - 1);
    }
}

#[test]
fn truncation_is_refused() {
    for layers in BOTH {
        let mut part = Part::seal(&bytes(2 * SEGMENT + 100), layers);
        // Bytes off the end, to the last of them.
        let last = part.segments[2].clone();
        for len in 0..last.len() {
            part.segments[2] = last[..len].to_vec();
            assert_eq!(part.open(), Err(OpenError), "{len}");
        }
        // Whole segments off the end: what is the last now was not sealed as the last.
        for segments in [2, 1] {
            part.segments.truncate(segments);
            assert_eq!(part.open(), Err(OpenError));
        }
    }
}

#[test]
fn appended_bytes_and_segments_are_refused() {
    for layers in BOTH {
        let mut part = Part::seal(&bytes(SEGMENT), layers);
        let whole = part.segments.clone();
        part.segments[0].push(0);
        assert_eq!(part.open(), Err(OpenError));
        part.segments = [&whole[..], &whole[..]].concat();
        assert_eq!(part.open(), Err(OpenError));
        // An empty last segment after a full one is none that a sealer makes.
        part.segments = vec![whole[0].clone(), vec![0; layers.overhead()]];
        assert_eq!(part.open(), Err(OpenError));
    }
}

#[test]
fn reordered_and_missing_segments_are_refused() {
    for layers in BOTH {
        let part = Part::seal(&bytes(3 * SEGMENT), layers);
        for order in [[1, 0, 2], [0, 2, 1], [2, 1, 0], [0, 0, 2], [1, 1, 2]] {
            let segments = order.map(|index| part.segments[index].clone());
            assert_eq!(open(&part.opener(), &segments), Err(OpenError), "{order:?}");
        }
        assert_eq!(open(&part.opener(), &part.segments[1..]), Err(OpenError));
    }
}

/// The same object key, part and blob: another salt is another key.
#[test]
fn segments_of_another_part_are_refused() {
    let kek = seal::SecretKey::generate();
    let binding =
        seal::ObjectBinding { bucket_id: &[0; 16], key: b"", version: &[0; 16], data_id: &[0; 16], mode: 0, layer: 0 };
    let sealed = ObjectKey::generate().seal(&kek, &binding);
    let object_key = || ObjectKey::open(&kek, &binding, &sealed).unwrap();
    for layers in BOTH {
        let a = Part::seal_with(&bytes(2 * SEGMENT), layers, object_key);
        let b = Part::seal_with(&bytes(2 * SEGMENT), layers, object_key);
        for spliced in [[&a, &b], [&b, &a]] {
            let segments = [spliced[0].segments[0].clone(), spliced[1].segments[1].clone()];
            assert_eq!(open(&a.opener(), &segments), Err(OpenError));
        }
        assert_eq!(open(&a.opener(), &b.segments), Err(OpenError));
    }
}

#[test]
fn layers_are_neither_swapped_nor_left_out() {
    let part = Part::seal(&bytes(100), Layers::Two);
    let [inner, outer] = &part.kept[..] else { unreachable!("two layers") };
    assert!(part.open().is_ok());
    for wrong in [
        Opener::two(outer.open(), inner.open()),
        Opener::two(inner.open(), inner.open()),
        Opener::two(outer.open(), outer.open()),
        Opener::one(inner.open()),
        Opener::one(outer.open()),
    ] {
        assert_eq!(open(&wrong, &part.segments), Err(OpenError));
    }

    let part = Part::seal(&bytes(100), Layers::One);
    let wrong = Opener::two(part.kept[0].open(), part.kept[0].open());
    assert_eq!(open(&wrong, &part.segments), Err(OpenError));
}

/// Also the flag is authenticated, not only the counter.
#[test]
fn a_segment_opens_at_its_own_place_alone() {
    for layers in BOTH {
        let part = Part::seal(&bytes(2 * SEGMENT), layers);
        let opener = part.opener();
        for (index, last) in [(0, true), (1, false), (1, true), (u64::from(u32::MAX) + 1, false), (u64::MAX, false)] {
            let mut slot = part.segments[0].clone();
            assert_eq!(opener.open_segment(index, last, &mut slot), Err(OpenError));
        }
        let mut slot = part.segments[0].clone();
        assert_eq!(opener.open_segment(0, false, &mut slot), Ok(SEGMENT));
    }
}

#[test]
fn the_commitment_is_checked_before_anything_opens() {
    let key = ObjectKey::generate();
    let (_, salt, commitment) = key.new_part(PART, &BLOB);
    assert!(key.open_part(PART, &BLOB, &salt, &commitment).is_ok());
    assert!(key.open_part(PART + 1, &BLOB, &salt, &commitment).is_err());
    assert!(key.open_part(PART, &[8; 16], &salt, &commitment).is_err());
    assert!(ObjectKey::generate().open_part(PART, &BLOB, &salt, &commitment).is_err());
    for position in 0..32 {
        let mut changed = *salt.as_bytes();
        changed[position] ^= 1;
        assert!(key.open_part(PART, &BLOB, &PartSalt::from_bytes(changed), &commitment).is_err());
        let mut changed = *commitment.as_bytes();
        changed[position] ^= 1;
        assert!(key.open_part(PART, &BLOB, &salt, &Commitment::from_bytes(changed)).is_err());
    }
}

fn sealer() -> Sealer {
    Sealer::one(ObjectKey::generate().new_part(PART, &BLOB).0)
}

#[test]
#[should_panic(expected = "is full")]
fn a_short_segment_is_sealed_only_as_the_last() {
    sealer().seal_segment(&mut [0; 100 + TAG]);
}

#[test]
#[should_panic(expected = "none only if it is the first")]
fn an_empty_last_segment_follows_no_other() {
    let mut sealer = sealer();
    sealer.seal_segment(&mut vec![0; SEGMENT + TAG]);
    sealer.seal_last(&mut [0; TAG]);
}
