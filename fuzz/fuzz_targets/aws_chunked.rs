//! Whatever a stranger sends as a body: the decoder never panics, never hands out more than was declared, and decides alike however
//! the bytes are cut.
#![no_main]

use std::time::{Duration, UNIX_EPOCH};

use arbitrary::Arbitrary;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use sigv4::{
    Body, BodyCheck, ChunkSigner, ChunkedDecoder, Dialect, Error, MAX_SKEW, Payload, Policy, RequestHead, Secret,
    Signer, SigningKeys, Trailer, parse, verify,
};

#[derive(Debug, Arbitrary)]
struct Input<'a> {
    mode: u8,
    declared: u16,
    /// Chunks that are framed rightly, before `raw`.
    chunks: Vec<u16>,
    finished: bool,
    raw: &'a [u8],
    cuts: Vec<u16>,
}

fuzz_target!(|input: Input<'_>| {
    let payload = match input.mode % 3 {
        0 => Payload::ChunkedSigned { trailer: false },
        1 => Payload::ChunkedSigned { trailer: true },
        _ => Payload::ChunkedUnsignedTrailer,
    };
    let (mut chunks, whole, pieces) = open(payload, input.declared);
    let mut body = Vec::new();
    for size in input.chunks.iter().filter(|size| **size > 0).take(4) {
        chunks.chunk(&vec![b'a'; usize::from(*size)], &mut body);
    }
    if input.finished {
        let trailer = Trailer { name: "x-amz-checksum-crc32".to_owned(), value: "AAAAAA==".to_owned() };
        let trailers = if payload == (Payload::ChunkedSigned { trailer: false }) { vec![] } else { vec![trailer] };
        chunks.finish(&trailers, &mut body);
    }
    body.extend_from_slice(input.raw);

    let mut cuts: Vec<usize> = input.cuts.iter().take(64).map(|cut| usize::from(*cut) % (body.len() + 1)).collect();
    cuts.extend([0, body.len()]);
    cuts.sort_unstable();
    let one = decode(whole, std::iter::once(body.as_slice()));
    let many = decode(pieces, cuts.windows(2).map(|pair| &body[pair[0]..pair[1]]));
    assert_eq!(one, many, "split-invariance");
    if let Ok((data, _)) = one {
        assert_eq!(data.len(), usize::from(input.declared));
    }
});

fn decode<'a>(
    mut decoder: ChunkedDecoder,
    pieces: impl Iterator<Item = &'a [u8]>,
) -> Result<(Vec<u8>, Vec<Trailer>), Error> {
    let mut out = Vec::new();
    for piece in pieces {
        let mut input = Bytes::copy_from_slice(piece);
        while let Some(data) = decoder.push(&mut input)? {
            assert!(!data.is_empty());
            out.extend_from_slice(&data);
            assert!(out.len() as u64 <= decoder.declared_len());
        }
    }
    Ok((out, decoder.finish()?))
}

fn open(payload: Payload, declared: u16) -> (ChunkSigner, ChunkedDecoder, ChunkedDecoder) {
    let secret = Secret::new(b"secret");
    let now = UNIX_EPOCH + Duration::from_secs(1_369_353_600);
    let mut headers = HeaderMap::new();
    headers.insert("host", HeaderValue::from_static("localhost"));
    headers.insert("x-amz-decoded-content-length", HeaderValue::from(declared));
    if payload != (Payload::ChunkedSigned { trailer: false }) {
        headers.insert("x-amz-trailer", HeaderValue::from_static("x-amz-checksum-crc32"));
    }
    let signer = Signer::new("A", &secret, "us-east-1", "s3");
    let chunks = signer.sign("PUT", "/b/k", "", &mut headers, payload, now).expect("a good head");
    let head = RequestHead { method: "PUT", path: "/b/k", query: "", headers: &headers };
    let claim = parse(&head, Dialect::S3).expect("well formed").expect("signed");
    let policy = Policy { regions: &["us-east-1"], services: &["s3"], skew: MAX_SKEW };
    let keys = SigningKeys::new();
    let verified = verify(&claim, &head, Body::Streaming, &secret, now, &policy, &keys).expect("rightly signed");
    let decoder = || match verified.body_check(&headers).expect("a good head") {
        BodyCheck::Chunked(decoder) => *decoder,
        other => panic!("a chunked body, not {other:?}"),
    };
    (chunks, decoder(), decoder())
}
