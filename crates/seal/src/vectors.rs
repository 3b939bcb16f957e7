//! Known answers for every format, made by a second implementation (`tests/vectors/generate.py`). They seal to the same bytes
//! and they open, for ever: a change here breaks stored data.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use crate::customer::CustomerCheck;
use crate::envelope::{self, Envelope, Header, Label};
use crate::stream::{Commitment, Layers, Layout, Opener, PartSalt, Sealer};
use crate::{ObjectBinding, ObjectKey, SecretKey, kdf::Kbkdf};
use data_encoding::HEXLOWER;
use serde_json::Value;

struct Case(Value);

impl Case {
    fn all(format: &str) -> Vec<Case> {
        let mut vectors: Value = serde_json::from_str(include_str!("../tests/vectors/v1.json")).unwrap();
        let cases: Vec<Case> = vectors[format].as_array_mut().unwrap().drain(..).map(Case).collect();
        assert!(!cases.is_empty());
        cases
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        decode(&self.0[name])
    }

    fn array<const N: usize>(&self, name: &str) -> [u8; N] {
        self.bytes(name).try_into().unwrap()
    }

    fn secret(&self, name: &str) -> SecretKey {
        SecretKey::from_bytes(self.array(name))
    }

    fn number(&self, name: &str) -> u64 {
        self.0[name].as_u64().unwrap()
    }

    fn arrays(&self, name: &str) -> Vec<[u8; 32]> {
        self.0[name].as_array().unwrap().iter().map(|hex| decode(hex).try_into().unwrap()).collect()
    }

    /// N and iv of an envelope.
    fn random(&self) -> [u8; 28] {
        [self.bytes("derivation"), self.bytes("iv")].concat().try_into().unwrap()
    }

    fn bound<T>(&self, with: impl FnOnce(&ObjectBinding<'_>) -> T) -> T {
        with(&ObjectBinding {
            bucket_id: &self.array("bucket_id"),
            key: &self.bytes("key"),
            version: &self.array("version"),
            data_id: &self.array("data_id"),
            mode: self.number("mode").try_into().unwrap(),
            layer: self.number("layer").try_into().unwrap(),
        })
    }
}

fn decode(hex: &Value) -> Vec<u8> {
    HEXLOWER.decode(hex.as_str().unwrap().as_bytes()).unwrap()
}

#[test]
fn kbkdf() {
    for case in Case::all("kbkdf") {
        let expected = case.bytes("output");
        let mut output = vec![0; expected.len()];
        Kbkdf::new(&case.bytes("key")).derive(&case.bytes("label"), &case.bytes("context"), &mut output);
        assert_eq!(output, expected);
    }
}

#[test]
fn envelope() {
    for case in Case::all("envelope") {
        let label = match case.0["label"].as_str().unwrap() {
            "Kms" => Label::Kms,
            "Material" => Label::Material,
            "DomainKey" => Label::DomainKey,
            "Record" => Label::Record,
            "ObjectKey" => Label::ObjectKey,
            other => panic!("no label {other}"),
        };
        let (fields, aad, plaintext, blob) =
            (case.bytes("fields"), case.bytes("aad"), case.bytes("plaintext"), case.bytes("blob"));
        let key = Envelope::new(&case.secret("master"));
        assert_eq!(key.seal_with(case.random(), label, &fields, &aad, &plaintext), blob);
        assert_eq!(*key.open(label, &aad, &blob).unwrap(), plaintext);
        assert_eq!(envelope::parse_header(&blob).unwrap(), Header { label, fields: &fields });
    }
}

#[test]
fn sealed_key() {
    for case in Case::all("sealed_key") {
        let (kek, key, sealed) = (case.secret("kek"), case.secret("object_key"), case.bytes("sealed"));
        case.bound(|binding| {
            let again =
                Envelope::new(&kek).seal_with(case.random(), Label::ObjectKey, &[1], &binding.to_bytes(), key.expose());
            assert_eq!(again, sealed);
            assert_eq!(ObjectKey::open(&kek, binding, &sealed).unwrap().expose(), key.expose());
        });
    }
}

#[test]
fn customer_check_and_key() {
    for case in Case::all("customer") {
        let (key, stored) = (case.secret("customer_key"), case.bytes("check"));
        assert_eq!(CustomerCheck::with_salt(&key, case.array("salt")).to_bytes()[..], stored);
        let kek = case.bound(|binding| CustomerCheck::from_bytes(&stored).unwrap().kek(&key, binding).unwrap());
        assert!(kek == case.secret("kek"));
    }
}

#[test]
fn object_stream() {
    for case in Case::all("stream") {
        let part = case.number("part").try_into().unwrap();
        let blob = case.array("blob");
        let keys: Vec<ObjectKey> =
            case.arrays("object_keys").into_iter().map(|key| object_key(SecretKey::from_bytes(key))).collect();
        let salts: Vec<PartSalt> = case.arrays("salts").into_iter().map(PartSalt::from_bytes).collect();
        let commitments: Vec<Commitment> = case.arrays("commitments").into_iter().map(Commitment::from_bytes).collect();
        let sealed = match case.0["file"].as_str() {
            Some("stream-v1-1-65537.bin") => include_bytes!("../tests/vectors/stream-v1-1-65537.bin").to_vec(),
            Some("stream-v1-2-65537.bin") => include_bytes!("../tests/vectors/stream-v1-2-65537.bin").to_vec(),
            Some(other) => panic!("no file {other}"),
            None => case.bytes("sealed"),
        };

        let mut sealing = keys.iter().zip(&salts).zip(&commitments).map(|((key, salt), commitment)| {
            let (sealing, again) = key.new_part_with(*salt, part, &blob);
            assert_eq!(again, *commitment);
            sealing
        });
        let mut opening = keys
            .iter()
            .zip(&salts)
            .zip(&commitments)
            .map(|((key, salt), c)| key.open_part(part, &blob, salt, c).unwrap());
        let (mut sealer, opener, layers) = match keys.len() {
            1 => (Sealer::one(sealing.next().unwrap()), Opener::one(opening.next().unwrap()), Layers::One),
            _ => (
                Sealer::two(sealing.next().unwrap(), sealing.next().unwrap()),
                Opener::two(opening.next().unwrap(), opening.next().unwrap()),
                Layers::Two,
            ),
        };

        let layout = Layout::new(case.number("plaintext_len"), layers).unwrap();
        assert_eq!(layout.sealed_len(), sealed.len() as u64);
        let mut again = sealed.clone();
        let slots = slots(&layout, &mut again);
        let last = slots.len() - 1;
        let mut position = 0;
        for (index, slot) in slots.into_iter().enumerate() {
            let len = opener.open_segment(index as u64, index == last, slot).unwrap();
            assert_eq!(len, slot.len() - layers.overhead());
            for byte in &slot[..len] {
                assert_eq!(usize::from(*byte), (position * 7 + position / 256) % 256);
                position += 1;
            }
            slot[len..].fill(0);
            if index < last {
                sealer.seal_segment(slot);
            } else {
                sealer.seal_last(slot);
                break;
            }
        }
        assert!(again == sealed);
    }
}

fn slots<'a>(layout: &Layout, mut sealed: &'a mut [u8]) -> Vec<&'a mut [u8]> {
    let mut slots = Vec::new();
    for index in 0..layout.segments() {
        let (slot, rest) = sealed.split_at_mut(layout.slot_len(index));
        slots.push(slot);
        sealed = rest;
    }
    slots
}

/// An object key of known bytes, by the way that any stored one comes.
fn object_key(key: SecretKey) -> ObjectKey {
    let kek = SecretKey::generate();
    let binding =
        ObjectBinding { bucket_id: &[0; 16], key: b"", version: &[0; 16], data_id: &[0; 16], mode: 0, layer: 0 };
    let sealed = envelope::seal(&kek, Label::ObjectKey, &[1], &binding.to_bytes(), key.expose());
    ObjectKey::open(&kek, &binding, &sealed).unwrap()
}
