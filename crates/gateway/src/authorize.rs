//! From who somebody is to what they may do: the only maker of [`Authorized`].
//!
//! There is one rule: a principal may do anything to what its own account owns, and nothing else. What key policies and grants say
//! of a key, `keys` decides.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use keys::{AccountId, Principal};

use crate::auth::Authenticated;

/// Something that an operation acts on.
pub trait Resource {
    /// Who owns it; `None` for what lies in the caller's own account by its nature (the list of its buckets, its keys by
    /// id, a bucket that does not exist yet).
    fn owner(&self) -> Option<&AccountId>;
}

/// The caller's own account as a resource: its list of buckets, its keys, what is about to be created in it.
#[derive(Clone, Copy, Debug)]
pub struct OwnAccount;

impl Resource for OwnAccount {
    fn owner(&self) -> Option<&AccountId> {
        None
    }
}

impl Resource for objects::Bucket {
    fn owner(&self) -> Option<&AccountId> {
        Some(&self.owner)
    }
}

impl<R: Resource> Resource for Arc<R> {
    fn owner(&self) -> Option<&AccountId> {
        (**self).owner()
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

/// The caller may not do this. AWS: `AccessDenied` (403), whatever the reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("User: {principal} is not authorized to perform: {action} because no policy allows the {action} action")]
pub struct Denied {
    /// The caller's ARN.
    pub principal: String,
    /// The action, as policies name it.
    pub action: &'static str,
}

/// Decides whether `caller` may do `action` (as policies name it: `s3:PutObject`) to `resource`.
///
/// # Errors
/// [`Denied`].
pub fn authorize<R: Resource>(
    caller: &Authenticated,
    action: &'static str,
    resource: R,
) -> Result<Authorized<R>, Denied> {
    let principal = caller.principal();
    match resource.owner() {
        Some(owner) if *owner != principal.account => Err(Denied { principal: principal.arn.clone(), action }),
        _ => Ok(Authorized { principal: caller.shared_principal(), action, resource }),
    }
}

impl<R> fmt::Debug for Authorized<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorized").field("principal", &self.principal.arn).field("action", &self.action).finish()
    }
}
