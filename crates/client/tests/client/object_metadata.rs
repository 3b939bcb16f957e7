//! Metadata that say too little, too much, or something else: precise errors, and nothing that costs.

use crate::kms::Fake;
use crate::object_support::{aes, decryptor, encryptor, kms, v1};
use crate::support::kind;
use client::Error;
use client::object::{METADATA_LIMIT, Metadata, ObjectEncryptor, ObjectHeader, SealedObject, Version};

fn v3() -> SealedObject {
    encryptor(Version::V3, aes(1).material_description([("a", "b")])).encrypt(b"text").unwrap()
}

fn v2() -> SealedObject {
    encryptor(Version::V2, aes(1)).encrypt(b"text").unwrap()
}

fn refused(object: &SealedObject) -> String {
    let error = decryptor(aes(1))
        .start(&object.metadata, object.instruction.as_ref().map(|(body, _)| &body[..]), object.body.len() as u64)
        .err()
        .unwrap();
    error.to_string()
}

/// With one member changed, or taken away.
fn with(object: SealedObject, name: &str, value: Option<&str>) -> SealedObject {
    let mut object = object;
    match value {
        Some(value) => drop(object.metadata.insert(name, value)),
        None => drop(object.metadata.remove(name)),
    }
    object
}

#[test]
fn a_member_that_is_missing_is_named() {
    for (object, members) in [
        (v3(), &["x-amz-c", "x-amz-w", "x-amz-d", "x-amz-i"][..]),
        (v2(), &["x-amz-iv", "x-amz-cek-alg", "x-amz-wrap-alg", "x-amz-tag-len", "x-amz-key-v2"]),
        (v1(b""), &["x-amz-iv", "x-amz-matdesc"]),
    ] {
        for member in members {
            for value in [None, Some("")] {
                let error = refused(&with(object.clone(), member, value));
                assert_eq!(error, format!("the metadata lack {member}"));
            }
        }
    }
    // Without the wrapped key, version 3 has it in a file, and of the oldest one nothing can be said but that it is missing.
    assert!(refused(&with(v3(), "x-amz-3", None)).contains("x-amz-w does not belong"));
    assert_eq!(refused(&with(v1(b""), "x-amz-key", None)), "the metadata lack x-amz-key-v2");
}

#[test]
fn versions_are_not_mixed() {
    let keys = ["x-amz-key", "x-amz-key-v2", "x-amz-3"];
    for object in [v1(b""), v2(), v3()] {
        for key in keys.into_iter().filter(|key| object.metadata.get(key).is_none()) {
            let error = refused(&with(object.clone(), key, Some("AAAA")));
            assert!(error.starts_with("wrapped data keys of several versions") && error.contains(key), "{error}");
        }
    }
    for (object, members) in [
        (v3(), &["x-amz-iv", "x-amz-matdesc", "x-amz-wrap-alg", "x-amz-cek-alg", "x-amz-tag-len", "x-amz-t"][..]),
        (v2(), &["x-amz-c", "x-amz-w", "x-amz-d", "x-amz-i", "x-amz-m", "x-amz-t"]),
        (v1(b""), &["x-amz-wrap-alg", "x-amz-cek-alg", "x-amz-tag-len", "x-amz-c"]),
    ] {
        for member in members {
            let error = refused(&with(object.clone(), member, Some("{}")));
            assert_eq!(error, format!("{member} does not belong to these metadata"));
        }
    }
}

/// As Go's client writes them: members of other versions and of other keys are there, and empty.
#[test]
fn empty_members_say_nothing() {
    let mut object = v3();
    for name in ["x-amz-t", "x-amz-key", "x-amz-tag-len", "x-amz-unencrypted-content-length", "x-amz-iv"] {
        object.metadata.insert(name, "");
    }
    assert_eq!(*decryptor(aes(1)).decrypt(&object.metadata, None, &object.body).unwrap(), *b"text");
}

#[test]
fn a_value_that_the_format_does_not_have_is_refused_with_its_name() {
    let long = "A".repeat(40);
    for (object, member, values) in [
        (v3(), "x-amz-c", &["114", "116", "0115", "AES/GCM/NoPadding"][..]),
        (v3(), "x-amz-w", &["2", "00", "32", "AES/GCM", "kms+context"]),
        (v3(), "x-amz-d", &["AAAA", &long, "!", "====", "AAA"]),
        (v3(), "x-amz-i", &["AAAA", &long, " ", "AA AA"]),
        (v3(), "x-amz-3", &["!", "A", "AAA=A", "AB==", "\u{e9}"]),
        (v3(), "x-amz-m", &["x", "[]", "{\"a\":{}}", "{\"a\":null}", "{\"a\":\"1\",\"a\":\"2\"}", "{", "null"]),
        (v2(), "x-amz-cek-alg", &["AES/CTR/NoPadding", "aes/gcm/nopadding", "115"]),
        (v2(), "x-amz-wrap-alg", &["02", "DES", "AES/GCM/NoPadding", "RSA/ECB"]),
        (v2(), "x-amz-tag-len", &["96", "0", "129", "128 ", "-128"]),
        (v2(), "x-amz-iv", &["AAAA", "AAAAAAAAAAAAAAAAAAAAAA=="]),
        (v2(), "x-amz-matdesc", &["", "x", "{}{}"][1..]),
        (v1(b""), "x-amz-iv", &["AAAA", "AAAAAAAAAAAAAAAA"]),
        (v1(b""), "x-amz-unencrypted-content-length", &["-1", "x", "18446744073709551616"]),
    ] {
        for value in values {
            let error = refused(&with(object.clone(), member, Some(value)));
            assert!(error.starts_with(&format!("{member} is malformed")), "{member} {value}: {error}");
        }
    }
    assert_eq!(
        refused(&with(with(v2(), "x-amz-cek-alg", Some("AES/CBC/PKCS5Padding")), "x-amz-iv", Some("AAAA"))),
        "x-amz-tag-len does not belong to these metadata"
    );
}

#[test]
fn nothing_long_or_deep_is_read() {
    let long = "a".repeat(METADATA_LIMIT);
    for object in [with(v3(), "x-amz-m", Some(&long)), with(v3(), "unrelated", Some(&long))] {
        assert_eq!(refused(&object), format!("metadata of more than {METADATA_LIMIT} bytes"));
    }
    let deep = format!("{{\"a\":{}", "[".repeat(METADATA_LIMIT / 2));
    assert!(refused(&with(v3(), "x-amz-m", Some(&deep))).starts_with("x-amz-m is malformed"));
    let words = "=?UTF-8?Q?=C3=83?= ".repeat(2000);
    assert!(refused(&with(v3(), "x-amz-m", Some(&words))).starts_with("x-amz-m is malformed"));
    let mut object = encryptor(Version::V3, aes(1)).instruction_file(true).encrypt(b"").unwrap();
    for (body, kind_) in [
        (vec![b' '; METADATA_LIMIT + 1], "MetadataLength"),
        (b"{\"a\":".repeat(10_000), "InstructionFile"),
        (b"[]".to_vec(), "InstructionFile"),
        (b"".to_vec(), "InstructionFile"),
        (b"{}".to_vec(), "MissingMember"),
        (b"{\"x-amz-3\":\"AAAA\",\"X-AMZ-3\":\"BBBB\",\"x-amz-w\":\"02\"}".to_vec(), "InstructionFile"),
        (b"{\"x-amz-3\":\"AAAA\",\"x-amz-3\":\"BBBB\"}".to_vec(), "InstructionFile"),
        (b"\xff\xfe".to_vec(), "InstructionFile"),
    ] {
        object.instruction = Some((body, Metadata::new()));
        let error = ObjectHeader::inspect(&object.metadata, object.instruction.as_ref().map(|(body, _)| &body[..]))
            .unwrap_err();
        assert_eq!(kind(&error), kind_, "{error}");
    }
}

#[test]
fn an_instruction_file_has_its_own_members_and_no_others() {
    let object = encryptor(Version::V3, aes(1)).instruction_file(true).encrypt(b"text").unwrap();
    let (file, _) = object.instruction.clone().unwrap();
    let file = String::from_utf8(file).unwrap();
    let read = |metadata: &Metadata, file: &str| {
        decryptor(aes(1)).decrypt(metadata, Some(file.as_bytes()), &object.body).map(|plaintext| plaintext.to_vec())
    };
    assert_eq!(read(&object.metadata, &file).unwrap(), b"text");
    // What describes the content, in the file: nobody swaps it there.
    for member in ["x-amz-c", "x-amz-d", "x-amz-i", "x-amz-iv", "x-amz-tag-len"] {
        let file = file.replacen('{', &format!("{{\"{member}\":\"115\","), 1);
        assert!(matches!(read(&object.metadata, &file), Err(Error::ForeignMember(name)) if name == member));
    }
    for member in ["x-amz-key", "x-amz-key-v2"] {
        let file = file.replacen('{', &format!("{{\"{member}\":\"AAAA\","), 1);
        assert!(matches!(read(&object.metadata, &file), Err(Error::ForeignMember(_))));
    }
    // What belongs into the file, at the object.
    for member in ["x-amz-w", "x-amz-m", "x-amz-t"] {
        let mut metadata = object.metadata.clone();
        metadata.insert(member, "02");
        assert!(matches!(read(&metadata, &file), Err(Error::ForeignMember(name)) if name == member));
    }
    // Of version 3 without the object's part, and a file that belongs to another object.
    assert!(matches!(read(&Metadata::new(), &file), Err(Error::MissingMember("x-amz-c"))));
    let other = encryptor(Version::V3, aes(1)).instruction_file(true).encrypt(b"text").unwrap();
    let other = String::from_utf8(other.instruction.unwrap().0).unwrap();
    assert!(matches!(read(&object.metadata, &other), Err(Error::Commitment)));
    // Numbers as Go's and PHP's clients wrote them.
    let object = encryptor(Version::V2, aes(1)).instruction_file(true).encrypt(b"text").unwrap();
    let file = String::from_utf8(object.instruction.unwrap().0).unwrap().replace("\"128\"", "128");
    assert_eq!(*decryptor(aes(1)).decrypt(&object.metadata, Some(file.as_bytes()), &object.body).unwrap(), *b"text");
}

/// What S3 does to a context that is not ASCII, which other clients send as it is.
#[test]
fn a_context_beyond_ascii_comes_back_as_it_was_meant() {
    let service = Fake::default();
    let context = [("größe", "二百五十六"), ("an =?UTF-8?Q?encoded?= word", "\u{1f600} \"\\")];
    let object = ObjectEncryptor::new(kms(&service)).context(context).encrypt(b"text").unwrap();
    let ours = object.metadata.get("x-amz-t").unwrap().to_owned();
    assert!(ours.is_ascii() && !ours.contains("=?"));
    // As another client's JSON: raw UTF-8.
    let raw: String = serde_json::to_string(&serde_json::from_str::<serde_json::Value>(&ours).unwrap()).unwrap();
    assert!(!raw.is_ascii());
    let latin1: String = raw.bytes().map(char::from).collect();
    let quoted: String = latin1.bytes().map(|byte| format!("={byte:02X}")).collect();
    let base64 = data_encoding::BASE64.encode(latin1.as_bytes());
    for came in [raw, latin1, format!("=?UTF-8?Q?{quoted}?="), format!("=?UTF-8?B?{base64}?=")] {
        let object = with(object.clone(), "x-amz-t", Some(&came));
        let opened = decryptor(kms(&service)).context(context).decrypt(&object.metadata, None, &object.body);
        // Raw text that happens to have an encoded word in it is what no client can tell from one.
        if came.contains(" =?UTF-8?Q?encoded?= ") {
            assert!(opened.is_err(), "{came}");
        } else {
            assert_eq!(*opened.unwrap(), *b"text", "{came}");
        }
    }
}

#[test]
fn what_is_no_object_of_this_format_says_nothing() {
    for metadata in [Metadata::new(), Metadata::from([("colour", "blue"), ("x-amz-crypto-instr-file", "")])] {
        assert_eq!(ObjectHeader::inspect(&metadata, None).unwrap(), None);
        assert!(matches!(decryptor(aes(1)).decrypt(&metadata, None, b""), Err(Error::NotEncrypted)));
    }
    assert!(matches!(ObjectHeader::inspect(&Metadata::new(), Some(b"{}")), Err(Error::MissingMember("x-amz-key-v2"))));
}
