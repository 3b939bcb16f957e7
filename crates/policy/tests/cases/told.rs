//! What a decision tells: AWS's messages, the statement, everything that led to it, sizes.

use policy::{
    By, ContextMap, Denying, Effect, Kind, Position, Principal, Question, Refused, Rule, Simulation, Verdict, decide,
    limits, simulate, statement_spans,
};

use crate::common::{attached, context, document, who};

const GET: &str = "s3:GetObject";

/// IAM: Troubleshoot access denied error messages.
#[test]
fn refusals_speak_aws_words() {
    let denied =
        |by, source: &str| Refused { by, statement: Some(Denying { source: source.to_owned(), sid: None, index: 0 }) };
    for (name, refused, words) in [
        (
            "identity, implicit",
            Refused::implicit(By::Identity),
            "because no identity-based policy allows the s3:GetObject action",
        ),
        (
            "identity, explicit",
            denied(By::Identity, "user/alice/inline"),
            "with an explicit deny in an identity-based policy",
        ),
        (
            "managed policy",
            denied(By::Identity, "arn:aws:iam::111122223333:policy/P"),
            "with an explicit deny in an identity-based policy: arn:aws:iam::111122223333:policy/P",
        ),
        (
            "boundary, implicit",
            Refused::implicit(By::Boundary),
            "because no permissions boundary allows the s3:GetObject action",
        ),
        ("boundary, explicit", denied(By::Boundary, ""), "with an explicit deny in a permissions boundary"),
        (
            "session, implicit",
            Refused::implicit(By::Session),
            "because no session policy allows the s3:GetObject action",
        ),
        ("session, explicit", denied(By::Session, ""), "with an explicit deny in a session policy"),
        (
            "resource, implicit",
            Refused::implicit(By::Resource),
            "because no resource-based policy allows the s3:GetObject action",
        ),
        ("resource, explicit", denied(By::Resource, ""), "with an explicit deny in a resource-based policy"),
        (
            "trust, implicit",
            Refused::implicit(By::Trust),
            "because no role trust policy allows the s3:GetObject action",
        ),
        ("trust, explicit", denied(By::Trust, ""), "with an explicit deny in the role trust policy"),
    ] {
        assert_eq!(refused.reason(GET).to_string(), words, "{name}");
    }
}

fn alice() -> Principal {
    let mut alice = who("alice");
    alice.permissions.identity = vec![
        attached("user/alice/first", r#"{"Effect":"Allow","Action":"s3:List*","Resource":"*"}"#),
        attached(
            "arn:aws:iam::111122223333:policy/second",
            r#"[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:username}/*"},
                {"Sid":"Get","Effect":"Allow","Action":"s3:Get*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}},
                {"Sid":"NoAcl","Effect":"Deny","Action":"s3:PutObjectAcl","Resource":"*"}]"#,
        ),
    ];
    alice
}

fn ask<'a>(principal: &'a Principal, action: &'a str, context: &'a ContextMap) -> Question<'a> {
    Question { principal, action, resource: "arn:aws:s3:::b/k", owner: None, context }
}

#[test]
fn a_decision_names_its_statement() {
    let (alice, keys) = (alice(), context(r#"{"aws:SecureTransport":"true"}"#));
    let allowed = decide(&ask(&alice, GET, &keys), None, Rule::Either).unwrap();
    let statement = allowed.statement.unwrap();
    assert_eq!(
        (allowed.by, statement.source, statement.sid, statement.index),
        (By::Identity, "arn:aws:iam::111122223333:policy/second", Some("Get"), 1)
    );
    let refused = decide(&ask(&alice, "s3:PutObjectAcl", &keys), None, Rule::Either).unwrap_err();
    let statement = refused.statement.unwrap();
    assert_eq!(
        (refused.by, statement.source.as_str(), statement.sid.as_deref(), statement.index),
        (By::Identity, "arn:aws:iam::111122223333:policy/second", Some("NoAcl"), 2)
    );
    let bucket = document(
        r#"[{"Effect":"Allow","Principal":"*","Action":"s3:PutObject","Resource":"*"},{"Sid":"Everyone reads","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"}]"#,
        Kind::Bucket,
    );
    let allowed = decide(&ask(&alice, GET, &keys), Some(&bucket), Rule::Either).unwrap();
    let statement = allowed.statement.unwrap();
    assert_eq!((allowed.by, statement.sid, statement.index), (By::Resource, Some("Everyone reads"), 1));
}

/// `policy.statement` and effect of each matched statement.
fn matched(simulation: &Simulation<'_>) -> Vec<(By, usize, usize, Effect)> {
    simulation.matched.iter().map(|one| (one.by, one.policy, one.statement, one.effect)).collect()
}

/// IAM API reference, EvaluationResult.
#[test]
fn a_simulation_tells_all_statements_that_decide() {
    let alice = alice();
    let keys = context(r#"{"aws:SecureTransport":"true","aws:username":"k"}"#);
    let bucket =
        document(r#"{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"*","Resource":"*"}"#, Kind::Bucket);
    let question = Question { resource: "arn:aws:s3:::b/k/x", ..ask(&alice, GET, &keys) };
    let told = simulate(&question, Some(&bucket), Rule::Either);
    let allow = Effect::Allow;
    assert_eq!(matched(&told), [(By::Identity, 1, 0, allow), (By::Identity, 1, 1, allow), (By::Resource, 0, 0, allow)]);
    assert!(told.missing.is_empty());
    // "Even if multiple statements allow the operation on the resource, [...] the deny statement is the only entry included".
    let told = simulate(&ask(&alice, "s3:PutObjectAcl", &keys), Some(&bucket), Rule::Either);
    assert_eq!(matched(&told), [(By::Identity, 1, 2, Effect::Deny)]);
    assert_eq!((told.verdict(By::Identity), told.verdict(By::Boundary)), (Some(Verdict::ExplicitDeny), None));
    let told = simulate(&ask(&alice, "kms:Encrypt", &keys), None, Rule::Either);
    assert_eq!((matched(&told).len(), told.verdict(By::Identity)), (0, Some(Verdict::ImplicitDeny)));
}

#[test]
fn a_simulation_tells_the_keys_that_are_missing() {
    let alice = alice();
    let missing = |action, keys: &str| {
        let keys = context(keys);
        simulate(&ask(&alice, action, &keys), None, Rule::Either).missing.into_iter().collect::<Vec<_>>()
    };
    assert_eq!(missing(GET, "{}"), ["aws:SecureTransport", "aws:username"]);
    assert_eq!(missing(GET, r#"{"AWS:Username":"a"}"#), ["aws:SecureTransport"]);
    assert_eq!(missing("kms:Encrypt", "{}"), Vec::<String>::new());
}

/// IAM API reference, GetContextKeysForCustomPolicy.
#[test]
fn a_document_tells_its_context_keys() {
    let document = document(
        r#"[{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${aws:PrincipalTag/team, 'x'}/${*}",
             "Condition":{"StringEquals":{"aws:username":["${s3:prefix}","${saml:aud}"]},"Null":{"AWS:Username":"false"}}},
            {"Effect":"Deny","Action":"*","NotResource":"arn:aws:s3:::b/${aws:userid}",
             "Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::${x:y}"},"ForAllValues:NumericEquals":{"x:n":"1"}}}]"#,
        Kind::Identity,
    );
    let mut keys = document.context_keys();
    keys.sort_unstable();
    let wanted =
        ["aws:PrincipalTag/team", "aws:SourceArn", "aws:userid", "aws:username", "s3:prefix", "saml:aud", "x:n", "x:y"];
    assert_eq!(keys, wanted);
}

#[test]
fn spans_and_statements_have_one_order() {
    let text = "{\n \"Statement\": [{\"Effect\":\"Allow\",\n\"Action\":\"*\",\"Resource\":\"*\"},\n {}]}";
    let spans: Vec<_> = statement_spans(text).into_iter().map(|span| (span.start, span.end)).collect();
    let at = |line, column| Position { line, column };
    assert_eq!(spans, [(at(2, 16), at(3, 29)), (at(3, 30), at(4, 4))]);
}

/// IAM: IAM and AWS STS quotas: "IAM does not count white space".
#[test]
fn white_space_does_not_count() {
    assert_eq!(limits::characters("{ \"a\":\n\t\"b c\" }\r\n"), 10);
    assert_eq!(limits::characters("{\"é\"}"), 5);
}
