//! CloudTrail on the wire: AWS JSON 1.1, `X-Amz-Target: com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.<Operation>`.
//!
//! What the operations do is in `audit::trail`; here they are decided about, and buckets and keys are asked whether they let
//! CloudTrail in.

mod delivery;
mod handlers;
mod operations;
mod service;
mod subject;

use bytes::Bytes;
use http::{Method, StatusCode};

use crate::app::App;
use crate::auth::Authenticated;
use crate::authorize::authorize;
use crate::json;
use crate::kms::TARGET;
use crate::request::Request;
use crate::response::Response;
use crate::service::Service;

pub use delivery::Delivery;
pub use operations::operations;
pub use service::{SERVICE, principal as service_principal};

/// What precedes the operation's name in the target: the target prefix of the service model.
pub(crate) const PREFIX: &str = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.";

/// One call of an operation.
pub(crate) struct Call<'a> {
    pub(crate) app: &'a App,
    pub(crate) caller: &'a Authenticated,
    pub(crate) body: &'a [u8],
}

/// Answers an authenticated request whose whole body is `body`, in the Region that its signature names.
pub(crate) async fn handle(app: &App, caller: &Authenticated, request: &Request, body: Bytes) -> Response {
    let Some(operation) = named(request) else {
        return json::error(
            StatusCode::BAD_REQUEST,
            "UnknownOperationException",
            "The operation is not known to CloudTrail.",
        );
    };
    let call = Call { app, caller, body: &body };
    if operation.name == "LookupEvents"
        && let Err(wait) = app.limiter.admit_lookup(caller.principal().account, caller.region())
    {
        let mut response = Service::CloudTrail.throttled(request, wait);
        response.operation = operation.name;
        return response;
    }
    let mut response = run(&call, operation).await.unwrap_or_else(|failure| failed(operation.name, &failure));
    response.operation = operation.name;
    response
}

fn named(request: &Request) -> Option<&'static model::Operation> {
    if request.method != Method::POST || request.path() != "/" {
        return None;
    }
    let name = request.header(&TARGET)?.strip_prefix(PREFIX)?;
    let all = model::cloudtrail::OPERATIONS;
    all.binary_search_by(|operation| operation.name.cmp(name)).ok().map(|at| &all[at])
}

async fn run(call: &Call<'_>, operation: &'static model::Operation) -> Result<Response, Failure> {
    let Some(built) = operations::built(operation.name) else { return Ok(json::not_built(operation.name)) };
    model::check(operation.request, call.body)?;
    let subject = (built.subject)(call)?;
    let context = subject.context.clone();
    let allowed = authorize(call.caller, built.action, subject, &context)
        .map_err(|denied| Failure::Refused("AccessDeniedException", denied.to_string()))?;
    let answer = (built.handler)(call, &allowed).await?;
    Ok(Response::full(StatusCode::OK, json::MEDIA_TYPE, answer))
}

/// Why an operation failed.
pub(crate) enum Failure {
    /// In CloudTrail's words.
    Domain(audit::trail::Error),
    /// In those of all services: a code and a message.
    Refused(&'static str, String),
}

impl From<audit::trail::Error> for Failure {
    fn from(error: audit::trail::Error) -> Self {
        Self::Domain(error)
    }
}

impl From<model::Error> for Failure {
    fn from(error: model::Error) -> Self {
        match error {
            model::Error::Serialization(message) => Self::Refused("SerializationException", message),
            model::Error::Validation(message) => Self::Refused("ValidationException", message),
        }
    }
}

fn failed(operation: &'static str, failure: &Failure) -> Response {
    match failure {
        Failure::Refused(code, message) => json::error(StatusCode::BAD_REQUEST, code, message),
        Failure::Domain(error) => {
            let internal = matches!(error, audit::trail::Error::Internal(_));
            if internal {
                tracing::error!(operation, %error, "a CloudTrail operation failed");
            }
            let status = if internal { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::BAD_REQUEST };
            json::error(status, error.code(), error.message())
        }
    }
}
