use super::*;
use crate::Unknown;
use crate::operation::access_key::*;
use crate::operation::group::DeleteGroupRequest;
use crate::operation::inline::*;
use crate::operation::user::UpdateUserRequest;
use crate::provision::StaticKey;

async fn policies(world: &World, key: &str) -> Vec<String> {
    let credential = world.identity.resolve(key, None).await.unwrap();
    credential.principal.permissions.identity.iter().map(|policy| policy.source.to_string()).collect()
}

#[tokio::test]
async fn every_change_is_seen_by_the_next_request() {
    let world = World::new().await;
    world.user("alice").await;
    let key = world.key("alice").await;
    let id = key.access_key_id.as_str();
    let credential = world.identity.resolve(id, None).await.unwrap();
    assert_eq!(credential.secret[..], *key.secret_access_key.expose().as_bytes());
    assert_eq!(credential.principal.arn, "arn:aws:iam::111122223333:user/alice");
    assert_eq!(credential.principal.access_key_id, id);
    assert!(Arc::ptr_eq(&credential, &world.identity.resolve(id, None).await.unwrap()), "warm");
    assert!(policies(&world, id).await.is_empty());
    world.allow("alice", "own", "s3:*").await.unwrap();
    assert_eq!(policies(&world, id).await, ["user/alice/own"]);
    world.group("g").await;
    let put = PutGroupPolicyRequest {
        group_name: "g".to_owned(),
        policy_name: "ours".to_owned(),
        policy_document: allowing("kms:*"),
    };
    world.run(put).await.unwrap();
    assert_eq!(policies(&world, id).await.len(), 1);
    world.join("g", "alice").await.unwrap();
    assert_eq!(policies(&world, id).await, ["user/alice/own", "group/g/ours"]);
    world.leave("g", "alice").await.unwrap();
    world.run(DeleteGroupRequest { group_name: "g".to_owned() }).await.unwrap_err();
    assert_eq!(policies(&world, id).await.len(), 1);
    let rename =
        UpdateUserRequest { user_name: "alice".to_owned(), new_path: None, new_user_name: Some("al".to_owned()) };
    world.run(rename).await.unwrap();
    assert_eq!(policies(&world, id).await, ["user/al/own"]);
    let set = |status: &str| UpdateAccessKeyRequest {
        user_name: Some("al".to_owned()),
        access_key_id: id.to_owned(),
        status: status.to_owned(),
    };
    world.run(set("Inactive")).await.unwrap();
    assert!(matches!(world.identity.resolve(id, None).await, Err(Unknown::NoSuchKey)));
    world.run(set("Active")).await.unwrap();
    assert_eq!(policies(&world, id).await.len(), 1);
    let delete = DeleteAccessKeyRequest { user_name: Some("al".to_owned()), access_key_id: id.to_owned() };
    world.run(delete).await.unwrap();
    assert!(matches!(world.identity.resolve(id, None).await, Err(Unknown::NoSuchKey)));
}

#[tokio::test]
async fn a_long_term_key_has_no_session_token() {
    let world = World::new().await;
    world.user("alice").await;
    let key = world.key("alice").await;
    world.identity.resolve(&key.access_key_id, None).await.unwrap();
    let with_token = world.identity.resolve(&key.access_key_id, Some("token")).await;
    assert!(matches!(with_token, Err(Unknown::InvalidToken)));
}

#[tokio::test]
async fn a_change_that_an_answer_was_not_waited_for_is_seen_too() {
    let world = World::new().await;
    world.user("alice").await;
    let key = world.key("alice").await;
    policies(&world, &key.access_key_id).await;
    {
        let changing = world.allow("alice", "own", "s3:*");
        // The client hangs up at once.
        let _ = tokio::time::timeout(Duration::ZERO, changing).await;
    }
    for _ in 0..64 {
        tokio::task::yield_now().await;
    }
    let stored = ListUserPoliciesRequest { user_name: "alice".to_owned(), ..Default::default() };
    let stored = world.run(stored).await.unwrap().policy_names.len();
    assert_eq!(policies(&world, &key.access_key_id).await.len(), stored);
}

#[tokio::test]
async fn keys_of_the_operators_files_live_in_memory_alone() {
    let world = World::new().await;
    let key = |id: &str| StaticKey { access_key_id: id.to_owned(), secret: b"secret-secret".to_vec().into() };
    world.identity.provision(account(), None, &[], vec![key("root-key")]).await.unwrap();
    let rows = world.store.scan(meta::Table::Identity, &meta::Range::all(), meta::Order::Ascending, 9).await.unwrap();
    assert!(rows.is_empty(), "the home account's root keys write nothing");
    assert!(world.identity.resolve("root-key", None).await.unwrap().principal.is_root());
    let other = AccountId::parse("444455556666").unwrap();
    let admin = ["arn:aws:iam::aws:policy/AdministratorAccess".to_owned()];
    for _ in 0..2 {
        world.identity.provision(other, Some("alt"), &admin, vec![key("alt-key")]).await.unwrap();
    }
    let alt = world.identity.resolve("alt-key", None).await.unwrap();
    assert_eq!(alt.principal.arn, "arn:aws:iam::444455556666:user/alt");
    assert_eq!(alt.principal.permissions.identity[0].source.as_ref(), admin[0]);
    let nobody = world.identity.provision(AccountId::NOBODY, None, &[], vec![]).await;
    assert_eq!(failure(nobody).0, "InvalidInput");
}

/// Run with `--ignored --nocapture`.
#[tokio::test]
#[ignore = "a measurement"]
#[allow(clippy::print_stdout, reason = "a measurement is to be read")]
async fn what_resolving_costs() {
    let world = World::new().await;
    world.user("alice").await;
    world.group("g").await;
    world.join("g", "alice").await.unwrap();
    let key = world.key("alice").await;
    for number in 0..5 {
        world.allow("alice", &format!("p{number}"), "s3:*").await.unwrap();
    }
    let rounds = 200_000_u32;
    let started = std::time::Instant::now();
    for _ in 0..rounds {
        world.identity.resolve(&key.access_key_id, None).await.unwrap();
    }
    println!("{:?} warm", started.elapsed() / rounds);
    let started = std::time::Instant::now();
    for _ in 0..2_000 {
        world.identity.credentials.forget(account());
        world.identity.resolve(&key.access_key_id, None).await.unwrap();
    }
    println!("{:?} cold, with 5 inline policies and a group", started.elapsed() / 2_000);
    let started = std::time::Instant::now();
    for _ in 0..rounds {
        world.identity.used(&key.access_key_id, "s3", "eu-central-1");
    }
    println!("{:?} to note a use", started.elapsed() / rounds);
}
