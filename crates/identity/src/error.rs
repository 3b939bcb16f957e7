//! What an operation can fail with: one variant for each error of the IAM and STS service models, and what only the operator may know.

use std::fmt;

model::errors! {
    Internal(#[from] Internal) = "ServiceFailure", "An internal failure occurred. The request can be retried.";
    /// The caller may not do this, for a reason that no policy decides: an account that may not act, say.
    AccessDenied = "AccessDenied",
    /// Others changed the same entities over and over while this request tried.
    ConcurrentModification = "ConcurrentModification",
    /// Something hangs on what was to be deleted.
    DeleteConflict = "DeleteConflict",
    /// An entity of this name exists.
    EntityAlreadyExists = "EntityAlreadyExists",
    /// The entity cannot be changed just now.
    EntityTemporarilyUnmodifiable = "EntityTemporarilyUnmodifiable",
    /// The session token of a request has expired (STS), or a web identity token.
    ExpiredToken = "ExpiredTokenException",
    /// The identity provider refused the token's claim (STS).
    IdpRejectedClaim = "IDPRejectedClaim",
    /// The identity provider does not answer (STS).
    IdpCommunication = "IDPCommunicationError",
    /// A code of an MFA device is wrong, or was used before.
    InvalidAuthenticationCode = "InvalidAuthenticationCode",
    /// What DecodeAuthorizationMessage cannot read (STS).
    InvalidAuthorizationMessage = "InvalidAuthorizationMessageException",
    /// A web identity token that is not what it should be (STS).
    InvalidIdentityToken = "InvalidIdentityToken",
    /// A value that the operation does not take.
    InvalidInput = "InvalidInput",
    /// A quota is exceeded.
    LimitExceeded = "LimitExceeded",
    /// What is no policy document.
    MalformedPolicyDocument = "MalformedPolicyDocument",
    /// The entity does not exist.
    NoSuchEntity = "NoSuchEntity",
    /// The identity provider cannot be reached (OIDC).
    OpenIdIdpCommunication = "OpenIdIdpCommunicationError",
    /// Session policies and tags are too large (STS).
    PackedPolicyTooLarge = "PackedPolicyTooLarge",
    /// A condition or a simulation cannot be evaluated.
    PolicyEvaluation = "PolicyEvaluation",
    /// The policy is not for being attached.
    PolicyNotAttachable = "PolicyNotAttachable",
    /// The entity belongs to a service.
    UnmodifiableEntity = "UnmodifiableEntity",
    /// A parameter breaks the service model's constraints.
    Validation = "ValidationError",
}

/// What failed inside; for the log.
#[derive(Debug, thiserror::Error)]
pub enum Internal {
    /// The metadata store refused or failed.
    #[error("the metadata store: {0}")]
    Store(#[from] meta::Error),
    /// The task that commits was stopped.
    #[error("the process is stopping")]
    Stopped,
    /// A stored row does not open or does not parse, or names one that is not there: damaged, swapped or forged.
    #[error("stored record damaged: {0}")]
    Damaged(Damage),
}

/// Which stored row is damaged. Holds no secret: row keys and ids alone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Damage {
    /// What the row holds: "user", "access key", ...
    pub what: &'static str,
    /// The row key in hexadecimal.
    pub row: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at row {}", self.what, self.row)
    }
}

impl Error {
    pub(crate) fn damaged(what: &'static str, row: &[u8]) -> Self {
        Internal::Damaged(Damage { what, row: data_encoding::HEXLOWER.encode(row) }).into()
    }

    /// AWS's answer when a quota of the account is reached.
    pub(crate) fn quota(name: &str, limit: usize) -> Self {
        Self::LimitExceeded(format!("Cannot exceed quota for {name}: {limit}"))
    }
}

impl From<meta::Error> for Error {
    fn from(error: meta::Error) -> Self {
        Internal::Store(error).into()
    }
}
