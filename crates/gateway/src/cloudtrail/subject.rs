//! What an operation is about, as policies name it.
//!
//! Service Authorization Reference, "Actions, resources, and condition keys for AWS CloudTrail".

use std::borrow::Cow;

use audit::trail::{Reference, Tag, arn};
use policy::{AccountId, ContextMap};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Call, Failure};
use crate::authorize::Resource;

/// A trail, or all of the caller's account.
pub(crate) struct Subject {
    arn: String,
    owner: Option<AccountId>,
    /// Condition keys.
    pub(super) context: ContextMap,
}

impl Resource for Subject {
    fn arn(&self) -> Cow<'_, str> {
        self.arn.as_str().into()
    }

    fn owner(&self) -> Option<AccountId> {
        self.owner
    }
}

// Each subject reads the members that its operations have, and no other: of what the service model does not know the handlers see
// nothing, and neither may the decision.

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Name {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TrailName {
    trail_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NewTrail {
    name: String,
    tags_list: Option<Vec<Tag>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tagged {
    resource_id: String,
    tags_list: Option<Vec<Tag>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    resource_id_list: Vec<String>,
}

/// What is about no trail in particular.
pub(super) fn account(_: &Call<'_>) -> Result<Subject, Failure> {
    Ok(Subject { arn: "*".to_owned(), owner: None, context: ContextMap::new() })
}

/// The trail that a request names as `Name`.
pub(super) fn trail(call: &Call<'_>) -> Result<Subject, Failure> {
    existing(call, &read::<Name>(call)?.name)
}

/// The trail that a request names as `TrailName`.
pub(super) fn trail_name(call: &Call<'_>) -> Result<Subject, Failure> {
    existing(call, &read::<TrailName>(call)?.trail_name)
}

/// The trail that a request makes.
pub(super) fn new_trail(call: &Call<'_>) -> Result<Subject, Failure> {
    let NewTrail { name, tags_list } = read(call)?;
    let account = call.caller.principal().account;
    let arn = arn(account, call.caller.region(), &name);
    Ok(Subject { arn, owner: Some(account), context: with_tags(ContextMap::new(), &tags_list.unwrap_or_default()) })
}

/// The trail whose tags a request changes.
pub(super) fn tagged(call: &Call<'_>) -> Result<Subject, Failure> {
    let Tagged { resource_id, tags_list } = read(call)?;
    let mut subject = existing(call, &resource_id)?;
    subject.context = with_tags(subject.context, &tags_list.unwrap_or_default());
    Ok(subject)
}

/// The first of the trails whose tags a request asks for; the handler decides about the others.
pub(super) fn listed(call: &Call<'_>) -> Result<Subject, Failure> {
    let first = read::<Listed>(call)?.resource_id_list.into_iter().next();
    first.map_or_else(|| account(call), |arn| existing(call, &arn))
}

/// A trail by name or ARN, whether there is one or not.
pub(super) fn existing(call: &Call<'_>, text: &str) -> Result<Subject, Failure> {
    let caller = call.caller.principal().account;
    // What is no trail's name the handler refuses in its own words.
    let Ok(reference) = Reference::parse(text, caller) else {
        return Ok(Subject { arn: text.to_owned(), owner: Some(caller), context: ContextMap::new() });
    };
    let region = reference.region.as_deref().unwrap_or_else(|| call.caller.region());
    let found = call.app.trails.find(caller, region, text).ok();
    let mut context = ContextMap::new();
    for tag in found.iter().flat_map(|trail| &trail.tags) {
        context = context.with(&format!("aws:ResourceTag/{}", tag.key), tag.value.clone().unwrap_or_default());
    }
    Ok(Subject {
        arn: arn(reference.account, region, reference.name.as_str()),
        owner: Some(reference.account),
        context,
    })
}

/// What cannot be read is refused: nothing is decided about what nobody has named.
fn read<T: DeserializeOwned>(call: &Call<'_>) -> Result<T, Failure> {
    serde_json::from_slice(call.body).map_err(|_| Failure::Refused("SerializationException", String::new()))
}

fn with_tags(mut context: ContextMap, tags: &[Tag]) -> ContextMap {
    for tag in tags {
        context = context.with(&format!("aws:RequestTag/{}", tag.key), tag.value.clone().unwrap_or_default());
    }
    if tags.is_empty() { context } else { context.with_many("aws:TagKeys", tags.iter().map(|tag| tag.key.as_str())) }
}
