//! Which request is being served: the identifier that its answer carries, so that the logs of others can be laid beside ours.

use std::future::Future;

tokio::task_local! {
    static ID: String;
}

/// Runs `work` as part of the request of this identifier. An external key manager is told it, for its own log.
pub async fn in_request<T>(id: String, work: impl Future<Output = T>) -> T {
    ID.scope(id, work).await
}

/// The identifier of the request that runs; a new one for what the server does by itself.
pub(crate) fn id() -> String {
    ID.try_with(Clone::clone).unwrap_or_else(|_| uuid::Uuid::new_v4().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_identifier_is_the_requests_own() {
        let seen = in_request("one".to_owned(), async {
            tokio::task::yield_now().await;
            id()
        });
        assert_eq!(seen.await, "one");
        assert_ne!(id(), id());
    }
}
