//! Sessions over a store in memory, decided about as the gateway does.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;

use policy::{AccountId, ContextMap, GlobalContext, Principal, Question, Refused, Rule, decide};

use super::request::*;
use super::token::{InvalidToken, MAX_TOKEN, Session, SessionKind};
use super::{Barred, Denial, barred, encode_denial};
use crate::operation::inline::PutRolePolicyRequest;
use crate::operation::role::{CreateRoleRequest, DeleteRoleRequest};
use crate::operation::user::DeleteUserRequest;
use crate::resolve::Unknown;
use crate::tests::{World, account, failure};
use crate::time::Timestamp;
use crate::{Error, Operation, Prepared};

const HOUR: u64 = 3_600;

/// What came of a request.
enum Outcome {
    Refused(Refused),
    Failed(Error),
}

impl From<Error> for Outcome {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

fn code(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Refused(_) => "refused",
        Outcome::Failed(error) => error.code(),
    }
}

fn text(outcome: Outcome) -> String {
    match outcome {
        Outcome::Refused(refused) => refused.reason("x").to_string(),
        Outcome::Failed(error) => error.message().to_owned(),
    }
}

/// As the gateway: every subject is decided about by all policies.
async fn ask<O: Operation>(world: &World, caller: &Arc<Principal>, operation: O) -> Result<O::Response, Outcome> {
    let prepared = Prepared::new(&world.identity, Arc::clone(caller), operation).await?;
    let permitted = prepared.decide(|principal, subject| {
        let trust = subject.trust.as_ref();
        let owner = trust.map(|trust| trust.owner);
        let service = &subject.context;
        let context =
            GlobalContext { principal, facts: None, region: "", resource_account: owner, via_service: None, service };
        let (action, resource) = (subject.action, subject.arn.as_str());
        let question = Question { principal, action, resource, owner, context: &context };
        let rule = if trust.is_some() { Rule::ResourceMustAllow } else { Rule::Either };
        decide(&question, trust.and_then(|trust| trust.policy.as_deref()), rule).map(drop).map_err(Outcome::Refused)
    })?;
    Ok(permitted.run(&world.identity).await?)
}

async fn role(world: &World, name: &str, trust: &str, allows: &str) -> String {
    let trust = format!(r#"{{"Version":"2012-10-17","Statement":[{trust}]}}"#);
    let request = CreateRoleRequest {
        role_name: name.to_owned(),
        assume_role_policy_document: trust,
        max_session_duration: Some(7_200),
        ..Default::default()
    };
    let role = world.run(request).await.unwrap().role;
    world
        .run(PutRolePolicyRequest {
            role_name: name.to_owned(),
            policy_name: "own".to_owned(),
            policy_document: crate::tests::allowing(allows),
        })
        .await
        .unwrap();
    role.arn
}

/// A statement of trust in everybody of the account whom the account lets.
fn trusting(actions: &str, condition: &str) -> String {
    format!(
        r#"{{"Effect":"Allow","Principal":{{"AWS":"{}"}},"Action":{actions},"Condition":{{{condition}}}}}"#,
        account()
    )
}

async fn user(world: &World, name: &str, allows: &str) -> Arc<Principal> {
    world.user(name).await;
    world.allow(name, "own", allows).await.unwrap();
    let key = world.key(name).await;
    let credential = world.identity.resolve(&key.access_key_id, None).await.unwrap();
    Arc::clone(&credential.principal)
}

fn assume(arn: &str) -> AssumeRoleRequest {
    AssumeRoleRequest { role_arn: arn.to_owned(), role_session_name: "work".to_owned(), ..Default::default() }
}

async fn resolve(world: &World, credentials: &Credentials) -> Result<Arc<Principal>, Unknown> {
    let Credentials { access_key_id, session_token, secret_access_key, .. } = credentials;
    let credential = world.identity.resolve(access_key_id, Some(session_token)).await?;
    assert_eq!(*credential.secret, secret_access_key.as_bytes());
    Ok(Arc::clone(&credential.principal))
}

fn may(principal: &Principal, action: &str) -> bool {
    let context = ContextMap::new();
    let context = GlobalContext {
        principal,
        facts: None,
        region: "",
        resource_account: None,
        via_service: None,
        service: &context,
    };
    decide(&Question { principal, action, resource: "*", owner: None, context: &context }, None, Rule::Either).is_ok()
}

#[tokio::test]
async fn a_token_opens_whole_and_with_its_own_access_key_alone() {
    let world = World::new().await;
    let sealer = world.keys.records();
    let mut session = Session::new(SessionKind::Role, account(), Timestamp::from_secs(5), 900);
    session.owner = "AROA".to_owned();
    session.claims = vec![("h:sub".to_owned(), vec!["a".to_owned(), "b".to_owned()])];
    session.packed.tags = vec![("Team".to_owned(), "red".to_owned())];
    session.packed.policy = Some("{}".to_owned());
    let token = session.seal(sealer, "SRASA", 0).unwrap();
    assert!(Session::open(sealer, "SRASA", &token).unwrap() == session);
    assert_eq!(Session::open(sealer, "SRASB", &token), Err(InvalidToken));
    for at in 0..token.len() {
        let mut altered = token.clone().into_bytes();
        altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
        assert_eq!(Session::open(sealer, "SRASA", std::str::from_utf8(&altered).unwrap()), Err(InvalidToken), "{at}");
    }
    for bad in ["", "A", " ", "é", &token[1..], &token[..token.len() - 1], &"A".repeat(MAX_TOKEN + 1)] {
        assert_eq!(Session::open(sealer, "SRASA", bad), Err(InvalidToken), "{bad}");
    }
    for minimum in [token.len() + 1, 1_000, 1_001, 1_002, 1_003, MAX_TOKEN] {
        let padded = session.seal(sealer, "SRASA", minimum).unwrap();
        assert!((minimum..minimum + 2).contains(&padded.len()), "{minimum} {}", padded.len());
        assert!(Session::open(sealer, "SRASA", &padded).unwrap() == session);
    }
}

#[tokio::test]
async fn a_session_is_its_role_as_it_is_now() {
    let world = World::new().await;
    let arn = role(&world, "Reader", &trusting(r#""sts:AssumeRole""#, ""), "s3:GetObject").await;
    let alice = user(&world, "alice", "sts:AssumeRole").await;
    let answer = ask(&world, &alice, assume(&arn)).await.ok().unwrap();
    assert!(answer.assumed_role_user.arn.ends_with(":assumed-role/Reader/work"));
    let session = resolve(&world, &answer.credentials).await.unwrap();
    assert_eq!((session.arn.as_str(), session.account), (answer.assumed_role_user.arn.as_str(), account()));
    assert_eq!(session.user_id, answer.assumed_role_user.assumed_role_id);
    assert!(may(&session, "s3:GetObject") && !may(&session, "s3:PutObject"));
    // What the role may is asked anew.
    let (role_name, policy_name) = ("Reader".to_owned(), "own".to_owned());
    let policy_document = crate::tests::allowing("s3:PutObject");
    world.run(PutRolePolicyRequest { role_name, policy_name, policy_document }).await.unwrap();
    let session = resolve(&world, &answer.credentials).await.unwrap();
    assert!(!may(&session, "s3:GetObject") && may(&session, "s3:PutObject"));
    // The end of its time.
    world.pass(HOUR - 1);
    assert!(resolve(&world, &answer.credentials).await.is_ok());
    world.pass(1);
    assert!(matches!(resolve(&world, &answer.credentials).await, Err(Unknown::Expired)));
}

#[tokio::test]
async fn a_session_ends_with_its_role_and_another_of_the_name_is_not_it() {
    let world = World::new().await;
    let trust = trusting(r#""sts:AssumeRole""#, "");
    let arn = role(&world, "Reader", &trust, "s3:*").await;
    let alice = user(&world, "alice", "sts:AssumeRole").await;
    let answer = ask(&world, &alice, assume(&arn)).await.ok().unwrap();
    assert!(resolve(&world, &answer.credentials).await.is_ok());
    let policy_name = "own".to_owned();
    let role_name = "Reader".to_owned();
    let delete = crate::operation::inline::DeleteRolePolicyRequest { role_name: role_name.clone(), policy_name };
    world.run(delete).await.unwrap();
    world.run(DeleteRoleRequest { role_name }).await.unwrap();
    assert!(matches!(resolve(&world, &answer.credentials).await, Err(Unknown::InvalidToken)));
    role(&world, "Reader", &trust, "s3:*").await;
    assert!(matches!(resolve(&world, &answer.credentials).await, Err(Unknown::InvalidToken)));
}

#[tokio::test]
async fn the_role_has_to_trust_and_the_account_to_let() {
    let world = World::new().await;
    let arn = role(&world, "R", &trusting(r#""sts:AssumeRole""#, ""), "s3:*").await;
    let alice = user(&world, "alice", "s3:GetObject").await;
    assert_eq!(code(ask(&world, &alice, assume(&arn)).await.err().unwrap()), "refused");
    let bob = user(&world, "bob", "sts:AssumeRole").await;
    assert!(ask(&world, &bob, assume(&arn)).await.is_ok());
    for missing in ["arn:aws:iam::111122223333:role/None", "arn:aws:iam::999988887777:role/R"] {
        assert_eq!(code(ask(&world, &bob, assume(missing)).await.err().unwrap()), "refused", "{missing}");
    }
    // By name, which needs no policy of the account's.
    let named = format!(r#"{{"Effect":"Allow","Principal":{{"AWS":"{}"}},"Action":"sts:AssumeRole"}}"#, alice.arn);
    let arn = role(&world, "Named", &named, "s3:*").await;
    assert!(ask(&world, &alice, assume(&arn)).await.is_ok());
    assert_eq!(code(ask(&world, &bob, assume(&arn)).await.err().unwrap()), "refused");
    let error = ask(&world, &world.root, assume(&arn)).await.err().unwrap();
    assert_eq!(text(error), "Roles may not be assumed by root accounts.");
}

#[tokio::test]
async fn external_ids_names_and_tags_are_what_trust_policies_ask() {
    let world = World::new().await;
    let bob = user(&world, "bob", "sts:*").await;
    let external = trusting(r#""sts:AssumeRole""#, r#""StringEquals":{"sts:ExternalId":"secret-1"}"#);
    let arn = role(&world, "External", &external, "s3:*").await;
    assert!(ask(&world, &bob, assume(&arn)).await.is_err());
    let with = |id: &str| AssumeRoleRequest { external_id: Some(id.to_owned()), ..assume(&arn) };
    assert!(ask(&world, &bob, with("secret-2")).await.is_err());
    assert!(ask(&world, &bob, with("secret-1")).await.is_ok());

    let tags = || vec![Tag { key: "Team".to_owned(), value: "red".to_owned() }];
    let arn = role(&world, "Untagged", &trusting(r#""sts:AssumeRole""#, ""), "s3:*").await;
    let tagged = |arn: &str| AssumeRoleRequest { tags: tags(), ..assume(arn) };
    assert_eq!(code(ask(&world, &bob, tagged(&arn)).await.err().unwrap()), "refused");
    let set = AssumeRoleRequest { source_identity: Some("bob".to_owned()), ..assume(&arn) };
    assert_eq!(code(ask(&world, &bob, set).await.err().unwrap()), "refused");
    let all = r#"["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]"#;
    let arn =
        role(&world, "Tagged", &trusting(all, r#""StringEqualsIfExists":{"aws:RequestTag/Team":"red"}"#), "s3:*").await;
    let answer = ask(&world, &bob, tagged(&arn)).await.ok().unwrap();
    assert!(answer.packed_policy_size.is_some_and(|size| size > 0));
    let session = resolve(&world, &answer.credentials).await.unwrap();
    assert_eq!(session.tags, [("Team".to_owned(), "red".to_owned())]);
    let mut blue = tagged(&arn);
    blue.tags[0].value = "blue".to_owned();
    assert_eq!(code(ask(&world, &bob, blue).await.err().unwrap()), "refused");
}

#[tokio::test]
async fn chains_inherit_and_are_short() {
    let world = World::new().await;
    let all = r#"["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]"#;
    let first = role(&world, "First", &trusting(all, ""), "sts:*").await;
    let second = role(&world, "Second", &trusting(all, ""), "sts:*").await;
    let bob = user(&world, "bob", "sts:*").await;
    let tags = vec![
        Tag { key: "Team".to_owned(), value: "red".to_owned() },
        Tag { key: "Cost".to_owned(), value: "7".to_owned() },
    ];
    let request = AssumeRoleRequest {
        tags,
        transitive_tag_keys: vec!["team".to_owned()],
        source_identity: Some("bob".to_owned()),
        duration_seconds: Some(7_200),
        ..assume(&first)
    };
    let answer = ask(&world, &bob, request).await.ok().unwrap();
    let one = resolve(&world, &answer.credentials).await.unwrap();
    let answer = ask(&world, &one, assume(&second)).await.ok().unwrap();
    let two = resolve(&world, &answer.credentials).await.unwrap();
    assert_eq!(two.tags, [("Team".to_owned(), "red".to_owned())]);
    assert_eq!(two.session.as_ref().unwrap().source_identity.as_deref(), Some("bob"));
    assert_eq!(answer.source_identity.as_deref(), Some("bob"));

    let long = AssumeRoleRequest { duration_seconds: Some(3_601), ..assume(&second) };
    assert!(text(ask(&world, &one, long).await.err().unwrap()).contains("role chaining"));
    let other = AssumeRoleRequest { source_identity: Some("eve".to_owned()), ..assume(&second) };
    assert_eq!(code(ask(&world, &one, other).await.err().unwrap()), "AccessDenied");
    let tags = vec![Tag { key: "TEAM".to_owned(), value: "blue".to_owned() }];
    let over = AssumeRoleRequest { tags, ..assume(&second) };
    assert!(text(ask(&world, &one, over).await.err().unwrap()).contains("conflicts"));
    let long = AssumeRoleRequest { duration_seconds: Some(7_201), ..assume(&second) };
    assert!(text(ask(&world, &bob, long).await.err().unwrap()).contains("MaxSessionDuration"));
    for (operation, barring) in [("GetSessionToken", Some(Barred::Sts)), ("GetCallerIdentity", None)] {
        assert_eq!(barred(&two, "sts", operation), barring);
    }
    assert_eq!(barred(&two, "iam", "GetUser"), None);
}

#[tokio::test]
async fn session_policies_take_away_and_never_give() {
    let world = World::new().await;
    let arn = role(&world, "R", &trusting(r#""sts:AssumeRole""#, ""), "s3:*").await;
    let bob = user(&world, "bob", "sts:AssumeRole").await;
    let with = |policy: Option<&str>, arns: &[&str]| AssumeRoleRequest {
        policy: policy.map(crate::tests::allowing),
        policy_arns: arns.iter().map(|arn| PolicyDescriptor { arn: Some((*arn).to_owned()) }).collect(),
        ..assume(&arn)
    };
    let read_only = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";
    for (request, allowed, not) in [
        (with(Some("s3:GetObject"), &[]), "s3:GetObject", "s3:PutObject"),
        (with(Some("kms:*"), &[]), "", "kms:Decrypt"),
        (with(None, &[read_only]), "s3:GetObject", "s3:PutObject"),
        (with(Some("s3:PutObject"), &[read_only]), "s3:PutObject", "s3:DeleteObject"),
    ] {
        let answer = ask(&world, &bob, request).await.ok().unwrap();
        let session = resolve(&world, &answer.credentials).await.unwrap();
        assert!((allowed.is_empty() || may(&session, allowed)) && !may(&session, not), "{allowed} {not}");
    }
    let malformed = AssumeRoleRequest { policy: Some("{}".to_owned()), ..assume(&arn) };
    assert_eq!(code(ask(&world, &bob, malformed).await.err().unwrap()), "MalformedPolicyDocument");
    let eleven = [read_only; 11];
    assert_eq!(code(ask(&world, &bob, with(None, &eleven)).await.err().unwrap()), "ValidationError");
    let missing = with(None, &["arn:aws:iam::111122223333:policy/None"]);
    assert_eq!(code(ask(&world, &bob, missing).await.err().unwrap()), "ValidationError");
    // Fifty tags of random text are more than fits.
    let tags = (0..50).map(|n: u32| Tag {
        key: format!("k{n}"),
        value: data_encoding::HEXLOWER.encode(&seal::random_bytes::<128>()),
    });
    let all = r#"["sts:AssumeRole","sts:TagSession"]"#;
    let arn = role(&world, "T", &trusting(all, ""), "s3:*").await;
    let large = AssumeRoleRequest { tags: tags.collect(), ..assume(&arn) };
    assert_eq!(code(ask(&world, &bob, large).await.err().unwrap()), "PackedPolicyTooLarge");
}

#[tokio::test]
async fn a_users_own_sessions() {
    let world = World::new().await;
    let bob = user(&world, "bob", "*").await;
    let request = |seconds| GetSessionTokenRequest { duration_seconds: seconds, ..Default::default() };
    let answer = ask(&world, &bob, request(None)).await.ok().unwrap();
    assert_eq!(answer.credentials.expiration.as_secs(), world.seconds() + 43_200);
    let session = resolve(&world, &answer.credentials).await.unwrap();
    assert_eq!((&session.arn, &session.user_id), (&bob.arn, &bob.user_id));
    assert!(may(&session, "s3:GetObject"));
    assert_eq!(barred(&session, "iam", "GetUser"), Some(Barred::Iam));
    assert_eq!(barred(&session, "sts", "GetFederationToken"), Some(Barred::Sts));
    assert_eq!(barred(&session, "sts", "AssumeRole"), None);
    assert_eq!(code(ask(&world, &session, request(None)).await.err().unwrap()), "AccessDenied");
    let answer = ask(&world, &world.root, request(Some(100_000))).await.ok().unwrap();
    assert_eq!(answer.credentials.expiration.as_secs(), world.seconds() + HOUR);
    assert!(resolve(&world, &answer.credentials).await.unwrap().is_root());

    let federate = |policy: Option<&str>| GetFederationTokenRequest {
        name: "eve".to_owned(),
        policy: policy.map(crate::tests::allowing),
        ..Default::default()
    };
    let answer = ask(&world, &bob, federate(None)).await.ok().unwrap();
    assert_eq!(answer.federated_user.arn, format!("arn:aws:sts::{}:federated-user/eve", account()));
    assert!(!may(&resolve(&world, &answer.credentials).await.unwrap(), "s3:GetObject"));
    let answer = ask(&world, &bob, federate(Some("s3:GetObject"))).await.ok().unwrap();
    let session = resolve(&world, &answer.credentials).await.unwrap();
    assert!(may(&session, "s3:GetObject") && !may(&session, "s3:PutObject"));
    assert_eq!(barred(&session, "sts", "AssumeRole"), Some(Barred::Sts));
    assert_eq!(barred(&session, "iam", "GetUser"), Some(Barred::Iam));
    // Both end with their user.
    let alice = user(&world, "alice", "*").await;
    let answer = ask(&world, &alice, federate(Some("s3:*"))).await.ok().unwrap();
    world
        .run(crate::operation::access_key::DeleteAccessKeyRequest {
            user_name: Some("alice".to_owned()),
            access_key_id: alice.access_key_id.clone(),
        })
        .await
        .unwrap();
    world
        .run(crate::operation::inline::DeleteUserPolicyRequest {
            user_name: "alice".to_owned(),
            policy_name: "own".to_owned(),
        })
        .await
        .unwrap();
    world.run(DeleteUserRequest { user_name: "alice".to_owned() }).await.unwrap();
    assert!(matches!(resolve(&world, &answer.credentials).await, Err(Unknown::InvalidToken)));
}

#[tokio::test]
async fn a_denial_is_read_by_its_own_account_alone() {
    let world = World::new().await;
    let bob = user(&world, "bob", "sts:*").await;
    let context = ContextMap::new().with("s3:prefix", "a/").with("aws:username", "bob");
    let denial = Denial {
        principal: &bob,
        action: "s3:ListBucket",
        resource: "arn:aws:s3:::b",
        denied_by: Some(("user/bob/own", "NoList")),
        context: &context,
    };
    let message = encode_denial(world.keys.records(), account(), &denial.to_json()).unwrap();
    let decode = |encoded_message: String| DecodeAuthorizationMessageRequest { encoded_message };
    let decoded = ask(&world, &bob, decode(message.clone())).await.ok().unwrap().decoded_message;
    let json: serde_json::Value = serde_json::from_str(&decoded).unwrap();
    assert_eq!((&json["allowed"], &json["explicitDeny"]), (&false.into(), &true.into()));
    assert_eq!(json["context"]["action"], "s3:ListBucket");
    assert_eq!(json["matchedStatements"]["items"][0]["statementId"], "NoList");
    assert!(decoded.contains("s3:prefix") && decoded.contains("a/"));
    let stranger = Arc::new(Principal::root(AccountId::parse("999988887777").unwrap(), ""));
    for (caller, message) in [(&stranger, message.clone()), (&bob, message[1..].to_owned()), (&bob, "x".to_owned())] {
        let error = ask(&world, caller, decode(message)).await.err().unwrap();
        assert_eq!(code(error), "InvalidAuthorizationMessageException");
    }
}

#[tokio::test]
async fn access_keys_tell_their_account() {
    let world = World::new().await;
    let bob = user(&world, "bob", "sts:*").await;
    let info = |id: &str| GetAccessKeyInfoRequest { access_key_id: id.to_owned() };
    let answer = ask(&world, &bob, info(&bob.access_key_id)).await.ok().unwrap();
    assert_eq!(answer.account, account().as_str());
    let session = ask(&world, &bob, GetSessionTokenRequest::default()).await.ok().unwrap();
    let answer = ask(&world, &bob, info(&session.credentials.access_key_id)).await.ok().unwrap();
    assert_eq!(answer.account, account().as_str());
    let unknown = world.run(info("SRAKAAAAAAAAAAAAAAAA")).await;
    assert_eq!(failure(unknown).0, "ValidationError");
}
