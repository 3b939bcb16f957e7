//! Whom key policies and grants name.
//!
//! A user or role is remembered by its unique id, so that who takes the name of a deleted one does not inherit what the old one was
//! given. Which id an ARN has, [`Principals`] knows, and is asked where policies and grants are written and shown; no decision asks it.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock, Weak};

use async_trait::async_trait;
use policy::{Document, Kind, Malformed, NamedPrincipal};

use crate::Keys;
use crate::error::{Error, Internal};
use crate::limits::MAX_POLICY;

/// Who knows the principals of the accounts.
#[async_trait]
pub trait Principals: Send + Sync {
    /// What an AWS principal is remembered by, given by an account's id, an ARN, a unique id or `*`: an account by its root ARN, a user
    /// or role by its unique id, a session by its ARN, everybody by `*`. `None`: there is no such principal.
    async fn lasting_name(&self, named: &str) -> Result<Option<String>, PrincipalsFailure>;

    /// The ARN that the user or role of a unique id has now. `None`: it is gone, or this is no such id.
    async fn arn_of(&self, unique_id: &str) -> Result<Option<String>, PrincipalsFailure>;
}

/// Why [`Principals`] do not answer; for the log.
pub type PrincipalsFailure = Box<dyn std::error::Error + Send + Sync>;

/// The [`Principals`] of a store, which have its keys themselves.
#[derive(Default)]
pub(crate) struct Directory(RwLock<Option<Weak<dyn Principals>>>);

impl Keys {
    /// From now on these know the principals, in every Region. Before, and when they are gone, no principal is known: policies and
    /// grants that name any are refused.
    pub fn set_principals(&self, principals: Weak<dyn Principals>) {
        *self.shared.principals.0.write().unwrap_or_else(PoisonError::into_inner) = Some(principals);
    }

    fn principals(&self) -> Option<std::sync::Arc<dyn Principals>> {
        self.shared.principals.0.read().unwrap_or_else(PoisonError::into_inner).as_ref()?.upgrade()
    }

    /// What a principal is remembered by; `None`: it does not exist.
    pub(crate) async fn lasting_name(&self, named: &str) -> Result<Option<String>, Error> {
        match self.principals() {
            Some(principals) => Ok(principals.lasting_name(named).await.map_err(Internal::Principals)?),
            None => Ok(None),
        }
    }

    /// How answers name whom a policy or grant remembers.
    pub(crate) async fn shown_name(&self, lasting: String) -> Result<String, Error> {
        let found = match self.principals() {
            Some(principals) => principals.arn_of(&lasting).await.map_err(Internal::Principals)?,
            None => None,
        };
        Ok(found.unwrap_or(lasting))
    }
}

/// Most bytes of a policy with lasting names, which are longer than what a request may name accounts by. With its seal it is one value of
/// the store ([`meta::MAX_VALUE`]).
const MAX_STORED_POLICY: usize = 64 * 1024 - 512;

/// A key policy that may be stored.
pub(crate) struct KeyPolicy {
    /// Each AWS principal by its lasting name.
    pub(crate) text: String,
    pub(crate) document: Document,
}

impl Keys {
    /// The policy of a request, as it is to be stored.
    ///
    /// # Errors
    /// [`Error::MalformedPolicyDocument`] also if it names a principal that does not exist; [`Error::LimitExceeded`].
    pub(crate) async fn key_policy(&self, text: &str) -> Result<KeyPolicy, Error> {
        if text.len() > MAX_POLICY {
            let text = format!("The key policy is longer than {MAX_POLICY} bytes.");
            return Err(Error::LimitExceeded(text));
        }
        let malformed = |error: Malformed| Error::MalformedPolicyDocument(error.to_string());
        let invalid = |value: String| malformed(Malformed::InvalidPrincipal { kind: "AWS", value });
        let document = Document::parse(text, Kind::Key).map_err(malformed)?;
        // Accounts have no canonical user ids here, so that nobody is meant.
        if document.principals().any(|named| matches!(named, NamedPrincipal::CanonicalUser(_))) {
            return Err(invalid(String::new()));
        }
        let mut lasting = BTreeMap::new();
        for named in policy::text::aws_principals(text) {
            let name = self.lasting_name(&named).await?.ok_or_else(|| invalid(named.clone()))?;
            lasting.insert(named, name);
        }
        let text = policy::text::exchange_aws_principals(text, &lasting);
        if text.len() > MAX_STORED_POLICY {
            let text =
                format!("The key policy is longer than {MAX_STORED_POLICY} bytes with the ARNs of its accounts.");
            return Err(Error::LimitExceeded(text));
        }
        let document = Document::parse(&text, Kind::Key).map_err(malformed)?;
        Ok(KeyPolicy { text, document })
    }

    /// A stored policy as answers have it now.
    pub(crate) async fn shown_policy(&self, text: &str) -> Result<String, Error> {
        let mut shown = BTreeMap::new();
        for named in policy::text::aws_principals(text) {
            let name = self.shown_name(named.clone()).await?;
            shown.insert(named, name);
        }
        Ok(policy::text::exchange_aws_principals(text, &shown))
    }
}
