//! Which request is being served: the identifier that its answer carries, so that the logs of others can be laid beside ours and
//! a key remembers who used it last.

use std::future::Future;

use uuid::Uuid;

tokio::task_local! {
    static ID: Uuid;
}

/// Runs `work` as part of the request whose identifier is the UUID of these bytes. An external key manager is told it, for its
/// own log, and GetKeyLastUsage gives it.
pub async fn in_request<T>(id: [u8; 16], work: impl Future<Output = T>) -> T {
    ID.scope(Uuid::from_bytes(id), work).await
}

/// The identifier of the request that runs; none for what the server does by itself. Costs a few nanoseconds.
pub(crate) fn current() -> Option<Uuid> {
    ID.try_with(|id| *id).ok()
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
        let seen = in_request(one.into_bytes(), async {
            tokio::task::yield_now().await;
            id()
        });
        assert_eq!(seen.await, one.to_string());
        assert_ne!(id(), id());
        assert!(current().is_none());
    }
}
