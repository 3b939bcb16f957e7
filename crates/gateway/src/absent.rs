//! Services that clients may expect on this endpoint and that are not built: each says so in its own protocol's shape, and
//! only to somebody who has signed.

use http::StatusCode;
use sigv4::Error as Signature;

use crate::auth::Refusal;
use crate::json;
use crate::request::RequestId;
use crate::response::Response;

/// A service that is not built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Absent {
    /// Its name in credential scopes.
    pub(crate) scope: &'static str,
    /// What its `X-Amz-Target` begins with; empty under the query protocol.
    target: &'static str,
    protocol: Protocol,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    /// AWS JSON 1.1.
    Json,
    /// AWS query: a form in, XML out.
    Query,
}

/// All of them.
pub(crate) const ABSENT: &[Absent] = &[
    // The first answers a form that was not signed and so names no service.
    Absent { scope: "sts", target: "", protocol: Protocol::Query },
    Absent { scope: "iam", target: "", protocol: Protocol::Query },
    Absent { scope: "ssm", target: "AmazonSSM.", protocol: Protocol::Json },
    Absent {
        scope: "cloudtrail",
        target: "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.",
        protocol: Protocol::Json,
    },
];

impl Absent {
    pub(crate) fn by_scope(scope: &str) -> Option<Absent> {
        ABSENT.iter().copied().find(|service| service.scope == scope)
    }

    pub(crate) fn by_target(target: &str) -> Option<Absent> {
        ABSENT.iter().copied().find(|service| !service.target.is_empty() && target.starts_with(service.target))
    }

    /// For a form that was posted to `/` without a credential scope.
    pub(crate) fn form() -> Absent {
        ABSENT[0]
    }

    /// What an authenticated request is answered.
    pub(crate) fn answer(self, id: RequestId) -> Response {
        let message = format!("The service {} is not implemented by this server.", self.scope);
        let code = match self.protocol {
            Protocol::Json => "NotImplementedException",
            Protocol::Query => "NotImplemented",
        };
        let mut response = self.error(StatusCode::NOT_IMPLEMENTED, code, &message, id);
        response.operation = "NotImplemented";
        response
    }

    /// An error in this service's shape.
    pub(crate) fn error(self, status: StatusCode, code: &str, message: &str, id: RequestId) -> Response {
        match self.protocol {
            Protocol::Json => json::error(status, code, message),
            Protocol::Query => query_error(status, code, message, id),
        }
    }

    /// What a request that was not let in is answered.
    pub(crate) fn refuse(self, refusal: &Refusal, id: RequestId) -> Response {
        if self.protocol == Protocol::Json {
            return json::refuse(refusal);
        }
        let (status, code) = match refusal {
            Refusal::Anonymous => (StatusCode::FORBIDDEN, "MissingAuthenticationToken"),
            Refusal::Expired => (StatusCode::FORBIDDEN, "ExpiredToken"),
            Refusal::Failed => (StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure"),
            Refusal::Signature(error) => match error {
                Signature::InvalidAccessKeyId { .. } | Signature::InvalidToken => {
                    (StatusCode::FORBIDDEN, "InvalidClientTokenId")
                }
                Signature::SignatureDoesNotMatch(_)
                | Signature::InvalidScope(_)
                | Signature::RequestTimeTooSkewed { .. }
                | Signature::RequestExpired { .. }
                | Signature::RequestNotYetValid
                | Signature::HeadersNotSigned { .. }
                | Signature::XAmzContentSHA256Mismatch { .. } => (StatusCode::FORBIDDEN, "SignatureDoesNotMatch"),
                _ => (StatusCode::BAD_REQUEST, "IncompleteSignature"),
            },
        };
        let message = match refusal {
            Refusal::Anonymous => "Request is missing Authentication Token".into(),
            Refusal::Signature(error) => error.service_message(),
            Refusal::Expired | Refusal::Failed => refusal.to_string().into(),
        };
        query_error(status, code, &message, id)
    }
}

/// The query protocol's error (<https://smithy.io/2.0/aws/protocols/aws-query-protocol.html>).
fn query_error(status: StatusCode, code: &str, message: &str, id: RequestId) -> Response {
    let message = quick_xml::escape::escape(message);
    Response::full(
        status,
        "text/xml",
        format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
             <RequestId>{id}</RequestId></ErrorResponse>"
        ),
    )
}
