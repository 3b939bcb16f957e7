//! What the caller's own policies have to say about keys: of its account, of others, with grants, and about no key in particular.

use std::sync::Arc;

use keys::operation::alias::{CreateAliasRequest, DeleteAliasRequest, ListAliasesRequest};
use keys::operation::encrypt::{EncryptRequest, ReEncryptRequest};
use keys::operation::grant::CreateGrantRequest;
use keys::operation::lifecycle::{CreateKeyRequest, ListKeysRequest};
use keys::operation::policy::PutKeyPolicyRequest;
use keys::operation::random::GenerateRandomRequest;
use keys::operation::tag::{Tag, TagResourceRequest};
use keys::{Blob, Error, Principal};
use policy::{Attached, Document, Kind, Permissions};
use seal::EncryptionContext;

use crate::fixture::{Fixture, code, incoming, plain, principal, unique_id};

const ME: &str = "111122223333";
const OTHER: &str = "444455556666";

fn attached(text: &str) -> Attached {
    Attached { source: "inline".into(), document: Arc::new(Document::parse(text, Kind::Identity).unwrap()) }
}

/// A statement that allows `actions` on `resource`.
fn allow(actions: &str, resource: &str, rest: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":{actions},"Resource":"{resource}"{rest}}}}}"#
    )
}

/// A user with these policies.
fn user(account: &str, policies: &[&str]) -> Principal {
    let account = principal(account).account;
    let arn = format!("arn:aws:iam::{account}:user/bob");
    let id = unique_id(&arn);
    let mut user = Principal::user(account, arn, "bob", id);
    user.permissions =
        Permissions { identity: policies.iter().map(|text| attached(text)).collect(), ..Permissions::default() };
    user
}

async fn encrypt(f: &Fixture, who: &Principal, key: &str) -> Result<Blob, Error> {
    let request = EncryptRequest { key_id: key.into(), plaintext: plain("x"), ..Default::default() };
    f.keys.encrypt(who, request).await.map(|answer| answer.ciphertext_blob)
}

fn message<T>(result: Result<T, Error>) -> String {
    result.err().map(|error| error.message().to_owned()).unwrap_or_default()
}

async fn put_policy(f: &Fixture, key: &str, policy: &str) {
    let request = PutKeyPolicyRequest { key_id: key.into(), policy: policy.into(), ..Default::default() };
    f.keys.put_key_policy(&f.me, request).await.unwrap();
}

#[tokio::test]
async fn the_default_policy_leaves_it_to_the_account() {
    let f = Fixture::new().await;
    let key = f.key().await;
    let none = user(ME, &[]);
    let refused = encrypt(&f, &none, &key).await;
    assert!(
        message(refused).ends_with("because no identity-based policy allows the kms:Encrypt action"),
        "AWS names the kind of policy"
    );
    assert_eq!(code(encrypt(&f, &user(ME, &[&allow(r#""kms:Encrypt""#, "*", "")]), &key).await), "ok");
    assert_eq!(
        code(encrypt(&f, &user(ME, &[&allow(r#""kms:Decrypt""#, "*", "")]), &key).await),
        "AccessDeniedException"
    );
    let elsewhere = allow(r#""kms:*""#, "arn:aws:kms:eu-west-1:111122223333:key/x*", "");
    assert_eq!(code(encrypt(&f, &user(ME, &[&elsewhere]), &key).await), "AccessDeniedException");
    let deny = r#"{"Statement":{"Effect":"Deny","Action":"kms:Encrypt","Resource":"*"}}"#;
    let refused = encrypt(&f, &user(ME, &[&allow(r#""*""#, "*", ""), deny]), &key).await;
    assert!(message(refused).ends_with("with an explicit deny in an identity-based policy"));
}

/// A key policy with these statements beside the one that leaves the rest to the account.
fn key_policy(statements: &str) -> String {
    format!(
        r#"{{"Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{ME}"}},"Action":"kms:*","Resource":"*"}},{statements}]}}"#
    )
}

fn lets(principal: &str) -> String {
    format!(r#"{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},"Action":"kms:*","Resource":"*"}}"#)
}

#[tokio::test]
async fn another_account_has_to_allow_its_own_principals() {
    let f = Fixture::new().await;
    let key = f.key().await;
    let arn = f.describe(&key).await.unwrap().arn;
    let (without, with) = (user(OTHER, &[]), user(OTHER, &[&allow(r#""kms:Encrypt""#, &arn, "")]));
    for policy in [key_policy(&lets(OTHER)), key_policy(&lets(&with.arn)), key_policy(&lets("*"))] {
        put_policy(&f, &key, &policy).await;
        assert_eq!(code(encrypt(&f, &without, &arn).await), "AccessDeniedException", "{policy}");
        assert_eq!(code(encrypt(&f, &with, &arn).await), "ok", "{policy}");
    }
    put_policy(&f, &key, &key_policy(&lets(OTHER))).await;
    assert_eq!(code(encrypt(&f, &principal(OTHER), &arn).await), "ok", "its root user");
    put_policy(&f, &key, &key_policy(&lets(&format!("arn:aws:iam::{OTHER}:user/eve")))).await;
    assert_eq!(code(encrypt(&f, &with, &arn).await), "AccessDeniedException");
}

#[tokio::test]
async fn who_is_named_needs_no_policy_and_is_bound_by_every_denial() {
    let f = Fixture::new().await;
    let key = f.key().await;
    let mut named = user(ME, &[]);
    put_policy(&f, &key, &key_policy(&lets(&named.arn))).await;
    assert_eq!(code(encrypt(&f, &named, &key).await), "ok");
    // A boundary limits what identity policies give, not what a resource gives to a user.
    named.permissions.boundary = Some(attached(&allow(r#""s3:*""#, "*", "")));
    assert_eq!(code(encrypt(&f, &named, &key).await), "ok");
    let deny = r#"{"Statement":{"Effect":"Deny","Action":"kms:*","Resource":"*"}}"#;
    named.permissions.boundary = Some(attached(deny));
    assert!(message(encrypt(&f, &named, &key).await).ends_with("with an explicit deny in a permissions boundary"));
    named.permissions.boundary = None;
    named.permissions.session = Some(vec![attached(deny)]);
    assert!(message(encrypt(&f, &named, &key).await).ends_with("with an explicit deny in a session policy"));
}

#[tokio::test]
async fn grants_let_in_whom_they_name() {
    let f = Fixture::new().await;
    let key = f.key().await;
    let arn = f.describe(&key).await.unwrap().arn;
    let grant = |grantee: String| CreateGrantRequest {
        key_id: key.clone(),
        grantee_principal: Some(grantee),
        operations: vec!["Encrypt".to_owned()],
        ..Default::default()
    };
    let bob = user(ME, &[]);
    f.keys.create_grant(&f.me, grant(bob.arn.clone())).await.unwrap();
    assert_eq!(code(encrypt(&f, &bob, &key).await), "ok");
    let deny = r#"{"Statement":{"Effect":"Deny","Action":"kms:Encrypt","Resource":"*"}}"#;
    assert_eq!(code(encrypt(&f, &user(ME, &[deny]), &key).await), "AccessDeniedException");
    // The same of a grantee in another account, whom the key's policy does not mention.
    let other = user(OTHER, &[]);
    f.keys.create_grant(&f.me, grant(other.arn.clone())).await.unwrap();
    assert_eq!(code(encrypt(&f, &other, &arn).await), "ok");
    assert_eq!(code(encrypt(&f, &user(OTHER, &[deny]), &arn).await), "AccessDeniedException");
    // To an account: whom its own policies allow.
    f.keys.create_grant(&f.me, grant(format!("arn:aws:iam::{OTHER}:root"))).await.unwrap();
    let eve = |policies: &[&str]| {
        let eve = user(OTHER, policies);
        let arn = eve.arn.replace("bob", "eve");
        Principal { user_id: unique_id(&arn), arn, ..eve }
    };
    assert_eq!(code(encrypt(&f, &eve(&[]), &arn).await), "AccessDeniedException");
    assert_eq!(code(encrypt(&f, &eve(&[&allow(r#""kms:Encrypt""#, "*", "")]), &arn).await), "ok");
}

#[tokio::test]
async fn whom_the_key_lets_in_learns_what_its_own_account_lacks() {
    let f = Fixture::new().await;
    let key = f.key().await;
    f.alias("alias/shared", &key).await.unwrap();
    let arn = f.describe(&key).await.unwrap().arn;
    let alias = arn.replace(&format!("key/{key}"), "alias/shared");
    let missing = arn.replace(&key, "0f0f0f0f-1111-4222-8333-444455556666");
    let deny = r#"{"Statement":{"Effect":"Deny","Action":"kms:Encrypt","Resource":"*"}}"#;
    let (bob, denied, allowed) =
        (user(OTHER, &[]), user(OTHER, &[deny]), user(OTHER, &[&allow(r#""kms:Encrypt""#, "*", "")]));
    let told = async |who: &Principal, named: &str| message(encrypt(&f, who, named).await);
    let words = |named: &str, reason: &str| {
        format!("User: {} is not authorized to perform: kms:Encrypt on resource: {named} {reason}", bob.arn)
    };
    let nothing = "because no resource-based policy allows the kms:Encrypt action";
    for who in [&bob, &denied, &allowed] {
        for named in [&arn, &alias, &missing] {
            assert_eq!(told(who, named).await, words(named, nothing), "what is not shared is as what is not there");
        }
    }
    for grantee in [format!("arn:aws:iam::{OTHER}:root"), bob.arn.clone()] {
        let share = format!(r#"{{"Effect":"Allow","Principal":{{"AWS":"{grantee}"}},"Action":"*","Resource":"*"}}"#);
        put_policy(&f, &key, &key_policy(&share)).await;
        for named in [&arn, &alias] {
            let own = "because no identity-based policy allows the kms:Encrypt action";
            assert_eq!(told(&bob, named).await, words(&arn, own));
            let explicit = "with an explicit deny in an identity-based policy";
            assert_eq!(told(&denied, named).await, words(&arn, explicit));
            assert_eq!(told(&allowed, named).await, "");
        }
        assert_eq!(told(&bob, &missing).await, words(&missing, nothing));
    }
}

#[tokio::test]
async fn what_is_about_no_key_needs_a_policy_of_ones_own() {
    let f = Fixture::new().await;
    let key = f.key().await;
    let alias = CreateAliasRequest { alias_name: "alias/mine".into(), target_key_id: key.clone() };
    let dropped = || DeleteAliasRequest { alias_name: "alias/mine".into() };
    let random = || GenerateRandomRequest { number_of_bytes: Some(1), ..Default::default() };
    let by = |actions: &str| user(ME, &[&allow(actions, "*", "")]);
    let (none, keys) = (user(ME, &[]), &f.keys);
    for (who, expected) in [(&none, "AccessDeniedException"), (&by(r#""kms:*""#), "ok")] {
        assert_eq!(code(keys.create_key(who, CreateKeyRequest::default()).await), expected);
        assert_eq!(code(keys.list_keys(who, ListKeysRequest::default()).await), expected);
        assert_eq!(code(keys.list_aliases(who, ListAliasesRequest::default()).await), expected);
        assert_eq!(code(keys.generate_random(who, random()).await), expected);
        assert_eq!(code(keys.create_alias(who, alias.clone()).await), expected);
        assert_eq!(code(keys.delete_alias(who, dropped()).await), expected);
        assert_eq!(code(keys.describe_custom_key_stores(who, keys::parse(b"{}").unwrap()).await), expected);
    }
    // The alias and the key both have to be allowed.
    let arn = f.describe(&key).await.unwrap().arn;
    let half = user(ME, &[&allow(r#""kms:CreateAlias""#, &arn, "")]);
    assert_eq!(code(keys.create_alias(&half, alias.clone()).await), "AccessDeniedException");
    let whole = allow(r#""kms:CreateAlias""#, "arn:aws:kms:eu-west-1:111122223333:alias/m*", "");
    let whole = user(ME, &[&allow(r#""kms:CreateAlias""#, &arn, ""), &whole]);
    assert_eq!(code(keys.create_alias(&whole, alias).await), "ok");
}

#[tokio::test]
async fn what_a_new_key_shall_be_is_for_policies_to_ask() {
    let f = Fixture::new().await;
    let condition = r#","Condition":{"StringEquals":{"kms:KeySpec":"HMAC_256","aws:RequestTag/Team":"blue"},"ForAllValues:StringEquals":{"aws:TagKeys":["Team"]}}"#;
    let create = allow(r#""kms:CreateKey""#, "*", condition);
    let tag = allow(r#""kms:TagResource""#, "*", "");
    let request = |spec: &str, usage: &str, tags: &[(&str, &str)]| CreateKeyRequest {
        key_spec: Some(spec.into()),
        key_usage: Some(usage.into()),
        tags: Some(
            tags.iter().map(|(key, value)| Tag { tag_key: (*key).into(), tag_value: (*value).into() }).collect(),
        ),
        ..Default::default()
    };
    let hmac = |tags: &[(&str, &str)]| request("HMAC_256", "GENERATE_VERIFY_MAC", tags);
    let (may, may_not_tag) = (user(ME, &[&create, &tag]), user(ME, &[&create]));
    let keys = &f.keys;
    assert_eq!(code(keys.create_key(&may, hmac(&[("Team", "blue")])).await), "ok");
    for (who, request) in [
        (&may_not_tag, hmac(&[("Team", "blue")])),
        (&may, hmac(&[("Team", "red")])),
        (&may, hmac(&[("Team", "blue"), ("Other", "x")])),
        (&may, hmac(&[])),
        (&may, request("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", &[("Team", "blue")])),
    ] {
        assert_eq!(code(keys.create_key(who, request).await), "AccessDeniedException");
    }
}

#[tokio::test]
async fn tags_and_aliases_of_the_key_count_from_the_next_request_on() {
    let f = Fixture::new().await;
    let key = f.key().await;
    let by_tag = allow(r#""kms:Encrypt""#, "*", r#","Condition":{"StringEquals":{"aws:ResourceTag/Team":"blue"}}"#);
    let aliases = r#","Condition":{"ForAnyValue:StringLike":{"kms:ResourceAliases":"alias/team-*"}}"#;
    let (by_tag, by_alias) = (user(ME, &[&by_tag]), user(ME, &[&allow(r#""kms:Encrypt""#, "*", aliases)]));
    let denied = "AccessDeniedException";
    assert_eq!((code(encrypt(&f, &by_tag, &key).await), code(encrypt(&f, &by_alias, &key).await)), (denied, denied));
    let tags = vec![Tag { tag_key: "Team".into(), tag_value: "blue".into() }];
    f.keys.tag_resource(&f.me, TagResourceRequest { key_id: key.clone(), tags }).await.unwrap();
    assert_eq!((code(encrypt(&f, &by_tag, &key).await), code(encrypt(&f, &by_alias, &key).await)), ("ok", denied));
    f.alias("alias/team-a", &key).await.unwrap();
    assert_eq!(code(encrypt(&f, &by_alias, &key).await), "ok");
    f.keys.delete_alias(&f.me, DeleteAliasRequest { alias_name: "alias/team-a".into() }).await.unwrap();
    assert_eq!(code(encrypt(&f, &by_alias, &key).await), denied);
}

#[tokio::test]
async fn a_policy_may_ask_whether_a_ciphertext_changes_its_key() {
    let f = Fixture::new().await;
    let (one, two) = (f.key().await, f.key().await);
    let blob = f.encrypt(&one, "x").await.unwrap();
    let same = r#","Condition":{"Bool":{"kms:ReEncryptOnSameKey":"true"}}"#;
    let user = user(ME, &[&allow(r#""kms:ReEncrypt*""#, "*", same)]);
    for (destination, expected) in [(&one, "ok"), (&two, "AccessDeniedException")] {
        let request = ReEncryptRequest {
            ciphertext_blob: Some(blob.clone()),
            destination_key_id: destination.clone(),
            ..Default::default()
        };
        assert_eq!(code(f.keys.re_encrypt(&user, request).await), expected);
    }
}

#[tokio::test]
async fn what_a_request_does_with_keys_is_noted() {
    let f = Fixture::new().await;
    let key = f.key().await;
    let arn = f.describe(&key).await.unwrap().arn;
    let (me, nobody, context) = (&f.me, user(ME, &[]), EncryptionContext::new());
    let request = async {
        encrypt(&f, me, &key).await.unwrap();
        f.keys.data_key(me, &key, &context).await.map(|_| ()).unwrap();
        f.keys.may_use(me, &key, true, &context).await.unwrap();
        assert!(f.keys.data_key(&nobody, &arn, &context).await.is_err());
    };
    let ((), uses) = keys::in_request(incoming([1; 16], true, [192, 0, 2, 1]), request).await;
    let told: Vec<_> = uses.iter().map(|one| (one.operation, one.key_arn == arn, one.by_service.is_some())).collect();
    assert_eq!(told, [("Encrypt", true, false), ("GenerateDataKey", true, true), ("GenerateDataKey", true, true)]);
    let error = uses[2].by_service.as_ref().and_then(|by| by.error.as_ref());
    assert_eq!(error.map(|(code, _)| *code), Some("AccessDeniedException"));
    assert_eq!(uses[0].event.as_bytes(), &[1; 16]);
    assert_ne!(uses[1].event, uses[2].event);
}
