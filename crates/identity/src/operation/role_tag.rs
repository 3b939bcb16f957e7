//! TagRole, UntagRole, ListRoleTags.

use policy::Principal;

use super::shapes::shapes;
use super::tag::{Tag, page};
use super::{Allowed, Done, Operation, Subject};
use crate::Identity;
use crate::error::Error;
use crate::role::Role;

shapes! {
    request TagRoleRequest { role_name: String, tags: Vec<Tag> }
    request UntagRoleRequest { role_name: String, tag_keys: Vec<String> }
    request ListRoleTagsRequest { role_name: String, marker? String, max_items? i64 }
    shape ListRoleTagsResponse { tags: Vec<Tag>, is_truncated: bool, marker? String }
}

impl Operation for TagRoleRequest {
    const NAME: &'static str = "TagRole";
    type Response = Done;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        let (subject, _) = identity.subject::<Role>("iam:TagRole", caller, &self.role_name).await?;
        Ok(vec![subject.with_request_tags(&self.tags)])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<Done, Error> {
        identity.tag::<Role>(by, &self.role_name, &self.tags).await
    }
}

impl Operation for UntagRoleRequest {
    const NAME: &'static str = "UntagRole";
    type Response = Done;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        let (subject, _) = identity.subject::<Role>("iam:UntagRole", caller, &self.role_name).await?;
        Ok(vec![subject.with_tag_keys(self.tag_keys.iter().map(String::as_str))])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<Done, Error> {
        identity.untag::<Role>(by, &self.role_name, &self.tag_keys).await
    }
}

impl Operation for ListRoleTagsRequest {
    const NAME: &'static str = "ListRoleTags";
    type Response = ListRoleTagsResponse;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        Ok(vec![identity.subject::<Role>("iam:ListRoleTags", caller, &self.role_name).await?.0])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<ListRoleTagsResponse, Error> {
        let role: Role = identity.existing(by.account(), &self.role_name).await?;
        let page = page(&role.tags, self.marker.as_deref(), self.max_items)?;
        Ok(ListRoleTagsResponse { is_truncated: page.is_truncated(), tags: page.items, marker: page.marker })
    }
}
