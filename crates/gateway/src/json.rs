//! Errors in the shape of the services that speak AWS JSON 1.1.
//!
//! `{"__type":"NotFoundException","message":"..."}`, Smithy's "AWS JSON 1.1 protocol", operation error serialization
//! (<https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html>).

use http::StatusCode;
use serde::Serialize;
use sigv4::Error as Signature;

use crate::auth::Refusal;
use crate::response::Response;

/// The media type of requests and answers.
pub(crate) const MEDIA_TYPE: &str = "application/x-amz-json-1.1";

#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "__type")]
    code: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    message: &'a str,
}

/// An error answer. Some errors of AWS have no message at all, which is what an empty one stands for.
pub(crate) fn error(status: StatusCode, code: &str, message: &str) -> Response {
    let body = serde_json::to_vec(&Document { code, message }).expect("two strings are always JSON");
    Response::full(status, MEDIA_TYPE, body).failing(code, message)
}

/// What an operation of the service model is answered that this server does not have.
pub(crate) fn not_built(operation: &str) -> Response {
    let message = format!("The operation {operation} is not implemented by this server.");
    error(StatusCode::NOT_IMPLEMENTED, "NotImplementedException", &message)
}

/// What a request that was not let in is answered: 400 throughout, in words that SDKs know
/// (<https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html>).
pub(crate) fn refuse(refusal: &Refusal) -> Response {
    let (code, message) = match refusal {
        Refusal::Anonymous => ("MissingAuthenticationTokenException", "Request is missing Authentication Token".into()),
        Refusal::Signature(cause) => (code(cause), cause.service_message()),
        Refusal::Expired => ("ExpiredTokenException", "The security token included in the request is expired".into()),
        Refusal::Failed => return error(StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure", &refusal.to_string()),
    };
    error(StatusCode::BAD_REQUEST, code, &message)
}

fn code(error: &Signature) -> &'static str {
    match error {
        Signature::InvalidAccessKeyId { .. } | Signature::InvalidToken => "UnrecognizedClientException",
        Signature::SignatureDoesNotMatch(_)
        | Signature::InvalidScope(_)
        | Signature::RequestTimeTooSkewed { .. }
        | Signature::RequestExpired { .. }
        | Signature::RequestNotYetValid
        | Signature::HeadersNotSigned { .. }
        | Signature::XAmzContentSHA256Mismatch { .. } => "InvalidSignatureException",
        // What is left says that the header, the query or the date is not well formed.
        _ => "IncompleteSignatureException",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use crate::response::ResponseBody;

    #[test]
    fn an_error_names_its_type_and_message() {
        let response = error(StatusCode::BAD_REQUEST, "NotFoundException", "no \"key\"");
        let ResponseBody::Full(body) = response.body else { panic!("a body") };
        assert_eq!(&body[..], br#"{"__type":"NotFoundException","message":"no \"key\""}"#);
        let response = error(StatusCode::BAD_REQUEST, "InvalidCiphertextException", "");
        let ResponseBody::Full(body) = response.body else { panic!("a body") };
        assert_eq!(&body[..], br#"{"__type":"InvalidCiphertextException"}"#);
    }
}
