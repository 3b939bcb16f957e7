//! From a head to the service that answers it, and from its answer to the wire.
//!
//! The service is that of the SigV4 credential scope; without one that of `X-Amz-Target`, then of a posted form; what has
//! none of these is S3.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use hyper::body::Incoming;
use keys::Principal;
use sigv4::{Body, Dialect, RequestHead};

use crate::absent::Absent;
use crate::app::App;
use crate::auth::{self, Authenticated, Refusal};
use crate::body::{ReadError, RequestBody};
use crate::query::Query;
use crate::request::{Request, RequestId};
use crate::response::{AccessLog, Outgoing, Response};
use crate::{health, json, kms, metrics, s3};

/// The longest body of a JSON or query request that is not for S3. KMS's largest, a key policy of 32 KiB with every
/// character escaped, fits; so does a ciphertext of 6 KiB with the largest encryption context.
pub const DOCUMENT_LIMIT: usize = 256 * 1024;

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Service {
    S3,
    Kms,
    Absent(Absent),
}

impl Service {
    fn by_scope(scope: &str) -> Option<Service> {
        match scope {
            "s3" => Some(Service::S3),
            "kms" => Some(Service::Kms),
            other => Absent::by_scope(other).map(Service::Absent),
        }
    }

    /// Without a scope, or with one that is no service's: in whose words the request speaks.
    fn by_shape(method: &Method, path: &str, headers: &HeaderMap) -> Service {
        if let Some(target) = headers.get(kms::TARGET).and_then(|value| value.to_str().ok()) {
            return Absent::by_target(target).map_or(Service::Kms, Service::Absent);
        }
        let form = headers.get(header::CONTENT_TYPE).is_some_and(|value| {
            value.as_bytes().to_ascii_lowercase().starts_with(b"application/x-www-form-urlencoded")
        });
        if form && method == Method::POST && path == "/" {
            return Service::Absent(Absent::form());
        }
        Service::S3
    }

    fn scope(self) -> &'static str {
        match self {
            Service::S3 => "s3",
            Service::Kms => "kms",
            Service::Absent(absent) => absent.scope,
        }
    }

    fn dialect(self) -> Dialect {
        match self {
            Service::S3 => Dialect::S3,
            _ => Dialect::Service,
        }
    }

    /// A request's id as the answer tells it.
    fn request_id(self, id: RequestId) -> String {
        match self {
            Service::S3 => id.short(),
            _ => id.uuid(),
        }
    }

    fn refuse(self, request: &Request, refusal: &Refusal) -> Response {
        match self {
            Service::S3 => s3::refuse(request, refusal),
            Service::Kms => json::refuse(refusal),
            Service::Absent(absent) => absent.refuse(refusal, request.id),
        }
    }
}

/// Answers one request.
pub(crate) async fn answer(
    app: &App,
    request: http::Request<Incoming>,
    secure: bool,
    peer: IpAddr,
) -> http::Response<Outgoing> {
    let started = Instant::now();
    let (parts, incoming) = request.into_parts();
    let id = RequestId::next();
    let body = RequestBody::new(incoming, app.settings.limits.body_silence);
    let mut request = receive(app, parts, body, id, secure, peer);

    let incoming = keys::Incoming { id: id.uuid_bytes(), secure, address: peer.to_canonical() };
    let (service, mut response, principal) = keys::in_request(incoming, respond(app, &mut request)).await;

    let waits = request.headers.contains_key(header::EXPECT);
    if !request.body.discard(waits).await {
        response.set(header::CONNECTION, HeaderValue::from_static("close"));
    }
    let log = AccessLog {
        request: service.request_id(id),
        method: request.method,
        operation: response.operation,
        status: response.status,
        principal,
        started,
    };
    send(response, service, id, log)
}

/// The head as handlers see it. The query is parsed later, since what is wrong with it must be told in the service's words.
fn receive(app: &App, parts: Parts, body: RequestBody, id: RequestId, secure: bool, peer: IpAddr) -> Request {
    let host = match parts.headers.get(header::HOST) {
        Some(host) => host.to_str().ok(),
        None => parts.uri.authority().map(|authority| authority.as_str()),
    };
    Request {
        id,
        bucket_host: host.and_then(|host| app.settings.domains.bucket(host)),
        method: parts.method,
        target: parts.uri,
        query: Query::default(),
        headers: parts.headers,
        secure,
        peer,
        received: (app.settings.clock)(),
        body,
    }
}

/// An answer, whose it is, and for whom if that is known.
type Answered = (Service, Response, Option<Arc<Principal>>);

async fn respond(app: &App, request: &mut Request) -> Answered {
    if request.bucket_host.is_none()
        && let Some(response) = health::check(app, &request.method, request.path()).await
    {
        return (Service::S3, response, None);
    }
    if request.bucket_host.is_none()
        && let Some(response) = metrics::answer(app, &request.method, request.path(), request.peer)
    {
        return (Service::S3, response, None);
    }
    let shape = Service::by_shape(&request.method, request.path(), &request.headers);
    let head = RequestHead {
        method: request.method.as_str(),
        path: request.target.path(),
        query: request.target.query().unwrap_or(""),
        headers: &request.headers,
    };
    let claim = match auth::claim(&head, shape.dialect()) {
        Ok(claim) => claim,
        Err(refusal) => return (shape, shape.refuse(request, &refusal), None),
    };
    let service = Service::by_scope(&claim.scope().service).unwrap_or(shape);
    let keys = match service {
        Service::Kms => app.keys_in(&claim.scope().region).unwrap_or(&app.keys),
        // Buckets are in the home Region, and so is what is not built.
        Service::S3 | Service::Absent(_) => &app.keys,
    };

    // S3 is authenticated by its head, the body is read afterwards. The signatures of the others cover the body, which is small.
    let whole = match service {
        Service::S3 => None,
        // Whoever does not even name an access key that exists costs no memory.
        _ if !app.accounts.has(claim.access_key_id()) => {
            let refusal = Refusal::unknown_key(&claim);
            return (service, service.refuse(request, &refusal), None);
        }
        _ => match request.body.collect(DOCUMENT_LIMIT).await {
            Ok(body) => Some(body),
            Err(error) => return (service, unreadable(service, request.id, &error), None),
        },
    };
    let body = whole.as_ref().map_or(Body::Streaming, |body| Body::Whole(body));
    let (caller, check) =
        match auth::authenticate(app, &claim, &head, service.scope(), keys.region().as_str(), body, request.received) {
            Ok(authenticated) => authenticated,
            Err(refusal) => return (service, service.refuse(request, &refusal), None),
        };
    let response = match service {
        Service::S3 => {
            request.body.guard(check, &request.headers);
            s3(app, &caller, request).await
        }
        Service::Kms => kms::handle(keys, &caller, request, whole.unwrap_or_default()).await,
        Service::Absent(absent) => absent.answer(request.id),
    };
    (service, response, Some(caller.shared_principal()))
}

async fn s3(app: &App, caller: &Authenticated, request: &mut Request) -> Response {
    match Query::parse(request.raw_query()) {
        Ok(query) => {
            request.query = query;
            s3::handle(app, caller, request).await
        }
        Err(error) => s3::bad_query(request, &error),
    }
}

fn unreadable(service: Service, id: RequestId, error: &ReadError) -> Response {
    let (status, code) = match error {
        ReadError::TooLong { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLargeException"),
        ReadError::Silence => (StatusCode::REQUEST_TIMEOUT, "RequestTimeoutException"),
        ReadError::Incomplete | ReadError::Signature(_) => (StatusCode::BAD_REQUEST, "SerializationException"),
    };
    match service {
        Service::Absent(absent) => absent.error(status, code, &error.to_string(), id),
        _ => json::error(status, code, &error.to_string()),
    }
}

const SERVER: HeaderValue = HeaderValue::from_static("Strongroom");
const S3_REQUEST_ID: HeaderName = HeaderName::from_static("x-amz-request-id");
const S3_EXTENDED_ID: HeaderName = HeaderName::from_static("x-amz-id-2");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// Adds what every answer of a service has. Hyper adds `Date` and, from the body's exact size, `Content-Length`.
fn send(response: Response, service: Service, id: RequestId, log: AccessLog) -> http::Response<Outgoing> {
    let Response { status, mut headers, body, .. } = response;
    headers.insert(header::SERVER, SERVER);
    match service {
        Service::S3 => {
            headers.insert(S3_REQUEST_ID, ascii(id.short()));
            headers.insert(S3_EXTENDED_ID, ascii(id.extended()));
        }
        _ => {
            headers.insert(REQUEST_ID, id.uuid_header());
        }
    }
    let mut outgoing = http::Response::new(Outgoing::new(body, log));
    *outgoing.status_mut() = status;
    *outgoing.headers_mut() = headers;
    outgoing
}

fn ascii(text: String) -> HeaderValue {
    HeaderValue::from_maybe_shared(Bytes::from(text)).expect("hexadecimal and base64 are visible ASCII")
}
