//! Requests out of JSON, for tables of cases.

#![allow(clippy::unwrap_used, dead_code, reason = "a test may panic; each test file takes what it needs")]

use policy::{Caller, ContextMap, Decision, Document, Kind, Reach, RequestContext, Verdict, evaluate};
use serde_json::Value;

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

/// What one document says to a request, as a word.
pub(crate) fn decide(
    document: &str,
    kind: Kind,
    caller: Caller<'_>,
    action: &str,
    resource: &str,
    keys: &ContextMap,
) -> &'static str {
    let document = Document::parse(document, kind).unwrap_or_else(|error| panic!("{document}: {error}"));
    word(&evaluate(&[document], &RequestContext { caller, action, resource, context: keys }))
}

pub(crate) fn word(decision: &Decision<'_>) -> &'static str {
    match decision.verdict {
        Verdict::Allow(Reach::Direct) => "allow",
        Verdict::Allow(Reach::Entity) => "entity",
        Verdict::Allow(Reach::Account) => "account",
        Verdict::ExplicitDeny => "deny",
        Verdict::ImplicitDeny => "nothing",
    }
}

pub(crate) const ALICE: Caller<'_> = Caller::Aws {
    account: "111122223333",
    names: &["arn:aws:iam::111122223333:user/alice", "AIDAALICEALICEALICE1"],
    canonical_user: None,
};
