//! From who somebody is to what they may do: the only maker of [`Authorized`].
//!
//! What policies say together is decided in crate `policy`; here a request becomes its question. Of a KMS key, with its key policy and
//! grants, `keys` decides by the same rules.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use policy::{AccountId, Context, Document, GlobalContext, Principal, Question, Refused, Rule, decide};

use crate::auth::Authenticated;
use crate::denial;

/// Something that an operation acts on.
pub trait Resource {
    /// Its ARN, or `*`.
    fn arn(&self) -> Cow<'_, str>;

    /// Who owns it; `None` for what lies in the caller's own account by its nature (the list of its buckets, a bucket that does not
    /// exist yet).
    fn owner(&self) -> Option<AccountId>;

    /// What it says itself of who may use it.
    fn policy(&self) -> Option<&Document> {
        None
    }

    /// What that policy means for callers of the owner's account.
    fn rule(&self) -> Rule {
        Rule::Either
    }
}

/// The caller's own account as a resource: its list of buckets, its keys, what is about to be created in it.
#[derive(Clone, Copy, Debug)]
pub struct OwnAccount;

impl Resource for OwnAccount {
    fn arn(&self) -> Cow<'_, str> {
        "*".into()
    }

    fn owner(&self) -> Option<AccountId> {
        None
    }
}

impl<R: Resource> Resource for Arc<R> {
    fn arn(&self) -> Cow<'_, str> {
        (**self).arn()
    }

    fn owner(&self) -> Option<AccountId> {
        (**self).owner()
    }

    fn policy(&self) -> Option<&Document> {
        (**self).policy()
    }

    fn rule(&self) -> Rule {
        (**self).rule()
    }
}

/// Proof that the caller may do `action` to the resource. Made by [`authorize`] alone.
pub struct Authorized<R> {
    principal: Arc<Principal>,
    action: &'static str,
    resource: R,
}

impl<R> Authorized<R> {
    /// Who was allowed.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// What was allowed, as policies name it: `s3:GetObject`.
    pub fn action(&self) -> &'static str {
        self.action
    }

    /// To what.
    pub fn resource(&self) -> &R {
        &self.resource
    }
}

impl<R> Deref for Authorized<R> {
    type Target = R;

    fn deref(&self) -> &R {
        &self.resource
    }
}

/// The caller may not do this. AWS: `AccessDenied` (403) or `AccessDeniedException` (400).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("User: {principal} is not authorized to perform: {action} on resource: {resource} {}", .refused.reason(.action))]
pub struct Denied {
    /// The caller's ARN.
    pub principal: String,
    /// The action, as policies name it.
    pub action: &'static str,
    /// The resource's ARN.
    pub resource: String,
    /// Whether the resource is of the caller's own account: to others AWS gives no reason.
    pub own: bool,
    /// Which policy it was.
    pub refused: Box<Refused>,
}

/// Decides whether `caller` may do `action` (as policies name it: `s3:PutObject`) to `resource`. `context` has the condition keys of
/// the service.
///
/// # Errors
/// [`Denied`].
pub fn authorize<R: Resource>(
    caller: &Authenticated,
    action: &'static str,
    resource: R,
    context: &dyn Context,
) -> Result<Authorized<R>, Denied> {
    let principal = caller.principal();
    let owner = resource.owner();
    let arn = resource.arn();
    let context = GlobalContext {
        principal,
        facts: Some(caller.facts()),
        region: caller.region(),
        resource_account: Some(owner.unwrap_or(principal.account)),
        via_service: None,
        service: context,
    };
    let question = Question { principal, action, resource: &arn, owner, context: &context };
    let decided = decide(&question, resource.policy(), resource.rule()).map(|_| ());
    match decided {
        Ok(()) => {
            drop(arn);
            Ok(Authorized { principal: caller.shared_principal(), action, resource })
        }
        Err(refused) => {
            denial::note(&question, &refused, &context);
            Err(Denied {
                principal: principal.arn.clone(),
                action,
                resource: arn.into_owned(),
                own: owner.is_none_or(|owner| owner == principal.account),
                refused: Box::new(refused),
            })
        }
    }
}

impl<R> fmt::Debug for Authorized<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorized").field("principal", &self.principal.arn).field("action", &self.action).finish()
    }
}
