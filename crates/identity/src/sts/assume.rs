//! AssumeRole.

use std::sync::Arc;

use policy::{AccountId, ContextMap, Principal};

use super::input;
use super::packed::Packed;
use super::request::{AssumeRoleRequest, AssumeRoleResponse, AssumedRoleUser};
use super::token::{Session, SessionKind};
use super::{barred, mfa};
use crate::Identity;
use crate::entity::Entity;
use crate::error::Error;
use crate::operation::{Allowed, Operation, Subject, Trust};
use crate::role::Role;
use crate::rows;

/// A role and what its trust policy is asked, by whatever way it is assumed.
pub(super) struct Target {
    pub(super) arn: String,
    pub(super) role: Option<Role>,
    owner: AccountId,
}

impl Target {
    /// The role of an ARN; one that is not there trusts nobody.
    pub(super) async fn find(identity: &Identity, arn: &str) -> Result<Self, Error> {
        let Some((owner, rows::Kind::Role, _)) = rows::parse_arn(arn) else {
            return Err(Error::Validation(format!("{arn} is invalid")));
        };
        let role = identity.role_by_arn(arn).await?.map(|(_, role)| role);
        Ok(Self { arn: arn.to_owned(), role, owner })
    }

    pub(super) fn owner(&self) -> AccountId {
        self.owner
    }

    /// What is asked about `actions`, each with the role's tags and trust policy.
    pub(super) fn subjects(
        &self,
        actions: impl IntoIterator<Item = &'static str>,
        context: &ContextMap,
        caller: Option<&Arc<Principal>>,
    ) -> Result<Vec<Subject>, Error> {
        let policy = match &self.role {
            None => None,
            Some(role) => {
                let document = role.trust.document();
                let damaged = || Error::damaged("role", &Role::place(self.owner, &role.head.id).key);
                Some(Arc::new(document.ok_or_else(damaged)?))
            }
        };
        let tags = self.role.as_ref().map(|role| role.tags.as_slice()).unwrap_or_default();
        let subject = |action| {
            let mut subject = Subject::new(action, &self.arn);
            subject.context = context.clone();
            subject = subject.with_resource_tags(tags);
            subject.trust = Some(Trust { owner: self.owner, policy: policy.clone(), caller: caller.cloned() });
            subject
        };
        Ok(actions.into_iter().map(subject).collect())
    }
}

impl AssumeRoleRequest {
    fn check(&self, caller: &Principal) -> Result<(), Error> {
        if caller.is_root() {
            return Err(Error::AccessDenied("Roles may not be assumed by root accounts.".to_owned()));
        }
        barred::check(caller, "AssumeRole")?;
        if !self.provided_contexts.is_empty() {
            let text = "ProvidedContexts is not supported: this server has no context providers.";
            return Err(Error::Validation(text.to_owned()));
        }
        let inherited = inherited_identity(caller);
        if let Some(set) = &self.source_identity {
            check_source_identity(set)?;
            if inherited.is_some_and(|inherited| inherited != set) {
                let text = "The source identity of the calling session is set, and cannot be changed.";
                return Err(Error::AccessDenied(text.to_owned()));
            }
        }
        Ok(())
    }

    fn packed(&self, caller: &Principal) -> Result<Packed, Error> {
        let (policy, policy_arns) = input::policies(self.policy.as_deref(), &self.policy_arns)?;
        let passed = input::pairs(self.tags.clone());
        let (tags, transitive_tag_keys) = input::tags(passed, &self.transitive_tag_keys, Some(caller))?;
        Ok(Packed { policy, policy_arns, tags, transitive_tag_keys })
    }

    fn source_identity<'a>(&'a self, caller: &'a Principal) -> Option<&'a str> {
        self.source_identity.as_deref().or_else(|| inherited_identity(caller))
    }

    fn context(&self, packed: &Packed, source_identity: Option<&str>) -> ContextMap {
        let mut context = session_context(&self.role_session_name, source_identity, self.duration_seconds);
        if let Some(id) = &self.external_id {
            context = context.with("sts:ExternalId", id);
        }
        if self.serial_number.is_some() {
            // Of a caller without a session, whose principal says nothing of it.
            context = context.with("aws:MultiFactorAuthPresent", "true").with("aws:MultiFactorAuthAge", "0");
        }
        input::tag_context(context, packed)
    }
}

/// The keys that every way of assuming a role has.
pub(super) fn session_context(name: &str, source_identity: Option<&str>, duration: Option<u32>) -> ContextMap {
    let mut context = ContextMap::new().with("sts:RoleSessionName", name);
    if let Some(source_identity) = source_identity {
        context = context.with("sts:SourceIdentity", source_identity);
    }
    if let Some(seconds) = duration {
        context = context.with("sts:DurationSeconds", seconds.to_string());
    }
    context
}

pub(super) fn check_source_identity(text: &str) -> Result<(), Error> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    let reserved = text.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws:"));
    if reserved || !(2..=64).contains(&text.len()) || !text.bytes().all(plain) {
        return Err(Error::Validation("The source identity is invalid.".to_owned()));
    }
    Ok(())
}

fn inherited_identity(caller: &Principal) -> Option<&str> {
    caller.session.as_ref()?.source_identity.as_deref()
}

/// The actions that must each be allowed (IAM User Guide, "Pass session tags in AWS STS", "Permissions required to set a source
/// identity"): tags and source identities that are inherited count as passed.
pub(super) fn actions(assume: &'static str, packed: &Packed, source_identity: bool) -> Vec<&'static str> {
    let tags = (!packed.tags.is_empty()).then_some("sts:TagSession");
    let identity = source_identity.then_some("sts:SetSourceIdentity");
    [Some(assume), tags, identity].into_iter().flatten().collect()
}

impl Operation for AssumeRoleRequest {
    const NAME: &'static str = "AssumeRole";
    type Response = AssumeRoleResponse;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        self.check(caller)?;
        let packed = self.packed(caller)?;
        input::packed_size(&packed)?;
        let target = Target::find(identity, &self.role_arn).await?;
        let source_identity = self.source_identity(caller);
        let context = self.context(&packed, source_identity);
        let code = (self.serial_number.as_deref(), self.token_code.as_deref());
        let with_mfa = mfa::verified(identity, caller, code).await?.and_then(|at| {
            let mut caller = caller.clone();
            caller.session.as_mut()?.mfa = Some(at.system());
            Some(Arc::new(caller))
        });
        let actions = actions("sts:AssumeRole", &packed, source_identity.is_some());
        target.subjects(actions, &context, with_mfa.as_ref())
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<AssumeRoleResponse, Error> {
        let caller = by.caller();
        let packed = self.packed(caller)?;
        let packed_policy_size = input::packed_size(&packed)?;
        let target = Target::find(identity, &self.role_arn).await?;
        let source_identity = self.source_identity(caller).map(str::to_owned);
        let chained = caller.session.is_some();
        let role = target.role.as_ref().ok_or_else(gone)?;
        let seconds = input::role_duration(self.duration_seconds, role.max_session, chained)?;
        identity.require_policies(target.owner, &packed.policy_arns).await?;
        let session = Session {
            owner: role.head.id.clone(),
            name: self.role_session_name.clone(),
            source_identity: source_identity.clone(),
            packed,
            ..Session::new(SessionKind::Role, target.owner, identity.now(), seconds)
        };
        let (credentials, token) = identity.issue(&session, self.minimum_session_token_size)?;
        let assumed_role_user = assumed(target.owner, role, &session.name);
        Ok(AssumeRoleResponse { credentials, assumed_role_user, packed_policy_size, source_identity, token })
    }
}

/// The role went between the decision and now.
pub(super) fn gone() -> Error {
    Error::AccessDenied("The role was deleted.".to_owned())
}

pub(super) fn assumed(account: AccountId, role: &Role, name: &str) -> AssumedRoleUser {
    AssumedRoleUser {
        assumed_role_id: format!("{}:{name}", role.head.id),
        arn: format!("arn:aws:sts::{account}:assumed-role/{}/{name}", role.head.name),
    }
}
