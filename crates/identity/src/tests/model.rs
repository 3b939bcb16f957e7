//! Random operations against a naive model: sets of names.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::entity::Entity;
use crate::operation::access_key::{CreateAccessKeyRequest, DeleteAccessKeyRequest};
use crate::operation::account::GetAccountSummaryRequest;
use crate::operation::group::*;
use crate::operation::user::*;
use crate::record::{self, Head};
use crate::rows::{self, Kind, Place};

#[derive(Clone, Debug)]
enum Act {
    User(u8),
    Unuser(u8),
    Rename(u8, u8),
    Group(u8),
    Ungroup(u8),
    Regroup(u8, u8),
    Join(u8, u8),
    Leave(u8, u8),
    Key(u8),
    Unkey(u8),
}

fn act() -> impl Strategy<Value = Act> {
    let name = 0..4_u8;
    let two = || (0..4_u8, 0..4_u8);
    prop_oneof![
        name.clone().prop_map(Act::User),
        name.clone().prop_map(Act::Unuser),
        two().prop_map(|(one, other)| Act::Rename(one, other)),
        name.clone().prop_map(Act::Group),
        name.clone().prop_map(Act::Ungroup),
        two().prop_map(|(one, other)| Act::Regroup(one, other)),
        two().prop_map(|(one, other)| Act::Join(one, other)),
        two().prop_map(|(one, other)| Act::Leave(one, other)),
        name.clone().prop_map(Act::Key),
        name.prop_map(Act::Unkey),
    ]
}

#[derive(Default)]
struct Model {
    /// Users with their access keys.
    users: BTreeMap<String, Vec<String>>,
    groups: BTreeSet<String>,
    /// Group and user.
    members: BTreeSet<(String, String)>,
}

fn user(number: u8) -> String {
    format!("u{number}")
}

fn group(number: u8) -> String {
    format!("g{number}")
}

impl Model {
    /// Does it here and there; both have to agree whether it succeeds.
    async fn step(&mut self, world: &World, act: Act) {
        let (expected, done) = match act.clone() {
            Act::User(name) => {
                let name = user(name);
                let request = CreateUserRequest { user_name: name.to_uppercase(), ..Default::default() };
                let expected = !self.users.contains_key(&name);
                if expected {
                    self.users.insert(name, Vec::new());
                }
                (expected, world.run(request).await.is_ok())
            }
            Act::Unuser(name) => {
                let name = user(name);
                let member = self.members.iter().any(|(_, user)| *user == name);
                let expected = self.users.get(&name).is_some_and(Vec::is_empty) && !member;
                if expected {
                    self.users.remove(&name);
                }
                (expected, world.run(DeleteUserRequest { user_name: name }).await.is_ok())
            }
            Act::Rename(from, to) => {
                let (from, to) = (user(from), user(to));
                let expected = self.users.contains_key(&from) && (from == to || !self.users.contains_key(&to));
                if expected && let Some(keys) = self.users.remove(&from) {
                    self.users.insert(to.clone(), keys);
                    let renamed = |(group, user)| if user == from { (group, to.clone()) } else { (group, user) };
                    self.members = std::mem::take(&mut self.members).into_iter().map(renamed).collect();
                }
                let request = UpdateUserRequest { user_name: from, new_path: None, new_user_name: Some(to) };
                (expected, world.run(request).await.is_ok())
            }
            Act::Group(name) => {
                let expected = self.groups.insert(group(name));
                let request = CreateGroupRequest { path: None, group_name: group(name) };
                (expected, world.run(request).await.is_ok())
            }
            Act::Ungroup(name) => {
                let name = group(name);
                let expected = self.groups.contains(&name) && !self.members.iter().any(|(group, _)| *group == name);
                if expected {
                    self.groups.remove(&name);
                }
                (expected, world.run(DeleteGroupRequest { group_name: name }).await.is_ok())
            }
            Act::Regroup(from, to) => {
                let (from, to) = (group(from), group(to));
                let expected = self.groups.contains(&from) && (from == to || !self.groups.contains(&to));
                if expected {
                    self.groups.remove(&from);
                    self.groups.insert(to.clone());
                    let renamed = |(group, user)| if group == from { (to.clone(), user) } else { (group, user) };
                    self.members = std::mem::take(&mut self.members).into_iter().map(renamed).collect();
                }
                let request = UpdateGroupRequest { group_name: from, new_path: None, new_group_name: Some(to) };
                (expected, world.run(request).await.is_ok())
            }
            Act::Join(one, other) => {
                let expected = self.groups.contains(&group(one)) && self.users.contains_key(&user(other));
                if expected {
                    self.members.insert((group(one), user(other)));
                }
                (expected, world.join(&group(one), &user(other)).await.is_ok())
            }
            Act::Leave(one, other) => {
                let expected = self.members.remove(&(group(one), user(other)));
                (expected, world.leave(&group(one), &user(other)).await.is_ok())
            }
            Act::Key(name) => {
                let made = world.run(CreateAccessKeyRequest { user_name: Some(user(name)) }).await.ok();
                let keys = self.users.get_mut(&user(name)).filter(|keys| keys.len() < 2);
                let expected = keys.is_some();
                if let (Some(keys), Some(made)) = (keys, &made) {
                    keys.push(made.access_key.access_key_id.clone());
                }
                (expected, made.is_some())
            }
            Act::Unkey(name) => {
                let keys = self.users.get_mut(&user(name)).filter(|keys| !keys.is_empty());
                let Some(access_key_id) = keys.map(|keys| keys.remove(0)) else { return };
                let request = DeleteAccessKeyRequest { user_name: Some(user(name)), access_key_id };
                (true, world.run(request).await.is_ok())
            }
        };
        assert_eq!(done, expected, "{act:?}");
    }

    /// Whether what is stored is what the model has.
    async fn compare(&self, world: &World) {
        assert_whole(world).await;
        for (name, keys) in &self.users {
            for key in keys {
                let credential = world.identity.resolve(key, None).await.unwrap();
                assert!(credential.principal.arn.to_lowercase().ends_with(&format!("user/{name}")));
            }
        }
        for group in &self.groups {
            let request = GetGroupRequest { group_name: group.clone(), ..Default::default() };
            let users = world.run(request).await.unwrap().users;
            let stored: BTreeSet<String> =
                users.into_iter().filter_map(|user| user.user_name).map(|name| name.to_lowercase()).collect();
            let expected = self.members.iter().filter(|(of, _)| of == group).map(|(_, user)| user.clone());
            assert_eq!(stored, expected.collect());
        }
        let summary = world.run(GetAccountSummaryRequest {}).await.unwrap().summary_map;
        assert_eq!((summary["Users"], summary["Groups"]), (self.users.len(), self.groups.len()));
    }
}

/// Names lead to entities, entities to names; memberships stand on both sides; counts are right.
pub(super) async fn assert_whole(world: &World) {
    let rows = &world.identity.rows;
    let mut names: Vec<Head> = Vec::new();
    for kind in [Kind::User, Kind::Group] {
        for row in rows.all(&rows::names(account(), kind)).await.unwrap() {
            names.push(rows.small(&Place { key: row.key.to_vec(), kind: "name" }, &row.value).unwrap());
        }
    }
    let entities = rows.all(&rows::of_account(0x03, account())).await.unwrap();
    assert_eq!(entities.len(), names.len(), "an entity without a name, or a name without an entity");
    let mut memberships = BTreeSet::new();
    for head in &names {
        if head.id.starts_with("AIDA") {
            let user: record::User = rows.read(&record::User::place(account(), &head.id)).await.unwrap().unwrap();
            assert_eq!(&user.head, head);
            memberships.extend(user.groups.iter().map(|group| rows::member(account(), group, &head.id).key));
            for group in &user.groups {
                assert!(names.iter().any(|head| head.id == *group), "a membership of a group that is gone");
            }
        } else {
            let group: record::Group = rows.read(&record::Group::place(account(), &head.id)).await.unwrap().unwrap();
            assert_eq!(&group.head, head);
        }
    }
    let stored = rows.all(&rows::of_account(0x04, account())).await.unwrap();
    assert_eq!(stored.into_iter().map(|row| row.key.to_vec()).collect::<BTreeSet<_>>(), memberships);
    let found: Option<record::Account> = rows.read(&rows::account(account())).await.unwrap();
    let counted = found.map_or(0, |account| account.count(Kind::User) + account.count(Kind::Group));
    assert_eq!(counted, names.len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn random_operations_do_what_the_model_does(acts in proptest::collection::vec(act(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (world, mut model) = (World::new().await, Model::default());
            for act in acts {
                model.step(&world, act).await;
            }
            model.compare(&world).await;
        });
    }
}
