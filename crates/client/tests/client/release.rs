//! When the plaintext of signed messages, and of those without frames, leaves.

use crate::support::{aes, decryptor, encryptor, read};
use client::Error;
use client::message::{Decryptor, Destination, RawAes, Release, Suite};
use std::io::{Read, Write};

const FRAME: usize = 8;

fn signed() -> Vec<u8> {
    encryptor(Suite::Aes256CommitP384, aes()).frame_length(8).encrypt(&[7; 5 * FRAME]).unwrap()
}

/// The same with a signature of another message: every tag is right but that one.
fn badly_signed() -> Vec<u8> {
    let (mut message, other) = (signed(), signed());
    let footer = |message: &[u8]| message.len() - 2 - signature(message);
    message.truncate(footer(&message));
    message.extend(&other[footer(&other)..]);
    message
}

/// Length of the signature: that of its DER, whose tag stands after a length that fits.
fn signature(message: &[u8]) -> usize {
    (96..=104)
        .find(|length| {
            let at = message.len() - length - 2;
            let claimed = usize::from(u16::from_be_bytes([message[at], message[at + 1]]));
            claimed == *length && message[at + 2] == 0x30
        })
        .unwrap()
}

fn reader(release: Release) -> Decryptor<RawAes> {
    decryptor(aes()).release(release)
}

#[test]
fn nothing_leaves_before_the_signature_unless_it_is_asked_for() {
    let message = badly_signed();
    let (found, ended) = read(&reader(Release::Verified), &message[..]);
    assert!(found.is_empty() && matches!(ended, Err(Error::Signature)));
    let (found, ended) = read(&reader(Release::Frames), &message[..]);
    assert_eq!(found, [7; 4 * FRAME], "all frames but the last");
    assert!(matches!(ended, Err(Error::Signature)));
    assert!(matches!(reader(Release::Verified).decrypt(&message), Err(Error::Signature)));
    for release in [Release::Verified, Release::Frames] {
        let (found, ended) = read(&reader(release), &signed()[..]);
        assert!(found == [7; 5 * FRAME] && ended.is_ok());
    }
}

#[test]
fn signed_messages_may_be_refused_at_once() {
    let (found, ended) = read(&reader(Release::UnsignedOnly), &signed()[..]);
    assert!(found.is_empty() && matches!(ended, Err(Error::Signed)));
    let unsigned = encryptor(Suite::Aes256Commit, aes()).encrypt(b"text").unwrap();
    assert_eq!(read(&reader(Release::UnsignedOnly), &unsigned[..]).0, b"text");
}

#[test]
fn what_is_held_is_bounded_and_the_error_names_the_ways_out() {
    let message = signed();
    for limit in [0, FRAME, 5 * FRAME - 1] {
        let (found, ended) = read(&reader(Release::Verified).hold_limit(limit), &message[..]);
        let error = ended.unwrap_err();
        assert!(found.is_empty() && matches!(error, Error::HoldLimit { limit: told } if told == limit), "{error}");
        for way in ["hold_limit", "decrypt_into", "Release::Frames"] {
            assert!(error.to_string().contains(way));
        }
    }
    assert!(read(&reader(Release::Verified).hold_limit(5 * FRAME), &message[..]).1.is_ok());
    assert!(read(&reader(Release::Frames).hold_limit(0), &message[..]).1.is_ok());
    assert!(reader(Release::Verified).hold_limit(0).decrypt(&message).is_ok(), "a slice is held already");

    let whole = encryptor(Suite::Aes256Commit, aes()).whole().encrypt(&[7; 40]).unwrap();
    assert!(matches!(read(&reader(Release::Verified).hold_limit(39), &whole[..]).1, Err(Error::HoldLimit { .. })));
    assert_eq!(read(&reader(Release::Verified).hold_limit(40), &whole[..]).0, [7; 40]);
}

/// Records what becomes of it.
#[derive(Default)]
struct Place {
    written: Vec<u8>,
    fate: Vec<&'static str>,
    refuses: bool,
}

impl Write for Place {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.written.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Destination for Place {
    fn keep(&mut self) -> std::io::Result<()> {
        self.fate.push("kept");
        if self.refuses { Err(std::io::Error::other("the disk is full")) } else { Ok(()) }
    }

    fn discard(&mut self) {
        self.fate.push("discarded");
    }
}

fn into_place(message: &[u8]) -> (Place, Result<(), Error>) {
    let mut place = Place::default();
    let ended = decryptor(aes()).hold_limit(0).start(message).unwrap().decrypt_into(&mut place);
    (place, ended.map(|_| ()))
}

#[test]
fn a_place_is_kept_or_discarded_exactly_once() {
    let long = [9; 300_000];
    for suite in [Suite::Aes256CommitP384, Suite::Aes256Commit, Suite::Aes128HkdfP256] {
        for message in
            [encryptor(suite, aes()).encrypt(&long).unwrap(), encryptor(suite, aes()).whole().encrypt(&long).unwrap()]
        {
            let (place, ended) = into_place(&message);
            assert!(ended.is_ok() && place.fate == ["kept"] && place.written == long);
            for forged in [&message[..message.len() - 1], &[&message[..], &[0]].concat(), &flipped(&message)] {
                let (place, ended) = into_place(forged);
                assert!(ended.is_err() && place.fate == ["discarded"]);
            }
        }
    }
    let (place, ended) = into_place(&badly_signed());
    assert!(matches!(ended, Err(Error::Signature)) && place.fate == ["discarded"]);
}

fn flipped(message: &[u8]) -> Vec<u8> {
    let mut forged = message.to_vec();
    forged[message.len() - 200] ^= 1;
    forged
}

#[test]
fn a_place_that_cannot_be_kept_is_discarded() {
    let mut place = Place { refuses: true, ..Place::default() };
    let ended = decryptor(aes()).start(&signed()[..]).unwrap().decrypt_into(&mut place);
    assert!(matches!(ended, Err(Error::Io(_))) && place.fate == ["kept", "discarded"]);
}

#[test]
fn what_was_read_before_does_not_go_to_the_place() {
    for suite in [Suite::Aes256CommitP384, Suite::Aes256Commit] {
        let message = encryptor(suite, aes()).frame_length(8).encrypt(b"attack at dawn").unwrap();
        let mut reader = decryptor(aes()).start(&message[..]).unwrap();
        let mut begin = [0; 7];
        reader.read_exact(&mut begin).unwrap();
        let mut rest = Vec::new();
        reader.decrypt_into(&mut rest).unwrap();
        assert_eq!((&begin[..], &rest[..]), (&b"attack "[..], &b"at dawn"[..]));
    }
}

#[test]
fn a_suite_and_the_public_key_in_the_context_go_together() {
    // Refused before any key is asked for: whoever has the data key could make such a header, and nobody else.
    let header = |suite: u16, context: &[u8]| {
        let length = u16::try_from(context.len()).unwrap();
        let keys = [&[0, 1][..], &[0; 6]].concat();
        let end = [&[2][..], &8u32.to_be_bytes(), &[0; 32], &[0; 16]].concat();
        [&[2][..], &suite.to_be_bytes(), &[0; 32], &length.to_be_bytes(), context, &keys, &end].concat()
    };
    let context =
        |value: &str| client::EncryptionContext::from([("aws-crypto-public-key", value)]).serialize().unwrap();
    for (suite, context) in [
        (0x0578, Vec::new()),
        (0x0478, context("AsG8gG9InLPu16YKlqXTOD+nykG8YqHAhqecj8aXfD2e5B4gtVE73dZkyClA+rAMOQ==")),
        (0x0578, context("")),
        (0x0578, context("not base64")),
        (0x0578, context("AAAA")),
    ] {
        let error = decryptor(aes()).decrypt(&header(suite, &context)).unwrap_err();
        assert!(matches!(error, Error::SignatureKey), "{suite:04x}: {error}");
    }
}
