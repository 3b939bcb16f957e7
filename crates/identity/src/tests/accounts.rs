use super::*;
use crate::Unknown;
use crate::operation::account::*;

#[tokio::test]
async fn accounts_are_made_and_removed_with_everyone_in_them() {
    let world = World::new().await;
    let identity = &world.identity;
    let (id, key) = identity.create_account(None, "team b").await.unwrap();
    assert_ne!(id, AccountId::NOBODY);
    let root = Arc::clone(&identity.resolve(&key.access_key_id, None).await.unwrap().principal);
    assert!(root.is_root() && root.account == id);
    let user = CreateUserRequest { user_name: "alice".to_owned(), ..Default::default() };
    run(identity, &root, user).await.unwrap();
    let user_name = Some("alice".to_owned());
    let users_key = run(identity, &root, CreateAccessKeyRequest { user_name }).await.unwrap().access_key;
    let alias = CreateAccountAliasRequest { account_alias: "team-b".to_owned() };
    run(identity, &root, alias.clone()).await.unwrap();
    assert_eq!(failure(world.run(alias.clone()).await).0, "EntityAlreadyExists");
    // The same names in another account are others.
    world.user("alice").await;
    let listed = identity.list_accounts().await.unwrap();
    assert_eq!(listed.len(), 2);
    let info = listed.iter().find(|account| account.id == id).unwrap();
    assert_eq!((info.name.as_str(), info.users, &info.aliases[..]), ("team b", 1, &["team-b".to_owned()][..]));

    let full = async { Err(Error::DeleteConflict("It has buckets.".to_owned())) };
    assert_eq!(failure(identity.delete_account(id, full).await).1, "It has buckets.");
    identity.resolve(&users_key.access_key_id, None).await.unwrap();
    let inside = {
        let (identity, key) = (Arc::clone(identity), users_key.access_key_id.clone());
        async move {
            assert!(matches!(identity.resolve(&key, None).await, Err(Unknown::NoSuchKey)), "nobody gets in");
            Ok(())
        }
    };
    identity.delete_account(id, inside).await.unwrap();
    for key in [&key, &users_key] {
        assert!(matches!(identity.resolve(&key.access_key_id, None).await, Err(Unknown::NoSuchKey)));
    }
    assert_eq!(identity.list_accounts().await.unwrap().len(), 1);
    let rows = world.store.scan(meta::Table::Identity, &meta::Range::all(), meta::Order::Ascending, 99).await.unwrap();
    assert_eq!(rows.len(), 3, "of the home account: itself, alice and her name");
    world.run(alias).await.unwrap();
    let unlucky = identity.create_account(Some(account()), "again").await;
    assert_eq!(failure(unlucky).0, "EntityAlreadyExists");
    assert_eq!(failure(identity.create_account(Some(AccountId::NOBODY), "x").await).0, "InvalidInput");
    assert_eq!(failure(identity.delete_account(account(), async { Ok(()) }).await).0, "UnmodifiableEntity");
}

#[tokio::test]
async fn an_account_has_one_alias() {
    let world = World::new().await;
    let create = |alias: &str| world.run(CreateAccountAliasRequest { account_alias: alias.to_owned() });
    create("one-one").await.unwrap();
    create("two-two").await.unwrap();
    create("two-two").await.unwrap();
    let list = || world.run(ListAccountAliasesRequest::default());
    assert_eq!(list().await.unwrap().account_aliases, ["two-two"]);
    let delete = |alias: &str| world.run(DeleteAccountAliasRequest { account_alias: alias.to_owned() });
    assert_eq!(failure(delete("one-one").await).0, "NoSuchEntity");
    delete("two-two").await.unwrap();
    assert!(list().await.unwrap().account_aliases.is_empty());
}
