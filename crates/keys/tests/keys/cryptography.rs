use std::collections::BTreeMap;

use keys::operation::data_key::{GenerateDataKeyRequest, GenerateDataKeyWithoutPlaintextRequest};
use keys::operation::encrypt::{DecryptRequest, EncryptRequest, ReEncryptRequest};
use keys::operation::random::GenerateRandomRequest;
use keys::{Blob, Plaintext};
use serde::de::IgnoredAny;
use serde_json::json;

use crate::fixture::{Fixture, checked, code, plain};

fn context(pairs: &[(&str, &str)]) -> Option<BTreeMap<String, String>> {
    Some(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
}

#[tokio::test]
async fn decrypt_gives_back_what_encrypt_took() {
    let f = Fixture::new().await;
    let key = f.key().await;
    for len in [1, 32, 4_096] {
        let request = EncryptRequest {
            key_id: key.clone(),
            plaintext: Plaintext::new(vec![7; len]),
            encryption_context: context(&[("a", "1"), ("b", "2")]),
            ..Default::default()
        };
        let sealed = f.keys.encrypt(&f.me, request).await.unwrap();
        let request = DecryptRequest {
            ciphertext_blob: Some(sealed.ciphertext_blob),
            encryption_context: context(&[("b", "2"), ("a", "1")]),
            ..Default::default()
        };
        let opened = f.keys.decrypt(&f.me, request).await.unwrap();
        assert!(opened.plaintext.expose() == vec![7; len]);
        assert_eq!(opened.key_id, format!("arn:aws:kms:eu-west-1:111122223333:key/{key}"));
        assert_eq!(opened.key_material_id.unwrap(), f.describe(&key).await.unwrap().current_key_material_id.unwrap());
    }
}

#[tokio::test]
async fn the_same_plaintext_never_seals_to_the_same_blob() {
    let f = Fixture::new().await;
    let key = f.key().await;
    assert_ne!(f.encrypt(&key, "x").await.unwrap(), f.encrypt(&key, "x").await.unwrap());
}

#[tokio::test]
async fn plaintext_and_ciphertext_have_limits() {
    let f = Fixture::new().await;
    let key = f.key().await;
    let blob = |len: usize| data_encoding::BASE64.encode(&vec![7; len]);
    for (len, expected) in [(0, "ValidationException"), (1, "ok"), (4_096, "ok"), (4_097, "ValidationException")] {
        assert_eq!(checked::<EncryptRequest>(&json!({ "KeyId": key, "Plaintext": blob(len) })), expected, "{len}");
    }
    for (len, expected) in [(0, "ValidationException"), (1, "ok"), (6_144, "ok"), (6_145, "ValidationException")] {
        assert_eq!(checked::<DecryptRequest>(&json!({ "CiphertextBlob": blob(len) })), expected, "{len}");
    }
    assert_eq!(code(f.decrypt(&Blob(vec![0; 6_144])).await), "InvalidCiphertextException");
}

#[tokio::test]
async fn every_changed_byte_of_a_ciphertext_is_refused_without_a_reason() {
    let f = Fixture::new().await;
    let key = f.key().await;
    let blob = f.encrypt(&key, "secret").await.unwrap();
    for index in 0..blob.0.len() {
        let mut changed = blob.clone();
        changed.0[index] ^= 1;
        let Err(error) = f.decrypt(&changed).await else { panic!("byte {index} opened") };
        // A blob that names another key is refused as one of a key that is not there: nothing else is known of it.
        match error.code() {
            "InvalidCiphertextException" => assert_eq!(error.message(), "", "byte {index}"),
            code => assert_eq!((code, (7..23).contains(&index)), ("AccessDeniedException", true), "byte {index}"),
        }
    }
    for len in 1..blob.0.len() {
        assert_eq!(code(f.decrypt(&Blob(blob.0[..len].to_vec())).await), "InvalidCiphertextException", "{len} bytes");
    }
}

#[tokio::test]
async fn another_context_does_not_open() {
    let f = Fixture::new().await;
    let key = f.key().await;
    let request = EncryptRequest {
        key_id: key,
        plaintext: plain("x"),
        encryption_context: context(&[("a", "1")]),
        ..Default::default()
    };
    let blob = f.keys.encrypt(&f.me, request).await.unwrap().ciphertext_blob;
    for other in [None, context(&[]), context(&[("a", "2")]), context(&[("A", "1")]), context(&[("a", "1"), ("b", "")])]
    {
        let request =
            DecryptRequest { ciphertext_blob: Some(blob.clone()), encryption_context: other, ..Default::default() };
        assert_eq!(code(f.keys.decrypt(&f.me, request).await), "InvalidCiphertextException");
    }
}

#[tokio::test]
async fn a_named_key_must_be_the_ciphertexts() {
    let f = Fixture::new().await;
    let (one, two) = (f.key().await, f.key().await);
    f.alias("alias/one", &one).await.unwrap();
    let blob = f.encrypt("alias/one", "x").await.unwrap();
    for (named, expected) in [
        (one.as_str(), "ok"),
        ("alias/one", "ok"),
        (two.as_str(), "IncorrectKeyException"),
        ("alias/none", "NotFoundException"),
    ] {
        let request = DecryptRequest {
            ciphertext_blob: Some(blob.clone()),
            key_id: Some(named.to_owned()),
            ..Default::default()
        };
        assert_eq!(code(f.keys.decrypt(&f.me, request).await), expected, "{named}");
    }
}

#[tokio::test]
async fn reencrypt_moves_a_ciphertext_to_another_key_and_context() {
    let f = Fixture::new().await;
    let (one, two) = (f.key().await, f.key().await);
    let blob = f.encrypt(&one, "x").await.unwrap();
    let request = ReEncryptRequest {
        ciphertext_blob: Some(blob),
        destination_key_id: two.clone(),
        destination_encryption_context: context(&[("a", "1")]),
        ..Default::default()
    };
    let moved = f.keys.re_encrypt(&f.me, request.clone()).await.unwrap();
    assert!(moved.source_key_id.ends_with(&one) && moved.key_id.ends_with(&two));
    let open = DecryptRequest {
        ciphertext_blob: Some(moved.ciphertext_blob),
        encryption_context: context(&[("a", "1")]),
        ..Default::default()
    };
    let opened = f.keys.decrypt(&f.me, open).await.unwrap();
    assert!(opened.plaintext.expose() == b"x" && opened.key_id.ends_with(&two));
    assert_eq!(opened.key_material_id, moved.destination_key_material_id);

    let wrong = ReEncryptRequest { source_key_id: Some(two), ..request };
    assert_eq!(code(f.keys.re_encrypt(&f.me, wrong).await), "IncorrectKeyException");
}

#[tokio::test]
async fn a_data_key_is_as_long_as_asked_and_decrypts() {
    let f = Fixture::new().await;
    let key = f.key().await;
    for (number_of_bytes, key_spec, expected) in [
        (None, Some("AES_256"), Ok(32)),
        (None, Some("AES_128"), Ok(16)),
        (Some(1), None, Ok(1)),
        (Some(1_024), None, Ok(1_024)),
        (Some(32), Some("AES_256"), Err(())),
        (None, None, Err(())),
    ] {
        let request = GenerateDataKeyRequest {
            key_id: key.clone(),
            number_of_bytes,
            key_spec: key_spec.map(str::to_owned),
            ..Default::default()
        };
        match f.keys.generate_data_key(&f.me, request).await {
            Ok(made) => {
                assert_eq!(Ok(made.plaintext.expose().len()), expected);
                let opened = f.decrypt(&made.ciphertext_blob).await.unwrap();
                assert!(opened.plaintext == made.plaintext);
            }
            Err(error) => assert_eq!((error.code(), expected), ("ValidationException", Err(()))),
        }
    }
    for bad in [json!({ "NumberOfBytes": 0 }), json!({ "NumberOfBytes": 1_025 }), json!({ "KeySpec": "AES_512" })] {
        let mut body = json!({ "KeyId": key });
        body.as_object_mut().unwrap().extend(bad.as_object().unwrap().clone());
        assert_eq!(checked::<GenerateDataKeyRequest>(&body), "ValidationException", "{bad}");
    }
    let request =
        GenerateDataKeyWithoutPlaintextRequest { key_id: key, number_of_bytes: Some(24), ..Default::default() };
    let made = f.keys.generate_data_key_without_plaintext(&f.me, request).await.unwrap();
    assert_eq!(f.decrypt(&made.ciphertext_blob).await.unwrap().plaintext.expose().len(), 24);
    assert!(serde_json::to_value(made).unwrap().get("Plaintext").is_none());
}

#[tokio::test]
async fn random_bytes_are_as_many_as_asked() {
    let f = Fixture::new().await;
    for (number_of_bytes, expected) in [(Some(1), "ok"), (Some(1_024), "ok"), (None, "ValidationException")] {
        let request = GenerateRandomRequest { number_of_bytes, ..Default::default() };
        let made = f.keys.generate_random(&f.me, request).await;
        if let Ok(made) = &made {
            assert_eq!(i64::try_from(made.plaintext.expose().len()).ok(), number_of_bytes);
        }
        assert_eq!(code(made), expected);
    }
    let request =
        GenerateRandomRequest { number_of_bytes: Some(1), custom_key_store_id: Some("cks".into()), recipient: None };
    assert_eq!(code(f.keys.generate_random(&f.me, request).await), "CustomKeyStoreNotFoundException");
    for number in [0, 1_025] {
        assert_eq!(checked::<GenerateRandomRequest>(&json!({ "NumberOfBytes": number })), "ValidationException");
    }
}

#[tokio::test]
async fn a_dry_run_stops_after_every_check() {
    let f = Fixture::new().await;
    let key = f.key().await;
    let blob = f.encrypt(&key, "x").await.unwrap();
    let key_id = key.clone();
    let (dry_run, ciphertext_blob) = (Some(true), Some(blob.clone()));
    let encrypt = EncryptRequest { key_id: key_id.clone(), plaintext: plain("x"), dry_run, ..Default::default() };
    assert_eq!(code(f.keys.encrypt(&f.me, encrypt.clone()).await), "DryRunOperationException");
    let decrypt = DecryptRequest { ciphertext_blob, dry_run, ..Default::default() };
    assert_eq!(code(f.keys.decrypt(&f.me, decrypt.clone()).await), "DryRunOperationException");
    let mut bad = decrypt.clone();
    bad.encryption_context = context(&[("a", "1")]);
    assert_eq!(code(f.keys.decrypt(&f.me, bad).await), "InvalidCiphertextException");

    let modifiers = Some(vec!["IGNORE_CIPHERTEXT".to_owned()]);
    let ignoring = DecryptRequest { dry_run_modifiers: modifiers.clone(), ciphertext_blob: None, ..decrypt.clone() };
    assert_eq!(code(f.keys.decrypt(&f.me, ignoring.clone()).await), "ValidationException");
    let ignoring = DecryptRequest { key_id: Some(key_id.clone()), ..ignoring };
    assert_eq!(code(f.keys.decrypt(&f.me, ignoring.clone()).await), "DryRunOperationException");
    assert_eq!(code(f.keys.decrypt(&f.me, DecryptRequest { dry_run: None, ..ignoring }).await), "ValidationException");

    let move_it = ReEncryptRequest {
        ciphertext_blob: Some(blob),
        destination_key_id: key_id.clone(),
        dry_run,
        ..Default::default()
    };
    assert_eq!(code(f.keys.re_encrypt(&f.me, move_it).await), "DryRunOperationException");
    f.disable(&key).await.unwrap();
    assert_eq!(code(f.keys.encrypt(&f.me, encrypt).await), "DisabledException");
}

#[tokio::test]
async fn what_is_not_there_is_not_passed_over() {
    let f = Fixture::new().await;
    let key = f.key().await;
    let base = EncryptRequest { key_id: key, plaintext: plain("x"), ..Default::default() };
    let tokens = EncryptRequest { grant_tokens: Some(vec!["t".to_owned()]), ..base.clone() };
    assert_eq!(code(f.keys.encrypt(&f.me, tokens).await), "InvalidGrantTokenException");
    let rsa = EncryptRequest { encryption_algorithm: Some("RSAES_OAEP_SHA_256".to_owned()), ..base };
    assert_eq!(code(f.keys.encrypt(&f.me, rsa).await), "InvalidKeyUsageException");
    let refused = "ValidationException";
    assert_eq!(checked::<DecryptRequest>(&json!({ "GrantTokens": vec!["t"; 11] })), refused);
    assert_eq!(checked::<DecryptRequest>(&json!({ "EncryptionAlgorithm": "ROT13" })), refused);
    let enclave =
        DecryptRequest { ciphertext_blob: Some(Blob(vec![1])), recipient: Some(IgnoredAny), ..Default::default() };
    assert_eq!(code(f.keys.decrypt(&f.me, enclave).await), "UnsupportedOperationException");
}

#[tokio::test]
async fn a_context_has_a_largest_size() {
    let f = Fixture::new().await;
    let request = EncryptRequest {
        key_id: f.key().await,
        plaintext: plain("x"),
        encryption_context: context(&[("a", &"x".repeat(10_000))]),
        ..Default::default()
    };
    assert_eq!(code(f.keys.encrypt(&f.me, request).await), "ValidationException");
}

#[tokio::test]
async fn blobs_are_base64_with_padding_on_the_wire() {
    let f = Fixture::new().await;
    let key = f.key().await;
    let body = format!(r#"{{"KeyId":"{key}","Plaintext":"eA==","EncryptionContext":null,"Unknown":[1]}}"#);
    let answer = f.keys.encrypt(&f.me, keys::parse(body.as_bytes()).unwrap()).await.unwrap();
    let answer = serde_json::to_value(answer).unwrap();
    let blob = answer["CiphertextBlob"].as_str().unwrap();
    assert_eq!(answer["EncryptionAlgorithm"], "SYMMETRIC_DEFAULT");
    let opened = f.keys.decrypt(&f.me, keys::parse(format!(r#"{{"CiphertextBlob":"{blob}"}}"#).as_bytes()).unwrap());
    assert_eq!(serde_json::to_value(opened.await.unwrap()).unwrap()["Plaintext"], "eA==");
    for bad in ["eA", "eA=", "e A==", "eB==", "_-__"] {
        let body = format!(r#"{{"Plaintext":"{bad}"}}"#);
        assert_eq!(code(keys::parse::<EncryptRequest>(body.as_bytes())), "SerializationException", "{bad}");
    }
}
