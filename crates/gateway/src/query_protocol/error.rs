//! Errors of the query protocol, and the statuses of their codes.

use http::StatusCode;
use sigv4::Error as Signature;

use super::{Form, MEDIA_TYPE, xml};
use crate::auth::Refusal;
use crate::authorize::Denied;
use crate::request::RequestId;
use crate::response::Response;

/// Why a request fails, in AWS's words.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    code: &'static str,
    message: String,
}

impl Fault {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Fault {
        Fault { code, message: message.into() }
    }

    /// A form that is none, or a member of another type than the model's. IAM has no words for most of them.
    pub(crate) fn malformed(message: impl Into<String>) -> Fault {
        Fault::new("MalformedInput", message)
    }

    /// What no operation of the service is.
    pub(crate) fn unknown_action(form: &Form) -> Fault {
        let action = form.action().unwrap_or("NO_ACTION_SPECIFIED");
        let version = form.version().unwrap_or("NO_VERSION_SPECIFIED");
        Fault::new("InvalidAction", format!("Could not find operation {action} for version {version}"))
    }

    /// An operation of the service model that this server does not have.
    pub(crate) fn not_built(operation: &str) -> Fault {
        Fault::new("NotImplemented", format!("The operation {operation} is not implemented by this server."))
    }

    /// A request that was not let in (IAM API reference, "Common errors").
    pub(crate) fn refused(refusal: &Refusal) -> Fault {
        let code = match refusal {
            Refusal::Anonymous => {
                return Fault::new("MissingAuthenticationToken", "Request is missing Authentication Token");
            }
            Refusal::Expired => {
                return Fault::new("ExpiredToken", "The security token included in the request is expired");
            }
            Refusal::Failed => return Fault::new("InternalFailure", refusal.to_string()),
            Refusal::Signature(error) => error,
        };
        let name = match code {
            Signature::InvalidAccessKeyId { .. } | Signature::InvalidToken => "InvalidClientTokenId",
            Signature::SignatureDoesNotMatch(_)
            | Signature::InvalidScope(_)
            | Signature::RequestTimeTooSkewed { .. }
            | Signature::RequestExpired { .. }
            | Signature::RequestNotYetValid
            | Signature::HeadersNotSigned { .. }
            | Signature::XAmzContentSHA256Mismatch { .. } => "SignatureDoesNotMatch",
            // What is left says that the header, the query or the date is not well formed.
            _ => "IncompleteSignature",
        };
        Fault::new(name, code.service_message())
    }

    #[cfg(test)]
    pub(crate) fn code(&self) -> &'static str {
        self.code
    }

    #[cfg(test)]
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The answer, in the service's namespace.
    pub(super) fn response(&self, namespace: &str, id: RequestId) -> Response {
        let status = status(self.code);
        let kind = if status.is_server_error() { "Receiver" } else { "Sender" };
        let mut text =
            format!("<ErrorResponse xmlns=\"{namespace}\"><Error><Type>{kind}</Type><Code>{}</Code>", self.code);
        if !self.message.is_empty() {
            xml::element(&mut text, "Message", &self.message);
        }
        text.push_str(&format!("</Error><RequestId>{id}</RequestId></ErrorResponse>"));
        Response::full(status, MEDIA_TYPE, text).failing(self.code, &self.message)
    }
}

impl From<model::Error> for Fault {
    fn from(error: model::Error) -> Self {
        match error {
            model::Error::Serialization(message) => Fault::malformed(message),
            model::Error::Validation(message) => Fault::new("ValidationError", message),
        }
    }
}

impl From<identity::Error> for Fault {
    fn from(error: identity::Error) -> Self {
        if let identity::Error::Internal(internal) = &error {
            tracing::error!(%internal, "an operation of IAM or STS failed");
        }
        Fault::new(error.code(), error.message())
    }
}

impl From<Denied> for Fault {
    fn from(denied: Denied) -> Self {
        Fault::new("AccessDenied", denied.to_string())
    }
}

/// A code's status: 400, but for those of [`STATUSES`].
fn status(code: &str) -> StatusCode {
    let known = STATUSES.iter().find(|(_, codes)| codes.contains(&code));
    known.map_or(StatusCode::BAD_REQUEST, |(status, _)| *status)
}

/// From the service models of IAM and STS (`httpStatusCode`; a test holds the two together), and "Common errors" of their references.
const STATUSES: &[(StatusCode, &[&str])] = &[
    (
        StatusCode::FORBIDDEN,
        &[
            "AccessDenied",
            "ExpiredToken",
            "IDPRejectedClaim",
            "InvalidAuthenticationCode",
            "InvalidClientTokenId",
            "MissingAuthenticationToken",
            "OutboundWebIdentityFederationDisabledException",
            "RegionDisabledException",
            "SessionDurationEscalationException",
            "SignatureDoesNotMatch",
        ],
    ),
    (
        StatusCode::NOT_FOUND,
        &["FeatureDisabled", "MalformedQueryString", "NoSuchEntity", "NotSupportedService", "ReportInProgress"],
    ),
    (
        StatusCode::CONFLICT,
        &[
            "ConcurrentModification",
            "DeleteConflict",
            "DuplicateCertificate",
            "EntityAlreadyExists",
            "EntityTemporarilyUnmodifiable",
            "FeatureEnabled",
            "LimitExceeded",
            "NameConflict",
            "ReportGenerationLimitExceeded",
            "RoleModified",
        ],
    ),
    (StatusCode::GONE, &["ReportExpired", "ReportNotPresent"]),
    (StatusCode::REQUEST_TIMEOUT, &["RequestTimeout"]),
    (StatusCode::PAYLOAD_TOO_LARGE, &["RequestEntityTooLarge"]),
    (StatusCode::INTERNAL_SERVER_ERROR, &["InternalFailure", "PolicyEvaluation", "ServiceFailure"]),
    (StatusCode::NOT_IMPLEMENTED, &["NotImplemented"]),
    (StatusCode::SERVICE_UNAVAILABLE, &["ServiceUnavailable"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_the_statuses_of_the_model() {
        for (code, number) in [
            ("NoSuchEntity", 404),
            ("EntityAlreadyExists", 409),
            ("DeleteConflict", 409),
            ("LimitExceeded", 409),
            ("MalformedPolicyDocument", 400),
            ("ValidationError", 400),
            ("InvalidAction", 400),
            ("AccessDenied", 403),
            ("InvalidClientTokenId", 403),
            ("IncompleteSignature", 400),
            ("ServiceFailure", 500),
            ("NotImplemented", 501),
        ] {
            assert_eq!(status(code).as_u16(), number, "{code}");
        }
    }

    #[test]
    fn no_code_has_two_statuses() {
        let mut all: Vec<&str> = STATUSES.iter().flat_map(|(_, codes)| codes.iter().copied()).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
