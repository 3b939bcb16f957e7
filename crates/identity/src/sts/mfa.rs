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
        (Some(serial), Some(code)) => {
            // Nobody can have a device yet.
            let _ = (identity, caller, serial, code);
            Err(denied(
                "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.",
            ))
        }
        _ => {
            Err(denied("MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code."))
        }
    }
}
