use super::*;
use crate::operation::access_key::*;
use crate::operation::inline::*;
use crate::operation::tag::*;
use crate::operation::user::*;

fn named(name: &str) -> GetUserRequest {
    GetUserRequest { user_name: Some(name.to_owned()) }
}

#[tokio::test]
async fn a_user_is_made_found_renamed_and_deleted() {
    let world = World::new().await;
    let tags = Some(vec![Tag { key: "Team".to_owned(), value: "a".to_owned() }]);
    let create = CreateUserRequest {
        path: Some("/div/".to_owned()),
        user_name: "Alice".to_owned(),
        permissions_boundary: None,
        tags,
    };
    let user = world.run(create.clone()).await.unwrap().user;
    assert_eq!(user.arn, "arn:aws:iam::111122223333:user/div/Alice");
    assert!(user.user_id.starts_with("AIDA") && user.user_id.len() == 21);
    // Names have no case for being the same, and keep theirs for being shown.
    assert_eq!(world.run(named("aLICE")).await.unwrap().user, user);
    let again = CreateUserRequest { user_name: "ALICE".to_owned(), ..create };
    assert_eq!(
        failure(world.run(again).await),
        ("EntityAlreadyExists", "User with name ALICE already exists.".to_owned())
    );
    assert_eq!(
        failure(world.run(named("bob")).await),
        ("NoSuchEntity", "The user with name bob cannot be found.".to_owned())
    );
    world.user("carol").await;
    let rename = |to: &str| UpdateUserRequest {
        user_name: "alice".to_owned(),
        new_path: Some("/".to_owned()),
        new_user_name: Some(to.to_owned()),
    };
    assert_eq!(failure(world.run(rename("Carol")).await).0, "EntityAlreadyExists");
    world.run(rename("ALICE")).await.unwrap();
    assert_eq!(world.run(named("alice")).await.unwrap().user.user_name.as_deref(), Some("ALICE"));
    world.run(rename("alicia")).await.unwrap();
    assert_eq!(failure(world.run(named("alice")).await).0, "NoSuchEntity");
    let renamed = world.run(named("alicia")).await.unwrap().user;
    assert_eq!((renamed.user_id, renamed.arn), (user.user_id, "arn:aws:iam::111122223333:user/alicia".to_owned()));
    world.run(DeleteUserRequest { user_name: "alicia".to_owned() }).await.unwrap();
    assert_eq!(failure(world.run(named("alicia")).await).0, "NoSuchEntity");
    world.user("alicia").await;
}

#[tokio::test]
async fn users_are_listed_page_by_page_in_the_order_of_their_names() {
    let world = World::new().await;
    for (index, name) in ["delta", "Bravo", "alpha", "Charlie", "echo"].into_iter().enumerate() {
        let path = if index % 2 == 0 { "/even/" } else { "/odd/" };
        let request =
            CreateUserRequest { path: Some(path.to_owned()), user_name: name.to_owned(), ..Default::default() };
        world.run(request).await.unwrap();
    }
    let (mut marker, mut names, mut pages) = (None, Vec::new(), 0);
    loop {
        let page = world.run(ListUsersRequest { path_prefix: None, marker, max_items: Some(2) }).await.unwrap();
        names.extend(page.users.into_iter().filter_map(|user| user.user_name));
        assert_eq!(page.is_truncated, page.marker.is_some());
        (marker, pages) = (page.marker, pages + 1);
        if marker.is_none() {
            break;
        }
    }
    assert_eq!((names, pages), (["alpha", "Bravo", "Charlie", "delta", "echo"].map(str::to_owned).to_vec(), 3));
    let even = ListUsersRequest { path_prefix: Some("/ev".to_owned()), max_items: Some(2), marker: None };
    let page = world.run(even).await.unwrap();
    assert_eq!(page.users.len(), 2);
    assert!(page.is_truncated);
    let bad = ListUsersRequest { marker: Some("###".to_owned()), ..Default::default() };
    assert_eq!(failure(world.run(bad).await).0, "ValidationError");
}

#[tokio::test]
async fn what_hangs_on_a_user_is_removed_first() {
    let world = World::new().await;
    world.user("alice").await;
    world.allow("alice", "p", "s3:*").await.unwrap();
    let key = world.key("alice").await;
    let delete = || world.run(DeleteUserRequest { user_name: "alice".to_owned() });
    let conflict = |text: &str| ("DeleteConflict", text.to_owned());
    assert_eq!(failure(delete().await), conflict("Cannot delete entity, must delete policies first."));
    let (user_name, policy_name) = ("alice".to_owned(), "p".to_owned());
    world.run(DeleteUserPolicyRequest { user_name, policy_name }).await.unwrap();
    assert_eq!(failure(delete().await), conflict("Cannot delete entity, must delete access keys first."));
    let user_name = Some("alice".to_owned());
    world.run(DeleteAccessKeyRequest { user_name, access_key_id: key.access_key_id }).await.unwrap();
    delete().await.unwrap();
}

#[tokio::test]
async fn inline_policies_come_back_encoded_and_have_a_quota_together() {
    let world = World::new().await;
    world.user("alice").await;
    world.allow("alice", "p", "s3:Get*").await.unwrap();
    let get = GetUserPolicyRequest { user_name: "Alice".to_owned(), policy_name: "p".to_owned() };
    let got = world.run(get).await.unwrap();
    assert!(got.policy_document.starts_with("%7B%22Version%22%3A%20%222012-10-17%22"), "{}", got.policy_document);
    let missing = GetUserPolicyRequest { user_name: "alice".to_owned(), policy_name: "q".to_owned() };
    assert_eq!(
        failure(world.run(missing).await),
        ("NoSuchEntity", "The user policy with name q cannot be found.".to_owned())
    );
    let put = |policy_document: String| PutUserPolicyRequest {
        user_name: "alice".to_owned(),
        policy_name: "q".to_owned(),
        policy_document,
    };
    assert_eq!(failure(world.run(put("{".to_owned())).await).0, "MalformedPolicyDocument");
    // White space does not count.
    world.run(put(allowing("s3:*").replace(' ', &" ".repeat(600)))).await.unwrap();
    assert_eq!(
        failure(world.run(put(allowing(&format!("s3:{}", "a".repeat(2_000))))).await),
        ("LimitExceeded", "Maximum policy size of 2048 bytes exceeded for user alice".to_owned())
    );
    let list = ListUserPoliciesRequest { user_name: "alice".to_owned(), ..Default::default() };
    assert_eq!(world.run(list).await.unwrap().policy_names, ["p", "q"]);
}

#[tokio::test]
async fn access_keys_are_two_and_of_whom_they_are() {
    let world = World::new().await;
    world.user("alice").await;
    world.user("bob").await;
    let (one, two) = (world.key("alice").await, world.key("alice").await);
    assert!(one.access_key_id.starts_with("SRAK") && one.secret_access_key.expose().len() == 40);
    assert!(!format!("{one:?}").contains(one.secret_access_key.expose()));
    let third = CreateAccessKeyRequest { user_name: Some("alice".to_owned()) };
    assert_eq!(
        failure(world.run(third).await),
        ("LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2".to_owned())
    );
    let of_bob = DeleteAccessKeyRequest { user_name: Some("bob".to_owned()), access_key_id: one.access_key_id.clone() };
    let missing = format!("The Access Key with id {} cannot be found.", one.access_key_id);
    assert_eq!(failure(world.run(of_bob).await), ("NoSuchEntity", missing));
    let off = UpdateAccessKeyRequest {
        user_name: Some("alice".to_owned()),
        access_key_id: one.access_key_id.clone(),
        status: "Inactive".to_owned(),
    };
    world.run(off).await.unwrap();
    let list = ListAccessKeysRequest { user_name: Some("alice".to_owned()), ..Default::default() };
    let listed = world.run(list).await.unwrap().access_key_metadata;
    let statuses: Vec<_> = listed.iter().map(|key| (key.access_key_id.as_str(), key.status)).collect();
    assert_eq!(statuses, [(one.access_key_id.as_str(), "Inactive"), (two.access_key_id.as_str(), "Active")]);
}

#[tokio::test]
async fn the_last_use_of_a_key_is_told_before_and_after_it_is_written() {
    let world = World::new().await;
    world.user("alice").await;
    let key = world.key("alice").await;
    let ask = || GetAccessKeyLastUsedRequest { access_key_id: key.access_key_id.clone() };
    let never = world.run(ask()).await.unwrap();
    assert_eq!(never.access_key_last_used.service_name, "N/A");
    assert_eq!(never.user_name.as_deref(), Some("alice"));
    world.identity.used(&key.access_key_id, "s3", "eu-central-1");
    world.identity.used("SRAKNOBODY", "s3", "eu-central-1");
    let noted = world.run(ask()).await.unwrap();
    world.identity.flush().await.unwrap();
    let written = world.run(ask()).await.unwrap();
    assert_eq!(noted.access_key_last_used, written.access_key_last_used);
    assert_eq!((written.access_key_last_used.service_name.as_str()), "s3");
    let other = world.neighbour();
    assert_eq!(run(&other, &world.root, ask()).await.unwrap().access_key_last_used, written.access_key_last_used);
}

#[tokio::test]
async fn tags_are_fifty_and_their_keys_have_no_case() {
    let world = World::new().await;
    world.user("alice").await;
    let tag = |key: &str, value: &str| Tag { key: key.to_owned(), value: value.to_owned() };
    let set = |tags: Vec<Tag>| world.run(TagUserRequest { user_name: "alice".to_owned(), tags });
    set(vec![tag("Team", "a"), tag("Cost", "1")]).await.unwrap();
    set(vec![tag("TEAM", "b")]).await.unwrap();
    let list = || world.run(ListUserTagsRequest { user_name: "alice".to_owned(), ..Default::default() });
    assert_eq!(list().await.unwrap().tags, [tag("Cost", "1"), tag("TEAM", "b")]);
    assert_eq!(failure(set(vec![tag("a", "1"), tag("A", "2")]).await).0, "InvalidInput");
    assert_eq!(failure(set(vec![tag("aws:x", "1")]).await).0, "InvalidInput");
    assert_eq!(failure(set((0..49).map(|n| tag(&format!("k{n}"), "")).collect()).await).0, "LimitExceeded");
    let tag_keys = vec!["cost".to_owned(), "nothing".to_owned()];
    world.run(UntagUserRequest { user_name: "alice".to_owned(), tag_keys }).await.unwrap();
    assert_eq!(list().await.unwrap().tags, [tag("TEAM", "b")]);
}

#[tokio::test]
async fn a_root_user_is_as_old_as_its_account() {
    let world = World::new().await;
    world.identity.settle().await.unwrap();
    let begun = crate::Timestamp::from(UNIX_EPOCH + Duration::from_secs(world.seconds()));
    for _ in 0..2 {
        world.pass(1_000);
        world.identity.settle().await.unwrap();
        assert_eq!(world.run(GetUserRequest::default()).await.unwrap().user.create_date, begun);
    }
    assert_eq!(world.identity.list_accounts().await.unwrap()[0].created, Some(begun));
}

#[tokio::test]
async fn who_does_not_say_whom_it_means_means_itself() {
    let world = World::new().await;
    world.user("alice").await;
    let key = world.key("alice").await;
    let alice = world.identity.resolve(&key.access_key_id, None).await.unwrap();
    let me = run(&world.identity, &alice.principal, GetUserRequest::default()).await.unwrap().user;
    assert_eq!(me.user_name.as_deref(), Some("alice"));
    let root = world.run(GetUserRequest::default()).await.unwrap().user;
    assert_eq!((root.user_name, root.arn.as_str()), (None, "arn:aws:iam::111122223333:root"));
    world.pass(1_000);
    let later = world.run(GetUserRequest::default()).await.unwrap().user;
    assert_eq!(later.create_date, root.create_date);
    let service = Arc::new(Principal::service("cloudtrail.amazonaws.com"));
    assert_eq!(failure(run(&world.identity, &service, GetUserRequest::default()).await).0, "ValidationError");
}

#[tokio::test]
async fn an_operation_says_what_is_decided_about_it() {
    let world = World::new().await;
    let request = CreateUserRequest {
        path: Some("/a/".to_owned()),
        user_name: "alice".to_owned(),
        permissions_boundary: None,
        tags: Some(vec![Tag { key: "k".to_owned(), value: "v".to_owned() }]),
    };
    let prepared = Prepared::new(&world.identity, Arc::clone(&world.root), request.clone()).await.unwrap();
    let asked: Vec<_> = prepared.subjects().iter().map(|subject| (subject.action, subject.arn.as_str())).collect();
    let arn = "arn:aws:iam::111122223333:user/a/alice";
    assert_eq!(asked, [("iam:CreateUser", arn), ("iam:TagUser", arn)]);
    let refused = prepared.decide(|_, subject| if subject.action == "iam:TagUser" { Err("no") } else { Ok(()) });
    assert_eq!(refused.err(), Some("no"));
    world.run(request).await.unwrap();
    let rename =
        UpdateUserRequest { user_name: "alice".to_owned(), new_path: None, new_user_name: Some("bob".to_owned()) };
    let prepared = Prepared::new(&world.identity, Arc::clone(&world.root), rename).await.unwrap();
    let asked: Vec<_> = prepared.subjects().iter().map(|subject| subject.arn.as_str()).collect();
    assert_eq!(asked, [arn, "arn:aws:iam::111122223333:user/a/bob"], "both names need to be allowed");
    let tag = ::policy::Value::from("v");
    assert_eq!(::policy::Context::value(&prepared.subjects()[0].context, "aws:resourcetag/k"), Some(tag));
}
