//! Callers and requests for tables of cases.

#![allow(clippy::unwrap_used, dead_code, reason = "a test may panic; each test file takes what it needs")]

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use policy::{
    AccountId, Attached, ContextMap, Document, Kind, Principal, PrincipalKind, Question, Reach, Session, Verdict,
    resource_verdict,
};
use serde_json::Value;

/// The account of everybody but bob.
pub(crate) const HERE: &str = "111122223333";
/// Bob's account.
pub(crate) const THERE: &str = "444455556666";
/// When every session of these tests began: 2023-11-14T22:13:20Z.
pub(crate) const ISSUED: u64 = 1_700_000_000;

/// The callers of these tests, by name.
pub(crate) fn who(name: &str) -> Principal {
    let here = AccountId::parse(HERE).unwrap();
    let user = |account: &str, name: &str, id: &str| {
        let account = AccountId::parse(account).unwrap();
        Principal::user(account, format!("arn:aws:iam::{account}:user/{name}"), name, id)
    };
    let session = |arn: &str, user_id: &str, kind| Principal {
        arn: arn.to_owned(),
        user_id: user_id.to_owned(),
        kind,
        session: Some(new_session()),
        ..Principal::user(here, "", "", "")
    };
    match name {
        "root" => Principal::root(here, "AKIAROOT"),
        "alice" => user(HERE, "alice", "AIDAALICEALICEALICE1"),
        "bob" => user(THERE, "bob", "AIDABOBBOBBOBBOBBOB1"),
        "root there" => Principal::root(AccountId::parse(THERE).unwrap(), "AKIAROOTTHERE"),
        "admin" => session(
            "arn:aws:sts::111122223333:assumed-role/admin/s1",
            "AROAADMINADMINADMIN1:s1",
            PrincipalKind::AssumedRole {
                role_arn: "arn:aws:iam::111122223333:role/path/admin".to_owned(),
                role_id: "AROAADMINADMINADMIN1".to_owned(),
                role_name: "admin".to_owned(),
                session_name: "s1".to_owned(),
            },
        ),
        "fed" => session(
            "arn:aws:sts::111122223333:federated-user/fed",
            "111122223333:fed",
            PrincipalKind::FederatedUser {
                user_arn: "arn:aws:iam::111122223333:user/alice".to_owned(),
                user_id: "AIDAALICEALICEALICE1".to_owned(),
                name: "fed".to_owned(),
            },
        ),
        "logs" => Principal::service("logs.amazonaws.com"),
        "nobody" => Principal::anonymous(),
        "web" => Principal::web_identity(
            "arn:aws:iam::111122223333:oidc-provider/idp.example.com",
            "idp.example.com:sub-1",
            "sub-1",
            vec![
                ("idp.example.com:sub".to_owned(), vec!["sub-1".to_owned()]),
                ("idp.example.com:aud".to_owned(), vec!["app".to_owned()]),
                ("idp.example.com:amr".to_owned(), vec!["a".to_owned(), "b".to_owned()]),
                ("s3:prefix".to_owned(), vec!["forged/".to_owned()]),
                ("kms:viaservice".to_owned(), vec!["forged".to_owned()]),
            ],
            UNIX_EPOCH + Duration::from_secs(ISSUED),
        ),
        other => panic!("nobody is called {other}"),
    }
}

pub(crate) fn new_session() -> Session {
    Session {
        issued: UNIX_EPOCH + Duration::from_secs(ISSUED),
        expires: UNIX_EPOCH + Duration::from_secs(ISSUED + 3_600),
        mfa: None,
        source_identity: None,
        federated_provider: None,
        transitive_tag_keys: Vec::new(),
        claims: Vec::new(),
    }
}

/// A policy and its name, out of a statement or a list of them.
pub(crate) fn attached(source: &str, statements: &str) -> Attached {
    Attached { source: source.into(), document: Arc::new(document(statements, Kind::Identity)) }
}

/// A document of version 2012-10-17 out of a statement or a list of them.
pub(crate) fn document(statements: &str, kind: Kind) -> Document {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":{statements}}}"#);
    Document::parse(&text, kind).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Condition keys out of a JSON object: text is a key of one value, a list one of several.
pub(crate) fn context(json: &str) -> ContextMap {
    let json: Value = serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"));
    let mut map = ContextMap::new();
    for (key, value) in json.as_object().unwrap() {
        map = match value {
            Value::Array(values) => map.with_many(key, values.iter().map(|value| value.as_str().unwrap())),
            value => map.with(key, value.as_str().unwrap()),
        };
    }
    map
}

/// What one document says to a caller, as a word.
pub(crate) fn says(
    document: &Document,
    caller: &Principal,
    action: &str,
    resource: &str,
    keys: &ContextMap,
) -> &'static str {
    word(resource_verdict(document, &Question { principal: caller, action, resource, owner: None, context: keys }))
}

pub(crate) fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Allow(Reach::Direct) => "allow",
        Verdict::Allow(Reach::Entity) => "entity",
        Verdict::Allow(Reach::Account) => "account",
        Verdict::ExplicitDeny => "deny",
        Verdict::ImplicitDeny => "nothing",
    }
}
