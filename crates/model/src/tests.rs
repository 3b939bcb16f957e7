#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::*;
use crate::shape::Kind;

fn error(shape: &'static Shape, body: &str) -> (&'static str, String) {
    match check(shape, body.as_bytes()).unwrap_err() {
        Error::Serialization(message) => ("serialization", message),
        Error::Validation(message) => ("validation", message),
    }
}

fn wrong(shape: &'static Shape, body: &str) -> String {
    let (code, message) = error(shape, body);
    assert_eq!(code, "serialization", "{body}: {message}");
    message
}

fn broken(shape: &'static Shape, body: &str) -> String {
    let (code, message) = error(shape, body);
    assert_eq!(code, "validation", "{body}: {message}");
    message
}

const TOO_LONG: &str = "failed to satisfy constraint: Member must have length less than or equal to";
const NULL: &str = "failed to satisfy constraint: Member must not be null";

#[test]
fn good_requests_pass() {
    for (shape, body) in [
        (
            &kms::EncryptRequest,
            r#"{"KeyId":"alias/a","Plaintext":"aGVsbG8=","EncryptionContext":{"a":"b"},"DryRun":false}"#,
        ),
        (&kms::EncryptRequest, r#"{"KeyId":"alias\/a","Plaintext":"\/\u002b8=","GrantTokens":["a"],"DryRun":null}"#),
        (
            &kms::ListKeysRequest,
            r#"{"Limit":1000,"Marker":"","Unknown":{"a":[1,{}]}}"#.replace("\"Marker\":\"\",", "").leak(),
        ),
        (&kms::CreateKeyRequest, r#"{"Tags":[{"TagKey":"a","TagValue":""}],"KeySpec":"ML_KEM_768"}"#),
        (&kms::ListKeysRequest, "{}"),
        (
            &kms::ImportKeyMaterialRequest,
            r#"{"KeyId":"a","ImportToken":"AA==","EncryptedKeyMaterial":"AA==","ValidTo":1.5e9}"#,
        ),
    ] {
        assert!(check(shape, body.as_bytes()).is_ok(), "{body}");
    }
}

#[test]
fn what_is_missing_is_null_and_a_secret_is_not_even_that() {
    let body = r#"{"KeyId":null}"#;
    assert_eq!(
        broken(&kms::EncryptRequest, body),
        format!("2 validation errors detected: Value null at 'keyId' {NULL}; Value at 'plaintext' {NULL}")
    );
    assert_eq!(
        broken(&kms::CreateAliasRequest, r#"{"AliasName":"alias/x"}"#),
        format!("1 validation error detected: Value null at 'targetKeyId' {NULL}")
    );
}

#[test]
fn blobs_and_secrets_are_not_shown() {
    let plaintext = data_encoding::BASE64.encode(&[0; 4_097]);
    let message = broken(&kms::EncryptRequest, &format!(r#"{{"KeyId":"a","Plaintext":"{plaintext}"}}"#));
    assert_eq!(message, format!("1 validation error detected: Value at 'plaintext' {TOO_LONG} 4096"));
    let message =
        broken(&kms::CreateCustomKeyStoreRequest, r#"{"CustomKeyStoreName":"a","KeyStorePassword":"hunter"}"#);
    assert!(!message.contains("hunter"), "{message}");
    let token = "t".repeat(8_193);
    let message = broken(&kms::RetireGrantRequest, &format!(r#"{{"GrantToken":"{token}"}}"#));
    assert_eq!(message, format!("1 validation error detected: Value at 'grantToken' {TOO_LONG} 8192"));
    let message =
        broken(&kms::EncryptRequest, &format!(r#"{{"KeyId":"a","Plaintext":"AA==","GrantTokens":["{token}"]}}"#));
    let constraint = "Member must satisfy constraint: [Member must have length less than or equal to 8192, \
                      Member must have length greater than or equal to 1]";
    assert_eq!(
        message,
        format!("1 validation error detected: Value at 'grantTokens' failed to satisfy constraint: {constraint}")
    );
}

#[test]
fn broken_constraints_are_told_in_the_models_order() {
    // Measured against KMS.
    assert_eq!(
        broken(&kms::GetPublicKeyRequest, r#"{"KeyId":""}"#),
        "2 validation errors detected: Value '' at 'keyId' failed to satisfy constraint: Member must have length greater than or \
         equal to 1; Value '' at 'keyId' failed to satisfy constraint: Member must satisfy regular expression pattern: ^\\p{ASCII}+$"
    );
    let body = r#"{"DryRun":true,"EncryptionAlgorithm":"FOO","Plaintext":"","KeyId":"キー"}"#;
    assert_eq!(
        broken(&kms::EncryptRequest, body),
        "3 validation errors detected: Value 'キー' at 'keyId' failed to satisfy constraint: Member must satisfy regular expression \
         pattern: ^\\p{ASCII}+$; Value at 'plaintext' failed to satisfy constraint: Member must have length greater than or equal to \
         1; Value 'FOO' at 'encryptionAlgorithm' failed to satisfy constraint: Member must satisfy enum value set: \
         [RSAES_OAEP_SHA_1, RSAES_OAEP_SHA_256, SM2PKE, SYMMETRIC_DEFAULT]"
    );
}

#[test]
fn numbers_have_ranges() {
    let constraint = "at 'limit' failed to satisfy constraint: Member must have value";
    for (value, text) in [
        ("0", "greater than or equal to 1"),
        ("-5", "greater than or equal to 1"),
        ("1001", "less than or equal to 1000"),
        ("99999999999999999999", "less than or equal to 1000"),
        ("-99999999999999999999", "greater than or equal to 1"),
    ] {
        assert_eq!(
            broken(&kms::ListKeysRequest, &format!(r#"{{"Limit":{value}}}"#)),
            format!("1 validation error detected: Value '{value}' {constraint} {text}")
        );
    }
}

#[test]
fn lists_of_names_are_one_value_and_lists_of_structures_many() {
    let message = broken(&kms::ListKeysRequest, r#"{"ResourceOwners":["SELF","me","you"]}"#);
    assert_eq!(
        message,
        format!(
            "2 validation errors detected: Value '[SELF, me, you]' at 'resourceOwners' {TOO_LONG} 2; Value '[SELF, me, you]' at \
             'resourceOwners' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: \
             [SELF, OTHER_ACCOUNTS_VIA_RAM]]"
        )
    );
    let body = r#"{"Tags":[{"TagKey":"a","TagValue":"b"},{"TagValue":"b"}],"KeyId":"a"}"#;
    assert_eq!(
        broken(&kms::TagResourceRequest, body),
        format!("1 validation error detected: Value null at 'tags.2.member.tagKey' {NULL}")
    );
    let body = r#"{"KeyId":"a","Operations":["Encrypt"],"Constraints":{"SourceArn":"arn"}}"#;
    assert!(broken(&kms::CreateGrantRequest, body).contains("Value 'arn' at 'constraints.sourceArn' failed"));
}

#[test]
fn ten_failures_are_told_at_most() {
    let body = format!(r#"{{"KeyId":"a","Tags":[{}]}}"#, ["{}"; 1_000].join(","));
    assert!(broken(&kms::TagResourceRequest, &body).starts_with("10 validation errors detected: "));
}

#[test]
fn wrong_types_are_named_as_aws_names_them() {
    let list = "Start of list found where not expected";
    let structure = "Start of structure or map found where not expected.";
    for (member, value, text) in [
        ("KeyId", "1", "NUMBER_VALUE can not be converted to a String"),
        ("KeyId", "1.5", "NUMBER_VALUE can not be converted to a String"),
        ("KeyId", "true", "TRUE_VALUE can not be converted to a String"),
        ("KeyId", "false", "FALSE_VALUE can not be converted to a String"),
        ("KeyId", "[]", list),
        ("KeyId", "{}", structure),
        ("KeySpec", "1", "NUMBER_VALUE can not be converted to a String"),
        ("NumberOfBytes", "\"1\"", "STRING_VALUE can not be converted to an Integer"),
        ("NumberOfBytes", "true", "TRUE_VALUE can not be converted to an Integer"),
        ("NumberOfBytes", "[1]", list),
        ("EncryptionContext", "\"a\"", "Expected map or null"),
        ("EncryptionContext", "[]", list),
        ("EncryptionContext", r#"{"a":1}"#, "NUMBER_VALUE can not be converted to a String"),
        ("GrantTokens", "\"a\"", "Expected list or null"),
        ("GrantTokens", "{}", structure),
        ("GrantTokens", "[1]", "NUMBER_VALUE can not be converted to a String"),
        ("Recipient", "\"a\"", "Expected null"),
        ("Recipient", "[]", list),
        ("DryRun", "\"true\"", "STRING_VALUE can not be converted to an Boolean"),
        ("DryRun", "1", "NUMBER_VALUE can not be converted to a Boolean"),
    ] {
        assert_eq!(
            wrong(&kms::GenerateDataKeyRequest, &format!(r#"{{"{member}":{value}}}"#)),
            text,
            "{member} {value}"
        );
    }
    let blob = |value| wrong(&kms::EncryptRequest, &format!(r#"{{"Plaintext":{value}}}"#));
    assert_eq!(blob("7"), "NUMBER_VALUE can not be converted to a Blob");
    assert_eq!(blob("\"c2VjcmV0!\""), "STRING_VALUE can not be converted to a Blob");
    let time = wrong(&kms::ImportKeyMaterialRequest, r#"{"ValidTo":"2030-01-01T00:00:00Z"}"#);
    assert_eq!(time, "STRING_VALUE can not be converted to milliseconds since epoch");
}

#[test]
fn what_is_not_json_has_no_text() {
    for body in
        ["", "{", "null", "\"x\"", "1", r#"{"KeyId":"a",}"#, "{} {}", r#"{"KeyId":"\ud800"}"#, r#"{"KeyId":01}"#]
    {
        assert_eq!(wrong(&kms::DescribeKeyRequest, body), "", "{body}");
    }
    assert_eq!(check(&kms::DescribeKeyRequest, b"{\"KeyId\":\"\xff\"}"), Err(Error::Serialization(String::new())));
    assert_eq!(wrong(&kms::DescribeKeyRequest, "[]"), "Start of list found where not expected");
    let deep = format!(r#"{{"Unknown":{}}}"#, "[".repeat(100_000));
    assert_eq!(wrong(&kms::DescribeKeyRequest, &deep), "");
}

#[test]
fn two_parsers_never_see_two_requests() {
    assert_eq!(wrong(&kms::DescribeKeyRequest, r#"{"KeyId":"a","KeyId":"b"}"#), "Duplicate field 'KeyId'");
    assert_eq!(wrong(&kms::DescribeKeyRequest, r#"{"KeyId":null,"Key\u0049d":"b"}"#), "Duplicate field 'KeyId'");
    for body in [r#"{"GrantTokens":[null]}"#, r#"{"EncryptionContext":{"a":null}}"#] {
        assert_eq!(wrong(&kms::DecryptRequest, body), "", "{body}");
    }
}

#[test]
fn maps_have_constraints_too() {
    let body = r#"{"QueryAlias":"a","QueryParameterValues":{"x":"1"}}"#;
    let request = &cloudtrail::StartDashboardRefreshRequest;
    let body = body.replace("QueryAlias", "DashboardId");
    assert!(broken(request, &body).contains("failed to satisfy constraint: Map keys must satisfy constraint: ["));
}

#[test]
fn iam_tells_of_names_and_paths_in_words_of_its_own() {
    // Both as users of AWS have met them.
    assert_eq!(
        broken(&iam::CreateUserRequest, r#"{"UserName":"arn:aws:iam::720999999906:user/test"}"#),
        "The specified value for userName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"
    );
    assert_eq!(
        broken(&iam::CreateUserRequest, r#"{"UserName":"a","Path":"test/"}"#),
        "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / \
         characters."
    );
    let long = "x".repeat(65);
    assert_eq!(
        broken(
            &iam::CreateRoleRequest,
            &format!(r#"{{"RoleName":"{long}","AssumeRolePolicyDocument":"a","Path":"x"}}"#)
        ),
        format!("1 validation error detected: Value '{long}' at 'roleName' {TOO_LONG} 64")
    );
    assert_eq!(
        broken(&iam::TagUserRequest, r#"{"UserName":"a","Tags":[{"Key":"a","Value":"D&T"}]}"#),
        "1 validation error detected: Value 'D&T' at 'tags.1.member.value' failed to satisfy constraint: Member must satisfy regular \
         expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*"
    );
    assert!(
        check(&iam::TagUserRequest, r#"{"UserName":"a","Tags":[{"Key":"größe 日本","Value":"½\u00a0-"}]}"#.as_bytes())
            .is_ok()
    );
    assert_eq!(
        broken(&sts::AssumeRoleRequest, r#"{"RoleArn":"arn:aws:iam::1:role/role","RoleSessionName":"a:b"}"#),
        "1 validation error detected: Value 'a:b' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular \
         expression pattern: [\\w+=,.@-]*"
    );
}

#[test]
fn every_pattern_of_the_table_compiles() {
    fn visit(shape: &'static Shape) {
        match &shape.kind {
            Kind::Structure(members) => members.iter().for_each(|member| visit(member.shape)),
            Kind::List { of, .. } => visit(of),
            Kind::Map { key, value, .. } => [key, value].into_iter().for_each(|shape| visit(shape)),
            Kind::Text { pattern: Some(pattern), .. } => {
                // Two of CloudTrail take any character.
                assert_eq!(pattern.matches("\u{1F512}"), [".*", ".+", "(?s).*"].contains(&pattern.text));
            }
            _ => {}
        }
    }
    for operations in [kms::OPERATIONS, iam::OPERATIONS, sts::OPERATIONS, cloudtrail::OPERATIONS] {
        assert!(operations.is_sorted_by(|a, b| a.name < b.name));
        operations.iter().for_each(|operation| visit(operation.request));
    }
}

/// `cargo test --release -p strongroom-model -- --ignored --nocapture the_cost_of_a_check`
#[test]
#[ignore = "a measurement"]
#[allow(clippy::print_stdout, reason = "a measurement")]
fn the_cost_of_a_check() {
    let key = "arn:aws:kms:us-east-1:000011112222:key/1234abcd-12ab-44cd-96ef-1234567890ab";
    let context = r#""EncryptionContext":{"aws:s3:arn":"arn:aws:s3:::bucket/some/object","tenant":"4711"}"#;
    let blob = |len: usize| data_encoding::BASE64.encode(&vec![0x5a; len]);
    for (name, shape, body) in [
        ("Encrypt 32 B", &kms::EncryptRequest, format!(r#"{{"KeyId":"{key}","Plaintext":"{}",{context}}}"#, blob(32))),
        (
            "Encrypt 4 KiB",
            &kms::EncryptRequest,
            format!(r#"{{"KeyId":"{key}","Plaintext":"{}",{context}}}"#, blob(4_096)),
        ),
        ("Decrypt 200 B", &kms::DecryptRequest, format!(r#"{{"CiphertextBlob":"{}",{context}}}"#, blob(200))),
        (
            "GenerateDataKey",
            &kms::GenerateDataKeyRequest,
            format!(r#"{{"KeyId":"{key}","KeySpec":"AES_256",{context}}}"#),
        ),
    ] {
        let rounds = 200_000_u32;
        let start = std::time::Instant::now();
        for _ in 0..rounds {
            assert!(check(std::hint::black_box(shape), std::hint::black_box(body.as_bytes())).is_ok());
        }
        println!("{name}: {} B, {:?} a check", body.len(), start.elapsed() / rounds);
    }
}
