//! The services of this endpoint, and which of them a request is for.
//!
//! The service is that of the SigV4 credential scope; without one that of `X-Amz-Target`, then of a posted form; what has
//! none of these is S3.

use http::{HeaderMap, Method, StatusCode, Uri, header};
use sigv4::Dialect;

use crate::absent::Absent;
use crate::auth::Refusal;
use crate::iam::IAM;
use crate::query_protocol::{Fault, Form};
use crate::request::{Request, RequestId};
use crate::response::Response;
use crate::sts::STS;
use crate::{cloudtrail, json, kms, s3};

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    S3,
    Kms,
    Iam,
    Sts,
    CloudTrail,
    Absent(Absent),
}

impl Service {
    pub(crate) fn by_scope(scope: &str) -> Option<Service> {
        match scope {
            "s3" => Some(Service::S3),
            "kms" => Some(Service::Kms),
            "iam" => Some(Service::Iam),
            "sts" => Some(Service::Sts),
            "cloudtrail" => Some(Service::CloudTrail),
            other => Absent::by_scope(other).map(Service::Absent),
        }
    }

    /// Without a scope, or with one that is no service's: in whose words the request speaks.
    pub(crate) fn by_shape(method: &Method, target: &Uri, headers: &HeaderMap) -> Service {
        if let Some(target) = headers.get(kms::TARGET).and_then(|value| value.to_str().ok()) {
            if target.starts_with(cloudtrail::PREFIX) {
                return Service::CloudTrail;
            }
            return Absent::by_target(target).map_or(Service::Kms, Service::Absent);
        }
        let posted = || {
            headers.get(header::CONTENT_TYPE).is_some_and(|value| {
                value.as_bytes().to_ascii_lowercase().starts_with(b"application/x-www-form-urlencoded")
            })
        };
        let is_form = match *method {
            Method::POST => posted(),
            // No request of S3's has such a parameter.
            Method::GET => target.query().is_some_and(|query| query.split('&').any(|pair| pair.starts_with("Action="))),
            _ => false,
        };
        match is_form && target.path() == "/" {
            // Of the operations that take forms, the only ones that need no signature are STS's.
            true if !names_iam(headers) => Service::Sts,
            true => Service::Iam,
            false => Service::S3,
        }
    }

    /// Whose a form is that nobody signed, as far as it can be told.
    pub(crate) fn by_form(self, form: &Form) -> Service {
        match form.version() {
            Some(version) if version == IAM.version => Service::Iam,
            Some(version) if version == STS.version => Service::Sts,
            _ => self,
        }
    }

    pub(crate) fn scope(self) -> &'static str {
        match self {
            Service::S3 => "s3",
            Service::Kms => "kms",
            Service::Iam => "iam",
            Service::Sts => "sts",
            Service::CloudTrail => "cloudtrail",
            Service::Absent(absent) => absent.scope,
        }
    }

    pub(crate) fn dialect(self) -> Dialect {
        match self {
            Service::S3 => Dialect::S3,
            _ => Dialect::Service,
        }
    }

    /// A request's id as the answer tells it.
    pub(crate) fn request_id(self, id: RequestId) -> String {
        match self {
            Service::S3 => id.short(),
            _ => id.uuid(),
        }
    }

    /// What a request is answered that could not be recorded.
    pub(crate) fn unrecorded(self, request: &Request) -> Response {
        let (status, message) =
            (StatusCode::INTERNAL_SERVER_ERROR, "An internal failure occurred. The request can be retried.");
        match self {
            Service::S3 => s3::unrecorded(request),
            Service::Kms => json::error(status, "KMSInternalException", message),
            Service::Iam => IAM.error(&Fault::new("ServiceFailure", message), request.id),
            Service::Sts => STS.error(&Fault::new("InternalFailure", message), request.id),
            Service::CloudTrail | Service::Absent(_) => json::error(status, "InternalFailure", message),
        }
    }

    /// What a request is answered that came too soon.
    pub(crate) fn too_fast(self, request: &Request) -> Response {
        let status = StatusCode::BAD_REQUEST;
        match self {
            Service::S3 => s3::slow_down(request),
            Service::Kms => {
                let text = "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.";
                json::error(status, "ThrottlingException", text)
            }
            Service::Iam => IAM.error(&Fault::new("Throttling", "Rate exceeded"), request.id),
            Service::Sts => STS.error(&Fault::new("Throttling", "Rate exceeded"), request.id),
            Service::CloudTrail | Service::Absent(_) => json::error(status, "ThrottlingException", "Rate exceeded"),
        }
    }

    pub(crate) fn refuse(self, request: &Request, refusal: &Refusal) -> Response {
        match self {
            Service::S3 => s3::refuse(request, refusal),
            Service::Kms | Service::CloudTrail | Service::Absent(_) => json::refuse(refusal),
            Service::Iam => IAM.error(&Fault::refused(refusal), request.id),
            Service::Sts => STS.error(&Fault::refused(refusal), request.id),
        }
    }
}

/// Whether a request was sent to a host that is called as IAM's are: `iam.amazonaws.com`.
fn names_iam(headers: &HeaderMap) -> bool {
    headers.get(header::HOST).is_some_and(|host| host.as_bytes().to_ascii_lowercase().starts_with(b"iam."))
}
