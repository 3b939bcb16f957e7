//! `userIdentity`.
//!
//! CloudTrail User Guide, "CloudTrail userIdentity element".

use keys::AccountId;
use policy::{Principal, PrincipalKind, Session};

use super::json::Object;
use super::times::Iso;

/// Who did it, as one recipient of the event may know.
#[derive(Clone, Copy)]
pub(crate) enum Identity<'a> {
    /// The caller, to its own account.
    Caller {
        /// Who.
        principal: &'a Principal,
        /// The service that acted in its name: `fas.s3.amazonaws.com`.
        invoked_by: Option<&'a str>,
    },
    /// The caller, to another account, whose resource it used.
    Stranger(&'a Principal),
    /// A service by itself, to the account of what it did it to.
    Internal(AccountId),
    /// Nobody knows.
    Unknown,
    /// Somebody who came with a token of a web identity provider instead of a signature.
    Federated(&'a WebIdentity),
}

/// What a web identity token says of its bearer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct WebIdentity {
    /// The provider's host name.
    pub(crate) provider: String,
    /// The token's audience.
    pub(crate) audience: String,
    /// The token's subject.
    pub(crate) subject: String,
}

impl Identity<'_> {
    /// Writes the element.
    pub(crate) fn write(&self, record: &mut Object<'_>) {
        record.object("userIdentity", |element| match self {
            Self::Caller { principal, invoked_by } => caller(element, principal, *invoked_by),
            Self::Stranger(principal) => stranger(element, principal),
            Self::Internal(account) => {
                element.plain("accountId", account);
                element.text("invokedBy", INTERNAL);
            }
            Self::Unknown => element.text("type", "Unknown"),
            Self::Federated(identity) => {
                let WebIdentity { provider, audience, subject } = identity;
                element.text("type", "WebIdentityUser");
                element.text("principalId", &format!("{provider}:{audience}:{subject}"));
                element.text("userName", subject);
                element.text("identityProvider", provider);
            }
        });
    }
}

/// What did what nobody asked for: `invokedBy`, `sourceIPAddress` and `userAgent` of a service event.
pub(crate) const INTERNAL: &str = "AWS Internal";

/// `Username` of LookupEvents: a user's name, a session's name, `root`.
pub(crate) fn user_name(principal: &Principal) -> Option<&str> {
    match &principal.kind {
        PrincipalKind::Root => Some("root"),
        PrincipalKind::User { name } | PrincipalKind::FederatedUser { name, .. } => Some(name),
        PrincipalKind::AssumedRole { session_name, .. } => Some(session_name),
        PrincipalKind::WebIdentity { .. } | PrincipalKind::Service(_) | PrincipalKind::Anonymous => None,
    }
}

fn caller(element: &mut Object<'_>, principal: &Principal, invoked_by: Option<&str>) {
    let kind = match &principal.kind {
        PrincipalKind::Root => "Root",
        PrincipalKind::User { .. } => "IAMUser",
        PrincipalKind::AssumedRole { .. } => "AssumedRole",
        PrincipalKind::FederatedUser { .. } => "FederatedUser",
        PrincipalKind::Service(name) => {
            element.text("type", "AWSService");
            return element.text("invokedBy", name);
        }
        PrincipalKind::Anonymous => return stranger(element, principal),
        // Who it says it is stands in the answer, if it was believed.
        PrincipalKind::WebIdentity { .. } => return element.text("type", "Unknown"),
    };
    element.text("type", kind);
    element.text("principalId", &principal.user_id);
    element.text("arn", &principal.arn);
    element.plain("accountId", principal.account);
    element.text("accessKeyId", &principal.access_key_id);
    if let PrincipalKind::User { name } = &principal.kind {
        element.text("userName", name);
    }
    if let Some(session) = &principal.session {
        element.object("sessionContext", |context| session_context(context, principal, session));
    }
    element.maybe("invokedBy", invoked_by);
}

fn session_context(context: &mut Object<'_>, principal: &Principal, session: &Session) {
    let account = principal.account;
    match &principal.kind {
        PrincipalKind::AssumedRole { role_arn, role_id, role_name, .. } => {
            issuer(context, "Role", role_id, role_arn, account, Some(role_name));
        }
        PrincipalKind::FederatedUser { user_arn, user_id, .. } => {
            let name = user_arn.split_once(":user/").map(|(_, path)| path.rsplit('/').next().unwrap_or(path));
            issuer(context, if name.is_some() { "IAMUser" } else { "Root" }, user_id, user_arn, account, name);
        }
        _ => {}
    }
    if let Some(provider) = &session.federated_provider {
        context.object("webIdFederationData", |data| {
            data.text("federatedProvider", provider);
            data.object("attributes", |attributes| {
                for (claim, values) in &session.claims {
                    attributes.maybe(claim, values.first().map(String::as_str));
                }
            });
        });
    }
    context.object("attributes", |attributes| {
        attributes.plain("creationDate", Iso(session.issued));
        attributes.text("mfaAuthenticated", if session.mfa.is_some() { "true" } else { "false" });
    });
    context.maybe("sourceIdentity", session.source_identity.as_deref());
}

fn issuer(context: &mut Object<'_>, kind: &str, id: &str, arn: &str, account: AccountId, name: Option<&str>) {
    context.object("sessionIssuer", |issuer| {
        issuer.text("type", kind);
        issuer.text("principalId", id);
        issuer.text("arn", arn);
        issuer.plain("accountId", account);
        issuer.maybe("userName", name);
    });
}

/// What an account learns of another one's caller.
fn stranger(element: &mut Object<'_>, principal: &Principal) {
    match &principal.kind {
        PrincipalKind::Service(name) => {
            element.text("type", "AWSService");
            element.text("invokedBy", name);
        }
        PrincipalKind::Anonymous => {
            element.text("type", "AWSAccount");
            element.text("principalId", "");
            element.text("accountId", "anonymous");
        }
        _ => {
            element.text("type", "AWSAccount");
            element.text("principalId", &principal.user_id);
            element.plain("accountId", principal.account);
        }
    }
}
