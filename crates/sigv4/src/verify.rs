use std::time::{Duration, SystemTime};

use http::HeaderMap;

use crate::{Body, BodyCheck, Claim, Error, Mechanism, Payload, RequestHead, Secret, SigningKeys, Timestamp};

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
    checked: bool,
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
    /// An aws-chunked body without a valid `x-amz-decoded-content-length` or `x-amz-trailer`.
    pub fn body_check(&self, headers: &HeaderMap) -> Result<BodyCheck, Error> {
        let _ = (headers, self.checked);
        todo!()
    }
}

/// Checks `claim` against the request it came from: scope, time, headers that must be signed, signature.
///
/// `keys` caches signing keys; one for the process will do.
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
    let _ = (claim, head, body, secret, now, policy, keys);
    todo!()
}
