//! Labels that somebody changed who can write to the bucket: how a data key is wrapped, and what it encrypts.

use crate::kms::Fake;
use crate::object_support::{aes, decryptor, encryptor, kms, open, rsa, v1};
use client::Error;
use client::object::{Metadata, ObjectKeyring, Rotation, SealedObject, Version};
use std::collections::BTreeMap;

fn relabelled(object: &SealedObject, members: &[(&str, &str)]) -> SealedObject {
    let mut object = object.clone();
    for (name, value) in members {
        object.metadata.insert(*name, *value);
    }
    object
}

#[test]
fn a_context_is_not_lost_with_the_name_of_its_wrapping() {
    let service = Fake::default();
    let object = encryptor(Version::V2, kms(&service)).context([("tenant", "a")]).encrypt(&[0; 16]).unwrap();
    let forged = relabelled(&object, &[("x-amz-wrap-alg", "kms")]);
    let cbc = relabelled(
        &forged,
        &[("x-amz-cek-alg", "AES/CBC/PKCS5Padding"), ("x-amz-iv", "AAAAAAAAAAAAAAAAAAAAAA=="), ("x-amz-tag-len", "0")],
    );
    service.calls();
    for forged in [forged, cbc] {
        let refused = open(&decryptor(kms(&service)), &forged);
        assert!(matches!(refused, Err(Error::Member("x-amz-wrap-alg", _))), "{refused:?}");
    }
    assert!(service.calls().is_empty(), "it is not even asked");
}

/// The metadata as an instruction file.
fn as_file(object: &SealedObject) -> SealedObject {
    let members: BTreeMap<_, _> = object.metadata.iter().collect();
    let file = serde_json::to_vec(&members).unwrap();
    SealedObject { metadata: Metadata::new(), instruction: Some((file, Metadata::new())), body: object.body.clone() }
}

#[test]
fn a_content_in_gcm_is_not_read_as_one_in_cbc() {
    let cbc =
        [("x-amz-cek-alg", "AES/CBC/PKCS5Padding"), ("x-amz-iv", "AAAAAAAAAAAAAAAAAAAAAA=="), ("x-amz-tag-len", "0")];
    for keyring in [&aes(1) as &dyn ObjectKeyring, &rsa("rsa-2048", true, true)] {
        let object = encryptor(Version::V2, keyring).encrypt(&[0; 16]).unwrap();
        assert_eq!(open(&decryptor(keyring), &object).unwrap(), [0; 16]);
        let refused = open(&decryptor(keyring), &relabelled(&object, &cbc));
        assert!(matches!(refused, Err(Error::Member("x-amz-cek-alg", _))), "{refused:?}");
    }
    // Where the key of an old object was wrapped anew, in its instruction file, it is what is written.
    let old = as_file(&v1(b"text"));
    for keyring in [
        &aes(2).material_description([("year", "2026")]) as &dyn ObjectKeyring,
        &rsa("rsa-2048", true, true).material_description([("year", "2026")]),
    ] {
        let file = &old.instruction.as_ref().unwrap().0;
        let opener = decryptor(aes(1));
        let file = opener.reencrypt_instruction_file(keyring, &old.metadata, file, Rotation::Checked).unwrap();
        assert_eq!(*decryptor(keyring).decrypt(&old.metadata, Some(&file), &old.body).unwrap(), *b"text");
    }
}
