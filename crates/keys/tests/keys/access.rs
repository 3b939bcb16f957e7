use keys::operation::encrypt::{DecryptRequest, EncryptRequest};
use keys::operation::lifecycle::{DescribeKeyRequest, DisableKeyRequest};

use crate::fixture::{Fixture, code, plain, principal};

#[tokio::test]
async fn another_accounts_key_cannot_be_reached_and_not_be_probed() {
    let f = Fixture::new().await;
    let key = f.key().await;
    f.alias("alias/mine", &key).await.unwrap();
    let other = principal("444455556666");
    let missing = "00000000-0000-4000-8000-000000000000";
    let arn = |resource: &str| format!("arn:aws:kms:eu-west-1:111122223333:{resource}");
    for (name, expected) in [
        (key.clone(), "NotFoundException"),
        ("alias/mine".to_owned(), "NotFoundException"),
        (arn(&format!("key/{key}")), "AccessDeniedException"),
        (arn(&format!("key/{missing}")), "AccessDeniedException"),
        (arn("alias/mine"), "AccessDeniedException"),
    ] {
        let request = DescribeKeyRequest { key_id: name.clone(), ..Default::default() };
        assert_eq!(code(f.keys.describe_key(&other, request).await), expected, "{name}");
        let request = EncryptRequest { key_id: name.clone(), plaintext: plain("x"), ..Default::default() };
        assert_eq!(code(f.keys.encrypt(&other, request).await), expected, "{name}");
    }
    let request = DisableKeyRequest { key_id: arn(&format!("key/{key}")) };
    assert_eq!(code(f.keys.disable_key(&other, request).await), "AccessDeniedException");
}

#[tokio::test]
async fn another_accounts_ciphertext_looks_like_one_of_no_key() {
    let f = Fixture::new().await;
    let key = f.key().await;
    let blob = f.encrypt(&key, "x").await.unwrap();
    let mut nobody = blob.clone();
    nobody.0[10] ^= 1;
    let other = principal("444455556666");
    let mut messages = Vec::new();
    for blob in [blob, nobody] {
        let request = DecryptRequest { ciphertext_blob: Some(blob), ..Default::default() };
        let Err(error) = f.keys.decrypt(&other, request).await else { panic!("opened") };
        messages.push((error.code(), error.message().to_owned()));
    }
    assert_eq!(messages[0], messages[1]);
    assert_eq!(messages[0].0, "AccessDeniedException");
}

#[tokio::test]
async fn a_grant_token_does_not_tell_whether_another_accounts_key_exists() {
    let f = Fixture::new().await;
    let key = f.key().await;
    f.alias("alias/mine", &key).await.unwrap();
    let blob = f.encrypt(&key, "x").await.unwrap();
    let mut nobody = blob.clone();
    nobody.0[10] ^= 1;
    let (other, tokens) = (principal("444455556666"), Some(vec!["AAAA".to_owned()]));
    let missing = "00000000-0000-4000-8000-000000000000";
    for name in [format!("key/{key}"), format!("key/{missing}"), "alias/mine".to_owned(), "alias/none".to_owned()] {
        let key_id = format!("arn:aws:kms:eu-west-1:111122223333:{name}");
        let request = DescribeKeyRequest { key_id, grant_tokens: tokens.clone() };
        assert_eq!(code(f.keys.describe_key(&other, request).await), "InvalidGrantTokenException", "{name}");
    }
    for blob in [blob, nobody] {
        let request =
            DecryptRequest { ciphertext_blob: Some(blob), grant_tokens: tokens.clone(), ..Default::default() };
        assert_eq!(code(f.keys.decrypt(&other, request).await), "InvalidGrantTokenException");
    }
}

#[tokio::test]
async fn a_key_has_four_names() {
    let f = Fixture::new().await;
    let key = f.key().await;
    f.alias("alias/mine", &key).await.unwrap();
    for name in [
        key.clone(),
        format!("arn:aws:kms:eu-west-1:111122223333:key/{key}"),
        "alias/mine".to_owned(),
        "arn:aws:kms:eu-west-1:111122223333:alias/mine".to_owned(),
    ] {
        assert_eq!(f.describe(&name).await.unwrap().key_id, key, "{name}");
        assert_eq!(f.keys.resolve(&f.me, &name).await.unwrap().key.to_string(), key, "{name}");
        assert_eq!(code(f.encrypt(&name, "x").await), "ok", "{name}");
    }
    let elsewhere = format!("arn:aws:kms:us-east-1:111122223333:key/{key}");
    let error = f.describe(&elsewhere).await.unwrap_err();
    assert_eq!((error.code(), error.message()), ("NotFoundException", "Invalid arn us-east-1"));
    // Management takes ids and ARNs alone.
    assert_eq!(code(f.disable("alias/mine").await), "InvalidArnException");
}
