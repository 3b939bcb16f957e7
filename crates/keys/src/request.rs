//! Which request is being served: the identifiers that its answer and its audit record carry, and how it came, which policies may
//! ask for. What it does with keys is noted beside it, for the audit.

use std::cell::RefCell;
use std::future::Future;
use std::sync::Arc;

use policy::{AccountId, RequestFacts};
use seal::EncryptionContext;
use uuid::Uuid;

tokio::task_local! {
    static CURRENT: Current;
}

/// A request, as far as the domain has to know it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Incoming {
    /// The bytes of the UUID that is its identifier. An external key manager is told it, for its own log.
    pub id: [u8; 16],
    /// The identifier of its own event in the audit log, which GetKeyLastUsage gives.
    pub event: Uuid,
    /// How it came.
    pub facts: Arc<RequestFacts>,
}

/// A key that a request has used, or was not allowed to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyUse {
    /// The event that tells of it: the request's own, or one of its own for what a service did in the caller's name.
    pub event: Uuid,
    /// The operation, as the service model names it: `GenerateDataKey`.
    pub operation: &'static str,
    /// The key's ARN; what the request named where there is no such key.
    pub key_arn: String,
    /// The account that owns the key, if there is such a key.
    pub owner: Option<AccountId>,
    /// `KeyMaterialId` of what it was done with, once it was; none of keys in custom key stores, whose materials have no name.
    pub material_id: Option<String>,
    /// The custom key store that the key is in.
    pub key_store_id: Option<String>,
    /// The grant that RetireGrant is about, which its request may name by a token alone.
    pub grant_id: Option<String>,
    /// What a service asked in the caller's name; none of what the caller asked KMS itself.
    pub by_service: Option<ServiceUse>,
}

/// What a service asked of KMS in the caller's name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServiceUse {
    /// The encryption context.
    pub encryption_context: EncryptionContext,
    /// AWS's code and message, if it was refused.
    pub error: Option<(&'static str, String)>,
}

struct Current {
    incoming: Incoming,
    uses: RefCell<Vec<KeyUse>>,
}

/// Runs `work` as part of a request. Gives the keys that it used, too, in their order.
pub async fn in_request<T>(incoming: Incoming, work: impl Future<Output = T>) -> (T, Vec<KeyUse>) {
    let current = Current { incoming, uses: RefCell::new(Vec::new()) };
    let collected = async {
        let answer = work.await;
        (answer, CURRENT.with(|current| current.uses.take()))
    };
    CURRENT.scope(current, collected).await
}

/// How the request that runs came; none for what the server does by itself.
pub(crate) fn facts() -> Option<Arc<RequestFacts>> {
    CURRENT.try_with(|current| Arc::clone(&current.incoming.facts)).ok()
}

/// The event of the request that runs.
pub(crate) fn event() -> Option<Uuid> {
    CURRENT.try_with(|current| current.incoming.event).ok()
}

/// The identifier of the request that runs.
pub(crate) fn current() -> Option<Uuid> {
    CURRENT.try_with(|current| Uuid::from_bytes(current.incoming.id)).ok()
}

/// The identifier of the request that runs; a new one for what the server does by itself.
pub(crate) fn id() -> String {
    current().unwrap_or_else(Uuid::new_v4).to_string()
}

/// Notes that the request that runs uses a key.
pub(crate) fn note(key_use: impl FnOnce() -> KeyUse) {
    // Outside of requests nobody collects.
    let _ = CURRENT.try_with(|current| current.uses.borrow_mut().push(key_use()));
}

/// Notes which material the caller's own use of a key was done with. Of two uses of one key the later one is done first, as ReEncrypt
/// does: it looks for the destination, then opens under the source, then seals.
pub(crate) fn note_material(key_arn: &str, material_id: impl FnOnce() -> String) {
    let _ = CURRENT.try_with(|current| {
        let mut uses = current.uses.borrow_mut();
        let own =
            |used: &&mut KeyUse| used.key_arn == key_arn && used.by_service.is_none() && used.material_id.is_none();
        if let Some(used) = uses.iter_mut().rev().find(own) {
            used.material_id = Some(material_id());
        }
    });
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::time::SystemTime;

    use super::*;

    fn request(id: Uuid) -> Incoming {
        let facts = RequestFacts {
            secure: true,
            address: IpAddr::from([127, 0, 0, 1]),
            listener: None,
            user_agent: None,
            referer: None,
            time: SystemTime::UNIX_EPOCH,
        };
        Incoming { id: id.into_bytes(), event: Uuid::new_v4(), facts: Arc::new(facts) }
    }

    #[tokio::test]
    async fn the_identifier_is_the_requests_own_and_its_uses_are_its_own() {
        let one = Uuid::new_v4();
        let seen = in_request(request(one), async {
            tokio::task::yield_now().await;
            note(|| KeyUse {
                event: Uuid::nil(),
                operation: "Encrypt",
                key_arn: "arn".to_owned(),
                owner: None,
                material_id: None,
                key_store_id: None,
                grant_id: None,
                by_service: None,
            });
            note_material("another", || unreachable!("nobody uses it"));
            note_material("arn", || "first".to_owned());
            note_material("arn", || unreachable!("it has one"));
            id()
        });
        let (seen, uses) = seen.await;
        assert_eq!((seen, uses.len()), (one.to_string(), 1));
        assert_eq!(uses[0].material_id.as_deref(), Some("first"));
        assert_eq!(in_request(request(one), async {}).await.1, []);
        assert_ne!(id(), id());
        assert!(current().is_none());
    }
}
