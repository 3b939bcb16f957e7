//! KMS on the wire: AWS JSON 1.1, `X-Amz-Target: TrentService.<Operation>`.

mod operations;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use keys::Keys;

use crate::auth::Authenticated;
use crate::json;
use crate::request::Request;
use crate::response::Response;
use crate::throttle::retry_after;

pub use operations::{OPERATIONS, Operation};

/// The header that names the operation.
pub(crate) const TARGET: HeaderName = HeaderName::from_static("x-amz-target");

/// What precedes the operation's name in it: KMS's target prefix in the service model.
const PREFIX: &str = "TrentService.";

/// Answers an authenticated request whose whole body is `body`, by the keys of the Region that its signature names.
pub async fn handle(keys: &Keys, caller: &Authenticated, request: &Request, body: Bytes) -> Response {
    let Some(operation) = named(request) else {
        return json::error(StatusCode::BAD_REQUEST, "UnknownOperationException", "The operation is not known to KMS.");
    };
    let mut response = run(keys, caller, operation, &body).await;
    response.operation = operation.name;
    // What is answered may be a secret.
    response.set(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store, must-revalidate, private"));
    response
}

/// The operation that a request asks for.
pub(crate) fn named(request: &Request) -> Option<&'static Operation> {
    if request.method != Method::POST || request.path() != "/" {
        return None;
    }
    Operation::named(request.header(&TARGET)?.strip_prefix(PREFIX)?)
}

async fn run(keys: &Keys, caller: &Authenticated, operation: &Operation, body: &[u8]) -> Response {
    let answer = match keys.admit(caller.principal(), operation.name) {
        Ok(()) => (operation.handler)(keys, caller, body).await,
        Err(throttled) => Err(throttled),
    };
    match answer {
        Ok(body) => Response::full(StatusCode::OK, json::MEDIA_TYPE, body),
        Err(error) => failed(operation, &error),
    }
}

/// The exceptions of the service model are 400, those that are the server's fault 500 (`"fault": true` in the model).
fn failed(operation: &Operation, error: &keys::Error) -> Response {
    let status = match error {
        keys::Error::Internal(internal) => {
            tracing::error!(operation = operation.name, %internal, "a KMS operation failed");
            StatusCode::INTERNAL_SERVER_ERROR
        }
        keys::Error::DependencyTimeout(_) => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::BAD_REQUEST,
    };
    let response = json::error(status, error.code(), error.message());
    match error {
        // All quotas are of one second.
        keys::Error::Throttling(_) => retry_after(response, Duration::from_secs(1)),
        _ => response,
    }
}
