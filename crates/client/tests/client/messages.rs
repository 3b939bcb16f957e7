//! What was written is read; what was changed is not.

use crate::support::{Trickle, aes, decryptor, encryptor, open, read};
use client::Error;
use client::message::{Body, Release, Suite, plaintext_length};
use proptest::prelude::*;
use std::io::{BufRead, Write};

fn suites() -> impl Strategy<Value = Suite> {
    prop::sample::select(Suite::all().collect::<Vec<_>>())
}

fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|n| u8::try_from(n % 251).unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_suite_frame_length_size_and_split_comes_back(
        suite in suites(),
        frame in prop_oneof![1u32..40, Just(4096), Just(70_000), Just(u32::MAX)],
        size in prop_oneof![0usize..200, 4000usize..4200, 139_990usize..140_010],
        writes in prop::collection::vec(1usize..5000, 0..8),
        reads in prop::collection::vec(1usize..9000, 0..8),
        whole: bool,
        copied: bool,
        at_end: bool,
    ) {
        // Frames of a few bytes are for messages of a few hundred.
        let size = if frame < 40 { size % 1000 } else { size };
        let plaintext = bytes(size);
        let mut encryptor = encryptor(suite, aes()).context([("purpose", "test"), ("ключ", "значение")]).frame_length(frame);
        if whole {
            encryptor = encryptor.whole().plaintext_length(u64::try_from(size).unwrap());
        }
        let mut writer = encryptor.start(Vec::new()).unwrap();
        let expected = writer.sealed_length(size).unwrap();
        let mut rest = &plaintext[..];
        for piece in writes.iter().cycle().take(if writes.is_empty() { 0 } else { 20 }) {
            let (piece, after) = rest.split_at((*piece).min(rest.len()));
            writer.write_all(piece).unwrap();
            rest = after;
        }
        if copied {
            writer.write_all(&rest[..rest.len() / 3]).unwrap();
            let mut input = Trickle { bytes: &rest[rest.len() / 3..], pieces: &reads, turn: 0 };
            prop_assert_eq!(writer.copy_from(&mut input).unwrap(), u64::try_from(rest.len() - rest.len() / 3).unwrap());
            rest = &[];
        }
        let (message, header) = if at_end {
            writer.finish_with(rest).unwrap()
        } else {
            writer.write_all(rest).unwrap();
            writer.finish().unwrap()
        };
        prop_assert_eq!(header.body(), if whole { Body::Whole } else { Body::Framed(frame) });
        prop_assert_eq!(message.len(), expected);
        prop_assert_eq!(plaintext_length(&message).unwrap(), size);

        let input = Trickle { bytes: &message, pieces: &reads, turn: 0 };
        let (found, ended) = read(&decryptor(aes()), input);
        prop_assert!(ended.is_ok(), "{:?}", ended);
        prop_assert!(found == plaintext);

        let input = Trickle { bytes: &message, pieces: &reads, turn: 0 };
        let mut place = Vec::new();
        let reader = decryptor(aes()).start(input).unwrap();
        prop_assert_eq!(reader.context().get("ключ"), Some("значение"));
        prop_assert_eq!(reader.decrypt_into(&mut place).unwrap(), header);
        prop_assert!(place == plaintext);
    }

    /// What somebody else wrote never has it claim more than there is.
    #[test]
    fn no_message_claims_more_plaintext_than_it_has_bytes(
        whole: bool,
        at: prop::sample::Index,
        values in prop::collection::vec(any::<u8>(), 1..9),
        cut: prop::sample::Index,
    ) {
        let mut encryptor = encryptor(Suite::Aes256Commit, aes()).frame_length(10);
        if whole {
            encryptor = encryptor.whole();
        }
        let mut message = encryptor.encrypt(&bytes(100)).unwrap();
        let at = at.index(message.len());
        message.iter_mut().skip(at).zip(values).for_each(|(byte, value)| *byte = value);
        prop_assert!(plaintext_length(&message).unwrap_or(0) <= message.len());
        message.truncate(cut.index(message.len()));
        prop_assert!(plaintext_length(&message).unwrap_or(0) <= message.len());
    }

    /// Longer ones than are opened at once.
    #[test]
    fn long_frames_are_as_strict_as_short_ones(
        suite in prop::sample::select(vec![Suite::Aes256Commit, Suite::Aes256CommitP384]),
        at: prop::sample::Index,
        bit in 0u8..8,
    ) {
        let message = encryptor(suite, aes()).frame_length(150_000).encrypt(&bytes(320_000)).unwrap();
        let at = at.index(message.len());
        let mut forged = message.clone();
        forged[at] ^= 1 << bit;
        prop_assert!(open(&forged).is_err());
        prop_assert!(matches!(open(&message[..at]), Err(Error::Truncated(_))));
        let (found, ended) = read(&decryptor(aes()).release(Release::Frames), &forged[..]);
        prop_assert!(ended.is_err() && bytes(320_000).starts_with(&found) && found.len() % 150_000 == 0);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), suite in suites(), keep in 0usize..300) {
        let _ = open(&bytes);
        let whole = encryptor(suite, aes()).frame_length(16).encrypt(&[7; 40]).unwrap();
        let spliced = [&whole[..keep.min(whole.len())], &bytes].concat();
        prop_assert_eq!(open(&spliced).is_ok(), spliced == whole);
    }
}

/// Messages of every suite: of three frames, of one that is empty, and in one piece.
fn samples() -> impl Iterator<Item = Vec<u8>> {
    Suite::all().flat_map(|suite| {
        let writer = || encryptor(suite, aes()).context([("purpose", "test")]);
        [
            writer().frame_length(8).encrypt(&bytes(20)).unwrap(),
            writer().encrypt(b"").unwrap(),
            writer().whole().encrypt(&bytes(20)).unwrap(),
        ]
    })
}

#[test]
fn every_flipped_byte_fails() {
    let mut flipped = 0;
    for message in samples() {
        assert!(open(&message).is_ok());
        for at in 0..message.len() {
            for bit in [1, 0x80] {
                let mut forged = message.clone();
                forged[at] ^= bit;
                assert!(open(&forged).is_err(), "byte {at} of {}", message.len());
                let (_, ended) = read(&decryptor(aes()), &forged[..]);
                assert!(ended.is_err(), "byte {at} of {}", message.len());
                flipped += 1;
            }
        }
    }
    eprintln!("{flipped} flips refused");
}

#[test]
fn every_truncation_fails_and_so_does_a_byte_more() {
    for message in samples() {
        for length in 0..message.len() {
            let error = open(&message[..length]).unwrap_err();
            assert!(matches!(error, Error::Truncated(_)), "{length} of {}: {error}", message.len());
            let (_, ended) = read(&decryptor(aes()), &message[..length]);
            assert!(matches!(ended, Err(Error::Truncated(_))), "{length} of {}", message.len());
        }
        let longer = [&message[..], &[0]].concat();
        assert!(matches!(open(&longer), Err(Error::Trailing)));
    }
}

/// A message of five frames of 8 bytes under 0478: the length of its header, and of a frame.
fn framed() -> (Vec<u8>, usize, usize) {
    let message = encryptor(Suite::Aes256Commit, aes()).frame_length(8).encrypt(&bytes(40)).unwrap();
    let (frame, last) = (16 + 8 + 16, 24 + 8 + 16);
    let header = message.len() - 4 * frame - last;
    (message, header, frame)
}

#[test]
fn frames_cannot_be_swapped_dropped_repeated_or_taken_from_elsewhere() {
    let (message, header, frame) = framed();
    let at = |n: usize| header + n * frame..header + (n + 1) * frame;
    let with = |frames: &[&[u8]]| open(&[&[&message[..header]], frames].concat().concat());
    let (one, two, three) = (&message[at(0)], &message[at(1)], &message[at(2)]);
    let rest = &message[at(3).start..];
    assert!(with(&[one, two, three, rest]).is_ok());
    assert!(matches!(with(&[two, one, three, rest]), Err(Error::FrameOrder { expected: 1, found: 2 })));
    assert!(matches!(with(&[one, three, rest]), Err(Error::FrameOrder { expected: 2, found: 3 })));
    assert!(matches!(with(&[one, one, two, three, rest]), Err(Error::FrameOrder { expected: 2, found: 1 })));

    // Renumbered, too, a frame stands where its tag does not allow it.
    let mut renumbered = three.to_vec();
    renumbered[..16].copy_from_slice(&two[..16]);
    assert!(matches!(with(&[one, &renumbered, three, rest]), Err(Error::FrameTag(2))));

    let (other, ..) = framed();
    assert!(matches!(with(&[one, &other[at(1)], three, rest]), Err(Error::FrameTag(2))), "of another message");
    // A frame before the last, presented as the last one.
    let last = [&[0xff; 4], &three[..16], &8u32.to_be_bytes(), &three[16..]].concat();
    assert!(matches!(with(&[one, two, &last]), Err(Error::FrameTag(3))));
}

#[test]
fn a_header_goes_with_its_own_body_alone() {
    let (one, header, _) = framed();
    let (two, ..) = framed();
    assert!(matches!(open(&[&one[..header], &two[header..]].concat()), Err(Error::FrameTag(1))));
}

#[test]
fn plaintext_that_fills_its_frames_has_no_empty_frame_behind_it() {
    let (message, header, frame) = framed();
    assert_eq!(message.len(), header + 4 * frame + 24 + 8 + 16);
}

#[test]
fn frames_come_as_they_arrive() {
    let (message, header, frame) = framed();
    let pieces = [header + frame + 3];
    let mut reader =
        decryptor(aes()).start(Trickle { bytes: &message[..header + frame + 3], pieces: &pieces, turn: 0 }).unwrap();
    assert_eq!(reader.fill_buf().unwrap(), &bytes(40)[..8]);
    reader.consume(8);
    let error = Error::from(reader.fill_buf().unwrap_err());
    assert!(matches!(error, Error::Truncated("a frame")));
    assert!(matches!(Error::from(reader.fill_buf().unwrap_err()), Error::Failed), "a failure is for good");
}

/// What a writer is dropped with is no message.
#[test]
fn a_message_that_was_not_finished_is_truncated() {
    let mut message = Vec::new();
    let mut writer = encryptor(Suite::Aes256Commit, aes()).frame_length(8).start(&mut message).unwrap();
    writer.write_all(&bytes(40)).unwrap();
    writer.flush().unwrap();
    drop(writer);
    let (found, ended) = read(&decryptor(aes()), &message[..]);
    assert!(matches!(ended, Err(Error::Truncated(_))));
    assert_eq!(found, bytes(40)[..32], "the frames that were whole; the fifth may have been the last");
}
