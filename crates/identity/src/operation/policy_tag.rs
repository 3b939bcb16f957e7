//! TagPolicy, UntagPolicy, ListPolicyTags. Keys of a policy's tags that differ in case are two tags.

use std::collections::HashSet;

use policy::Principal;

use super::managed_policy::own;
use super::shapes::shapes;
use super::tag::{Tag, page};
use super::{Allowed, Done, Operation, Subject};
use crate::Identity;
use crate::error::Error;
use crate::limits;
use crate::managed::{Managed, not_found};
use crate::record::Tags;
use crate::store::change;

shapes! {
    request TagPolicyRequest { policy_arn: String, tags: Vec<Tag> }
    request UntagPolicyRequest { policy_arn: String, tag_keys: Vec<String> }
    request ListPolicyTagsRequest { policy_arn: String, marker? String, max_items? i64 }
    shape ListPolicyTagsResponse { tags: Vec<Tag>, is_truncated: bool, marker? String }
}

/// Sets tags, in place of those of the same keys.
///
/// # Errors
/// [`Error::InvalidInput`] for keys that are reserved or named twice; [`Error::LimitExceeded`].
pub(super) fn merge(tags: &mut Tags, new: &[Tag]) -> Result<(), Error> {
    let mut seen = HashSet::new();
    for tag in new {
        if tag.key.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws:")) {
            return Err(Error::InvalidInput("Tag keys starting with 'aws:' are reserved.".to_owned()));
        }
        if !seen.insert(&tag.key) {
            return Err(Error::InvalidInput("Duplicate tag keys found.".to_owned()));
        }
    }
    for tag in new {
        match tags.iter_mut().find(|(key, _)| *key == tag.key) {
            Some((_, value)) => value.clone_from(&tag.value),
            None => tags.push((tag.key.clone(), tag.value.clone())),
        }
    }
    match tags.len() > limits::TAGS {
        true => {
            Err(Error::LimitExceeded(format!("The number of tags has reached the maximum limit of {}.", limits::TAGS)))
        }
        false => Ok(()),
    }
}

impl Operation for TagPolicyRequest {
    const NAME: &'static str = "TagPolicy";
    type Response = Done;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        let subject = identity.policy_subject("iam:TagPolicy", caller, &self.policy_arn).await?;
        Ok(vec![subject.with_request_tags(&self.tags)])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<Done, Error> {
        own(by, "iam:TagPolicy", &self.policy_arn)?;
        change!(identity, by.account(), |work| {
            let found = work.own_policy(&self.policy_arn).await?;
            let mut policy = found.ok_or_else(|| not_found(&self.policy_arn))?;
            merge(&mut policy.tags, &self.tags)?;
            work.update(&policy);
            Ok(Done {})
        })
    }
}

impl Operation for UntagPolicyRequest {
    const NAME: &'static str = "UntagPolicy";
    type Response = Done;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        let subject = identity.policy_subject("iam:UntagPolicy", caller, &self.policy_arn).await?;
        Ok(vec![subject.with_tag_keys(self.tag_keys.iter().map(String::as_str))])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<Done, Error> {
        own(by, "iam:UntagPolicy", &self.policy_arn)?;
        change!(identity, by.account(), |work| {
            let found = work.own_policy(&self.policy_arn).await?;
            let mut policy = found.ok_or_else(|| not_found(&self.policy_arn))?;
            policy.tags.retain(|(key, _)| !self.tag_keys.contains(key));
            work.update(&policy);
            Ok(Done {})
        })
    }
}

impl Operation for ListPolicyTagsRequest {
    const NAME: &'static str = "ListPolicyTags";
    type Response = ListPolicyTagsResponse;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        Ok(vec![identity.policy_subject("iam:ListPolicyTags", caller, &self.policy_arn).await?])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<ListPolicyTagsResponse, Error> {
        let tags = match identity.managed_policy(by.account(), &self.policy_arn).await? {
            Some(Managed::Customers(policy)) => policy.tags,
            Some(Managed::Aws(_)) => Tags::new(),
            None => return Err(not_found(&self.policy_arn)),
        };
        let page = page(&tags, self.marker.as_deref(), self.max_items)?;
        Ok(ListPolicyTagsResponse { is_truncated: page.is_truncated(), tags: page.items, marker: page.marker })
    }
}
