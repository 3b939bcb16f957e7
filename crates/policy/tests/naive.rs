//! Random documents and requests: the evaluator says what a naive one says, which reads the JSON anew for each request, follows the
//! definitions word by word and takes exponential time.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{context, word};
use policy::{Caller, Document, Kind, RequestContext, evaluate};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

/// A request, as the naive evaluator sees it.
#[derive(Clone, Debug)]
struct Request {
    account: &'static str,
    arns: Vec<&'static str>,
    action: &'static str,
    resource: &'static str,
    keys: Map<String, Value>,
}

mod model {
    use super::*;

    pub(super) fn decide(documents: &[Value], request: &Request) -> &'static str {
        let mut found = vec![];
        for document in documents {
            let variables = document["Version"] == "2012-10-17";
            for statement in many(&document["Statement"]) {
                if let Some(reach) = applies(statement, variables, request) {
                    found.push(if statement["Effect"] == "Deny" { "deny" } else { reach });
                }
            }
        }
        ["deny", "allow", "entity", "account"].into_iter().find(|word| found.contains(word)).unwrap_or("nothing")
    }

    fn many(value: &Value) -> Vec<&Value> {
        value.as_array().map_or_else(|| vec![value], |values| values.iter().collect())
    }

    fn text(value: &Value) -> String {
        value.as_str().map_or_else(|| value.to_string(), str::to_owned)
    }

    fn applies(statement: &Value, variables: bool, request: &Request) -> Option<&'static str> {
        let deny = statement["Effect"] == "Deny";
        let action = |pattern: &Value| {
            glob(&literal(&text(pattern).to_lowercase()), &request.action.to_lowercase().chars().collect::<Vec<_>>())
        };
        let selected = match (statement.get("Action"), statement.get("NotAction")) {
            (Some(these), _) => many(these).into_iter().any(action),
            (_, Some(others)) => !many(others).into_iter().any(action),
            _ => false,
        };
        let resource = |pattern: &Value| {
            let filled = fill(&text(pattern), variables, true, request)?;
            Some(glob(&filled, &request.resource.chars().collect::<Vec<_>>()))
        };
        let about = match (statement.get("Resource"), statement.get("NotResource")) {
            (Some(these), _) => many(these).into_iter().any(|pattern| resource(pattern) == Some(true)),
            (_, Some(others)) => !many(others).into_iter().any(|pattern| resource(pattern).unwrap_or(!deny)),
            _ => false,
        };
        let mut conditions = statement.get("Condition").and_then(Value::as_object).into_iter().flatten();
        let hold = conditions.all(|(operator, keys)| {
            keys.as_object()
                .unwrap()
                .iter()
                .all(|(key, values)| condition(operator, key, &many(values), variables, deny, request))
        });
        let reach = match (statement.get("Principal"), statement.get("NotPrincipal")) {
            (Some(element), _) => principal(element, request),
            (_, Some(element)) => {
                let links = request.arns.iter().map(|arn| names(element, arn));
                let spared = names(element, request.account) && links.into_iter().all(|named| named);
                (!spared).then_some("allow")
            }
            _ => Some("allow"),
        };
        reach.filter(|_| selected && about && hold)
    }

    fn names(element: &Value, link: &str) -> bool {
        let root = format!("arn:aws:iam::{link}:root");
        element == "*"
            || many(&element["AWS"]).into_iter().any(|named| named == "*" || named == link || *named == *root)
    }

    fn principal(element: &Value, request: &Request) -> Option<&'static str> {
        let everyone = element == "*" || many(&element["AWS"]).contains(&&json!("*"));
        let (own, before) = request.arns.split_last().map_or((None, &[][..]), |(own, before)| (Some(own), before));
        if everyone || own.is_some_and(|arn| names(element, arn)) {
            return Some("allow");
        }
        if before.iter().any(|arn| names(element, arn)) {
            return Some("entity");
        }
        let root = if request.arns.is_empty() { "allow" } else { "account" };
        names(element, request.account).then_some(root)
    }

    /// A pattern: characters, `None` for a star, `Some(None)` for a question mark.
    type Glob = Vec<Option<Option<char>>>;

    fn literal(pattern: &str) -> Glob {
        let part = |c| match c {
            '*' => None,
            '?' => Some(None),
            c => Some(Some(c)),
        };
        pattern.chars().map(part).collect()
    }

    fn glob(pattern: &[Option<Option<char>>], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some((None, rest)) => (0..=text.len()).any(|skip| glob(rest, &text[skip..])),
            Some((Some(want), rest)) => {
                text.split_first().is_some_and(|(c, text)| want.is_none_or(|want| want == *c) && glob(rest, text))
            }
        }
    }

    fn value_of<'r>(request: &'r Request, key: &str) -> Option<&'r Value> {
        request.keys.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value)
    }

    fn fill(source: &str, variables: bool, wildcards: bool, request: &Request) -> Option<Glob> {
        let plain = |text: &str| text.chars().map(|c| Some(Some(c))).collect::<Glob>();
        let wild = |text: &str| if wildcards { literal(text) } else { plain(text) };
        match source.split_once("${").filter(|_| variables) {
            None => Some(wild(source)),
            Some((before, rest)) => {
                let (inside, after) = rest.split_once('}').unwrap();
                let (name, default) = inside
                    .split_once(", ")
                    .map_or((inside, None), |(name, default)| (name, Some(default.trim_matches('\''))));
                let value = match name {
                    "*" | "?" | "$" => name,
                    name => value_of(request, name).and_then(Value::as_str).or(default)?,
                };
                Some([wild(before), plain(value), fill(after, true, wildcards, request)?].concat())
            }
        }
    }

    fn condition(name: &str, key: &str, wanted: &[&Value], variables: bool, deny: bool, request: &Request) -> bool {
        let (quantifier, operator) = name.split_once(':').unwrap_or(("", name));
        let (operator, if_exists) = operator.strip_suffix("IfExists").map_or((operator, false), |name| (name, true));
        let values: Vec<String> = value_of(request, key).map(many).unwrap_or_default().into_iter().map(text).collect();
        if operator == "Null" {
            return wanted.iter().any(|wanted| text(wanted) == values.is_empty().to_string());
        }
        let negated = operator.contains("Not");
        let positive = operator.replacen("Not", "", 1);
        if values.is_empty() {
            return if_exists || quantifier == "ForAllValues" || (quantifier.is_empty() && negated);
        }
        let passes = |value: &String| {
            let outcomes: Vec<Option<bool>> =
                wanted.iter().map(|wanted| compare(&positive, value, &text(wanted), variables, request)).collect();
            let matched = outcomes.contains(&Some(true));
            if negated { !matched && (deny || !outcomes.contains(&None)) } else { matched }
        };
        let all = quantifier == "ForAllValues" || (quantifier.is_empty() && negated);
        if all { values.iter().all(passes) } else { values.iter().any(passes) }
    }

    fn compare(operator: &str, value: &str, wanted: &str, variables: bool, request: &Request) -> Option<bool> {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        let number = |text: &str| text.parse::<i64>().ok();
        match operator {
            "StringEquals" => Some(glob(&fill(wanted, variables, false, request)?, &chars(value))),
            "StringEqualsIgnoreCase" => {
                let filled = fill(wanted, variables, false, request)?
                    .into_iter()
                    .map(|part| part.map(|c| c.map(|c| c.to_ascii_lowercase())));
                Some(glob(&filled.collect::<Glob>(), &chars(&value.to_lowercase())))
            }
            "StringLike" => Some(glob(&fill(wanted, variables, true, request)?, &chars(value))),
            "NumericEquals" => Some(number(value)? == number(wanted)?),
            "NumericLessThan" => Some(number(value)? < number(wanted)?),
            "NumericGreaterThanEquals" => Some(number(value)? >= number(wanted)?),
            "Bool" => Some(value.parse::<bool>().ok()? == wanted.parse::<bool>().ok()?),
            "ArnLike" | "ArnEquals" => {
                let split = |text: &str| text.splitn(6, ':').map(str::to_owned).collect::<Vec<_>>();
                let value = split(value);
                if value.len() != 6 || value[0] != "arn" {
                    return None;
                }
                // No variables in the ARNs that are generated: they may hold colons.
                let wanted = split(wanted);
                Some(
                    wanted.len() == 6
                        && wanted.iter().zip(&value).all(|(wanted, value)| glob(&literal(wanted), &chars(value))),
                )
            }
            other => panic!("{other}"),
        }
    }
}

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
const KEYS: &[&str] = &["aws:username", "x:many", "x:tag", "X:Number", "x:flag", "x:arn"];
const ALICE: &str = "arn:aws:iam::111122223333:user/a";
const ROLE: &str = "arn:aws:iam::111122223333:role/r";
const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/r/s";

/// A root user, a user, a session.
const CALLERS: &[&[&str]] = &[&[], &[ALICE], &[ROLE, SESSION]];

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
    let text = |values: &'static [&'static str]| one_or_many(select(values).prop_map(|text| json!(text)));
    let values = prop_oneof![
        4 => (strings, text(NAMES)),
        1 => (numbers, one_or_many((-3..4_i64).prop_map(|number| json!(number)))),
        1 => (Just("Bool"), one_or_many(any::<bool>().prop_map(|flag| json!(flag)))),
        1 => (arns, text(ARN_PATTERNS)),
        1 => (Just("Null"), one_or_many(any::<bool>().prop_map(|flag| json!(flag)))),
    ];
    let quantifier = select(&["", "", "ForAllValues:", "ForAnyValue:"][..]);
    (values, quantifier, any::<bool>(), select(KEYS)).prop_map(|((operator, values), quantifier, if_exists, key)| {
        let suffix = if if_exists && operator != "Null" { "IfExists" } else { "" };
        (format!("{quantifier}{operator}{suffix}"), json!({ key: values }))
    })
}

fn statement() -> impl Strategy<Value = Value> {
    let actions = one_or_many(
        select(&["s3:GetObject", "s3:*", "*", "s3:get?bject", "kms:*", "S3:Get*"][..]).prop_map(|text| json!(text)),
    );
    let resources = one_or_many(select(ARNS).prop_map(|text| json!(text)));
    let aws =
        select(&["*", "111122223333", "arn:aws:iam::111122223333:root", ALICE, ROLE, SESSION, "444455556666"][..]);
    let principals =
        prop_oneof![Just(json!("*")), prop::collection::vec(aws, 1..4).prop_map(|named| json!({ "AWS": named })),];
    let conditions =
        prop::collection::vec(condition(), 0..3).prop_map(|conditions| Value::Object(conditions.into_iter().collect()));
    (any::<[bool; 4]>(), actions, resources, principals, conditions).prop_map(
        |([deny, not_action, not_resource, not_principal], actions, resources, principals, conditions)| {
            let name = |not: bool, name: &str| if not { format!("Not{name}") } else { name.to_owned() };
            json!({
                "Effect": if deny { "Deny" } else { "Allow" },
                name(not_action, "Action"): actions,
                name(not_resource, "Resource"): resources,
                // AWS does not support NotPrincipal with Allow.
                name(not_principal && deny, "Principal"): principals,
                "Condition": conditions,
            })
        },
    )
}

fn document() -> impl Strategy<Value = Value> {
    let version = select(&["2012-10-17", "2012-10-17", "2008-10-17"][..]);
    (version, prop::collection::vec(statement(), 1..4))
        .prop_map(|(version, statements)| json!({ "Version": version, "Statement": statements }))
}

fn request() -> impl Strategy<Value = Request> {
    let who = select(CALLERS);
    let value = select(
        &["a", "b", "*", "a*", "ab", "", "1", "-2", "true", "arn:aws:s3:::a", "arn:aws:iam::111122223333:user/b"][..],
    );
    let many = prop::collection::vec(value.clone(), 0..3).prop_map(|values| json!(values));
    let keys = prop::collection::btree_map(select(KEYS), prop_oneof![value.prop_map(|text| json!(text)), many], 0..5);
    let resource = select(&["arn:aws:s3:::b/a", "arn:aws:s3:::b/ab", "arn:aws:s3:::b/*", "arn:aws:kms:::b/a"][..]);
    (select(&["111122223333", "444455556666"][..]), who, select(&["s3:GetObject", "kms:Encrypt"][..]), resource, keys)
        .prop_map(|(account, arns, action, resource, keys)| {
            // A key of several values is a list, also where it has one.
            let keys = keys.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
            Request { account, arns: arns.to_vec(), action, resource, keys }
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_global_rejects: u32::MAX, ..ProptestConfig::default() })]

    #[test]
    fn the_evaluator_says_what_the_definitions_say(
        documents in prop::collection::vec(document(), 1..3),
        requests in prop::collection::vec(request(), 8),
    ) {
        let parsed: Vec<_> = documents.iter().map(|json| Document::parse(&json.to_string(), Kind::Bucket).unwrap()).collect();
        for request in requests {
            let keys = context(&Value::Object(request.keys.clone()).to_string());
            let caller = Caller::Aws { account: request.account, names: &request.arns, canonical_user: None };
            let asked = RequestContext { caller, action: request.action, resource: request.resource, context: &keys };
            prop_assert_eq!(word(evaluate(&parsed, &asked).verdict), model::decide(&documents, &request), "{:?}", request);
        }
    }
}

/// Documents to try, each with eight requests; `POLICY_CASES` sets another number.
fn cases() -> u32 {
    std::env::var("POLICY_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(2_000)
}
