//! How the policies of several kinds decide together.
//!
//! Source: IAM User Guide, "Policy evaluation logic".

use std::fmt;

use crate::account::AccountId;
use crate::context::{Caller, Context, RequestContext};
use crate::document::Document;
use crate::evaluate::{Decision, Reach, Verdict, evaluate};
use crate::who::{Principal, PrincipalKind};

/// May this principal do this to that?
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// Who asks.
    pub principal: &'a Principal,
    /// The action, `service:Name`.
    pub action: &'a str,
    /// The resource's ARN, or `*`.
    pub resource: &'a str,
    /// The account that owns the resource; `None`: the caller's own.
    pub owner: Option<AccountId>,
    /// The condition keys.
    pub context: &'a dyn Context,
}

/// What a resource's policy means for the callers of its own account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rule {
    /// Their own policies or the resource's have to allow it (S3).
    Either,
    /// The resource's policy has to allow it, itself or by delegating to the account (KMS, roles).
    ResourceMustAllow,
}

/// The kind of policy that decided.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    /// Identity-based policies.
    Identity,
    /// The resource's policy.
    Resource,
    /// The permissions boundary.
    Boundary,
    /// Session policies.
    Session,
}

/// It is not allowed, and this is why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    /// The kind of policy that denies, or that does not allow.
    pub by: By,
    /// Whether a statement denies it.
    pub explicit: bool,
    /// Which one: the policy and the statement's Sid or index.
    pub statement: Option<(String, String)>,
}

impl Refused {
    fn implicit(by: By) -> Self {
        Self { by, explicit: false, statement: None }
    }

    /// The end of AWS's message: what follows "is not authorized to perform: ACTION on resource: ARN" (IAM User Guide, "Troubleshoot
    /// access denied error messages").
    pub fn reason<'a>(&'a self, action: &'a str) -> impl fmt::Display + 'a {
        Reason { refused: self, action }
    }
}

struct Reason<'a> {
    refused: &'a Refused,
    action: &'a str,
}

impl fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (explicit, implicit) = match self.refused.by {
            By::Identity => ("an identity-based policy", "identity-based policy"),
            By::Resource => ("a resource-based policy", "resource-based policy"),
            By::Boundary => ("a permissions boundary", "permissions boundary"),
            By::Session => ("a session policy", "session policy"),
        };
        match self.refused.explicit {
            true => write!(f, "with an explicit deny in {explicit}"),
            false => write!(f, "because no {implicit} allows the {} action", self.action),
        }
    }
}

/// What a caller's own side says: its identity policies, as far as its boundary and its session policies let them.
pub fn identity_side(question: &Question<'_>) -> Result<(), Refused> {
    let permissions = &question.principal.permissions;
    let identity = || verdict(&permissions.identity, question);
    let boundary = permissions.boundary.as_ref().map(|boundary| verdict(std::slice::from_ref(boundary), question));
    let session = permissions.session.as_ref().map(|session| verdict(session, question));
    let identity =
        if permissions.all { Decision { verdict: Verdict::Allow(Reach::Direct), statement: None } } else { identity() };
    let sides = [(By::Identity, Some(identity)), (By::Boundary, boundary), (By::Session, session)];
    let denies = |(_, decision): &&(By, Option<Decision<'_>>)| {
        decision.is_some_and(|decision| decision.verdict == Verdict::ExplicitDeny)
    };
    if let Some((by, _)) = sides.iter().find(denies) {
        return Err(Refused { by: *by, explicit: true, statement: None });
    }
    match sides.iter().find(|(_, decision)| decision.is_some_and(|decision| !decision.allows())) {
        Some((by, _)) => Err(Refused::implicit(*by)),
        None => Ok(()),
    }
}

/// Decides.
///
/// # Errors
/// [`Refused`].
pub fn decide(question: &Question<'_>, resource: Option<&Document>, rule: Rule) -> Result<(), Refused> {
    let own = question.owner.is_none_or(|owner| owner == question.principal.account);
    let identity = identity_side(question);
    let by_resource = resource.map(|document| resource_verdict(document, question));
    let denied = by_resource == Some(Verdict::ExplicitDeny);
    match (&identity, by_resource) {
        (Err(refused), _) if refused.explicit => Err(refused.clone()),
        (_, _) if denied => Err(Refused { by: By::Resource, explicit: true, statement: None }),
        (_, Some(Verdict::Allow(Reach::Direct))) if own => Ok(()),
        (Ok(()), Some(Verdict::Allow(_))) => Ok(()),
        (Ok(()), _) if own && rule == Rule::Either => Ok(()),
        (Err(refused), _) => Err(refused.clone()),
        _ => Err(Refused::implicit(By::Resource)),
    }
}

/// What a resource's policy says by itself.
pub fn resource_verdict(document: &Document, question: &Question<'_>) -> Verdict {
    verdict(std::slice::from_ref(document), question).verdict
}

fn verdict<'d, D: AsRef<Document>>(documents: &'d [D], question: &Question<'_>) -> Decision<'d> {
    let principal = question.principal;
    let names: Vec<&str> = match &principal.kind {
        PrincipalKind::Root => vec![],
        PrincipalKind::User { .. } => vec![&principal.arn, &principal.user_id],
        PrincipalKind::AssumedRole { role_arn, role_id, .. } => vec![role_arn, role_id, &principal.arn],
        PrincipalKind::FederatedUser { user_arn, .. } => vec![user_arn, &principal.arn],
        PrincipalKind::Service(name) => vec![name],
        PrincipalKind::Anonymous => vec![],
    };
    let caller = match principal.kind {
        PrincipalKind::Anonymous => Caller::Anonymous,
        PrincipalKind::Service(_) => Caller::Service(&names),
        _ => Caller::Aws { account: principal.account.as_str(), names: &names, canonical_user: None },
    };
    let Question { action, resource, context, .. } = *question;
    evaluate(documents, &RequestContext { caller, action, resource, context })
}
