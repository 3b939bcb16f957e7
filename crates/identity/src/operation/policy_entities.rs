//! ListEntitiesForPolicy.

use policy::Principal;

use super::page::Paging;
use super::shapes::shapes;
use super::{Allowed, Operation, Subject};
use crate::Identity;
use crate::entity::Entity;
use crate::error::Error;
use crate::managed::not_found;
use crate::record::{Group, Head, User};
use crate::role::Role;
use crate::rows::{self, Kind};

shapes! {
    request ListEntitiesForPolicyRequest {
        policy_arn: String, entity_filter? String, path_prefix? String, policy_usage_filter? String, marker? String, max_items? i64
    }
    shape PolicyGroup { group_name: String, group_id: String }
    shape PolicyUser { user_name: String, user_id: String }
    shape PolicyRole { role_name: String, role_id: String }
    shape ListEntitiesForPolicyResponse {
        policy_groups: Vec<PolicyGroup>, policy_users: Vec<PolicyUser>, policy_roles: Vec<PolicyRole>, is_truncated: bool,
        marker? String
    }
}

impl Operation for ListEntitiesForPolicyRequest {
    const NAME: &'static str = "ListEntitiesForPolicy";
    type Response = ListEntitiesForPolicyResponse;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        Ok(vec![identity.policy_subject("iam:ListEntitiesForPolicy", caller, &self.policy_arn).await?])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<ListEntitiesForPolicyResponse, Error> {
        let (account, arn) = (by.account(), &self.policy_arn);
        if identity.managed_policy(account, arn).await?.is_none() {
            return Err(not_found(arn));
        }
        let filter = self.policy_usage_filter.as_deref();
        let mut ranges = Vec::new();
        ranges.extend((filter != Some("PermissionsBoundary")).then(|| rows::attachments(account, arn)));
        ranges.extend((filter != Some("PermissionsPolicy")).then(|| rows::boundaries(account, arn)));
        let mut entities = Vec::new();
        for range in ranges {
            for row in identity.rows.all(&range).await? {
                let Some(kind) = kind_of(rows::last_id(&row.key)) else { continue };
                if self.entity_filter.as_deref().is_some_and(|filter| filter != name_of(kind)) {
                    continue;
                }
                let head = match kind {
                    Kind::User => head::<User>(identity, by, &row.key).await?,
                    Kind::Group => head::<Group>(identity, by, &row.key).await?,
                    _ => head::<Role>(identity, by, &row.key).await?,
                };
                let prefix = self.path_prefix.as_deref().unwrap_or("/");
                entities.extend(head.filter(|head| head.path.starts_with(prefix)).map(|head| (kind, head)));
            }
        }
        // One that is attached and a boundary of the same user or role is one entry.
        entities.sort_by(|(_, one), (_, other)| one.id.cmp(&other.id));
        entities.dedup_by(|(_, one), (_, other)| one.id == other.id);
        let paging = Paging::new(self.marker.as_deref(), self.max_items)?;
        let page = paging.slice(entities, |(_, head)| head.id.clone().into_bytes());
        let mut answer = ListEntitiesForPolicyResponse {
            policy_groups: Vec::new(),
            policy_users: Vec::new(),
            policy_roles: Vec::new(),
            is_truncated: page.is_truncated(),
            marker: page.marker,
        };
        for (kind, Head { id, name, .. }) in page.items {
            match kind {
                Kind::User => answer.policy_users.push(PolicyUser { user_name: name, user_id: id }),
                Kind::Group => answer.policy_groups.push(PolicyGroup { group_name: name, group_id: id }),
                _ => answer.policy_roles.push(PolicyRole { role_name: name, role_id: id }),
            }
        }
        Ok(answer)
    }
}

/// What a unique id is of, of the kinds that have policies.
fn kind_of(id: &str) -> Option<Kind> {
    [Kind::User, Kind::Group, Kind::Role].into_iter().find(|kind| id.starts_with(kind.id_prefix()))
}

/// `EntityFilter` that takes this kind.
fn name_of(kind: Kind) -> &'static str {
    match kind {
        Kind::User => User::NAME,
        Kind::Group => Group::NAME,
        _ => Role::NAME,
    }
}

/// The entity at the end of a row key; `None`: it went meanwhile.
async fn head<E: Entity>(identity: &Identity, by: &Allowed, row: &[u8]) -> Result<Option<Head>, Error> {
    let place = E::place(by.account(), rows::last_id(row));
    Ok(identity.rows.read::<E>(&place).await?.map(|entity| entity.head().clone()))
}
