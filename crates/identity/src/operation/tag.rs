//! Tags: TagUser, UntagUser, ListUserTags, and the rules that all tags of IAM keep.

use std::collections::HashSet;

use policy::Principal;
use serde::{Deserialize, Serialize};

use super::page::{Page, Paging};
use super::shapes::shapes;
use super::{Allowed, Done, Operation, Subject};
use crate::Identity;
use crate::entity::Tagged;
use crate::error::Error;
use crate::limits;
use crate::record::{Tags, User};
use crate::store::change;

/// `Tag` of the service model.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tag {
    /// `Key`
    pub key: String,
    /// `Value`
    pub value: String,
}

shapes! {
    request TagUserRequest { user_name: String, tags: Vec<Tag> }
    request UntagUserRequest { user_name: String, tag_keys: Vec<String> }
    request ListUserTagsRequest { user_name: String, marker? String, max_items? i64 }
    shape ListUserTagsResponse { tags: Vec<Tag>, is_truncated: bool, marker? String }
}

/// Tags of a request, for an entity that has none.
///
/// # Errors
/// As [`merge`].
pub(crate) fn checked(tags: Option<&[Tag]>) -> Result<Tags, Error> {
    let mut checked = Tags::new();
    merge(&mut checked, tags.unwrap_or_default())?;
    Ok(checked)
}

/// Sets tags, in place of those whose keys differ in case alone.
///
/// # Errors
/// [`Error::InvalidInput`] for keys that are reserved or named twice; [`Error::LimitExceeded`].
pub(crate) fn merge(tags: &mut Tags, new: &[Tag]) -> Result<(), Error> {
    let mut seen = HashSet::new();
    for tag in new {
        if tag.key.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws:")) {
            return Err(Error::InvalidInput("Tag keys starting with 'aws:' are reserved.".to_owned()));
        }
        if !seen.insert(tag.key.to_lowercase()) {
            let text = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
            return Err(Error::InvalidInput(text.to_owned()));
        }
    }
    for tag in new {
        let pair = (tag.key.clone(), tag.value.clone());
        match tags.iter_mut().find(|(key, _)| same(key, &tag.key)) {
            Some(found) => *found = pair,
            None => tags.push(pair),
        }
    }
    if tags.len() > limits::TAGS {
        let text = format!("The number of tags has reached the maximum limit of {}.", limits::TAGS);
        return Err(Error::LimitExceeded(text));
    }
    Ok(())
}

/// Removes tags. Keys that no tag has are passed over, as AWS does.
pub(crate) fn remove(tags: &mut Tags, keys: &[String]) {
    tags.retain(|(key, _)| !keys.iter().any(|gone| same(key, gone)));
}

/// A page of tags, in the order of their keys.
pub(crate) fn page(tags: &Tags, marker: Option<&str>, max_items: Option<i64>) -> Result<Page<Tag>, Error> {
    Ok(Paging::new(marker, max_items)?.slice(shown(tags), |tag| tag.key.clone().into_bytes()))
}

/// Tags as answers have them.
pub(crate) fn shown(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag { key: key.clone(), value: value.clone() }).collect()
}

/// The same, for shapes that have no empty list.
pub(crate) fn shown_if_any(tags: &Tags) -> Option<Vec<Tag>> {
    (!tags.is_empty()).then(|| shown(tags))
}

fn same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

impl Identity {
    /// Sets tags of an entity.
    ///
    /// # Errors
    /// As [`merge`]; [`Error::NoSuchEntity`].
    pub(crate) async fn tag<E: Tagged>(&self, by: &Allowed, name: &str, tags: &[Tag]) -> Result<Done, Error> {
        change!(self, by.account(), |work| {
            let mut entity: E = work.require(name).await?;
            merge(entity.tags_mut(), tags)?;
            work.update(&entity);
            Ok(Done {})
        })
    }

    /// Removes tags of an entity.
    ///
    /// # Errors
    /// [`Error::NoSuchEntity`].
    pub(crate) async fn untag<E: Tagged>(&self, by: &Allowed, name: &str, keys: &[String]) -> Result<Done, Error> {
        change!(self, by.account(), |work| {
            let mut entity: E = work.require(name).await?;
            remove(entity.tags_mut(), keys);
            work.update(&entity);
            Ok(Done {})
        })
    }
}

impl Operation for TagUserRequest {
    const NAME: &'static str = "TagUser";
    type Response = Done;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        let (subject, _) = identity.subject::<User>("iam:TagUser", caller, &self.user_name).await?;
        Ok(vec![subject.with_request_tags(&self.tags)])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<Done, Error> {
        identity.tag::<User>(by, &self.user_name, &self.tags).await
    }
}

impl Operation for UntagUserRequest {
    const NAME: &'static str = "UntagUser";
    type Response = Done;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        let (subject, _) = identity.subject::<User>("iam:UntagUser", caller, &self.user_name).await?;
        Ok(vec![subject.with_tag_keys(self.tag_keys.iter().map(String::as_str))])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<Done, Error> {
        identity.untag::<User>(by, &self.user_name, &self.tag_keys).await
    }
}

impl Operation for ListUserTagsRequest {
    const NAME: &'static str = "ListUserTags";
    type Response = ListUserTagsResponse;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        Ok(vec![identity.subject::<User>("iam:ListUserTags", caller, &self.user_name).await?.0])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<ListUserTagsResponse, Error> {
        let user: User = identity.existing(by.account(), &self.user_name).await?;
        let page = page(&user.tags, self.marker.as_deref(), self.max_items)?;
        Ok(ListUserTagsResponse { is_truncated: page.is_truncated(), tags: page.items, marker: page.marker })
    }
}
