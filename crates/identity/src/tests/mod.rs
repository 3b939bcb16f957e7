//! The crate's operations together: over a store in memory, with a clock that the test sets.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod accounts;
mod concurrency;
mod groups;
mod keys_and_users;
mod mfa;
mod model;
mod resolution;
mod tampering;

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use ::keys::{KeyFile, Keys, Region};
use ::policy::{AccountId, Principal};
use meta::Store;
use meta::memory::Memory;

use crate::operation::access_key::{AccessKey, CreateAccessKeyRequest};
use crate::operation::inline::PutUserPolicyRequest;
use crate::operation::user::{CreateUserRequest, User};
use crate::{Error, Identity, Operation, Prepared};

/// An `Identity` over a store in memory.
pub(crate) struct World {
    pub(crate) identity: Arc<Identity>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) keys: Arc<Keys>,
    /// The home account's root user.
    pub(crate) root: Arc<Principal>,
    seconds: Arc<AtomicU64>,
    _folder: tempfile::TempDir,
}

pub(crate) fn account() -> AccountId {
    AccountId::parse("111122223333").unwrap()
}

impl World {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::TempDir::new().unwrap();
        let store: Arc<dyn Store> = Arc::new(Memory::new());
        let seconds = Arc::new(AtomicU64::new(1_700_000_010));
        let shown = Arc::clone(&seconds);
        let clock: ::keys::Clock = Arc::new(move || UNIX_EPOCH + Duration::from_secs(shown.load(Ordering::Relaxed)));
        let root_key = KeyFile::create(&folder.path().join("root")).unwrap();
        let region = Region::parse("eu-central-1").unwrap();
        let settings = ::keys::Settings { region, other_regions: vec![], clock: Arc::clone(&clock) };
        let keys = Keys::open(Arc::clone(&store), Arc::new(root_key), settings).await.unwrap();
        let identity = Identity::open(Arc::clone(&store), Arc::clone(&keys), clock, account());
        let root = Arc::new(Principal::root(account(), ""));
        Self { identity, store, keys, root, seconds, _folder: folder }
    }

    /// Another process over the same store.
    pub(crate) fn neighbour(&self) -> Arc<Identity> {
        let seconds = Arc::clone(&self.seconds);
        let clock: ::keys::Clock = Arc::new(move || UNIX_EPOCH + Duration::from_secs(seconds.load(Ordering::Relaxed)));
        Identity::open(Arc::clone(&self.store), Arc::clone(&self.keys), clock, account())
    }

    pub(crate) fn seconds(&self) -> u64 {
        self.seconds.load(Ordering::Relaxed)
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.seconds.fetch_add(seconds, Ordering::Relaxed);
    }

    /// As the home account's root user.
    pub(crate) async fn run<O: Operation>(&self, operation: O) -> Result<O::Response, Error> {
        run(&self.identity, &self.root, operation).await
    }

    pub(crate) async fn user(&self, name: &str) -> User {
        self.run(CreateUserRequest { user_name: name.to_owned(), ..Default::default() }).await.unwrap().user
    }

    pub(crate) async fn key(&self, user: &str) -> AccessKey {
        self.run(CreateAccessKeyRequest { user_name: Some(user.to_owned()) }).await.unwrap().access_key
    }

    pub(crate) async fn allow(&self, user: &str, policy: &str, action: &str) -> Result<(), Error> {
        let policy_document = allowing(action);
        let (user_name, policy_name) = (user.to_owned(), policy.to_owned());
        self.run(PutUserPolicyRequest { user_name, policy_name, policy_document }).await.map(|_| ())
    }
}

pub(crate) fn allowing(action: &str) -> String {
    format!(
        r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": "{action}", "Resource": "*"}}]}}"#
    )
}

/// As anybody, allowed everything.
pub(crate) async fn run<O: Operation>(
    identity: &Identity,
    caller: &Arc<Principal>,
    operation: O,
) -> Result<O::Response, Error> {
    let prepared = Prepared::new(identity, Arc::clone(caller), operation).await?;
    assert!(!prepared.subjects().is_empty(), "{} names nothing to decide about", O::NAME);
    let Ok(permitted) = prepared.decide(|_, _| Ok::<(), Infallible>(()));
    permitted.run(identity).await
}

/// The code and text of a failure.
pub(crate) fn failure<T>(result: Result<T, Error>) -> (&'static str, String) {
    let error = result.err().expect("it fails");
    (error.code(), error.message().to_owned())
}
