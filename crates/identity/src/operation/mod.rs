//! The operations of IAM and STS: each a typed request that says what the decision about it is asked of, and runs once that is made.
//!
//! ```text
//! request ─ Prepared::new ─► Prepared ─ decide(every subject) ─► Permitted ─ run ─► response
//! ```
//!
//! [`Operation::run`] needs an [`Allowed`], which [`Prepared::decide`] alone makes: an operation cannot run without a decision about
//! each of the subjects that it named.

pub mod access_key;
pub mod account;
pub mod attach;
pub mod boundary;
pub mod context_keys;
pub mod details;
pub mod group;
pub mod inline;
pub mod managed_policy;
pub mod membership;
pub mod mfa;
pub mod mfa_list;
pub mod never;
pub(crate) mod page;
pub mod policy_entities;
pub mod policy_tag;
pub mod policy_version;
pub mod role;
pub mod role_tag;
pub(crate) mod shapes;
pub mod simulate;
mod subject;
pub mod tag;
pub mod user;

use std::future::Future;
use std::sync::Arc;

use policy::{AccountId, ContextMap, Document, Principal};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Identity;
use crate::error::Error;

/// What a decision is asked of: an action on a resource, with the condition keys of the service. Global keys are the gateway's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subject {
    /// The action, `iam:CreateUser`.
    pub action: &'static str,
    /// The resource's ARN, or `*` for an action that has none.
    pub arn: String,
    /// `aws:ResourceTag/...`, `aws:RequestTag/...`, `aws:TagKeys`, `iam:...`: the Service Authorization Reference lists them.
    pub context: ContextMap,
    /// What the resource itself says of who may use it, if it says anything: a role.
    pub trust: Option<Trust>,
}

/// A resource with a policy, which has to allow what is done with it (`policy::Rule::ResourceMustAllow`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trust {
    /// Whose the resource is.
    pub owner: AccountId,
    /// The policy; none of a resource that is not there, which so allows nobody.
    pub policy: Option<Arc<Document>>,
    /// As whom the caller is decided about, if not as itself: somebody with a web identity, or with an MFA code beside the request.
    pub caller: Option<Arc<Principal>>,
}

/// An operation: its request.
pub trait Operation: model::Request + DeserializeOwned + Send + Sync {
    /// Its name in the service model, `CreateUser`.
    const NAME: &'static str;

    /// Its answer, whose serde form has the model's member names.
    type Response: Serialize + Send;

    /// What the decision is asked of, at least one. A missing entity is named as if it had the path `/`: whether it exists is told
    /// only to whom is allowed.
    fn subjects(
        &self,
        identity: &Identity,
        caller: &Principal,
    ) -> impl Future<Output = Result<Vec<Subject>, Error>> + Send;

    /// Does it.
    fn run(self, identity: &Identity, by: &Allowed) -> impl Future<Output = Result<Self::Response, Error>> + Send;
}

/// Who was allowed an operation. Made by [`Prepared::decide`] alone.
pub struct Allowed {
    caller: Arc<Principal>,
}

impl Allowed {
    /// Who asked.
    pub fn caller(&self) -> &Principal {
        &self.caller
    }

    /// The account that the operation is about: the caller's.
    pub fn account(&self) -> AccountId {
        self.caller.account
    }
}

/// An operation, and what the decision about it is asked of.
pub struct Prepared<O> {
    operation: O,
    caller: Arc<Principal>,
    subjects: Vec<Subject>,
}

impl<O: Operation> Prepared<O> {
    /// Looks up what the decision needs.
    ///
    /// # Errors
    /// A failing store, a damaged row; a request that names something that cannot be.
    pub async fn new(identity: &Identity, caller: Arc<Principal>, operation: O) -> Result<Self, Error> {
        let subjects = operation.subjects(identity, &caller).await?;
        Ok(Self { operation, caller, subjects })
    }

    /// The operation.
    pub fn operation(&self) -> &O {
        &self.operation
    }

    /// What the decision is asked of.
    pub fn subjects(&self) -> &[Subject] {
        &self.subjects
    }

    /// Asks for the decision about every subject.
    ///
    /// # Errors
    /// The first refusal.
    pub fn decide<E>(self, mut ask: impl FnMut(&Principal, &Subject) -> Result<(), E>) -> Result<Permitted<O>, E> {
        for subject in &self.subjects {
            let other = subject.trust.as_ref().and_then(|trust| trust.caller.as_deref());
            ask(other.unwrap_or(&self.caller), subject)?;
        }
        Ok(Permitted { operation: self.operation, allowed: Allowed { caller: self.caller } })
    }
}

/// An operation that every decision allows.
pub struct Permitted<O> {
    operation: O,
    allowed: Allowed,
}

impl<O: Operation> Permitted<O> {
    /// Does it.
    ///
    /// # Errors
    /// Those of the operation in the API reference.
    pub async fn run(self, identity: &Identity) -> Result<O::Response, Error> {
        self.operation.run(identity, &self.allowed).await
    }
}

/// The answer of an operation that tells nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Done {}
