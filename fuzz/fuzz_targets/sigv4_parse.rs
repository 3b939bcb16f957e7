//! Whatever a stranger sends as a head: reading and verifying it never panics, and never accepts what was not signed.
#![no_main]

use std::time::{Duration, UNIX_EPOCH};

use arbitrary::Arbitrary;
use http::{HeaderMap, HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;
use sigv4::{Body, Dialect, MAX_SKEW, Policy, RequestHead, Secret, SigningKeys, parse, verify};

#[derive(Debug, Arbitrary)]
struct Input<'a> {
    method: &'a str,
    path: &'a str,
    query: &'a str,
    /// Indices into `NAMES`, and values.
    headers: Vec<(u8, &'a [u8])>,
    service: bool,
    /// Whether the authorization, or the query, begins as a good one does: or else few inputs would get past the first lines.
    helped: Option<bool>,
    body: Option<&'a [u8]>,
}

const NAMES: [&str; 10] = [
    "authorization",
    "host",
    "date",
    "x-amz-date",
    "x-amz-content-sha256",
    "x-amz-security-token",
    "x-amz-decoded-content-length",
    "x-amz-trailer",
    "x-amz-meta-a",
    "content-type",
];

const SIGNATURE: &str = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";

fuzz_target!(|input: Input<'_>| {
    let mut headers = HeaderMap::new();
    for (name, value) in input.headers.iter().take(20) {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(HeaderName::from_static(NAMES[usize::from(*name) % NAMES.len()]), value);
        }
    }
    let service = if input.service { "kms" } else { "s3" };
    let credential = format!("A/20130524/us-east-1/{service}/aws4_request");
    let mut query = input.query.to_owned();
    match input.helped {
        Some(true) => {
            headers.insert("x-amz-date", HeaderValue::from_static("20130524T000000Z"));
            let text = format!(
                "AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host;x-amz-date, Signature={SIGNATURE}"
            );
            headers.insert("authorization", text.parse().expect("ASCII"));
        }
        Some(false) => query.push_str(&format!(
            "&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={credential}&X-Amz-Date=20130524T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature={SIGNATURE}"
        )),
        None => {}
    }
    let head = RequestHead { method: input.method, path: input.path, query: &query, headers: &headers };
    let hint = if input.service { Dialect::Service } else { Dialect::S3 };
    let Ok(Some(claim)) = parse(&head, hint) else { return };
    let policy = Policy { regions: &["us-east-1"], services: &["s3", "kms"], skew: MAX_SKEW };
    let now = UNIX_EPOCH + Duration::from_secs(1_369_353_600);
    let body = input.body.map_or(Body::Streaming, Body::Whole);
    let error = verify(&claim, &head, body, &Secret::new(b"secret"), now, &policy, &SigningKeys::new())
        .expect_err("nobody guesses an HMAC");
    let _ = (error.to_string(), error.service_message());
});
