//! CreateRole, GetRole, ListRoles, UpdateRole, UpdateRoleDescription, DeleteRole, UpdateAssumeRolePolicy.

use policy::{AccountId, Principal};

use super::page::{Paging, load};
use super::shapes::shapes;
use super::tag::{self, Tag};
use super::user::{AttachedPermissionsBoundary, refuse_deletion};
use super::{Allowed, Done, Operation, Subject};
use crate::Identity;
use crate::entity::{Entity, arn};
use crate::error::Error;
use crate::record::{Head, Policies};
use crate::role::{DEFAULT_MAX_SESSION, Role as Record};
use crate::rows::{self, Kind};
use crate::store::change;
use crate::text::url_encoded;
use crate::time::Timestamp;

shapes! {
    request CreateRoleRequest {
        path? String, role_name: String, assume_role_policy_document: String, description? String, max_session_duration? u32,
        permissions_boundary? String, tags? Vec<Tag>
    }
    request GetRoleRequest { role_name: String }
    request ListRolesRequest { path_prefix? String, marker? String, max_items? i64 }
    request UpdateRoleRequest { role_name: String, description? String, max_session_duration? u32 }
    request UpdateRoleDescriptionRequest { role_name: String, description: String }
    request DeleteRoleRequest { role_name: String }
    request UpdateAssumeRolePolicyRequest { role_name: String, policy_document: String }
    shape Role {
        path: String, role_name: String, role_id: String, arn: String, create_date: Timestamp,
        assume_role_policy_document: String, description? String, max_session_duration? u32,
        permissions_boundary? AttachedPermissionsBoundary, tags? Vec<Tag>, role_last_used? RoleLastUsed
    }
    shape RoleLastUsed { last_used_date? Timestamp, region? String }
    shape CreateRoleResponse { role: Role }
    shape GetRoleResponse { role: Role }
    shape UpdateRoleDescriptionResponse { role: Role }
    shape ListRolesResponse { roles: Vec<Role>, is_truncated: bool, marker? String }
}

impl Identity {
    /// A role with all that is to be said of it.
    pub(super) async fn shown_role(&self, account: AccountId, role: &Record) -> Result<Role, Error> {
        let head = &role.head;
        Ok(Role {
            arn: role.arn(account),
            path: head.path.clone(),
            role_name: head.name.clone(),
            role_id: head.id.clone(),
            create_date: head.created,
            assume_role_policy_document: url_encoded(&self.show_trust(&role.trust).await?),
            description: role.description.clone(),
            max_session_duration: Some(role.max_session),
            permissions_boundary: role.boundary.as_deref().map(AttachedPermissionsBoundary::new),
            tags: tag::shown_if_any(&role.tags),
            role_last_used: Some(self.role_last_used(&head.id).await?),
        })
    }

    pub(super) async fn role_last_used(&self, id: &str) -> Result<RoleLastUsed, Error> {
        Ok(match self.last_use(id).await? {
            Some(last) => RoleLastUsed { last_used_date: Some(last.at), region: Some(last.region) },
            None => RoleLastUsed { last_used_date: None, region: None },
        })
    }
}

impl Operation for CreateRoleRequest {
    const NAME: &'static str = "CreateRole";
    type Response = CreateRoleResponse;

    async fn subjects(&self, _: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        let arn = arn(caller.account, Kind::Role, self.path.as_deref().unwrap_or("/"), &self.role_name);
        let tags = self.tags.as_deref().unwrap_or_default();
        let create = Subject::new("iam:CreateRole", &arn)
            .with_request_tags(tags)
            .with_some("iam:PermissionsBoundary", self.permissions_boundary.as_deref());
        // Who may create may not therefore tag (IAM User Guide, "Tag IAM roles").
        let tagging = (!tags.is_empty()).then(|| Subject::new("iam:TagRole", &arn).with_request_tags(tags));
        Ok(std::iter::once(create).chain(tagging).collect())
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<CreateRoleResponse, Error> {
        let tags = tag::checked(self.tags.as_deref())?;
        let trust = identity.parse_trust(&self.assume_role_policy_document).await?;
        let role = Record {
            head: Head::new(identity, Kind::Role, &self.role_name, self.path.as_deref()),
            trust,
            description: self.description.filter(|text| !text.is_empty()),
            max_session: self.max_session_duration.unwrap_or(DEFAULT_MAX_SESSION),
            boundary: self.permissions_boundary,
            tags,
            policies: Policies::default(),
        };
        change!(identity, by.account(), |work| {
            if let Some(boundary) = &role.boundary {
                work.bound(boundary, &role.head.id).await?;
            }
            work.insert(&role).await
        })?;
        // As AWS answers: without description, duration and last use.
        let shown = identity.shown_role(by.account(), &role).await?;
        Ok(CreateRoleResponse {
            role: Role { description: None, max_session_duration: None, role_last_used: None, ..shown },
        })
    }
}

impl Operation for GetRoleRequest {
    const NAME: &'static str = "GetRole";
    type Response = GetRoleResponse;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        Ok(vec![identity.subject::<Record>("iam:GetRole", caller, &self.role_name).await?.0])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<GetRoleResponse, Error> {
        let role = identity.existing::<Record>(by.account(), &self.role_name).await?;
        Ok(GetRoleResponse { role: identity.shown_role(by.account(), &role).await? })
    }
}

impl Operation for ListRolesRequest {
    const NAME: &'static str = "ListRoles";
    type Response = ListRolesResponse;

    async fn subjects(&self, _: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        Ok(vec![Subject::of_list("iam:ListRoles", caller.account, Kind::Role, self.path_prefix.as_deref())])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<ListRolesResponse, Error> {
        let paging = Paging::new(self.marker.as_deref(), self.max_items)?;
        let heads = paging.heads(identity, by.account(), Kind::Role, self.path_prefix.as_deref()).await?;
        let page = load::<Record>(identity, by.account(), heads).await?;
        let (is_truncated, mut roles) = (page.is_truncated(), Vec::with_capacity(page.items.len()));
        for role in &page.items {
            let shown = identity.shown_role(by.account(), role).await?;
            roles.push(Role { permissions_boundary: None, tags: None, role_last_used: None, ..shown });
        }
        Ok(ListRolesResponse { roles, is_truncated, marker: page.marker })
    }
}

impl Operation for UpdateRoleRequest {
    const NAME: &'static str = "UpdateRole";
    type Response = Done;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        Ok(vec![identity.subject::<Record>("iam:UpdateRole", caller, &self.role_name).await?.0])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<Done, Error> {
        change!(identity, by.account(), |work| {
            let mut role: Record = work.require(&self.role_name).await?;
            if let Some(text) = &self.description {
                role.description = (!text.is_empty()).then(|| text.clone());
            }
            role.max_session = self.max_session_duration.unwrap_or(role.max_session);
            work.update(&role);
            Ok(Done {})
        })
    }
}

impl Operation for UpdateRoleDescriptionRequest {
    const NAME: &'static str = "UpdateRoleDescription";
    type Response = UpdateRoleDescriptionResponse;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        Ok(vec![identity.subject::<Record>("iam:UpdateRoleDescription", caller, &self.role_name).await?.0])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<UpdateRoleDescriptionResponse, Error> {
        let role = change!(identity, by.account(), |work| {
            let mut role: Record = work.require(&self.role_name).await?;
            role.description = (!self.description.is_empty()).then(|| self.description.clone());
            work.update(&role);
            Ok(role)
        })?;
        let shown = identity.shown_role(by.account(), &role).await?;
        Ok(UpdateRoleDescriptionResponse { role: Role { max_session_duration: None, role_last_used: None, ..shown } })
    }
}

impl Operation for DeleteRoleRequest {
    const NAME: &'static str = "DeleteRole";
    type Response = Done;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        Ok(vec![identity.subject::<Record>("iam:DeleteRole", caller, &self.role_name).await?.0])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<Done, Error> {
        change!(identity, by.account(), |work| {
            let role: Record = work.require(&self.role_name).await?;
            refuse_deletion(&role.policies)?;
            if let Some(boundary) = &role.boundary {
                work.unbound(boundary, &role.head.id);
            }
            work.remove(&rows::last_use(&role.head.id));
            work.delete(&role).await?;
            Ok(Done {})
        })
    }
}

impl Operation for UpdateAssumeRolePolicyRequest {
    const NAME: &'static str = "UpdateAssumeRolePolicy";
    type Response = Done;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        Ok(vec![identity.subject::<Record>("iam:UpdateAssumeRolePolicy", caller, &self.role_name).await?.0])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<Done, Error> {
        identity.existing::<Record>(by.account(), &self.role_name).await?;
        let trust = identity.parse_trust(&self.policy_document).await?;
        change!(identity, by.account(), |work| {
            let mut role: Record = work.require(&self.role_name).await?;
            role.trust = trust.clone();
            work.update(&role);
            Ok(Done {})
        })
    }
}
