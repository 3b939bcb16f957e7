//! Objects that Amazon's own clients wrote: each opens, in every way of reading, and only where it is allowed.

use crate::archive::tell;
use crate::object_support::{Place, bytes, decryptor, rsa, strings, vectors};
use client::keys::AesKey;
use client::kms::{DecryptedKey, EncryptedKey, GeneratedKey, KeyRequest, Kms, KmsError};
use client::object::{
    AesKeyring, CommitmentPolicy, ContentAlgorithm, Keyrings, KmsKeyring, Metadata, ObjectDecryptor, ObjectHeader,
    ObjectKeyring, Version, Wrapping,
};
use client::{DataKey, EncryptionContext, Error};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Read;

/// Answers for the one wrapped key of a vector.
struct Recorded {
    arn: String,
    context: EncryptionContext,
    plaintext: Vec<u8>,
}

impl Kms for Recorded {
    fn generate_data_key(&self, _: &KeyRequest<'_>, _: usize) -> Result<GeneratedKey, KmsError> {
        Err(KmsError::new("UnsupportedOperationException", ""))
    }

    fn encrypt(&self, _: &KeyRequest<'_>, _: &DataKey) -> Result<EncryptedKey, KmsError> {
        Err(KmsError::new("UnsupportedOperationException", ""))
    }

    fn decrypt(&self, key: &KeyRequest<'_>, ciphertext: &[u8]) -> Result<DecryptedKey, KmsError> {
        assert_eq!(key.key_id, self.arn);
        if *key.context != self.context || ciphertext.is_empty() {
            return Err(KmsError::new("InvalidCiphertextException", ""));
        }
        Ok(DecryptedKey { plaintext: DataKey::from_bytes(self.plaintext.clone().into()), key_arn: self.arn.clone() })
    }
}

struct Vector {
    name: String,
    keyring: Box<dyn ObjectKeyring>,
    context: EncryptionContext,
    metadata: Metadata,
    instruction: Option<String>,
    body: Vec<u8>,
    plaintext: Vec<u8>,
}

impl Vector {
    fn read(case: &Value, keys: &Value) -> Self {
        let name = case["key"].as_str().unwrap();
        let keyring: Box<dyn ObjectKeyring> = if name == "kms" {
            let kms = &case["kms"];
            let arn = kms["key"].as_str().unwrap().to_owned();
            let context = strings(&kms["context"]).into_iter().collect();
            let recorded = Recorded { arn: arn.clone(), context, plaintext: bytes(&kms["plaintext"]) };
            Box::new(KmsKeyring::new(recorded, arn).unwrap())
        } else {
            named(name, &keys[name])
        };
        Self {
            name: case["name"].as_str().unwrap().to_owned(),
            keyring,
            context: strings(&case["context"]).into_iter().collect(),
            metadata: strings(&case["metadata"]).into_iter().collect(),
            instruction: case["instruction"].as_str().map(str::to_owned),
            body: bytes(&case["body"]),
            plaintext: bytes(&case["plaintext"]),
        }
    }

    fn instruction(&self) -> Option<&[u8]> {
        self.instruction.as_ref().map(String::as_bytes)
    }

    fn header(&self) -> ObjectHeader {
        ObjectHeader::inspect(&self.metadata, self.instruction()).unwrap().unwrap()
    }

    fn decrypt(&self, decryptor: &ObjectDecryptor<impl ObjectKeyring>) -> Result<Vec<u8>, Error> {
        Ok(decryptor.decrypt(&self.metadata, self.instruction(), &self.body)?.to_vec())
    }
}

fn named(name: &str, key: &Value) -> Box<dyn ObjectKeyring> {
    let description: EncryptionContext = strings(&key["description"]).into_iter().collect();
    if key["aes"].is_string() {
        let key = AesKey::new(&bytes(&key["aes"])).unwrap();
        Box::new(AesKeyring::new(key).material_description(description))
    } else {
        Box::new(rsa(name, true, true).material_description(description))
    }
}

fn all() -> Vec<Vector> {
    let vectors = vectors();
    vectors["objects"].as_array().unwrap().iter().map(|case| Vector::read(case, &vectors["keys"])).collect()
}

#[test]
fn every_object_opens_in_every_way_of_reading() {
    let mut counted: BTreeMap<(String, &'static str, String, bool), usize> = BTreeMap::new();
    for vector in all() {
        let opener = decryptor(&vector.keyring).context(vector.context.clone());
        assert_eq!(vector.decrypt(&opener).unwrap(), vector.plaintext, "{}", vector.name);

        let length = u64::try_from(vector.body.len()).unwrap();
        let opening = opener.start(&vector.metadata, vector.instruction(), length).unwrap();
        let header = opening.header().clone();
        assert_eq!(header, vector.header(), "{}", vector.name);
        assert!(opening.plaintext_length().is_none_or(|told| told == u64::try_from(vector.plaintext.len()).unwrap()));
        for first in [0, 1, 15, 16, 17, 31, 32, 50, 99] {
            for last in [first, first + 1, first + 16, first + 40, u64::MAX] {
                let (from, to) = (usize::try_from(first).unwrap(), usize::try_from(last).unwrap_or(usize::MAX));
                let expected = vector.plaintext.get(from..to.saturating_add(1).min(vector.plaintext.len()));
                let found = opening.range(first..=last).and_then(|range| {
                    let mut place = Place::default();
                    let wire =
                        usize::try_from(*range.wire.start()).unwrap()..=usize::try_from(*range.wire.end()).unwrap();
                    range.decrypt_into(&vector.body[wire], &mut place)?;
                    Ok(place.written)
                });
                match expected.filter(|expected| !expected.is_empty()) {
                    Some(expected) => assert_eq!(found.unwrap(), expected, "{} {first}-{last}", vector.name),
                    None => assert!(matches!(found, Err(Error::Range)), "{} {first}-{last}", vector.name),
                }
            }
        }
        let mut read = Vec::new();
        opening.into_reader(&vector.body[..]).unwrap().read_to_end(&mut read).unwrap();
        assert_eq!(read, vector.plaintext, "{}", vector.name);
        let kind = (
            header.version.to_string(),
            header.content.name(),
            header.wrapping.unwrap().to_string(),
            header.in_instruction_file,
        );
        *counted.entry(kind).or_default() += 1;
    }
    let all: usize = counted.values().sum();
    tell(&format!("objects of Amazon's clients: {all} of {} kinds opened in every way of reading", counted.len()));
    assert_eq!(counted.values().sum::<usize>(), 68);
    // V1 with AES and RSA; CBC with kms; GCM with four wrappings of old and three of new clients; V3 with three: in both places.
    assert_eq!(counted.len(), 2 * (2 + 1 + 3 + 3 + 3), "{counted:#?}");
}

#[test]
fn what_is_not_asked_for_is_refused() {
    for vector in all() {
        let header = vector.header();
        let opener = || ObjectDecryptor::new(&vector.keyring).context(vector.context.clone());
        let lenient = || opener().commitment(CommitmentPolicy::ForbidEncryptAllowDecrypt);
        let strict = vector.decrypt(&opener());
        match (header.version, header.content, header.wrapping.unwrap()) {
            (Version::V3, ..) => assert_eq!(strict.unwrap(), vector.plaintext),
            (_, ContentAlgorithm::AesCbc, _) => {
                assert!(matches!(strict, Err(Error::LegacyContent(_))), "{}", vector.name);
                assert!(matches!(vector.decrypt(&lenient()), Err(Error::LegacyContent(_))), "{}", vector.name);
                let refused = vector.decrypt(&opener().legacy(true));
                assert!(matches!(refused, Err(Error::CommitmentPolicy(0x70))), "{}", vector.name);
            }
            (_, _, wrapping) => {
                assert!(matches!(strict, Err(Error::CommitmentPolicy(0x72))), "{}", vector.name);
                let opened = vector.decrypt(&lenient());
                if wrapping.is_legacy() {
                    assert!(matches!(opened, Err(Error::LegacyWrapping(name)) if name == wrapping.name()));
                } else {
                    assert_eq!(opened.unwrap(), vector.plaintext);
                }
            }
        }
        let length = u64::try_from(vector.body.len()).unwrap();
        let opening = lenient().legacy(true).start(&vector.metadata, vector.instruction(), length).unwrap();
        assert!(matches!(opening.range(0..=0), Err(Error::RangesOff)));
    }
}

#[test]
fn a_context_is_exactly_the_one_that_was_given() {
    for vector in all().into_iter().filter(|vector| vector.header().wrapping == Some(Wrapping::KmsContext)) {
        let mut more = vector.context.clone();
        more.insert("more", "");
        let mut other = vector.context.clone();
        other.insert("tenant", "red");
        for wrong in [EncryptionContext::new(), more, other] {
            let refused = vector.decrypt(&decryptor(&vector.keyring).context(wrong));
            assert!(matches!(refused, Err(Error::ContextMismatch(_))), "{}", vector.name);
        }
    }
    for vector in all().into_iter().filter(|vector| vector.header().wrapping != Some(Wrapping::KmsContext)) {
        let refused = vector.decrypt(&decryptor(&vector.keyring).context([("tenant", "blue")]));
        assert!(matches!(refused, Err(Error::ContextUnbound)), "{}", vector.name);
    }
}

#[test]
fn an_instruction_file_that_is_missing_is_said_to_be() {
    for vector in all().into_iter().filter(|vector| vector.instruction.is_some()) {
        let refused = decryptor(&vector.keyring).decrypt(&vector.metadata, None, &vector.body).unwrap_err();
        let header = ObjectHeader::inspect(&vector.metadata, None).unwrap();
        if vector.header().version == Version::V3 {
            assert!(matches!(refused, Error::InstructionFileMissing));
            assert!(header.is_some_and(|header| header.in_instruction_file && header.wrapping.is_none()));
        } else {
            assert!(matches!(refused, Error::NotEncrypted));
            assert_eq!(header, None);
        }
    }
}

#[test]
fn of_many_keys_the_description_picks_the_one() {
    let vectors = vectors();
    let keyrings = vectors["keys"].as_object().unwrap().iter().map(|(name, key)| named(name, key));
    let many = keyrings.reduce(|before, next| Box::new(Keyrings::new(before).with(next))).unwrap();
    for vector in all().into_iter().filter(|vector| !vector.name.contains("kms")) {
        assert_eq!(vector.decrypt(&decryptor(&many)).unwrap(), vector.plaintext, "{}", vector.name);
    }
}
