//! What the maker of a session passes to it, checked: session policies, tags, durations.

use std::collections::HashSet;

use policy::{ContextMap, Document, Kind, Principal};

use super::packed::{MAX_PACKED, Packed};
use super::request::{PolicyDescriptor, Tag};
use crate::error::Error;
use crate::record::Tags;

/// Managed session policies.
const MAX_POLICY_ARNS: usize = 10;
/// Characters of inline and managed session policies together.
const MAX_POLICY_TEXT: usize = policy::limits::SESSION_CHARACTERS;
/// Session tags that one request passes. Those inherited come on top.
const MAX_TAGS: usize = 50;
/// The longest session that a chained role, or a root user, can have, in seconds.
pub(super) const ONE_HOUR: u32 = 3_600;
/// The shortest, in seconds.
const SHORTEST: u32 = 900;

/// Session policies as they were passed.
pub(super) fn policies(
    policy: Option<&str>,
    arns: &[PolicyDescriptor],
) -> Result<(Option<String>, Vec<String>), Error> {
    if arns.len() > MAX_POLICY_ARNS {
        let text = format!("The number of policy ARNs passed, {}, exceeds the limit of {MAX_POLICY_ARNS}", arns.len());
        return Err(Error::Validation(text));
    }
    let arns: Vec<String> = arns.iter().filter_map(|policy| policy.arn.clone()).collect();
    let plain = policy.unwrap_or_default().chars().count() + arns.iter().map(|arn| arn.chars().count()).sum::<usize>();
    if plain > MAX_POLICY_TEXT {
        return Err(too_long("policy", MAX_POLICY_TEXT));
    }
    if let Some(text) = policy {
        let parsed = Document::parse(text, Kind::Identity);
        parsed.map_err(|error| Error::MalformedPolicyDocument(error.to_string()))?;
    }
    Ok((policy.map(str::to_owned), arns))
}

/// Session tags: those that are passed, and those that the calling session has to be inherited.
///
/// The source is IAM User Guide, "Pass session tags in AWS STS": keys differ in more than case, and an inherited one cannot be set.
pub(super) fn tags(
    passed: Tags,
    transitive: &[String],
    caller: Option<&Principal>,
) -> Result<(Tags, Vec<String>), Error> {
    let mut keys = HashSet::new();
    if passed.len() > MAX_TAGS {
        return Err(Error::Validation(format!("The number of session tags exceeds the limit of {MAX_TAGS}.")));
    }
    for (key, value) in &passed {
        if !(1..=128).contains(&key.chars().count()) || value.chars().count() > 256 {
            return Err(too_long("tags", 256));
        }
        if key.to_lowercase().starts_with("aws:") {
            let text = "The tag keys beginning with aws: are reserved for system use.";
            return Err(Error::Validation(text.to_owned()));
        }
        if !keys.insert(key.to_lowercase()) {
            let text = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
            return Err(Error::Validation(text.to_owned()));
        }
    }
    if !transitive.iter().all(|key| keys.contains(&key.to_lowercase())) {
        let text = "The specified transitive tag key must be included in the requested tags.";
        return Err(Error::Validation(text.to_owned()));
    }
    let inherited = caller.map(inherited).unwrap_or_default();
    if inherited.iter().any(|(key, _)| keys.contains(&key.to_lowercase())) {
        let text = "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the \
                    calling session.";
        return Err(Error::Validation(text.to_owned()));
    }
    let transitive = transitive.iter().cloned().chain(inherited.iter().map(|(key, _)| key.clone())).collect();
    Ok((passed.into_iter().chain(inherited).collect(), transitive))
}

/// The tags of a session that the next one inherits.
fn inherited(caller: &Principal) -> Tags {
    let transitive = caller.session.iter().flat_map(|session| &session.transitive_tag_keys);
    let tag = |name: &String| caller.tags.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).cloned();
    transitive.filter_map(tag).collect()
}

pub(super) fn pairs(tags: Vec<Tag>) -> Tags {
    tags.into_iter().map(|tag| (tag.key, tag.value)).collect()
}

/// The condition keys of session tags. Inherited tags are asked about as if they were passed.
pub(super) fn tag_context(mut context: ContextMap, packed: &Packed) -> ContextMap {
    for (key, value) in &packed.tags {
        context = context.with(&format!("aws:RequestTag/{key}"), value);
    }
    if !packed.tags.is_empty() {
        context = context.with_many("aws:TagKeys", packed.tags.iter().map(|(key, _)| key));
    }
    if !packed.transitive_tag_keys.is_empty() {
        context = context.with_many("sts:TransitiveTagKeys", &packed.transitive_tag_keys);
    }
    context
}

/// How much of what there may be session policies and tags take; none if nothing was passed.
pub(super) fn packed_size(packed: &Packed) -> Result<Option<u32>, Error> {
    let bytes = packed.pack().map_or(usize::MAX / 200, |bytes| bytes.len());
    if bytes > MAX_PACKED {
        let text = format!("Packed size of session tags consumes {}% of allotted space.", Packed::percentage(bytes));
        return Err(Error::PackedPolicyTooLarge(text));
    }
    Ok((bytes > 0).then(|| Packed::percentage(bytes)))
}

/// The length of a role's session, in seconds: an hour, unless the request says otherwise.
pub(super) fn role_duration(asked: Option<u32>, maximum: u32, chained: bool) -> Result<u32, Error> {
    let duration = asked.unwrap_or(ONE_HOUR);
    if chained && duration > ONE_HOUR {
        let text = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.";
        return Err(Error::Validation(text.to_owned()));
    }
    if duration > maximum {
        let text = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
        return Err(Error::Validation(text.to_owned()));
    }
    Ok(duration.max(SHORTEST))
}

/// The length of a session of a user's own, in seconds. A root user's is an hour at most, whatever was asked.
pub(super) fn own_duration(asked: Option<u32>, root: bool) -> u32 {
    const HALF_A_DAY: u32 = 43_200;
    if root { asked.unwrap_or(ONE_HOUR).min(ONE_HOUR) } else { asked.unwrap_or(HALF_A_DAY) }
}

/// As the check of the service model says it.
fn too_long(member: &str, limit: usize) -> Error {
    Error::Validation(format!(
        "1 validation error detected: Value at '{member}' failed to satisfy constraint: Member must have length less than or equal to {limit}"
    ))
}
