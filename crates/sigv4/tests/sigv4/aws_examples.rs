//! The signatures that AWS documents, over the requests that it documents.
//!
//! - <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>
//! - <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>
//! - <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html>
//! - <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html>

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use sigv4::{
    Authenticated, Body, BodyCheck, ChunkedDecoder, Dialect, Error, MAX_SKEW, Payload, Policy, RequestHead, Secret,
    Signer, SigningKeys, Trailer, parse, verify,
};

const SECRET: &[u8] = b"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// 20130524T000000Z.
fn midnight() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_369_353_600)
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in pairs {
        map.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }
    map
}

fn check(method: &str, path: &str, query: &str, headers: &HeaderMap, now: SystemTime) -> Result<Authenticated, Error> {
    let head = RequestHead { method, path, query, headers };
    let claim = parse(&head, Dialect::S3)?.unwrap();
    assert_eq!(claim.access_key_id(), "AKIAIOSFODNN7EXAMPLE");
    let policy = Policy { regions: &["us-east-1"], services: &["s3"], skew: MAX_SKEW };
    verify(&claim, &head, Body::Streaming, &Secret::new(SECRET), now, &policy, &SigningKeys::new())
}

fn by_header(
    method: &str,
    path: &str,
    query: &str,
    mut map: HeaderMap,
    signed: &str,
    signature: &str,
) -> (HeaderMap, Authenticated) {
    let text = format!(
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders={signed},Signature={signature}"
    );
    map.insert("authorization", text.parse().unwrap());
    let authenticated = check(method, path, query, &map, midnight()).unwrap();
    assert_eq!(authenticated.access_key_id(), "AKIAIOSFODNN7EXAMPLE");
    assert_eq!((authenticated.region(), authenticated.service()), ("us-east-1", "s3"));
    (map, authenticated)
}

#[test]
fn get_object_with_a_range() {
    let map = headers(&[
        ("host", "examplebucket.s3.amazonaws.com"),
        ("range", "bytes=0-9"),
        ("x-amz-content-sha256", EMPTY),
        ("x-amz-date", "20130524T000000Z"),
    ]);
    let signature = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";
    by_header("GET", "/test.txt", "", map, "host;range;x-amz-content-sha256;x-amz-date", signature);
}

#[test]
fn put_object() {
    let body = b"Welcome to Amazon S3.";
    let map = headers(&[
        ("host", "examplebucket.s3.amazonaws.com"),
        ("date", "Fri, 24 May 2013 00:00:00 GMT"),
        ("x-amz-date", "20130524T000000Z"),
        ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ("x-amz-content-sha256", "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"),
    ]);
    let signed = "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class";
    let signature = "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd";
    let (map, authenticated) = by_header("PUT", "/test%24file.text", "", map, signed, signature);

    let BodyCheck::Sha256(mut hasher) = authenticated.body_check(&map).unwrap() else { panic!("a signed body") };
    body.chunks(5).for_each(|piece| hasher.update(piece));
    hasher.finish().unwrap();
    let BodyCheck::Sha256(hasher) = authenticated.body_check(&map).unwrap() else { panic!("a signed body") };
    let Err(Error::XAmzContentSHA256Mismatch { computed, .. }) = hasher.finish() else { panic!("another body") };
    assert_eq!(computed, EMPTY);
}

#[test]
fn get_bucket_lifecycle() {
    let map = headers(&[
        ("host", "examplebucket.s3.amazonaws.com"),
        ("x-amz-content-sha256", EMPTY),
        ("x-amz-date", "20130524T000000Z"),
    ]);
    let signature = "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543";
    by_header("GET", "/", "lifecycle", map, "host;x-amz-content-sha256;x-amz-date", signature);
}

#[test]
fn list_objects() {
    let map = headers(&[
        ("host", "examplebucket.s3.amazonaws.com"),
        ("x-amz-content-sha256", EMPTY),
        ("x-amz-date", "20130524T000000Z"),
    ]);
    let signature = "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7";
    by_header("GET", "/", "max-keys=2&prefix=J", map, "host;x-amz-content-sha256;x-amz-date", signature);
}

const PRESIGNED: &str = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request\
     &X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host\
     &X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";

#[test]
fn presigned_get_object() {
    let map = headers(&[("host", "examplebucket.s3.amazonaws.com")]);
    let authenticated = check("GET", "/test.txt", PRESIGNED, &map, midnight()).unwrap();
    assert_eq!(authenticated.payload(), Payload::Unsigned);
    assert!(matches!(authenticated.body_check(&map), Ok(BodyCheck::Plain)));

    let day = Duration::from_secs(86_400);
    check("GET", "/test.txt", PRESIGNED, &map, midnight() + day).unwrap();
    let late = check("GET", "/test.txt", PRESIGNED, &map, midnight() + day + Duration::from_secs(1));
    assert_eq!(late.unwrap_err().to_string(), "Request has expired");
    let early = check("GET", "/test.txt", PRESIGNED, &map, midnight() - Duration::from_secs(901));
    assert_eq!(early.unwrap_err(), Error::RequestNotYetValid);
}

#[test]
fn the_signer_presigns_the_same() {
    let map = headers(&[("host", "examplebucket.s3.amazonaws.com")]);
    let head = RequestHead { method: "GET", path: "/test.txt", query: "", headers: &map };
    let signer = Signer::new("AKIAIOSFODNN7EXAMPLE", &Secret::new(SECRET), "us-east-1", "s3");
    assert_eq!(signer.presign(&head, 86_400, midnight()).unwrap(), PRESIGNED);
}

fn chunked_head(trailer: bool) -> HeaderMap {
    let mut map = headers(&[
        ("host", "s3.amazonaws.com"),
        ("x-amz-date", "20130524T000000Z"),
        ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ("content-encoding", "aws-chunked"),
        ("x-amz-decoded-content-length", "66560"),
    ]);
    if trailer {
        map.insert("x-amz-content-sha256", HeaderValue::from_static("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"));
        map.insert("x-amz-trailer", HeaderValue::from_static("x-amz-checksum-crc32c"));
    } else {
        map.insert("x-amz-content-sha256", HeaderValue::from_static("STREAMING-AWS4-HMAC-SHA256-PAYLOAD"));
        map.insert("content-length", HeaderValue::from_static("66824"));
    }
    map
}

fn chunked_body(signatures: [&str; 3], end: &str) -> Vec<u8> {
    let mut body = Vec::new();
    for (size, signature) in [(65_536, signatures[0]), (1_024, signatures[1])] {
        body.extend_from_slice(format!("{size:x};chunk-signature={signature}\r\n").as_bytes());
        body.resize(body.len() + size, b'a');
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("0;chunk-signature={}\r\n{end}\r\n", signatures[2]).as_bytes());
    body
}

fn decode(mut decoder: ChunkedDecoder, body: Vec<u8>) -> Vec<Trailer> {
    let (mut input, mut data) = (Bytes::from(body), 0);
    while let Some(piece) = decoder.push(&mut input).unwrap() {
        assert!(piece.iter().all(|byte| *byte == b'a'));
        data += piece.len();
    }
    assert_eq!(data, 66_560);
    decoder.finish().unwrap()
}

fn decoder(authenticated: &Authenticated, headers: &HeaderMap) -> ChunkedDecoder {
    match authenticated.body_check(headers).unwrap() {
        BodyCheck::Chunked(decoder) => *decoder,
        other => panic!("a chunked body, not {other:?}"),
    }
}

#[test]
fn chunked_upload() {
    let signed = "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class";
    let seed = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
    let path = "/examplebucket/chunkObject.txt";
    let (map, authenticated) = by_header("PUT", path, "", chunked_head(false), signed, seed);
    let body = chunked_body(
        [
            "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
            "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
            "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
        ],
        "",
    );
    assert_eq!(body.len(), 66_824);
    assert_eq!(decode(decoder(&authenticated, &map), body), []);
}

#[test]
fn chunked_upload_with_a_trailer() {
    let signed = "content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer";
    let seed = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e";
    let path = "/examplebucket/chunkObject.txt";
    let (map, authenticated) = by_header("PUT", path, "", chunked_head(true), signed, seed);
    let signatures = [
        "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
        "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
        "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
    ];
    let trailer = Trailer { name: "x-amz-checksum-crc32c".to_owned(), value: "sOO8/Q==".to_owned() };
    let signature = "x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n";
    // As the SDKs write it, and as minio-go does.
    for line in ["x-amz-checksum-crc32c:sOO8/Q==\r\n", "x-amz-checksum-crc32c:sOO8/Q==\n\r\n"] {
        let body = chunked_body(signatures, &format!("{line}{signature}"));
        assert_eq!(decode(decoder(&authenticated, &map), body), std::slice::from_ref(&trailer));
    }

    let signer = Signer::new("AKIAIOSFODNN7EXAMPLE", &Secret::new(SECRET), "us-east-1", "s3");
    let payload = Payload::ChunkedSigned { trailer: true };
    let mut chunks = signer.sign("PUT", path, "", &mut chunked_head(true), payload, midnight()).unwrap();
    let mut body = Vec::new();
    chunks.chunk(&[b'a'; 65_536], &mut body);
    chunks.chunk(&[b'a'; 1_024], &mut body);
    chunks.finish(std::slice::from_ref(&trailer), &mut body);
    let line = "x-amz-checksum-crc32c:sOO8/Q==\r\n";
    assert!(body == chunked_body(signatures, &format!("{line}{signature}")), "the signer's body is AWS's");
    assert_eq!(body.len(), 66_946);
}
