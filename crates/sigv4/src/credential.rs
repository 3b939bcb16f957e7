//! The credential, `<access key id>/<date>/<region>/<service>/aws4_request`, and AWS's words for what may be wrong with it.

use std::borrow::Cow;

use crate::claim::Scope;
use crate::{Dialect, Error, TERMINATOR, Timestamp};

/// The longest access key id, in bytes, as IAM has it
/// (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKey.html>).
const MAX_ACCESS_KEY_ID: usize = 128;

/// Services with one endpoint for all Regions. To them a client that knows no Region may sign with none: the key of an empty Region
/// is derived as that of any other. What the Region has to be, [`Policy`](crate::Policy) says.
const GLOBAL: [&str; 2] = ["iam", "sts"];

/// Where a credential stood and whose words to use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) dialect: Dialect,
    pub(crate) presigned: bool,
}

/// What is wrong with a credential.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault<'a> {
    Malformed(&'a str),
    DateFormat(&'a str),
    Terminator(&'a str),
    DateMismatch { scope: &'a str, time: Timestamp },
    Region { sent: &'a str, expected: &'a str },
    Service { sent: &'a str, expected: &'a str },
}

/// Splits a credential. The access key id and the scope borrow from `credential` wherever that borrows from the request.
pub(crate) fn parse(credential: Cow<'_, str>, place: Place) -> Result<(Cow<'_, str>, Scope<'_>), Error> {
    match credential {
        Cow::Borrowed(text) => {
            let [id, date, region, service] = split(text, place)?;
            let scope = Scope { date: date.into(), region: region.into(), service: service.into() };
            Ok((id.into(), scope))
        }
        Cow::Owned(text) => {
            let [id, date, region, service] = split(&text, place)?.map(str::to_owned);
            Ok((id.into(), Scope { date: date.into(), region: region.into(), service: service.into() }))
        }
    }
}

fn split(text: &str, place: Place) -> Result<[&str; 4], Error> {
    let mut parts = text.split('/');
    let (Some(id), Some(date), Some(region), Some(service), Some(terminator), None) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(place.error(Fault::Malformed(text)));
    };
    let missing = [id, date, service, terminator].contains(&"") || (region.is_empty() && !GLOBAL.contains(&service));
    if missing || id.len() > MAX_ACCESS_KEY_ID {
        return Err(place.error(Fault::Malformed(text)));
    }
    let place = Place { dialect: Dialect::of(service), ..place };
    if date.len() != 8 || !date.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(place.error(Fault::DateFormat(date)));
    }
    if terminator != TERMINATOR {
        return Err(place.error(Fault::Terminator(terminator)));
    }
    Ok([id, date, region, service])
}

impl Place {
    /// The error for `fault`.
    pub(crate) fn error(self, fault: Fault<'_>) -> Error {
        match self.dialect {
            Dialect::S3 => self.s3_error(fault),
            Dialect::Service => service_error(fault),
        }
    }

    fn s3_error(self, fault: Fault<'_>) -> Error {
        let (reason, region) = match fault {
            Fault::Malformed(_) => (
                "the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\"."
                    .to_owned(),
                None,
            ),
            Fault::DateFormat(date) => (
                format!(
                    "incorrect date format \"{date}\". This date in the credential must be in the format \"yyyyMMdd\"."
                ),
                None,
            ),
            Fault::Terminator(sent) => {
                (format!("incorrect terminal \"{sent}\". This endpoint uses \"{TERMINATOR}\"."), None)
            }
            Fault::DateMismatch { scope, time } => {
                let time = time.to_string();
                let reason = format!(
                    "Invalid credential date \"{scope}\". This date is not the same as X-Amz-Date: \"{}\".",
                    &time[..8]
                );
                // Alone of its kind, this sentence stands without the prefix of the others.
                if self.presigned {
                    return Error::AuthorizationQueryParametersError { reason, region: None };
                }
                (reason, None)
            }
            Fault::Region { sent, expected } => {
                (format!("the region '{sent}' is wrong; expecting '{expected}'"), Some(expected.to_owned()))
            }
            Fault::Service { sent, expected } => {
                (format!("incorrect service \"{sent}\". This endpoint belongs to \"{expected}\"."), None)
            }
        };
        if self.presigned {
            let reason = format!("Error parsing the X-Amz-Credential parameter; {reason}");
            Error::AuthorizationQueryParametersError { reason, region }
        } else {
            Error::AuthorizationHeaderMalformed { reason, region }
        }
    }
}

fn service_error(fault: Fault<'_>) -> Error {
    match fault {
        Fault::Malformed(credential) => Error::IncompleteSignature(format!(
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{credential}'"
        )),
        Fault::DateFormat(date) => {
            Error::InvalidScope(format!("Date in Credential scope is not in the format YYYYMMDD: '{date}'."))
        }
        Fault::Terminator(sent) => Error::InvalidScope(format!(
            "Credential should be scoped with a valid terminator: '{TERMINATOR}', not '{sent}'."
        )),
        Fault::DateMismatch { scope, time } => {
            let time = time.to_string();
            Error::InvalidScope(format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{scope}' != '{}', from '{time}'.",
                &time[..8]
            ))
        }
        Fault::Region { .. } => Error::InvalidScope("Credential should be scoped to a valid region.".to_owned()),
        Fault::Service { expected, .. } => {
            Error::InvalidScope(format!("Credential should be scoped to correct service: '{expected}'."))
        }
    }
}
