//! Whoever is not let in is told so in AWS's code and in the shape of the service that was asked.

use std::time::Duration;

use crate::support::{ALICE, Ask, BOB, HOST, Server};

async fn kms_code(change: impl FnOnce(&mut Ask<'_>)) -> (u16, String) {
    let mut ask = Ask::kms("ListKeys", "{}");
    change(&mut ask);
    let answer = Server::start().await.ask(&ask).await;
    assert_eq!(answer.header("content-type"), "application/x-amz-json-1.1");
    assert_eq!(answer.header("x-amzn-requestid").len(), 36);
    (answer.status, answer.code())
}

async fn s3_code(change: impl FnOnce(&mut Ask<'_>)) -> (u16, String) {
    let mut ask = Ask::s3("GET", "/", b"");
    change(&mut ask);
    let answer = Server::start().await.ask(&ask).await;
    assert_eq!(answer.header("content-type"), "application/xml");
    assert_eq!(answer.header("x-amz-request-id").len(), 16);
    assert!(answer.text().contains(answer.header("x-amz-request-id")), "the document names the request");
    assert!(!answer.header("x-amz-id-2").is_empty());
    (answer.status, answer.code())
}

fn is(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test]
async fn an_unknown_access_key() {
    let change = |ask: &mut Ask<'_>| ask.access_key = "AKIANOBODY";
    assert_eq!(kms_code(change).await, is(400, "UnrecognizedClientException"));
    assert_eq!(s3_code(change).await, is(403, "InvalidAccessKeyId"));
}

/// Nothing of the body is waited for, let alone kept, though the signature of KMS covers it.
#[tokio::test]
async fn an_unknown_access_key_is_told_so_by_its_head() {
    let server = Server::start().await;
    let body = "x".repeat(200_000);
    let ask = Ask { access_key: "AKIANOBODY", ..Ask::kms("ListKeys", &body) };
    let mut wire = server.connect();
    wire.send(ask.head().as_bytes()).await;
    let answer = tokio::time::timeout(Duration::from_secs(10), wire.answer()).await.unwrap();
    assert_eq!((answer.status, answer.code().as_str()), (400, "UnrecognizedClientException"));
}

#[tokio::test]
async fn a_wrong_secret() {
    let change = |ask: &mut Ask<'_>| ask.secret = b"guess";
    assert_eq!(kms_code(change).await, is(400, "InvalidSignatureException"));
    assert_eq!(s3_code(change).await, is(403, "SignatureDoesNotMatch"));
}

#[tokio::test]
async fn a_clock_that_is_off() {
    let change = |ask: &mut Ask<'_>| ask.time -= Duration::from_secs(16 * 60);
    assert_eq!(kms_code(change).await, is(400, "InvalidSignatureException"));
    assert_eq!(s3_code(change).await, is(403, "RequestTimeTooSkewed"));

    let mut ask = Ask::kms("ListKeys", "{}");
    change(&mut ask);
    let answer = Server::start().await.ask(&ask).await;
    assert!(answer.json()["message"].as_str().unwrap().starts_with("Signature expired: "));
}

#[tokio::test]
async fn another_region() {
    let change = |ask: &mut Ask<'_>| ask.region = "eu-west-1";
    assert_eq!(kms_code(change).await, is(400, "InvalidSignatureException"));
    assert_eq!(s3_code(change).await, is(400, "AuthorizationHeaderMalformed"));
}

#[tokio::test]
async fn no_signature() {
    let server = Server::start().await;
    let anonymous = |head: &str| format!("{head}Host: {HOST}\r\nContent-Length: 2\r\n\r\n{{}}");

    let mut wire = server.connect();
    wire.send(anonymous("POST / HTTP/1.1\r\nX-Amz-Target: TrentService.ListKeys\r\n").as_bytes()).await;
    let answer = wire.answer().await;
    assert_eq!((answer.status, answer.code().as_str()), (400, "MissingAuthenticationTokenException"));

    // Strangers reach S3, where no policy lets them in.
    assert_eq!(server.ask(&Ask::s3("PUT", "/bucket", b"")).await.status, 200);
    for target in ["GET /bucket/key", "PUT /bucket/key", "DELETE /bucket", "PUT /other", "GET /"] {
        wire.send(anonymous(&format!("{target} HTTP/1.1\r\n")).as_bytes()).await;
        let answer = wire.answer().await;
        assert_eq!((answer.status, answer.code().as_str()), (403, "AccessDenied"), "{target}");
    }

    let form = "POST / HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded; charset=utf-8\r\n";
    wire.send(anonymous(form).as_bytes()).await;
    let answer = wire.answer().await;
    assert_eq!((answer.status, answer.code().as_str()), (403, "MissingAuthenticationToken"));
}

#[tokio::test]
async fn half_a_signature() {
    let server = Server::start().await;
    let mut wire = server.connect();
    let head = format!(
        "POST / HTTP/1.1\r\nHost: {HOST}\r\nX-Amz-Target: TrentService.ListKeys\r\nContent-Length: 2\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential={ALICE}/20260101/us-east-1/kms/aws4_request\r\n\r\n{{}}"
    );
    wire.send(head.as_bytes()).await;
    let answer = wire.answer().await;
    assert_eq!((answer.status, answer.code().as_str()), (400, "IncompleteSignatureException"));
}

#[tokio::test]
async fn a_body_that_was_not_signed() {
    let server = Server::start().await;
    let mut wire = server.connect();
    let request = Ask::kms("ListKeys", r#"{"Limit":1}"#);
    wire.send(&[request.head().as_bytes(), br#"{"Limit":2}"#].concat()).await;
    let answer = wire.answer().await;
    assert_eq!((answer.status, answer.code().as_str()), (400, "InvalidSignatureException"));
}

#[tokio::test]
async fn a_scope_of_another_service_is_not_enough() {
    assert_eq!(s3_code(|ask| ask.service = "ec2").await.0, 400);
    // Signed for KMS, sent as if to S3: it is KMS that answers, and knows no such operation.
    let answer = Server::start().await.ask(&Ask { service: "kms", ..Ask::s3("GET", "/bucket/key", b"") }).await;
    assert_eq!((answer.status, answer.code().as_str()), (400, "UnknownOperationException"));
}

#[tokio::test]
async fn services_that_are_not_built_say_so_to_whoever_has_signed() {
    let server = Server::start().await;
    let headers = vec![("x-amz-target", "AmazonSSM.GetParameter".to_owned())];
    let ask = Ask { service: "ssm", headers, ..Ask::s3("POST", "/", b"{}") };
    let answer = server.ask(&ask).await;
    assert_eq!((answer.status, answer.code().as_str()), (501, "NotImplementedException"));
    let answer = server.ask(&Ask { secret: b"guess", ..ask }).await;
    assert_eq!((answer.status, answer.code().as_str()), (400, "InvalidSignatureException"));
}

#[tokio::test]
async fn a_key_of_another_account_is_not_ones_own() {
    let server = Server::start().await;
    let (_, created) = server.kms("CreateKey", "{}").await;
    let arn = created["KeyMetadata"]["Arn"].as_str().unwrap();
    let body = format!(r#"{{"KeyId":"{arn}"}}"#);
    let answer = server.ask(&Ask { access_key: BOB, ..Ask::kms("DescribeKey", &body) }).await;
    assert_eq!(answer.status, 400);
    assert!(["AccessDeniedException", "NotFoundException"].contains(&answer.code().as_str()), "{answer:?}");
}
