//! When plaintext leaves, and how much is held until then.

use crate::object_support::{Place, aes, decryptor, encryptor, v1};
use crate::support::Endless;
use client::Error;
use client::object::{HOLD_LIMIT, ObjectDecryptor, ObjectEncryptor, Release, SealedObject, Version};
use std::io::{self, BufRead, Read};

const LONG: usize = 700_000;

fn long() -> SealedObject {
    encryptor(Version::V3, aes(1)).encrypt(&vec![7; LONG]).unwrap()
}

fn badly_tagged() -> SealedObject {
    let mut object = long();
    *object.body.last_mut().unwrap() ^= 1;
    object
}

fn read(
    decryptor: &ObjectDecryptor<client::object::AesKeyring>,
    object: &SealedObject,
) -> (Vec<u8>, Result<(), Error>) {
    let mut found = Vec::new();
    let ended = decryptor
        .start(&object.metadata, None, object.body.len() as u64)
        .and_then(|opening| opening.into_reader(&object.body[..]))
        .and_then(|mut reader| Ok(reader.read_to_end(&mut found).map(|_| ())?));
    (found, ended)
}

#[test]
fn nothing_leaves_before_the_tag_unless_it_is_asked_for() {
    let (found, ended) = read(&decryptor(aes(1)), &badly_tagged());
    assert!(found.is_empty() && matches!(ended, Err(Error::BodyTag)));
    let unverified = decryptor(aes(1)).release(Release::Unverified);
    let (found, ended) = read(&unverified, &badly_tagged());
    assert!(
        !found.is_empty() && found.len() < LONG && found.iter().all(|byte| *byte == 7),
        "the last piece stays back"
    );
    assert!(matches!(ended, Err(Error::BodyTag)));
    for reader in [decryptor(aes(1)), unverified] {
        let (found, ended) = read(&reader, &long());
        assert!(found == [7; LONG] && ended.is_ok());
    }
}

#[test]
fn a_reader_that_failed_gives_nothing_more() {
    let object = badly_tagged();
    for release in [Release::Verified, Release::Unverified] {
        let opening =
            decryptor(aes(1)).release(release).start(&object.metadata, None, object.body.len() as u64).unwrap();
        let mut reader = opening.into_reader(&object.body[..]).unwrap();
        assert!(io::copy(&mut reader, &mut io::sink()).is_err());
        for _ in 0..2 {
            let error = reader.fill_buf().unwrap_err();
            assert!(matches!(Error::from(error), Error::Failed));
        }
    }
}

#[test]
fn what_is_held_is_bounded_and_the_error_names_the_ways_out() {
    let object = encryptor(Version::V3, aes(1)).encrypt(&[7; 100]).unwrap();
    for limit in [0, 99] {
        let (found, ended) = read(&decryptor(aes(1)).hold_limit(limit), &object);
        let error = ended.unwrap_err();
        assert!(found.is_empty() && matches!(error, Error::HoldLimit { .. }), "{error}");
        for way in ["hold_limit", "decrypt_into", "Release::Unverified"] {
            assert!(error.to_string().contains(way));
        }
    }
    assert!(read(&decryptor(aes(1)).hold_limit(100), &object).1.is_ok());
    assert!(read(&decryptor(aes(1)).hold_limit(0).release(Release::Unverified), &object).1.is_ok());
    assert!(
        decryptor(aes(1)).hold_limit(0).decrypt(&object.metadata, None, &object.body).is_ok(),
        "it is held already"
    );
    let opening = ObjectDecryptor::new(aes(1)).start(&object.metadata, None, HOLD_LIMIT + 17).unwrap();
    assert!(matches!(opening.into_reader(&[][..]), Err(Error::HoldLimit { .. })));
}

/// A length that is a lie takes no memory: what is held grows as bytes arrive, and what is read at once is a piece.
#[test]
fn a_length_takes_no_memory_before_its_bytes_come() {
    for object in [encryptor(Version::V3, aes(1)).encrypt(b"").unwrap(), v1(b"")] {
        for release in [Release::Verified, Release::Unverified] {
            let opening =
                decryptor(aes(1)).release(release).hold_limit(u64::MAX).start(&object.metadata, None, 1 << 36).err();
            assert_eq!(opening.is_some(), object.metadata.get("x-amz-3").is_some(), "longer than GCM is");
            let opening = decryptor(aes(1))
                .release(release)
                .hold_limit(u64::MAX)
                .start(&object.metadata, None, (1 << 36) - 16)
                .unwrap();
            let mut input = Endless { begin: &[], taken: 0, longest: 0 };
            let mut short = (&mut input).take(1_000_000);
            let mut reader = opening.into_reader(&mut short).unwrap();
            let error = io::copy(&mut reader, &mut io::sink()).unwrap_err();
            assert!(matches!(Error::from(error), Error::Truncated("the object")));
            drop(reader);
            assert!(input.taken == 1_000_000 && input.longest <= 1 << 17, "{}", input.longest);
        }
    }
}

/// As the above, of a destination: whatever is told, one piece is held.
#[test]
fn a_destination_takes_an_object_by_pieces() {
    let object = encryptor(Version::V3, aes(1)).encrypt(b"").unwrap();
    let opening = decryptor(aes(1)).start(&object.metadata, None, 300 << 20).unwrap();
    struct Sink(usize, Option<&'static str>);
    impl io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.max(bytes.len());
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    impl client::Destination for Sink {
        fn keep(&mut self) -> io::Result<()> {
            self.1 = Some("kept");
            Ok(())
        }
        fn discard(&mut self) {
            self.1 = Some("discarded");
        }
    }
    let (mut sink, mut input) = (Sink(0, None), Endless { begin: &[], taken: 0, longest: 0 });
    let refused = opening.decrypt_into(&mut input, &mut sink);
    assert!(matches!(refused, Err(Error::BodyTag)));
    assert!(sink.0 <= 1 << 17 && sink.1 == Some("discarded") && input.longest <= 1 << 17);
}

#[test]
fn a_place_that_cannot_be_kept_is_discarded() {
    let object = long();
    let mut place = Place { refuses: true, ..Place::default() };
    let opening = decryptor(aes(1)).start(&object.metadata, None, object.body.len() as u64).unwrap();
    assert!(matches!(opening.decrypt_into(&object.body[..], &mut place), Err(Error::Io(_))));
    assert_eq!(place.fate, ["kept", "discarded"]);
    assert!(place.longest <= 1 << 17);
}

/// Fails, or is interrupted, at a place.
struct Broken<'a>(&'a [u8], io::ErrorKind, bool);

impl Read for Broken<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.0.len() < 100 && !self.2 {
            self.2 = self.1 == io::ErrorKind::Interrupted;
            return Err(self.1.into());
        }
        let taken = self.0.len().min(into.len()).min(60);
        into[..taken].copy_from_slice(&self.0[..taken]);
        self.0 = &self.0[taken..];
        Ok(taken)
    }
}

#[test]
fn an_input_that_fails_fails_the_whole_and_one_that_is_interrupted_does_not() {
    let object = encryptor(Version::V3, aes(1)).encrypt(&[5; 1000]).unwrap();
    let opening = decryptor(aes(1)).start(&object.metadata, None, 1016).unwrap();
    let mut place = Place::default();
    let broken = opening.decrypt_into(Broken(&object.body, io::ErrorKind::ConnectionReset, false), &mut place);
    assert!(matches!(broken, Err(Error::Io(error)) if error.kind() == io::ErrorKind::ConnectionReset));
    assert_eq!(place.fate, ["discarded"]);
    let whole = opening.decrypt_into(Broken(&object.body, io::ErrorKind::Interrupted, false), &mut place);
    assert_eq!(whole.unwrap(), 1000);

    let sealing = ObjectEncryptor::new(aes(1)).start().unwrap();
    let metadata = sealing.metadata().clone();
    let mut body = Vec::new();
    sealing.into_reader(Broken(&[5; 1000], io::ErrorKind::Interrupted, false)).read_to_end(&mut body).unwrap();
    assert_eq!(*decryptor(aes(1)).decrypt(&metadata, None, &body).unwrap(), [5; 1000]);
}
