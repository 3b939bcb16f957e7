//! Random documents and requests, of few names so that they meet.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::common::{HERE, THERE};
use crate::model::{Policies, Request};

const NAMES: &[&str] = &[
    "a",
    "b",
    "*",
    "?",
    "",
    "a*",
    "*b",
    "a?",
    "${aws:username}",
    "${x:many}",
    "${x:tag, 'b'}",
    "${*}",
    "a${?}",
    "${AWS:username}*",
];
const ARNS: &[&str] = &[
    "arn:aws:s3:::b/*",
    "arn:aws:s3:::b/${aws:username}",
    "arn:*",
    "*",
    "arn:aws:*:::b/a",
    "arn:aws:s3:::?/a*b",
    "arn:aws:s3:::b/${x:tag, 'a'}*",
];
const ARN_PATTERNS: &[&str] =
    &["arn:aws:iam::1*:user/*", "arn:aws:iam::*:*", "arn:*", "arn:aws:s3:::a", "*:*:*:*:*:*b"];
const KEYS: &[&str] =
    &["aws:username", "x:many", "x:tag", "X:Number", "x:flag", "x:arn", "x:date", "x:address", "x:blob"];
const ALICE: &str = "arn:aws:iam::111122223333:user/alice";
const ROLE: &str = "arn:aws:iam::111122223333:role/path/admin";
const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/admin/s1";
const FEDERATED: &str = "arn:aws:sts::111122223333:federated-user/fed";
const BOB: &str = "arn:aws:iam::444455556666:user/bob";
const LOGS: &str = "logs.amazonaws.com";

/// A caller as the model sees it: name, account, entity, own name.
type Caller = (&'static str, Option<&'static str>, Option<&'static str>, Option<&'static str>);

const CALLERS: &[Caller] = &[
    ("root", Some(HERE), None, None),
    ("alice", Some(HERE), None, Some(ALICE)),
    ("admin", Some(HERE), Some(ROLE), Some(SESSION)),
    ("fed", Some(HERE), Some(ALICE), Some(FEDERATED)),
    ("bob", Some(THERE), None, Some(BOB)),
    ("logs", None, None, Some(LOGS)),
    ("nobody", None, None, None),
];

fn one_or_many(items: impl Strategy<Value = Value> + Clone) -> impl Strategy<Value = Value> {
    prop_oneof![items.clone(), prop::collection::vec(items, 1..4).prop_map(Value::Array)]
}

fn condition() -> impl Strategy<Value = (String, Value)> {
    let strings = select(
        &[
            "StringEquals",
            "StringNotEquals",
            "StringLike",
            "StringNotLike",
            "StringEqualsIgnoreCase",
            "StringNotEqualsIgnoreCase",
        ][..],
    );
    let numbers = select(&["NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericGreaterThanEquals"][..]);
    let arns = select(&["ArnLike", "ArnNotEquals"][..]);
    let dates = select(&["DateEquals", "DateNotEquals", "DateLessThan", "DateGreaterThanEquals"][..]);
    let text = |values: &'static [&'static str]| one_or_many(select(values).prop_map(|text| json!(text)));
    let values = prop_oneof![
        4 => (strings, text(NAMES)),
        1 => (numbers, one_or_many((-3..4_i64).prop_map(|number| json!(number)))),
        1 => (Just("Bool"), one_or_many(any::<bool>().prop_map(|flag| json!(flag)))),
        1 => (arns, text(ARN_PATTERNS)),
        1 => (dates, text(&["2024", "2024-06-01T00:00:00Z", "1"])),
        1 => (select(&["IpAddress", "NotIpAddress"][..]), text(&["10.0.0.0/8", "10.1.2.3", "11.0.0.0/8", "0.0.0.0/0"])),
        1 => (Just("BinaryEquals"), text(&["QQ==", "Qg=="])),
        1 => (Just("Null"), one_or_many(any::<bool>().prop_map(|flag| json!(flag)))),
    ];
    let quantifier = select(&["", "", "ForAllValues:", "ForAnyValue:"][..]);
    (values, quantifier, any::<bool>(), select(KEYS)).prop_map(|((operator, values), quantifier, if_exists, key)| {
        let suffix = if if_exists && operator != "Null" { "IfExists" } else { "" };
        (format!("{quantifier}{operator}{suffix}"), json!({ key: values }))
    })
}

/// A statement, of an identity policy or with a principal.
fn statement(principal: bool) -> impl Strategy<Value = Value> {
    let actions = one_or_many(
        select(&["s3:GetObject", "s3:*", "*", "s3:get?bject", "kms:*", "S3:Get*"][..]).prop_map(|text| json!(text)),
    );
    let resources = one_or_many(select(ARNS).prop_map(|text| json!(text)));
    let aws = select(&["*", HERE, "arn:aws:iam::111122223333:root", ALICE, ROLE, SESSION, FEDERATED, BOB, THERE][..]);
    let principals = prop_oneof![
        1 => Just(json!("*")),
        1 => Just(json!({ "Service": LOGS })),
        4 => prop::collection::vec(aws.clone(), 1..4).prop_map(|named| json!({ "AWS": named })),
        1 => aws.prop_map(|named| json!({ "AWS": named, "Service": [LOGS] })),
    ];
    let conditions =
        prop::collection::vec(condition(), 0..3).prop_map(|conditions| Value::Object(conditions.into_iter().collect()));
    // Two in three allow, or hardly anything is allowed.
    (0..3_u8, any::<[bool; 3]>(), actions, resources, principals, conditions).prop_map(
        move |(effect, [not_action, not_resource, not_principal], actions, resources, principals, conditions)| {
            let (deny, name) =
                (effect == 0, |not: bool, name: &str| if not { format!("Not{name}") } else { name.to_owned() });
            let mut statement = json!({
                "Effect": if deny { "Deny" } else { "Allow" },
                name(not_action, "Action"): actions,
                name(not_resource, "Resource"): resources,
                "Condition": conditions,
            });
            if principal {
                // AWS does not support NotPrincipal with Allow.
                statement[name(not_principal && deny, "Principal")] = principals;
            }
            statement
        },
    )
}

fn document(principal: bool) -> impl Strategy<Value = Value> {
    let version = select(&["2012-10-17", "2012-10-17", "2008-10-17"][..]);
    (version, prop::collection::vec(statement(principal), 1..4))
        .prop_map(|(version, statements)| json!({ "Version": version, "Statement": statements }))
}

/// All policies that may meet: often none of a kind.
pub(crate) fn policies() -> impl Strategy<Value = Policies> {
    let identity = || prop::collection::vec(document(false), 0..3);
    let resource = prop::option::weighted(0.8, document(true));
    (identity(), prop::option::weighted(0.3, document(false)), prop::option::weighted(0.3, identity()), resource)
        .prop_map(|(identity, boundary, session, resource)| Policies { identity, boundary, session, resource })
}

/// A caller's name and a request of its.
pub(crate) fn request() -> impl Strategy<Value = (&'static str, Request)> {
    let value = select(
        &[
            "a",
            "b",
            "*",
            "a*",
            "ab",
            "",
            "1",
            "-2",
            "true",
            "2024",
            "2024-06-01T00:00:00Z",
            "10.1.2.3",
            "QQ==",
            "arn:aws:s3:::a",
            "arn:aws:iam::111122223333:user/b",
        ][..],
    );
    let many = prop::collection::vec(value.clone(), 0..3).prop_map(|values| json!(values));
    let keys = prop::collection::btree_map(select(KEYS), prop_oneof![value.prop_map(|text| json!(text)), many], 0..6);
    let resource = select(&["arn:aws:s3:::b/a", "arn:aws:s3:::b/ab", "arn:aws:s3:::b/*", "arn:aws:kms:::b/a"][..]);
    let action = select(&["s3:GetObject", "s3:GetObject", "kms:Encrypt", "s3:PutBucketPolicy"][..]);
    (select(CALLERS), select(&[HERE, HERE, THERE][..]), action, resource, keys).prop_map(
        |((name, account, entity, own), owner, action, resource, keys)| {
            // A key of several values is a list, also where it has one.
            let keys = keys.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
            (name, Request { account, entity, own, bounded: false, owner, action, resource, keys })
        },
    )
}
