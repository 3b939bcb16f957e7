//! S3 over HTTP.

mod address;
mod body;
mod checksum;
mod list;
mod multipart;
mod object;
mod options;
mod xml;

pub(super) use address::encode;
pub use body::ObjectBody;
pub(super) use checksum::Crc64;
pub use list::{ListOptions, Listed, Page, Pages};
pub use multipart::{Part, PartUpload};
pub use object::{Object, ObjectInfo, Stored};
pub use options::{GetOptions, PutOptions, Signing, Upload};

use super::config::Config;
use super::error::{AwsError, ServiceError, text};
use super::http::{Answer, Call, Http, Sent};
use address::Addresses;
use http::{HeaderMap, Method, StatusCode};
use sigv4::Payload;
use std::io::Read;
use xml::Element;

/// Longest answer but a listing, in bytes: failures of a thousand deletions, each with a name of a kibibyte.
const ANSWER: usize = 4 << 20;

/// Longest error, in bytes: one of a wrong signature tells the canonical request, in clear and in hexadecimal.
const ERROR: usize = 256 << 10;

/// From how many bytes on a body waits until the service has not refused its head, in bytes: a refusal of one that is long would be lost
/// in a connection that the service closes.
const EXPECT: usize = 256 << 10;

/// Objects, uploads and listings of S3: of AWS, of Strongroom, or of whoever speaks S3. Calls block until they are answered; one client
/// serves any number of threads.
///
/// ```no_run
/// use client::aws::{Config, GetOptions, PutOptions, S3Client, Upload};
/// use std::io::Read;
///
/// let s3 = S3Client::new(&Config::from_env()?)?;
/// let stored = s3.put("bucket", "key", Upload::Bytes(b"text"), &PutOptions::new().metadata([("colour", "blue")]))?;
/// let mut object = s3.get("bucket", "key", &GetOptions::new().if_match(stored.etag))?;
/// let mut text = String::new();
/// object.body.read_to_string(&mut text)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct S3Client {
    http: Http,
    addresses: Addresses,
    checksums: bool,
}

impl S3Client {
    /// # Errors
    /// [`AwsError::Config`]: no credentials, certificate authorities that cannot be read.
    pub fn new(config: &Config) -> Result<Self, AwsError> {
        let addresses = Addresses::of(config)?;
        let http = Http::new(config, "s3", addresses.https())?;
        Ok(Self { http, addresses, checksums: config.checksums })
    }

    /// `HeadObject`: what an object is, without its content.
    ///
    /// # Errors
    /// [`AwsError::Service`], with code `NotFound` if there is no such object; whatever keeps an answer from coming.
    pub fn head(&self, bucket: &str, key: &str) -> Result<ObjectInfo, AwsError> {
        let call = self.call("HeadObject", Method::HEAD, bucket, Some(key), &[], HeaderMap::new())?;
        let answer = self.ask(&call, || Sent::Nothing)?;
        let length = answer.header("content-length").and_then(|length| length.parse().ok());
        let length = length.ok_or_else(|| AwsError::answer(call.operation, "no length"))?;
        ObjectInfo::of(&answer, length)
    }

    /// `GetObject`: an object, or a range of it. What is read of it is known to be whole at its end alone.
    ///
    /// # Errors
    /// [`AwsError::Service`], with code `NoSuchKey` if there is no such object, `PreconditionFailed` if it is not the one that was meant,
    /// `InvalidRange` if it ends before the range begins; [`AwsError::Answer`] for a range that was not asked for.
    pub fn get(&self, bucket: &str, key: &str, options: &GetOptions) -> Result<Object, AwsError> {
        let operation = "GetObject";
        let headers = options.headers(self.checksums)?;
        let call = self.call(operation, Method::GET, bucket, Some(key), &[], headers)?;
        let answer = self.ask(&call, || Sent::Nothing)?;
        object::opened(answer, options)
    }

    /// The bytes of a range, all of them, in place of what is in `bytes`: what breaks off is fetched again.
    pub(super) fn fetch(
        &self,
        bucket: &str,
        key: &str,
        options: &GetOptions,
        bytes: &mut Vec<u8>,
    ) -> Result<ObjectInfo, AwsError> {
        let call = self.call("GetObject", Method::GET, bucket, Some(key), &[], options.headers(self.checksums)?)?;
        self.http.retried(|| {
            let answer = accepted(self.http.send(&call, Sent::Nothing)?, &call.method)?;
            let Object { info, mut body } = object::opened(answer, options)?;
            bytes.clear();
            // No longer than the range that was asked for: that was held against it.
            bytes.reserve_exact(usize::try_from(body.remaining()).unwrap_or(0));
            body.read_to_end(bytes).map_err(AwsError::from_body)?;
            Ok(info)
        })
    }

    /// `PutObject`: stores an object at once.
    ///
    /// Bytes are tried again as other requests are; a stream is not once anything was read of it.
    ///
    /// # Errors
    /// [`AwsError::Service`]; [`AwsError::Io`] for what the reader fails with, and if it has more or less bytes than announced.
    pub fn put(&self, bucket: &str, key: &str, body: Upload<'_>, options: &PutOptions) -> Result<Stored, AwsError> {
        let headers = options.headers()?;
        let call = self.call("PutObject", Method::PUT, bucket, Some(key), &[], headers)?;
        let answer = self.upload(call, body, options.signing)?;
        Stored::of(&answer)
    }

    /// `DeleteObject`. That there is none such is no error.
    ///
    /// # Errors
    /// [`AwsError::Service`].
    pub fn delete(&self, bucket: &str, key: &str) -> Result<(), AwsError> {
        let call = self.call("DeleteObject", Method::DELETE, bucket, Some(key), &[], HeaderMap::new())?;
        self.ask(&call, || Sent::Nothing).map(drop)
    }

    /// `DeleteObjects`: up to a thousand at once. Those that could not be deleted, and why.
    ///
    /// # Errors
    /// [`AwsError::Service`]; [`AwsError::Config`] for more than a thousand.
    pub fn delete_objects<K: AsRef<str>>(
        &self,
        bucket: &str,
        keys: &[K],
    ) -> Result<Vec<(String, ServiceError)>, AwsError> {
        let operation = "DeleteObjects";
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        if keys.len() > 1_000 {
            return Err(AwsError::Config("a thousand objects are deleted at once, at most".into()));
        }
        let mut body = String::from("<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>true</Quiet>");
        for key in keys {
            body.push_str("<Object><Key>");
            xml::escape(&mut body, key.as_ref());
            body.push_str("</Key></Object>");
        }
        body.push_str("</Delete>");
        let mut headers = HeaderMap::new();
        // S3 takes no deletion of many without one.
        headers.insert(checksum::SENT, super::http::header(&checksum::crc64(body.as_bytes()))?);
        headers.insert(http::header::CONTENT_TYPE, super::http::header("application/xml")?);
        let call = self.call(operation, Method::POST, bucket, None, &[("delete", "")], headers)?;
        let payload = Payload::of(body.as_bytes());
        let root = self.ask_xml(&call, || Sent::Bytes(body.as_bytes(), payload), "DeleteResult", ANSWER)?;
        let failures = root.all("Error").map(|error| {
            let key = error.verbatim("Key").unwrap_or_default().to_owned();
            let (code, message) = (error.get("Code"), error.get("Message"));
            let error = ServiceError {
                operation,
                code: text(code.unwrap_or("UnknownError")),
                message: text(message.unwrap_or_default()),
                status: StatusCode::OK.as_u16(),
                request_id: None,
                region: None,
            };
            (key, error)
        });
        Ok(failures.collect())
    }

    /// `CopyObject`: within the service, with its metadata, up to 5 GiB.
    ///
    /// # Errors
    /// [`AwsError::Service`].
    pub fn copy(&self, from: (&str, &str), to: (&str, &str), options: &PutOptions) -> Result<Stored, AwsError> {
        let mut headers = options.headers()?;
        let mut source = String::new();
        encode(&mut source, from.0, false);
        source.push('/');
        encode(&mut source, from.1, true);
        headers.insert("x-amz-copy-source", super::http::header(&source)?);
        if options.replaces() {
            headers.insert("x-amz-metadata-directive", super::http::header("REPLACE")?);
        }
        let call = self.call("CopyObject", Method::PUT, to.0, Some(to.1), &[], headers)?;
        let (root, answer) = self.ask_slowly(&call, b"", "CopyObjectResult")?;
        Stored::with(&answer, root.get("ETag"))
    }

    fn call(
        &self,
        operation: &'static str,
        method: Method,
        bucket: &str,
        key: Option<&str>,
        query: &[(&str, &str)],
        headers: HeaderMap,
    ) -> Result<Call<'_>, AwsError> {
        let (endpoint, path) = self.addresses.of_object(bucket, key)?;
        let query = address::query(query);
        Ok(Call { operation, method, endpoint, region: &self.addresses.region, path, query, headers })
    }

    /// Asks until it is answered with what was asked for.
    fn ask<'s>(&self, call: &Call<'_>, sent: impl Fn() -> Sent<'s>) -> Result<Answer, AwsError> {
        self.http.retried(|| accepted(self.http.send(call, sent())?, &call.method))
    }

    /// The same, of an answer in XML.
    fn ask_xml<'s>(
        &self,
        call: &Call<'_>,
        sent: impl Fn() -> Sent<'s>,
        root: &str,
        limit: usize,
    ) -> Result<Element, AwsError> {
        self.http.retried(|| {
            let mut answer = accepted(self.http.send(call, sent())?, &call.method)?;
            let bytes = answer.bytes(limit)?;
            document(call.operation, &bytes, root)
        })
    }

    /// The same, of one whose status is sent before it is known what becomes of it: an error may come under the status of success.
    fn ask_slowly(&self, call: &Call<'_>, body: &[u8], root: &str) -> Result<(Element, Answer), AwsError> {
        let payload = Payload::of(body);
        self.http.retried(|| {
            let mut answer = accepted(self.http.send(call, Sent::Bytes(body, payload))?, &call.method)?;
            let bytes = answer.bytes(ANSWER)?;
            match Element::parse(&bytes) {
                Some(element) if element.name == root => Ok((element, answer)),
                Some(element) if element.name == "Error" => {
                    // A status that says whether it is worth another try comes with none of these.
                    Err(refusal(&answer, Some(&element)).into())
                }
                _ => Err(AwsError::answer(call.operation, format!("not a {root}"))),
            }
        })
    }

    /// Sends a body, in the way that the caller or the scheme wants.
    fn upload(&self, mut call: Call<'_>, body: Upload<'_>, signing: Signing) -> Result<Answer, AwsError> {
        let signing = match signing {
            Signing::Auto if !self.checksums => Signing::Unchecked,
            Signing::Auto if self.addresses.https() => Signing::Checksum,
            Signing::Auto => Signing::Chunks,
            signing => signing,
        };
        let (reader, length) = match body {
            Upload::Bytes(bytes) => {
                if signing != Signing::Unchecked {
                    call.headers.insert(checksum::SENT, super::http::header(&checksum::crc64(bytes))?);
                }
                let payload = if signing == Signing::Chunks { Payload::of(bytes) } else { Payload::Unsigned };
                if bytes.len() >= EXPECT {
                    call.headers.insert(http::header::EXPECT, super::http::header("100-continue")?);
                }
                return self.ask(&call, || Sent::Bytes(bytes, payload));
            }
            Upload::Stream { reader, length } => (reader, length),
        };
        let mut begun = false;
        if length == 0 {
            body::Exact::new(reader, 0, &mut begun).end().map_err(AwsError::Io)?;
            return self.upload(call, Upload::Bytes(b""), signing);
        }
        let payload = match signing {
            Signing::Chunks => Payload::ChunkedSigned { trailer: true },
            Signing::Checksum => Payload::ChunkedUnsignedTrailer,
            Signing::Auto | Signing::Unchecked => Payload::Unsigned,
        };
        if payload != Payload::Unsigned {
            let value = super::http::header;
            call.headers.append(http::header::CONTENT_ENCODING, value("aws-chunked")?);
            call.headers.insert("x-amz-decoded-content-length", length.into());
            call.headers.insert("x-amz-trailer", value(checksum::SENT)?);
        }
        // What was read cannot be sent again, so the service may refuse before it is.
        call.headers.insert(http::header::EXPECT, super::http::header("100-continue")?);
        let wire = match payload {
            Payload::Unsigned => length,
            payload => body::Framed::length(length, payload == Payload::ChunkedSigned { trailer: true }),
        };
        self.http.retried_unless(&mut begun, |begun| {
            let exact = body::Exact::new(&mut *reader, length, begun);
            let answer = if payload == Payload::Unsigned {
                let mut exact = exact;
                self.http.send(&call, Sent::Stream { payload, length: wire, reader: &mut exact })
            } else {
                let mut framed = body::Framed::new(exact);
                self.http.send(&call, Sent::Stream { payload, length: wire, reader: &mut framed })
            };
            accepted(answer?, &call.method)
        })
    }
}

/// An answer of success, or the refusal that it is.
fn accepted(mut answer: Answer, method: &Method) -> Result<Answer, AwsError> {
    if answer.status.is_success() {
        return Ok(answer);
    }
    let body = if method == Method::HEAD { None } else { answer.bytes(ERROR).ok() };
    let root = body.and_then(|body| Element::parse(&body)).filter(|root| root.name == "Error");
    Err(refusal(&answer, root.as_ref()).into())
}

fn refusal(answer: &Answer, root: Option<&Element>) -> ServiceError {
    let get = |name| root.and_then(|root| root.get(name)).filter(|value| !value.is_empty());
    let by_status = match answer.status.as_u16() {
        301 | 307 => "PermanentRedirect",
        304 => "NotModified",
        400 => "BadRequest",
        403 => "Forbidden",
        404 => "NotFound",
        412 => "PreconditionFailed",
        416 => "InvalidRange",
        503 => "ServiceUnavailable",
        _ => "UnknownError",
    };
    ServiceError {
        operation: answer.operation,
        code: text(get("Code").unwrap_or(by_status)),
        message: text(get("Message").unwrap_or_default()),
        status: answer.status.as_u16(),
        request_id: get("RequestId").or_else(|| answer.header("x-amz-request-id")).map(text),
        region: answer.header("x-amz-bucket-region").or_else(|| get("Region")).map(text),
    }
}

fn document(operation: &'static str, bytes: &[u8], root: &str) -> Result<Element, AwsError> {
    let element = Element::parse(bytes).filter(|element| element.name == root);
    element.ok_or_else(|| AwsError::answer(operation, format!("not a {root}")))
}
