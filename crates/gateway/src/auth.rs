//! Who signed a request. The only maker of [`Authenticated`].

use std::sync::{Arc, LazyLock};
use std::time::SystemTime;

use http::HeaderMap;
use identity::{Credential, Unknown};
use policy::{Principal, RequestFacts};
use sigv4::{Body, BodyCheck, Claim, Dialect, Policy, RequestHead, Secret};

use crate::app::App;

/// A request whose signature was right, and whom it speaks for; or one that nobody signed, which S3 alone takes. Made in this file
/// alone.
#[derive(Debug)]
pub struct Authenticated {
    proof: Option<sigv4::Authenticated>,
    principal: Arc<Principal>,
    facts: Arc<RequestFacts>,
    region: String,
}

impl Authenticated {
    /// A request without a signature, to S3 in its Region.
    ///
    /// # Errors
    /// What its headers say of its body cannot be.
    pub(crate) fn anonymous(
        headers: &HeaderMap,
        facts: Arc<RequestFacts>,
        region: &str,
    ) -> Result<(Authenticated, BodyCheck), Refusal> {
        static ANYBODY: LazyLock<Arc<Principal>> = LazyLock::new(|| Arc::new(Principal::anonymous()));
        let check = sigv4::unsigned_body_check(headers)?;
        let principal = Arc::clone(&ANYBODY);
        Ok((Authenticated { proof: None, principal, facts, region: region.to_owned() }, check))
    }

    /// Who signed.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// What was signed: scope, mechanism (header or presigned), payload mode. None of an anonymous request.
    pub fn signature(&self) -> Option<&sigv4::Authenticated> {
        self.proof.as_ref()
    }

    /// How the request came.
    pub fn facts(&self) -> &Arc<RequestFacts> {
        &self.facts
    }

    /// The Region that answers it.
    pub fn region(&self) -> &str {
        &self.region
    }

    pub(crate) fn shared_principal(&self) -> Arc<Principal> {
        Arc::clone(&self.principal)
    }
}

/// Why a request was not let in. Each service words it in its own shape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No signature at all. S3: `AccessDenied`; JSON services: `MissingAuthenticationTokenException`.
    #[error("Access Denied")]
    Anonymous,
    /// The signature, its scope, its time or the key that it names. See [`sigv4::Error`] for the codes.
    #[error(transparent)]
    Signature(#[from] sigv4::Error),
    /// The session has ended. S3: `ExpiredToken` (400); JSON services: `ExpiredTokenException`; IAM and STS: `ExpiredToken` (403).
    #[error("The provided token has expired.")]
    Expired,
    /// Who signed could not be looked up; the reason is in the log.
    #[error("We encountered an internal error. Please try again.")]
    Failed,
}

/// What `head` claims about who signed it. Nothing is believed yet; `hint` says whose errors to speak.
///
/// # Errors
/// [`Refusal`]: no signature, or none that can be read.
pub(crate) fn claim<'a>(head: &RequestHead<'a>, hint: Dialect) -> Result<Claim<'a>, Refusal> {
    sigv4::parse(head, hint)?.ok_or(Refusal::Anonymous)
}

/// The credential that a claim names, with its session token if it has one.
///
/// # Errors
/// [`Refusal`].
pub(crate) async fn credential(app: &App, claim: &Claim<'_>) -> Result<Arc<Credential>, Refusal> {
    app.identity.resolve(claim.access_key_id(), claim.session_token()).await.map_err(|unknown| match unknown {
        Unknown::NoSuchKey => {
            sigv4::Error::InvalidAccessKeyId { access_key_id: claim.access_key_id().to_owned() }.into()
        }
        Unknown::InvalidToken => sigv4::Error::InvalidToken.into(),
        Unknown::Expired => Refusal::Expired,
        Unknown::Failed(error) => {
            tracing::error!(%error, "a credential could not be looked up");
            Refusal::Failed
        }
    })
}

/// What a signature is held against besides the request itself.
pub(crate) struct Expected<'a> {
    /// The service that it must be for.
    pub(crate) service: &'a str,
    /// The Region that it must be for.
    pub(crate) signed_for: &'a str,
    /// The Region that answers.
    pub(crate) region: &'a str,
    /// Streaming for S3, whole for the others.
    pub(crate) body: Body<'a>,
    pub(crate) now: SystemTime,
}

/// Verifies `claim` with the secret of its `credential`. Returns how the body must be read, too.
///
/// # Errors
/// [`Refusal`].
pub(crate) fn authenticate(
    app: &App,
    claim: &Claim<'_>,
    head: &RequestHead<'_>,
    credential: &Credential,
    facts: Arc<RequestFacts>,
    expected: Expected<'_>,
) -> Result<(Authenticated, BodyCheck), Refusal> {
    let Expected { service, signed_for, region, body, now } = expected;
    let policy = Policy { regions: &[signed_for], services: &[service], skew: sigv4::MAX_SKEW };
    let secret = Secret::new(&credential.secret);
    let proof = sigv4::verify(claim, head, body, &secret, now, &policy, &app.signing_keys)?;
    let check = proof.body_check(head.headers)?;
    let principal = Arc::clone(&credential.principal);
    Ok((Authenticated { proof: Some(proof), principal, facts, region: region.to_owned() }, check))
}
