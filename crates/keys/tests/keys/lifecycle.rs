use keys::operation::lifecycle::{CreateKeyRequest, ListKeysRequest, UpdateKeyDescriptionRequest};
use keys::operation::tag::Tag;
use serde_json::json;

use crate::fixture::{Fixture, START, checked, code, principal};

#[tokio::test]
async fn a_new_key_is_described_as_it_was_created() {
    let f = Fixture::new().await;
    let request = CreateKeyRequest { description: Some("payroll".to_owned()), ..Default::default() };
    let created = f.keys.create_key(&f.me, request).await.unwrap().key_metadata;
    let described = serde_json::to_value(f.describe(&created.key_id).await.unwrap()).unwrap();
    assert_eq!(described, serde_json::to_value(&created).unwrap());
    let material = &created.current_key_material_id;
    let material = material.as_deref().unwrap();
    assert!(material.len() == 64 && material.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)));
    assert_eq!(
        described,
        serde_json::json!({
            "AWSAccountId": "111122223333",
            "KeyId": created.key_id,
            "Arn": format!("arn:aws:kms:eu-west-1:111122223333:key/{}", created.key_id),
            "CreationDate": START as f64 / 1000.0,
            "Enabled": true,
            "Description": "payroll",
            "KeyUsage": "ENCRYPT_DECRYPT",
            "KeyState": "Enabled",
            "Origin": "AWS_KMS",
            "KeyManager": "CUSTOMER",
            "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
            "KeySpec": "SYMMETRIC_DEFAULT",
            "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
            "MultiRegion": false,
            "CurrentKeyMaterialId": material,
        })
    );
}

#[tokio::test]
async fn what_cannot_be_honoured_is_refused() {
    let f = Fixture::new().await;
    for (members, expected) in [
        (r#"{"KeySpec":"SM2","KeyUsage":"SIGN_VERIFY"}"#, "UnsupportedOperationException"),
        (r#"{"KeySpec":"ECC_NIST_P256"}"#, "ValidationException"),
        (r#"{"KeySpec":"ECC_SECG_P256K1","KeyUsage":"KEY_AGREEMENT"}"#, "ValidationException"),
        (r#"{"KeySpec":"ECC_NIST_P256","KeyUsage":"KEY_AGREEMENT"}"#, "ok"),
        (r#"{"CustomerMasterKeySpec":"HMAC_256"}"#, "ValidationException"),
        (r#"{"KeySpec":"SYMMETRIC_DEFAULT","CustomerMasterKeySpec":"SYMMETRIC_DEFAULT"}"#, "ValidationException"),
        (r#"{"KeySpec":"AES"}"#, "ValidationException"),
        (r#"{"KeyUsage":"SIGN_VERIFY"}"#, "ValidationException"),
        (r#"{"Origin":"EXTERNAL"}"#, "ok"),
        (r#"{"Origin":"AWS_CLOUDHSM"}"#, "ValidationException"),
        (r#"{"CustomKeyStoreId":"cks-1"}"#, "ValidationException"),
        (r#"{"CustomKeyStoreId":"cks-1","Origin":"AWS_CLOUDHSM"}"#, "CustomKeyStoreNotFoundException"),
        (r#"{"XksKeyId":"x"}"#, "ValidationException"),
        (r#"{"MultiRegion":true}"#, "ok"),
        (r#"{"Policy":"{}"}"#, "MalformedPolicyDocumentException"),
        (r#"{"BypassPolicyLockoutSafetyCheck":true}"#, "ok"),
        (r#"{"Tags":[{"TagKey":"aws:x","TagValue":""}]}"#, "TagException"),
        (r#"{"MultiRegion":false,"BypassPolicyLockoutSafetyCheck":false,"Origin":"AWS_KMS","Novelty":1}"#, "ok"),
    ] {
        let answer = match keys::parse::<CreateKeyRequest>(members.as_bytes()) {
            Ok(request) => code(f.keys.create_key(&f.me, request).await),
            Err(error) => error.code(),
        };
        assert_eq!(answer, expected, "{members}");
    }
    let body = json!({ "Description": "x".repeat(8_193) });
    assert_eq!(checked::<CreateKeyRequest>(&body), "ValidationException");
}

#[test]
fn json_of_another_shape_is_a_serialization_exception() {
    for body in ["", "[]", "7", r#"{"Description":7}"#, r#"{"Tags":"x"}"#, "{", r#"{"MultiRegion":"yes"}"#] {
        assert_eq!(code(keys::parse::<CreateKeyRequest>(body.as_bytes())), "SerializationException", "{body}");
    }
    assert!(keys::parse::<CreateKeyRequest>(br#"{"Description":null}"#).is_ok());
}

#[tokio::test]
async fn the_largest_description_and_tags_fit_a_record() {
    let f = Fixture::new().await;
    // Four bytes are the most that UTF-8 needs for what counts as one.
    let tag = |n: u32| Tag { tag_key: format!("{n:03}{}", "🔒".repeat(125)), tag_value: "🔒".repeat(256) };
    let request = CreateKeyRequest {
        description: Some("🔒".repeat(8_192)),
        tags: Some((0..50).map(tag).collect()),
        ..Default::default()
    };
    let created = f.keys.create_key(&f.me, request).await.unwrap().key_metadata;
    assert_eq!(f.describe(&created.key_id).await.unwrap().description, "🔒".repeat(8_192));
}

#[tokio::test]
async fn keys_are_listed_in_pages_and_each_once() {
    let f = Fixture::new().await;
    let mut made = Vec::new();
    for _ in 0..7 {
        made.push(f.key().await);
    }
    made.sort();
    let other = principal("444455556666");
    f.keys.create_key(&other, CreateKeyRequest::default()).await.unwrap();

    let (mut seen, mut marker) = (Vec::new(), None);
    loop {
        let request = ListKeysRequest { limit: Some(3), marker, ..Default::default() };
        let page = f.keys.list_keys(&f.me, request).await.unwrap();
        assert_eq!(page.truncated, page.next_marker.is_some());
        assert!(page.keys.len() <= 3);
        for key in page.keys {
            assert_eq!(key.key_arn, format!("arn:aws:kms:eu-west-1:111122223333:key/{}", key.key_id));
            seen.push(key.key_id);
        }
        marker = page.next_marker;
        if marker.is_none() {
            break;
        }
    }
    assert_eq!(seen, made);
}

#[tokio::test]
async fn a_page_is_within_its_limits() {
    let f = Fixture::new().await;
    f.key().await;
    let list = async |request: ListKeysRequest| code(f.keys.list_keys(&f.me, request).await);
    for limit in [0, -1, 1_001] {
        assert_eq!(checked::<ListKeysRequest>(&json!({ "Limit": limit })), "ValidationException");
    }
    for marker in ["not ours", "AAAA"] {
        let request = ListKeysRequest { marker: Some(marker.to_owned()), ..Default::default() };
        assert_eq!(list(request).await, "InvalidMarkerException", "{marker}");
    }
    let owners = |owner: &str| ListKeysRequest { resource_owners: Some(vec![owner.to_owned()]), ..Default::default() };
    assert_eq!(checked::<ListKeysRequest>(&json!({ "ResourceOwners": ["NOBODY"] })), "ValidationException");
    let shared = f.keys.list_keys(&f.me, owners("OTHER_ACCOUNTS_VIA_RAM")).await.unwrap();
    assert!(shared.keys.is_empty());
}

#[tokio::test]
async fn a_disabled_key_can_be_enabled_again() {
    let f = Fixture::new().await;
    let key = f.key().await;
    let blob = f.encrypt(&key, "x").await.unwrap();
    f.disable(&key).await.unwrap();
    assert_eq!(f.describe(&key).await.unwrap().key_state, "Disabled");
    assert_eq!(code(f.decrypt(&blob).await), "DisabledException");
    f.enable(&key).await.unwrap();
    assert_eq!(code(f.decrypt(&blob).await), "ok");
}

#[tokio::test]
async fn a_description_is_replaced() {
    let f = Fixture::new().await;
    let key = f.key().await;
    let update = async |description: &str| {
        let description = description.to_owned();
        let request = UpdateKeyDescriptionRequest { key_id: key.clone(), description };
        code(f.keys.update_key_description(&f.me, request).await)
    };
    assert_eq!(update("new").await, "ok");
    assert_eq!(f.describe(&key).await.unwrap().description, "new");
    assert_eq!(update("").await, "ok");
    assert_eq!(f.describe(&key).await.unwrap().description, "");
    assert_eq!(checked::<UpdateKeyDescriptionRequest>(&json!({ "KeyId": key })), "ValidationException");
}

#[tokio::test]
async fn concurrent_creations_all_count() {
    let f = Fixture::new().await;
    let gateways = [f.keys.clone(), f.gateway().await];
    let tasks: Vec<_> = (0..20)
        .map(|n| {
            let (keys, me) = (gateways[n % 2].clone(), f.me.clone());
            tokio::spawn(async move { keys.create_key(&me, CreateKeyRequest::default()).await.map(|_| ()) })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(f.keys.list_keys(&f.me, ListKeysRequest::default()).await.unwrap().keys.len(), 20);
}
