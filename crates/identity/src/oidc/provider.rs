//! Identity providers of accounts: their rows, and the tokens that an account takes because of them.

use courier::Thumbprint;
use policy::AccountId;
use serde::{Deserialize, Serialize};

use super::jwt::Unverified;
use super::web_identity::{self, WebIdentity};
use super::{Issuers, OidcNetwork, Rejected};
use crate::Identity;
use crate::entity::{Entity, Tagged};
use crate::error::Error;
use crate::limits;
use crate::record::{Head, Tags, json_records};
use crate::rows::Kind;

/// The longest URL, in characters: `OpenIDConnectProviderUrlType` of the IAM model.
const MAX_URL: usize = 255;
/// Thumbprints of a provider.
pub(super) const MAX_THUMBPRINTS: usize = 5;
/// Client ids of a provider.
pub(super) const MAX_CLIENT_IDS: usize = 100;

/// An OpenID Connect provider. Its name is its URL without `https://`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Provider {
    pub(crate) head: Head,
    #[serde(default)]
    pub(crate) client_ids: Vec<String>,
    /// 40 hexadecimal digits each.
    #[serde(default)]
    pub(crate) thumbprints: Vec<String>,
    #[serde(default)]
    pub(crate) tags: Tags,
}

json_records!(Provider);

impl Entity for Provider {
    const KIND: Kind = Kind::Oidc;
    const NAME: &'static str = "Provider";
    const QUOTA: (&'static str, usize) = ("OpenIDConnectProvidersPerAccount", limits::OIDC_PROVIDERS);

    fn head(&self) -> &Head {
        &self.head
    }

    fn head_mut(&mut self) -> &mut Head {
        &mut self.head
    }

    fn resource_tags(&self) -> &[(String, String)] {
        &self.tags
    }

    fn missing(name: &str) -> Error {
        Error::NoSuchEntity(format!("OpenIDConnect Provider not found for arn {name}"))
    }

    fn taken(name: &str) -> Error {
        Error::EntityAlreadyExists(format!("Provider with url https://{name} already exists."))
    }
}

impl Tagged for Provider {
    fn tags_mut(&mut self) -> &mut Tags {
        &mut self.tags
    }
}

/// A provider's URL without `https://`, checked: host and path, in lower case no more than the host is. AWS: no port, no query.
pub(super) fn checked_url(url: &str) -> Result<String, Error> {
    let invalid = |text: &str| Err(Error::InvalidInput(text.to_owned()));
    let Some(rest) = url.strip_prefix("https://") else { return invalid("Invalid Open ID Connect Provider URL") };
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    // One label, or an address, is nobody that a token could name as AWS would have it; a private name has a dot.
    let named =
        host.contains('.') && host.split('.').all(label) && !host.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let plain = path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-._~%!$&'()+,;=:@".contains(&byte));
    if url.len() > MAX_URL || !named || !plain || path.contains("//") {
        return invalid("Invalid Open ID Connect Provider URL");
    }
    // An issuer is compared letter by letter: a token says the host as the provider does.
    Ok(rest.to_owned())
}

impl Identity {
    /// How issuers are reached. To be called once, before requests are answered; until then nobody's web identity is taken.
    pub fn reach_issuers(&self, network: OidcNetwork) {
        // A second call is a mistake of the caller's, and changes nothing.
        drop(self.issuers.set(Issuers::new(network)));
    }

    /// The thumbprint of a provider that is created without one: "IAM will retrieve and use the top intermediate certificate authority
    /// (CA) thumbprint".
    ///
    /// # Errors
    /// [`Error::OpenIdIdpCommunication`].
    pub(super) async fn thumbprint_of(&self, url: &str) -> Result<String, Error> {
        let unreachable = || Error::OpenIdIdpCommunication("The identity provider could not be reached.".to_owned());
        let issuers = self.issuers.get().ok_or_else(unreachable)?;
        match issuers.thumbprint(url).await {
            Ok(thumbprint) => Ok(thumbprint.to_string()),
            Err(error) => {
                tracing::warn!(issuer = url, %error, "an OpenID Connect issuer showed no certificate");
                Err(unreachable())
            }
        }
    }

    /// Whom a web identity token speaks of, to an account, and the ARN of the provider there that vouches for it.
    ///
    /// # Errors
    /// As [`Rejected`]; a failing store.
    pub(crate) async fn web_identity(&self, account: AccountId, token: &str) -> Result<(WebIdentity, String), Error> {
        let token = Unverified::parse(token)?;
        let unknown = || Rejected::Issuer(token.issuer().to_owned());
        let url = token.issuer().strip_prefix("https://").ok_or_else(unknown)?.to_owned();
        let provider = self.entity::<Provider>(account, &url).await?.filter(|provider| provider.head.name == url);
        let provider = provider.ok_or_else(unknown)?;
        let thumbprints: Vec<_> = provider.thumbprints.iter().filter_map(|text| Thumbprint::parse(text)).collect();
        let issuers = self.issuers.get().ok_or(Rejected::Unreachable)?;
        let keys = issuers.keys(&url, &thumbprints, &token).await?;
        let claims = token.verify(&keys)?;
        let now = i64::try_from(self.now().as_secs()).unwrap_or(i64::MAX);
        let who = web_identity::accept(&claims, &url, &provider.client_ids, now)?;
        Ok((who, provider.arn(account)))
    }
}

/// AWS's errors for tokens.
impl From<Rejected> for Error {
    fn from(rejected: Rejected) -> Self {
        let text = rejected.to_string();
        match rejected {
            Rejected::Expired { .. } => Self::ExpiredToken(text),
            Rejected::Unreachable => Self::IdpCommunication(text),
            Rejected::Claim(_) => Self::IdpRejectedClaim(text),
            _ => Self::InvalidIdentityToken(text),
        }
    }
}
