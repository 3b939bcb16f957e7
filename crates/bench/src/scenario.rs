//! What is measured: an operation, an encryption mode and a size, made into requests that are ready to be signed.

use crate::connection::{Answer, Connection, Request, Service};
use crate::target::{BUCKET, Target};
use crate::{Error, Options};
use aws_lc_rs::digest;
use clap::ValueEnum;
use data_encoding::BASE64;
use http::{HeaderMap, HeaderValue};
use md5::{Digest, Md5};
use sigv4::Payload;
use std::sync::Arc;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Operation {
    Put,
    Get,
    Encrypt,
    Decrypt,
    GenerateDataKey,
}

impl Operation {
    pub(crate) const ALL: [Operation; 5] =
        [Operation::Put, Operation::Get, Operation::Encrypt, Operation::Decrypt, Operation::GenerateDataKey];

    fn on_objects(self) -> bool {
        matches!(self, Operation::Put | Operation::Get)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    SseS3,
    SseKms,
    BucketKey,
    DsseKms,
    /// Over HTTPS, since it must be.
    SseC,
    /// SSE-S3 over HTTPS: what TLS costs.
    SseS3Tls,
}

impl Mode {
    pub(crate) const ALL: [Mode; 6] =
        [Mode::SseS3, Mode::SseKms, Mode::BucketKey, Mode::DsseKms, Mode::SseC, Mode::SseS3Tls];
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Scenario {
    pub(crate) operation: Operation,
    pub(crate) mode: Mode,
    pub(crate) size: usize,
    plain_payload: bool,
}

/// A scenario whose objects and keys exist.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) secure: bool,
    pub(crate) size: usize,
    requests: Vec<Request>,
    /// What the answer's body begins with, and for objects how long it is.
    begins: Vec<u8>,
    length: Option<usize>,
    writes: bool,
}

/// Bytes in a chunk of an aws-chunked body: what the SDK for Java sends.
const CHUNK: usize = 128 * 1024;
/// The most bytes that a scenario leaves on the disk.
const MOST_BYTES: usize = 512 << 20;
const MOST_NAMES: usize = 20_000;
/// Objects that are read in turn; few, since they are prepared one by one.
const MOST_READ: usize = 256;
const KMS_PLAINTEXT: &[u8] = b"sixty-four bytes of a configuration secret, or a key of that size";

impl Scenario {
    pub(crate) fn new(operation: Operation, mode: Mode, size: usize) -> Scenario {
        Scenario { operation, mode, size, plain_payload: false }
    }

    pub(crate) fn all(options: &Options) -> Vec<Scenario> {
        let mut all = Vec::new();
        let plain_payload = options.plain_payload;
        for &operation in options.operations.iter().filter(|operation| operation.on_objects()) {
            for &size in &options.sizes {
                all.extend(options.modes.iter().map(|&mode| Scenario { operation, mode, size, plain_payload }));
            }
        }
        let keys = options.operations.iter().filter(|operation| !operation.on_objects());
        all.extend(keys.map(|&operation| Scenario { operation, mode: Mode::SseKms, size: 0, plain_payload }));
        all
    }

    /// Makes what the requests need, and the requests.
    pub(crate) fn prepare(&self, target: &Target) -> Result<Prepared, Error> {
        if self.operation.on_objects() { self.prepare_objects(target) } else { self.prepare_keys(target) }
    }

    fn prepare_objects(&self, target: &Target) -> Result<Prepared, Error> {
        let secure = matches!(self.mode, Mode::SseC | Mode::SseS3Tls);
        let content: Vec<u8> = (0..=250).cycle().take(self.size).collect();
        let most = if self.operation == Operation::Put { MOST_NAMES } else { MOST_READ };
        let count = (MOST_BYTES / self.size.max(1)).clamp(2, most);
        let put = self.put(target, &content)?;
        let puts = (0_u32..).take(count).map(|number| {
            // Names in no order, as real ones are.
            let scattered = number.wrapping_mul(2_654_435_761);
            let path = format!("/{BUCKET}/{:?}-{:?}-{}/{scattered:08x}", self.operation, self.mode, self.size);
            Request { path, ..put.clone() }
        });
        if self.operation == Operation::Put {
            return Ok(Prepared {
                secure,
                size: self.size,
                requests: puts.collect(),
                begins: Vec::new(),
                length: None,
                writes: true,
            });
        }
        let mut connection = Connection::open(target, secure)?;
        let mut gets = Vec::new();
        for put in puts {
            connection.expect_success(&put)?;
            let mut headers = HeaderMap::new();
            if self.mode == Mode::SseC {
                let customer = put.headers.iter().filter(|(name, _)| name.as_str().contains("customer"));
                headers.extend(customer.map(|(name, value)| (name.clone(), value.clone())));
            }
            let get = Request { method: "GET", headers, payload: Payload::Unsigned, body: Arc::default(), ..put };
            gets.push(get);
        }
        let begins = content[..content.len().min(1024)].to_vec();
        Ok(Prepared { secure, size: self.size, requests: gets, begins, length: Some(self.size), writes: true })
    }

    fn put(&self, target: &Target, content: &[u8]) -> Result<Request, Error> {
        let mut headers = self.encryption(target)?;
        let (payload, body) = if self.plain_payload {
            (Payload::Unsigned, content.to_vec())
        } else {
            headers.insert("content-encoding", HeaderValue::from_static("aws-chunked"));
            headers.insert("x-amz-trailer", HeaderValue::from_static("x-amz-checksum-crc32"));
            headers.insert("x-amz-decoded-content-length", value(&content.len().to_string())?);
            (Payload::ChunkedUnsignedTrailer, chunked(content))
        };
        Ok(Request {
            service: Service::S3,
            method: "PUT",
            path: String::new(),
            query: "",
            headers,
            payload,
            body: Arc::new(body),
        })
    }

    fn encryption(&self, target: &Target) -> Result<HeaderMap, Error> {
        const SSE: &str = "x-amz-server-side-encryption";
        let mut headers = HeaderMap::new();
        let mut kms = |algorithm: &'static str| -> Result<(), Error> {
            headers.insert(SSE, HeaderValue::from_static(algorithm));
            headers.insert("x-amz-server-side-encryption-aws-kms-key-id", value(target.kms_key()?)?);
            Ok(())
        };
        match self.mode {
            Mode::SseS3 | Mode::SseS3Tls => {}
            Mode::SseKms => kms("aws:kms")?,
            Mode::DsseKms => kms("aws:kms:dsse")?,
            Mode::BucketKey => {
                kms("aws:kms")?;
                headers.insert("x-amz-server-side-encryption-bucket-key-enabled", HeaderValue::from_static("true"));
            }
            Mode::SseC => {
                let key = [9_u8; 32];
                headers.insert("x-amz-server-side-encryption-customer-algorithm", HeaderValue::from_static("AES256"));
                headers.insert("x-amz-server-side-encryption-customer-key", value(&BASE64.encode(&key))?);
                let check = BASE64.encode(&Md5::digest(key));
                headers.insert("x-amz-server-side-encryption-customer-key-md5", value(&check)?);
            }
        }
        Ok(headers)
    }

    fn prepare_keys(&self, target: &Target) -> Result<Prepared, Error> {
        let key = target.kms_key()?;
        let plaintext = BASE64.encode(KMS_PLAINTEXT);
        let context = r#""EncryptionContext":{"tenant":"bench"}"#;
        let encrypt = format!(r#"{{"KeyId":"{key}","Plaintext":"{plaintext}",{context}}}"#);
        let request = match self.operation {
            Operation::Encrypt => kms_request("TrentService.Encrypt", encrypt),
            Operation::GenerateDataKey => kms_request(
                "TrentService.GenerateDataKey",
                format!(r#"{{"KeyId":"{key}","KeySpec":"AES_256",{context}}}"#),
            ),
            _ => {
                let sealed =
                    Connection::open(target, false)?.expect_success(&kms_request("TrentService.Encrypt", encrypt))?;
                let sealed: serde_json::Value =
                    serde_json::from_slice(&sealed.kept).map_err(|error| Error::Failed(error.to_string()))?;
                let blob = sealed["CiphertextBlob"].as_str().unwrap_or_default();
                kms_request("TrentService.Decrypt", format!(r#"{{"CiphertextBlob":"{blob}",{context}}}"#))
            }
        };
        Ok(Prepared::of_requests(vec![request]))
    }
}

impl Prepared {
    /// KMS requests, which leave nothing behind that would have to be cleaned up.
    pub(crate) fn of_requests(requests: Vec<Request>) -> Prepared {
        Prepared { secure: false, size: 0, requests, begins: b"{".to_vec(), length: None, writes: false }
    }

    /// The request of one turn of one connection: all connections walk through all names, each from its own start.
    pub(crate) fn request(&self, connection: usize, turn: usize) -> &Request {
        &self.requests[(connection * 7919 + turn) % self.requests.len()]
    }

    /// Whether this is what was stored.
    pub(crate) fn recognizes(&self, answer: &Answer) -> bool {
        answer.kept.starts_with(&self.begins) && self.length.is_none_or(|length| length == answer.length)
    }

    /// Removes the objects, so that the disk holds one scenario at a time.
    pub(crate) fn clean_up(&self, target: &Target) -> Result<(), Error> {
        if !self.writes {
            return Ok(());
        }
        let mut connection = Connection::open(target, false)?;
        for request in &self.requests {
            let (headers, body) = (HeaderMap::new(), Arc::default());
            let delete = Request { method: "DELETE", headers, payload: Payload::Unsigned, body, ..request.clone() };
            connection.expect_success(&delete)?;
        }
        Ok(())
    }
}

/// A KMS call: JSON 1.1, its body signed.
pub(crate) fn kms_request(operation: &'static str, json: String) -> Request {
    json_request(Service::Kms, operation, json)
}

/// A call of a service that speaks JSON 1.1.
pub(crate) fn json_request(service: Service, operation: &'static str, json: String) -> Request {
    let mut headers = HeaderMap::new();
    headers.insert("x-amz-target", HeaderValue::from_static(operation));
    posted(service, "application/x-amz-json-1.1", headers, json)
}

/// A call of IAM: a form.
pub(crate) fn iam_request(form: String) -> Request {
    posted(Service::Iam, "application/x-www-form-urlencoded", HeaderMap::new(), form)
}

fn posted(service: Service, content_type: &'static str, mut headers: HeaderMap, body: String) -> Request {
    headers.insert("content-type", HeaderValue::from_static(content_type));
    let hash = digest::digest(&digest::SHA256, body.as_bytes());
    let payload = Payload::Signed(hash.as_ref().try_into().expect("SHA-256 is 32 bytes"));
    let (path, body) = ("/".to_owned(), Arc::new(body.into_bytes()));
    Request { service, method: "POST", path, query: "", headers, payload, body }
}

/// An aws-chunked body with unsigned chunks and a trailing CRC-32, the default of most SDKs.
fn chunked(content: &[u8]) -> Vec<u8> {
    let mut body = Vec::with_capacity(content.len() + content.len() / 1024 + 128);
    for chunk in content.chunks(CHUNK) {
        body.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        body.extend_from_slice(chunk);
        body.extend_from_slice(b"\r\n");
    }
    let crc = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32IsoHdlc, content).to_be_bytes();
    let crc = BASE64.encode(&crc[4..]);
    body.extend_from_slice(format!("0\r\nx-amz-checksum-crc32:{crc}\r\n\r\n").as_bytes());
    body
}

fn value(text: &str) -> Result<HeaderValue, Error> {
    HeaderValue::from_str(text).map_err(|error| Error::Failed(error.to_string()))
}
