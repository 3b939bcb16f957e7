//! A store in memory, the identities in it, and operations given as JSON.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use identity::{Error, Identity, Operation, Prepared, Subject};
use policy::{AccountId, GlobalContext, Principal, Question, RequestFacts, Rule, decide};
use serde_json::Value;

pub(crate) const ACCOUNT: &str = "111111111111";

pub(crate) struct Bed {
    pub(crate) identity: Arc<Identity>,
    pub(crate) account: AccountId,
    now: Arc<AtomicU64>,
    _folder: tempfile::TempDir,
}

impl Bed {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store: Arc<dyn meta::Store> = Arc::new(meta::memory::Memory::new());
        let root: Arc<dyn keys::RootKey> = Arc::new(keys::KeyFile::create(&folder.path().join("root.key")).unwrap());
        let now = Arc::new(AtomicU64::new(1_760_000_000));
        let clock: keys::Clock = {
            let now = Arc::clone(&now);
            Arc::new(move || UNIX_EPOCH + Duration::from_secs(now.load(Ordering::Relaxed)))
        };
        let settings = keys::Settings {
            region: keys::Region::parse("us-east-1").unwrap(),
            other_regions: Vec::new(),
            clock: Arc::clone(&clock),
        };
        let keys = keys::Keys::open(Arc::clone(&store), root, settings).await.unwrap();
        let account = AccountId::parse(ACCOUNT).unwrap();
        Self { identity: Identity::open(store, keys, clock, account), account, now, _folder: folder }
    }

    /// Lets time pass.
    pub(crate) fn wait(&self, seconds: u64) {
        self.now.fetch_add(seconds, Ordering::Relaxed);
    }

    /// Does an operation as the root user; the answer in JSON.
    pub(crate) async fn try_ok<O: Operation>(&self, request: Value) -> Result<Value, Error> {
        let root = Arc::new(Principal::root(self.account, ""));
        let operation: O = serde_json::from_value(request).unwrap();
        let prepared = Prepared::new(&self.identity, root, operation).await?;
        let Ok(permitted) = prepared.decide(|_, _| Ok::<_, ()>(())) else { unreachable!("all is allowed") };
        Ok(serde_json::to_value(permitted.run(&self.identity).await?).unwrap())
    }

    /// The same where it succeeds.
    pub(crate) async fn ok<O: Operation>(&self, request: Value) -> Value {
        self.try_ok::<O>(request).await.unwrap()
    }

    /// Code and message of a failure.
    pub(crate) async fn fails<O: Operation>(&self, request: Value) -> (String, String) {
        let error = self.try_ok::<O>(request).await.unwrap_err();
        (error.code().to_owned(), error.message().to_owned())
    }

    /// Does an operation as somebody, with real decisions. `None`: refused.
    pub(crate) async fn attempt<O: Operation>(&self, caller: &Arc<Principal>, request: Value) -> Option<Value> {
        let operation: O = serde_json::from_value(request).unwrap();
        let prepared = Prepared::new(&self.identity, Arc::clone(caller), operation).await.unwrap();
        let permitted = prepared.decide(|caller, subject| self.allows(caller, subject).then_some(()).ok_or(())).ok()?;
        Some(serde_json::to_value(permitted.run(&self.identity).await.unwrap()).unwrap())
    }

    fn allows(&self, caller: &Principal, subject: &Subject) -> bool {
        let facts = RequestFacts {
            secure: true,
            address: std::net::IpAddr::from([192, 0, 2, 1]),
            listener: None,
            user_agent: None,
            referer: None,
            time: UNIX_EPOCH + Duration::from_secs(self.now.load(Ordering::Relaxed)),
        };
        let context = GlobalContext {
            principal: caller,
            facts: Some(&facts),
            region: "us-east-1",
            resource_account: Some(self.account),
            via_service: None,
            service: &subject.context,
        };
        let owner = subject.trust.as_ref().map(|trust| trust.owner);
        let question =
            Question { principal: caller, action: subject.action, resource: &subject.arn, owner, context: &context };
        let (policy, rule) = match &subject.trust {
            Some(trust) => (trust.policy.as_deref(), Rule::ResourceMustAllow),
            None => (None, Rule::Either),
        };
        decide(&question, policy, rule).is_ok()
    }

    /// The principal of a new access key of a user.
    pub(crate) async fn sign_in(&self, user: &str) -> (String, Arc<Principal>) {
        let request = serde_json::json!({"UserName": user});
        let answer = self.ok::<identity::operation::access_key::CreateAccessKeyRequest>(request).await;
        let id = answer["AccessKey"]["AccessKeyId"].as_str().unwrap().to_owned();
        let principal = self.who(&id, None).await;
        (id, principal)
    }

    pub(crate) async fn who(&self, key: &str, token: Option<&str>) -> Arc<Principal> {
        Arc::clone(&self.identity.resolve(key, token).await.map_err(|error| error.to_string()).unwrap().principal)
    }
}

/// A policy of one statement.
pub(crate) fn allow(action: &str, resource: &str) -> String {
    statement("Allow", action, resource)
}

pub(crate) fn statement(effect: &str, action: &str, resource: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"{effect}","Action":"{action}","Resource":"{resource}"}}]}}"#
    )
}

pub(crate) fn arn(resource: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:{resource}")
}
