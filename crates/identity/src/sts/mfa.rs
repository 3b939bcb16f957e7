//! Codes of MFA devices beside a request.

use policy::Principal;

use crate::Identity;
use crate::error::Error;
use crate::time::Timestamp;

/// When the code of the caller's device was verified: now. `None`: none was passed.
///
/// # Errors
/// [`Error::AccessDenied`]: not both of them, not the caller's device, or not its code.
pub(super) async fn verified(
    identity: &Identity,
    caller: &Principal,
    code: (Option<&str>, Option<&str>),
) -> Result<Option<Timestamp>, Error> {
    let denied = |text: &str| Error::AccessDenied(text.to_owned());
    match code {
        (None, None) => Ok(None),
        (Some(serial), Some(code)) if identity.verify_mfa(caller, serial, code).await? => Ok(Some(identity.now())),
        (Some(_), Some(_)) => Err(denied("MultiFactorAuthentication failed with invalid MFA one time pass code. ")),
        _ => {
            Err(denied("MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code."))
        }
    }
}
