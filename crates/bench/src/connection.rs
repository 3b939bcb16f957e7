//! One kept-alive HTTP/1.1 connection, blocking, over TCP or TLS: as little work a request as can be done.

use crate::Error;
use crate::target::Target;
use http::{HeaderMap, HeaderValue};
use rustls::{ClientConnection, StreamOwned};
use sigv4::{Payload, Signer};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::SystemTime;

/// The answer's head; its body is in the connection's buffer, or was read and thrown away.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) length: usize,
    /// At most the first [`KEPT`] bytes of the body.
    pub(crate) kept: Vec<u8>,
}

/// What of an answer's body is kept: enough for any error or KMS answer, and to check that an object is the right one.
const KEPT: usize = 8 * 1024;
/// One read from the socket.
const READ: usize = 256 * 1024;

/// What is sent: the head's variable parts; the connection adds host, date and signature.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) service: Service,
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) query: &'static str,
    pub(crate) headers: HeaderMap,
    pub(crate) payload: Payload,
    pub(crate) body: Arc<Vec<u8>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    S3,
    Kms,
    Iam,
    CloudTrail,
}

impl Service {
    const ALL: [Service; 4] = [Service::S3, Service::Kms, Service::Iam, Service::CloudTrail];

    /// Its name in the scope of a signature.
    fn scope(self) -> &'static str {
        match self {
            Service::S3 => "s3",
            Service::Kms => "kms",
            Service::Iam => "iam",
            Service::CloudTrail => "cloudtrail",
        }
    }
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

pub(crate) struct Connection {
    stream: Stream,
    host: HeaderValue,
    /// In the order of [`Service::ALL`].
    signers: [Signer; Service::ALL.len()],
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) fn open(target: &Target, secure: bool) -> Result<Connection, Error> {
        let address = target.address(secure);
        let failed = |error| Error::Io(address.to_owned(), error);
        let stream = TcpStream::connect(address).map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        let stream = if secure {
            let name = "localhost".try_into().map_err(|_| Error::Failed("localhost is a name".into()))?;
            let session =
                ClientConnection::new(target.tls()?, name).map_err(|error| Error::Failed(error.to_string()))?;
            Stream::Tls(Box::new(StreamOwned::new(session, stream)))
        } else {
            Stream::Plain(stream)
        };
        let host = HeaderValue::from_str(address).map_err(|error| Error::Failed(error.to_string()))?;
        let signer =
            |service: Service| Signer::new(target.access_key_id(), target.secret(), target.region(), service.scope());
        Ok(Connection { stream, host, signers: Service::ALL.map(signer), buffer: vec![0; READ] })
    }

    /// Signs, sends, and reads the whole answer.
    pub(crate) fn exchange(&mut self, request: &Request) -> Result<Answer, Error> {
        let head = self.head(request)?;
        self.send(&head, &request.body)
            .and_then(|()| self.receive())
            .map_err(|error| Error::Io(request.path.clone(), error))
    }

    /// The same, where anything but success ends the run.
    pub(crate) fn expect_success(&mut self, request: &Request) -> Result<Answer, Error> {
        let answer = self.exchange(request)?;
        if (200..300).contains(&answer.status) {
            return Ok(answer);
        }
        let said = String::from_utf8_lossy(&answer.kept);
        Err(Error::Failed(format!("{} {}: {} {said}", request.method, request.path, answer.status)))
    }

    /// Signs and sends the head and the first `bytes` of the body, and no more: a transfer that is cut off.
    pub(crate) fn begin(&mut self, request: &Request, bytes: usize) -> Result<(), Error> {
        let head = self.head(request)?;
        self.send(&head, &request.body[..bytes]).map_err(|error| Error::Io(request.path.clone(), error))
    }

    fn head(&self, request: &Request) -> Result<Vec<u8>, Error> {
        let mut headers = request.headers.clone();
        headers.insert("host", self.host.clone());
        let signer = &self.signers[request.service as usize];
        let (path, query) = (request.path.as_str(), request.query);
        signer
            .sign(request.method, path, query, &mut headers, request.payload, SystemTime::now())
            .map_err(|error| Error::Failed(error.to_string()))?;
        let mut head = Vec::with_capacity(1024);
        let separator = if query.is_empty() { "" } else { "?" };
        head.extend_from_slice(format!("{} {path}{separator}{query} HTTP/1.1\r\n", request.method).as_bytes());
        for (name, value) in &headers {
            head.extend_from_slice(name.as_str().as_bytes());
            head.extend_from_slice(b": ");
            head.extend_from_slice(value.as_bytes());
            head.extend_from_slice(b"\r\n");
        }
        head.extend_from_slice(format!("content-length: {}\r\n\r\n", request.body.len()).as_bytes());
        Ok(head)
    }

    /// Small requests leave in one write, as a client's would.
    fn send(&mut self, head: &[u8], body: &[u8]) -> std::io::Result<()> {
        let stream = self.stream.write();
        if body.len() <= READ {
            stream.write_all(&[head, body].concat())
        } else {
            stream.write_all(head)?;
            stream.write_all(body)
        }?;
        stream.flush()
    }

    fn receive(&mut self) -> std::io::Result<Answer> {
        let mut filled = 0;
        let end = loop {
            filled += read_some(self.stream.read(), &mut self.buffer[filled..])?;
            if let Some(end) = self.buffer[..filled].windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
        };
        let head = String::from_utf8_lossy(&self.buffer[..end]).to_ascii_lowercase();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        let length =
            head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok()).unwrap_or(0);
        let mut kept = self.buffer[end..filled].to_vec();
        let mut left = length - (filled - end).min(length);
        while left > 0 {
            let count = read_some(self.stream.read(), &mut self.buffer[..left.min(READ)])?;
            left -= count;
            let room = KEPT.saturating_sub(kept.len()).min(count);
            kept.extend_from_slice(&self.buffer[..room]);
        }
        kept.truncate(KEPT);
        Ok(Answer { status, length, kept })
    }
}

impl Stream {
    fn write(&mut self) -> &mut dyn Write {
        match self {
            Stream::Plain(stream) => stream,
            Stream::Tls(stream) => stream.as_mut(),
        }
    }

    fn read(&mut self) -> &mut dyn Read {
        match self {
            Stream::Plain(stream) => stream,
            Stream::Tls(stream) => stream.as_mut(),
        }
    }
}

fn read_some(stream: &mut dyn Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    match stream.read(buffer)? {
        0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
        count => Ok(count),
    }
}
