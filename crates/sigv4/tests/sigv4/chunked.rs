//! aws-chunked bodies: whole, in any pieces, and tampered with.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use sigv4::{
    Body, BodyCheck, ChunkSigner, ChunkedDecoder, Dialect, Error, MAX_SKEW, MAX_TRAILER_BYTES, Payload, Policy,
    RequestHead, Secret, Signer, SigningKeys, Trailer, parse, verify,
};

const SIGNED: Payload = Payload::ChunkedSigned { trailer: false };
const SIGNED_TRAILER: Payload = Payload::ChunkedSigned { trailer: true };
const UNSIGNED_TRAILER: Payload = Payload::ChunkedUnsignedTrailer;
const MODES: [Payload; 3] = [SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER];

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_369_353_600)
}

fn checksum() -> Trailer {
    Trailer { name: "x-amz-checksum-crc32".to_owned(), value: "AAAAAA==".to_owned() }
}

/// The two ends of an upload whose head has been signed and verified.
fn upload(payload: Payload, headers: &[(&'static str, &str)]) -> Result<(ChunkSigner, ChunkedDecoder), Error> {
    let mut map = HeaderMap::new();
    map.insert("host", HeaderValue::from_static("localhost"));
    for (name, value) in headers {
        map.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }
    let secret = Secret::new(b"secret");
    let signer = Signer::new("AKID", &secret, "us-east-1", "s3");
    let chunks = signer.sign("PUT", "/b/k", "", &mut map, payload, now()).unwrap();
    let head = RequestHead { method: "PUT", path: "/b/k", query: "", headers: &map };
    let claim = parse(&head, Dialect::S3)?.unwrap();
    let policy = Policy { regions: &["us-east-1"], services: &["s3"], skew: MAX_SKEW };
    let authenticated = verify(&claim, &head, Body::Streaming, &secret, now(), &policy, &SigningKeys::new())?;
    match authenticated.body_check(&map)? {
        BodyCheck::Chunked(decoder) => Ok((chunks, *decoder)),
        other => panic!("a chunked body, not {other:?}"),
    }
}

fn open(payload: Payload, length: usize) -> (ChunkSigner, ChunkedDecoder) {
    let length = length.to_string();
    let mut headers = vec![("x-amz-decoded-content-length", length.as_str())];
    if payload != SIGNED {
        headers.push(("x-amz-trailer", "x-amz-checksum-crc32"));
    }
    upload(payload, &headers).unwrap()
}

fn data(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect()
}

/// The data framed in chunks of `sizes`, and the decoder for it.
fn framed(payload: Payload, sizes: &[usize]) -> (Vec<u8>, ChunkedDecoder) {
    let data = data(sizes.iter().sum());
    let (mut chunks, decoder) = open(payload, data.len());
    let (mut body, mut rest) = (Vec::new(), data.as_slice());
    for size in sizes {
        let (chunk, after) = rest.split_at(*size);
        chunks.chunk(chunk, &mut body);
        rest = after;
    }
    let trailers = if payload == SIGNED { vec![] } else { vec![checksum()] };
    chunks.finish(&trailers, &mut body);
    (body, decoder)
}

fn decode_pieces<'a>(
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
        assert!(input.is_empty());
    }
    Ok((out, decoder.finish()?))
}

fn decode(decoder: ChunkedDecoder, body: &[u8]) -> Result<(Vec<u8>, Vec<Trailer>), Error> {
    decode_pieces(decoder, std::iter::once(body))
}

fn is_mismatch(result: &Result<(Vec<u8>, Vec<Trailer>), Error>) -> bool {
    matches!(result, Err(Error::SignatureDoesNotMatch(_)))
}

/// Where `needle` begins in `body`.
fn find(body: &[u8], needle: &str) -> usize {
    body.windows(needle.len()).position(|window| window == needle.as_bytes()).unwrap()
}

#[test]
fn whole_bodies() {
    for mode in MODES {
        for sizes in [&[][..], &[1], &[8192, 1], &[10_000, 8192, 8192]] {
            let (body, decoder) = framed(mode, sizes);
            let (out, trailers) = decode(decoder, &body).unwrap();
            assert!(out == data(sizes.iter().sum()), "{mode:?} {sizes:?}");
            assert_eq!(trailers, if mode == SIGNED { vec![] } else { vec![checksum()] });
        }
    }
}

#[test]
fn data_is_not_copied() {
    let (body, mut decoder) = framed(SIGNED, &[8192]);
    let mut input = Bytes::from(body);
    let whole = input.clone();
    let piece = decoder.push(&mut input).unwrap().unwrap();
    let start = find(&whole, "\r\n") + 2;
    assert_eq!(piece.as_ptr(), whole[start..].as_ptr());
}

#[test]
fn every_prefix_is_incomplete() {
    for mode in MODES {
        let (body, _) = framed(mode, &[8192, 3]);
        let interesting = (0..200).chain(8000..body.len());
        for end in interesting {
            let (_, decoder) = framed(mode, &[8192, 3]);
            assert!(decode(decoder, &body[..end]).is_err(), "{mode:?} {end}");
        }
    }
}

#[test]
fn bytes_after_the_end() {
    for mode in MODES {
        let (mut body, decoder) = framed(mode, &[100]);
        body.extend_from_slice(b"x");
        assert!(decode(decoder, &body).is_err(), "{mode:?}");
        let (mut body, decoder) = framed(mode, &[100]);
        body.extend_from_slice(b"\r\n\r\n");
        assert!(decode(decoder, &body).is_err(), "{mode:?}");
    }
    // minio-go ends an unsigned trailer so.
    let (mut body, decoder) = framed(UNSIGNED_TRAILER, &[100]);
    body.extend_from_slice(b"\r\n");
    assert!(decode(decoder, &body).is_ok());
}

#[test]
fn altered_data_and_signatures() {
    for mode in [SIGNED, SIGNED_TRAILER] {
        let (body, _) = framed(mode, &[8192, 3]);
        let last = body.len() - 20;
        for at in [find(&body, "signature=") + 10, 100, 4000, 8192, last] {
            let (mut body, decoder) = framed(mode, &[8192, 3]);
            body[at] = if body[at] == b'0' { b'1' } else { b'0' };
            assert!(is_mismatch(&decode(decoder, &body)), "{mode:?} {at}");
        }
    }
}

#[test]
fn an_altered_trailer() {
    let (mut body, decoder) = framed(SIGNED_TRAILER, &[3]);
    let at = find(&body, "AAAAAA==");
    body[at] = b'B';
    assert!(is_mismatch(&decode(decoder, &body)));
}

#[test]
fn chunks_in_another_order() {
    let (body, decoder) = framed(SIGNED, &[8192, 8192]);
    let chunk = "2000;chunk-signature=".len() + 64 + 2 + 8192 + 2;
    let swapped = [&body[chunk..2 * chunk], &body[..chunk], &body[2 * chunk..]].concat();
    assert!(is_mismatch(&decode(decoder, &swapped)));
}

#[test]
fn a_chunk_of_another_upload() {
    let (theirs, _) = framed(SIGNED_TRAILER, &[100]);
    let (_, decoder) = framed(SIGNED, &[100]);
    assert!(is_mismatch(&decode(decoder, &theirs)));
}

#[test]
fn small_chunks_before_the_last() {
    for mode in MODES {
        let (body, decoder) = framed(mode, &[8191, 1]);
        assert_eq!(decode(decoder, &body).unwrap_err(), Error::InvalidChunkSize { chunk: 2, size: 8191 });
    }
}

#[test]
fn more_or_less_than_declared() {
    for (declared, sent) in [(10, 9), (10, 11), (0, 1), (1, 0)] {
        let (mut chunks, decoder) = open(SIGNED, declared);
        let mut body = Vec::new();
        if sent > 0 {
            chunks.chunk(&data(sent), &mut body);
        }
        chunks.finish(&[], &mut body);
        assert_eq!(decode(decoder, &body).unwrap_err(), Error::IncompleteBody);
    }
}

#[test]
fn broken_framing() {
    for text in [
        "5\nhello\r\n0\r\n",
        "\r\n",
        "5;x=y\r\nhello",
        "00000000000000005\r\nhello",
        "5 \r\nhello",
        "-5\r\nhello",
        "0x5\r\nhello",
        "5\r\nhelloxx",
        "5\r\nhello\n",
        "5\r\nhello\r\r\n",
        "ffffffffffffffff\r\n",
    ] {
        let (_, decoder) = open(UNSIGNED_TRAILER, 5);
        assert!(decode(decoder, text.as_bytes()).is_err(), "{text:?}");
    }
    // A signed body must not be given without signatures, nor the other way about.
    let (_, decoder) = open(SIGNED, 5);
    assert!(decode(decoder, b"5\r\nhello\r\n0\r\n\r\n").is_err());
    let (body, _) = framed(SIGNED, &[5]);
    let (_, decoder) = open(UNSIGNED_TRAILER, 5);
    assert!(decode(decoder, &body).is_err());
}

#[test]
fn endless_lines() {
    let (_, decoder) = open(UNSIGNED_TRAILER, 5);
    assert!(matches!(decode(decoder, &[b'0'; 100_000]), Err(Error::MalformedChunk(_))));
    let (_, decoder) = open(UNSIGNED_TRAILER, 0);
    let body = [b"0\r\nx-amz-checksum-crc32:".as_slice(), &[b'A'; MAX_TRAILER_BYTES]].concat();
    assert_eq!(decode(decoder, &body).unwrap_err(), Error::MalformedTrailer);
    let (_, decoder) = open(UNSIGNED_TRAILER, 0);
    let body = [b"0\r\n".as_slice(), &b"a:b\r\n".repeat(1000)].concat();
    assert_eq!(decode(decoder, &body).unwrap_err(), Error::MalformedTrailer);
}

#[test]
fn trailers_are_those_announced() {
    for (trailer, error) in [
        ("", Error::IncompleteBody),
        ("x-amz-checksum-sha1:AAAA\r\n", Error::MalformedTrailer),
        ("x-amz-checksum-crc32:A\r\nx-amz-checksum-crc32:B\r\n", Error::MalformedTrailer),
        ("x-amz-checksum-crc32:A\r\nx-amz-checksum-sha1:B\r\n", Error::MalformedTrailer),
        ("x-amz-trailer-signature:00\r\n", Error::MalformedTrailer),
        ("no colon\r\n", Error::MalformedTrailer),
        (":value\r\n", Error::MalformedTrailer),
    ] {
        let (_, decoder) = open(UNSIGNED_TRAILER, 0);
        assert_eq!(decode(decoder, format!("0\r\n{trailer}\r\n").as_bytes()).unwrap_err(), error, "{trailer:?}");
    }
    let (_, decoder) = open(UNSIGNED_TRAILER, 0);
    let (_, trailers) = decode(decoder, b"0\r\nX-Amz-Checksum-CRC32 : AAAAAA== \r\n\r\n").unwrap();
    assert_eq!(trailers, [checksum()]);
}

#[test]
fn a_trailer_without_its_signature() {
    let (body, decoder) = framed(SIGNED_TRAILER, &[3]);
    let at = find(&body, "x-amz-trailer-signature");
    let bare = [&body[..at], b"\r\n"].concat();
    assert_eq!(decode(decoder, &bare).unwrap_err(), Error::IncompleteBody);
    let (body, decoder) = framed(SIGNED_TRAILER, &[3]);
    let bare = [&body[..at], b"\r\n\r\n"].concat();
    assert_eq!(decode(decoder, &bare).unwrap_err(), Error::IncompleteBody);
}

#[test]
fn heads_that_do_not_fit() {
    let length = ("x-amz-decoded-content-length", "5");
    let error = |payload, headers: &[_]| upload(payload, headers).map(drop).unwrap_err();
    assert_eq!(error(SIGNED, &[]), Error::MissingDecodedContentLength);
    for value in ["", "-1", "+1", "1.0", "99999999999999999999"] {
        let wrong = error(SIGNED, &[("x-amz-decoded-content-length", value)]);
        assert_eq!(wrong, Error::InvalidDecodedContentLength { value: value.to_owned() });
    }
    let announced = ("x-amz-trailer", "x-amz-checksum-crc32");
    assert_eq!(error(SIGNED, &[length, announced]), Error::InvalidTrailerAnnouncement);
    assert_eq!(error(Payload::Unsigned, &[length, announced]), Error::InvalidTrailerAnnouncement);
    for value in ["", "x-amz-meta-a", "x-amz-checksum-crc32,x-amz-checksum-crc32", "x-amz-checksum-crc32,"] {
        let wrong = error(SIGNED_TRAILER, &[length, ("x-amz-trailer", value)]);
        assert_eq!(wrong, Error::InvalidTrailerAnnouncement, "{value}");
    }
}

#[test]
fn nothing_comes_after_an_error() {
    let (_, mut decoder) = open(UNSIGNED_TRAILER, 5);
    assert!(decoder.push(&mut Bytes::from_static(b"zz\r\n")).is_err());
    assert!(decoder.push(&mut Bytes::from_static(b"5\r\nhello\r\n")).is_err());
    assert!(decoder.finish().is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_pieces_decode_alike(
        mode in 0..3usize,
        sizes in prop::collection::vec(8192..20_000usize, 0..3),
        last in 0..9000usize,
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
    ) {
        let mode = MODES[mode];
        let mut sizes = sizes;
        sizes.extend((last > 0).then_some(last));
        let (body, decoder) = framed(mode, &sizes);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len())).collect();
        // The framing is where splits matter: cut each byte of the end on its own.
        cuts.extend(body.len().saturating_sub(150)..=body.len());
        cuts.push(0);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|pair| &body[pair[0]..pair[1]]);
        let (out, trailers) = decode_pieces(decoder, pieces).unwrap();
        prop_assert!(out == data(sizes.iter().sum()));
        prop_assert_eq!(trailers.len(), usize::from(mode != SIGNED));
    }

    #[test]
    fn any_altered_byte_is_noticed(at in any::<prop::sample::Index>(), flip in 1..=255u8) {
        let (mut body, decoder) = framed(SIGNED_TRAILER, &[8192, 40]);
        let at = at.index(body.len());
        let before = body[at];
        body[at] ^= flip;
        // Hexadecimal digits and header names mean the same in either case.
        prop_assume!(!body[at].eq_ignore_ascii_case(&before));
        prop_assert!(decode(decoder, &body).is_err());
    }
}
