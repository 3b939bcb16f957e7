//! CreateGroup, GetGroup, ListGroups, UpdateGroup, DeleteGroup.

use policy::{AccountId, Principal};

use super::page::Paging;
use super::shapes::shapes;
use super::user::{User, refuse_deletion};
use super::{Allowed, Done, Operation, Subject};
use crate::entity::Entity;
use crate::error::Error;
use crate::record::{self, Head, Policies};
use crate::rows::{self, Kind};
use crate::store::change;
use crate::time::Timestamp;
use crate::{Identity, entity};

shapes! {
    request CreateGroupRequest { path? String, group_name: String }
    shape CreateGroupResponse { group: Group }
    request GetGroupRequest { group_name: String, marker? String, max_items? i64 }
    shape GetGroupResponse { group: Group, users: Vec<User>, is_truncated: bool, marker? String }
    request ListGroupsRequest { path_prefix? String, marker? String, max_items? i64 }
    shape ListGroupsResponse { groups: Vec<Group>, is_truncated: bool, marker? String }
    request UpdateGroupRequest { group_name: String, new_path? String, new_group_name? String }
    request DeleteGroupRequest { group_name: String }
    shape Group { path: String, group_name: String, group_id: String, arn: String, create_date: Timestamp }
}

impl Group {
    pub(crate) fn new(account: AccountId, head: Head) -> Self {
        Self {
            arn: head.arn(account, Kind::Group),
            path: head.path,
            group_name: head.name,
            group_id: head.id,
            create_date: head.created,
        }
    }
}

impl Operation for CreateGroupRequest {
    const NAME: &'static str = "CreateGroup";
    type Response = CreateGroupResponse;

    async fn subjects(&self, _: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        let arn = entity::arn(caller.account, Kind::Group, self.path.as_deref().unwrap_or("/"), &self.group_name);
        Ok(vec![Subject::new("iam:CreateGroup", arn)])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<CreateGroupResponse, Error> {
        change!(identity, by.account(), |work| {
            let head = Head::new(identity, Kind::Group, &self.group_name, self.path.as_deref());
            let group = record::Group { head, policies: Policies::default() };
            work.insert(&group).await?;
            Ok(CreateGroupResponse { group: Group::new(by.account(), group.head) })
        })
    }
}

impl Operation for GetGroupRequest {
    const NAME: &'static str = "GetGroup";
    type Response = GetGroupResponse;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        Ok(vec![identity.subject::<record::Group>("iam:GetGroup", caller, &self.group_name).await?.0])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<GetGroupResponse, Error> {
        let account = by.account();
        let group: record::Group = identity.existing(account, &self.group_name).await?;
        let paging = Paging::new(self.marker.as_deref(), self.max_items)?;
        let skip = rows::member(account, &group.head.id, "").key.len();
        let ids = paging.rows(identity, rows::members(account, &group.head.id), skip, |row| {
            Ok(Some(rows::last_id(&row.key).to_owned()))
        });
        let page = ids.await?;
        let mut users = Vec::with_capacity(page.items.len());
        for id in &page.items {
            let user = identity.rows.read::<record::User>(&record::User::place(account, id)).await?;
            users.extend(user.map(|user| User::listed(account, user.head)));
        }
        let group = Group::new(account, group.head);
        Ok(GetGroupResponse { group, users, is_truncated: page.is_truncated(), marker: page.marker })
    }
}

impl Operation for ListGroupsRequest {
    const NAME: &'static str = "ListGroups";
    type Response = ListGroupsResponse;

    async fn subjects(&self, _: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        Ok(vec![Subject::of_list("iam:ListGroups", caller.account, Kind::Group, self.path_prefix.as_deref())])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<ListGroupsResponse, Error> {
        let paging = Paging::new(self.marker.as_deref(), self.max_items)?;
        let page = paging.heads(identity, by.account(), Kind::Group, self.path_prefix.as_deref()).await?;
        let page = page.map(|head| Group::new(by.account(), head));
        Ok(ListGroupsResponse { is_truncated: page.is_truncated(), groups: page.items, marker: page.marker })
    }
}

impl Operation for UpdateGroupRequest {
    const NAME: &'static str = "UpdateGroup";
    type Response = Done;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        let to = (self.new_path.as_deref(), self.new_group_name.as_deref());
        identity.renaming::<record::Group>("iam:UpdateGroup", caller, &self.group_name, to).await
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<Done, Error> {
        let to = (self.new_path.as_deref(), self.new_group_name.as_deref());
        identity.rename::<record::Group>(by, &self.group_name, to).await
    }
}

impl Operation for DeleteGroupRequest {
    const NAME: &'static str = "DeleteGroup";
    type Response = Done;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        Ok(vec![identity.subject::<record::Group>("iam:DeleteGroup", caller, &self.group_name).await?.0])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<Done, Error> {
        change!(identity, by.account(), |work| {
            let group: record::Group = work.require(&self.group_name).await?;
            if !work.is_vacant(rows::members(by.account(), &group.head.id)).await? {
                let text = "Cannot delete entity, must remove users from group first.";
                return Err(Error::DeleteConflict(text.to_owned()));
            }
            refuse_deletion(&group.policies)?;
            work.delete(&group).await?;
            Ok(Done {})
        })
    }
}
