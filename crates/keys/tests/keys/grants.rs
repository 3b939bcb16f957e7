//! Grants: made, found, decisive, gone.

use std::collections::BTreeMap;

use keys::operation::deletion::CancelKeyDeletionRequest;
use keys::operation::encrypt::{DecryptRequest, EncryptRequest, ReEncryptRequest};
use keys::operation::grant::{
    CreateGrantRequest, CreateGrantResponse, GrantConstraints, GrantListEntry, ListGrantsRequest,
    ListRetirableGrantsRequest, RetireGrantRequest, RevokeGrantRequest,
};
use keys::operation::lifecycle::{CreateKeyRequest, DescribeKeyRequest};
use keys::operation::policy::PutKeyPolicyRequest;
use keys::operation::sign::SignRequest;
use keys::{Blob, Error, Principal};
use meta::{Order, Range, Store, Table};

use crate::fixture::{DAY, Fixture, code, plain};
use crate::policies::user;

const ME: &str = "111122223333";
const OTHER: &str = "444455556666";

struct Case {
    f: Fixture,
    key: String,
    arn: String,
    bob: Principal,
}

impl Case {
    async fn new() -> Self {
        let f = Fixture::new().await;
        let key = f.key().await;
        let arn = f.describe(&key).await.unwrap().arn;
        Self { f, key, arn, bob: user(OTHER, "bob") }
    }

    fn request(&self, operations: &[&str]) -> CreateGrantRequest {
        CreateGrantRequest {
            key_id: self.key.clone(),
            grantee_principal: Some(self.bob.arn.clone()),
            operations: operations.iter().map(|operation| (*operation).to_owned()).collect(),
            ..Default::default()
        }
    }

    async fn create(&self, request: CreateGrantRequest) -> Result<CreateGrantResponse, Error> {
        self.f.keys.create_grant(&self.f.me, request).await
    }

    async fn grant(&self, operations: &[&str]) -> CreateGrantResponse {
        self.create(self.request(operations)).await.unwrap()
    }

    async fn list(&self, request: ListGrantsRequest) -> Result<Vec<GrantListEntry>, Error> {
        let request = ListGrantsRequest { key_id: self.key.clone(), ..request };
        Ok(self.f.keys.list_grants(&self.f.me, request).await?.grants)
    }

    async fn revoke(&self, grant_id: &str) -> Result<(), Error> {
        let request =
            RevokeGrantRequest { key_id: self.key.clone(), grant_id: grant_id.to_owned(), ..Default::default() };
        self.f.keys.revoke_grant(&self.f.me, request).await.map(drop)
    }

    async fn encrypt(&self, who: &Principal, context: &[(&str, &str)], tokens: &[&str]) -> Result<Blob, Error> {
        let request = EncryptRequest {
            key_id: self.arn.clone(),
            plaintext: plain("x"),
            encryption_context: Some(pairs(context)),
            grant_tokens: Some(tokens.iter().map(|token| (*token).to_owned()).collect()),
            ..Default::default()
        };
        Ok(self.f.keys.encrypt(who, request).await?.ciphertext_blob)
    }

    async fn rows(&self) -> usize {
        self.f.store.scan(Table::Key, &Range::prefix(vec![]), Order::Ascending, 10_000).await.unwrap().len()
    }
}

fn pairs(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn retire_token(token: &str) -> RetireGrantRequest {
    RetireGrantRequest { grant_token: Some(token.to_owned()), ..Default::default() }
}

#[tokio::test]
async fn a_grant_lets_another_account_use_the_key_until_it_is_revoked() {
    let mut c = Case::new().await;
    assert_eq!(code(c.encrypt(&c.bob, &[], &[]).await), "AccessDeniedException");
    let grant = c.grant(&["Encrypt", "Decrypt", "DescribeKey"]).await;
    assert!(grant.grant_id.len() == 64 && grant.grant_id.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert!(!grant.grant_token.contains(&c.key));
    let blob = c.encrypt(&c.bob, &[], &[]).await.unwrap();
    let decrypt = || DecryptRequest { ciphertext_blob: Some(blob.clone()), ..Default::default() };
    assert_eq!(code(c.f.keys.decrypt(&c.bob, decrypt()).await), "ok");
    let describe = || DescribeKeyRequest { key_id: c.arn.clone(), ..Default::default() };
    assert_eq!(code(c.f.keys.describe_key(&c.bob, describe()).await), "ok");
    // Nothing that it does not name, and nobody else.
    let request = ReEncryptRequest {
        ciphertext_blob: Some(blob.clone()),
        destination_key_id: c.arn.clone(),
        ..Default::default()
    };
    assert_eq!(code(c.f.keys.re_encrypt(&c.bob, request).await), "AccessDeniedException");
    assert_eq!(code(c.encrypt(&user(OTHER, "eve"), &[], &[]).await), "AccessDeniedException");

    c.f.restart().await;
    assert_eq!(code(c.encrypt(&c.bob, &[], &[]).await), "ok");
    c.revoke(&grant.grant_id).await.unwrap();
    assert_eq!(code(c.encrypt(&c.bob, &[], &[]).await), "AccessDeniedException");
    assert_eq!(code(c.f.keys.decrypt(&c.bob, decrypt()).await), "AccessDeniedException");
    let error = c.revoke(&grant.grant_id).await.unwrap_err();
    assert_eq!(
        (error.code(), error.message()),
        ("NotFoundException", &*format!("Grant ID {} not found", grant.grant_id))
    );
    c.f.restart().await;
    assert_eq!(code(c.encrypt(&c.bob, &[], &[]).await), "AccessDeniedException");
}

#[tokio::test]
async fn a_grant_to_an_account_is_one_to_its_principals() {
    let c = Case::new().await;
    for grantee in [OTHER.to_owned(), format!("arn:aws:iam::{OTHER}:root")] {
        let request = CreateGrantRequest { grantee_principal: Some(grantee), ..c.request(&["Encrypt"]) };
        let grant = c.create(request).await.unwrap();
        assert_eq!(code(c.encrypt(&c.bob, &[], &[]).await), "ok");
        assert_eq!(code(c.encrypt(&user("777788889999", "bob"), &[], &[]).await), "AccessDeniedException");
        let listed = c.list(ListGrantsRequest::default()).await.unwrap();
        assert_eq!(listed[0].grantee_principal.as_deref(), Some("arn:aws:iam::444455556666:root"));
        c.revoke(&grant.grant_id).await.unwrap();
    }
}

#[tokio::test]
async fn the_key_policys_deny_wins_over_a_grant_and_its_silence_does_not() {
    let c = Case::new().await;
    c.grant(&["Encrypt"]).await;
    let alice = user(ME, "alice");
    c.create(CreateGrantRequest { grantee_principal: Some(alice.arn.clone()), ..c.request(&["Encrypt"]) })
        .await
        .unwrap();
    let put = |rest: &str| PutKeyPolicyRequest {
        key_id: c.key.clone(),
        policy: format!(
            r#"{{"Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{}"}},"Action":"kms:*Policy","Resource":"*"}}{rest}]}}"#,
            c.f.me.arn
        ),
        ..Default::default()
    };
    c.f.keys.put_key_policy(&c.f.me, put("")).await.unwrap();
    assert_eq!(code(c.encrypt(&c.f.me, &[], &[]).await), "AccessDeniedException");
    for who in [&alice, &c.bob] {
        assert_eq!(code(c.encrypt(who, &[], &[]).await), "ok");
    }
    let deny = r#",{"Effect":"Deny","Principal":"*","Action":"kms:Encrypt","Resource":"*"}"#;
    c.f.keys.put_key_policy(&c.f.me, put(deny)).await.unwrap();
    for who in [&alice, &c.bob] {
        assert_eq!(code(c.encrypt(who, &[], &[]).await), "AccessDeniedException");
    }
}

#[tokio::test]
async fn constraints_bind_the_encryption_context() {
    let c = Case::new().await;
    for (equals, context, allowed) in [
        (true, &[("App", "x"), ("b", "1")][..], true),
        (true, &[("app", "x"), ("B", "1")], true),
        (true, &[("App", "X"), ("b", "1")], false),
        (true, &[("App", "x"), ("b", "1"), ("c", "")], false),
        (false, &[("App", "x"), ("b", "1"), ("c", "")], true),
        (false, &[("App", "x")], false),
        (false, &[], false),
    ] {
        let wanted = Some(pairs(&[("App", "x"), ("b", "1")]));
        let constraints = match equals {
            true => GrantConstraints { encryption_context_equals: wanted, ..Default::default() },
            false => GrantConstraints { encryption_context_subset: wanted, ..Default::default() },
        };
        let request =
            CreateGrantRequest { constraints: Some(constraints.clone()), ..c.request(&["Encrypt", "DescribeKey"]) };
        let grant = c.create(request).await.unwrap();
        assert_eq!(code(c.encrypt(&c.bob, context, &[]).await) == "ok", allowed, "{equals} {context:?}");
        let describe = DescribeKeyRequest { key_id: c.arn.clone(), ..Default::default() };
        assert_eq!(code(c.f.keys.describe_key(&c.bob, describe).await), "ok");
        assert_eq!(c.list(ListGrantsRequest::default()).await.unwrap()[0].constraints, Some(constraints));
        c.revoke(&grant.grant_id).await.unwrap();
    }
}

#[tokio::test]
async fn a_grant_token_is_honoured_by_gateways_that_know_nothing_of_the_grant() {
    let c = Case::new().await;
    let other = Case {
        f: Fixture { keys: c.f.gateway().await, ..c.f.same() },
        key: c.key.clone(),
        arn: c.arn.clone(),
        bob: c.bob.clone(),
    };
    // It remembers that there was none.
    assert_eq!(code(other.encrypt(&c.bob, &[], &[]).await), "AccessDeniedException");
    let grant = c.grant(&["Encrypt"]).await;
    assert_eq!(code(other.encrypt(&c.bob, &[], &[]).await), "AccessDeniedException");
    assert_eq!(code(other.encrypt(&c.bob, &[], &[&grant.grant_token]).await), "ok");
    // It is not a bearer's token.
    assert_eq!(code(other.encrypt(&user(OTHER, "eve"), &[], &[&grant.grant_token]).await), "AccessDeniedException");
    c.revoke(&grant.grant_id).await.unwrap();
    assert_eq!(code(other.encrypt(&c.bob, &[], &[&grant.grant_token]).await), "InvalidGrantTokenException");
}

#[tokio::test]
async fn what_is_no_grants_token_is_refused() {
    let (c, elsewhere) = (Case::new().await, Case::new().await);
    let token = c.grant(&["Encrypt"]).await.grant_token;
    let mut flipped = token.clone().into_bytes();
    let middle = flipped.len() / 2;
    flipped[middle] = if flipped[middle] == b'A' { b'B' } else { b'A' };
    let flipped = String::from_utf8(flipped).unwrap();
    for bad in ["x", "QUJD", &flipped, &token[..token.len() - 4], &elsewhere.grant(&["Encrypt"]).await.grant_token] {
        // Also for callers who need no token.
        assert_eq!(code(c.encrypt(&c.f.me, &[], &[bad]).await), "InvalidGrantTokenException", "{bad}");
        assert_eq!(
            code(c.f.keys.retire_grant(&c.f.me, retire_token(bad)).await),
            "InvalidGrantTokenException",
            "{bad}"
        );
    }
    assert_eq!(code(c.encrypt(&c.f.me, &[], &[&token]).await), "ok");
    // Another key's token is a token, and of no use.
    let other = c.f.key().await;
    let elsewhere = c.create(CreateGrantRequest { key_id: other, ..c.request(&["Decrypt"]) }).await.unwrap();
    assert_eq!(code(c.encrypt(&c.bob, &[], &[&elsewhere.grant_token]).await), "ok");
}

#[tokio::test]
async fn a_named_request_can_be_repeated() {
    let c = Case::new().await;
    let named = || CreateGrantRequest { name: Some("mine".to_owned()), ..c.request(&["Encrypt", "Decrypt"]) };
    let first = c.create(named()).await.unwrap();
    let again = c.create(named()).await.unwrap();
    assert_eq!(first.grant_id, again.grant_id);
    assert_ne!(first.grant_token, again.grant_token);
    // Any other parameter makes another grant, and so does no name.
    let others = [
        CreateGrantRequest { operations: vec!["Encrypt".to_owned()], ..named() },
        CreateGrantRequest { retiring_principal: Some(c.bob.arn.clone()), ..named() },
        CreateGrantRequest { name: Some("other".to_owned()), ..named() },
        CreateGrantRequest { name: None, ..named() },
        CreateGrantRequest { name: None, ..named() },
    ];
    let mut ids = vec![first.grant_id.clone()];
    for request in others {
        ids.push(c.create(request).await.unwrap().grant_id);
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 6);
    for token in [&first.grant_token, &again.grant_token] {
        assert_eq!(code(c.encrypt(&c.bob, &[], &[token]).await), "ok");
    }
    c.revoke(&first.grant_id).await.unwrap();
    assert_ne!(c.create(named()).await.unwrap().grant_id, first.grant_id);
}

#[tokio::test]
async fn gateways_that_create_together_make_one_named_grant() {
    let c = Case::new().await;
    let other = c.f.gateway().await;
    let named = || CreateGrantRequest { name: Some("mine".to_owned()), ..c.request(&["Encrypt"]) };
    let (one, two) = tokio::join!(c.f.keys.create_grant(&c.f.me, named()), other.create_grant(&c.f.me, named()));
    assert_eq!(one.unwrap().grant_id, two.unwrap().grant_id);
    assert_eq!(c.list(ListGrantsRequest::default()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn grants_are_listed_by_key_id_grantee_and_in_pages() {
    let c = Case::new().await;
    let mut ids = vec![];
    for number in 0..7 {
        let grantee = user(OTHER, if number % 2 == 0 { "bob" } else { "carol" }).arn;
        let request = CreateGrantRequest {
            grantee_principal: Some(grantee),
            name: Some(format!("g{number}")),
            ..c.request(&["Encrypt"])
        };
        ids.push(c.create(request).await.unwrap().grant_id);
    }
    // Of another key: never listed.
    c.create(CreateGrantRequest { key_id: c.f.key().await, ..c.request(&["Encrypt"]) }).await.unwrap();
    let entry = &c.list(ListGrantsRequest { grant_id: Some(ids[0].clone()), ..Default::default() }).await.unwrap()[0];
    assert_eq!((&entry.key_id, &entry.grant_id), (&c.arn, &ids[0]));
    assert_eq!((entry.name.as_deref(), &entry.issuing_account[..]), (Some("g0"), "arn:aws:iam::111122223333:root"));
    assert_eq!((&entry.operations[..], entry.grantee_principal.as_ref()), (&["Encrypt"][..], Some(&c.bob.arn)));
    assert_eq!((&entry.constraints, &entry.retiring_principal), (&None, &None));

    ids.sort();
    for (grantee, count) in [(None, 7), (Some(c.bob.arn.clone()), 4), (Some(user(OTHER, "nobody").arn), 0)] {
        let (mut found, mut marker) = (vec![], None);
        loop {
            let request = ListGrantsRequest {
                key_id: c.key.clone(),
                limit: Some(2),
                marker,
                grantee_principal: grantee.clone(),
                ..Default::default()
            };
            let page = c.f.keys.list_grants(&c.f.me, request).await.unwrap();
            assert!(page.grants.len() <= 2 && page.truncated == page.next_marker.is_some());
            found.extend(page.grants.into_iter().map(|grant| grant.grant_id));
            marker = page.next_marker;
            if marker.is_none() {
                break;
            }
        }
        assert_eq!(found.len(), count);
        assert!(found.is_sorted() && (count < 7 || found == ids));
    }
    let bad = ListGrantsRequest { grant_id: Some("x".to_owned()), ..Default::default() };
    assert_eq!(code(c.list(bad).await), "InvalidGrantIdException");
    let bad = ListGrantsRequest { marker: Some("AAAA".to_owned()), ..Default::default() };
    assert_eq!(code(c.list(bad).await), "InvalidMarkerException");
    let service =
        ListGrantsRequest { grantee_service_principal: Some("s3.amazonaws.com".to_owned()), ..Default::default() };
    assert_eq!(code(c.list(service).await), "AccessDeniedException");
}

#[tokio::test]
async fn a_grant_is_retired_by_whom_it_names() {
    let c = Case::new().await;
    let (carol, eve) = (user(OTHER, "carol"), user("777788889999", "eve"));
    let request = || CreateGrantRequest { retiring_principal: Some(carol.arn.clone()), ..c.request(&["Encrypt"]) };
    let id = |grant: &CreateGrantResponse| RetireGrantRequest {
        key_id: Some(c.arn.clone()),
        grant_id: Some(grant.grant_id.clone()),
        ..Default::default()
    };
    let keys = &c.f.keys;
    // The retiring principal, by token or id; the issuing account; nobody else.
    let grant = c.create(request()).await.unwrap();
    for who in [&c.bob, &eve] {
        assert_eq!(code(keys.retire_grant(who, retire_token(&grant.grant_token)).await), "AccessDeniedException");
        assert_eq!(code(keys.retire_grant(who, id(&grant)).await), "AccessDeniedException");
    }
    let mine = ListRetirableGrantsRequest { retiring_principal: Some(carol.arn.clone()), ..Default::default() };
    let listed = keys.list_retirable_grants(&carol, mine.clone()).await.unwrap().grants;
    assert_eq!((listed.len(), &listed[0].grant_id, &listed[0].key_id), (1, &grant.grant_id, &c.arn));
    assert_eq!(code(keys.list_retirable_grants(&eve, mine.clone()).await), "AccessDeniedException");
    assert_eq!(code(keys.retire_grant(&carol, retire_token(&grant.grant_token)).await), "ok");
    assert!(keys.list_retirable_grants(&carol, mine).await.unwrap().grants.is_empty());
    assert_eq!(code(keys.retire_grant(&carol, retire_token(&grant.grant_token)).await), "InvalidGrantTokenException");
    assert_eq!(code(keys.retire_grant(&carol, id(&grant)).await), "AccessDeniedException");
    assert_eq!(code(keys.retire_grant(&c.f.me, id(&grant)).await), "NotFoundException");

    let grant = c.create(request()).await.unwrap();
    assert_eq!(code(keys.retire_grant(&carol, id(&grant)).await), "ok");
    let grant = c.create(request()).await.unwrap();
    assert_eq!(code(keys.retire_grant(&c.f.me, id(&grant)).await), "ok");
    // The grantee, if the grant says so.
    let grant = c.grant(&["Encrypt", "RetireGrant"]).await;
    assert_eq!(code(keys.retire_grant(&c.bob, id(&grant)).await), "ok");
    assert_eq!(code(c.encrypt(&c.bob, &[], &[]).await), "AccessDeniedException");

    let token = Some(grant.grant_token.clone());
    for request in [
        RetireGrantRequest::default(),
        RetireGrantRequest { grant_token: token.clone(), ..id(&grant) },
        RetireGrantRequest { key_id: None, ..id(&grant) },
    ] {
        assert_eq!(code(keys.retire_grant(&c.f.me, request).await), "ValidationException");
    }
    let bad = RetireGrantRequest { grant_id: Some("x".to_owned()), ..id(&grant) };
    assert_eq!(code(keys.retire_grant(&c.f.me, bad).await), "InvalidGrantIdException");
}

#[tokio::test]
async fn a_grantee_passes_on_no_more_than_it_has() {
    let c = Case::new().await;
    let constraints = |list: &[(&str, &str)]| {
        Some(GrantConstraints { encryption_context_subset: Some(pairs(list)), ..Default::default() })
    };
    let parent =
        CreateGrantRequest { constraints: constraints(&[("a", "1")]), ..c.request(&["Encrypt", "CreateGrant"]) };
    c.create(parent).await.unwrap();
    let carol = user(OTHER, "carol");
    let child = |operations: &[&str], constraints| CreateGrantRequest {
        key_id: c.arn.clone(),
        grantee_principal: Some(carol.arn.clone()),
        constraints,
        ..c.request(operations)
    };
    for (request, expected) in [
        (child(&["Encrypt"], None), "AccessDeniedException"),
        (child(&["Encrypt"], constraints(&[("b", "1")])), "AccessDeniedException"),
        (child(&["Decrypt"], constraints(&[("a", "1")])), "AccessDeniedException"),
        (child(&["Encrypt"], constraints(&[("a", "1"), ("b", "2")])), "ok"),
    ] {
        assert_eq!(code(c.f.keys.create_grant(&c.bob, request).await), expected);
    }
    assert_eq!(code(c.encrypt(&carol, &[("a", "1")], &[]).await), "AccessDeniedException");
    assert_eq!(code(c.encrypt(&carol, &[("a", "1"), ("b", "2")], &[]).await), "ok");
    let listed =
        c.list(ListGrantsRequest { grantee_principal: Some(carol.arn.clone()), ..Default::default() }).await.unwrap();
    assert_eq!(listed[0].issuing_account, "arn:aws:iam::444455556666:root");
}

#[tokio::test]
async fn policies_can_ask_about_the_grant_that_is_made() {
    let c = Case::new().await;
    for (condition, expected) in [
        (r#"{"ForAllValues:StringEquals":{"kms:GrantOperations":["Encrypt","Decrypt"]}}"#, "ok"),
        (r#"{"ForAllValues:StringEquals":{"kms:GrantOperations":["Decrypt"]}}"#, "AccessDeniedException"),
        (r#"{"StringEquals":{"kms:GranteePrincipal":"arn:aws:iam::444455556666:user/bob"}}"#, "ok"),
        (r#"{"StringLike":{"kms:RetiringPrincipal":"*"}}"#, "AccessDeniedException"),
        (r#"{"StringEquals":{"kms:GrantConstraintType":"EncryptionContextSubset"}}"#, "ok"),
        (r#"{"StringEquals":{"kms:EncryptionContext:a":"1"}}"#, "ok"),
        (r#"{"Bool":{"kms:GrantIsForAWSResource":"true"}}"#, "AccessDeniedException"),
        (r#"{"Bool":{"kms:GrantIsForAWSResource":"false"}}"#, "ok"),
    ] {
        let policy = format!(
            r#"{{"Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{ME}"}},"Action":"kms:*Policy","Resource":"*"}},
                {{"Effect":"Allow","Principal":{{"AWS":"{ME}"}},"Action":"kms:CreateGrant","Resource":"*","Condition":{condition}}}]}}"#
        );
        let put = PutKeyPolicyRequest { key_id: c.key.clone(), policy, ..Default::default() };
        c.f.keys.put_key_policy(&c.f.me, put).await.unwrap();
        let constraints =
            GrantConstraints { encryption_context_subset: Some(pairs(&[("a", "1")])), ..Default::default() };
        let request = CreateGrantRequest { constraints: Some(constraints), ..c.request(&["Encrypt"]) };
        assert_eq!(code(c.create(request).await), expected, "{condition}");
    }
}

#[tokio::test]
async fn what_cannot_be_granted_is_refused() {
    let c = Case::new().await;
    let rsa = CreateKeyRequest {
        key_spec: Some("ECC_NIST_P256".to_owned()),
        key_usage: Some("SIGN_VERIFY".to_owned()),
        ..Default::default()
    };
    let signing = c.f.keys.create_key(&c.f.me, rsa).await.unwrap().key_metadata.arn;
    let good = || c.request(&["Encrypt"]);
    let constraints = |list: BTreeMap<String, String>| {
        Some(GrantConstraints { encryption_context_equals: Some(list), ..Default::default() })
    };
    let many = (0..9).map(|n| (n.to_string(), String::new())).collect();
    let service = || CreateGrantRequest {
        grantee_principal: None,
        grantee_service_principal: Some("s3.amazonaws.com".to_owned()),
        ..good()
    };
    let source = Some(GrantConstraints { source_arn: Some("arn:aws:s3:::b".to_owned()), ..Default::default() });
    for (name, request, expected) in [
        ("good", good(), "ok"),
        ("no grantee", CreateGrantRequest { grantee_principal: None, ..good() }, "ValidationException"),
        (
            "two grantees",
            CreateGrantRequest { grantee_service_principal: Some("s3.amazonaws.com".to_owned()), ..good() },
            "ValidationException",
        ),
        (
            "grantee is everyone",
            CreateGrantRequest { grantee_principal: Some("*".to_owned()), ..good() },
            "InvalidArnException",
        ),
        (
            "grantee is a group",
            CreateGrantRequest { grantee_principal: Some("arn:aws:iam::444455556666:group/g".to_owned()), ..good() },
            "InvalidArnException",
        ),
        (
            "grantee is a bucket",
            CreateGrantRequest { grantee_principal: Some("arn:aws:s3:::b".to_owned()), ..good() },
            "InvalidArnException",
        ),
        (
            "retiring principal is none",
            CreateGrantRequest { retiring_principal: Some("bob".to_owned()), ..good() },
            "InvalidArnException",
        ),
        ("no operations", c.request(&[]), "ValidationException"),
        ("CreateGrant alone", c.request(&["CreateGrant"]), "ValidationException"),
        ("Sign with an encryption key", c.request(&["Encrypt", "Sign"]), "ValidationException"),
        ("GetPublicKey with a symmetric key", c.request(&["GetPublicKey"]), "ValidationException"),
        (
            "Sign with a signing key",
            CreateGrantRequest { key_id: signing.clone(), ..c.request(&["Sign", "GetPublicKey"]) },
            "ok",
        ),
        (
            "Encrypt with a signing key",
            CreateGrantRequest { key_id: signing.clone(), ..c.request(&["Encrypt"]) },
            "ValidationException",
        ),
        (
            "context with a signing key",
            CreateGrantRequest {
                key_id: signing.clone(),
                constraints: constraints(pairs(&[("a", "b")])),
                ..c.request(&["Sign"])
            },
            "ValidationException",
        ),
        ("nine pairs", CreateGrantRequest { constraints: constraints(many), ..good() }, "ValidationException"),
        (
            "a long value",
            CreateGrantRequest { constraints: constraints(pairs(&[("a", &"x".repeat(385))])), ..good() },
            "ValidationException",
        ),
        ("service without source", service(), "ValidationException"),
        (
            "service without retiring",
            CreateGrantRequest { constraints: source.clone(), ..service() },
            "ValidationException",
        ),
        (
            "service",
            CreateGrantRequest { constraints: source, retiring_principal: Some(c.bob.arn.clone()), ..service() },
            "ok",
        ),
        ("dry run", CreateGrantRequest { dry_run: Some(true), ..good() }, "DryRunOperationException"),
        (
            "unknown key",
            CreateGrantRequest { key_id: "00000000-0000-4000-8000-000000000000".to_owned(), ..good() },
            "NotFoundException",
        ),
        ("alias", CreateGrantRequest { key_id: "alias/a".to_owned(), ..good() }, "InvalidArnException"),
    ] {
        assert_eq!(code(c.create(request).await), expected, "{name}");
    }
    let error = c.create(c.request(&["CreateGrant"])).await.unwrap_err();
    assert_eq!(error.message(), "Grants must not contain only the CreateGrant operation.");
    // Another account's principal has nothing to grant.
    let request = CreateGrantRequest { key_id: c.arn.clone(), ..good() };
    assert_eq!(code(c.f.keys.create_grant(&user("777788889999", "eve"), request).await), "AccessDeniedException");
}

#[tokio::test]
async fn an_asymmetric_keys_grants_decide_too() {
    let c = Case::new().await;
    let create = CreateKeyRequest {
        key_spec: Some("ECC_NIST_P256".to_owned()),
        key_usage: Some("SIGN_VERIFY".to_owned()),
        ..Default::default()
    };
    let signing = c.f.keys.create_key(&c.f.me, create).await.unwrap().key_metadata.arn;
    let sign = |tokens| SignRequest {
        key_id: signing.clone(),
        message: plain("m"),
        signing_algorithm: "ECDSA_SHA_256".to_owned(),
        grant_tokens: tokens,
        message_type: None,
        dry_run: None,
    };
    assert_eq!(code(c.f.keys.sign(&c.bob, sign(None)).await), "AccessDeniedException");
    let grant = c.create(CreateGrantRequest { key_id: signing.clone(), ..c.request(&["Sign"]) }).await.unwrap();
    assert_eq!(code(c.f.keys.sign(&c.bob, sign(None)).await), "ok");
    assert_eq!(code(c.f.keys.sign(&c.bob, sign(Some(vec![grant.grant_token]))).await), "ok");
}

#[tokio::test]
async fn states_of_the_key_and_dry_runs() {
    let c = Case::new().await;
    let grant = c.grant(&["Encrypt"]).await;
    let dry = RevokeGrantRequest { key_id: c.key.clone(), grant_id: grant.grant_id.clone(), dry_run: Some(true) };
    assert_eq!(code(c.f.keys.revoke_grant(&c.f.me, dry).await), "DryRunOperationException");
    let dry = RetireGrantRequest { dry_run: Some(true), ..retire_token(&grant.grant_token) };
    assert_eq!(code(c.f.keys.retire_grant(&c.f.me, dry).await), "DryRunOperationException");
    assert_eq!(c.list(ListGrantsRequest::default()).await.unwrap().len(), 1);

    c.f.disable(&c.key).await.unwrap();
    assert_eq!(code(c.create(c.request(&["Encrypt"])).await), "DisabledException");
    c.f.schedule(&c.key, 7).await.unwrap();
    assert_eq!(code(c.create(c.request(&["Encrypt"])).await), "KMSInvalidStateException");
    assert_eq!(c.list(ListGrantsRequest::default()).await.unwrap().len(), 1);
    c.revoke(&grant.grant_id).await.unwrap();
    let external = CreateKeyRequest { origin: Some("EXTERNAL".to_owned()), ..Default::default() };
    let pending = c.f.keys.create_key(&c.f.me, external).await.unwrap().key_metadata.key_id;
    let request = CreateGrantRequest { key_id: pending, ..c.request(&["Encrypt"]) };
    assert_eq!(code(c.create(request).await), "KMSInvalidStateException");
}

#[tokio::test]
async fn a_destroyed_key_leaves_no_grant_and_no_policy() {
    let c = Case::new().await;
    // Since when uses are noted.
    c.f.keys.tick().await.unwrap();
    let before = c.rows().await;
    let doomed = Case { key: c.f.key().await, f: c.f.same(), arn: c.arn.clone(), bob: c.bob.clone() };
    let policy =
        r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:*","Resource":"*"}}"#;
    let put = PutKeyPolicyRequest { key_id: doomed.key.clone(), policy: policy.to_owned(), ..Default::default() };
    c.f.keys.put_key_policy(&c.f.me, put).await.unwrap();
    for number in 0..300 {
        let name = (number % 2 == 0).then(|| format!("g{number}"));
        let request =
            CreateGrantRequest { name, retiring_principal: Some(c.bob.arn.clone()), ..doomed.request(&["Encrypt"]) };
        doomed.create(request).await.unwrap();
    }
    c.f.schedule(&doomed.key, 7).await.unwrap();
    c.f.keys.cancel_key_deletion(&c.f.me, CancelKeyDeletionRequest { key_id: doomed.key.clone() }).await.unwrap();
    assert_eq!(doomed.list(ListGrantsRequest { limit: Some(1_000), ..Default::default() }).await.unwrap().len(), 100);
    c.f.schedule(&doomed.key, 7).await.unwrap();
    c.f.pass(7 * DAY);
    c.f.keys.tick().await.unwrap();
    assert_eq!(code(c.f.describe(&doomed.key).await), "NotFoundException");
    assert_eq!(c.f.told().await.len(), 1);
    assert_eq!(c.rows().await, before);
    let mine = ListRetirableGrantsRequest { retiring_principal: Some(c.bob.arn.clone()), ..Default::default() };
    assert!(c.f.keys.list_retirable_grants(&c.bob, mine).await.unwrap().grants.is_empty());
}
