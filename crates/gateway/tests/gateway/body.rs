//! The body of a request is held against its length, its digest, its chunk signatures and its silence.

use std::time::{Duration, SystemTime};

use crate::support::{ALICE, Answer, Ask, HOST, REGION, SECRET, Server, render};
use gateway::Limits;
use http::{HeaderMap, HeaderValue};
use sigv4::{Payload, Secret, Signer, Trailer};

async fn with_bucket(limits: Limits) -> Server {
    let server = Server::with_limits(limits).await;
    assert_eq!(server.ask(&Ask::s3("PUT", "/photos", b"")).await.status, 200);
    server
}

fn verdict(answer: &Answer) -> (u16, String) {
    (answer.status, if answer.body.is_empty() { String::new() } else { answer.code() })
}

/// PUT /photos/cat with an aws-chunked body; `change` may spoil the framed bytes.
async fn chunked(payload: Payload, change: impl FnOnce(&mut Vec<u8>)) -> (u16, String) {
    let server = with_bucket(Limits::default()).await;
    let data = vec![7; 20_000];
    let mut headers = HeaderMap::new();
    headers.insert("host", HeaderValue::from_static(HOST));
    headers.insert("content-encoding", HeaderValue::from_static("aws-chunked"));
    headers.insert("x-amz-decoded-content-length", HeaderValue::from(data.len()));
    let trailer = !matches!(payload, Payload::ChunkedSigned { trailer: false });
    if trailer {
        headers.insert("x-amz-trailer", HeaderValue::from_static("x-amz-checksum-crc32"));
    }
    headers.insert("transfer-encoding", HeaderValue::from_static("chunked"));
    let mut chunks = Signer::new(ALICE, &Secret::new(SECRET), REGION, "s3")
        .sign("PUT", "/photos/cat", "", &mut headers, payload, SystemTime::now())
        .unwrap();
    let mut framed = Vec::new();
    data.chunks(8192).for_each(|piece| chunks.chunk(piece, &mut framed));
    let crc = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32IsoHdlc, &data);
    let value = data_encoding::BASE64.encode(&u32::try_from(crc).unwrap().to_be_bytes());
    let trailers = [Trailer { name: "x-amz-checksum-crc32".to_owned(), value }];
    chunks.finish(if trailer { &trailers } else { &[] }, &mut framed);
    change(&mut framed);

    let mut wire = server.connect();
    wire.send(render("PUT", "/photos/cat", "", &headers).as_bytes()).await;
    for piece in framed.chunks(1000) {
        wire.send(format!("{:x}\r\n", piece.len()).as_bytes()).await;
        wire.send(&[piece, b"\r\n"].concat()).await;
    }
    wire.send(b"0\r\n\r\n").await;
    verdict(&wire.answer().await)
}

const MODES: [Payload; 3] = [
    Payload::ChunkedSigned { trailer: false },
    Payload::ChunkedSigned { trailer: true },
    Payload::ChunkedUnsignedTrailer,
];

#[tokio::test]
async fn every_chunked_mode_is_read() {
    for mode in MODES {
        assert_eq!(chunked(mode, |_| {}).await, (200, String::new()), "{mode:?}");
    }
}

#[tokio::test]
async fn a_changed_byte_in_a_signed_chunk_is_noticed() {
    for mode in &MODES[..2] {
        let (status, code) = chunked(*mode, |framed| framed[12_000] ^= 1).await;
        assert_eq!((status, code.as_str()), (403, "SignatureDoesNotMatch"), "{mode:?}");
    }
}

#[tokio::test]
async fn a_chunked_body_that_ends_early_is_incomplete() {
    for mode in MODES {
        let (status, code) = chunked(mode, |framed| framed.truncate(9_000)).await;
        assert_eq!((status, code.as_str()), (400, "IncompleteBody"), "{mode:?}");
    }
}

#[tokio::test]
async fn a_body_of_another_digest_is_refused() {
    let server = with_bucket(Limits::default()).await;
    let mut wire = server.connect();
    let head = Ask::s3("PUT", "/photos/cat", b"purr").head();
    wire.send(format!("{head}hiss").as_bytes()).await;
    assert_eq!(verdict(&wire.answer().await), (400, "XAmzContentSHA256Mismatch".to_owned()));
    assert_eq!(server.ask(&Ask::s3("GET", "/photos/cat", b"")).await.status, 404);
}

#[tokio::test]
async fn a_body_that_falls_silent_times_out() {
    let server = with_bucket(Limits { body_silence: Duration::from_millis(200), ..Limits::default() }).await;
    let mut wire = server.connect();
    let head = Ask::s3("PUT", "/photos/cat", b"purr").head();
    wire.send(format!("{head}pu").as_bytes()).await;
    assert_eq!(verdict(&wire.answer().await), (400, "RequestTimeout".to_owned()));
}

#[tokio::test]
async fn a_truncated_body_stores_nothing() {
    let server = with_bucket(Limits::default()).await;
    let mut wire = server.connect();
    let head = Ask::s3("PUT", "/photos/cat", b"purr").head();
    wire.send(format!("{head}pu").as_bytes()).await;
    wire.finish().await;
    let _ = wire.ends().await;
    assert_eq!(server.ask(&Ask::s3("GET", "/photos/cat", b"")).await.status, 404);
}

#[tokio::test]
async fn an_object_comes_back_over_the_same_connection() {
    let server = with_bucket(Limits::default()).await;
    let mut wire = server.connect();
    for length in [0, 1, 65_536, 300_000] {
        let body = vec![7; length];
        wire.send(&Ask::s3("PUT", "/photos/cat", &body).head().into_bytes()).await;
        for piece in body.chunks(10_000) {
            wire.send(piece).await;
        }
        assert_eq!(wire.answer().await.status, 200);
        wire.send(&Ask::s3("GET", "/photos/cat", b"").bytes()).await;
        let answer = wire.answer().await;
        assert_eq!((answer.status, answer.body == body), (200, true), "{length}");
        wire.send(&Ask::s3("HEAD", "/photos/cat", b"").bytes()).await;
        assert_eq!(wire.head().await.header("content-length"), length.to_string());
    }
}
