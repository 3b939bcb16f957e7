//! TagResource, UntagResource, ListResourceTags.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Done;
use super::page::{Page, slice};
use crate::Keys;
use crate::access::Action;
use crate::decide::Use;
use crate::error::Error;
use crate::limits::{DEFAULT_SMALL_PAGE, MAX_TAGS};
use crate::principal::Principal;
use crate::vault::gone;

model::requests!(kms: TagResourceRequest, UntagResourceRequest, ListResourceTagsRequest);

/// `Tag` of the service model.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tag {
    /// `TagKey`.
    pub tag_key: String,
    /// `TagValue`.
    pub tag_value: String,
}

/// The request of TagResource.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TagResourceRequest {
    /// `KeyId`.
    pub key_id: String,
    /// `Tags`.
    pub tags: Vec<Tag>,
}

/// The request of UntagResource.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UntagResourceRequest {
    /// `KeyId`.
    pub key_id: String,
    /// `TagKeys`.
    pub tag_keys: Vec<String>,
}

/// The request of ListResourceTags.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListResourceTagsRequest {
    /// `KeyId`.
    pub key_id: String,
    /// `Limit`; the API reference says at most 50 here, which is all the tags there can be.
    pub limit: Option<i64>,
    /// `Marker`.
    pub marker: Option<String>,
}

/// The answer of ListResourceTags.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct ListResourceTagsResponse {
    /// `Tags`.
    pub tags: Vec<Tag>,
    /// `NextMarker`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_marker: Option<String>,
    /// `Truncated`.
    pub truncated: bool,
}

impl Keys {
    /// TagResource.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, TagResource.
    pub async fn tag_resource(&self, principal: &Principal, request: TagResourceRequest) -> Result<Done, Error> {
        let tags = checked_tags(request.tags)?;
        let key = self.find_by_id(principal, &request.key_id, Use::of(Action::TagResource).tags(&tags)).await?;
        self.vault
            .change(key.id, |draft, transaction| {
                draft.record.require_not_pending(&draft.arn)?;
                draft.details.tags.extend(tags.clone());
                refuse_too_many(draft.details.tags.len())?;
                Ok((Done, transaction))
            })
            .await
    }

    /// UntagResource. Keys that no tag has are passed over, as AWS does.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, UntagResource.
    pub async fn untag_resource(&self, principal: &Principal, request: UntagResourceRequest) -> Result<Done, Error> {
        let wish = Use::of(Action::UntagResource).tag_keys(&request.tag_keys);
        let key = self.find_by_id(principal, &request.key_id, wish).await?;
        self.vault
            .change(key.id, |draft, transaction| {
                draft.record.require_not_pending(&draft.arn)?;
                for tag_key in &request.tag_keys {
                    draft.details.tags.remove(tag_key);
                }
                Ok((Done, transaction))
            })
            .await
    }

    /// ListResourceTags, in the order of tag keys.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, ListResourceTags.
    pub async fn list_resource_tags(
        &self,
        principal: &Principal,
        request: ListResourceTagsRequest,
    ) -> Result<ListResourceTagsResponse, Error> {
        let key = self.find_by_id(principal, &request.key_id, Action::ListResourceTags).await?;
        let found = self.vault.draft(key.id).await?.ok_or_else(|| gone(key.id))?;
        let tag = |(tag_key, tag_value)| Tag { tag_key, tag_value };
        let all: Vec<Tag> = found.value.details.tags.into_iter().map(tag).collect();
        let page = Page::new(request.limit, request.marker.as_deref(), DEFAULT_SMALL_PAGE)?;
        let (tags, next_marker) = slice(&all, &page, |tag| tag.tag_key.clone().into_bytes())?;
        Ok(ListResourceTagsResponse { tags, truncated: next_marker.is_some(), next_marker })
    }
}

/// Tags out of a request.
///
/// # Errors
/// [`Error::Tag`] for what AWS calls invalid tags.
pub(super) fn checked_tags(tags: Vec<Tag>) -> Result<BTreeMap<String, String>, Error> {
    refuse_too_many(tags.len())?;
    let mut checked = BTreeMap::new();
    for Tag { tag_key, tag_value } in tags {
        if tag_key.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws:")) {
            return Err(Error::Tag("Tags beginning with aws: are reserved".to_owned()));
        }
        if checked.insert(tag_key, tag_value).is_some() {
            return Err(Error::Tag("Duplicate tag keys".to_owned()));
        }
    }
    Ok(checked)
}

fn refuse_too_many(count: usize) -> Result<(), Error> {
    if count > MAX_TAGS {
        return Err(Error::Tag("Too many tags".to_owned()));
    }
    Ok(())
}
