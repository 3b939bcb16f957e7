//! Ranges against the whole plaintext.

use crate::object_support::{Place, aes, decryptor, encryptor, v1};
use client::object::{ByteRange, ObjectDecryptor, Opening, SealedObject, Version};
use client::{Error, Result};
use proptest::prelude::*;

fn plaintext(length: usize) -> Vec<u8> {
    (0..length).map(|n| u8::try_from(n * 7 % 251).unwrap()).collect()
}

fn object(version: Version, plaintext: &[u8]) -> SealedObject {
    if version == Version::V1 { v1(plaintext) } else { encryptor(version, aes(1)).encrypt(plaintext).unwrap() }
}

fn opening(object: &SealedObject) -> Opening {
    decryptor(aes(1)).start(&object.metadata, None, object.body.len() as u64).unwrap()
}

fn read(object: &SealedObject, range: impl Into<ByteRange>) -> Result<Vec<u8>> {
    let opening = opening(object);
    let range = opening.range(range)?;
    let mut place = Place::default();
    let wire = usize::try_from(*range.wire.start()).unwrap()..=usize::try_from(*range.wire.end()).unwrap();
    let told = range.decrypt_into(&object.body[wire], &mut place);
    assert_eq!(place.fate, if told.is_ok() { ["kept"] } else { ["discarded"] });
    assert_eq!(told?, place.written.len() as u64);
    Ok(place.written)
}

proptest! {
    #[test]
    fn a_range_is_what_the_whole_has_there(
        version in prop::sample::select(vec![Version::V1, Version::V2, Version::V3]),
        length in prop_oneof![0usize..200, 131_000usize..131_200, 262_100usize..262_200],
        first in prop_oneof![0u64..220, 130_900u64..131_300],
        more in prop_oneof![0u64..70, 130_900u64..131_200, Just(u64::MAX - 400_000)],
    ) {
        let plaintext = plaintext(length);
        let found = read(&object(version, &plaintext), first..=first + more);
        let first = usize::try_from(first).unwrap();
        let last = usize::try_from(more).unwrap().saturating_add(first).min(length.wrapping_sub(1));
        match plaintext.get(first..=last).filter(|_| length > 0) {
            Some(expected) if !expected.is_empty() => prop_assert!(found.unwrap() == expected),
            _ => prop_assert!(matches!(found, Err(Error::Range))),
        }
    }
}

#[test]
fn no_more_is_asked_for_than_is_needed() {
    for (version, range, wire) in [
        (Version::V3, 0..=0, 0..=0),
        (Version::V3, 15..=16, 0..=16),
        (Version::V3, 16..=99, 16..=99),
        (Version::V3, 40..=u64::MAX, 32..=99),
        (Version::V2, 33..=40, 32..=40),
        // The block before, and the whole last one.
        (Version::V1, 0..=0, 0..=15),
        (Version::V1, 15..=16, 0..=31),
        (Version::V1, 16..=16, 0..=31),
        (Version::V1, 33..=40, 16..=47),
        (Version::V1, 99..=u64::MAX, 80..=111),
    ] {
        assert_eq!(opening(&object(version, &plaintext(100))).range(range).unwrap().wire, wire);
    }
}

/// Where it ends is told by the length that is stored, or by a padding that nobody authenticates.
#[test]
fn the_last_bytes_are_those_of_a_plaintext_whose_length_is_known() {
    for length in [0, 1, 15, 16, 17, 100] {
        let plaintext = plaintext(length);
        for count in [0, 1, 5, 16, 40, 100, u64::MAX] {
            for version in [Version::V2, Version::V3] {
                let found = read(&object(version, &plaintext), ByteRange::Last(count));
                let first = length.saturating_sub(usize::try_from(count).unwrap());
                match &plaintext[first..] {
                    [] => assert!(matches!(found, Err(Error::Range)), "{length} {count}"),
                    expected => assert_eq!(found.unwrap(), expected, "{length} {count}"),
                }
            }
            let refused = read(&object(Version::V1, &plaintext), ByteRange::Last(count));
            assert!(matches!(refused, Err(Error::SuffixRange("AES/CBC/PKCS5Padding"))), "{length} {count}");
        }
    }
}

#[test]
fn ranges_are_off_unless_they_are_asked_for() {
    let object = object(Version::V3, &plaintext(100));
    let opening = ObjectDecryptor::new(aes(1)).start(&object.metadata, None, 116).unwrap();
    assert!(matches!(opening.range(0..=5), Err(Error::RangesOff)));
}

#[test]
fn too_few_or_too_many_bytes_are_no_range() {
    for version in [Version::V1, Version::V3] {
        let object = object(version, &plaintext(100));
        let opening = opening(&object);
        let range = opening.range(10..=40).unwrap();
        let wire = &object.body[..=usize::try_from(*range.wire.end()).unwrap()];
        let mut place = Place::default();
        assert!(matches!(range.decrypt_into(&wire[1..], &mut place), Err(Error::Truncated("the range"))));
        assert!(matches!(range.decrypt_into([wire, &[0]].concat().as_slice(), &mut place), Err(Error::Trailing)));
        assert_eq!(place.fate, ["discarded", "discarded"]);
        assert_eq!(range.decrypt_into(wire, &mut place).unwrap(), 31);
    }
}

#[test]
fn a_range_that_ends_where_it_begins_to_is_none() {
    let object = object(Version::V3, &plaintext(100));
    #[expect(clippy::reversed_empty_ranges, reason = "what a caller may ask")]
    let backwards = 5..=4;
    for range in [backwards, 100..=100, 116..=u64::MAX, u64::MAX..=u64::MAX] {
        assert!(matches!(read(&object, range), Err(Error::Range)));
    }
}

#[test]
fn the_last_blocks_of_the_longest_object_are_counted_right() {
    let object = object(Version::V3, b"");
    let opening = decryptor(aes(1)).start(&object.metadata, None, (1 << 36) - 16).unwrap();
    let last = (1u64 << 36) - 33;
    let range = opening.range(last..=u64::MAX).unwrap();
    assert_eq!(range.wire, last - 15..=last);
    let mut place = Place::default();
    assert_eq!(range.decrypt_into(&[0; 16][..], &mut place).unwrap(), 1);
}
