//! Records against the service models, and what one costs.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::{Instant, SystemTime};

use keys::{AccountId, Region};
use policy::{Principal, PrincipalKind, Session};
use uuid::Uuid;

use super::event::{Recipient, Resource, TlsDetails, Told};
use super::kms;
use super::requested::requested;

fn session() -> Principal {
    let account = AccountId::parse("111122223333").unwrap();
    let mut principal =
        Principal::user(account, "arn:aws:sts::111122223333:assumed-role/reader/one", "", "AROAEXAMPLE:one");
    principal.access_key_id = "ASIAEXAMPLEEXAMPLE00".to_owned();
    principal.kind = PrincipalKind::AssumedRole {
        role_arn: "arn:aws:iam::111122223333:role/reader".to_owned(),
        role_id: "AROAEXAMPLE".to_owned(),
        role_name: "reader".to_owned(),
        session_name: "one".to_owned(),
    };
    principal.session = Some(Session {
        issued: SystemTime::UNIX_EPOCH,
        expires: SystemTime::now(),
        mfa: None,
        source_identity: Some("alice".to_owned()),
        federated_provider: None,
        transitive_tag_keys: Vec::new(),
        claims: Vec::new(),
    });
    principal
}

fn told<'a>(principal: &'a Principal, region: &'a Region) -> Told<'a> {
    Told {
        principal,
        web_identity: None,
        invoked_by: None,
        time: SystemTime::UNIX_EPOCH,
        source: kms::SOURCE,
        name: "Encrypt",
        region,
        address: "192.0.2.1",
        user_agent: Some("aws-cli/2.0"),
        error: None,
        parameters: b"",
        elements: b"",
        additional: b"",
        request_id: "b4a65126-30d5-4b28-98b9-9153da559963",
        read_only: true,
        resources: &[],
        names: &[],
        service_event: None,
        api_version: None,
        data: false,
        listener: None,
        tls: None,
        host: Some("localhost"),
    }
}

fn encrypt(principal: &Principal, region: &Region, event: Uuid) -> audit::Event {
    let body = br#"{"KeyId":"arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab","Plaintext":"c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0",
        "EncryptionContext":{"Department":"Engineering","Project":"Alpha"}}"#;
    let mut parameters = Vec::with_capacity(256);
    requested(model::kms::OPERATIONS, "Encrypt", body, &kms::RULES, &mut parameters);
    let arn = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab".to_owned();
    let resources = [Resource { account: Some(principal.account), kind: kms::KEY, arn, prefix: false }];
    let tls = TlsDetails { version: "TLSv1.3", cipher_suite: "TLS_AES_128_GCM_SHA256", key_exchange: None };
    let told = Told { parameters: &parameters, resources: &resources, tls: Some(&tls), ..told(principal, region) };
    told.event(Recipient { account: principal.account, event, shared: None })
}

#[test]
fn a_record_is_json_with_awss_fields() {
    let region = Region::parse("us-east-1").unwrap();
    let event = encrypt(&session(), &region, Uuid::nil());
    let record: serde_json::Value = serde_json::from_slice(&event.record).unwrap();
    assert_eq!(record["eventVersion"], "1.11");
    assert_eq!(record["userIdentity"]["sessionContext"]["sourceIdentity"], "alice");
    assert_eq!(record["userIdentity"]["sessionContext"]["attributes"]["mfaAuthenticated"], "false");
    assert_eq!(record["eventTime"], "1970-01-01T00:00:00Z");
    assert_eq!(record["requestParameters"]["encryptionContext"]["Project"], "Alpha");
    assert!(record["requestParameters"].get("plaintext").is_none());
    assert_eq!(record["responseElements"], serde_json::Value::Null);
    assert_eq!(event.searchable.user_name.as_deref(), Some("one"));
}

#[test]
fn what_is_too_large_is_recorded_without_what_was_sent() {
    let (principal, region) = (session(), Region::parse("us-east-1").unwrap());
    let large = |bytes: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(bytes)).into_bytes();
    let arn = |index: usize| format!("arn:aws:s3:::bucket/{index}/{}", "\n".repeat(1_000));
    let resource = |index| Resource { account: None, kind: "AWS::S3::Object", arn: arn(index), prefix: false };
    let resources: Vec<_> = (0..1_000).map(resource).collect();
    for (parameters, elements, resources) in
        [(large(300_000), large(10), &[][..]), (large(90_000), large(90_000), &[]), (large(1), large(1), &resources)]
    {
        let told = Told { parameters: &parameters, elements: &elements, resources, ..told(&principal, &region) };
        let event = told.event(Recipient { account: principal.account, event: Uuid::nil(), shared: None });
        assert!(event.record.len() <= audit::MAX_RECORD);
        let record: serde_json::Value = serde_json::from_slice(&event.record).unwrap();
        assert_eq!(record["eventName"], "Encrypt");
        assert_eq!(record["requestID"], "b4a65126-30d5-4b28-98b9-9153da559963");
        let omitted =
            |name: &str| record[name]["omitted"] == true && record[name]["originalSize"].as_u64() > Some(90_000);
        assert!(omitted("requestParameters") || omitted("responseElements"));
    }
}

#[test]
fn a_record_costs_microseconds() {
    const COUNT: u32 = 20_000;
    let (principal, region) = (session(), Region::parse("us-east-1").unwrap());
    let started = Instant::now();
    let bytes: usize = (0..COUNT).map(|_| encrypt(&principal, &region, Uuid::nil()).record.len()).sum();
    let each = started.elapsed() / COUNT;
    eprintln!("a record of {} bytes takes {each:?}", bytes / COUNT as usize);
    assert!(each.as_micros() < 100, "{each:?}: far beyond what it should take even without optimization");
}
