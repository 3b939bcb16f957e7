//! Members of the AWS query protocol, as the JSON that [`check`](crate::check()) and serde take.
//!
//! `Tags.member.1.Key=a` is `{"Tags":[{"Key":"a"}]}`: a structure's members follow a dot, a list's items stand at
//! `.member.<N>` from 1 on, a map's pairs at `.entry.<N>.key` and `.entry.<N>.value`, and an empty list is the list's name with an
//! empty value (Smithy, "AWS query protocol", serialization; no request that is known here has flattened or renamed members).
//!
//! What a client sends decides nothing about memory: an index is a number to sort by, never a length, and a name is walked only
//! as deep as the shape goes. Members that the shape does not have are passed over, as AWS does. What is named twice is refused,
//! so that nobody can see another request than the one that is carried out; so is an index that is written in two ways (`01`).

use std::collections::BTreeMap;

use crate::error::Error;
use crate::shape::{Kind, Member, Shape};

/// The most members that a form may have. The widest honest ones, simulations of many actions on many resources with their context
/// entries, have several hundred.
pub const MEMBER_LIMIT: usize = 8_192;

/// The JSON text of a form's members, which are decoded. Those that belong to the protocol (`Action`, `Version`) and not to the shape
/// may be among them.
///
/// # Errors
/// [`Error::Serialization`] for a member of another kind than the shape's, for what is named twice, and for more than
/// [`MEMBER_LIMIT`] members. Constraints are not looked at: the text is for [`check`](crate::check()).
pub fn to_json<'a>(
    shape: &'static Shape,
    members: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<String, Error> {
    let mut all = Vec::new();
    for (path, text) in members {
        if all.len() == MEMBER_LIMIT {
            return refuse("The request has too many members");
        }
        all.push(Input { path, text });
    }
    let mut json = String::new();
    write(shape, all, &mut json)?;
    Ok(json)
}

/// A member of the form.
#[derive(Clone, Copy)]
struct Input<'a> {
    /// What is left of its name below the place where it belongs; empty for the place itself.
    path: &'a str,
    text: &'a str,
}

/// Writes the value that `inputs` are parts of. There is at least one, but for the request itself.
fn write(shape: &'static Shape, inputs: Vec<Input<'_>>, json: &mut String) -> Result<(), Error> {
    match &shape.kind {
        Kind::Structure(members) => structure(members, inputs, json),
        Kind::List { of, .. } => list(of, inputs, json),
        Kind::Map { key, value, .. } => map(key, value, inputs, json),
        Kind::Text { .. } | Kind::Name(_) | Kind::Blob { .. } => {
            quote(scalar(&inputs)?, json);
            Ok(())
        }
        Kind::Integer { .. } => {
            json.push_str(integer(scalar(&inputs)?)?);
            Ok(())
        }
        Kind::Boolean => {
            let text = scalar(&inputs)?;
            if text != "true" && text != "false" {
                return refuse("STRING_VALUE can not be converted to an Boolean");
            }
            json.push_str(text);
            Ok(())
        }
        // No request of the query protocol has one; the table's generator fails if that changes.
        Kind::Timestamp => refuse("STRING_VALUE can not be converted to milliseconds since epoch"),
    }
}

fn structure(members: &'static [Member], inputs: Vec<Input<'_>>, json: &mut String) -> Result<(), Error> {
    let mut parts: BTreeMap<usize, Vec<Input<'_>>> = BTreeMap::new();
    for input in inputs {
        let (name, path) = input.path.split_once('.').unwrap_or((input.path, ""));
        // `Name.` is no way to write `Name`.
        if path.is_empty() && name.len() != input.path.len() {
            continue;
        }
        if let Some(index) = members.iter().position(|member| member.name == name) {
            parts.entry(index).or_default().push(Input { path, ..input });
        }
    }
    json.push('{');
    for (count, (index, inputs)) in parts.into_iter().enumerate() {
        if count > 0 {
            json.push(',');
        }
        let member = &members[index];
        quote(member.name, json);
        json.push(':');
        write(member.shape, inputs, json)?;
    }
    json.push('}');
    Ok(())
}

fn list(of: &'static Shape, inputs: Vec<Input<'_>>, json: &mut String) -> Result<(), Error> {
    json.push('[');
    for (count, inputs) in numbered("member", inputs)?.into_values().enumerate() {
        if count > 0 {
            json.push(',');
        }
        write(of, inputs, json)?;
    }
    json.push(']');
    Ok(())
}

fn map(key: &'static Shape, value: &'static Shape, inputs: Vec<Input<'_>>, json: &mut String) -> Result<(), Error> {
    let mut pairs: BTreeMap<String, Vec<Input<'_>>> = BTreeMap::new();
    for inputs in numbered("entry", inputs)?.into_values() {
        let (mut keys, mut values) = (Vec::new(), Vec::new());
        for input in inputs {
            match input.path.split_once('.').unwrap_or((input.path, "")) {
                ("key", path) => keys.push(Input { path, ..input }),
                ("value", path) => values.push(Input { path, ..input }),
                _ => {}
            }
        }
        if keys.is_empty() || values.is_empty() {
            return refuse("Unexpected map element termination");
        }
        let mut name = String::new();
        write(key, keys, &mut name)?;
        if pairs.insert(name, values).is_some() {
            return refuse("Duplicate map key");
        }
    }
    json.push('{');
    for (count, (name, values)) in pairs.into_iter().enumerate() {
        if count > 0 {
            json.push(',');
        }
        json.push_str(&name);
        json.push(':');
        write(value, values, json)?;
    }
    json.push('}');
    Ok(())
}

/// The parts of a list or map by their numbers. `word` stands before each number.
fn numbered<'a>(word: &str, inputs: Vec<Input<'a>>) -> Result<BTreeMap<u32, Vec<Input<'a>>>, Error> {
    let mut items: BTreeMap<u32, Vec<Input<'a>>> = BTreeMap::new();
    if let [Input { path: "", text: "" }] = inputs[..] {
        return Ok(items);
    }
    for input in inputs {
        let Some(rest) = input.path.strip_prefix(word).and_then(|rest| rest.strip_prefix('.')) else {
            return refuse("Unexpected list element termination");
        };
        let (number, path) = rest.split_once('.').unwrap_or((rest, ""));
        let Some(number) = position(number) else {
            return refuse("Unexpected list element termination");
        };
        items.entry(number).or_default().push(Input { path, ..input });
    }
    Ok(items)
}

/// A number from 1 on, written in the one way that there is.
fn position(text: &str) -> Option<u32> {
    let plain = text.bytes().all(|digit| digit.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|_| plain)
}

/// The text of what is neither structure nor list nor map.
fn scalar<'a>(inputs: &[Input<'a>]) -> Result<&'a str, Error> {
    match inputs {
        [Input { path: "", text }] => Ok(text),
        [_] => refuse("Start of structure or map found where not expected."),
        _ => refuse("Duplicate field"),
    }
}

/// A whole number as JSON writes it: AWS takes leading zeros, JSON does not.
fn integer(text: &str) -> Result<&str, Error> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return refuse("STRING_VALUE can not be converted to an Integer");
    }
    let significant = digits.trim_start_matches('0');
    match (significant.is_empty(), significant.len() == digits.len()) {
        (true, _) => Ok("0"),
        (false, true) => Ok(text),
        // Zeros between the sign and the number: nobody writes so.
        (false, false) if digits.len() < text.len() => refuse("STRING_VALUE can not be converted to an Integer"),
        (false, false) => Ok(significant),
    }
}

fn quote(text: &str, json: &mut String) {
    json.push_str(&serde_json::to_string(text).expect("a string is always JSON"));
}

fn refuse<T>(text: &str) -> Result<T, Error> {
    Err(Error::Serialization(text.to_owned()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;
    use crate::{check, iam, sts};
    use proptest::prelude::*;

    fn json(shape: &'static Shape, members: &[(&str, &str)]) -> String {
        to_json(shape, members.iter().copied()).unwrap()
    }

    fn refused(shape: &'static Shape, members: &[(&str, &str)]) -> bool {
        matches!(to_json(shape, members.iter().copied()), Err(Error::Serialization(_)))
    }

    #[test]
    fn members_lists_and_structures() {
        let members = [
            ("Action", "CreateUser"),
            ("Version", "2010-05-08"),
            ("UserName", "alice"),
            ("Tags.member.2.Key", "b"),
            ("Tags.member.2.Value", ""),
            ("Tags.member.1.Key", "\"quoted\"\n"),
            ("Tags.member.1.Value", "v"),
        ];
        let text = json(&iam::CreateUserRequest, &members);
        assert_eq!(text, r#"{"UserName":"alice","Tags":[{"Key":"\"quoted\"\n","Value":"v"},{"Key":"b","Value":""}]}"#);
    }

    #[test]
    fn numbers_and_booleans_become_themselves() {
        assert_eq!(json(&iam::ListUsersRequest, &[("MaxItems", "0100")]), r#"{"MaxItems":100}"#);
        assert_eq!(json(&iam::ListUsersRequest, &[("MaxItems", "000")]), r#"{"MaxItems":0}"#);
        assert_eq!(json(&sts::AssumeRoleRequest, &[("DurationSeconds", "-5")]), r#"{"DurationSeconds":-5}"#);
        let change = &iam::UpdateAccountPasswordPolicyRequest;
        assert_eq!(json(change, &[("RequireSymbols", "true")]), r#"{"RequireSymbols":true}"#);
        for (name, text) in [("RequireSymbols", "yes"), ("MinimumPasswordLength", "six"), ("MinimumPasswordLength", "")]
        {
            assert!(refused(change, &[(name, text)]), "{name}={text}");
        }
        for text in ["1.0", "1e3", "+1", "-", "-01", "0x10", " 1", "١"] {
            assert!(refused(&iam::ListUsersRequest, &[("MaxItems", text)]), "{text}");
        }
    }

    #[test]
    fn an_empty_list_is_its_name_alone() {
        assert_eq!(json(&iam::CreateUserRequest, &[("Tags", "")]), r#"{"Tags":[]}"#);
        assert!(refused(&iam::CreateUserRequest, &[("Tags", "a")]));
        assert!(refused(&iam::CreateUserRequest, &[("Tags", ""), ("Tags.member.1.Key", "a")]));
    }

    #[test]
    fn an_index_is_no_length() {
        let text = json(
            &sts::AssumeRoleRequest,
            &[("PolicyArns.member.4294967295.arn", "x"), ("PolicyArns.member.7.arn", "y")],
        );
        assert_eq!(text, r#"{"PolicyArns":[{"arn":"y"},{"arn":"x"}]}"#);
        for index in ["0", "01", "-1", "", "4294967296", "99999999999999999999", "a", "1e3"] {
            assert!(refused(&sts::AssumeRoleRequest, &[(&format!("PolicyArns.member.{index}.arn"), "x")]), "{index}");
        }
    }

    #[test]
    fn what_is_named_twice_is_refused() {
        assert!(refused(&iam::CreateUserRequest, &[("UserName", "a"), ("UserName", "b")]));
        let key = "Tags.member.1.Key";
        assert!(refused(&iam::CreateUserRequest, &[(key, "a"), (key, "a")]));
        assert!(refused(&iam::CreateUserRequest, &[("UserName", "a"), ("UserName.member.1", "b")]));
    }

    #[test]
    fn what_the_model_does_not_know_is_passed_over() {
        assert_eq!(json(&iam::CreateUserRequest, &[("Nonsense.member.0.x", "1"), ("UserName.", "x"), ("", "")]), "{}");
        assert_eq!(json(&iam::CreateUserRequest, &[("userName", "x")]), "{}");
    }

    #[test]
    fn another_kind_than_the_models_is_refused() {
        for name in ["Tags.1.Key", "Tags.entry.1.Key", "Tags.member", "Tags.member.", "Tags.Key", "UserName.a"] {
            assert!(refused(&iam::CreateUserRequest, &[(name, "x")]), "{name}");
        }
        // A structure that is only named has no members; the check says which are missing.
        assert_eq!(json(&iam::CreateUserRequest, &[("Tags.member.1", "x")]), r#"{"Tags":[{}]}"#);
    }

    #[test]
    fn members_are_counted() {
        let many = |count| to_json(&iam::CreateUserRequest, std::iter::repeat_n(("x", ""), count)).is_ok();
        assert!(many(MEMBER_LIMIT) && !many(MEMBER_LIMIT + 1));
    }

    proptest! {
        #[test]
        fn whatever_comes_is_json_or_refused(
            operation in 0..iam::OPERATIONS.len() + sts::OPERATIONS.len(),
            members in prop::collection::vec((r"(UserName|Tags|Tags\.member|[A-Z]?|PolicyArns)(\.(member|entry|key|value|[0-9]{1,11}|[A-Za-z]{0,4})){0,4}", ".{0,6}"), 0..12),
        ) {
            let shape = iam::OPERATIONS.iter().chain(sts::OPERATIONS).nth(operation).unwrap().request;
            if let Ok(text) = to_json(shape, members.iter().map(|(name, text)| (name.as_str(), text.as_str()))) {
                prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{}", text);
                // Of the shape's types throughout: only constraints can still be broken.
                prop_assert!(!matches!(check(shape, text.as_bytes()), Err(Error::Serialization(_))), "{}", text);
            }
        }
    }
}
