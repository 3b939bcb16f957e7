//! Whatever a stranger sends as a policy: parsing never panics, decisions have their reasons, limits only limit, and a deny wins beside
//! anything.
#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use policy::{
    AccountId, Attached, ContextMap, Document, Effect, Kind, Permissions, Principal, PrincipalKind, Question, Refused,
    Rule, decide, limits, simulate, statement_spans,
};

static DENY: LazyLock<Document> = LazyLock::new(|| parse("Deny", r#""Principal":"*","#, Kind::Bucket));
static ALLOW: LazyLock<Attached> = LazyLock::new(|| attach(parse("Allow", "", Kind::Identity)));

fuzz_target!(|input: (u8, &str, &str)| {
    let (choice, text, value) = input;
    let kind = [Kind::Identity, Kind::Key, Kind::Bucket, Kind::Trust][usize::from(choice) % 4];
    // What nobody would guess stands ready: a whole statement around a condition.
    let framed = |effect: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"{effect}","Action":"s3:*","Resource":"arn:*","Condition":{text}}}}}"#
        )
    };
    for (kind, text) in [(kind, text), (Kind::Identity, &framed("Deny")), (Kind::Identity, &framed("Allow"))] {
        let Ok(document) = Document::parse(text, kind) else { continue };
        assert_eq!(statement_spans(text).len(), document.statements().len());
        assert!(limits::characters(text) <= text.chars().count());
        let context = ContextMap::new()
            .with("aws:username", value)
            .with("aws:SourceIp", value)
            .with("aws:CurrentTime", value)
            .with_many("aws:TagKeys", [value, "a"]);
        for mut principal in callers(choice) {
            let mut resource = None;
            if kind == Kind::Identity {
                principal.permissions.identity = vec![attach(document.clone())];
            } else {
                resource = Some(&document);
            }
            check(&principal, resource, value, &context, &document);
        }
        let anonymous = Principal::anonymous();
        let question = ask(&anonymous, value, &());
        let public = kind == Kind::Bucket && decide(&question, Some(&document), Rule::Either).is_ok();
        assert!(!public || document.is_public(), "what nobody in particular may do is public");
    }
});

/// The invariants of one caller's decision.
fn check(principal: &Principal, resource: Option<&Document>, value: &str, context: &ContextMap, document: &Document) {
    let question = ask(principal, value, context);
    for rule in [Rule::Either, Rule::ResourceMustAllow] {
        let decided = decide(&question, resource, rule);
        let told = simulate(&question, resource, rule);
        assert_eq!(told.outcome, decided);
        let allows = document.statements().iter().any(|statement| statement.effect() == Effect::Allow);
        assert!(decided.is_err() || allows || principal.is_root(), "nothing is allowed but by an Allow");
        let denied = decided.as_ref().is_err_and(Refused::explicit);
        assert!(!denied || told.matched.iter().all(|matched| matched.effect == Effect::Deny));
        assert!(decide(&question, Some(&DENY), rule).is_err_and(|refused| refused.explicit()));
        // The same document as a limit.
        if resource.is_none() {
            let mut bound = principal.clone();
            bound.permissions.boundary = bound.permissions.identity.pop();
            bound.permissions.identity.push(ALLOW.clone());
            let question = ask(&bound, value, context);
            assert!(principal.is_root() || decide(&question, None, rule).is_ok() == decided.is_ok());
        }
    }
}

fn ask<'a>(principal: &'a Principal, resource: &'a str, context: &'a dyn policy::Context) -> Question<'a> {
    Question { principal, action: "s3:GetObject", resource, owner: Some(account()), context }
}

/// A user, and one of the other kinds.
fn callers(choice: u8) -> [Principal; 2] {
    let user = Principal::user(account(), "arn:aws:iam::111122223333:user/a", "a", "AIDAAAAAAAAAAAAAAAAA1");
    let other = match choice / 4 % 4 {
        0 => Principal::root(account(), "AKIA"),
        1 => Principal::anonymous(),
        2 => Principal::service("logs.amazonaws.com"),
        _ => Principal {
            arn: "arn:aws:sts::111122223333:assumed-role/r/s".to_owned(),
            kind: PrincipalKind::AssumedRole {
                role_arn: "arn:aws:iam::111122223333:role/r".to_owned(),
                role_id: "AROAAAAAAAAAAAAAAAAA1".to_owned(),
                role_name: "r".to_owned(),
                session_name: "s".to_owned(),
            },
            permissions: Permissions { session: Some(vec![ALLOW.clone()]), ..Permissions::default() },
            ..user.clone()
        },
    };
    [user, other]
}

fn account() -> AccountId {
    AccountId::parse("111122223333").expect("twelve digits")
}

fn attach(document: Document) -> Attached {
    Attached { source: "policy".into(), document: Arc::new(document) }
}

fn parse(effect: &str, principal: &str, kind: Kind) -> Document {
    let text = format!(r#"{{"Statement":{{"Effect":"{effect}",{principal}"Action":"*","Resource":"*"}}}}"#);
    Document::parse(&text, kind).expect("a policy")
}
