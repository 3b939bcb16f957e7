//! What several operations refuse alike, beyond the service model's constraints.

use crate::error::Error;

/// An answer for an enclave is encrypted to the enclave's attested key. What cannot be must not be answered in plaintext.
pub(super) fn refuse_recipient<T>(recipient: Option<&T>) -> Result<(), Error> {
    match recipient {
        Some(_) => {
            Err(Error::UnsupportedOperation("Recipient (attestation of an enclave) is not supported.".to_owned()))
        }
        None => Ok(()),
    }
}

/// The end of every cryptographic operation with `DryRun`: all checks have passed.
pub(super) fn stop_dry_run(dry_run: Option<bool>) -> Result<(), Error> {
    if dry_run == Some(true) {
        let text = "The request would have succeeded, but the DryRun option is set.";
        return Err(Error::DryRunOperation(text.to_owned()));
    }
    Ok(())
}
