//! KMS: what is asked, what is believed of the answers, and what is tried again.

use crate::server::{Asked, Reply, Server, answer};
use client::aws::{Config, Credentials, KmsClient};
use client::kms::{KeyRequest, Kms, KmsError};
use client::message::{Decryptor, Encryptor, KmsKeyring};
use client::{DataKey, EncryptionContext, Error};
use std::time::{Duration, Instant};

const ARN: &str = "arn:aws:kms:us-east-2:111122223333:key/1234";

fn json(body: &str) -> Reply {
    Reply::Say(answer("200 OK", &[("content-type", "application/x-amz-json-1.1")], body.as_bytes()))
}

fn refusal(status: &str, code: &str) -> Reply {
    let body = format!(r#"{{"__type":"{code}","message":"why"}}"#);
    Reply::Say(answer(status, &[("x-amzn-requestid", "request-1")], body.as_bytes()))
}

fn decrypt(server: &Server, key_id: &str) -> Result<Vec<u8>, KmsError> {
    decrypt_with(&server.config(), key_id)
}

fn decrypt_with(config: &Config, key_id: &str) -> Result<Vec<u8>, KmsError> {
    let kms = KmsClient::new(config).unwrap();
    let key = KeyRequest { key_id, context: &EncryptionContext::new(), grant_tokens: &[] };
    kms.decrypt(&key, b"sealed").map(|key| key.plaintext.as_bytes().to_vec())
}

const OPENED: &str = r#"{"Plaintext":"AQID","KeyId":"arn:aws:kms:us-east-2:111122223333:key/1234"}"#;

#[test]
fn three_operations_as_the_service_wants_them() {
    let generated = r#"{"CiphertextBlob":"/+8=","Plaintext":"AAECAwQFBgcICQoLDA0ODw==","KeyId":"arn"}"#;
    let server = Server::new([json(generated), json(r#"{"CiphertextBlob":"AAA=","KeyId":"arn"}"#), json(OPENED)]);
    let kms = KmsClient::new(
        &server
            .config()
            .credentials(Credentials::new(crate::server::KEY_ID, crate::server::SECRET).session_token("a token")),
    )
    .unwrap();
    let context = EncryptionContext::from([("b", "\"ü\""), ("a", "1")]);
    let tokens = ["t1".to_owned()];
    let key = KeyRequest { key_id: ARN, context: &context, grant_tokens: &tokens };
    let made = kms.generate_data_key(&key, 16).unwrap();
    assert_eq!((made.plaintext.as_bytes()[15], &made.ciphertext[..], &*made.key_arn), (15, &[0xff, 0xef][..], "arn"));
    let plain = KeyRequest { key_id: "alias/a\"", context: &EncryptionContext::new(), grant_tokens: &[] };
    let secret = DataKey::from_bytes(vec![0xff; 32].into());
    assert_eq!(kms.encrypt(&plain, &secret).unwrap().ciphertext, [0, 0]);
    assert_eq!(kms.decrypt(&key, b"sealed").unwrap().plaintext.as_bytes(), [1, 2, 3]);
    let asked = server.asked();
    let [generate, encrypt, decrypt] = &asked[..] else { panic!("{asked:?}") };
    let common = r#"{"EncryptionContext":{"a":"1","b":"\"ü\""},"GrantTokens":["t1"],"KeyId":"arn:aws:kms:us-east-2:111122223333:key/1234","#;
    assert_eq!(generate.text(), format!(r#"{common}"NumberOfBytes":16}}"#));
    assert_eq!(encrypt.text(), format!(r#"{{"KeyId":"alias/a\"","Plaintext":"{}="}}"#, "/".repeat(42) + "8"));
    assert_eq!(decrypt.text(), format!(r#"{common}"CiphertextBlob":"c2VhbGVk"}}"#));
    for (asked, operation) in asked.iter().zip(["GenerateDataKey", "Encrypt", "Decrypt"]) {
        assert_eq!((asked.method.as_str(), asked.path.as_str(), asked.query.as_str()), ("POST", "/", ""));
        assert_eq!(asked.header("x-amz-target"), format!("TrentService.{operation}"));
        assert_eq!(asked.header("content-type"), "application/x-amz-json-1.1");
        assert_eq!(asked.header("x-amz-security-token"), "a token");
        assert!(asked.header("authorization").contains("x-amz-security-token"), "the token is signed");
    }
    let scope = |asked: &Asked| asked.scope.clone();
    assert_eq!(scope(generate), ("us-east-2".to_owned(), "kms".to_owned()), "an ARN says where its key is");
    assert_eq!(scope(encrypt), ("eu-west-1".to_owned(), "kms".to_owned()));
}

#[test]
fn who_serves_objects_is_not_asked_for_keys() {
    let (objects, keys) = (Server::new([]), Server::new([json(OPENED)]));
    let config = keys.config().endpoint_kms(&keys.url).unwrap().endpoint(&objects.url).unwrap();
    assert_eq!(decrypt_with(&config, ARN).unwrap(), [1, 2, 3]);
    assert_eq!((objects.asked().len(), keys.asked().len()), (0, 1));
}

#[test]
fn data_keys_do_not_travel_in_clear() {
    let signed = Config::new().credentials(Credentials::new("AKIA", "secret"));
    let at = |url: &str| signed.clone().endpoint(url).unwrap();
    let refused = |config: Config| KmsClient::new(&config).err().map(|error| error.to_string());
    for url in ["http://kms.example:8080", "http://10.0.0.1", "http://localhost.example"] {
        assert!(refused(at(url)).is_some_and(|why| why.contains("in clear") && why.contains(url)), "{url}");
        assert_eq!(refused(at(url).kms_without_tls(true)), None, "{url}");
    }
    for url in ["http://127.0.0.1:9000", "http://localhost:9000", "http://[::1]:9000"] {
        assert_eq!(refused(at(url)), None, "{url}");
    }
}

#[test]
fn a_message_names_no_host_that_is_not_in_a_region() {
    let nowhere = Config::new().credentials(Credentials::new("AKIA", "secret")).attempts(1);
    let error = decrypt_with(&nowhere, "arn:aws:kms:s3:111122223333:key/1234").unwrap_err();
    assert!(error.to_string().contains("no Region of AWS"), "{error}");
    let server = Server::new([json(&OPENED.replace("us-east-2", "here"))]);
    assert_eq!(
        decrypt(&server, "arn:aws:kms:here:111122223333:key/1234").unwrap(),
        [1, 2, 3],
        "its Regions are its own"
    );
}

#[test]
fn a_message_goes_both_ways() {
    let generated =
        format!(r#"{{"CiphertextBlob":"c2VhbGVk","Plaintext":"{}","KeyId":"{ARN}"}}"#, "A".repeat(43) + "=");
    let opened = format!(r#"{{"Plaintext":"{}","KeyId":"{ARN}"}}"#, "A".repeat(43) + "=");
    let server = Server::new([json(&generated), json(&opened)]);
    let kms = KmsClient::new(&server.config()).unwrap();
    let message = Encryptor::new(KmsKeyring::new(&kms, ARN).unwrap()).encrypt(b"text").unwrap();
    assert_eq!(Decryptor::new(KmsKeyring::new(&kms, ARN).unwrap()).decrypt(&message).unwrap().plaintext[..], *b"text");
    let other = opened.replace("key/1234", "key/5678");
    let server = Server::new([json(&other)]);
    let kms = KmsClient::new(&server.config()).unwrap();
    let refused = Decryptor::new(KmsKeyring::new(&kms, ARN).unwrap()).decrypt(&message).unwrap_err();
    assert!(refused.to_string().contains("answered for"), "{refused}");
}

#[test]
fn what_the_service_refuses_keeps_its_words() {
    let server = Server::new([refusal("400 Bad Request", "com.amazonaws#AccessDeniedException")]);
    let error = decrypt(&server, ARN).unwrap_err();
    assert_eq!((&*error.code, &*error.message), ("AccessDeniedException", "why"));
    assert_eq!(server.asked().len(), 1, "a refusal is not tried again");
    let nonsense = answer("403 Forbidden", &[("x-amzn-errortype", "NotYou:http://x/")], b"<html>\x1b[31m");
    let server = Server::new([Reply::Say(nonsense)]);
    assert_eq!(decrypt(&server, ARN).unwrap_err().code, "NotYou");
}

#[test]
fn what_passes_is_tried_again_and_not_for_ever() {
    let busy = || refusal("400 Bad Request", "ThrottlingException");
    let server = Server::new([
        busy(),
        refusal("500 Internal Server Error", "KMSInternalException"),
        Reply::SayAndClose(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{".to_vec()),
        Reply::SayAndClose(Vec::new()),
        json(OPENED),
    ]);
    assert_eq!(decrypt(&server, ARN).unwrap(), [1, 2, 3]);
    assert_eq!(server.asked().len(), 5);
    let server = Server::new((0..9).map(|_| busy()));
    assert_eq!(decrypt_with(&server.config().attempts(3), ARN).unwrap_err().code, "ThrottlingException");
    assert_eq!((server.asked().len(), server.left()), (3, 6));
    let server = Server::new([refusal("507 Insufficient Storage", "InsufficientStorage")]);
    assert_eq!(decrypt(&server, ARN).unwrap_err().code, "InsufficientStorage", "a full disk does not pass");
}

#[test]
fn answers_that_make_no_sense_are_refused() {
    let long = format!(r#"{{"Plaintext":"AQID","KeyId":"{}"}}"#, "a".repeat(70_000));
    let key_of_2_kib = format!(r#"{{"Plaintext":"{}","KeyId":"arn"}}"#, "A".repeat(2_732));
    for body in [
        "",
        "[]",
        "{",
        "null",
        r#"{"Plaintext":"AQID"}"#,
        r#"{"KeyId":"arn"}"#,
        r#"{"Plaintext":"AQI","KeyId":"arn"}"#,
        r#"{"Plaintext":"","KeyId":"arn"}"#,
        r#"{"Plaintext":7,"KeyId":"arn"}"#,
        r#"{"Plaintext":"AQID\u0041","KeyId":"arn"}"#,
        r#"{"Plaintext":"AQID","KeyId":["arn"]}"#,
        &key_of_2_kib,
        &long,
    ] {
        let server = Server::new([json(body)]);
        assert_eq!(decrypt(&server, ARN).unwrap_err().code, "InvalidAnswer", "{body}");
        assert_eq!(server.asked().len(), 1, "{body}");
    }
    let short = r#"{"CiphertextBlob":"AAA=","Plaintext":"AAA=","KeyId":"arn"}"#;
    let kms = KmsClient::new(&Server::new([json(short)]).config()).unwrap();
    let key = KeyRequest { key_id: ARN, context: &EncryptionContext::new(), grant_tokens: &[] };
    assert!(kms.generate_data_key(&key, 32).is_err_and(|error| error.message.contains("32 were asked for")));
}

#[test]
fn an_answer_without_an_end_ends() {
    let head = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    let server = Server::new([Reply::Endless([head, vec![b' '; 65_000]].concat(), Duration::from_micros(1))]);
    assert_eq!(decrypt(&server, ARN).unwrap_err().code, "InvalidAnswer");
    let server = Server::new([Reply::Endless(b"HTTP/1.1 200 OK\r\n".to_vec(), Duration::from_micros(1))]);
    assert!(decrypt_with(&server.config().attempts(1), ARN).is_err(), "nor does a head");
}

#[test]
fn silence_is_not_waited_for() {
    let server = Server::new([Reply::Silence(Duration::from_secs(30))]);
    let begin = Instant::now();
    assert_eq!(decrypt_with(&server.config().attempts(1), ARN).unwrap_err().code, "TimedOut");
    assert!(begin.elapsed() < Duration::from_secs(5));
}

#[test]
fn nor_is_a_trickle() {
    for head in ["HTTP/1.1 200 OK\r\nx: ", "HTTP/1.1 200 OK\r\n\r\n"] {
        let server = Server::new([Reply::Endless(head.into(), Duration::from_millis(20))]);
        let begin = Instant::now();
        let config = server.config().attempts(1).stall_limit(Duration::from_millis(100));
        assert_eq!(decrypt_with(&config, ARN).unwrap_err().code, "TimedOut");
        assert!(begin.elapsed() < Duration::from_secs(5));
    }
}

#[test]
fn a_stranger_who_names_a_region_chooses_no_host() {
    let server = Server::new([]);
    for region in ["x.evil.example/", "evil.example#", "a@evil.example", "EU"] {
        let error = decrypt(&server, &format!("arn:aws:kms:{region}:1:key/a")).unwrap_err();
        assert_eq!(error.code, "Configuration", "{region}: {error}");
    }
    assert!(server.asked().is_empty());
}

#[test]
fn what_is_missing_is_told() {
    let told = |result: Result<KmsClient, client::aws::AwsError>| result.err().unwrap().to_string();
    assert!(told(KmsClient::new(&Config::new())).contains("AWS_ACCESS_KEY_ID"));
    let config = Config::new().credentials(Credentials::new("AKIA", "secret")).endpoint("http://127.0.0.1:1").unwrap();
    let error = decrypt_with(&config, "alias/a").unwrap_err();
    assert!(error.message.contains("AWS_REGION"), "{error}");
    let refused = decrypt_with(&config.attempts(1), ARN).unwrap_err();
    assert_eq!(refused.code, "Unreachable", "{refused}");
    let nowhere = Config::new().credentials(Credentials::new("AKIA", "secret")).ca_bundle("/nowhere/at/all");
    assert!(told(KmsClient::new(&nowhere)).contains("/nowhere/at/all"));
    assert!(Error::from(KmsError::new("a", "b")).to_string().contains("a: b"));
}
