//! KMS through its JSON.

use crate::support::{Ask, OTHER_REGION, REGION, Server};
use gateway::kms::OPERATIONS;
use serde_json::{Value, json};

async fn key(server: &Server) -> String {
    let (status, answer) = server.kms("CreateKey", r#"{"Description":"a test"}"#).await;
    assert_eq!(status, 200, "{answer}");
    answer["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned()
}

async fn ask(server: &Server, operation: &str, body: Value) -> (u16, Value) {
    server.kms(operation, &body.to_string()).await
}

#[tokio::test]
async fn what_is_encrypted_decrypts_with_its_context_alone() {
    let server = Server::start().await;
    let key = key(&server).await;
    let context = json!({"tenant": "a", "purpose": "é"});
    let (status, sealed) =
        ask(&server, "Encrypt", json!({"KeyId": key, "Plaintext": "aGVsbG8=", "EncryptionContext": context})).await;
    assert_eq!(status, 200, "{sealed}");
    assert!(sealed["KeyId"].as_str().unwrap().starts_with("arn:aws:kms:us-east-1:111111111111:key/"));
    let blob = &sealed["CiphertextBlob"];

    let (status, opened) = ask(&server, "Decrypt", json!({"CiphertextBlob": blob, "EncryptionContext": context})).await;
    assert_eq!((status, opened["Plaintext"].as_str()), (200, Some("aGVsbG8=")));

    let (status, refused) = ask(&server, "Decrypt", json!({"CiphertextBlob": blob})).await;
    assert_eq!((status, refused["__type"].as_str()), (400, Some("InvalidCiphertextException")));
}

#[tokio::test]
async fn the_largest_plaintext_comes_back() {
    let server = Server::start().await;
    let key = key(&server).await;
    let plaintext = data_encoding::BASE64.encode(&[7; 4096]);
    let (_, sealed) = ask(&server, "Encrypt", json!({"KeyId": key, "Plaintext": plaintext})).await;
    let (_, opened) = ask(&server, "Decrypt", json!({"CiphertextBlob": sealed["CiphertextBlob"]})).await;
    assert_eq!(opened["Plaintext"], plaintext);
}

#[tokio::test]
async fn a_data_key_opens_again() {
    let server = Server::start().await;
    let key = key(&server).await;
    let (status, made) = ask(&server, "GenerateDataKey", json!({"KeyId": key, "KeySpec": "AES_256"})).await;
    assert_eq!(status, 200, "{made}");
    let (_, opened) = ask(&server, "Decrypt", json!({"CiphertextBlob": made["CiphertextBlob"]})).await;
    assert_eq!(opened["Plaintext"], made["Plaintext"]);
    let (status, _) = ask(&server, "GenerateRandom", json!({"NumberOfBytes": 1024})).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn an_operation_without_output_answers_without_a_body() {
    let server = Server::start().await;
    let key = key(&server).await;
    let answer = server.ask(&Ask::kms("DisableKey", &json!({"KeyId": key}).to_string())).await;
    assert_eq!((answer.status, answer.text()), (200, ""));
    let (status, refused) = ask(&server, "Encrypt", json!({"KeyId": key, "Plaintext": "aGVsbG8="})).await;
    assert_eq!((status, refused["__type"].as_str()), (400, Some("DisabledException")));
}

#[tokio::test]
async fn every_operation_of_the_model_answers_in_its_shape() {
    let server = Server::start().await;
    for operation in OPERATIONS {
        let answer = server.ask(&Ask::kms(operation.name, "{}")).await;
        assert_eq!(answer.header("content-type"), "application/x-amz-json-1.1", "{}", operation.name);
        assert!([200, 400].contains(&answer.status), "{}: {answer:?}", operation.name);
    }
}

#[tokio::test]
async fn what_is_no_operation_is_unknown() {
    let server = Server::start().await;
    for target in
        ["Encrypt", "TrentService.encrypt", "TrentService.", "DynamoDB_20120810.GetItem", "TrentService.Encrypt "]
    {
        let mut ask = Ask::kms("", "{}");
        ask.headers[0].1 = target.to_owned();
        let answer = server.ask(&ask).await;
        let expected = if target.ends_with(' ') { "ValidationException" } else { "UnknownOperationException" };
        assert_eq!((answer.status, answer.code().as_str()), (400, expected), "{target}");
    }
    let answer = server.ask(&Ask { method: "PUT", ..Ask::kms("ListKeys", "{}") }).await;
    assert_eq!(answer.code(), "UnknownOperationException");
}

#[tokio::test]
async fn what_is_not_the_requests_json_does_not_parse() {
    let server = Server::start().await;
    let deep = format!(r#"{{"KeyId":"a","Unknown":{}{}}}"#, "[".repeat(50_000), "]".repeat(50_000));
    for body in [
        "{",
        "[]",
        "null",
        "\"text\"",
        "{} {}",
        r#"{"KeyId":1}"#,
        r#"{"KeyId":"a","KeyId":"b"}"#,
        r#"{"KeyId":"a","Plaintext":"not base64!"}"#,
        r#"{"KeyId":"a","Plaintext":"aGVsbG8"}"#,
        "{\"KeyId\":\"\u{0}\"}",
        &deep[..deep.len() - 2],
    ] {
        let answer = server.ask(&Ask::kms("Encrypt", body)).await;
        let shown = &body[..body.len().min(60)];
        assert_eq!((answer.status, answer.code().as_str()), (400, "SerializationException"), "{shown}");
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_not_read() {
    let server = Server::start().await;
    let body = " ".repeat(gateway::DOCUMENT_LIMIT + 1);
    let answer = server.ask(&Ask::kms("ListKeys", &body)).await;
    assert_eq!((answer.status, answer.code().as_str()), (413, "RequestEntityTooLargeException"));
}

/// Asks KMS in a Region.
async fn ask_in(server: &Server, region: &str, operation: &str, body: Value) -> (u16, Value) {
    let answer = server.ask(&Ask { region, ..Ask::kms(operation, &body.to_string()) }).await;
    (answer.status, answer.json())
}

#[tokio::test]
async fn the_signature_says_which_region_s_keys_are_meant() {
    let server = Server::start().await;
    let (status, here) = ask_in(&server, REGION, "CreateKey", json!({"MultiRegion": true})).await;
    assert_eq!(status, 200, "{here}");
    let key = here["KeyMetadata"]["KeyId"].as_str().unwrap();
    let (status, missing) = ask_in(&server, OTHER_REGION, "DescribeKey", json!({"KeyId": key})).await;
    assert_eq!((status, missing["__type"].as_str()), (400, Some("NotFoundException")));

    let request = json!({"KeyId": key, "ReplicaRegion": OTHER_REGION});
    let (status, replicated) = ask_in(&server, REGION, "ReplicateKey", request).await;
    assert_eq!(status, 200, "{replicated}");
    let arn = format!("arn:aws:kms:{OTHER_REGION}:111111111111:key/{key}");
    assert_eq!(replicated["ReplicaKeyMetadata"]["Arn"], arn);
    let (_, sealed) = ask_in(&server, REGION, "Encrypt", json!({"KeyId": key, "Plaintext": "aGVsbG8="})).await;
    let (_, opened) =
        ask_in(&server, OTHER_REGION, "Decrypt", json!({"CiphertextBlob": sealed["CiphertextBlob"]})).await;
    assert_eq!((opened["Plaintext"].as_str(), opened["KeyId"].as_str()), (Some("aGVsbG8="), Some(arn.as_str())));

    let request = json!({"KeyId": key, "PrimaryRegion": OTHER_REGION});
    let answer = server.ask(&Ask::kms("UpdatePrimaryRegion", &request.to_string())).await;
    assert_eq!((answer.status, answer.text()), (200, ""));
}

#[tokio::test]
async fn a_region_that_is_not_served_is_refused_and_so_is_another_one_for_s3() {
    let server = Server::start().await;
    let request = Ask { region: "ap-south-1", ..Ask::kms("ListKeys", "{}") };
    let refused = server.ask(&request).await;
    assert_eq!((refused.status, refused.code().as_str()), (400, "InvalidSignatureException"));
    let request = Ask { region: OTHER_REGION, ..Ask::s3("GET", "/", b"") };
    let refused = server.ask(&request).await;
    assert_eq!((refused.status, refused.code().as_str()), (400, "AuthorizationHeaderMalformed"));
    assert!(refused.text().contains(&format!("<Region>{REGION}</Region>")), "{}", refused.text());
}

#[tokio::test]
async fn a_key_tells_which_request_used_it_last() {
    let server = Server::start().await;
    let key = key(&server).await;
    let (_, unused) = ask(&server, "GetKeyLastUsage", json!({"KeyId": key})).await;
    assert_eq!(unused["KeyLastUsage"], json!({}));
    let used = server.ask(&Ask::kms("Encrypt", &json!({"KeyId": key, "Plaintext": "aGVsbG8="}).to_string())).await;
    ask(&server, "DescribeKey", json!({"KeyId": key})).await;
    let (status, answer) = ask(&server, "GetKeyLastUsage", json!({"KeyId": key})).await;
    assert_eq!((status, &answer["KeyId"], &answer["KeyLastUsage"]["Operation"]), (200, &json!(key), &json!("Encrypt")));
    assert_eq!(answer["KeyLastUsage"]["KmsRequestId"], used.header("x-amzn-requestid"));
}
