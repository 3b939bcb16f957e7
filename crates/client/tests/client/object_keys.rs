//! Which key opens what, contexts, and keys that change.

use crate::kms::{Fake, KEY, OTHER};
use crate::object_support::{aes, decryptor, encryptor, kms, open, rsa, v1};
use client::keys::AesKey;
use client::object::{
    AesKeyring, Keyrings, KmsKeyring, ObjectDecryptor, ObjectEncryptor, ObjectHeader, ObjectKeyring, Rotation,
    RsaKeyring, SealedObject, Version, Wrapping,
};
use client::{DataKey, Error};
use data_encoding::BASE64;

#[test]
fn what_one_key_wrapped_no_other_opens() {
    let object = encryptor(Version::V3, aes(1)).encrypt(b"text").unwrap();
    assert!(matches!(open(&decryptor(aes(2)), &object), Err(Error::Unwrap)));
    assert!(matches!(open(&decryptor(rsa("rsa-2048", true, true)), &object), Err(Error::OtherWrapping("AES/GCM"))));
    assert!(matches!(open(&decryptor(kms(&Fake::default())), &object), Err(Error::OtherWrapping("AES/GCM"))));
    let object = encryptor(Version::V3, rsa("rsa-2048", true, false)).encrypt(b"text").unwrap();
    assert!(matches!(open(&decryptor(rsa("rsa-3072", true, true)), &object), Err(Error::Unwrap)));
    assert!(matches!(open(&decryptor(aes(1)), &object), Err(Error::OtherWrapping("RSA-OAEP-SHA1"))));
    let object = encryptor(Version::V3, kms(&Fake::default())).encrypt(b"text").unwrap();
    let other = KmsKeyring::new(Fake::default(), OTHER).unwrap();
    assert!(
        matches!(open(&decryptor(other), &object), Err(Error::Kms(error)) if error.code == "InvalidCiphertextException")
    );
}

#[test]
fn half_a_pair_does_half_the_work() {
    let object = encryptor(Version::V3, rsa("rsa-2048", true, false)).encrypt(b"text").unwrap();
    assert_eq!(open(&decryptor(rsa("rsa-2048", false, true)), &object).unwrap(), b"text");
    assert!(matches!(open(&decryptor(rsa("rsa-2048", true, false)), &object), Err(Error::KeyringCannot(_))));
    let private = encryptor(Version::V3, rsa("rsa-2048", false, true)).encrypt(b"text");
    assert!(matches!(private, Err(Error::KeyringCannot(_))));
    assert!(matches!(RsaKeyring::new(None, None), Err(Error::Setting(_))));
}

fn described(byte: u8, year: &str) -> AesKeyring {
    aes(byte).material_description([("year", year)])
}

#[test]
fn the_description_picks_the_key_and_without_one_all_are_tried() {
    let object = |keyring: AesKeyring| encryptor(Version::V3, keyring).encrypt(b"text").unwrap();
    let several = || Keyrings::new(described(1, "2026")).with(described(2, "2025")).with(rsa("rsa-2048", true, true));
    for keyring in [described(1, "2026"), described(2, "2025"), described(2, "unknown"), aes(1), aes(2)] {
        assert_eq!(open(&decryptor(several()), &object(keyring)).unwrap(), b"text");
    }
    // A description that lies: the key that it names is asked, and no other.
    let refused = open(&decryptor(several()), &object(described(1, "2025")));
    assert!(matches!(refused, Err(Error::NoKeyOpens(errors)) if errors.len() == 1));
    let refused = open(&decryptor(several()), &object(aes(3)));
    assert!(matches!(refused, Err(Error::NoKeyOpens(errors)) if errors.len() == 2));
    // The first one writes.
    let written = encryptor(Version::V3, several()).encrypt(b"text").unwrap();
    let header = ObjectHeader::inspect(&written.metadata, None).unwrap().unwrap();
    assert_eq!((header.wrapping, header.description.get("year")), (Some(Wrapping::AesGcm), Some("2026")));
    // Several services, and none of them the right one.
    let object = encryptor(Version::V3, kms(&Fake::default())).encrypt(b"text").unwrap();
    let other = || KmsKeyring::new(Fake::default(), OTHER).unwrap();
    let refused = open(&decryptor(Keyrings::new(other()).with(aes(1)).with(other())), &object);
    assert!(matches!(refused, Err(Error::NoKeyOpens(errors)) if errors.len() == 2));
    assert_eq!(
        open(&decryptor(Keyrings::new(other()).with(aes(1)).with(kms(&Fake::default()))), &object).unwrap(),
        b"text"
    );
}

#[test]
fn contexts_are_for_services_alone_and_reserved_names_for_the_format() {
    for keyring in [Box::new(aes(1)) as Box<dyn ObjectKeyring>, Box::new(rsa("rsa-2048", true, true))] {
        let refused = ObjectEncryptor::new(keyring).context([("a", "b")]).encrypt(b"");
        assert!(matches!(refused, Err(Error::ContextUnbound)));
    }
    let service = Fake::default();
    let object = ObjectEncryptor::new(kms(&service)).context([("a", "b")]).encrypt(b"text").unwrap();
    for name in ["aws:x-amz-cek-alg", "kms_cmk_id"] {
        let refused = ObjectEncryptor::new(kms(&service)).context([(name, "115")]).encrypt(b"");
        assert!(matches!(refused, Err(Error::ReservedContext(told)) if told == name));
        let refused = open(&ObjectDecryptor::new(kms(&service)).context([("a", "b"), (name, "115")]), &object);
        assert!(matches!(refused, Err(Error::ReservedContext(told)) if told == name));
    }
    for (wrong, differs) in [(vec![], "a"), (vec![("a", "c")], "a"), (vec![("a", "b"), ("c", "")], "c")] {
        let refused = open(
            &ObjectDecryptor::new(kms(&service)).context(wrong.into_iter().collect::<client::EncryptionContext>()),
            &object,
        );
        assert!(matches!(refused, Err(Error::ContextMismatch(name)) if name == differs));
    }
}

#[test]
fn a_service_is_asked_once_each_way() {
    let service = Fake::default();
    let keyring = || kms(&service).grant_tokens(["token"]);
    let object = ObjectEncryptor::new(keyring()).context([("a", "b")]).encrypt(b"text").unwrap();
    assert_eq!(service.calls(), [format!("GenerateDataKey {KEY}")]);
    assert_eq!(object.metadata.get("x-amz-t"), Some("{\"a\":\"b\",\"aws:x-amz-cek-alg\":\"115\"}"));
    open(&ObjectDecryptor::new(keyring()).context([("a", "b")]), &object).unwrap();
    assert_eq!(service.calls(), [format!("Decrypt {KEY}")]);
    for refused in ["", "arn:aws:kms:nothing"] {
        assert!(matches!(KmsKeyring::new(Fake::default(), refused), Err(Error::KeyArn(_))));
    }
}

#[test]
fn an_answer_of_another_key_or_of_another_length_is_refused() {
    let other = Fake::default().set(|asked| asked.answers_for = Some(OTHER.to_owned()));
    assert!(matches!(ObjectEncryptor::new(kms(&other)).encrypt(b""), Err(Error::OtherKey { .. })));
    let short = Fake::default().set(|asked| asked.answers_length = Some(16));
    assert!(matches!(
        ObjectEncryptor::new(kms(&short)).encrypt(b""),
        Err(Error::DataKeyLength { expected: 32, found: 16 })
    ));
    let object = ObjectEncryptor::new(kms(&Fake::default())).encrypt(b"").unwrap();
    assert!(matches!(open(&ObjectDecryptor::new(kms(&other)), &object), Err(Error::OtherKey { .. } | Error::Kms(_))));
    assert!(matches!(open(&ObjectDecryptor::new(kms(&short)), &object), Err(Error::DataKeyLength { .. })));
}

/// Of a wrapping that only old clients wrote.
fn wrapped_as(wrapping: &str, ciphertext: &[u8]) -> SealedObject {
    let key = BASE64.encode(ciphertext);
    let metadata = [
        ("x-amz-key-v2", key.as_str()),
        ("x-amz-iv", "AAECAwQFBgcICQoL"),
        ("x-amz-cek-alg", "AES/GCM/NoPadding"),
        ("x-amz-wrap-alg", wrapping),
        ("x-amz-tag-len", "128"),
    ];
    SealedObject { metadata: metadata.into(), instruction: None, body: vec![0; 16] }
}

#[test]
fn what_is_wrong_with_an_old_wrapping_is_one_error() {
    let kind =
        |object: SealedObject, keyring: &dyn ObjectKeyring| open(&decryptor(keyring), &object).unwrap_err().to_string();
    let unwrap = Error::Unwrap.to_string();
    for length in [0, 1, 8, 15, 16, 24, 31, 32, 33, 40, 47, 48, 64, 256, 257] {
        for wrapping in ["AES", "AESWrap", "AES/GCM"] {
            assert_eq!(
                kind(wrapped_as(wrapping, &vec![3; length]), &aes(1)),
                if length == 0 { "the metadata lack x-amz-key-v2" } else { &unwrap }
            );
        }
        for wrapping in ["RSA", "RSA/ECB/OAEPWithSHA-256AndMGF1Padding", "RSA-OAEP-SHA1"] {
            let told = kind(wrapped_as(wrapping, &vec![3; length]), &rsa("rsa-2048", true, true));
            assert_eq!(
                told,
                if length == 0 { "the metadata lack x-amz-key-v2" } else { &unwrap },
                "{wrapping} {length}"
            );
        }
    }
    // A wrapped key that opens and is none: of any length but an AES key's.
    let public = client::keys::RsaPublicKey::from_der(&crate::object_support::bytes(
        &crate::object_support::vectors()["keys"]["rsa-2048"]["rsaPublic"],
    ))
    .unwrap();
    for inner in [&[][..], &[1; 15], &[1; 33], &[32; 49], b"\x20short115"] {
        for (padding, wrapping) in [
            (client::keys::RsaPadding::Pkcs1, "RSA"),
            (client::keys::RsaPadding::OaepSha256Mgf1Sha1, "RSA/ECB/OAEPWithSHA-256AndMGF1Padding"),
            (client::keys::RsaPadding::OaepSha1, "RSA-OAEP-SHA1"),
        ] {
            let wrapped = public.encrypt(padding, inner).unwrap();
            assert_eq!(
                kind(wrapped_as(wrapping, &wrapped), &rsa("rsa-2048", false, true)),
                unwrap,
                "{wrapping} {inner:?}"
            );
        }
    }
}

fn with_file(keyring: impl ObjectKeyring, version: Version) -> SealedObject {
    encryptor(version, keyring).instruction_file(true).encrypt(b"text").unwrap()
}

fn rewrapped(
    object: &SealedObject,
    old: impl ObjectKeyring,
    new: impl ObjectKeyring,
    rotation: Rotation,
) -> client::Result<SealedObject> {
    let (file, mark) = object.instruction.clone().unwrap();
    let file = decryptor(old).reencrypt_instruction_file(new, &object.metadata, &file, rotation)?;
    Ok(SealedObject { instruction: Some((file, mark)), ..object.clone() })
}

#[test]
fn a_data_key_is_wrapped_anew_without_the_object() {
    let (old, new) = (|| described(1, "2025"), || described(2, "2026"));
    for version in [Version::V2, Version::V3] {
        let object = with_file(old(), version);
        let again = rewrapped(&object, old(), new(), Rotation::Checked).unwrap();
        assert_eq!(open(&decryptor(new()), &again).unwrap(), b"text");
        assert!(matches!(open(&decryptor(old()), &again), Err(Error::Unwrap)));
        let to_rsa = rewrapped(
            &again,
            new(),
            rsa("rsa-3072", true, false).material_description([("year", "2027")]),
            Rotation::Checked,
        );
        assert_eq!(open(&decryptor(rsa("rsa-3072", false, true)), &to_rsa.unwrap()).unwrap(), b"text");
        let service = Fake::default();
        let to_kms = rewrapped(&again, new(), kms(&service), Rotation::Checked).unwrap();
        assert_eq!(open(&decryptor(kms(&service)), &to_kms).unwrap(), b"text");
    }
    // Of the oldest version comes one of the second.
    let old_object = v1(b"text");
    let body = serde_json::to_vec(&old_object.metadata.iter().collect::<std::collections::BTreeMap<_, _>>()).unwrap();
    let object =
        SealedObject { metadata: Default::default(), instruction: Some((body, Default::default())), ..old_object };
    let again = rewrapped(&object, aes(1), new(), Rotation::Checked).unwrap();
    assert_eq!(open(&decryptor(new()), &again).unwrap(), b"text");
}

#[test]
fn a_rotation_that_is_none_is_refused() {
    let object = with_file(described(1, "2025"), Version::V3);
    let same = rewrapped(&object, described(1, "2025"), described(2, "2025"), Rotation::Unchecked);
    assert!(matches!(same, Err(Error::SameDescription)));
    let old_key = rewrapped(&object, described(1, "2025"), described(1, "2026"), Rotation::Checked);
    assert!(matches!(old_key, Err(Error::NotRotated)));
    assert!(rewrapped(&object, described(1, "2025"), described(1, "2026"), Rotation::Unchecked).is_ok());
    // Not by the wrong key, nor by one that the commitment is not of.
    assert!(matches!(rewrapped(&object, aes(3), described(2, "2026"), Rotation::Unchecked), Err(Error::Unwrap)));
    let mut swapped = object.clone();
    swapped.instruction = with_file(described(1, "2025"), Version::V3).instruction;
    assert!(matches!(
        rewrapped(&swapped, described(1, "2025"), described(2, "2026"), Rotation::Unchecked),
        Err(Error::Commitment)
    ));
    // Nor where there is no file.
    let plain = encryptor(Version::V3, aes(1)).encrypt(b"").unwrap();
    let refused = decryptor(aes(1)).reencrypt_instruction_file(aes(2), &plain.metadata, b"{}", Rotation::Unchecked);
    assert!(matches!(refused, Err(Error::NoInstructionFile)));
}

#[test]
fn a_service_that_cannot_be_asked_is_no_rotation() {
    let (old, new) = (Fake::default(), Fake::default());
    let other = || KmsKeyring::new(new.clone(), OTHER).unwrap();
    let object = with_file(kms(&old), Version::V3);
    assert!(rewrapped(&object, kms(&old), other(), Rotation::Checked).is_ok());
    let refused = rewrapped(&object, kms(&old), kms(&new), Rotation::Checked);
    assert!(matches!(refused, Err(Error::NotRotated)));

    /// Opens the first time, and is then not there.
    struct Once(KmsKeyring<Fake>, std::sync::atomic::AtomicBool);
    impl ObjectKeyring for Once {
        fn wrap(&self, request: &client::object::WrapRequest<'_>) -> client::Result<client::object::WrappedKey> {
            self.0.wrap(request)
        }
        fn unwrap(&self, request: &client::object::UnwrapRequest<'_>) -> client::Result<DataKey> {
            if self.1.swap(true, std::sync::atomic::Ordering::Relaxed) {
                return Err(client::kms::KmsError::new("ThrottlingException", "").into());
            }
            self.0.unwrap(request)
        }
        fn fit(&self, request: &client::object::UnwrapRequest<'_>) -> client::object::Fit {
            self.0.fit(request)
        }
    }
    let refused = rewrapped(&object, Keyrings::new(Once(kms(&old), false.into())), other(), Rotation::Checked);
    assert!(matches!(refused, Err(Error::Kms(error)) if error.code == "ThrottlingException"));
}

#[test]
fn keys_of_every_length_wrap() {
    for length in [16, 24, 32] {
        let keyring = AesKeyring::new(AesKey::new(&vec![5; length]).unwrap());
        let object = encryptor(Version::V3, &keyring).encrypt(b"text").unwrap();
        assert_eq!(open(&decryptor(&keyring), &object).unwrap(), b"text");
    }
}
