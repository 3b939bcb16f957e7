//! Random policies and requests: the evaluator says what the definitions say, and what must hold of all decisions holds.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../common/mod.rs"]
mod common;
mod generate;
mod model;

use std::collections::BTreeSet;
use std::sync::Arc;

use common::{context, who, word};
use generate::{policies, request};
use model::{Policies, Request};
use policy::{
    AccountId, Attached, Document, Effect, Kind, Permissions, Principal, Question, Refused, Rule, decide,
    identity_side, resource_verdict, simulate,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

/// Sets of policies to try, each with eight requests: enough to find what an hour of them finds but for luck.
const CASES: u32 = 20_000;
/// Sets of policies of the long run: of 2.4 documents each in the mean, so 1.2 million random policies.
const MANY_CASES: u32 = 500_000;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(CASES) })]

    #[test]
    fn decisions_are_those_of_the_definitions(policies in policies(), requests in prop::collection::vec(request(), 8)) {
        for (name, request) in requests {
            agree(&policies, name, request)?;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(MANY_CASES) })]

    #[test]
    #[ignore = "minutes: a million random policies, run by hand after changes of the evaluator"]
    fn a_million_policies_decide_as_the_definitions(
        policies in policies(),
        requests in prop::collection::vec(request(), 8),
    ) {
        for (name, request) in requests {
            agree(&policies, name, request)?;
        }
    }
}

/// The properties are worth something only if every answer comes up, for every reason.
#[test]
fn every_answer_comes_up() {
    let mut runner = TestRunner::deterministic();
    let mut answers = BTreeSet::new();
    for _ in 0..3_000 {
        let policies = policies().new_tree(&mut runner).unwrap().current();
        let (name, request) = request().new_tree(&mut runner).unwrap().current();
        let principal = with(who(name), &policies);
        let resource = policies.resource.as_ref().map(|json| parse(json, Kind::Bucket));
        let keys = context(&Value::Object(request.keys.clone()).to_string());
        let owner = Some(AccountId::parse(request.owner).unwrap());
        let Request { action, resource: arn, .. } = request;
        let question = Question { principal: &principal, action, resource: arn, owner, context: &keys };
        answers.insert(match decide(&question, resource.as_ref(), Rule::Either) {
            Ok(allowed) => format!("allowed by {:?}", allowed.by),
            Err(refused) => {
                format!("{} by {:?}", if refused.explicit() { "denied" } else { "not allowed" }, refused.by)
            }
        });
    }
    let kinds = |what: &str, kinds: &[&str]| kinds.iter().map(|kind| format!("{what} by {kind}")).collect::<Vec<_>>();
    let all = ["Boundary", "Identity", "Resource", "Session"];
    let wanted = [kinds("allowed", &["Identity", "Resource"]), kinds("denied", &all), kinds("not allowed", &all)];
    assert_eq!(answers.into_iter().collect::<Vec<_>>(), wanted.concat());
}

/// One request: model and evaluator agree, and the invariants hold.
fn agree(policies: &Policies, name: &str, mut request: Request) -> Result<(), TestCaseError> {
    let principal = with(who(name), policies);
    request.bounded = principal.permissions.boundary.is_some();
    let resource = policies.resource.as_ref().map(|json| parse(json, Kind::Bucket));
    let keys = context(&Value::Object(request.keys.clone()).to_string());
    let owner = Some(AccountId::parse(request.owner).unwrap());
    let question =
        Question { principal: &principal, action: request.action, resource: request.resource, owner, context: &keys };
    for rule in [Rule::Either, Rule::ResourceMustAllow] {
        let decided = decide(&question, resource.as_ref(), rule);
        let refused = decided.as_ref().err();
        let said = (decided.is_ok(), refused.is_some_and(Refused::explicit));
        prop_assert_eq!(
            said,
            model::decide(policies, &request, rule == Rule::ResourceMustAllow),
            "{:?} {}",
            request,
            name
        );
        let told = simulate(&question, resource.as_ref(), rule);
        let denied = told.matched.iter().any(|matched| matched.effect == Effect::Deny);
        prop_assert!(!said.1 || denied, "an explicit deny has its statement");
        prop_assert!(decided.is_err() || !told.matched.is_empty() || principal.is_root(), "an allow has its statement");
        prop_assert_eq!(&told.outcome, &decided);
        // Whatever stands beside a statement that denies everything, it denies.
        let deny_all = parse(
            &json!({"Statement": {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}}),
            Kind::Bucket,
        );
        let root = principal.is_root() && request.action == "s3:PutBucketPolicy";
        prop_assert!(root || decide(&question, Some(&deny_all), rule).is_err_and(|refused| refused.explicit()));
        limits_only_limit(&question, resource.as_ref(), rule, decided.is_ok())?;
    }
    if let (Some(json), Some(document)) = (&policies.resource, &resource) {
        let said = word(resource_verdict(document, &question));
        prop_assert_eq!(said, model::says(std::slice::from_ref(json), &request), "{:?}", request);
    }
    Ok(())
}

/// Without boundary and session policies, whatever was allowed still is; without identity policies that allow, nothing more is.
fn limits_only_limit(
    question: &Question<'_>,
    resource: Option<&Document>,
    rule: Rule,
    allowed: bool,
) -> Result<(), TestCaseError> {
    let without = |change: fn(&mut Permissions)| {
        let mut principal = question.principal.clone();
        change(&mut principal.permissions);
        principal
    };
    let free = without(|permissions| (permissions.boundary, permissions.session) = (None, None));
    let free = Question { principal: &free, ..*question };
    prop_assert!(!allowed || decide(&free, resource, rule).is_ok());
    let poor = without(|permissions| permissions.identity.clear());
    let poor = Question { principal: &poor, ..*question };
    prop_assert!(question.principal.is_root() || identity_side(&poor).is_err());
    Ok(())
}

fn with(principal: Principal, policies: &Policies) -> Principal {
    let attach = |json: &Value| Attached { source: "policy".into(), document: Arc::new(parse(json, Kind::Identity)) };
    let permissions = Permissions {
        all: principal.permissions.all,
        identity: policies.identity.iter().map(attach).collect(),
        boundary: policies.boundary.as_ref().map(attach),
        session: policies.session.as_ref().map(|documents| documents.iter().map(attach).collect()),
    };
    // Who has no account has no policies.
    if principal.account == AccountId::NOBODY { principal } else { Principal { permissions, ..principal } }
}

fn parse(json: &Value, kind: Kind) -> Document {
    Document::parse(&json.to_string(), kind).unwrap_or_else(|error| panic!("{json}: {error}"))
}
