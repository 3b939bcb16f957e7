//! Headers that claim more than there is: precise errors, bounded memory.

use crate::support::{Endless, aes, decryptor, encryptor, kind};
use client::Error;
use client::message::{Decryptor, HEADER_LIMIT, Header, RawAes, Suite};
use std::io::Read;

/// How it ends, how many bytes were taken, and the longest piece that was asked for.
fn feed(begin: &[u8], decryptor: &Decryptor<RawAes>) -> (Error, usize, usize) {
    let mut input = Endless { begin, taken: 0, longest: 0 };
    let mut plaintext = Vec::new();
    let ended = decryptor.start(&mut input).and_then(|mut reader| Ok(reader.read_to_end(&mut plaintext)?));
    (ended.unwrap_err(), input.taken, input.longest)
}

/// A header of 0478 up to the count of wrapped keys, which is given.
fn header(count: u16) -> Vec<u8> {
    [&[2, 0x04, 0x78][..], &[0; 32], &[0, 0], &count.to_be_bytes()].concat()
}

#[test]
fn a_header_is_no_longer_than_its_limit() {
    let mut begin = header(u16::MAX);
    for _ in 0..20 {
        for length in [9, 0xffff, 0xffff_u16] {
            begin.extend(length.to_be_bytes());
            begin.extend(vec![b'a'; length.into()]);
        }
    }
    let (error, taken, longest) = feed(&begin, &decryptor(aes()));
    assert!(matches!(error, Error::HeaderLength { limit: HEADER_LIMIT }), "{error}");
    assert!(taken <= HEADER_LIMIT + (1 << 17) && longest <= 1 << 17, "{taken} taken, {longest} at once");
    let (error, taken, _) = feed(&begin, &decryptor(aes()).max_encrypted_data_keys(3));
    assert!(matches!(error, Error::TooManyKeys { count: 0xffff, limit: 3 }), "{error}");
    assert!(taken <= 1 << 16);
}

#[test]
fn what_the_format_does_not_have_is_named() {
    let v1 = [&[1, 0x80, 0x01, 0x78][..], &[0; 16], &[0, 0], &[0, 1], &[0; 6]].concat();
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (vec![3], "Version"),
        (vec![0], "Version"),
        (vec![1, 0x81], "Header"),
        (vec![1, 0x80, 0x01, 0x15], "UnknownSuite"),
        (vec![2, 0x01, 0x78], "UnknownSuite"),
        (vec![1, 0x80, 0x04, 0x78], "UnknownSuite"),
        (header(0), "Header"),
        ([&[2, 4, 0x78][..], &[0; 32], &[0, 2, 0, 0]].concat(), "Header"),
        ([&v1[..], &[2, 0, 0, 0, 1, 12]].concat(), "Header"),
        ([&v1[..], &[2, 0, 0, 0, 0, 11]].concat(), "Header"),
        ([&v1[..], &[2, 0, 0, 0, 0, 12, 0, 0, 0, 0]].concat(), "Header"),
        ([&v1[..], &[1, 0, 0, 0, 0, 12, 0, 0, 0, 1]].concat(), "Header"),
        ([&v1[..], &[3, 0, 0, 0, 0, 12, 0, 0, 0, 1]].concat(), "Header"),
        // A form that is right, and a key that nobody has.
        ([&v1[..], &[2, 0, 0, 0, 0, 12, 0, 0, 0, 1]].concat(), "NoKeyOpens"),
    ];
    for (begin, expected) in cases {
        let (error, ..) = feed(&begin, &decryptor(aes()));
        assert_eq!(kind(&error), expected, "{begin:02x?}: {error}");
    }
}

/// The same lengths from somebody who has the key: limits hold before anything is allocated.
#[test]
fn a_frame_is_no_longer_than_its_limit() {
    for suite in [Suite::Aes256Commit, Suite::Aes256HkdfP384] {
        let message = encryptor(suite, aes()).frame_length(u32::MAX).encrypt(b"short").unwrap();
        let header = message.len() - body(&message, 5);
        let regular = [&message[..header], &1u32.to_be_bytes(), &[0; 11], &[1]].concat();
        let (error, taken, longest) = feed(&regular, &decryptor(aes()));
        assert!(matches!(error, Error::FrameLimit { length: u32::MAX, .. }), "{error}");
        assert!(taken <= 1 << 17 && longest <= 1 << 17, "{taken} taken, {longest} at once");
        // The last frame says its length itself, and only that counts: this message is read.
        assert_eq!(decryptor(aes()).decrypt(&message).unwrap().plaintext[..], *b"short");
        let last = [&message[..header], &[0xff; 4], &1u32.to_be_bytes(), &[0; 12], &[0x7f, 0xff, 0xff, 0xff]].concat();
        let (error, taken, longest) = feed(&last, &decryptor(aes()));
        assert!(matches!(error, Error::FrameLimit { length: 0x7fff_ffff, .. }), "{error}");
        assert!(taken <= 1 << 17 && longest <= 1 << 17, "{taken} taken, {longest} at once");
    }
}

/// Bytes behind the header of a message of one frame.
fn body(message: &[u8], length: usize) -> usize {
    let at = message.windows(8).rposition(|window| window == [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1]).unwrap();
    assert!(message.len() - at >= 24 + length + 16);
    message.len() - at
}

#[test]
fn a_last_frame_is_no_longer_than_the_header_says() {
    let message = encryptor(Suite::Aes256Commit, aes()).frame_length(8).encrypt(b"short").unwrap();
    let mut forged = message.clone();
    let at = message.len() - body(&message, 5) + 20;
    forged[at..at + 4].copy_from_slice(&9u32.to_be_bytes());
    let error = decryptor(aes()).decrypt(&forged).unwrap_err();
    assert!(matches!(error, Error::LastFrameLength { length: 9, frame: 8 }), "{error}");
}

#[test]
fn a_body_without_frames_is_no_longer_than_what_may_be_held_or_sealed() {
    let message = encryptor(Suite::Aes256Commit, aes()).whole().encrypt(b"short").unwrap();
    let at = message.len() - (12 + 8 + 5 + 16) + 12;
    for (length, expected) in
        [((1u64 << 36) - 32, "HoldLimit"), ((1 << 36) - 31, "BodyLength"), (u64::MAX, "BodyLength")]
    {
        let begin = [&message[..at], &length.to_be_bytes()].concat();
        let (error, taken, longest) = feed(&begin, &decryptor(aes()));
        assert_eq!(kind(&error), expected, "{error}");
        assert!(taken <= 1 << 17 && longest <= 1 << 17, "{taken} taken, {longest} at once");
    }
}

/// Without a key, too, a header is read no further than its limit, and the rest of the input is left alone.
#[test]
fn inspecting_takes_no_more_than_a_header() {
    let message = encryptor(Suite::Aes256Commit, aes()).encrypt(&[0; 1 << 20]).unwrap();
    let mut input = Endless { begin: &message, taken: 0, longest: 0 };
    assert_eq!(Header::inspect(&mut input).unwrap().suite(), Suite::Aes256Commit);
    assert!(input.taken <= 1 << 16);
}
