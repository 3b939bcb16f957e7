//! Roles: their records, and what their sessions may do.

use policy::{AccountId, Permissions};
use serde::{Deserialize, Serialize};

use crate::Identity;
use crate::entity::{Entity, Holder, Tagged};
use crate::error::Error;
use crate::limits;
use crate::record::{Head, Policies, Tags, json_records};
use crate::rows::{self, Kind};
use crate::trust::Trust;

/// `MaxSessionDuration` of a role that says none, in seconds.
pub(crate) const DEFAULT_MAX_SESSION: u32 = 3_600;

/// A role.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Role {
    pub(crate) head: Head,
    pub(crate) trust: Trust,
    #[serde(default)]
    pub(crate) description: Option<String>,
    /// The longest session, in seconds.
    pub(crate) max_session: u32,
    /// The ARN of the managed policy that is its permissions boundary.
    #[serde(default)]
    pub(crate) boundary: Option<String>,
    #[serde(default)]
    pub(crate) tags: Tags,
    #[serde(default)]
    pub(crate) policies: Policies,
}

json_records!(Role);

impl Entity for Role {
    const KIND: Kind = Kind::Role;
    const NAME: &'static str = "Role";
    const QUOTA: (&'static str, usize) = ("RolesPerAccount", limits::ROLES);

    fn head(&self) -> &Head {
        &self.head
    }

    fn head_mut(&mut self) -> &mut Head {
        &mut self.head
    }

    fn resource_tags(&self) -> &[(String, String)] {
        &self.tags
    }
}

impl Holder for Role {
    const POLICY_SIZE: usize = limits::ROLE_POLICY_SIZE;

    fn boundary(&self) -> Option<&str> {
        self.boundary.as_deref()
    }

    fn policies(&self) -> &Policies {
        &self.policies
    }

    fn policies_mut(&mut self) -> &mut Policies {
        &mut self.policies
    }
}

impl Tagged for Role {
    fn tags_mut(&mut self) -> &mut Tags {
        &mut self.tags
    }
}

impl Identity {
    /// The role of an ARN; `None`: there is no role of exactly this name and path, in no account.
    pub(crate) async fn role_by_arn(&self, arn: &str) -> Result<Option<(AccountId, Role)>, Error> {
        let Some((account, Kind::Role, name)) = rows::parse_arn(arn) else { return Ok(None) };
        let role = self.entity::<Role>(account, name).await?;
        Ok(role.filter(|role| role.arn(account) == arn).map(|role| (account, role)))
    }

    /// The role of a unique id, as it is now.
    pub(crate) async fn role_by_id(&self, account: AccountId, id: &str) -> Result<Option<Role>, Error> {
        self.rows.read(&Role::place(account, id)).await
    }

    /// What sessions of a role may do, without what their own policies leave out.
    ///
    /// # Errors
    /// A failing store; a damaged row, a stored policy that does not parse among them.
    pub(crate) async fn role_permissions(&self, account: AccountId, role: &Role) -> Result<Permissions, Error> {
        let mut identity = Vec::new();
        self.gather(account, role, &mut identity).await?;
        let boundary = match &role.boundary {
            Some(arn) => Some(self.managed(account, arn).await?),
            None => None,
        };
        Ok(Permissions { identity, boundary, ..Permissions::default() })
    }
}
