//! What temporary credentials may never do, whatever policies say.
//!
//! Source: IAM User Guide, "Compare AWS STS credentials".

use policy::{Principal, PrincipalKind};

use crate::error::Error;

/// Why a caller may not use an operation at all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Barred {
    /// IAM does not know such a session: `InvalidClientTokenId`, "The security token included in the request is invalid".
    Iam,
    /// STS: `AccessDenied`.
    Sts,
}

/// Whether a caller is barred from `operation` of `service` (`iam`, `sts`; others bar nobody).
#[must_use]
pub fn barred(caller: &Principal, service: &str, operation: &str) -> Option<Barred> {
    let session = caller.session.as_ref()?;
    match (service, &caller.kind) {
        ("iam", PrincipalKind::FederatedUser { .. }) => Some(Barred::Iam),
        // Sessions of GetSessionToken.
        ("iam", PrincipalKind::User { .. } | PrincipalKind::Root) => session.mfa.is_none().then_some(Barred::Iam),
        ("sts", PrincipalKind::FederatedUser { .. }) => (operation != "GetCallerIdentity").then_some(Barred::Sts),
        ("sts", PrincipalKind::User { .. } | PrincipalKind::Root) => {
            (!matches!(operation, "AssumeRole" | "GetCallerIdentity")).then_some(Barred::Sts)
        }
        ("sts", PrincipalKind::AssumedRole { .. }) => {
            matches!(operation, "GetFederationToken" | "GetSessionToken").then_some(Barred::Sts)
        }
        _ => None,
    }
}

/// The same for an operation of STS.
///
/// # Errors
/// [`Error::AccessDenied`].
pub(super) fn check(caller: &Principal, operation: &str) -> Result<(), Error> {
    match barred(caller, "sts", operation) {
        Some(_) => Err(Error::AccessDenied(format!("Cannot call {operation} with session credentials"))),
        None => Ok(()),
    }
}
