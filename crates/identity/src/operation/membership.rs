//! AddUserToGroup, RemoveUserFromGroup, ListGroupsForUser.

use policy::Principal;

use super::group::Group;
use super::page::Paging;
use super::shapes::shapes;
use super::{Allowed, Done, Operation, Subject};
use crate::Identity;
use crate::entity::Entity;
use crate::error::Error;
use crate::limits;
use crate::record::{self, User};
use crate::rows;
use crate::store::change;

shapes! {
    request AddUserToGroupRequest { group_name: String, user_name: String }
    request RemoveUserFromGroupRequest { group_name: String, user_name: String }
    request ListGroupsForUserRequest { user_name: String, marker? String, max_items? i64 }
    shape ListGroupsForUserResponse { groups: Vec<Group>, is_truncated: bool, marker? String }
}

impl Operation for AddUserToGroupRequest {
    const NAME: &'static str = "AddUserToGroup";
    type Response = Done;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        Ok(vec![identity.subject::<record::Group>("iam:AddUserToGroup", caller, &self.group_name).await?.0])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<Done, Error> {
        change!(identity, by.account(), |work| {
            let group: record::Group = work.require(&self.group_name).await?;
            let mut user: User = work.require(&self.user_name).await?;
            if !user.groups.contains(&group.head.id) {
                if user.groups.len() >= limits::GROUPS_PER_USER {
                    return Err(Error::quota("GroupsPerUser", limits::GROUPS_PER_USER));
                }
                work.write(&rows::member(by.account(), &group.head.id, &user.head.id), &());
                user.groups.push(group.head.id);
                work.update(&user);
            }
            Ok(Done {})
        })
    }
}

impl Operation for RemoveUserFromGroupRequest {
    const NAME: &'static str = "RemoveUserFromGroup";
    type Response = Done;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        Ok(vec![identity.subject::<record::Group>("iam:RemoveUserFromGroup", caller, &self.group_name).await?.0])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<Done, Error> {
        change!(identity, by.account(), |work| {
            let group: record::Group = work.require(&self.group_name).await?;
            let mut user: User = work.require(&self.user_name).await?;
            let before = user.groups.len();
            user.groups.retain(|id| *id != group.head.id);
            if user.groups.len() == before {
                let text = format!("User {} not in group {}", self.user_name, self.group_name);
                return Err(Error::NoSuchEntity(text));
            }
            work.remove(&rows::member(by.account(), &group.head.id, &user.head.id));
            work.update(&user);
            Ok(Done {})
        })
    }
}

impl Operation for ListGroupsForUserRequest {
    const NAME: &'static str = "ListGroupsForUser";
    type Response = ListGroupsForUserResponse;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        Ok(vec![identity.subject::<User>("iam:ListGroupsForUser", caller, &self.user_name).await?.0])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<ListGroupsForUserResponse, Error> {
        let account = by.account();
        let user: User = identity.existing(account, &self.user_name).await?;
        let mut groups = Vec::new();
        for id in &user.groups {
            let group = identity.rows.read::<record::Group>(&record::Group::place(account, id)).await?;
            groups.extend(group.map(|group| Group::new(account, group.head)));
        }
        let paging = Paging::new(self.marker.as_deref(), self.max_items)?;
        let page = paging.slice(groups, |group| group.group_name.to_lowercase().into_bytes());
        Ok(ListGroupsForUserResponse { is_truncated: page.is_truncated(), groups: page.items, marker: page.marker })
    }
}
