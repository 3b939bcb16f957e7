//! One HTTP/1.1 connection: name, TCP, TLS, each within the time that is left.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use crate::public::is_public;
use crate::{Endpoint, Error, Trust};

/// Sends requests on one connection, one after the other.
pub(crate) type Sender = SendRequest<Full<Bytes>>;

/// Opens connections to one endpoint.
pub(crate) struct Dialer {
    endpoint: Endpoint,
    connector: TlsConnector,
    /// Whether only addresses of the public internet may be connected to, unless the endpoint has a route.
    public: bool,
    /// The system's resolver blocks a thread for as long as it likes; a dead one must not take all threads.
    lookups: Arc<Semaphore>,
}

/// Name lookups at once, those that nobody waits for any more included.
pub(crate) const MAX_LOOKUPS: usize = 4;

impl Dialer {
    pub(crate) fn new(endpoint: Endpoint, trust: &Trust) -> Dialer {
        let connector = TlsConnector::from(Arc::clone(&trust.settings));
        Dialer { endpoint, connector, public: false, lookups: Arc::new(Semaphore::new(MAX_LOOKUPS)) }
    }

    /// One for an endpoint that somebody other than the operator names: without a route it is on the public internet, or not reached.
    /// It shares its name lookups with others.
    pub(crate) fn to_the_public(endpoint: Endpoint, trust: &Trust, lookups: Arc<Semaphore>) -> Dialer {
        Dialer { lookups, public: !endpoint.is_routed(), ..Dialer::new(endpoint, trust) }
    }

    pub(crate) fn shown(&self) -> String {
        self.endpoint.shown()
    }

    /// A connection that is ready for a request.
    pub(crate) async fn dial(&self, deadline: Instant) -> Result<Sender, Error> {
        let stream = self.connect(deadline).await?;
        // Small requests, each of which somebody waits for.
        stream.set_nodelay(true).map_err(|error| self.unreachable(&error))?;
        if !self.endpoint.secure() {
            return self.speak(stream, deadline).await;
        }
        let name = ServerName::try_from(self.endpoint.host().to_owned()).map_err(|error| self.no_tls(&error))?;
        // Whoever took the connection and then says nothing did not answer in time.
        let secured = timeout_at(deadline, self.connector.connect(name, stream)).await;
        let secured = secured.map_err(|_| self.silent())?.map_err(|error| self.no_tls(&error))?;
        self.speak(secured, deadline).await
    }

    /// The first address that takes a connection.
    async fn connect(&self, deadline: Instant) -> Result<TcpStream, Error> {
        let mut last = self.unreachable(&"the name has no address");
        for address in self.addresses(deadline).await? {
            if self.public && !is_public(address.ip()) {
                last = self.unreachable(&format_args!("{} is no address of the public internet", address.ip()));
                continue;
            }
            match timeout_at(deadline, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => last = self.unreachable(&error),
                Err(_) => return Err(self.unreachable(&"no connection in time")),
            }
        }
        Err(last)
    }

    async fn addresses(&self, deadline: Instant) -> Result<Vec<SocketAddr>, Error> {
        let (host, port) = self.endpoint.target();
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let (host, lookups) = (host.to_owned(), Arc::clone(&self.lookups));
        // A task of its own, so that the permit lives as long as the thread does that looks up.
        let lookup = tokio::spawn(async move {
            let _permit = lookups.acquire_owned().await.map_err(std::io::Error::other)?;
            tokio::net::lookup_host((host, port)).await.map(Iterator::collect::<Vec<_>>)
        });
        match timeout_at(deadline, lookup).await {
            Ok(Ok(Ok(addresses))) => Ok(addresses),
            Ok(Ok(Err(error))) => Err(self.unreachable(&error)),
            Ok(Err(error)) => Err(self.unreachable(&error)),
            Err(_) => Err(self.unreachable(&"the name was not found in time")),
        }
    }

    async fn speak(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        deadline: Instant,
    ) -> Result<Sender, Error> {
        let mut builder = http1::Builder::new();
        builder.max_headers(MAX_HEADERS).max_buf_size(HEAD_BUFFER);
        let made = timeout_at(deadline, builder.handshake(TokioIo::new(stream))).await.map_err(|_| self.silent())?;
        let (sender, connection) = made.map_err(|error| self.unreachable(&error))?;
        // Ends when the sender is dropped or the other side closes. Its error reaches whoever waits for an answer.
        tokio::spawn(async move { drop(connection.await) });
        Ok(sender)
    }

    fn unreachable(&self, reason: &dyn std::fmt::Display) -> Error {
        Error::Unreachable { to: self.shown(), reason: reason.to_string() }
    }

    fn no_tls(&self, reason: &dyn std::fmt::Display) -> Error {
        Error::Tls { to: self.shown(), reason: reason.to_string() }
    }

    /// Connected and then silent; the caller knows how long the time was.
    fn silent(&self) -> Error {
        Error::TimedOut { to: self.shown(), limit: std::time::Duration::ZERO }
    }
}

/// Headers in an answer, and bytes of them.
const MAX_HEADERS: usize = 64;
const HEAD_BUFFER: usize = 16 * 1024;
