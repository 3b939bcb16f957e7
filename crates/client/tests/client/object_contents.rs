//! Round trips, and everything that can be done to an object between them.

use crate::kms::Fake;
use crate::object_support::{Place, aes, decryptor, encryptor, keyrings, kms, open, v1};
use crate::support::Trickle;
use client::object::{
    CommitmentPolicy, Metadata, ObjectDecryptor, ObjectEncryptor, ObjectHeader, Release, SealedObject, Version,
    sealed_length,
};
use client::{EncryptionContext, Error};
use data_encoding::BASE64;
use proptest::prelude::*;
use std::io::{BufReader, Read};

#[test]
fn every_keyring_writes_every_version_into_every_place_and_reads_it() {
    for (name, keyring) in keyrings() {
        let context =
            if name == "kms" { EncryptionContext::from([("tenant", "blü")]) } else { EncryptionContext::new() };
        for version in [Version::V2, Version::V3] {
            for instruction in [false, true] {
                for length in [0, 1, 16, 17, 300_000] {
                    let plaintext = vec![7; length];
                    let writer = encryptor(version, &keyring).context(context.clone()).instruction_file(instruction);
                    let object = writer.encrypt(&plaintext).unwrap();
                    assert_eq!(u64::try_from(object.body.len()).unwrap(), sealed_length(length as u64).unwrap());
                    assert_eq!(object.instruction.is_some(), instruction);
                    let reader = decryptor(&keyring).context(context.clone());
                    assert_eq!(open(&reader, &object).unwrap(), plaintext, "{name} {version}");
                }
            }
        }
    }
}

#[test]
fn the_members_are_those_of_the_format() {
    let names = |metadata: &Metadata| metadata.iter().map(|(name, _)| name.to_owned()).collect::<Vec<_>>().join(" ");
    let file = |object: &SealedObject| {
        let (body, metadata) = object.instruction.clone().unwrap();
        assert_eq!(metadata, Metadata::from([("x-amz-crypto-instr-file", "")]));
        let members: Vec<String> =
            serde_json::from_slice::<serde_json::Value>(&body).unwrap().as_object().unwrap().keys().cloned().collect();
        members.join(" ")
    };
    let described = aes(1).material_description([("a", "b")]);
    let v3 = encryptor(Version::V3, &described);
    assert_eq!(names(&v3.encrypt(b"").unwrap().metadata), "x-amz-3 x-amz-c x-amz-d x-amz-i x-amz-m x-amz-w");
    let object = encryptor(Version::V3, kms(&Fake::default())).instruction_file(true).encrypt(b"").unwrap();
    assert_eq!(names(&object.metadata), "x-amz-c x-amz-d x-amz-i");
    assert_eq!(file(&object), "x-amz-3 x-amz-t x-amz-w");
    let object = encryptor(Version::V2, &described).instruction_file(true).encrypt(b"").unwrap();
    let v2 = "x-amz-cek-alg x-amz-iv x-amz-key-v2 x-amz-matdesc x-amz-tag-len x-amz-wrap-alg";
    assert_eq!((names(&object.metadata).as_str(), file(&object).as_str()), ("", v2));
    let object = encryptor(Version::V2, &described).encrypt(b"").unwrap();
    assert_eq!(names(&object.metadata), v2);
    for (name, value) in [("x-amz-tag-len", "128"), ("x-amz-wrap-alg", "AES/GCM"), ("x-amz-matdesc", "{\"a\":\"b\"}")] {
        assert_eq!(object.metadata.get(name), Some(value));
    }
}

#[test]
fn what_is_written_is_what_the_policy_says() {
    use CommitmentPolicy::{ForbidEncryptAllowDecrypt, RequireEncryptAllowDecrypt, RequireEncryptRequireDecrypt};
    for (policy, version, expected) in [
        (RequireEncryptRequireDecrypt, Version::V3, Ok(())),
        (RequireEncryptAllowDecrypt, Version::V3, Ok(())),
        (ForbidEncryptAllowDecrypt, Version::V2, Ok(())),
        (RequireEncryptRequireDecrypt, Version::V2, Err("0x0072")),
        (RequireEncryptAllowDecrypt, Version::V2, Err("0x0072")),
        (ForbidEncryptAllowDecrypt, Version::V3, Err("0x0073")),
        (ForbidEncryptAllowDecrypt, Version::V1, Err("read only")),
    ] {
        let written = ObjectEncryptor::new(aes(1)).commitment(policy).version(version).encrypt(b"");
        match expected {
            Ok(()) => assert!(written.is_ok()),
            Err(words) => assert!(written.unwrap_err().to_string().contains(words)),
        }
    }
}

/// Changed in one byte of the body, or cut, or longer.
fn forgeries(object: &SealedObject) -> Vec<SealedObject> {
    let with = |body: Vec<u8>| SealedObject { body, ..object.clone() };
    let length = object.body.len();
    let mut all: Vec<SealedObject> = (0..length)
        .map(|at| {
            let mut body = object.body.clone();
            body[at] ^= 0x80;
            with(body)
        })
        .collect();
    all.extend((0..length).map(|end| with(object.body[..end].to_vec())));
    all.push(with([&object.body[..], &[0]].concat()));
    all.push(with([&object.body[..], &object.body].concat()));
    all
}

#[test]
fn a_body_that_was_changed_gives_nothing() {
    for version in [Version::V2, Version::V3] {
        let object = encryptor(version, aes(1)).encrypt(b"attack at dawn, not at noon").unwrap();
        for forged in forgeries(&object) {
            let reader = decryptor(aes(1));
            assert!(matches!(open(&reader, &forged), Err(Error::BodyTag | Error::Truncated("the tag"))));
            let Ok(opening) = reader.start(&forged.metadata, None, forged.body.len() as u64) else { continue };
            let mut place = Place::default();
            assert!(opening.decrypt_into(&forged.body[..], &mut place).is_err());
            assert_eq!(place.fate, ["discarded"]);
            let mut read = Vec::new();
            assert!(opening.into_reader(&forged.body[..]).unwrap().read_to_end(&mut read).is_err());
            assert_eq!(read, b"", "before the tag is right nothing leaves");
        }
    }
}

#[test]
fn a_body_of_another_length_than_was_told_is_refused() {
    for object in [encryptor(Version::V3, aes(1)).encrypt(&[1; 100]).unwrap(), v1(&[1; 100])] {
        let length = object.body.len() as u64;
        let opening = decryptor(aes(1)).start(&object.metadata, None, length).unwrap();
        let mut place = Place::default();
        let short = opening.decrypt_into(&object.body[..object.body.len() - 1], &mut place);
        assert!(matches!(short, Err(Error::Truncated(_))));
        let long = opening.decrypt_into([&object.body[..], &[0]].concat().as_slice(), &mut place);
        assert!(matches!(long, Err(Error::Trailing)));
        assert_eq!(place.fate, ["discarded", "discarded"]);
        assert!(opening.decrypt_into(&object.body[..], &mut place).is_ok(), "and the right one still opens");
    }
}

#[test]
fn lengths_that_no_object_has_are_refused_before_any_key_is_asked() {
    let service = Fake::default();
    let object = encryptor(Version::V3, kms(&service)).encrypt(b"").unwrap();
    service.calls();
    for (length, kind) in
        [(0, "Truncated"), (15, "Truncated"), ((1 << 36) - 15, "BodyLength"), (u64::MAX, "BodyLength")]
    {
        let refused = decryptor(kms(&service)).start(&object.metadata, None, length).err().unwrap();
        assert_eq!(crate::support::kind(&refused), kind);
    }
    assert!(service.calls().is_empty());
    assert!(decryptor(kms(&service)).start(&object.metadata, None, (1 << 36) - 16).is_ok());
    for length in [0, 1, 15, 17, u64::MAX] {
        assert!(matches!(decryptor(aes(1)).start(&v1(b"").metadata, None, length), Err(Error::Truncated("a block"))));
    }
}

#[test]
fn every_byte_of_every_member_counts() {
    for version in [Version::V2, Version::V3] {
        for (name, keyring) in keyrings() {
            let object = encryptor(version, &keyring).instruction_file(false).encrypt(b"attack at dawn").unwrap();
            for (member, value) in object.metadata.iter() {
                // A description chooses a key, and authenticates nothing.
                if member == "x-amz-m" || (member == "x-amz-matdesc" && name != "kms") {
                    continue;
                }
                for at in 0..value.len() {
                    for change in [1, 2, 0x10] {
                        let mut bytes = value.as_bytes().to_vec();
                        bytes[at] ^= change;
                        let Ok(changed) = String::from_utf8(bytes) else { continue };
                        let mut forged = object.clone();
                        forged.metadata.insert(member, changed.clone());
                        let opened = open(&decryptor(&keyring), &forged);
                        assert!(opened.is_err(), "{name} {version} {member}: {changed}");
                    }
                }
                let mut forged = object.clone();
                forged.metadata.remove(member);
                assert!(open(&decryptor(&keyring), &forged).is_err(), "{name} {version} without {member}");
            }
        }
    }
}

/// One ciphertext that opens under two keys to two plaintexts: what commitment is for ("Fast Message Franking", 2018, and others after).
#[test]
fn a_ciphertext_under_two_keys_is_refused_by_its_commitment() {
    let [one, two] =
        [encryptor(Version::V3, aes(1)), encryptor(Version::V3, aes(2))].map(|e| e.encrypt(b"text").unwrap());
    // The second key's wrapped key in the first one's object: whoever has the second key opens the data key, and it is another.
    let mut swapped = one.clone();
    for member in ["x-amz-3", "x-amz-w"] {
        swapped.metadata.insert(member, two.metadata.get(member).unwrap());
    }
    assert!(matches!(open(&decryptor(aes(2)), &swapped), Err(Error::Commitment)));
    // Also for a range, of which nothing else would be verified.
    let refused = decryptor(aes(2)).start(&swapped.metadata, None, swapped.body.len() as u64);
    assert!(matches!(refused, Err(Error::Commitment)));
    // With its commitment the tag is wrong: the two together fit one key alone.
    swapped.metadata.insert("x-amz-d", two.metadata.get("x-amz-d").unwrap());
    assert!(matches!(open(&decryptor(aes(2)), &swapped), Err(Error::Commitment)));
    swapped.metadata.insert("x-amz-i", two.metadata.get("x-amz-i").unwrap());
    assert!(matches!(open(&decryptor(aes(2)), &swapped), Err(Error::BodyTag)));
}

/// The materials of version 3, written as those of a version without commitment.
fn downgraded(object: &SealedObject, wrapping: &str, description: &str) -> SealedObject {
    let metadata = Metadata::from([
        ("x-amz-key-v2", object.metadata.get("x-amz-3").unwrap()),
        ("x-amz-iv", &BASE64.encode(&[1; 12])),
        ("x-amz-cek-alg", "AES/GCM/NoPadding"),
        ("x-amz-wrap-alg", wrapping),
        ("x-amz-tag-len", "128"),
        ("x-amz-matdesc", object.metadata.get(description).unwrap_or("{}")),
    ]);
    SealedObject { metadata, ..object.clone() }
}

#[test]
fn materials_of_version_3_are_no_materials_of_version_2() {
    for ((name, keyring), wrapping) in keyrings().into_iter().zip(["AES/GCM", "RSA-OAEP-SHA1", "kms+context"]) {
        let object = encryptor(Version::V3, &keyring).encrypt(b"text").unwrap();
        let member = if name == "kms" { "x-amz-t" } else { "x-amz-m" };
        let forged = downgraded(&object, wrapping, member);
        assert_eq!(ObjectHeader::inspect(&forged.metadata, None).unwrap().unwrap().version, Version::V2);
        let refused = open(&decryptor(&keyring), &forged).unwrap_err();
        assert!(matches!(refused, Error::Unwrap | Error::ContextMismatch(_)), "{name}: {refused}");
        assert!(matches!(open(&ObjectDecryptor::new(&keyring), &forged), Err(Error::CommitmentPolicy(0x72))));
    }
    // A wrapping that compares no context is no way around the comparison: the key binds it.
    let service = Fake::default();
    let object = encryptor(Version::V3, kms(&service)).context([("tenant", "blue")]).encrypt(b"text").unwrap();
    let forged = downgraded(&object, "kms", "x-amz-t");
    assert!(matches!(
        open(&decryptor(kms(&service)).context([("tenant", "red")]), &forged),
        Err(Error::ContextUnbound)
    ));
    assert!(matches!(open(&ObjectDecryptor::new(kms(&service)), &forged), Err(Error::CommitmentPolicy(_))));
    assert!(matches!(open(&decryptor(kms(&service)), &forged), Err(Error::Member("x-amz-wrap-alg", _))));
}

#[test]
fn a_block_cipher_that_authenticates_nothing_still_has_an_end() {
    for length in [0, 1, 15, 16, 17, 31, 32, 1000, (1 << 17) - 1, 1 << 17, (1 << 17) + 1] {
        let plaintext: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
        let object = v1(&plaintext);
        assert_eq!(open(&decryptor(aes(1)), &object).unwrap(), plaintext);
        for (told, right) in [(length as u64, true), (length as u64 + 1, false)] {
            let mut object = object.clone();
            object.metadata.insert("x-amz-unencrypted-content-length", told.to_string());
            let opened = open(&decryptor(aes(1)), &object);
            assert!(if right { opened.is_ok() } else { matches!(opened, Err(Error::ContentLength { .. })) });
        }
    }
    // Whatever is wrong at the end is one error.
    let object = v1(&[0; 40]);
    let mut kinds = std::collections::BTreeSet::new();
    for at in 16..48 {
        for change in 1..=255 {
            let mut forged = object.clone();
            forged.body[at] ^= change;
            if let Err(error) = open(&decryptor(aes(1)), &forged) {
                kinds.insert(error.to_string());
            }
        }
    }
    assert_eq!(kinds.len(), 1, "{kinds:?}");
}

fn trickle<'a>(bytes: &'a [u8], pieces: &'a [usize]) -> Trickle<'a> {
    Trickle { bytes, pieces, turn: 0 }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any pieces in and out: the same object as at once, and the same plaintext.
    #[test]
    fn pieces_do_not_matter(
        plaintext in prop::collection::vec(any::<u8>(), 0..3000),
        times in 1usize..120,
        pieces in prop::collection::vec(1usize..70_000, 1..6),
        version in prop::sample::select(vec![Version::V2, Version::V3]),
        buffer in prop_oneof![Just(0), 1usize..200_000],
    ) {
        let plaintext = plaintext.repeat(times);
        let sealing = encryptor(version, aes(1)).start().unwrap();
        let metadata = sealing.metadata().clone();
        let mut reader: Box<dyn Read> = match buffer {
            0 => Box::new(sealing.into_reader(trickle(&plaintext, &pieces))),
            size => Box::new(sealing.into_buffered_reader(BufReader::with_capacity(size, trickle(&plaintext, &pieces)))),
        };
        let mut body = Vec::new();
        let mut turn = 0;
        loop {
            let mut piece = vec![0; pieces[turn % pieces.len()]];
            turn += 1;
            match reader.read(&mut piece).unwrap() {
                0 => break,
                read => body.extend(&piece[..read]),
            }
        }
        prop_assert_eq!(reader.read(&mut [0; 9]).unwrap(), 0);
        prop_assert_eq!(body.len() as u64, sealed_length(plaintext.len() as u64).unwrap());
        prop_assert_eq!(&*decryptor(aes(1)).decrypt(&metadata, None, &body).unwrap(), &plaintext);

        for release in [Release::Verified, Release::Unverified] {
            let opening = decryptor(aes(1)).release(release).start(&metadata, None, body.len() as u64).unwrap();
            let mut found = Vec::new();
            let mut reader: Box<dyn Read> = match buffer {
                0 => Box::new(opening.into_reader(trickle(&body, &pieces)).unwrap()),
                size => {
                    let input = BufReader::with_capacity(size, trickle(&body, &pieces));
                    Box::new(opening.into_buffered_reader(input).unwrap())
                }
            };
            reader.read_to_end(&mut found).unwrap();
            prop_assert!(found == plaintext);
        }
        let opening = decryptor(aes(1)).start(&metadata, None, body.len() as u64).unwrap();
        let mut place = Vec::new();
        opening.decrypt_buffered_into(BufReader::with_capacity(buffer.max(1), trickle(&body, &pieces)), &mut place).unwrap();
        prop_assert!(place == plaintext);

        // Parts of an upload, in place.
        let mut sealing = encryptor(version, aes(1)).start().unwrap();
        let metadata = sealing.metadata().clone();
        let mut body = plaintext.clone();
        for part in body.chunks_mut(pieces[0]) {
            sealing.update(part).unwrap();
        }
        body.extend(sealing.finish().unwrap());
        prop_assert_eq!(&*decryptor(aes(1)).decrypt(&metadata, None, &body).unwrap(), &plaintext);
    }
}
