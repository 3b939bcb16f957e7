use keys::operation::alias::{CreateAliasRequest, DeleteAliasRequest, ListAliasesRequest, UpdateAliasRequest};
use serde_json::json;

use crate::fixture::{DAY, Fixture, checked, code};

async fn update(f: &Fixture, name: &str, key: &str) -> &'static str {
    let request = UpdateAliasRequest { alias_name: name.to_owned(), target_key_id: key.to_owned() };
    code(f.keys.update_alias(&f.me, request).await)
}

async fn delete(f: &Fixture, name: &str) -> &'static str {
    code(f.keys.delete_alias(&f.me, DeleteAliasRequest { alias_name: name.to_owned() }).await)
}

async fn names(f: &Fixture, key: Option<&str>) -> Vec<String> {
    let request = ListAliasesRequest { key_id: key.map(str::to_owned), ..Default::default() };
    let page = f.keys.list_aliases(&f.me, request).await.unwrap();
    page.aliases.into_iter().map(|alias| alias.alias_name).collect()
}

#[tokio::test]
async fn an_alias_follows_its_updates() {
    let f = Fixture::new().await;
    let (one, two) = (f.key().await, f.key().await);
    f.alias("alias/a", &one).await.unwrap();
    f.pass(DAY);
    assert_eq!(update(&f, "alias/a", &two).await, "ok");
    assert_eq!(f.describe("alias/a").await.unwrap().key_id, two);
    assert_eq!(names(&f, Some(&one)).await, [""; 0]);
    assert_eq!(names(&f, Some(&two)).await, ["alias/a"]);
    let listed = f.keys.list_aliases(&f.me, ListAliasesRequest::default()).await.unwrap().aliases;
    assert_eq!(listed[0].target_key_id, two);
    assert_eq!(listed[0].last_updated_date.since(listed[0].creation_date), DAY);
    assert_eq!(delete(&f, "alias/a").await, "ok");
    assert_eq!(code(f.describe("alias/a").await), "NotFoundException");
    assert_eq!(names(&f, None).await, [""; 0]);
}

#[tokio::test]
async fn an_alias_exists_once() {
    let f = Fixture::new().await;
    let key = f.key().await;
    f.alias("alias/a", &key).await.unwrap();
    let error = f.alias("alias/a", &key).await.unwrap_err();
    let text = "An alias with the name arn:aws:kms:eu-west-1:111122223333:alias/a already exists";
    assert_eq!((error.code(), error.message()), ("AlreadyExistsException", text));
    assert_eq!(update(&f, "alias/b", &key).await, "NotFoundException");
    assert_eq!(delete(&f, "alias/b").await, "NotFoundException");
}

#[tokio::test]
async fn alias_names_are_checked() {
    let f = Fixture::new().await;
    let key = f.key().await;
    for (name, expected) in [
        ("alias/a/b_c-D9".to_owned(), "ok"),
        (format!("alias/{}", "x".repeat(250)), "ok"),
        ("a".to_owned(), "ValidationException"),
        ("alias/".to_owned(), "InvalidAliasNameException"),
        ("alias/a:b".to_owned(), "InvalidAliasNameException"),
        ("alias/aws/s3".to_owned(), "NotAuthorizedException"),
        ("alias/aws/mine".to_owned(), "NotAuthorizedException"),
        ("alias/awsome".to_owned(), "ok"),
    ] {
        let body = json!({ "AliasName": name, "TargetKeyId": key });
        assert_eq!(checked::<CreateAliasRequest>(&body), "ok", "{name}");
        assert_eq!(code(f.alias(&name, &key).await), expected, "{name}");
    }
    for name in [&format!("alias/{}", "x".repeat(251)), "", "alias/a b", "alias/ä"] {
        let body = json!({ "AliasName": name, "TargetKeyId": key });
        assert_eq!(checked::<CreateAliasRequest>(&body), "ValidationException", "{name}");
    }
    assert_eq!(code(f.alias("alias/x", "alias/awsome").await), "ValidationException");
}

#[tokio::test]
async fn a_key_has_at_most_fifty_aliases() {
    let f = Fixture::new().await;
    let (one, two) = (f.key().await, f.key().await);
    for n in 0..50 {
        f.alias(&format!("alias/{n}"), &one).await.unwrap();
    }
    assert_eq!(code(f.alias("alias/more", &one).await), "LimitExceededException");
    f.alias("alias/more", &two).await.unwrap();
    assert_eq!(update(&f, "alias/more", &one).await, "LimitExceededException");
    assert_eq!(update(&f, "alias/7", &one).await, "ok");
    assert_eq!(delete(&f, "alias/7").await, "ok");
    assert_eq!(update(&f, "alias/more", &one).await, "ok");
}

#[tokio::test]
async fn aliases_are_listed_in_pages() {
    let f = Fixture::new().await;
    let key = f.key().await;
    for n in 0..5 {
        f.alias(&format!("alias/{n}"), &key).await.unwrap();
    }
    for key_id in [None, Some(key)] {
        let (mut seen, mut marker) = (Vec::new(), None);
        loop {
            let request = ListAliasesRequest { key_id: key_id.clone(), limit: Some(2), marker };
            let page = f.keys.list_aliases(&f.me, request).await.unwrap();
            seen.extend(page.aliases.into_iter().map(|alias| alias.alias_name));
            marker = page.next_marker;
            if marker.is_none() {
                break;
            }
        }
        assert_eq!(seen, (0..5).map(|n| format!("alias/{n}")).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn of_racing_creations_of_one_alias_one_wins() {
    let f = Fixture::new().await;
    let gateways = [f.keys.clone(), f.gateway().await];
    let mut tasks = Vec::new();
    for n in 0..8 {
        let (keys, me, key) = (gateways[n % 2].clone(), f.me.clone(), f.key().await);
        let request = CreateAliasRequest { alias_name: "alias/race".to_owned(), target_key_id: key };
        tasks.push(tokio::spawn(async move { code(keys.create_alias(&me, request).await) }));
    }
    let mut won = 0;
    for task in tasks {
        match task.await.unwrap() {
            "ok" => won += 1,
            other => assert_eq!(other, "AlreadyExistsException"),
        }
    }
    assert_eq!(won, 1);
}

#[tokio::test]
async fn an_alias_stays_with_keys_of_its_type_and_usage() {
    let f = Fixture::new().await;
    let make = async |spec: &str, usage: &str| {
        let request = keys::parse(json!({ "KeySpec": spec, "KeyUsage": usage }).to_string().as_bytes()).unwrap();
        f.keys.create_key(&f.me, request).await.unwrap().key_metadata.key_id
    };
    let kinds = [
        [make("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT").await, make("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT").await],
        [make("RSA_2048", "ENCRYPT_DECRYPT").await, make("RSA_3072", "ENCRYPT_DECRYPT").await],
        [make("ECC_NIST_P256", "SIGN_VERIFY").await, make("ML_DSA_44", "SIGN_VERIFY").await],
        [make("ECC_NIST_P256", "KEY_AGREEMENT").await, make("ECC_NIST_P384", "KEY_AGREEMENT").await],
        [make("HMAC_256", "GENERATE_VERIFY_MAC").await, make("HMAC_512", "GENERATE_VERIFY_MAC").await],
    ];
    for (kind, [current, same]) in kinds.iter().enumerate() {
        f.alias("alias/a", current).await.unwrap();
        for (other, [target, _]) in kinds.iter().enumerate() {
            let expected = if kind == other { "ok" } else { "ValidationException" };
            assert_eq!(update(&f, "alias/a", target).await, expected, "{kind} to {other}");
        }
        assert_eq!(names(&f, Some(current)).await, ["alias/a"]);
        assert_eq!(update(&f, "alias/a", same).await, "ok");
        assert_eq!(delete(&f, "alias/a").await, "ok");
    }
}
