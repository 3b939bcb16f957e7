//! Who asks, by all the names that a `Principal` element may call it.

use crate::who::{Principal, PrincipalKind};

/// A caller's names.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Names<'a> {
    /// Nobody who said who it is.
    Anonymous,
    /// A principal of an account.
    Aws(Member<'a>),
    /// A service of AWS, by its service principal.
    Service(&'a str),
    /// A user of an identity provider, by the provider's ARN or host name.
    Federated(&'a str),
}

/// A principal of an account: a chain of the account, the role or user that a session came from, and the caller itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member<'a> {
    /// The account's twelve digits.
    pub(crate) account: &'a str,
    /// ARN and unique id of the role, or of the user that asked for a federated session.
    pub(crate) entity: Option<Link<'a>>,
    /// The caller's own; none of a root user, which has no other name than its account's.
    pub(crate) own: Option<Link<'a>>,
    /// Whether it has a permissions boundary.
    pub(crate) bounded: bool,
}

/// A link of the chain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link<'a> {
    pub(crate) arn: &'a str,
    /// Empty: it has none.
    pub(crate) unique_id: &'a str,
}

impl<'a> Names<'a> {
    /// Those of a principal.
    pub(crate) fn of(principal: &'a Principal) -> Self {
        let link = |arn, unique_id| Some(Link { arn, unique_id });
        let (entity, own) = match &principal.kind {
            PrincipalKind::Anonymous => return Self::Anonymous,
            PrincipalKind::Service(name) => return Self::Service(name),
            PrincipalKind::WebIdentity { provider } => return Self::Federated(provider),
            PrincipalKind::Root => (None, None),
            PrincipalKind::User { .. } => (None, link(&principal.arn, &principal.user_id)),
            PrincipalKind::AssumedRole { role_arn, role_id, .. } => (link(role_arn, role_id), link(&principal.arn, "")),
            // A root user's federated session came from the account.
            PrincipalKind::FederatedUser { user_arn, .. } if user_arn.ends_with(":root") => {
                (None, link(&principal.arn, ""))
            }
            PrincipalKind::FederatedUser { user_arn, user_id, .. } => {
                (link(user_arn, user_id), link(&principal.arn, ""))
            }
        };
        let bounded = principal.permissions.boundary.is_some();
        Self::Aws(Member { account: principal.account.as_str(), entity, own, bounded })
    }
}
