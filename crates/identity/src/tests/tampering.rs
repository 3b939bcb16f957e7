use meta::{Order, Range, Table, Transaction};

use super::*;
use crate::Unknown;
use crate::operation::inline::PutUserPolicyRequest;
use crate::operation::user::GetUserRequest;

/// Every row that begins with a tag, with its body.
async fn rows_of(world: &World, tag: u8) -> Vec<(bytes::Bytes, meta::Record)> {
    let rows = world.store.scan(Table::Identity, &Range::prefix([tag]), Order::Ascending, 100).await.unwrap();
    let mut found = Vec::new();
    for row in rows {
        let record = world.store.record(Table::Identity, &row.key).await.unwrap().unwrap();
        found.push((row.key, record));
    }
    found
}

#[tokio::test]
async fn a_row_in_anothers_place_is_refused() {
    let world = World::new().await;
    let (mallory, _) = (world.user("mallory").await, world.user("root-like").await);
    world.allow("root-like", "all", "*").await.unwrap();
    let keys = [world.key("mallory").await, world.key("root-like").await];
    // Names, entities, access keys.
    for tag in [0x02, 0x03, 0x10] {
        let rows = rows_of(&world, tag).await;
        assert_eq!(rows.len(), 2);
        let swap = Transaction::new().put(Table::Identity, &rows[0].0, rows[1].1.value.clone()).put(
            Table::Identity,
            &rows[1].0,
            rows[0].1.value.clone(),
        );
        world.store.commit(swap).await.unwrap();
        let fresh = world.neighbour();
        if tag == 0x02 {
            let get = GetUserRequest { user_name: mallory.user_name.clone() };
            assert_eq!(failure(run(&fresh, &world.root, get).await).0, "ServiceFailure");
        } else {
            for key in &keys {
                assert!(matches!(fresh.resolve(&key.access_key_id, None).await, Err(Unknown::Failed(_))));
            }
        }
        let back = Transaction::new().put(Table::Identity, &rows[0].0, rows[0].1.value.clone()).put(
            Table::Identity,
            &rows[1].0,
            rows[1].1.value.clone(),
        );
        world.store.commit(back).await.unwrap();
        for key in &keys {
            fresh.resolve(&key.access_key_id, None).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_large_record_and_an_older_body_of_it_do_not_go_together() {
    let world = World::new().await;
    world.user("alice").await;
    let key = world.key("alice").await;
    let wide = |action: &str| allowing(action).replace(' ', &" ".repeat(4_000));
    let put = |action: &str| PutUserPolicyRequest {
        user_name: "alice".to_owned(),
        policy_name: "p".to_owned(),
        policy_document: wide(action),
    };
    world.run(put("*")).await.unwrap();
    let before = rows_of(&world, 0x03).await.remove(0);
    assert!(before.1.body.is_some(), "it is too large for a value");
    world.identity.resolve(&key.access_key_id, None).await.unwrap();
    world.run(put("s3:ListBucket")).await.unwrap();
    let after = rows_of(&world, 0x03).await.remove(0);
    let mix = Transaction::new().put_with_body(
        Table::Identity,
        &after.0,
        after.1.value.clone(),
        before.1.body.clone().unwrap(),
    );
    world.store.commit(mix).await.unwrap();
    let fresh = world.neighbour();
    assert!(matches!(fresh.resolve(&key.access_key_id, None).await, Err(Unknown::Failed(_))));
}

#[tokio::test]
async fn no_secret_lies_in_a_row() {
    let world = World::new().await;
    world.user("alice").await;
    let key = world.key("alice").await;
    let secret = key.secret_access_key.expose().as_bytes();
    for tag in [0x01, 0x02, 0x03, 0x10] {
        for (_, record) in rows_of(&world, tag).await {
            let found = |bytes: &[u8]| bytes.windows(secret.len()).any(|window| window == secret);
            assert!(!found(&record.value) && !record.body.as_deref().is_some_and(found));
            assert!(!record.value.windows(5).any(|window| window == b"alice"));
        }
    }
}
