//! Trust policies of roles.
//!
//! A principal that is a user or role is remembered by its unique id: who takes the name of a deleted one does not inherit its trust
//! (IAM User Guide, "AWS JSON policy elements: Principal"). The text is kept as it was given. It is answered with the ARNs that its
//! principals have now; in place of one that is gone stands its unique id.

use std::collections::BTreeMap;

use policy::{AccountId, Document, Malformed, NamedPrincipal};
use serde::{Deserialize, Serialize};

use crate::Identity;
use crate::entity::Entity;
use crate::error::Error;
use crate::limits;
use crate::record::{Account, Head, User};
use crate::role::Role;
use crate::rows::{self, Kind};
use crate::text;

/// A trust policy.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Trust {
    /// As it was given.
    text: String,
    /// Unique ids of the users and roles that it names, by their ARNs in the text.
    #[serde(default)]
    principals: BTreeMap<String, String>,
}

const PRINCIPALS: [&str; 3] = ["Statement", "Principal", "AWS"];

impl Trust {
    /// What decisions ask: principals are unique ids there. `None`: it does not parse, which is damage.
    pub(crate) fn document(&self) -> Option<Document> {
        let text = text::exchange(&self.text, &PRINCIPALS, |arn| self.principals.get(arn).cloned());
        Document::parse(&text, policy::Kind::Trust).ok()
    }
}

impl Identity {
    /// A trust policy that parses, of whose principals each exists.
    ///
    /// # Errors
    /// [`Error::MalformedPolicyDocument`], [`Error::LimitExceeded`].
    pub(crate) async fn parse_trust(&self, text: &str) -> Result<Trust, Error> {
        let malformed = |text: String| Error::MalformedPolicyDocument(text);
        if serde_json::from_str::<serde::de::IgnoredAny>(text).is_err() {
            return Err(malformed("This policy contains invalid Json".to_owned()));
        }
        if text::strings(text, &["Statement", "Principal"]).iter().any(|all| all == "*") {
            return Err(malformed("AssumeRolepolicy contained an invalid principal: \"STAR\":\"*\".".to_owned()));
        }
        let document = Document::parse(text, policy::Kind::Trust).map_err(|error| match error {
            Malformed::InvalidPrincipal { kind, value } => malformed(invalid_principal(kind, &value)),
            other => malformed(other.to_string()),
        })?;
        let actions = ["Action", "NotAction"].map(|element| text::strings(text, &["Statement", element]));
        if !actions.iter().flatten().all(|action| is_of_sessions(action)) {
            return Err(malformed("AssumeRole policy may only specify STS AssumeRole actions.".to_owned()));
        }
        if policy::limits::characters(text) > limits::TRUST_POLICY_SIZE {
            return Err(Error::quota("ACLSizePerRole", limits::TRUST_POLICY_SIZE));
        }
        let mut principals = BTreeMap::new();
        for named in document.principals() {
            let (written, id) = match named {
                NamedPrincipal::Account(account) => {
                    (account.clone(), self.knows_account(account).await?.then_some(None))
                }
                NamedPrincipal::Arn { arn, .. } => (arn.clone(), self.principal_id(arn).await?),
                NamedPrincipal::UniqueId(id) => (id.clone(), self.arn_of(id).await?.map(|_| None)),
                _ => continue,
            };
            let id = id.ok_or_else(|| malformed(invalid_principal("AWS", &written)))?;
            principals.extend(id.map(|id| (written, id)));
        }
        Ok(Trust { text: text.to_owned(), principals })
    }

    /// A trust policy as answers have it now.
    pub(crate) async fn show_trust(&self, trust: &Trust) -> Result<String, Error> {
        let mut changed = BTreeMap::new();
        for (arn, id) in &trust.principals {
            match self.arn_of(id).await? {
                Some(now) if now == *arn => {}
                Some(now) => drop(changed.insert(arn.as_str(), now)),
                None => drop(changed.insert(arn.as_str(), id.clone())),
            }
        }
        match changed.is_empty() {
            true => Ok(trust.text.clone()),
            false => Ok(text::exchange(&trust.text, &PRINCIPALS, |arn| changed.get(arn).cloned())),
        }
    }

    /// What a principal's ARN is remembered by: `Some(None)` for one that has no unique id, `None` for one that is not there.
    async fn principal_id(&self, arn: &str) -> Result<Option<Option<String>>, Error> {
        if let Some((account, session)) = rows::parse_session_arn(arn) {
            let there = match session {
                Some(role) => self.entity::<Role>(account, role).await?.is_some(),
                None => self.knows_account(account.as_str()).await?,
            };
            return Ok(there.then_some(None));
        }
        let Some((account, kind @ (Kind::User | Kind::Role), name)) = rows::parse_arn(arn) else { return Ok(None) };
        let head = self.rows.read::<Head>(&rows::name(account, kind, name)).await?;
        Ok(head.filter(|head| head.arn(account, kind) == arn).map(|head| Some(head.id)))
    }

    async fn knows_account(&self, account: &str) -> Result<bool, Error> {
        let Ok(account) = AccountId::parse(account) else { return Ok(false) };
        let known = self.rows.read::<Account>(&rows::account(account)).await?;
        Ok(known.map_or(account == self.home, |account| !account.closing))
    }

    /// The ARN that the user or role of a unique id has now, in whatever account; `None`: it is gone.
    pub(crate) async fn arn_of(&self, id: &str) -> Result<Option<String>, Error> {
        for account in self.account_ids().await? {
            let arn = match id {
                _ if id.starts_with(Kind::User.id_prefix()) => {
                    self.rows.read::<User>(&User::place(account, id)).await?.map(|user| user.arn(account))
                }
                _ if id.starts_with(Kind::Role.id_prefix()) => {
                    self.rows.read::<Role>(&Role::place(account, id)).await?.map(|role| role.arn(account))
                }
                _ => return Ok(None),
            };
            if arn.is_some() {
                return Ok(arn);
            }
        }
        Ok(None)
    }

    /// All accounts, the home account among them whether it has a row or not.
    pub(crate) async fn account_ids(&self) -> Result<Vec<AccountId>, Error> {
        let rows = self.rows.all(&rows::accounts()).await?;
        let mut ids: Vec<_> = rows.iter().filter_map(|row| rows::parse_account(&row.key)).collect();
        if !ids.contains(&self.home) {
            ids.push(self.home);
        }
        Ok(ids)
    }
}

fn invalid_principal(kind: &str, value: &str) -> String {
    format!("Invalid principal in policy: \"{kind}\":\"{value}\"")
}

/// Whether an action is one of those by which sessions of a role come to be, or a pattern of them.
fn is_of_sessions(action: &str) -> bool {
    const ACTIONS: [&str; 6] = [
        "sts:assumerole",
        "sts:assumerolewithsaml",
        "sts:assumerolewithwebidentity",
        "sts:tagsession",
        "sts:setsourceidentity",
        "sts:setcontext",
    ];
    let action = action.to_ascii_lowercase();
    action == "sts:*" || action == "sts:assumerole*" || ACTIONS.contains(&action.as_str())
}
