//! Which request is being served: the identifier that its answer carries, so that the logs of others can be laid beside ours and
//! a key remembers who used it last; and the way that it came, which key policies may ask for.

use std::future::Future;
use std::net::IpAddr;

use uuid::Uuid;

tokio::task_local! {
    static CURRENT: Incoming;
}

/// A request, as far as the domain has to know it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Incoming {
    /// The bytes of the UUID that is its identifier. An external key manager is told it, for its own log, and GetKeyLastUsage
    /// gives it.
    pub id: [u8; 16],
    /// Whether it came by TLS (`aws:SecureTransport`).
    pub secure: bool,
    /// The address at the other end of its connection (`aws:SourceIp`).
    pub address: IpAddr,
}

/// Runs `work` as part of a request.
pub async fn in_request<T>(request: Incoming, work: impl Future<Output = T>) -> T {
    CURRENT.scope(request, work).await
}

/// The request that runs; none for what the server does by itself. Costs a few nanoseconds.
pub(crate) fn incoming() -> Option<Incoming> {
    CURRENT.try_with(|request| *request).ok()
}

/// The identifier of the request that runs.
pub(crate) fn current() -> Option<Uuid> {
    incoming().map(|request| Uuid::from_bytes(request.id))
}

/// The identifier of the request that runs; a new one for what the server does by itself.
pub(crate) fn id() -> String {
    current().unwrap_or_else(Uuid::new_v4).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_identifier_is_the_requests_own() {
        let one = Uuid::new_v4();
        let request = Incoming { id: one.into_bytes(), secure: true, address: IpAddr::from([127, 0, 0, 1]) };
        let seen = in_request(request, async {
            tokio::task::yield_now().await;
            id()
        });
        assert_eq!(seen.await, one.to_string());
        assert_ne!(id(), id());
        assert!(current().is_none());
    }
}
