//! What decisions are asked of: ARNs and condition keys, as the Service Authorization Reference has them for IAM.

use policy::{AccountId, ContextMap, Principal};

use super::Subject;
use super::tag::Tag;
use crate::Identity;
use crate::entity::{Entity, arn};
use crate::error::Error;
use crate::record::Head;
use crate::rows::{self, Kind};

impl Subject {
    /// An action on a resource, without condition keys.
    pub(crate) fn new(action: &'static str, arn: impl Into<String>) -> Self {
        Self { action, arn: arn.into(), context: ContextMap::new(), trust: None }
    }

    /// An action on entities of a kind at large: all below a path.
    pub(crate) fn of_list(action: &'static str, account: AccountId, kind: Kind, prefix: Option<&str>) -> Self {
        Self::new(action, arn(account, kind, prefix.unwrap_or("/"), ""))
    }

    /// With a key of one value.
    #[must_use]
    pub(crate) fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.context = self.context.with(key, value);
        self
    }

    /// With a key of one value, if there is one.
    #[must_use]
    pub(crate) fn with_some(self, key: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// With the tags of the resource.
    #[must_use]
    pub(crate) fn with_resource_tags(mut self, tags: &[(String, String)]) -> Self {
        for (key, value) in tags {
            self = self.with(&format!("aws:ResourceTag/{key}"), value).with(&format!("iam:ResourceTag/{key}"), value);
        }
        self
    }

    /// With the tags that the request gives.
    #[must_use]
    pub(crate) fn with_request_tags(mut self, tags: &[Tag]) -> Self {
        for tag in tags {
            self = self.with(&format!("aws:RequestTag/{}", tag.key), &tag.value);
        }
        self.with_tag_keys(tags.iter().map(|tag| tag.key.as_str()))
    }

    /// With the keys of tags that the request names.
    #[must_use]
    pub(crate) fn with_tag_keys<'a>(mut self, keys: impl IntoIterator<Item = &'a str>) -> Self {
        self.context = self.context.with_many("aws:TagKeys", keys);
        self
    }
}

impl Identity {
    /// An action on an entity, with its tags; and the entity, if there is one of this name.
    pub(crate) async fn subject<E: Entity>(
        &self,
        action: &'static str,
        caller: &Principal,
        name: &str,
    ) -> Result<(Subject, Option<E>), Error> {
        let entity = self.entity::<E>(caller.account, name).await?;
        let subject = match &entity {
            Some(entity) => Subject::new(action, entity.arn(caller.account)).with_resource_tags(entity.resource_tags()),
            None => Subject::new(action, arn(caller.account, E::KIND, "/", name)),
        };
        Ok((subject, entity))
    }

    /// The entity of a name, as it is now.
    pub(crate) async fn entity<E: Entity>(&self, account: AccountId, name: &str) -> Result<Option<E>, Error> {
        let Some(head) = self.rows.read::<Head>(&rows::name(account, E::KIND, name)).await? else { return Ok(None) };
        self.rows.read(&E::place(account, &head.id)).await
    }

    /// The entity of a name, as it is now.
    ///
    /// # Errors
    /// [`Error::NoSuchEntity`].
    pub(crate) async fn existing<E: Entity>(&self, account: AccountId, name: &str) -> Result<E, Error> {
        self.entity(account, name).await?.ok_or_else(|| E::missing(name))
    }
}
