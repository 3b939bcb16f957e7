//! GetAccountAuthorizationDetails.

use policy::{AccountId, Principal};

use super::attach::{AttachedPolicy, attached};
use super::managed_policy::shown_policy;
use super::page::Paging;
use super::policy_version::{PolicyVersion, shown_versions};
use super::role::RoleLastUsed;
use super::shapes::shapes;
use super::tag::{Tag, shown, shown_if_any};
use super::user::AttachedPermissionsBoundary;
use super::{Allowed, Operation, Subject};
use crate::Identity;
use crate::entity::{Entity, Holder};
use crate::error::Error;
use crate::managed::aws;
use crate::record::{Group, Head, User};
use crate::rows::{self, Kind, Place};
use crate::text::url_encoded;
use crate::time::Timestamp;

shapes! {
    request GetAccountAuthorizationDetailsRequest { filter? Vec<String>, max_items? i64, marker? String }
    shape GetAccountAuthorizationDetailsResponse {
        user_detail_list: Vec<UserDetail>, group_detail_list: Vec<GroupDetail>, role_detail_list: Vec<RoleDetail>,
        policies: Vec<ManagedPolicyDetail>, is_truncated: bool, marker? String
    }
    shape UserDetail {
        path: String, user_name: String, user_id: String, arn: String, create_date: Timestamp, user_policy_list? Vec<PolicyDetail>,
        group_list: Vec<String>, attached_managed_policies: Vec<AttachedPolicy>,
        permissions_boundary? AttachedPermissionsBoundary, tags? Vec<Tag>
    }
    shape GroupDetail {
        path: String, group_name: String, group_id: String, arn: String, create_date: Timestamp,
        group_policy_list: Vec<PolicyDetail>, attached_managed_policies: Vec<AttachedPolicy>
    }
    shape RoleDetail {
        path: String, role_name: String, role_id: String, arn: String, create_date: Timestamp, assume_role_policy_document: String,
        instance_profile_list: Vec<InstanceProfile>, role_policy_list: Vec<PolicyDetail>,
        attached_managed_policies: Vec<AttachedPolicy>, permissions_boundary? AttachedPermissionsBoundary, tags: Vec<Tag>,
        role_last_used: RoleLastUsed
    }
    shape PolicyDetail { policy_name: String, policy_document: String }
    shape ManagedPolicyDetail {
        policy_name: String, policy_id: String, arn: String, path: String, default_version_id: String, attachment_count: usize,
        permissions_boundary_usage_count: usize, is_attachable: bool, description? String, create_date: Timestamp,
        update_date: Timestamp, policy_version_list: Vec<PolicyVersion>
    }
    // There is none: instance profiles are EC2's.
    shape InstanceProfile {}
}

/// An entity of the list, found again by its unique id or ARN.
enum Entry {
    /// A user, group or role.
    Entity(Kind, String),
    Policy(String),
}

impl Entry {
    /// Pages are in this order.
    fn key(&self) -> Vec<u8> {
        let (order, id) = match self {
            Self::Entity(Kind::User, id) => (0, id),
            Self::Entity(Kind::Group, id) => (1, id),
            Self::Entity(_, id) => (2, id),
            Self::Policy(arn) => (3, arn),
        };
        [&[order], id.as_bytes()].concat()
    }
}

impl Operation for GetAccountAuthorizationDetailsRequest {
    const NAME: &'static str = "GetAccountAuthorizationDetails";
    type Response = GetAccountAuthorizationDetailsResponse;

    async fn subjects(&self, _: &Identity, _: &Principal) -> Result<Vec<Subject>, Error> {
        Ok(vec![Subject::new("iam:GetAccountAuthorizationDetails", "*")])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<GetAccountAuthorizationDetailsResponse, Error> {
        let account = by.account();
        let filter = self.filter.unwrap_or_default();
        let wanted = |kind: &str| filter.is_empty() || filter.iter().any(|filter| filter == kind);
        let mut entries = Vec::new();
        for (name, kind) in [("User", Kind::User), ("Group", Kind::Group), ("Role", Kind::Role)] {
            if wanted(name) {
                let heads = identity.heads(account, kind).await?;
                entries.extend(heads.into_iter().map(|head| Entry::Entity(kind, head.id)));
            }
        }
        if wanted("LocalManagedPolicy") {
            let heads = identity.heads(account, Kind::Policy).await?;
            entries.extend(heads.iter().map(|head| Entry::Policy(head.arn(account, Kind::Policy))));
        }
        if wanted("AWSManagedPolicy") {
            for policy in aws::all() {
                // Those that are in use, as AWS.
                let usage = identity.usage(account, &policy.arn).await?;
                if usage.attached + usage.boundaries > 0 {
                    entries.push(Entry::Policy(policy.arn.to_string()));
                }
            }
        }
        let page = Paging::new(self.marker.as_deref(), self.max_items)?.slice(entries, Entry::key);
        let mut answer = GetAccountAuthorizationDetailsResponse {
            user_detail_list: Vec::new(),
            group_detail_list: Vec::new(),
            role_detail_list: Vec::new(),
            policies: Vec::new(),
            is_truncated: page.is_truncated(),
            marker: page.marker,
        };
        for entry in &page.items {
            // What was deleted meanwhile is left out.
            match entry {
                Entry::Entity(Kind::User, id) => {
                    answer.user_detail_list.extend(identity.user_detail(account, id).await?)
                }
                Entry::Entity(Kind::Group, id) => {
                    answer.group_detail_list.extend(identity.group_detail(account, id).await?)
                }
                Entry::Entity(_, id) => answer.role_detail_list.extend(identity.role_detail(account, id).await?),
                Entry::Policy(arn) => answer.policies.extend(identity.policy_detail(account, arn).await?),
            }
        }
        Ok(answer)
    }
}

fn inline<H: Holder>(holder: &H) -> Vec<PolicyDetail> {
    let detail = |(name, text): (&String, &String)| PolicyDetail {
        policy_name: name.clone(),
        policy_document: url_encoded(text),
    };
    holder.policies().inline.iter().map(detail).collect()
}

impl Identity {
    /// All entities of a kind, in the order of their names.
    pub(crate) async fn heads(&self, account: AccountId, kind: Kind) -> Result<Vec<Head>, Error> {
        let rows = self.rows.all(&rows::names(account, kind)).await?;
        let head = |row: &meta::Row| self.rows.small(&Place { key: row.key.to_vec(), kind: "name" }, &row.value);
        rows.iter().map(head).collect()
    }

    async fn user_detail(&self, account: AccountId, id: &str) -> Result<Option<UserDetail>, Error> {
        let Some(user) = self.rows.read::<User>(&User::place(account, id)).await? else { return Ok(None) };
        let mut groups = Vec::new();
        for group in &user.groups {
            groups.extend(self.rows.read::<Group>(&Group::place(account, group)).await?.map(|group| group.head.name));
        }
        Ok(Some(UserDetail {
            arn: user.arn(account),
            user_policy_list: Some(inline(&user)).filter(|list| !list.is_empty()),
            group_list: groups,
            attached_managed_policies: attached(&user.policies.attached),
            permissions_boundary: user.boundary.as_deref().map(AttachedPermissionsBoundary::new),
            tags: shown_if_any(&user.tags),
            path: user.head.path,
            user_name: user.head.name,
            user_id: user.head.id,
            create_date: user.head.created,
        }))
    }

    async fn group_detail(&self, account: AccountId, id: &str) -> Result<Option<GroupDetail>, Error> {
        let found = self.rows.read::<Group>(&Group::place(account, id)).await?;
        Ok(found.map(|group| GroupDetail {
            arn: group.arn(account),
            group_policy_list: inline(&group),
            attached_managed_policies: attached(&group.policies.attached),
            path: group.head.path,
            group_name: group.head.name,
            group_id: group.head.id,
            create_date: group.head.created,
        }))
    }

    async fn role_detail(&self, account: AccountId, id: &str) -> Result<Option<RoleDetail>, Error> {
        let Some(role) = self.role_by_id(account, id).await? else { return Ok(None) };
        Ok(Some(RoleDetail {
            arn: role.arn(account),
            assume_role_policy_document: url_encoded(&self.show_trust(&role.trust).await?),
            instance_profile_list: Vec::new(),
            role_policy_list: inline(&role),
            attached_managed_policies: attached(&role.policies.attached),
            permissions_boundary: role.boundary.as_deref().map(AttachedPermissionsBoundary::new),
            tags: shown(&role.tags),
            role_last_used: self.role_last_used(id).await?,
            path: role.head.path,
            role_name: role.head.name,
            role_id: role.head.id,
            create_date: role.head.created,
        }))
    }

    async fn policy_detail(&self, account: AccountId, arn: &str) -> Result<Option<ManagedPolicyDetail>, Error> {
        let Some(found) = self.managed_policy(account, arn).await? else { return Ok(None) };
        let policy = shown_policy(self, account, &found).await?;
        Ok(Some(ManagedPolicyDetail {
            policy_name: policy.policy_name,
            policy_id: policy.policy_id,
            arn: policy.arn,
            path: policy.path,
            default_version_id: policy.default_version_id,
            attachment_count: policy.attachment_count,
            permissions_boundary_usage_count: policy.permissions_boundary_usage_count,
            is_attachable: policy.is_attachable,
            description: policy.description,
            create_date: policy.create_date,
            update_date: policy.update_date,
            policy_version_list: shown_versions(&found),
        }))
    }
}
