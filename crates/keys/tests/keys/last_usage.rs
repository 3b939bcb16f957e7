use keys::operation::encrypt::ReEncryptRequest;
use keys::operation::last_usage::{GetKeyLastUsageRequest, GetKeyLastUsageResponse};
use keys::operation::lifecycle::CreateKeyRequest;
use keys::operation::mac::{GenerateMacRequest, VerifyMacRequest};
use keys::{Blob, Error};
use meta::{Order, Range, Store, Table};

use crate::fixture::{DAY, Fixture, code, incoming, plain};

async fn usage(f: &Fixture, key: &str) -> Result<GetKeyLastUsageResponse, Error> {
    f.keys.get_key_last_usage(&f.me, GetKeyLastUsageRequest { key_id: key.to_owned() }).await
}

async fn last(f: &Fixture, key: &str) -> Option<&'static str> {
    usage(f, key).await.unwrap().key_last_usage.operation
}

const ID: [u8; 16] = [0x11; 16];
const ID_TEXT: &str = "11111111-1111-1111-1111-111111111111";

#[tokio::test]
async fn a_key_that_was_not_used_says_so() {
    let f = Fixture::new().await;
    f.pass(DAY);
    let key = f.key().await;
    let answer = serde_json::to_value(usage(&f, &key).await.unwrap()).unwrap();
    assert_eq!(answer["KeyLastUsage"], serde_json::json!({}));
    assert_eq!((&answer["KeyId"], &answer["TrackingStartDate"]), (&serde_json::json!(key), &answer["KeyCreationDate"]));
    f.alias("alias/a", &key).await.unwrap();
    assert_eq!(code(usage(&f, "alias/a").await), "InvalidArnException");
}

#[tokio::test]
async fn the_last_use_is_known_with_its_request_and_outlives_a_restart() {
    let mut f = Fixture::new().await;
    let key = f.key().await;
    let blob = f.encrypt(&key, "x").await.unwrap();
    assert_eq!(usage(&f, &key).await.unwrap().key_last_usage.kms_request_id, None, "no request");
    f.pass(DAY);
    let request = incoming(ID, true, [192, 0, 2, 1]);
    keys::in_request(request, f.decrypt(&blob)).await.0.unwrap();
    let used = f.time();
    f.pass(DAY);
    for round in 0..3 {
        let found = usage(&f, &key).await.unwrap().key_last_usage;
        assert_eq!((found.operation, found.timestamp), (Some("Decrypt"), Some(used.into())), "{round}");
        assert_eq!(found.kms_request_id.as_deref(), Some(ID_TEXT));
        match round {
            0 => f.keys.tick().await.unwrap(),
            _ => f.restart().await,
        }
    }
}

#[tokio::test]
async fn only_what_succeeds_counts() {
    let f = Fixture::new().await;
    let request = CreateKeyRequest {
        key_spec: Some("HMAC_256".to_owned()),
        key_usage: Some("GENERATE_VERIFY_MAC".to_owned()),
        ..Default::default()
    };
    let key = f.keys.create_key(&f.me, request).await.unwrap().key_metadata.key_id;
    let make = GenerateMacRequest {
        key_id: key.clone(),
        message: plain("m"),
        mac_algorithm: "HMAC_SHA_256".to_owned(),
        grant_tokens: None,
        dry_run: None,
    };
    let verify = VerifyMacRequest {
        key_id: key.clone(),
        message: plain("m"),
        mac: Blob(vec![1; 32]),
        mac_algorithm: "HMAC_SHA_256".to_owned(),
        grant_tokens: None,
        dry_run: None,
    };
    assert_eq!(code(f.keys.verify_mac(&f.me, verify.clone()).await), "KMSInvalidMacException");
    let dry = GenerateMacRequest { dry_run: Some(true), ..make.clone() };
    assert_eq!(code(f.keys.generate_mac(&f.me, dry).await), "DryRunOperationException");
    f.describe(&key).await.unwrap();
    assert_eq!(last(&f, &key).await, None);
    let mac = f.keys.generate_mac(&f.me, make).await.unwrap().mac;
    assert_eq!(last(&f, &key).await, Some("GenerateMac"));
    f.keys.verify_mac(&f.me, VerifyMacRequest { mac, ..verify }).await.unwrap();
    assert_eq!(last(&f, &key).await, Some("VerifyMac"));
}

#[tokio::test]
async fn re_encrypt_uses_both_keys() {
    let f = Fixture::new().await;
    let (one, two) = (f.key().await, f.key().await);
    let blob = f.encrypt(&one, "x").await.unwrap();
    let request =
        ReEncryptRequest { ciphertext_blob: Some(blob), destination_key_id: two.clone(), ..Default::default() };
    f.keys.re_encrypt(&f.me, request).await.unwrap();
    assert_eq!((last(&f, &one).await, last(&f, &two).await), (Some("ReEncrypt"), Some("ReEncrypt")));
}

#[tokio::test]
async fn an_object_s_data_key_is_a_use() {
    let f = Fixture::new().await;
    let key = f.key().await;
    let context = Default::default();
    let made = f.keys.data_key(&f.me, &key, &context).await.unwrap();
    assert_eq!(last(&f, &key).await, Some("GenerateDataKey"));
    f.keys.decrypt_data_key(&f.me, &made.key_arn, &made.blob, &context).await.unwrap();
    assert_eq!(last(&f, &key).await, Some("Decrypt"));
}

#[tokio::test]
async fn the_latest_of_several_gateways_stands() {
    let f = Fixture::new().await;
    let key = f.key().await;
    let other = Fixture { keys: f.gateway().await, ..f.same() };
    let blob = f.encrypt(&key, "x").await.unwrap();
    f.pass(DAY);
    other.decrypt(&blob).await.unwrap();
    other.keys.tick().await.unwrap();
    f.keys.tick().await.unwrap();
    assert_eq!(last(&f, &key).await, Some("Decrypt"));
    assert_eq!(last(&other, &key).await, Some("Decrypt"));
}

#[tokio::test]
async fn many_uses_cost_few_commits_and_nothing_outlives_a_key() {
    let f = Fixture::new().await;
    let mut all = vec![];
    for _ in 0..70 {
        all.push(f.key().await);
    }
    for _ in 0..3 {
        for key in &all {
            f.encrypt(key, "x").await.unwrap();
        }
    }
    let before = f.store.statistics().transactions;
    f.keys.flush().await.unwrap();
    assert_eq!(f.store.statistics().transactions - before, 2);
    f.keys.flush().await.unwrap();
    assert_eq!(f.store.statistics().transactions - before, 2);

    let gone = &all[0];
    f.schedule(gone, 7).await.unwrap();
    f.pass(7 * DAY);
    f.keys.tick().await.unwrap();
    assert_eq!(code(usage(&f, gone).await), "NotFoundException");
    let rows = f.store.scan(Table::Key, &Range::prefix([4]), Order::Ascending, 1_000).await.unwrap();
    // One for each key, and since when uses are noted.
    assert_eq!(rows.len(), all.len() - 1 + 1);
}
