//! IAM's operations on OpenID Connect providers.

use courier::Thumbprint;
use policy::{AccountId, Principal};

use super::provider::{MAX_CLIENT_IDS, MAX_THUMBPRINTS, Provider, checked_url};
use crate::Identity;
use crate::entity::Entity;
use crate::error::Error;
use crate::operation::shapes::shapes;
use crate::operation::tag::{self, Tag};
use crate::operation::{Allowed, Done, Operation, Subject};
use crate::record::Head;
use crate::rows::{self, Kind};
use crate::store::change;
use crate::time::Timestamp;

shapes! {
    request CreateOpenIDConnectProviderRequest {
        url: String,
        #[serde(rename = "ClientIDList")] client_ids? Vec<String>,
        #[serde(rename = "ThumbprintList")] thumbprints? Vec<String>,
        tags? Vec<Tag>,
    }
    request GetOpenIDConnectProviderRequest { #[serde(rename = "OpenIDConnectProviderArn")] arn: String }
    request ListOpenIDConnectProvidersRequest {}
    request DeleteOpenIDConnectProviderRequest { #[serde(rename = "OpenIDConnectProviderArn")] arn: String }
    request UpdateOpenIDConnectProviderThumbprintRequest {
        #[serde(rename = "OpenIDConnectProviderArn")] arn: String,
        #[serde(rename = "ThumbprintList")] thumbprints: Vec<String>,
    }
    request AddClientIDToOpenIDConnectProviderRequest {
        #[serde(rename = "OpenIDConnectProviderArn")] arn: String,
        #[serde(rename = "ClientID")] client_id: String,
    }
    request RemoveClientIDFromOpenIDConnectProviderRequest {
        #[serde(rename = "OpenIDConnectProviderArn")] arn: String,
        #[serde(rename = "ClientID")] client_id: String,
    }
    request TagOpenIDConnectProviderRequest {
        #[serde(rename = "OpenIDConnectProviderArn")] arn: String,
        tags: Vec<Tag>,
    }
    request UntagOpenIDConnectProviderRequest {
        #[serde(rename = "OpenIDConnectProviderArn")] arn: String,
        tag_keys: Vec<String>,
    }
    request ListOpenIDConnectProviderTagsRequest {
        #[serde(rename = "OpenIDConnectProviderArn")] arn: String,
        marker? String,
        max_items? i64,
    }
    shape CreateOpenIDConnectProviderResponse {
        #[serde(rename = "OpenIDConnectProviderArn")] arn: String,
        tags? Vec<Tag>,
    }
    shape GetOpenIDConnectProviderResponse {
        url: String,
        #[serde(rename = "ClientIDList")] client_ids: Vec<String>,
        #[serde(rename = "ThumbprintList")] thumbprints: Vec<String>,
        create_date: Timestamp,
        tags? Vec<Tag>,
    }
    shape OpenIDConnectProviderListEntry { arn: String }
    shape ListOpenIDConnectProvidersResponse {
        #[serde(rename = "OpenIDConnectProviderList")] providers: Vec<OpenIDConnectProviderListEntry>,
    }
    shape ListOpenIDConnectProviderTagsResponse { tags: Vec<Tag>, is_truncated: bool, marker? String }
}

/// The ARN of a provider that may be there.
fn arn(account: AccountId, url: &str) -> String {
    crate::entity::arn(account, Kind::Oidc, "/", url)
}

/// The name of a provider of this account. Others' are not there for it.
fn name(account: AccountId, arn: &str) -> Result<&str, Error> {
    let invalid = || Error::InvalidInput(format!("Invalid ARN: {arn}"));
    let rest = arn.strip_prefix("arn:aws:iam::").ok_or_else(invalid)?;
    let (owner, name) = rest.split_once(":oidc-provider/").ok_or_else(invalid)?;
    match AccountId::parse(owner).map_err(|_| invalid())? == account {
        true => Ok(name),
        false => Err(Provider::missing(arn)),
    }
}

async fn existing(identity: &Identity, account: AccountId, arn: &str) -> Result<Provider, Error> {
    let found = identity.entity::<Provider>(account, name(account, arn)?).await?;
    found.filter(|provider| provider.arn(account) == arn).ok_or_else(|| Provider::missing(arn))
}

async fn subject(
    identity: &Identity,
    caller: &Principal,
    action: &'static str,
    provider: &str,
) -> Result<Subject, Error> {
    let subject = Subject::new(action, provider);
    let Ok(name) = name(caller.account, provider) else { return Ok(subject) };
    let found = identity.entity::<Provider>(caller.account, name).await?;
    Ok(subject.with_resource_tags(found.as_ref().map(|provider| provider.tags.as_slice()).unwrap_or_default()))
}

fn checked_thumbprints(thumbprints: &[String]) -> Result<Vec<String>, Error> {
    if thumbprints.len() > MAX_THUMBPRINTS {
        return Err(Error::InvalidInput(format!("Thumbprint list must contain fewer than {MAX_THUMBPRINTS} entries.")));
    }
    if thumbprints.iter().any(|text| Thumbprint::parse(text).is_none()) {
        return Err(Error::InvalidInput("Thumbprint must be 40 hexadecimal digits.".to_owned()));
    }
    Ok(thumbprints.to_vec())
}

fn add_client_id(client_ids: &mut Vec<String>, client_id: &str) -> Result<(), Error> {
    if client_ids.iter().any(|known| known == client_id) {
        return Ok(());
    }
    if client_ids.len() >= MAX_CLIENT_IDS {
        return Err(Error::quota("ClientIdsPerOpenIdConnectProvider", MAX_CLIENT_IDS));
    }
    client_ids.push(client_id.to_owned());
    Ok(())
}

impl Identity {
    async fn change_provider(
        &self,
        by: &Allowed,
        arn: &str,
        edit: impl Fn(&mut Provider) -> Result<(), Error> + Send + Sync,
    ) -> Result<Done, Error> {
        let account = by.account();
        let name = name(account, arn)?;
        change!(self, account, |work| {
            let found = work.find::<Provider>(name).await?.filter(|provider| provider.arn(account) == arn);
            let mut provider = found.ok_or_else(|| Provider::missing(arn))?;
            edit(&mut provider)?;
            work.update(&provider);
            Ok(Done {})
        })
    }
}

impl Operation for CreateOpenIDConnectProviderRequest {
    const NAME: &'static str = "CreateOpenIDConnectProvider";
    type Response = CreateOpenIDConnectProviderResponse;

    async fn subjects(&self, _identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        let tags = self.tags.as_deref().unwrap_or_default();
        let arn = arn(caller.account, &checked_url(&self.url)?);
        let tagging = (!tags.is_empty()).then_some("iam:TagOpenIDConnectProvider");
        let actions = [Some("iam:CreateOpenIDConnectProvider"), tagging];
        Ok(actions.into_iter().flatten().map(|action| Subject::new(action, &arn).with_request_tags(tags)).collect())
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<Self::Response, Error> {
        let url = checked_url(&self.url)?;
        let tags = tag::checked(self.tags.as_deref())?;
        let mut client_ids = Vec::new();
        for client_id in self.client_ids.iter().flatten() {
            add_client_id(&mut client_ids, client_id)?;
        }
        let thumbprints = match self.thumbprints.as_deref().filter(|list| !list.is_empty()) {
            Some(thumbprints) => checked_thumbprints(thumbprints)?,
            None => vec![identity.thumbprint_of(&url).await?],
        };
        let provider = Provider { head: Head::new(identity, Kind::Oidc, &url, None), client_ids, thumbprints, tags };
        change!(identity, by.account(), |work| {
            work.insert(&provider).await?;
            Ok(CreateOpenIDConnectProviderResponse {
                arn: provider.arn(by.account()),
                tags: tag::shown_if_any(&provider.tags),
            })
        })
    }
}

impl Operation for GetOpenIDConnectProviderRequest {
    const NAME: &'static str = "GetOpenIDConnectProvider";
    type Response = GetOpenIDConnectProviderResponse;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        Ok(vec![subject(identity, caller, "iam:GetOpenIDConnectProvider", &self.arn).await?])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<Self::Response, Error> {
        let provider = existing(identity, by.account(), &self.arn).await?;
        Ok(GetOpenIDConnectProviderResponse {
            tags: tag::shown_if_any(&provider.tags),
            url: provider.head.name,
            client_ids: provider.client_ids,
            thumbprints: provider.thumbprints,
            create_date: provider.head.created,
        })
    }
}

impl Operation for ListOpenIDConnectProvidersRequest {
    const NAME: &'static str = "ListOpenIDConnectProviders";
    type Response = ListOpenIDConnectProvidersResponse;

    async fn subjects(&self, _identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        Ok(vec![Subject::new("iam:ListOpenIDConnectProviders", arn(caller.account, "*"))])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<Self::Response, Error> {
        let mut providers = Vec::new();
        for row in identity.rows.all(&rows::names(by.account(), Kind::Oidc)).await? {
            let head: Head = identity.rows.small(&rows::Place { key: row.key.to_vec(), kind: "name" }, &row.value)?;
            providers.push(OpenIDConnectProviderListEntry { arn: arn(by.account(), &head.name) });
        }
        Ok(ListOpenIDConnectProvidersResponse { providers })
    }
}

impl Operation for DeleteOpenIDConnectProviderRequest {
    const NAME: &'static str = "DeleteOpenIDConnectProvider";
    type Response = Done;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        Ok(vec![subject(identity, caller, "iam:DeleteOpenIDConnectProvider", &self.arn).await?])
    }

    /// "It does not fail or return an error if you call the operation for a provider that does not exist."
    async fn run(self, identity: &Identity, by: &Allowed) -> Result<Done, Error> {
        let account = by.account();
        let name = name(account, &self.arn)?;
        change!(identity, account, |work| {
            let found = work.find::<Provider>(name).await?.filter(|provider| provider.arn(account) == self.arn);
            if let Some(provider) = found {
                work.delete(&provider).await?;
            }
            Ok(Done {})
        })
    }
}

impl Operation for UpdateOpenIDConnectProviderThumbprintRequest {
    const NAME: &'static str = "UpdateOpenIDConnectProviderThumbprint";
    type Response = Done;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        Ok(vec![subject(identity, caller, "iam:UpdateOpenIDConnectProviderThumbprint", &self.arn).await?])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<Done, Error> {
        let thumbprints = checked_thumbprints(&self.thumbprints)?;
        let edit = |provider: &mut Provider| {
            provider.thumbprints.clone_from(&thumbprints);
            Ok(())
        };
        identity.change_provider(by, &self.arn, edit).await
    }
}

impl Operation for AddClientIDToOpenIDConnectProviderRequest {
    const NAME: &'static str = "AddClientIDToOpenIDConnectProvider";
    type Response = Done;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        Ok(vec![subject(identity, caller, "iam:AddClientIDToOpenIDConnectProvider", &self.arn).await?])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<Done, Error> {
        let edit = |provider: &mut Provider| add_client_id(&mut provider.client_ids, &self.client_id);
        identity.change_provider(by, &self.arn, edit).await
    }
}

impl Operation for RemoveClientIDFromOpenIDConnectProviderRequest {
    const NAME: &'static str = "RemoveClientIDFromOpenIDConnectProvider";
    type Response = Done;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        Ok(vec![subject(identity, caller, "iam:RemoveClientIDFromOpenIDConnectProvider", &self.arn).await?])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<Done, Error> {
        let edit = |provider: &mut Provider| {
            provider.client_ids.retain(|known| *known != self.client_id);
            Ok(())
        };
        identity.change_provider(by, &self.arn, edit).await
    }
}

impl Operation for TagOpenIDConnectProviderRequest {
    const NAME: &'static str = "TagOpenIDConnectProvider";
    type Response = Done;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        let subject = subject(identity, caller, "iam:TagOpenIDConnectProvider", &self.arn).await?;
        Ok(vec![subject.with_request_tags(&self.tags)])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<Done, Error> {
        let edit = |provider: &mut Provider| tag::merge(&mut provider.tags, &self.tags);
        identity.change_provider(by, &self.arn, edit).await
    }
}

impl Operation for UntagOpenIDConnectProviderRequest {
    const NAME: &'static str = "UntagOpenIDConnectProvider";
    type Response = Done;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        let subject = subject(identity, caller, "iam:UntagOpenIDConnectProvider", &self.arn).await?;
        Ok(vec![subject.with_tag_keys(self.tag_keys.iter().map(String::as_str))])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<Done, Error> {
        let edit = |provider: &mut Provider| {
            tag::remove(&mut provider.tags, &self.tag_keys);
            Ok(())
        };
        identity.change_provider(by, &self.arn, edit).await
    }
}

impl Operation for ListOpenIDConnectProviderTagsRequest {
    const NAME: &'static str = "ListOpenIDConnectProviderTags";
    type Response = ListOpenIDConnectProviderTagsResponse;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        Ok(vec![subject(identity, caller, "iam:ListOpenIDConnectProviderTags", &self.arn).await?])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<Self::Response, Error> {
        let provider = existing(identity, by.account(), &self.arn).await?;
        let page = tag::page(&provider.tags, self.marker.as_deref(), self.max_items)?;
        Ok(ListOpenIDConnectProviderTagsResponse {
            is_truncated: page.is_truncated(),
            tags: page.items,
            marker: page.marker,
        })
    }
}
