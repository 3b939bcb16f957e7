use super::*;
use crate::operation::account::GetAccountSummaryRequest;
use crate::operation::user::DeleteUserRequest;

fn create(name: &str) -> CreateUserRequest {
    CreateUserRequest { user_name: name.to_owned(), ..Default::default() }
}

/// Two processes over one store, many tasks: whoever is second is told so, and counts are right.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_many_makes_a_user() {
    let world = World::new().await;
    let both = [Arc::clone(&world.identity), world.neighbour()];
    for round in 0..20 {
        let tasks: Vec<_> = (0..4_usize)
            .map(|task| {
                let (identity, root) = (Arc::clone(&both[task % 2]), Arc::clone(&world.root));
                tokio::spawn(async move { run(&identity, &root, create(&format!("u{round}"))).await.map(|_| ()) })
            })
            .collect();
        let mut made = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(()) => made += 1,
                Err(error) => assert_eq!(error.code(), "EntityAlreadyExists"),
            }
        }
        assert_eq!(made, 1);
    }
    assert_eq!(world.run(GetAccountSummaryRequest {}).await.unwrap().summary_map["Users"], 20);
}

/// A user that is deleted while somebody gives it a policy, a key and a group: either it was deleted and nothing of it is left, or it
/// has what it was given.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_hangs_on_a_user_that_is_gone() {
    let world = World::new().await;
    let other = world.neighbour();
    world.group("g").await;
    for round in 0..40 {
        let name = format!("u{round}");
        world.user(&name).await;
        let deleting = {
            let (identity, root, name) = (Arc::clone(&other), Arc::clone(&world.root), name.clone());
            tokio::spawn(async move { run(&identity, &root, DeleteUserRequest { user_name: name }).await.map(|_| ()) })
        };
        let joined = world.join("g", &name).await.is_ok();
        let given = world.allow(&name, "p", "s3:*").await.is_ok();
        let keyed = world.run(CreateAccessKeyRequest { user_name: Some(name.clone()) }).await.ok();
        let deleted = deleting.await.unwrap().is_ok();
        assert!(!(deleted && (joined || given || keyed.is_some())), "round {round}");
        assert_eq!(world.identity.entity::<crate::record::User>(account(), &name).await.unwrap().is_none(), deleted);
    }
    model::assert_whole(&world).await;
}
