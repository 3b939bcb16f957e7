//! Whether a document may be a bucket's policy: the grammar is the policy crate's, the rest S3's own.
//!
//! AWS's words, as they were seen: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html> names only the limit.

use crate::actions::{self, About};
use crate::bucket_policy::BUCKET_POLICY_LIMIT;
use crate::error::Error;
use crate::name::BucketName;
use policy::{Document, Kind, Malformed, NamedPrincipal, Pattern};
use serde_json::Value;

/// Checks and parses.
pub(crate) fn check(bucket: &BucketName, text: &str) -> Result<Document, Error> {
    if text.len() > BUCKET_POLICY_LIMIT {
        let message =
            format!("Normalized policy document exceeds the maximum allowed size of {BUCKET_POLICY_LIMIT} bytes.");
        return Err(malformed(message, None));
    }
    let value: Value = serde_json::from_str(text).map_err(|_| malformed(NOT_JSON, None))?;
    if !text.starts_with('{') {
        return Err(malformed(NOT_JSON, None));
    }
    let document = Document::parse(text, Kind::Bucket).map_err(in_words_of_s3)?;
    // Accounts have no canonical user ids here, so that nobody is meant.
    for named in document.principals() {
        if let NamedPrincipal::CanonicalUser(id) = named {
            return Err(invalid_principal("CanonicalUser", id));
        }
    }
    for statement in one_or_many(&value["Statement"]) {
        check_statement(bucket, statement)?;
    }
    Ok(document)
}

/// Of a statement that the grammar has taken: members have their types.
fn check_statement(bucket: &BucketName, statement: &Value) -> Result<(), Error> {
    let mut about = Vec::new();
    for resource in texts(&statement["Resource"]) {
        about.extend(covered(bucket, resource)?);
    }
    for resource in texts(&statement["NotResource"]) {
        covered(bucket, resource)?;
    }
    let excepting = !statement["NotResource"].is_null();
    let keys = condition_keys(&statement["Condition"])?;
    for named in texts(&statement["NotAction"]) {
        expand(named)?;
    }
    for named in texts(&statement["Action"]) {
        let mut meant = expand(named)?;
        meant.retain(|(_, about_what)| excepting || about.contains(about_what));
        if meant.is_empty() {
            return Err(malformed("Action does not apply to any resource(s) in statement", None));
        }
        let fits = |action: &str| keys.iter().all(|key| actions::knows(action, key).unwrap_or(true));
        if !meant.iter().any(|(action, _)| fits(action)) {
            let message = "Conditions do not apply to combination of actions and resources in statement";
            return Err(malformed(message, None));
        }
    }
    Ok(())
}

/// The actions that a pattern means. Letters match in either case.
fn expand(named: &str) -> Result<Vec<(&'static str, About)>, Error> {
    let lowered = named.to_ascii_lowercase();
    let pattern = match lowered.as_str() {
        "*" => "*",
        other => other.strip_prefix("s3:").ok_or_else(|| malformed("Policy has invalid action", Some(named)))?,
    };
    let pattern = Pattern::new(pattern);
    let meant: Vec<_> = actions::all().filter(|(name, _)| pattern.matches(name)).collect();
    if meant.is_empty() { Err(malformed("Policy has invalid action", Some(named))) } else { Ok(meant) }
}

/// What of the bucket a resource covers: the bucket itself, its objects, or both. Nothing of it is an error.
fn covered(bucket: &BucketName, resource: &str) -> Result<Vec<About>, Error> {
    let pattern = wildcards(resource);
    let arn = bucket.arn();
    let (itself, objects) = (reaches(&pattern, &arn, true), reaches(&pattern, &format!("{arn}/"), false));
    let covered: Vec<_> = itself.then_some(About::Bucket).into_iter().chain(objects.then_some(About::Object)).collect();
    if covered.is_empty() { Err(malformed("Policy has invalid resource", Some(resource))) } else { Ok(covered) }
}

/// A resource with its variables as wildcards: they may become anything. `${*}` and its kin are that one character, and no wildcard.
fn wildcards(resource: &str) -> Vec<Glyph> {
    let mut glyphs = Vec::new();
    let mut rest = resource;
    while let Some(char) = rest.chars().next() {
        if let Some((name, after)) = rest.strip_prefix("${").and_then(|inner| inner.split_once('}')) {
            glyphs.push(match name {
                "*" | "?" | "$" => Glyph::Char(name.chars().next().unwrap_or_default()),
                _ => Glyph::Many,
            });
            rest = after;
            continue;
        }
        glyphs.push(match char {
            '*' => Glyph::Many,
            '?' => Glyph::One,
            char => Glyph::Char(char),
        });
        rest = &rest[char.len_utf8()..];
    }
    glyphs
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Glyph {
    Char(char),
    One,
    Many,
}

/// Whether the pattern matches `text` itself (`whole`), or some text that begins with it.
fn reaches(pattern: &[Glyph], text: &str, whole: bool) -> bool {
    // The places in the pattern at which a match of what was read may stand.
    let mut places = vec![false; pattern.len() + 1];
    places[0] = true;
    let spread = |places: &mut Vec<bool>| {
        for at in 0..pattern.len() {
            if places[at] && pattern[at] == Glyph::Many {
                places[at + 1] = true;
            }
        }
    };
    spread(&mut places);
    for char in text.chars() {
        let mut next = vec![false; pattern.len() + 1];
        for at in (0..pattern.len()).filter(|at| places[*at]) {
            match pattern[at] {
                Glyph::Many => next[at] = true,
                Glyph::One => next[at + 1] = true,
                Glyph::Char(expected) if expected == char => next[at + 1] = true,
                Glyph::Char(_) => {}
            }
        }
        places = next;
        spread(&mut places);
    }
    if whole { places[pattern.len()] } else { places.iter().any(|place| *place) }
}

/// The condition keys of a statement, in lower case; keys of S3 that do not exist, and of other services, are refused.
fn condition_keys(condition: &Value) -> Result<Vec<String>, Error> {
    let operators = condition.as_object().into_iter().flat_map(|operators| operators.values());
    let mut keys = Vec::new();
    for key in operators.filter_map(Value::as_object).flat_map(|keys| keys.keys()) {
        let lowered = key.to_ascii_lowercase();
        let known = match lowered.split_once(':') {
            // Any action will do: the question is whether the key exists.
            Some(("s3", _)) => actions::knows("getobject", &lowered).is_some(),
            Some(("aws", name)) => !name.is_empty(),
            // Keys of identity providers and of the services that roles come from: `accounts.google.com:aud`, `saml:aud`.
            Some((vendor, _)) => vendor.contains('.') || matches!(vendor, "saml" | "sts" | "iam"),
            None => false,
        };
        if !known {
            return Err(malformed("Policy has an invalid condition key", Some(key)));
        }
        keys.push(lowered);
    }
    Ok(keys)
}

fn one_or_many(value: &Value) -> &[Value] {
    match value {
        Value::Array(many) => many,
        Value::Null => &[],
        one => std::slice::from_ref(one),
    }
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    one_or_many(value).iter().filter_map(Value::as_str)
}

pub(crate) fn in_words_of_s3(error: Malformed) -> Error {
    match error {
        Malformed::Syntax(_) => malformed("Invalid policy syntax.", None),
        Malformed::NoActions => malformed("Missing required field Action", None),
        Malformed::NoResources => malformed("Missing required field Resource", None),
        Malformed::InvalidPrincipal { kind, value } => invalid_principal(kind, &value),
        Malformed::NoVendor | Malformed::ManyColons | Malformed::InvalidVendor(_) => {
            malformed("Policy has invalid action", None)
        }
        Malformed::InvalidResource(resource) => malformed("Policy has invalid resource", Some(&resource)),
        other => malformed(other.to_string(), None),
    }
}

/// AWS's words for a principal that is none.
pub(crate) fn invalid_principal(kind: &str, value: &str) -> Error {
    let detail = if kind.is_empty() { value.to_owned() } else { format!("\"{kind}\" : \"{value}\"") };
    malformed("Invalid principal in policy", Some(&detail))
}

fn malformed(message: impl Into<String>, detail: Option<&str>) -> Error {
    Error::MalformedPolicy { message: message.into(), detail: detail.map(str::to_owned) }
}

const NOT_JSON: &str = "Policies must be valid JSON and the first byte must be '{'";
