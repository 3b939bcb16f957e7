//! Who may do what: every user, role and root user that may act on a resource, and the statement that lets it.

use policy::{
    AccountId, By, Context, ContextMap, Document, Effect, Kind, NamedPrincipal, Principal, PrincipalKind, Question,
    Rule, Verdict, decide, resource_verdict,
};

use super::cast::Cast;
use super::keys::Keys;
use crate::Identity;
use crate::entity::Entity;
use crate::error::Error;
use crate::record::User;
use crate::role::Role;
use crate::rows;

/// An action on a resource.
#[derive(Clone, Copy)]
pub struct Access<'a> {
    /// The action, `kms:Decrypt`.
    pub action: &'a str,
    /// The resource's ARN.
    pub resource: &'a str,
    /// The account that owns the resource.
    pub owner: AccountId,
    /// The resource's policy, if it has one.
    pub policy: Option<&'a Document>,
    /// What that means for the callers of its account.
    pub rule: Rule,
    /// Condition keys of the circumstances that are asked about. A condition on a key that is not here does not hold, but for those
    /// that follow from the caller.
    pub keys: &'a ContextMap,
}

/// Somebody who may, and what lets it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Permitted {
    /// The ARN of the user, role or root user; a service principal; `*` for whoever asks.
    pub principal: String,
    /// Where the policy is from: a managed policy's ARN, `user/NAME/POLICY` of an inline one, `resource policy`, `root user`; or what
    /// the caller of [`Identity::who_can`] gave.
    pub source: String,
    /// `Sid` of the statement, or its index in its policy, from 0. Empty where no statement is needed.
    pub statement: String,
    /// Whether it is in an account that is not of this server, which has to allow it too.
    pub elsewhere: bool,
}

/// What [`Permitted::source`] calls the resource's policy.
pub const RESOURCE_POLICY: &str = "resource policy";
/// What [`Permitted::source`] says of a root user whom no statement has to allow.
pub const ROOT_USER: &str = "root user";

impl Identity {
    /// Everyone who may, in the order of their ARNs: of the owner's account, of the others of this server, and whom the resource's policy
    /// lets in besides. `given` is what lets somebody otherwise, a grant say; it is listed along.
    ///
    /// # Errors
    /// A failing store; a damaged row.
    pub async fn who_can(&self, access: &Access<'_>, given: Vec<Permitted>) -> Result<Vec<Permitted>, Error> {
        let accounts = self.account_ids().await?;
        let mut found = given;
        found.extend(self.everyone().await?.iter().filter_map(|principal| permitted(access, principal)));
        found.extend(access.policy.into_iter().flat_map(|policy| outsiders(access, policy, &accounts)));
        found.sort();
        found.dedup();
        Ok(found)
    }
}

impl Identity {
    /// Every root user, user and role of this server, with all that its policies let it do. A role is in a session, whose name tells that
    /// it is none.
    ///
    /// # Errors
    /// A failing store; a damaged row.
    pub async fn everyone(&self) -> Result<Vec<Principal>, Error> {
        let mut everyone = Vec::new();
        for account in self.account_ids().await? {
            everyone.push(Principal::root(account, ""));
            for head in self.heads(account, rows::Kind::User).await? {
                if let Some(user) = self.rows.read::<User>(&User::place(account, &head.id)).await? {
                    everyone.push(self.cast_user(account, &user).await?.principal());
                }
            }
            for head in self.heads(account, rows::Kind::Role).await? {
                if let Some(role) = self.rows.read::<Role>(&Role::place(account, &head.id)).await? {
                    everyone.push(self.cast_role(account, &role).await?.principal());
                }
            }
        }
        Ok(everyone)
    }
}

/// Decides for one principal.
fn permitted(access: &Access<'_>, principal: &Principal) -> Option<Permitted> {
    let keys = Keys { given: access.keys, caller: Some(principal), owner: Some(access.owner) };
    let allowed = decide(&question(access, principal, &keys), access.policy, access.rule).ok()?;
    let statement = allowed.statement.map(|allowing| match allowing.sid {
        Some(sid) => sid.to_owned(),
        None => allowing.index.to_string(),
    });
    let source = match (&allowed.statement, allowed.by) {
        (None, _) => ROOT_USER.to_owned(),
        (Some(_), By::Resource | By::Trust) => RESOURCE_POLICY.to_owned(),
        (Some(allowing), _) => allowing.source.to_owned(),
    };
    let name = match &principal.kind {
        PrincipalKind::AssumedRole { role_arn, .. } => role_arn,
        PrincipalKind::Anonymous => "*",
        _ => &principal.arn,
    };
    let statement = statement.unwrap_or_default();
    Some(Permitted { principal: name.to_owned(), source, statement, elsewhere: false })
}

fn question<'a>(access: &Access<'a>, principal: &'a Principal, context: &'a dyn Context) -> Question<'a> {
    let Access { action, resource, owner, .. } = *access;
    Question { principal, action, resource, owner: Some(owner), context }
}

/// Whom a resource's policy lets in who is not of this server: everyone, services, accounts elsewhere.
fn outsiders(access: &Access<'_>, document: &Document, accounts: &[AccountId]) -> Vec<Permitted> {
    let allowing = document.statements().iter().filter(|statement| statement.effect() == Effect::Allow);
    let mut found = Vec::new();
    for named in allowing.flat_map(policy::Statement::principals) {
        let account = |account: &str| AccountId::parse(account).ok().filter(|account| !accounts.contains(account));
        match named {
            NamedPrincipal::Everyone if document.kind() != Kind::Key => {
                found.extend(permitted(access, &Principal::anonymous()));
            }
            NamedPrincipal::Service(service) => found.extend(permitted(access, &Principal::service(service))),
            NamedPrincipal::Account(digits) => {
                found.extend(
                    account(digits).and_then(|account| elsewhere(access, document, &Principal::root(account, ""))),
                );
            }
            NamedPrincipal::Arn { account: digits, arn } => found.extend(account(digits).and_then(|account| {
                let principal = match rows::parse_arn(arn) {
                    Some((_, rows::Kind::Role, name)) => Cast::role(account, arn, name, ""),
                    _ => Principal::user(account, arn, "", ""),
                };
                elsewhere(access, document, &principal)
            })),
            _ => {}
        }
    }
    found
}

/// What the resource's policy says to somebody of an account that is not here.
fn elsewhere(access: &Access<'_>, document: &Document, principal: &Principal) -> Option<Permitted> {
    let keys = Keys { given: access.keys, caller: Some(principal), owner: Some(access.owner) };
    let allows = matches!(resource_verdict(document, &question(access, principal, &keys)), Verdict::Allow(_));
    let name = match &principal.kind {
        PrincipalKind::AssumedRole { role_arn, .. } => role_arn,
        _ => &principal.arn,
    };
    let (principal, source) = (name.clone(), RESOURCE_POLICY.to_owned());
    allows.then(|| Permitted { principal, source, statement: String::new(), elsewhere: true })
}
