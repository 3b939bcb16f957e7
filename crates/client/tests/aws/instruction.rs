//! Instruction files that are not there, or not what they should be.

use crate::encryption::{data, get, keyring, put_with, s3};
use crate::server::Reply;
use crate::store::{Store, refusal};
use client::Error;
use client::aws::{EncryptionClient, PutOptions};
use client::object::{CommitmentPolicy, ObjectDecryptor, ObjectEncryptor, Rotation, Version};

const POLICY: CommitmentPolicy = CommitmentPolicy::ForbidEncryptAllowDecrypt;

fn store_with(store: &Store, version: Version, instruction_file: bool) {
    let policy = if version == Version::V3 { CommitmentPolicy::default() } else { POLICY };
    let encryptor = ObjectEncryptor::new(keyring(1)).version(version).commitment(policy);
    let encryptor = encryptor.instruction_file(instruction_file);
    put_with(store, &encryptor, &data(5_000)[..], None, &PutOptions::new()).unwrap();
}

fn rewrap(store: &Store) -> client::Result<client::aws::Stored> {
    let old = ObjectDecryptor::new(keyring(1)).commitment(POLICY);
    let s3 = s3(store);
    EncryptionClient::new(&s3).re_encrypt_instruction_file(&old, keyring(2), "bucket", "a key", Rotation::Unchecked)
}

#[test]
fn what_has_no_instruction_file_cannot_be_wrapped_anew() {
    for version in [Version::V2, Version::V3] {
        // Where nobody may list, what is not there is denied.
        for (status, code) in [("404 Not Found", "NoSuchKey"), ("403 Forbidden", "AccessDenied")] {
            let store = Store::failing(move |asked, bucket| {
                let missing = asked.method == "GET" && !bucket.objects.contains_key("a key.instruction");
                missing.then(|| Reply::Say(refusal(status, code)))
            });
            let error = rewrap(&store).unwrap_err();
            assert!(matches!(&error, Error::Aws(error) if error.service().unwrap().status == 404), "{error}");
            store_with(&store, version, false);
            assert!(matches!(rewrap(&store), Err(Error::NoInstructionFile)), "{version} {code}");
            assert_eq!(store.bucket().objects.len(), 1);
        }
        let store = Store::new();
        store_with(&store, version, true);
        rewrap(&store).unwrap();
        store.bucket().objects.remove("a key.instruction");
        let error = rewrap(&store).unwrap_err();
        match version {
            Version::V3 => assert!(matches!(error, Error::InstructionFileMissing), "{error}"),
            _ => assert!(matches!(error, Error::NotEncrypted), "{error}"),
        }
        // One of an object before it, which nobody looks at any more.
        let store = Store::new();
        store_with(&store, version, true);
        store_with(&store, version, false);
        assert!(matches!(rewrap(&store), Err(Error::NoInstructionFile)));
    }
}

#[test]
fn what_is_wrong_with_an_instruction_file_is_told_with_its_name() {
    let store = Store::new();
    store_with(&store, Version::V3, true);
    let junk = vec![b'x'; 3_000_000];
    let right = store.bucket().objects["a key.instruction"].body.clone();
    let text = String::from_utf8(right.clone()).unwrap();
    let other = text.replace(r#""x-amz-w":"02""#, r#""x-amz-w":"99""#).into_bytes();
    assert_ne!(other, right);
    for body in [junk, b"{}".to_vec(), Vec::new(), b"[1]".to_vec(), other] {
        let words = String::from_utf8_lossy(&body[..body.len().min(9)]).into_owned();
        store.bucket().put("a key.instruction", body, [].into());
        let s3 = s3(&store);
        let client = EncryptionClient::new(&s3);
        let errors =
            [get(&store).unwrap_err(), rewrap(&store).unwrap_err(), client.inspect("bucket", "a key").unwrap_err()];
        for error in errors {
            let told = error.to_string();
            assert!(matches!(error, Error::OfInstructionFile { .. }), "{words}: {told}");
            assert!(told.starts_with("a key.instruction: "), "{words}: {told}");
        }
    }
    // What is wrong with the object itself is not blamed on the file.
    store.bucket().put("a key.instruction", right, [].into());
    for (name, value) in [("x-amz-c", None), ("x-amz-d", None), ("x-amz-i", Some("?")), ("x-amz-key", Some("AA=="))] {
        let metadata = store.bucket().objects["a key"].metadata.clone();
        let mut wrong = metadata.clone();
        match value {
            Some(value) => wrong.insert(name.to_owned(), value.to_owned()),
            None => wrong.remove(name),
        };
        store.bucket().objects.get_mut("a key").unwrap().metadata = wrong;
        for error in [get(&store).unwrap_err(), rewrap(&store).unwrap_err()] {
            assert!(!matches!(error, Error::OfInstructionFile { .. }), "{name}: {error}");
        }
        store.bucket().objects.get_mut("a key").unwrap().metadata = metadata;
    }
    assert_eq!(get(&store).unwrap(), data(5_000));
}
