//! How the policies of several kinds decide together.
//!
//! ```text
//! a statement of any policy denies ....................................... refused
//! the resource belongs to the caller's account:
//!     its policy names the caller itself, or everyone .................... allowed
//!     its policy names the role or user behind the caller's session ...... allowed if boundary ∧ session policies allow
//!     Rule::Either, or its policy names the account ...................... allowed if identity ∧ boundary ∧ session policies allow
//! the resource belongs to another account ................................ allowed if its policy ∧ identity ∧ boundary ∧ session policies allow
//! the caller has no account (a service, a web identity, nobody) .......... allowed if its policy allows
//! ```
//!
//! Source: IAM User Guide, "Policy evaluation logic", "Cross-account policy evaluation logic", "Permissions boundaries for IAM
//! entities", "Session policies".

use crate::account::AccountId;
use crate::context::Context;
use crate::document::Document;
use crate::evaluate::{Asked, Deciding, Decision, Reach, Verdict, evaluate};
use crate::names::Names;
use crate::reason::{By, Denying, Refused};
use crate::who::{Attached, Principal};

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

/// It is allowed, and this is what allows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Allowed<'a> {
    /// The kind of policy: the resource's where that alone is enough, else the identity-based ones.
    pub by: By,
    /// The statement; none for a root user, whom no statement has to allow.
    pub statement: Option<Allowing<'a>>,
}

/// The statement that allows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Allowing<'a> {
    /// Where its policy is from, as [`Attached::source`]; empty for the resource's policy.
    pub source: &'a str,
    /// `Sid`
    pub sid: Option<&'a str>,
    /// Its index in its policy, from 0.
    pub index: usize,
}

/// Decides: all policies together.
///
/// # Errors
/// [`Refused`], which names the policy that denies, or the kind of policy that does not allow.
pub fn decide<'a>(question: &Question<'a>, resource: Option<&'a Document>, rule: Rule) -> Result<Allowed<'a>, Refused> {
    let Question { principal, action, .. } = *question;
    let own = question.owner.is_none_or(|owner| owner == principal.account);
    let lowered = action.to_ascii_lowercase();
    let asked = question.asked(&lowered);
    let by = By::of_resource(resource);
    let theirs = resource.map_or(Decision::NOTHING, |document| evaluate(std::slice::from_ref(document), &asked));
    if theirs.verdict == Verdict::ExplicitDeny && !own_policy_of_root(question, own) {
        return Err(refused(by, &theirs, &[]));
    }
    let reach = match theirs.verdict {
        Verdict::Allow(reach) => Some(reach),
        Verdict::ExplicitDeny | Verdict::ImplicitDeny => None,
    };
    let statement =
        theirs.statement.map(|Deciding { statement, sid, .. }| Allowing { source: "", sid, index: statement });
    let by_resource = Allowed { by, statement };
    if principal.account == AccountId::NOBODY {
        return reach.map(|_| by_resource).ok_or_else(|| Refused::implicit(by));
    }
    let mine = Mine::evaluate(principal, &asked);
    mine.no_deny()?;
    match reach {
        Some(Reach::Direct) if own => Ok(by_resource),
        Some(Reach::Entity) if own => mine.limits().map(|()| by_resource),
        None if !own || rule == Rule::ResourceMustAllow => Err(Refused::implicit(by)),
        _ => mine.allow(),
    }
}

/// What a caller's own account says: its identity policies, as far as its boundary and its session policies let them. A caller without
/// an account has none of them, and is refused.
///
/// # Errors
/// [`Refused`].
pub fn identity_side<'a>(question: &Question<'a>) -> Result<Allowed<'a>, Refused> {
    let action = question.action.to_ascii_lowercase();
    let mine = Mine::evaluate(question.principal, &question.asked(&action));
    mine.no_deny()?;
    mine.allow()
}

/// Whether a caller's own account lets it do what somebody else has given to it: nothing denies, and neither its boundary nor its session
/// policies leave it out. What gives it to the caller is none of identity policies' business: a KMS grant to a role.
///
/// # Errors
/// [`Refused`].
pub fn own_limits(question: &Question<'_>) -> Result<(), Refused> {
    let action = question.action.to_ascii_lowercase();
    let mine = Mine::evaluate(question.principal, &question.asked(&action));
    mine.no_deny()?;
    mine.limits()
}

/// What a resource's policy says by itself.
pub fn resource_verdict(document: &Document, question: &Question<'_>) -> Verdict {
    let action = question.action.to_ascii_lowercase();
    evaluate(std::slice::from_ref(document), &question.asked(&action)).verdict
}

impl<'a> Question<'a> {
    /// The question, ready for many documents; `lowered` is the action in lower case.
    pub(crate) fn asked(&self, lowered: &'a str) -> Asked<'a> {
        let Self { principal, resource, context, .. } = *self;
        Asked { names: Names::of(principal), action: lowered, resource, context }
    }
}

/// "The root principal in a bucket owner's AWS account can perform the GetBucketPolicy, PutBucketPolicy, and DeleteBucketPolicy API
/// actions, even if their bucket policy explicitly denies the root principal's access" (S3 API reference, PutBucketPolicy).
fn own_policy_of_root(question: &Question<'_>, own: bool) -> bool {
    const ACTIONS: [&str; 3] = ["s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"];
    own && question.principal.is_root() && ACTIONS.iter().any(|action| action.eq_ignore_ascii_case(question.action))
}

/// The caller's own policies, evaluated.
struct Mine<'a> {
    /// A root user, whom no identity policy has to allow.
    everything: bool,
    identity: Side<'a>,
    boundary: Option<Side<'a>>,
    session: Option<Side<'a>>,
}

/// Policies of one kind, evaluated.
struct Side<'a> {
    by: By,
    policies: &'a [Attached],
    decision: Decision<'a>,
}

impl<'a> Mine<'a> {
    fn evaluate(principal: &'a Principal, asked: &Asked<'_>) -> Self {
        let permissions = &principal.permissions;
        let side = |by, policies: &'a [Attached]| Side { by, policies, decision: evaluate(policies, asked) };
        Self {
            everything: permissions.all,
            identity: side(By::Identity, &permissions.identity),
            boundary: permissions.boundary.as_ref().map(|one| side(By::Boundary, std::slice::from_ref(one))),
            session: permissions.session.as_deref().map(|policies| side(By::Session, policies)),
        }
    }

    /// Whether no statement denies.
    fn no_deny(&self) -> Result<(), Refused> {
        let sides = [Some(&self.identity), self.boundary.as_ref(), self.session.as_ref()];
        let denying = |side: &&Side<'_>| side.decision.verdict == Verdict::ExplicitDeny;
        sides.into_iter().flatten().find(denying).map_or(Ok(()), |side| Err(side.refused()))
    }

    /// Whether boundary and session policies allow.
    fn limits(&self) -> Result<(), Refused> {
        let limits = [self.boundary.as_ref(), self.session.as_ref()];
        limits.into_iter().flatten().find(|side| !side.decision.allows()).map_or(Ok(()), |side| Err(side.refused()))
    }

    /// Whether identity policies, boundary and session policies allow.
    fn allow(&self) -> Result<Allowed<'a>, Refused> {
        if !self.everything && !self.identity.decision.allows() {
            return Err(self.identity.refused());
        }
        self.limits()?;
        Ok(Allowed { by: By::Identity, statement: self.identity.allowing() })
    }
}

impl<'a> Side<'a> {
    fn allowing(&self) -> Option<Allowing<'a>> {
        let Deciding { document, statement, sid } = self.decision.statement?;
        let source = self.policies.get(document).map_or("", |policy| &policy.source);
        Some(Allowing { source, sid, index: statement })
    }

    fn refused(&self) -> Refused {
        refused(self.by, &self.decision, self.policies)
    }
}

fn refused(by: By, decision: &Decision<'_>, policies: &[Attached]) -> Refused {
    let denying = decision.statement.filter(|_| decision.verdict == Verdict::ExplicitDeny);
    let statement = denying.map(|Deciding { document, statement, sid }| Denying {
        source: policies.get(document).map_or_else(String::new, |policy| policy.source.to_string()),
        sid: sid.map(str::to_owned),
        index: statement,
    });
    Refused { by, statement }
}
