//! From a head to the service that answers it, and from its answer, once what was asked is on record, to the wire.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode, header};
use hyper::body::Incoming;
use policy::RequestFacts;
use sigv4::{Body, RequestHead};

use crate::app::App;
use crate::auth::{self, Authenticated, Expected, Refusal};
use crate::body::{ReadError, RequestBody};
use crate::iam::IAM;
use crate::query::Query;
use crate::query_protocol::{Fault, Form};
use crate::request::{Request, RequestId};
use crate::response::{AccessLog, Outgoing, Response};
use crate::service::Service;
use crate::sts::STS;
use crate::throttle::Verdict;
use crate::{cloudtrail, denial, forwarded, health, json, kms, metrics, record, s3, sts};

/// The longest body of a JSON or query request that is not for S3. KMS's largest, a key policy of 32 KiB with every
/// character escaped, fits; so does a ciphertext of 6 KiB with the largest encryption context.
pub const DOCUMENT_LIMIT: usize = 256 * 1024;

/// The longest form that nobody signed: a web identity token of 20,000 characters and a session policy of 2,048, percent-encoded.
const UNSIGNED_LIMIT: usize = 96 * 1024;

/// How the requests of a connection come.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    /// By TLS.
    pub(crate) secure: bool,
    /// The address at the other end.
    pub(crate) peer: IpAddr,
    /// Whom it speaks for, if it is a trusted proxy.
    pub(crate) client: IpAddr,
    /// The name of the listener, if it has one.
    pub(crate) listener: Option<Arc<str>>,
    /// What TLS came to.
    pub(crate) tls: Option<Arc<record::TlsDetails>>,
}

/// A request that was answered, with what its record needs.
pub(crate) struct Answered {
    pub(crate) service: Service,
    pub(crate) response: Response,
    /// Who asked, if the request was let in.
    pub(crate) caller: Option<Authenticated>,
    /// The whole body, of the services whose requests are documents.
    pub(crate) body: Bytes,
}

impl Answered {
    /// A request that was not let in, or that no service answers.
    fn outside(service: Service, response: Response) -> Answered {
        Answered { service, response, caller: None, body: Bytes::new() }
    }
}

/// Answers one request.
pub(crate) async fn answer(
    app: Arc<App>,
    request: http::Request<Incoming>,
    origin: Origin,
) -> http::Response<Outgoing> {
    let app = &*app;
    let started = Instant::now();
    let (parts, incoming) = request.into_parts();
    let id = RequestId::next();
    let forwarded = forwarded::client(&parts.headers, origin.peer, &app.settings.safeguards.trusted_proxies);
    let origin = Origin { client: forwarded, ..origin };
    let body = RequestBody::new(incoming, app.settings.limits.body_silence);
    let mut request = receive(app, parts, body, id, &origin);
    let facts = Arc::new(facts(&request, origin));
    // As unique as a random one, without a call of the kernel.
    let event = RequestId::next().as_uuid();

    let incoming = keys::Incoming { id: id.uuid_bytes(), event, facts: Arc::clone(&facts) };
    // Boxed: it passes through several hands, each of which would hold it whole.
    let work = keys::in_request(incoming, Box::pin(respond(app, &mut request, facts)));
    let ((mut answered, uses), told) = denial::listen(work).await;
    denial::tell(&mut answered.response, told, app.keys.records());
    let Answered { service, mut response, caller, .. } = record::keep(app, &request, event, answered, uses).await;

    let waits = request.headers.contains_key(header::EXPECT);
    if !request.body.discard(waits).await {
        response.set(header::CONNECTION, HeaderValue::from_static("close"));
    }
    let log = AccessLog {
        request: service.request_id(id),
        method: request.method,
        operation: response.operation,
        status: response.status,
        principal: caller.map(|caller| caller.shared_principal()),
        started,
    };
    send(response, service, id, log)
}

/// The head as handlers see it. The query is parsed later, since what is wrong with it must be told in the service's words.
fn receive(app: &App, parts: Parts, body: RequestBody, id: RequestId, origin: &Origin) -> Request {
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
        secure: origin.secure,
        client: origin.client,
        is_local: origin.peer.to_canonical().is_loopback() && origin.client.is_loopback(),
        listener: origin.listener.clone(),
        tls: origin.tls.clone(),
        received: (app.settings.clock)(),
        body,
        document: None,
    }
}

/// What policies may ask of how the request came.
fn facts(request: &Request, origin: Origin) -> RequestFacts {
    let header = |name| request.header(name).map(str::to_owned);
    RequestFacts {
        secure: origin.secure,
        address: origin.client,
        listener: origin.listener,
        user_agent: header(header::USER_AGENT),
        referer: header(header::REFERER),
        time: request.received,
    }
}

async fn respond(app: &App, request: &mut Request, facts: Arc<RequestFacts>) -> Answered {
    if request.bucket_host.is_none()
        && let Some(response) = health::check(app, &request.method, request.path()).await
    {
        return Answered::outside(Service::S3, response);
    }
    if request.bucket_host.is_none()
        && let Some(response) = metrics::answer(app, &request.method, request.path(), request.is_local)
    {
        return Answered::outside(Service::S3, response);
    }
    let shape = Service::by_shape(&request.method, &request.target, &request.headers);
    let head = RequestHead {
        method: request.method.as_str(),
        path: request.target.path(),
        query: request.target.query().unwrap_or(""),
        headers: &request.headers,
    };
    let claim = match auth::claim(&head, shape.dialect()) {
        Ok(claim) => claim,
        Err(Refusal::Anonymous) if shape == Service::S3 => return anonymous(app, request, facts).await,
        Err(Refusal::Anonymous) if matches!(shape, Service::Sts | Service::Iam) => {
            return Box::pin(unsigned_form(app, request, shape, facts)).await;
        }
        Err(refusal) => return Box::pin(turned_away(app, request, shape, &refusal)).await,
    };
    let service = Service::by_scope(&claim.scope().service).unwrap_or(shape);
    let keys = match service {
        Service::Kms | Service::CloudTrail => app.keys_in(&claim.scope().region).unwrap_or(&app.keys),
        // Buckets are in the home Region, and so is what is not built; IAM and STS are in no Region.
        Service::S3 | Service::Iam | Service::Sts | Service::Absent(_) => &app.keys,
    };
    // Whoever does not even name an access key that exists costs no memory.
    let credential = match auth::credential(app, &claim).await {
        Ok(credential) => credential,
        Err(refusal) => return Box::pin(turned_away(app, request, service, &refusal)).await,
    };
    // S3 is authenticated by its head, the body is read afterwards. The signatures of the others cover the body, which is small.
    let whole = match service {
        Service::S3 => None,
        _ => match request.body.collect(DOCUMENT_LIMIT).await {
            Ok(body) => Some(body),
            Err(error) => return Answered::outside(service, unreadable(service, request.id, &error)),
        },
    };
    let body = whole.as_ref().map_or(Body::Streaming, |body| Body::Whole(body));
    let region = keys.region().as_str();
    let signed_for = match service {
        // Whatever Region a client takes for theirs, none at all too.
        Service::Iam | Service::Sts => &claim.scope().region,
        _ => region,
    };
    let expected = Expected { service: service.scope(), signed_for, region, body, now: request.received };
    let (caller, check) = match auth::authenticate(app, &claim, &head, &credential, facts, expected) {
        Ok(authenticated) => authenticated,
        Err(refusal) => return Box::pin(turned_away(app, request, service, &refusal)).await,
    };
    if let Err(wait) = app.limiter.admit(caller.principal()) {
        return too_soon(request, service, caller, whole.unwrap_or_default(), wait);
    }
    app.identity.used_by(caller.principal(), service.scope(), caller.region());
    let body = whole.unwrap_or_default();
    let response = match service {
        Service::S3 => {
            request.body.guard(check, &request.headers);
            s3(app, &caller, request).await
        }
        Service::Kms => kms::handle(keys, &caller, request, body.clone()).await,
        // Boxed: every request would be as large as theirs.
        Service::Iam => Box::pin(IAM.handle(&app.identity, &caller, request, &body)).await,
        Service::Sts => Box::pin(STS.handle(&app.identity, &caller, request, &body)).await,
        Service::CloudTrail => Box::pin(cloudtrail::handle(app, &caller, request, body.clone())).await,
        Service::Absent(absent) => absent.answer(),
    };
    Answered { service, response, caller: Some(caller), body }
}

/// A request that was not let in. Whoever fails over and over waits for the answer.
async fn turned_away(app: &App, request: &Request, service: Service, refusal: &Refusal) -> Answered {
    let response = match app.limiter.hold(request.client, refusal).await {
        Verdict::Answer => service.refuse(request, refusal),
        Verdict::TooMany(wait) => service.throttled(request, wait),
    };
    Answered::outside(service, response)
}

/// A request of somebody who makes too many. KMS's are on record, as AWS's are.
fn too_soon(request: &Request, service: Service, caller: Authenticated, body: Bytes, wait: Duration) -> Answered {
    let mut response = service.throttled(request, wait);
    if service == Service::Kms {
        response.operation = kms::named(request).map_or("-", |operation| operation.name);
    }
    Answered { service, response, caller: Some(caller), body }
}

/// A request to S3 that nobody signed: what a bucket's policy gives to everybody.
async fn anonymous(app: &App, request: &mut Request, facts: Arc<RequestFacts>) -> Answered {
    match Authenticated::anonymous(&request.headers, facts, app.settings.region.as_str()) {
        Ok((caller, check)) => {
            request.body.guard(check, &request.headers);
            let response = s3(app, &caller, request).await;
            if response.status == StatusCode::FORBIDDEN
                && let Err(wait) = app.limiter.admit_refused(request.client)
            {
                return Answered::outside(Service::S3, Service::S3.throttled(request, wait));
            }
            Answered { service: Service::S3, response, caller: Some(caller), body: Bytes::new() }
        }
        Err(refusal) => Answered::outside(Service::S3, s3::refuse(request, &refusal)),
    }
}

/// A form that nobody signed: an operation of STS for whoever has no credentials yet, or nothing.
async fn unsigned_form(app: &App, request: &mut Request, shape: Service, facts: Arc<RequestFacts>) -> Answered {
    let body = match request.body.collect(UNSIGNED_LIMIT).await {
        Ok(body) => body,
        Err(error) => return Answered::outside(shape, unreadable(shape, request.id, &error)),
    };
    let form = Form::read(request, &body).ok();
    let service = form.as_ref().map_or(shape, |form| shape.by_form(form));
    if service != Service::Sts || !form.as_ref().and_then(Form::action).is_some_and(sts::is_unsigned) {
        return Answered::outside(service, service.refuse(request, &Refusal::Anonymous));
    }
    let (caller, _) = match Authenticated::anonymous(&request.headers, facts, app.settings.region.as_str()) {
        Ok(anonymous) => anonymous,
        Err(refusal) => return Answered::outside(service, service.refuse(request, &refusal)),
    };
    if let Err(wait) = app.limiter.admit_unsigned(request.client) {
        return Answered::outside(service, service.throttled(request, wait));
    }
    let response = STS.handle(&app.identity, &caller, request, &body).await;
    if response.status.is_success() {
        app.limiter.forgive_unsigned(request.client);
    }
    Answered { service, response, caller: Some(caller), body }
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
    let fault = match error {
        ReadError::TooLong { .. } => Fault::new("RequestEntityTooLarge", error.to_string()),
        ReadError::Silence => Fault::new("RequestTimeout", error.to_string()),
        ReadError::Incomplete | ReadError::Signature(_) => Fault::malformed(error.to_string()),
    };
    let (status, code) = match error {
        ReadError::TooLong { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLargeException"),
        ReadError::Silence => (StatusCode::REQUEST_TIMEOUT, "RequestTimeoutException"),
        ReadError::Incomplete | ReadError::Signature(_) => (StatusCode::BAD_REQUEST, "SerializationException"),
    };
    match service {
        Service::Iam => IAM.error(&fault, id),
        Service::Sts => STS.error(&fault, id),
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
