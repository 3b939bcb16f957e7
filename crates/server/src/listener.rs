//! Accepting connections, in plain and with TLS, within limits.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use gateway::{Connection, Gateway};
use policy::Network;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use crate::error::Error;
use crate::tls;

/// An address that is listened on.
pub(crate) struct Door {
    /// What its listener is called in requests, if the operator gave it a name.
    pub(crate) name: Option<Arc<str>>,
    pub(crate) tls: Option<TlsAcceptor>,
    /// Who may connect; everybody if it is empty.
    pub(crate) allow: Arc<[Network]>,
}

impl Door {
    fn lets_in(&self, address: IpAddr) -> bool {
        self.allow.is_empty() || self.allow.iter().any(|network| network.contains(address))
    }
}

/// What all listeners share.
pub(crate) struct Connections {
    gateway: Gateway,
    permits: Arc<Semaphore>,
    count: u32,
    stop: watch::Sender<bool>,
}

impl Connections {
    pub(crate) fn new(gateway: Gateway, count: usize) -> Arc<Connections> {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let permits = Arc::new(Semaphore::new(count as usize));
        Arc::new(Connections { gateway, permits, count, stop: watch::Sender::new(false) })
    }

    /// Accepts until the server stops.
    pub(crate) async fn accept(self: Arc<Self>, listener: TcpListener, door: Door) {
        let mut stop = self.stop.subscribe();
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => {}
            () = self.accept_all(&listener, Arc::new(door)) => {}
        }
    }

    async fn accept_all(self: &Arc<Self>, listener: &TcpListener, door: Arc<Door>) {
        loop {
            // The permit first: what cannot be served waits in the kernel's queue.
            let permit = Arc::clone(&self.permits).acquire_owned().await.expect("nobody closes the semaphore");
            match listener.accept().await {
                // Before anything is read: whoever may not connect learns nothing, not even a certificate.
                Ok((_, peer)) if !door.lets_in(peer.ip()) => {
                    tracing::debug!(%peer, listener = door.name.as_deref(), "not allowed to connect");
                }
                Ok((stream, peer)) => {
                    tokio::spawn(Arc::clone(self).serve(stream, peer, Arc::clone(&door), permit));
                }
                Err(error) => {
                    // Of the connection (it is gone) or of the process (out of files): either way the next may be good.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(AFTER_FAILED_ACCEPT).await;
                }
            }
        }
    }

    async fn serve(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        door: Arc<Door>,
        permit: OwnedSemaphorePermit,
    ) {
        // Answers leave at once: with Nagle's algorithm (RFC 896) they would wait for a delayed acknowledgement, 40 ms.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%peer, %error, "the connection is gone");
            return;
        }
        let mut connection = Connection {
            secure: door.tls.is_some(),
            peer,
            listener: door.name.clone(),
            tls: None,
            shutdown: self.stop.subscribe(),
        };
        let result = match &door.tls {
            None => self.gateway.serve(stream, connection).await,
            Some(tls) => match tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await {
                Ok(Ok(stream)) => {
                    connection.tls = tls::details(stream.get_ref().1).map(Arc::new);
                    self.gateway.serve(stream, connection).await
                }
                Ok(Err(error)) => return tracing::debug!(%peer, %error, "the TLS handshake failed"),
                Err(_) => return tracing::debug!(%peer, "the TLS handshake took too long"),
            },
        };
        if let Err(error) = result {
            tracing::debug!(%peer, %error, "the connection ended early");
        }
        drop(permit);
    }

    /// Asks all connections to end after the request that each is answering, and waits for that up to `limit`. The number of
    /// connections that did not end.
    pub(crate) async fn stop(&self, limit: Duration) -> usize {
        self.stop.send_replace(true);
        // The listeners give their permits back as soon as they see it.
        match tokio::time::timeout(limit, self.permits.acquire_many(self.count)).await {
            Ok(_) => 0,
            Err(_) => self.count as usize - self.permits.available_permits(),
        }
    }
}

/// Listens on an address.
pub(crate) fn listen(address: SocketAddr) -> Result<TcpListener, Error> {
    let listen = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // A restart may use the address while connections of the last process still time out.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    listen().map_err(|error| Error::Listen(address, error))
}

/// Connections that the kernel holds for us.
const BACKLOG: u32 = 1024;
/// A handshake takes two round trips and a signature.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Until a file may be free again.
const AFTER_FAILED_ACCEPT: Duration = Duration::from_millis(50);
