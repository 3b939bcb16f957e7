//! One connection: limits, silence, truncation, `Expect`, keep-alive and shutdown.

use std::time::{Duration, Instant};

use crate::support::{Ask, HOST, Server};
use gateway::Limits;

fn hasty() -> Limits {
    Limits {
        head_time: Duration::from_millis(200),
        body_silence: Duration::from_millis(200),
        answer_silence: Duration::from_millis(200),
        ..Limits::default()
    }
}

#[tokio::test]
async fn health_needs_no_signature() {
    let server = Server::start().await;
    let mut wire = server.connect();
    for (path, status, body) in [("live", 200, "live\n"), ("ready", 200, "ready\n"), ("other", 404, "no such check\n")]
    {
        wire.send(format!("GET /_/health/{path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n").as_bytes()).await;
        let answer = wire.answer().await;
        assert_eq!((answer.status, answer.text()), (status, body), "{path}");
        assert!(!answer.header("date").is_empty());
        assert_eq!(answer.header("server"), "Strongroom");
    }
    // On a bucket's own host the same path is an object's.
    wire.send(format!("GET /_/health/live HTTP/1.1\r\nHost: photos.{HOST}\r\n\r\n").as_bytes()).await;
    assert_eq!(wire.answer().await.code(), "NoSuchBucket");
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_their_order() {
    let server = Server::start().await;
    let mut wire = server.connect();
    let (keys, aliases) = (Ask::kms("ListKeys", "{}").bytes(), Ask::kms("ListAliases", "{}").bytes());
    wire.send(&[keys.clone(), aliases, keys].concat()).await;
    for member in ["Keys", "Aliases", "Keys"] {
        let answer = wire.answer().await;
        assert!(answer.json().get(member).is_some(), "{member}: {answer:?}");
    }
}

#[tokio::test]
async fn a_slow_head_ends_the_connection() {
    let server = Server::with_limits(hasty()).await;
    let mut wire = server.connect();
    let started = Instant::now();
    wire.send(b"GET / HTTP/1.1\r\nHost: ").await;
    assert!(wire.ends().await);
    assert!(started.elapsed() >= Duration::from_millis(150));
}

#[tokio::test]
async fn an_idle_connection_ends() {
    let server = Server::with_limits(hasty()).await;
    let mut wire = server.connect();
    wire.send(&Ask::kms("ListKeys", "{}").bytes()).await;
    assert_eq!(wire.answer().await.status, 200);
    assert!(wire.ends().await);
}

#[tokio::test]
async fn too_many_headers_and_too_long_a_head_are_refused() {
    let server = Server::start().await;
    let many: String = (0..101).map(|at| format!("x-{at}: 1\r\n")).collect();
    let long = format!("x-long: {}\r\n", "a".repeat(33_000));
    for headers in [many, long] {
        let mut wire = server.connect();
        wire.send(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n{headers}\r\n").as_bytes()).await;
        assert_eq!(wire.answer().await.status, 431);
        assert!(wire.ends().await);
    }
}

#[tokio::test]
async fn what_is_not_http_is_refused() {
    let server = Server::start().await;
    for bytes in
        [&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"[..], b"GET\r\n\r\n", b"GET / HTTP/4.2\r\n\r\n"]
    {
        let mut wire = server.connect();
        wire.send(bytes).await;
        assert_eq!(wire.answer().await.status, 400);
        assert!(wire.ends().await);
    }
}

#[tokio::test]
async fn two_lengths_or_two_framings_are_refused() {
    let server = Server::start().await;
    for headers in
        ["Content-Length: 1\r\nContent-Length: 2\r\n", "Content-Length: 1x\r\n", "Transfer-Encoding: gzip\r\n"]
    {
        let mut wire = server.connect();
        wire.send(format!("PUT /b/k HTTP/1.1\r\nHost: {HOST}\r\n{headers}\r\nab").as_bytes()).await;
        assert_eq!(wire.answer().await.status, 400, "{headers}");
        assert!(wire.ends().await);
    }
}

#[tokio::test]
async fn a_body_that_falls_silent_times_out() {
    let server = Server::with_limits(hasty()).await;
    let mut wire = server.connect();
    let head = Ask::kms("ListKeys", r#"{"Limit":1}"#).head();
    wire.send(format!("{head}{{").as_bytes()).await;
    let answer = wire.answer().await;
    assert_eq!((answer.status, answer.code().as_str()), (408, "RequestTimeoutException"));
}

#[tokio::test]
async fn a_truncated_body_does_nothing() {
    let server = Server::start().await;
    let mut wire = server.connect();
    let head = Ask::kms("CreateKey", "{}          ").head();
    wire.send(format!("{head}{{}}").as_bytes()).await;
    wire.finish().await;
    let _ = wire.ends().await;
    let (_, keys) = server.kms("ListKeys", "{}").await;
    assert_eq!(keys["Keys"].as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn continue_is_said_to_whoever_is_let_in() {
    let server = Server::start().await;
    let mut wire = server.connect();
    let mut ask = Ask::s3("PUT", "/photos", b"");
    wire.send(&ask.bytes()).await;
    assert_eq!(wire.answer().await.status, 200);

    ask = Ask::s3("PUT", "/photos/cat", b"purr");
    ask.headers.push(("expect", "100-continue".to_owned()));
    wire.send(ask.head().as_bytes()).await;
    assert_eq!(wire.head().await.status, 100);
    wire.send(b"purr").await;
    assert_eq!(wire.answer().await.status, 200);
}

#[tokio::test]
async fn continue_is_not_said_to_whoever_is_not() {
    let server = Server::start().await;
    let mut wire = server.connect();
    let mut ask = Ask { secret: b"guess", ..Ask::s3("PUT", "/photos/cat", b"purr") };
    ask.headers.push(("expect", "100-continue".to_owned()));
    wire.send(ask.head().as_bytes()).await;
    let answer = wire.answer().await;
    assert_eq!((answer.status, answer.code().as_str()), (403, "SignatureDoesNotMatch"));
    assert_eq!(answer.header("connection"), "close");
    assert!(wire.ends().await);
}

#[tokio::test]
async fn an_early_answer_does_not_break_the_connection() {
    let server = Server::start().await;
    let mut wire = server.connect();
    let body = vec![0; 1 << 20];
    wire.send(&Ask { secret: b"guess", ..Ask::s3("PUT", "/photos/cat", &body) }.bytes()).await;
    assert_eq!(wire.answer().await.status, 403);
    wire.send(&Ask::kms("ListKeys", "{}").bytes()).await;
    assert_eq!(wire.answer().await.status, 200);
}

#[tokio::test]
async fn a_stop_lets_the_request_in_progress_end() {
    let server = Server::start().await;
    let (mut idle, mut busy) = (server.connect(), server.connect());
    let ask = Ask::kms("ListKeys", "{}");
    busy.send(ask.head().as_bytes()).await;
    assert!(busy.silent().await);
    server.stop();
    assert!(idle.ends().await);
    busy.send(ask.body).await;
    assert_eq!(busy.answer().await.status, 200);
    assert!(busy.ends().await);
}
