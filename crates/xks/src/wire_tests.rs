#![allow(clippy::unwrap_used, reason = "a test may panic")]

use proptest::prelude::{any, prop, prop_assert_eq, proptest};
use serde_json::{Value, json};

use super::*;

const ASKER: Asker<'_> = Asker {
    principal: Some("arn:aws:iam::123456789012:user/Alice"),
    key_arn: Some("arn:aws:kms:us-east-2:123456789012:/key/1234abcd-12ab-34cd-56ef-1234567890ab"),
    operation: "Encrypt",
    request_id: "4112f4d6-db54-4af4-ae30-c55a22a8dfae",
    via_service: Some("ebs"),
};
const AAD: &[u8] = b"project=nile,department=marketing";

fn value(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap()
}

/// The example of the specification.
fn answer() -> Value {
    json!({
        "authenticationTag": "vBxN2ncH1oEkR8WVXpmyYQ==",
        "ciphertext": "ghxkK1txeDNn3q8Y",
        "ciphertextDataIntegrityValue": "qHA/ImC9h5HsLRXqCyPmWgYx7tzyoTplzILbP0fPXsc=",
        "ciphertextMetadata": "a2V5X3ZlcnNpb249MQ==",
        "initializationVector": "HMrlRw85cAJUd5Ax"
    })
}

/// The example with `member` changed to `to`, or taken away.
fn changed(from: &Value, member: &str, to: Option<Value>) -> Vec<u8> {
    let mut answer = from.clone();
    match to {
        Some(to) => answer[member] = to,
        None => drop(answer.as_object_mut().unwrap().remove(member)),
    }
    answer.to_string().into_bytes()
}

#[test]
fn the_encrypt_request_of_the_specification() {
    assert_eq!(
        value(&encrypt(ASKER, AAD, b"Hello World!")),
        json!({
            "requestMetadata": {
                "awsPrincipalArn": "arn:aws:iam::123456789012:user/Alice",
                "kmsKeyArn": "arn:aws:kms:us-east-2:123456789012:/key/1234abcd-12ab-34cd-56ef-1234567890ab",
                "kmsOperation": "Encrypt",
                "kmsRequestId": "4112f4d6-db54-4af4-ae30-c55a22a8dfae",
                "kmsViaService": "ebs"
            },
            "additionalAuthenticatedData": "cHJvamVjdD1uaWxlLGRlcGFydG1lbnQ9bWFya2V0aW5n",
            "plaintext": "SGVsbG8gV29ybGQh",
            "encryptionAlgorithm": "AES_GCM",
            "ciphertextDataIntegrityValueAlgorithm": "SHA_256"
        })
    );
}

#[test]
fn the_encrypt_answer_of_the_specification_and_the_decrypt_request_for_it() {
    let sealed = encrypted(answer().to_string().as_bytes(), AAD, 12).unwrap();
    assert_eq!(sealed.metadata.as_deref(), Some(b"key_version=1".as_slice()));
    assert_eq!(
        value(&decrypt(Asker { operation: "Decrypt", via_service: None, ..ASKER }, AAD, &sealed)),
        json!({
            "requestMetadata": {
                "awsPrincipalArn": "arn:aws:iam::123456789012:user/Alice",
                "kmsKeyArn": "arn:aws:kms:us-east-2:123456789012:/key/1234abcd-12ab-34cd-56ef-1234567890ab",
                "kmsOperation": "Decrypt",
                "kmsRequestId": "4112f4d6-db54-4af4-ae30-c55a22a8dfae"
            },
            "additionalAuthenticatedData": "cHJvamVjdD1uaWxlLGRlcGFydG1lbnQ9bWFya2V0aW5n",
            "encryptionAlgorithm": "AES_GCM",
            "ciphertext": "ghxkK1txeDNn3q8Y",
            "ciphertextMetadata": "a2V5X3ZlcnNpb249MQ==",
            "initializationVector": "HMrlRw85cAJUd5Ax",
            "authenticationTag": "vBxN2ncH1oEkR8WVXpmyYQ=="
        })
    );
}

#[test]
fn empty_additional_data_is_not_sent() {
    assert!(value(&encrypt(ASKER, b"", b"x")).get("additionalAuthenticatedData").is_none());
}

#[test]
fn the_longest_request_is_written_in_one_buffer() {
    let arn = "a".repeat(2048);
    let asker = Asker { principal: Some(&arn), key_arn: Some(&arn), via_service: Some(&arn), ..ASKER };
    assert_eq!(encrypt(asker, &[0; crate::MAX_AAD], &[0; crate::MAX_PLAINTEXT]).capacity(), BODY_ROOM);
}

#[test]
fn every_deviation_of_an_encrypt_answer_is_malformed() {
    let long = BASE64.encode(&[0; 21]);
    for (member, to) in [
        ("ciphertext", None),
        ("initializationVector", None),
        ("authenticationTag", None),
        // It was asked for, so it must be there.
        ("ciphertextDataIntegrityValue", None),
        ("ciphertextMetadata", None),
        ("ciphertext", Some(json!("ghxkK1txeDNn3q8"))),
        ("ciphertext", Some(json!("ghxkK1txeDNn3q8YAA=="))),
        ("ciphertext", Some(json!("AAAAAAAAAAAAAAAA"))),
        ("ciphertext", Some(json!(7))),
        ("ciphertext", Some(json!(null))),
        ("ciphertextMetadata", Some(json!(long))),
        ("ciphertextMetadata", Some(json!("a2V5X3ZlcnNpb249MR=="))),
        ("initializationVector", Some(json!("HMrlRw85cAJUd5AxAA=="))),
        ("authenticationTag", Some(json!("vBxN2ncH1oEkR8WVXpmy"))),
        ("ciphertextDataIntegrityValue", Some(json!("AAAA"))),
    ] {
        let error = encrypted(&changed(&answer(), member, to.clone()), AAD, 12).unwrap_err();
        assert_eq!(error.fault(), Fault::Malformed, "{member} {to:?}");
    }
    for body in ["", "null", "[]", "{", "{}}", "\"text\"", "<html>"] {
        assert_eq!(encrypted(body.as_bytes(), AAD, 12).unwrap_err().fault(), Fault::Malformed, "{body}");
    }
    assert!(encrypted(answer().to_string().as_bytes(), b"other", 12).is_err(), "the value covers the additional data");
    assert!(encrypted(&changed(&answer(), "later", Some(json!({}))), AAD, 12).is_ok(), "a later version may say more");
}

#[test]
fn a_plaintext_is_as_long_as_its_ciphertext_and_never_in_an_error() {
    assert_eq!(decrypted(br#"{"plaintext":"SGVsbG8gV29ybGQh"}"#, 12).unwrap().as_slice(), b"Hello World!");
    // Some writers of JSON escape slashes.
    assert_eq!(decrypted(br#"{"plaintext":"\/\/\/\/"}"#, 3).unwrap().as_slice(), b"\xff\xff\xff");
    for body in
        [r#"{"plaintext":"SGVsbG8gV29ybGQh"}"#, r#"{"plaintext":["SGVsbG8gV29ybGQh"]}"#, r#"["SGVsbG8gV29ybGQh"]"#]
    {
        let error = decrypted(body.as_bytes(), 11).unwrap_err();
        assert_eq!(error.fault(), Fault::Malformed);
        assert!(!format!("{error} {error:?}").contains("SGVs"), "{error}");
    }
}

#[test]
fn a_key_is_fit_if_it_is_enabled_aes_256_for_both_directions() {
    let good = json!({"keySpec": "AES_256", "keyUsage": ["ENCRYPT", "DECRYPT", "WRAP"], "keyStatus": "ENABLED"});
    assert!(metadata(good.to_string().as_bytes()).unwrap().is_fit());
    for (member, to) in [
        ("keySpec", json!("RSA_2048")),
        ("keyUsage", json!(["ENCRYPT"])),
        ("keyUsage", json!(["DECRYPT"])),
        ("keyUsage", json!([])),
        ("keyStatus", json!("DISABLED")),
    ] {
        assert!(!metadata(&changed(&good, member, Some(to.clone()))).unwrap().is_fit(), "{member} {to}");
    }
    for (member, to) in [
        ("keySpec", None),
        ("keyUsage", None),
        ("keyStatus", None),
        ("keyStatus", Some(json!("enabled"))),
        ("keyUsage", Some(json!("ENCRYPT"))),
        ("keyUsage", Some(json!(vec!["ENCRYPT"; 11]))),
    ] {
        assert_eq!(metadata(&changed(&good, member, to)).unwrap_err().fault(), Fault::Malformed, "{member}");
    }
}

#[test]
fn health_is_health_while_one_key_manager_serves() {
    let entry = |status: &str| json!({"id": "hsm-id-1", "model": "Luna 5.0", "healthStatus": status});
    let good = json!({
        "xksProxyFleetSize": 2, "xksProxyVendor": "Acme Corp", "xksProxyModel": "Acme XKS Proxy 1.0", "ekmVendor": "Thales Group",
        "ekmFleetDetails": [entry("UNAVAILABLE"), entry("DEGRADED")]
    });
    let report = health(good.to_string().as_bytes()).unwrap();
    assert_eq!((report.fleet_size, report.managers[1].status), (2, ManagerStatus::Degraded));

    let nobody = changed(&good, "ekmFleetDetails", Some(json!([entry("UNAVAILABLE"), entry("UNAVAILABLE")])));
    assert_eq!(health(&nobody).unwrap_err().fault(), Fault::ManagersUnavailable);
    for (member, to) in [
        ("xksProxyFleetSize", Some(json!(0))),
        ("xksProxyFleetSize", Some(json!(-1))),
        ("xksProxyFleetSize", Some(json!("2"))),
        ("xksProxyVendor", None),
        ("xksProxyModel", None),
        ("ekmVendor", None),
        ("ekmFleetDetails", Some(json!([]))),
        ("ekmFleetDetails", Some(json!(vec![entry("ACTIVE"); 11]))),
        ("ekmFleetDetails", Some(json!([entry("WELL")]))),
    ] {
        assert_eq!(health(&changed(&good, member, to)).unwrap_err().fault(), Fault::Malformed, "{member}");
    }
}

#[test]
fn refusals_are_known_by_name_and_nothing_else_is_one() {
    let error = refusal(400, br#"{"errorName": "InvalidCiphertextException", "errorMessage": "No."}"#);
    assert_eq!((error.fault(), error.detail()), (Fault::InvalidCiphertext, "status 400: No."));
    assert_eq!(refusal(404, br#"{"errorName": "KeyNotFoundException"}"#).fault(), Fault::KeyNotFound);
    let injected = refusal(500, b"{\"errorName\": \"InternalException\", \"errorMessage\": \"a\\nERROR b\"}");
    assert_eq!((injected.fault(), injected.detail()), (Fault::Internal, "status 500"));
    for (status, body) in [
        (500, ""),
        (502, "<html>Bad Gateway</html>"),
        (400, r#"{"errorName": "OtherException"}"#),
        (400, r#"{"errorMessage": "No."}"#),
        (400, r#"{"errorName": 7}"#),
        (204, ""),
        (302, r#"{"errorName": "InternalException"}"#),
    ] {
        assert_eq!(refusal(status, body.as_bytes()).fault(), Fault::Malformed, "{status} {body}");
    }
}

proptest! {
    /// The examples with some bytes changed, cut off or put in: read as what they are, or refused, and never a panic.
    #[test]
    fn spoiled_answers_are_read_or_refused(at in any::<prop::sample::Index>(), cut in 0..4_usize, put in any::<[u8; 3]>(), length in 0..20_usize) {
        for good in [answer(), json!({"plaintext": "SGVsbG8gV29ybGQh"}), json!({"errorName": "InternalException"})] {
            let mut body = good.to_string().into_bytes();
            let from = at.index(body.len());
            body.splice(from..body.len().min(from + cut), put[..cut.min(3)].iter().copied());
            if let Ok(sealed) = encrypted(&body, AAD, length) {
                prop_assert_eq!(sealed.ciphertext.len(), length);
            }
            if let Ok(plaintext) = decrypted(&body, length) {
                prop_assert_eq!(plaintext.len(), length);
            }
            let _ = (metadata(&body), health(&body), refusal(400, &body));
        }
    }
}
