use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::HeaderMap;
use subtle::ConstantTimeEq;

use crate::canonical::{Canonical, EMPTY_SHA256, scope_text, sha256, string_to_sign};
use crate::chunked::{Announced, Chain};
use crate::credential::{Fault, Place};
use crate::encode::{hex32, hex64};
use crate::key::SigningKey;
use crate::{
    Body, BodyCheck, ChunkedDecoder, Claim, Dialect, Error, Mechanism, Mismatch, Payload, PayloadHasher, RequestHead,
    Secret, SigningKeys, Timestamp, presigned,
};

/// What this endpoint accepts.
#[derive(Debug, Clone, Copy)]
pub struct Policy<'a> {
    /// The regions a scope may name; errors name the first.
    pub regions: &'a [&'a str],
    /// The services a scope may name; errors name the first.
    pub services: &'a [&'a str],
    /// How far the time of a request may lie from ours; AWS has [`crate::MAX_SKEW`].
    pub skew: Duration,
}

/// A request whose signature was right. Made by [`verify`] alone.
#[derive(Debug)]
pub struct Authenticated {
    access_key_id: String,
    region: String,
    service: String,
    mechanism: Mechanism,
    time: Timestamp,
    payload: Payload,
    /// The body was at hand and agreed with what was signed.
    whole: bool,
    key: Arc<SigningKey>,
    signature: [u8; 32],
}

impl Authenticated {
    /// Who signed.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// The region of the credential scope.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The service of the credential scope.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service
    }

    /// Header or presigned query.
    #[must_use]
    pub fn mechanism(&self) -> Mechanism {
        self.mechanism
    }

    /// When it was signed.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        self.time
    }

    /// What was signed of the body.
    #[must_use]
    pub fn payload(&self) -> Payload {
        self.payload
    }

    /// How the body must be read, by the signed payload mode and the headers of the same request.
    ///
    /// # Errors
    /// An aws-chunked body without a valid `x-amz-decoded-content-length` or `x-amz-trailer`, or the latter without such a body.
    pub fn body_check(&self, headers: &HeaderMap) -> Result<BodyCheck, Error> {
        check_of(self.payload, Some(self), headers)
    }

    fn chain(&self) -> Chain {
        let time = self.time.text();
        let date = String::from_utf8_lossy(&time[..8]);
        Chain {
            key: Arc::clone(&self.key),
            access_key_id: self.access_key_id.clone(),
            scope: scope_text(&date, &self.region, &self.service),
            time: self.time,
            previous: self.signature,
        }
    }
}

/// How a body must be read that was announced so; `by` signed it.
fn check_of(payload: Payload, by: Option<&Authenticated>, headers: &HeaderMap) -> Result<BodyCheck, Error> {
    let announced = Announced::parse(headers)?;
    let chain = match payload {
        Payload::Signed(_) | Payload::Unsigned | Payload::ChunkedSigned { trailer: false } if !announced.is_empty() => {
            return Err(Error::InvalidTrailerAnnouncement);
        }
        Payload::Signed(claimed) if by.is_none_or(|by| !by.whole) => {
            return Ok(BodyCheck::Sha256(PayloadHasher::new(claimed)));
        }
        Payload::Signed(_) | Payload::Unsigned => return Ok(BodyCheck::Plain),
        Payload::ChunkedSigned { .. } => by.map(Authenticated::chain),
        Payload::ChunkedUnsignedTrailer => None,
    };
    let trailer = !matches!(payload, Payload::ChunkedSigned { trailer: false });
    let decoder = ChunkedDecoder::new(decoded_length(headers)?, trailer.then_some(announced), chain);
    Ok(BodyCheck::Chunked(Box::new(decoder)))
}

/// How the body of a request that nobody signed must be read: what its headers say of it holds all the same.
///
/// # Errors
/// As [`Authenticated::body_check`]; [`Error::InvalidContentSha256`] for a body whose chunks are signed.
pub fn unsigned_body_check(headers: &HeaderMap) -> Result<BodyCheck, Error> {
    let payload = match headers.get(CONTENT_SHA256) {
        None => Payload::Unsigned,
        Some(word) => match Payload::parse(word.as_bytes()) {
            None | Some(Payload::ChunkedSigned { .. }) => return Err(unknown_payload(word.as_bytes())),
            Some(payload) => payload,
        },
    };
    check_of(payload, None, headers)
}

/// Checks `claim` against the request it came from: scope, time, headers that must be signed, signature.
///
/// `secret` is that of the claim's access key id. `keys` caches signing keys; one for the process will do.
///
/// # Errors
/// See [`Error`]; a wrong signature is [`Error::SignatureDoesNotMatch`].
pub fn verify(
    claim: &Claim<'_>,
    head: &RequestHead<'_>,
    body: Body<'_>,
    secret: &Secret,
    now: SystemTime,
    policy: &Policy<'_>,
    keys: &SigningKeys,
) -> Result<Authenticated, Error> {
    check_scope(claim, policy)?;
    check_time(claim, now.into(), policy.skew)?;
    check_signed_headers(claim, head)?;
    let (payload, word) = signed_payload(claim, head, body)?;

    let canonical = Canonical {
        head: *head,
        dialect: claim.dialect,
        signed_headers: &claim.signed_headers,
        payload: &word,
        presigned: matches!(claim.mechanism, Mechanism::Presigned { .. }),
    }
    .request();
    let scope = &claim.scope;
    let to_sign = string_to_sign(claim.time, &scope_text(&scope.date, &scope.region, &scope.service), &canonical);
    let key = keys.find(&claim.access_key_id, secret, &scope.date, &scope.region, &scope.service);
    if !bool::from(key.sign(&to_sign).ct_eq(&claim.signature)) {
        return Err(Error::SignatureDoesNotMatch(Box::new(Mismatch {
            access_key_id: claim.access_key_id.to_string(),
            provided: String::from_utf8_lossy(&hex64(&claim.signature)).into_owned(),
            string_to_sign: to_sign,
            canonical_request: canonical,
        })));
    }
    let whole = check_body(payload, claim.dialect, body)?;
    Ok(Authenticated {
        access_key_id: claim.access_key_id.to_string(),
        region: scope.region.to_string(),
        service: scope.service.to_string(),
        mechanism: claim.mechanism,
        time: claim.time,
        payload,
        whole,
        key,
        signature: claim.signature,
    })
}

fn check_scope(claim: &Claim<'_>, policy: &Policy<'_>) -> Result<(), Error> {
    let place = Place { dialect: claim.dialect, presigned: matches!(claim.mechanism, Mechanism::Presigned { .. }) };
    let (region, service) = (&*claim.scope.region, &*claim.scope.service);
    if !policy.services.contains(&service) {
        let expected = policy.services.first().copied().unwrap_or_default();
        return Err(place.error(Fault::Service { sent: service, expected }));
    }
    if !policy.regions.contains(&region) {
        let expected = policy.regions.first().copied().unwrap_or_default();
        return Err(place.error(Fault::Region { sent: region, expected }));
    }
    Ok(())
}

fn check_time(claim: &Claim<'_>, now: Timestamp, skew: Duration) -> Result<(), Error> {
    let skewed = Error::RequestTimeTooSkewed { request: claim.time, server: now, allowed: skew };
    let early = claim.time > now.plus(skew);
    match (claim.mechanism, claim.dialect) {
        (Mechanism::Header, _) if early || claim.time < now.minus(skew) => Err(skewed),
        (Mechanism::Header, _) => Ok(()),
        (Mechanism::Presigned { .. }, Dialect::S3) if early => Err(Error::RequestNotYetValid),
        (Mechanism::Presigned { .. }, Dialect::Service) if early => Err(skewed),
        (Mechanism::Presigned { lifetime }, _) => {
            let expired = claim.time.plus(Duration::from_secs(lifetime.into()));
            if now > expired { Err(Error::RequestExpired { lifetime, expired, server: now }) } else { Ok(()) }
        }
    }
}

/// `host` and every `x-amz-*` header that was sent must be signed, or whoever forwards a request could change what it asks for.
///
/// `x-amz-content-sha256` is exempt, as with S3: its value is signed in any case, being the last line of the canonical request.
/// `content-type` is documented as required and not enforced: browsers add it to presigned uploads.
fn check_signed_headers(claim: &Claim<'_>, head: &RequestHead<'_>) -> Result<(), Error> {
    let signed = |name: &str| claim.signed_headers.split(';').any(|one| one == name);
    let required = |name: &&str| *name == "host" || (name.starts_with("x-amz-") && *name != CONTENT_SHA256);
    let mut missing: Vec<_> =
        head.headers.keys().map(http::HeaderName::as_str).filter(required).filter(|name| !signed(name)).collect();
    if !head.headers.contains_key("host") && !signed("host") {
        missing.push("host");
    }
    if missing.is_empty() {
        return Ok(());
    }
    missing.sort_unstable();
    Err(Error::HeadersNotSigned { names: missing.join(", ") })
}

const CONTENT_SHA256: &str = "x-amz-content-sha256";

/// What was signed of the body, and the word for it in the canonical request.
fn signed_payload<'a>(
    claim: &Claim<'_>,
    head: &RequestHead<'a>,
    body: Body<'_>,
) -> Result<(Payload, Cow<'a, [u8]>), Error> {
    if claim.dialect == Dialect::Service {
        // The services never take a client's word for the body. One that is not at hand must turn out to be empty.
        let hash = match body {
            Body::Whole(body) if !body.is_empty() => sha256(body),
            _ => hex32(EMPTY_SHA256).expect("a constant of 64 hexadecimal digits"),
        };
        return Ok((Payload::Signed(hash), hex64(&hash).to_vec().into()));
    }
    let header = head.headers.get(CONTENT_SHA256).map(|value| Cow::Borrowed(value.as_bytes()));
    let word = match claim.mechanism {
        Mechanism::Header => header.ok_or(Error::MissingContentSha256)?,
        Mechanism::Presigned { .. } => match (presigned::content_sha256(head.query), header) {
            (Some(query), Some(header)) if query != header => return Err(unknown_payload(&header)),
            (Some(word), _) | (None, Some(word)) => word,
            (None, None) => Cow::Borrowed(b"UNSIGNED-PAYLOAD".as_slice()),
        },
    };
    let payload = Payload::parse(&word).ok_or_else(|| unknown_payload(&word))?;
    Ok((payload, word))
}

fn unknown_payload(word: &[u8]) -> Error {
    Error::InvalidContentSha256 { value: String::from_utf8_lossy(word).into_owned() }
}

/// Whether the body was at hand; if so, it must be what was signed.
fn check_body(payload: Payload, dialect: Dialect, body: Body<'_>) -> Result<bool, Error> {
    match (payload, body) {
        // Its hash has just been verified, for it was made of the body itself.
        (Payload::Signed(_), Body::Whole(_)) if dialect == Dialect::Service => Ok(true),
        (Payload::Signed(claimed), Body::Whole(body)) => {
            let mut hasher = PayloadHasher::new(claimed);
            hasher.update(body);
            hasher.finish().map(|()| true)
        }
        _ => Ok(false),
    }
}

/// `x-amz-decoded-content-length`: the bytes of an aws-chunked body without its framing.
fn decoded_length(headers: &HeaderMap) -> Result<u64, Error> {
    let mut values = headers.get_all("x-amz-decoded-content-length").iter();
    let value = values.next().ok_or(Error::MissingDecodedContentLength)?;
    let digits = value.as_bytes();
    let number = value.to_str().ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    match (number.and_then(|text| text.parse().ok()), values.next()) {
        (Some(length), None) => Ok(length),
        _ => Err(Error::InvalidDecodedContentLength { value: String::from_utf8_lossy(digits).into_owned() }),
    }
}
