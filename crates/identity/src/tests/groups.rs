use super::*;
use crate::operation::group::*;
use crate::operation::membership::*;
use crate::operation::user::DeleteUserRequest;

impl World {
    pub(crate) async fn group(&self, name: &str) -> Group {
        self.run(CreateGroupRequest { path: None, group_name: name.to_owned() }).await.unwrap().group
    }

    pub(crate) async fn join(&self, group: &str, user: &str) -> Result<crate::Done, Error> {
        self.run(AddUserToGroupRequest { group_name: group.to_owned(), user_name: user.to_owned() }).await
    }

    pub(crate) async fn leave(&self, group: &str, user: &str) -> Result<crate::Done, Error> {
        self.run(RemoveUserFromGroupRequest { group_name: group.to_owned(), user_name: user.to_owned() }).await
    }
}

#[tokio::test]
async fn a_group_has_members_until_they_leave() {
    let world = World::new().await;
    let group = world.group("Admins").await;
    assert_eq!(group.arn, "arn:aws:iam::111122223333:group/Admins");
    for user in ["alice", "bob"] {
        world.user(user).await;
        world.join("admins", user).await.unwrap();
    }
    // Once more changes nothing.
    world.join("admins", "bob").await.unwrap();
    let members = || world.run(GetGroupRequest { group_name: "ADMINS".to_owned(), ..Default::default() });
    assert_eq!(members().await.unwrap().users.len(), 2);
    let one = GetGroupRequest { group_name: "admins".to_owned(), max_items: Some(1), marker: None };
    let first = world.run(one.clone()).await.unwrap();
    let second = world.run(GetGroupRequest { marker: first.marker.clone(), ..one }).await.unwrap();
    assert!(first.is_truncated && !second.is_truncated);
    assert_ne!(first.users, second.users);
    let delete = || world.run(DeleteGroupRequest { group_name: "admins".to_owned() });
    let conflict = ("DeleteConflict", "Cannot delete entity, must remove users from group first.".to_owned());
    assert_eq!(failure(delete().await), conflict);
    assert_eq!(failure(world.run(DeleteUserRequest { user_name: "alice".to_owned() }).await), conflict);
    for user in ["alice", "bob"] {
        world.leave("admins", user).await.unwrap();
    }
    assert_eq!(failure(world.leave("admins", "bob").await).0, "NoSuchEntity");
    delete().await.unwrap();
    assert_eq!(failure(members().await), ("NoSuchEntity", "The group with name ADMINS cannot be found.".to_owned()));
}

#[tokio::test]
async fn a_user_is_in_ten_groups_at_most_and_stays_in_them_when_they_are_renamed() {
    let world = World::new().await;
    world.user("alice").await;
    for number in 0..11 {
        world.group(&format!("g{number:02}")).await;
    }
    for number in 0..10 {
        world.join(&format!("g{number:02}"), "alice").await.unwrap();
    }
    assert_eq!(
        failure(world.join("g10", "alice").await),
        ("LimitExceeded", "Cannot exceed quota for GroupsPerUser: 10".to_owned())
    );
    let rename = UpdateGroupRequest {
        group_name: "g00".to_owned(),
        new_path: Some("/x/".to_owned()),
        new_group_name: Some("z".to_owned()),
    };
    world.run(rename).await.unwrap();
    let list = ListGroupsForUserRequest { user_name: "alice".to_owned(), ..Default::default() };
    let groups = world.run(list).await.unwrap().groups;
    assert_eq!(groups.len(), 10);
    assert_eq!(groups.last().unwrap().arn, "arn:aws:iam::111122223333:group/x/z");
}
