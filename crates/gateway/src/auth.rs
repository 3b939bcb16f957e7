//! Who signed a request. The only maker of [`Authenticated`].

use std::sync::Arc;

use keys::Principal;
use sigv4::{Body, BodyCheck, Dialect, Policy, RequestHead};

use crate::app::App;
use crate::request::Request;

/// A request whose signature was right, and whom it speaks for. Made by [`authenticate`] alone.
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

/// The service that the credential scope of `request` names. Nothing is believed yet.
///
/// # Errors
/// [`Refusal`]: no signature, or none that can be read.
pub(crate) fn scope(request: &Request, hint: Dialect) -> Result<String, Refusal> {
    let claim = sigv4::parse(&head(request), hint)?.ok_or(Refusal::Anonymous)?;
    Ok(claim.scope().service.clone().into_owned())
}

/// Authenticates `request` for `service`; `body` is streaming for S3, whole for the others. Returns how the body must be read.
///
/// # Errors
/// [`Refusal`].
pub(crate) fn authenticate(
    app: &App,
    request: &Request,
    service: &str,
    dialect: Dialect,
    body: Body<'_>,
) -> Result<(Authenticated, BodyCheck), Refusal> {
    let head = head(request);
    let claim = sigv4::parse(&head, dialect)?.ok_or(Refusal::Anonymous)?;
    let entry = app
        .accounts
        .find(claim.access_key_id())
        .ok_or_else(|| sigv4::Error::InvalidAccessKeyId { access_key_id: claim.access_key_id().to_owned() })?;
    let policy = Policy { regions: &[app.settings.region.as_str()], services: &[service], skew: sigv4::MAX_SKEW };
    let proof = sigv4::verify(&claim, &head, body, &entry.secret, request.received, &policy, &app.signing_keys)?;
    let check = proof.body_check(&request.headers)?;
    Ok((Authenticated { proof, principal: Arc::clone(&entry.principal) }, check))
}

fn head(request: &Request) -> RequestHead<'_> {
    RequestHead {
        method: request.method.as_str(),
        path: request.path(),
        query: request.raw_query(),
        headers: &request.headers,
    }
}
