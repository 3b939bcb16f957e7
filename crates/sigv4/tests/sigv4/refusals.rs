//! What is refused, and in AWS's words.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, HeaderName, HeaderValue};
use sigv4::{
    Authenticated, Body, Dialect, Error, MAX_SKEW, Payload, Policy, RequestHead, Secret, Signer, SigningKeys, parse,
    verify,
};

fn midnight() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_369_353_600)
}

fn secret() -> Secret {
    Secret::new(b"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
}

/// A GET of `/bucket/key`, signed for `service` in us-east-1.
struct Request {
    query: String,
    headers: HeaderMap,
    service: &'static str,
    now: SystemTime,
}

impl Request {
    fn signed(service: &'static str) -> Request {
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_static("localhost:9000"));
        let signer = Signer::new("AKIAIOSFODNN7EXAMPLE", &secret(), "us-east-1", service);
        signer.sign("GET", "/bucket/key", "a=1", &mut headers, Payload::of(b""), midnight()).unwrap();
        Request { query: "a=1".to_owned(), headers, service, now: midnight() }
    }

    fn presigned() -> Request {
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_static("localhost:9000"));
        let head = RequestHead { method: "GET", path: "/bucket/key", query: "a=1", headers: &headers };
        let signer = Signer::new("AKIAIOSFODNN7EXAMPLE", &secret(), "us-east-1", "s3");
        let query = signer.presign(&head, 600, midnight()).unwrap();
        Request { query, headers, service: "s3", now: midnight() }
    }

    fn with(mut self, name: &'static str, value: &str) -> Request {
        self.headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        self
    }

    fn without(mut self, name: &str) -> Request {
        self.headers.remove(name);
        self
    }

    /// With `from` in the authorization header made `to`.
    fn edited(mut self, from: &str, to: &str) -> Request {
        let text = self.headers["authorization"].to_str().unwrap().replace(from, to);
        self.headers.insert("authorization", text.parse().unwrap());
        self
    }

    /// With `from` in the query made `to`.
    fn asking(mut self, from: &str, to: &str) -> Request {
        assert!(self.query.contains(from));
        self.query = self.query.replace(from, to);
        self
    }

    fn at(mut self, seconds: i64) -> Request {
        let shift = Duration::from_secs(seconds.unsigned_abs());
        self.now = if seconds < 0 { self.now - shift } else { self.now + shift };
        self
    }

    fn verify(&self) -> Result<Option<Authenticated>, Error> {
        self.verify_for("us-east-1")
    }

    fn verify_for(&self, region: &str) -> Result<Option<Authenticated>, Error> {
        let head = RequestHead { method: "GET", path: "/bucket/key", query: &self.query, headers: &self.headers };
        let hint = Dialect::of(self.service);
        let Some(claim) = parse(&head, hint)? else { return Ok(None) };
        let policy = Policy { regions: &[region], services: &[self.service], skew: MAX_SKEW };
        verify(&claim, &head, Body::Streaming, &secret(), self.now, &policy, &SigningKeys::new()).map(Some)
    }

    fn error(&self) -> Error {
        self.verify().unwrap_err()
    }
}

fn malformed(reason: &str) -> Error {
    Error::AuthorizationHeaderMalformed { reason: reason.to_owned(), region: None }
}

#[test]
fn what_was_signed_is_accepted() {
    assert!(Request::signed("s3").verify().unwrap().is_some());
    assert!(Request::signed("kms").verify().unwrap().is_some());
    assert!(Request::presigned().verify().unwrap().is_some());
}

#[test]
fn nothing_claimed_is_anonymous() {
    assert!(Request::signed("s3").without("authorization").verify().unwrap().is_none());
}

#[test]
fn other_mechanisms() {
    let error = |text: &str| Request::signed("s3").with("authorization", text).error();
    assert_eq!(error("Bearer abc"), Error::UnsupportedAuthorization);
    assert_eq!(error("AWS4-HMAC-SHA512 Credential=x"), Error::UnsupportedAuthorization);
    assert_eq!(error("AWS AKIAIOSFODNN7EXAMPLE:frJIUN8DYpKDtOLCwo//yllqDzg="), Error::UnsupportedMechanism);
    assert_eq!(error("AWS4-ECDSA-P256-SHA256 Credential=x"), Error::UnsupportedMechanism);

    let version_2 =
        Request::signed("s3").without("authorization").asking("a=1", "AWSAccessKeyId=A&Signature=b&Expires=1");
    assert_eq!(version_2.error(), Error::UnsupportedMechanism);
    let both = Request::presigned().with("authorization", "AWS4-HMAC-SHA256 Credential=x");
    assert_eq!(both.error(), Error::SeveralMechanisms);
    let twice = {
        let mut request = Request::signed("s3");
        let value = request.headers["authorization"].clone();
        request.headers.append("authorization", value);
        request
    };
    assert_eq!(twice.error(), Error::UnsupportedAuthorization);
}

#[test]
fn broken_headers() {
    for (from, to, reason) in [
        (
            "Credential=",
            "Credence=",
            "the authorization component \"Credence=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request\" is malformed.",
        ),
        ("/s3/", "/", "the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\"."),
        (
            "/20130524/",
            "/2013-5-24/",
            "incorrect date format \"2013-5-24\". This date in the credential must be in the format \"yyyyMMdd\".",
        ),
        (
            "/20130524/",
            "/20130525/",
            "Invalid credential date \"20130525\". This date is not the same as X-Amz-Date: \"20130524\".",
        ),
        ("aws4_request", "aws4", "incorrect terminal \"aws4\". This endpoint uses \"aws4_request\"."),
        ("=host;", "=host;host;", "the authorization component \"SignedHeaders\" is malformed."),
        ("=host;", "=Host;", "the authorization component \"SignedHeaders\" is malformed."),
        ("Signature=", "Signature=z", "the authorization component \"Signature\" is malformed."),
    ] {
        assert_eq!(Request::signed("s3").edited(from, to).error(), malformed(reason));
    }
    let parts = |text: &str| Request::signed("s3").with("authorization", text).error();
    assert_eq!(parts("AWS4-HMAC-SHA256 Credential=a,SignedHeaders=b"), malformed("missing Signature."));
    let reason = "the authorization header requires three components: Credential, SignedHeaders, and Signature.";
    assert_eq!(parts("AWS4-HMAC-SHA256"), malformed(reason));
    let kms = Request::signed("kms").with("authorization", "AWS4-HMAC-SHA256 Credential=a").error();
    let reason =
        "Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter.";
    assert_eq!(kms, Error::IncompleteSignature(reason.to_owned()));
}

#[test]
fn scopes_of_others() {
    let error = Request::signed("s3").verify_for("eu-west-1").unwrap_err();
    assert_eq!(
        error.to_string(),
        "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-west-1'"
    );
    assert!(matches!(error, Error::AuthorizationHeaderMalformed { region: Some(region), .. } if region == "eu-west-1"));
    let error = Request::presigned().verify_for("eu-west-1").unwrap_err();
    assert_eq!(
        error.to_string(),
        "Error parsing the X-Amz-Credential parameter; the region 'us-east-1' is wrong; expecting 'eu-west-1'"
    );
    let error = Request::signed("kms").verify_for("eu-west-1").unwrap_err();
    assert_eq!(error, Error::InvalidScope("Credential should be scoped to a valid region.".to_owned()));
    let mut request = Request::signed("kms");
    request.service = "sts";
    assert_eq!(
        request.error(),
        Error::InvalidScope("Credential should be scoped to correct service: 'sts'.".to_owned())
    );
}

#[test]
fn clocks_apart() {
    for seconds in [-900, 900] {
        assert!(Request::signed("s3").at(seconds).verify().is_ok());
    }
    for seconds in [-901, 901] {
        assert!(matches!(Request::signed("s3").at(seconds).error(), Error::RequestTimeTooSkewed { .. }));
    }
    assert_eq!(
        Request::signed("kms").at(901).error().service_message(),
        "Signature expired: 20130524T000000Z is now earlier than 20130524T000001Z (20130524T001501Z - 15 min.)"
    );
    assert_eq!(
        Request::signed("kms").at(-901).error().service_message(),
        "Signature not yet current: 20130524T000000Z is still later than 20130523T235959Z (20130523T234459Z + 15 min.)"
    );
    assert_eq!(Request::signed("s3").without("x-amz-date").error(), Error::MissingDate);
    assert_eq!(Request::signed("s3").with("x-amz-date", "noon").error(), Error::MissingDate);
}

#[test]
fn presigned_lives() {
    assert!(Request::presigned().at(600).verify().is_ok());
    assert!(matches!(Request::presigned().at(601).error(), Error::RequestExpired { lifetime: 600, .. }));
    for (value, reason) in [
        ("x", "X-Amz-Expires should be a number"),
        ("-1", "X-Amz-Expires must be non-negative"),
        ("0", "X-Amz-Expires must be at least 1 second"),
        (
            "604801",
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds",
        ),
    ] {
        let request = Request::presigned().asking("Expires=600", &format!("Expires={value}"));
        assert_eq!(request.error().to_string(), reason);
    }
    let missing = Request::presigned().asking("X-Amz-Expires=600&", "");
    assert!(missing.error().to_string().starts_with("Query-string authentication version 4 requires"));
    let twice = Request::presigned().asking("X-Amz-Expires=600&", "X-Amz-Expires=600&X-Amz-Expires=600&");
    assert!(matches!(twice.error(), Error::AuthorizationQueryParametersError { .. }));
}

#[test]
fn headers_that_were_not_signed() {
    for request in [Request::signed("s3"), Request::presigned(), Request::signed("kms")] {
        let error = request.with("x-amz-tagging", "a=b").with("x-amz-acl", "public-read").error();
        assert_eq!(error, Error::HeadersNotSigned { names: "x-amz-acl, x-amz-tagging".to_owned() });
    }
    let error = Request::signed("s3").edited("=host;", "=").error();
    assert_eq!(error, Error::HeadersNotSigned { names: "host".to_owned() });
    assert!(Request::presigned().with("content-type", "text/plain").verify().is_ok());
    assert!(Request::signed("s3").with("x-amzn-trace-id", "Root=1").verify().is_ok());
}

#[test]
fn session_tokens() {
    let unsigned = Error::HeadersNotSigned { names: "x-amz-security-token".to_owned() };
    for request in [Request::signed("s3"), Request::signed("kms"), Request::presigned()] {
        assert_eq!(request.with("x-amz-security-token", "t").error(), unsigned);
    }
    // In the query it is part of what was signed.
    let query = Request::presigned().asking("&X-Amz-Date", "&X-Amz-Security-Token=t&X-Amz-Date");
    assert!(matches!(query.error(), Error::SignatureDoesNotMatch(_)));
    assert_eq!(query.with("x-amz-security-token", "t").error(), Error::InvalidToken);
    let twice = Request::presigned().asking("&X-Amz-Date", "&X-Amz-Security-Token=t&X-Amz-Security-Token=u&X-Amz-Date");
    assert!(matches!(twice.error(), Error::AuthorizationQueryParametersError { .. }));
}

#[test]
fn words_for_the_payload() {
    assert_eq!(Request::signed("s3").without("x-amz-content-sha256").error(), Error::MissingContentSha256);
    let unknown = Request::signed("s3").with("x-amz-content-sha256", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD");
    assert!(matches!(unknown.error(), Error::InvalidContentSha256 { .. }));
    let other = Request::signed("s3").with("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
    assert!(matches!(other.error(), Error::SignatureDoesNotMatch(_)));
}

#[test]
fn a_wrong_signature_says_what_was_expected() {
    let Error::SignatureDoesNotMatch(mismatch) = Request::signed("s3").asking("a=1", "a=2").error() else {
        panic!("a changed query");
    };
    let canonical = String::from_utf8(mismatch.canonical_request).unwrap();
    assert!(canonical.starts_with("GET\n/bucket/key\na=2\nhost:localhost:9000\n"), "{canonical}");
    let to_sign = String::from_utf8(mismatch.string_to_sign).unwrap();
    assert!(to_sign.starts_with("AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request\n"));
    assert_eq!(mismatch.access_key_id, "AKIAIOSFODNN7EXAMPLE");
    assert_eq!(mismatch.provided.len(), 64);
}

#[test]
fn a_signed_empty_header_cannot_be_taken_away() {
    let mut headers = HeaderMap::new();
    headers.insert("host", HeaderValue::from_static("localhost"));
    headers.insert("if-match", HeaderValue::from_static(""));
    let signer = Signer::new("AKIAIOSFODNN7EXAMPLE", &secret(), "us-east-1", "s3");
    signer.sign("GET", "/bucket/key", "a=1", &mut headers, Payload::Unsigned, midnight()).unwrap();
    let request = Request { query: "a=1".to_owned(), headers, service: "s3", now: midnight() };
    assert!(request.verify().is_ok());
    assert!(matches!(request.without("if-match").error(), Error::SignatureDoesNotMatch(_)));
}

#[test]
fn a_body_at_hand_is_checked_at_once() {
    let request = Request::signed("s3");
    let head = RequestHead { method: "GET", path: "/bucket/key", query: "a=1", headers: &request.headers };
    let claim = parse(&head, Dialect::S3).unwrap().unwrap();
    let policy = Policy { regions: &["us-east-1"], services: &["s3"], skew: MAX_SKEW };
    let check = |body| verify(&claim, &head, Body::Whole(body), &secret(), midnight(), &policy, &SigningKeys::new());
    assert!(matches!(check(b"").unwrap().body_check(&request.headers), Ok(sigv4::BodyCheck::Plain)));
    assert!(matches!(check(b"x").unwrap_err(), Error::XAmzContentSHA256Mismatch { .. }));
}

#[test]
fn a_service_takes_no_body_on_trust() {
    let request = Request::signed("kms");
    let authenticated = request.verify().unwrap().unwrap();
    let Ok(sigv4::BodyCheck::Sha256(mut hasher)) = authenticated.body_check(&request.headers) else {
        panic!("a body that is still to come is checked");
    };
    hasher.update(b"x");
    assert!(matches!(hasher.finish(), Err(Error::XAmzContentSHA256Mismatch { .. })));
}

#[test]
fn services_without_regions_may_be_signed_for_none() {
    for (service, let_in) in [("iam", true), ("sts", true), ("kms", false), ("s3", false)] {
        let mut request = Request::signed(service);
        let signer = Signer::new("AKIAIOSFODNN7EXAMPLE", &secret(), "", service);
        request.headers.remove("authorization");
        signer.sign("GET", "/bucket/key", "a=1", &mut request.headers, Payload::of(b""), midnight()).unwrap();
        assert_eq!(matches!(request.verify_for(""), Ok(Some(_))), let_in, "{service}");
        // It is a Region like any other: another one's signature it is not.
        assert!(request.edited("//", "/us-east-1/").verify().is_err(), "{service}");
    }
}
