//! Who signed a request. The only maker of [`Authenticated`].

use std::sync::Arc;
use std::time::SystemTime;

use keys::Principal;
use sigv4::{Body, BodyCheck, Claim, Dialect, Policy, RequestHead};

use crate::app::App;

/// A request whose signature was right, and whom it speaks for. Made by `authenticate` alone.
#[derive(Debug)]
pub struct Authenticated {
    proof: sigv4::Authenticated,
    principal: Arc<Principal>,
}

impl Authenticated {
    /// Who signed.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// What was signed: scope, mechanism (header or presigned), payload mode.
    pub fn signature(&self) -> &sigv4::Authenticated {
        &self.proof
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
}

impl Refusal {
    /// The claim names an access key that nobody has.
    pub(crate) fn unknown_key(claim: &Claim<'_>) -> Refusal {
        sigv4::Error::InvalidAccessKeyId { access_key_id: claim.access_key_id().to_owned() }.into()
    }
}

/// What `head` claims about who signed it. Nothing is believed yet; `hint` says whose errors to speak.
///
/// # Errors
/// [`Refusal`]: no signature, or none that can be read.
pub(crate) fn claim<'a>(head: &RequestHead<'a>, hint: Dialect) -> Result<Claim<'a>, Refusal> {
    sigv4::parse(head, hint)?.ok_or(Refusal::Anonymous)
}

/// Verifies `claim` for `service` in `region`; `body` is streaming for S3, whole for the others. Returns how the body must be
/// read.
///
/// # Errors
/// [`Refusal`].
pub(crate) fn authenticate(
    app: &App,
    claim: &Claim<'_>,
    head: &RequestHead<'_>,
    service: &str,
    region: &str,
    body: Body<'_>,
    now: SystemTime,
) -> Result<(Authenticated, BodyCheck), Refusal> {
    let entry = app.accounts.find(claim.access_key_id()).ok_or_else(|| Refusal::unknown_key(claim))?;
    let policy = Policy { regions: &[region], services: &[service], skew: sigv4::MAX_SKEW };
    let proof = sigv4::verify(claim, head, body, &entry.secret, now, &policy, &app.signing_keys)?;
    let check = proof.body_check(head.headers)?;
    Ok((Authenticated { proof, principal: Arc::clone(&entry.principal) }, check))
}
