//! Requests to one service: signed, over kept connections, tried again where that helps, and never waited for without end.

use super::config::{Config, RETRY_BASE, RETRY_CAP};
use super::credentials::Credentials;
use super::endpoint::Endpoint;
use super::error::AwsError;
use super::region::Region;
use crate::secret;
use http::header::{CONTENT_LENGTH, HOST, HeaderName, HeaderValue};
use http::{HeaderMap, Method, StatusCode};
use rustls::crypto::aws_lc_rs;
use sigv4::{ChunkSigner, Payload, Signer};
use std::collections::BTreeMap;
use std::io::{ErrorKind, Read};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig};
use ureq::{Agent, SendBody, Timeout};
use zeroize::Zeroizing;

/// Connections that are kept open while nobody uses them: as many as transfers of parts run at once, and some.
const IDLE_CONNECTIONS: usize = 32;

/// How long, at most. S3 closes them after some 20 seconds.
const IDLE_AGE: Duration = Duration::from_secs(15);

/// Bytes that are taken from or given to a connection at once.
const BUFFER: usize = 1 << 17;

/// Longest head of an answer, in bytes: 8 KiB of metadata, written in RFC 2047 at worst, and all else that S3 says.
const HEAD: usize = 1 << 16;

/// Time for the head of an answer from its first byte, and for an answer that is read as a whole, in stall limits: S3 completes an upload
/// of many parts for minutes, and sends a space now and then.
const HEAD_STALLS: u32 = 2;
const ANSWER_STALLS: u32 = 10;

/// Slowest object, in bytes a second: a byte now and then would keep each single read or write in time for as long as there are bytes. On its
/// way here that is over what is waited for one stall limit; on its way there, over the whole of what is sent at once, and one stall limit
/// more. A modem of 1991 was ten times as fast.
const PACE: u64 = 128;

/// Longest file of certificate authorities, in bytes. The system's has a quarter of one.
const CA_BUNDLE: u64 = 8 << 20;

/// Regions for which signers are kept. There are some 40; a message that names others cannot fill memory.
const SIGNERS: usize = 64;

/// Requests to one service with one access key.
pub(super) struct Http {
    agent: Agent,
    service: &'static str,
    credentials: Credentials,
    signers: Mutex<BTreeMap<Region, Arc<Signer>>>,
    attempts: u32,
    limits: Limits,
}

/// How long is waited.
#[derive(Clone, Copy)]
struct Limits {
    connect: Duration,
    stall: Duration,
    /// Bytes a second.
    pace: u64,
}

impl Limits {
    /// For so many bytes on their way there.
    fn sending(&self, bytes: usize) -> Duration {
        self.stall + Duration::from_secs(bytes as u64 / self.pace)
    }
}

/// What to ask.
pub(super) struct Call<'a> {
    /// The operation's name, for errors.
    pub(super) operation: &'static str,
    pub(super) method: Method,
    pub(super) endpoint: Endpoint,
    pub(super) region: &'a Region,
    /// Begins with a slash, percent-encoded.
    pub(super) path: String,
    /// Percent-encoded, without the question mark.
    pub(super) query: String,
    /// Without `host`, `content-length`, and those of the signature.
    pub(super) headers: HeaderMap,
}

/// What goes with it.
pub(super) enum Sent<'a> {
    /// Nothing, not even a length.
    Nothing,
    /// Bytes, and what is signed of them.
    Bytes(&'a [u8], Payload),
    /// So many bytes of a reader, which are not hashed beforehand.
    Stream { payload: Payload, length: u64, reader: &'a mut dyn SignedRead },
}

/// A body that is told how its chunks are signed before the first byte of it is taken.
pub(super) trait SignedRead: Read {
    fn begin(&mut self, signer: ChunkSigner);
}

/// An answer whose body is still to be read.
pub(super) struct Answer {
    pub(super) operation: &'static str,
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
}

impl Http {
    pub(super) fn new(config: &Config, service: &'static str, https: bool) -> Result<Self, AwsError> {
        // Looked for only where it is needed: the system has hundreds.
        let authorities = if https { authorities(config)? } else { Vec::new() };
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::Specific(Arc::new(authorities)))
            .unversioned_rustls_crypto_provider(Arc::new(aws_lc_rs::default_provider()))
            .build();
        let settings = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_resolve(Some(config.connect_limit))
            .timeout_connect(Some(config.connect_limit))
            .timeout_recv_response(Some(config.stall_limit * HEAD_STALLS))
            .timeout_per_read(Some(config.stall_limit))
            .timeout_per_write(Some(config.stall_limit))
            .max_response_header_size(HEAD)
            .input_buffer_size(BUFFER)
            .output_buffer_size(BUFFER)
            .max_idle_connections(IDLE_CONNECTIONS)
            .max_idle_connections_per_host(IDLE_CONNECTIONS)
            .max_idle_age(IDLE_AGE)
            .user_agent(concat!("strongroom-client/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Self {
            agent: Agent::new_with_config(settings),
            service,
            credentials: config.signer()?.clone(),
            signers: Mutex::default(),
            attempts: config.attempts,
            limits: Limits { connect: config.connect_limit, stall: config.stall_limit, pace: PACE },
        })
    }

    /// Does something until it succeeds, until trying again is of no use, or until it was tried often enough.
    pub(super) fn retried<T>(&self, mut once: impl FnMut() -> Result<T, AwsError>) -> Result<T, AwsError> {
        self.retried_unless(&mut false, |_| once())
    }

    /// The same, but once it is told that it has begun something that cannot be done twice, it is not tried again.
    pub(super) fn retried_unless<T>(
        &self,
        begun: &mut bool,
        mut once: impl FnMut(&mut bool) -> Result<T, AwsError>,
    ) -> Result<T, AwsError> {
        let mut attempt = 1;
        loop {
            match once(begun) {
                Err(error) if !*begun && error.may_pass() && attempt < self.attempts => {
                    std::thread::sleep(backoff(attempt));
                    attempt += 1;
                }
                end => return end,
            }
        }
    }

    /// Asks once. An answer of any status is an answer.
    pub(super) fn send(&self, call: &Call<'_>, sent: Sent<'_>) -> Result<Answer, AwsError> {
        let Call { operation, method, endpoint, region, path, query, headers } = call;
        let host = endpoint.authority.as_str();
        let mut headers = headers.clone();
        headers.insert(HOST, header(host)?);
        if let Some(token) = &self.credentials.session_token {
            let mut token = header(token)?;
            token.set_sensitive(true);
            headers.insert(HeaderName::from_static("x-amz-security-token"), token);
        }
        let (payload, length) = match &sent {
            Sent::Nothing => (Payload::of(b""), None),
            Sent::Bytes(bytes, payload) => (*payload, Some(bytes.len() as u64)),
            Sent::Stream { payload, length, .. } => (*payload, Some(*length)),
        };
        if let Some(length) = length {
            headers.insert(CONTENT_LENGTH, length.into());
        }
        let whole = format!("{}{path}", endpoint.prefix);
        let chunks = self
            .signer(region)
            .sign(method.as_str(), &whole, query, &mut headers, payload, SystemTime::now())
            .map_err(|error| AwsError::Config(error.to_string()))?;
        let scheme = if endpoint.https { "https" } else { "http" };
        let mark = if query.is_empty() { "" } else { "?" };
        let mut request = http::Request::builder().method(method).uri(format!("{scheme}://{host}{whole}{mark}{query}"));
        if let Some(all) = request.headers_mut() {
            *all = headers;
        }
        let wrong = |error: http::Error| AwsError::Config(format!("{operation}: {error}"));
        let mut failed_input = None;
        let sending = match &sent {
            Sent::Bytes(bytes, _) => self.limits.sending(bytes.len()),
            Sent::Nothing | Sent::Stream { .. } => self.limits.stall,
        };
        let response = match sent {
            Sent::Nothing => self.agent.run(request.body(()).map_err(wrong)?),
            Sent::Bytes(bytes, _) => {
                let request = self.agent.configure_request(request.body(bytes).map_err(wrong)?);
                self.agent.run(request.timeout_send_body(Some(sending)).build())
            }
            // The time of the reader would count: it is only each write that may not take too long.
            Sent::Stream { reader, .. } => {
                reader.begin(chunks);
                let mut watched = Watched { input: reader, failed: &mut failed_input };
                self.agent.run(request.body(SendBody::from_reader(&mut watched)).map_err(wrong)?)
            }
        };
        if let Some(error) = failed_input {
            return Err(AwsError::Io(error));
        }
        let response = response.map_err(|error| match error {
            ureq::Error::Timeout(Timeout::SendBody) => AwsError::TimedOut { host: host.to_owned(), limit: sending },
            error => failure(host, self.limits, error),
        })?;
        let (head, body) = response.into_parts();
        let length = body.content_length();
        let body = Body {
            reader: Box::new(body.into_reader()),
            left: length.filter(|_| *method != Method::HEAD),
            operation,
            host: host.to_owned(),
            limits: self.limits,
            pace: None,
        };
        Ok(Answer { operation, status: head.status, headers: head.headers, body })
    }

    fn signer(&self, region: &Region) -> Arc<Signer> {
        let mut signers = self.signers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(signer) = signers.get(region) {
            return Arc::clone(signer);
        }
        if signers.len() == SIGNERS {
            signers.clear();
        }
        let Credentials { access_key_id, secret, .. } = &self.credentials;
        let signer = Arc::new(Signer::new(access_key_id, secret, region.as_str(), self.service));
        signers.insert(region.clone(), Arc::clone(&signer));
        signer
    }
}

impl Answer {
    /// The whole body, which may not be longer than so many bytes. It may be secret, and lies in one place.
    pub(super) fn bytes(&mut self, limit: usize) -> Result<Zeroizing<Vec<u8>>, AwsError> {
        let too_long = || AwsError::answer(self.operation, format!("longer than {limit} bytes"));
        if self.body.left.is_some_and(|length| length > limit as u64) {
            return Err(too_long());
        }
        let room = self.body.left.and_then(|length| usize::try_from(length).ok()).unwrap_or(limit);
        let mut bytes = Zeroizing::new(vec![0; room + 1]);
        let (mut there, begin, limit) = (0, Instant::now(), self.body.limits.stall * ANSWER_STALLS);
        loop {
            if begin.elapsed() > limit {
                return Err(AwsError::TimedOut { host: self.body.host.clone(), limit });
            }
            match self.body.read(&mut bytes[there..]).map_err(AwsError::from_body)? {
                0 => break,
                read => there += read,
            }
            if there == bytes.len() {
                return Err(too_long());
            }
        }
        bytes.truncate(there);
        Ok(bytes)
    }

    /// A header that is text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// The body of an answer. One that ends before its length is [`AwsError::Truncated`], within an [`std::io::Error`].
pub(super) struct Body {
    reader: Box<dyn Read + Send>,
    /// Bytes to come, if the length is known.
    left: Option<u64>,
    operation: &'static str,
    host: String,
    limits: Limits,
    /// Time that was waited, and bytes that came in it, if it has to keep [`Limits::pace`].
    pace: Option<(Duration, u64)>,
}

impl Body {
    /// The same, but it may not come too slowly. The time of who reads it does not count.
    pub(super) fn paced(self) -> Self {
        Body { pace: Some((Duration::ZERO, 0)), ..self }
    }

    fn keep_pace(&mut self, waited: Duration, read: usize) -> Result<(), AwsError> {
        let limit = self.limits.stall;
        let Some((time, came)) = &mut self.pace else { return Ok(()) };
        (*time, *came) = (*time + waited, *came + read as u64);
        if *time < limit {
            return Ok(());
        }
        let slow = u128::from(*came) * 1_000 < u128::from(self.limits.pace) * time.as_millis() && self.left != Some(0);
        self.pace = Some((Duration::ZERO, 0));
        if slow { Err(AwsError::TimedOut { host: self.host.clone(), limit }) } else { Ok(()) }
    }

    /// Bytes to come, if the length is known.
    pub(super) fn length(&self) -> Option<u64> {
        self.left
    }
}

impl Read for Body {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let begin = Instant::now();
        let read = self.reader.read(into).map_err(|error| {
            let error = match error.downcast::<ureq::Error>() {
                Ok(error) => failure(&self.host, self.limits, error),
                Err(error) => failure(&self.host, self.limits, error.into()),
            };
            std::io::Error::other(if self.left != Some(0) && broken(&error) {
                AwsError::Truncated { operation: self.operation }
            } else {
                error
            })
        })?;
        if let Some(left) = &mut self.left {
            if read == 0 && *left > 0 && !into.is_empty() {
                return Err(std::io::Error::other(AwsError::Truncated { operation: self.operation }));
            }
            *left = left.saturating_sub(read as u64);
        }
        self.keep_pace(begin.elapsed(), read).map_err(std::io::Error::other)?;
        Ok(read)
    }
}

fn broken(error: &AwsError) -> bool {
    matches!(error, AwsError::Connection { .. })
}

impl AwsError {
    /// What [`Body`] fails with, as itself.
    pub(super) fn from_body(error: std::io::Error) -> Self {
        match error.downcast::<AwsError>() {
            Ok(error) => error,
            Err(error) => AwsError::Io(error),
        }
    }
}

/// A reader whose own failure is told apart from the connection's.
struct Watched<'a> {
    input: &'a mut dyn SignedRead,
    failed: &'a mut Option<std::io::Error>,
}

impl Read for Watched<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        loop {
            match self.input.read(into) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    let kind = error.kind();
                    *self.failed = Some(error);
                    return Err(kind.into());
                }
                read => return read,
            }
        }
    }
}

/// Between nothing and twice as long with each attempt, at random: so that many who were refused at once do not come back at once.
fn backoff(attempt: u32) -> Duration {
    let longest = RETRY_BASE.saturating_mul(1 << attempt.saturating_sub(1).min(16)).min(RETRY_CAP);
    let drawn = secret::random().map_or(u32::MAX, u32::from_ne_bytes);
    longest.mul_f64(f64::from(drawn) / f64::from(u32::MAX))
}

pub(super) fn header(value: &str) -> Result<HeaderValue, AwsError> {
    HeaderValue::from_str(value).map_err(|_| {
        AwsError::Config("a value cannot stand in a header: it has line ends or control characters".into())
    })
}

fn failure(host: &str, limits: Limits, error: ureq::Error) -> AwsError {
    let timed_out = |limit| AwsError::TimedOut { host: host.to_owned(), limit };
    match error {
        ureq::Error::Timeout(Timeout::Connect | Timeout::Resolve) => timed_out(limits.connect),
        ureq::Error::Timeout(Timeout::RecvResponse) => timed_out(limits.stall * HEAD_STALLS),
        ureq::Error::Timeout(_) => timed_out(limits.stall),
        ureq::Error::Io(error) if error.kind() == ErrorKind::TimedOut => timed_out(limits.stall),
        ureq::Error::Io(error) if error.get_ref().is_some_and(|error| error.is::<rustls::Error>()) => {
            AwsError::Tls { host: host.to_owned(), why: error.to_string() }
        }
        error @ (ureq::Error::Rustls(_) | ureq::Error::Tls(_) | ureq::Error::TlsRequired) => {
            AwsError::Tls { host: host.to_owned(), why: error.to_string() }
        }
        error => AwsError::Connection { host: host.to_owned(), why: error.to_string() },
    }
}

/// Those of the file that is named, or else of the system.
fn authorities(config: &Config) -> Result<Vec<Certificate<'static>>, AwsError> {
    let Some(path) = &config.ca_bundle else {
        let found = rustls_native_certs::load_native_certs();
        return Ok(found.certs.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect());
    };
    let wrong = |why: &dyn std::fmt::Display| AwsError::Config(format!("{}: {why}", path.display()));
    let mut pem = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(CA_BUNDLE).read_to_end(&mut pem))
        .map_err(|error| wrong(&error))?;
    let items: Result<Vec<_>, _> = ureq::tls::parse_pem(&pem).collect();
    let certificates = items.map_err(|error| wrong(&error))?.into_iter().filter_map(|item| match item {
        PemItem::Certificate(certificate) => Some(certificate),
        _ => None,
    });
    let certificates: Vec<_> = certificates.collect();
    if certificates.is_empty() { Err(wrong(&"no certificate in it")) } else { Ok(certificates) }
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;
