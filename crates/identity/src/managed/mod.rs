//! Managed policies: customers' own with their versions, and AWS's.

pub(crate) mod aws;

use std::sync::Arc;

use policy::{AccountId, Attached, Document, Malformed};
use serde::{Deserialize, Serialize};

use crate::Identity;
use crate::entity::{Entity, Tagged};
use crate::error::Error;
use crate::limits;
use crate::record::{Head, Tags, json_records};
use crate::rows::{self, Kind};
use crate::store::Work;
use crate::time::Timestamp;

/// A customer managed policy.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Policy {
    pub(crate) head: Head,
    #[serde(default)]
    pub(crate) description: Option<String>,
    /// Unlike those of users and roles, keys that differ in case are two.
    #[serde(default)]
    pub(crate) tags: Tags,
    /// In the order of their numbers; the default one is among them.
    pub(crate) versions: Vec<Version>,
    /// The number of the version in force.
    pub(crate) default: u32,
    /// The number that the next version gets: none is ever given twice.
    pub(crate) next: u32,
    pub(crate) updated: Timestamp,
}

/// A version of a managed policy.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Version {
    pub(crate) number: u32,
    pub(crate) created: Timestamp,
    /// The document as it was given.
    pub(crate) text: String,
}

json_records!(Policy);

impl Entity for Policy {
    const KIND: Kind = Kind::Policy;
    const NAME: &'static str = "Policy";
    const QUOTA: (&'static str, usize) = ("PoliciesPerAccount", limits::POLICIES);

    fn head(&self) -> &Head {
        &self.head
    }

    fn head_mut(&mut self) -> &mut Head {
        &mut self.head
    }

    fn resource_tags(&self) -> &[(String, String)] {
        &self.tags
    }

    fn taken(name: &str) -> Error {
        Error::EntityAlreadyExists(format!("A policy called {name} already exists. Duplicate names are not allowed."))
    }
}

impl Tagged for Policy {
    fn tags_mut(&mut self) -> &mut Tags {
        &mut self.tags
    }
}

impl Policy {
    /// The version of a number.
    pub(crate) fn version(&self, number: u32) -> Option<&Version> {
        self.versions.iter().find(|version| version.number == number)
    }

    /// The version in force; `None` is damage.
    pub(crate) fn in_force(&self) -> Option<&Version> {
        self.version(self.default)
    }
}

/// A managed policy that an ARN names.
pub(crate) enum Managed {
    Aws(&'static aws::AwsManaged),
    Customers(Box<Policy>),
}

impl Managed {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Aws(policy) => policy.name,
            Self::Customers(policy) => &policy.head.name,
        }
    }

    /// The document in force, as it was given.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Aws(policy) => Some(policy.text),
            Self::Customers(policy) => policy.in_force().map(|version| version.text.as_str()),
        }
    }
}

/// How many entities of an account a managed policy is used by.
#[derive(Clone, Copy, Default)]
pub(crate) struct Usage {
    pub(crate) attached: usize,
    pub(crate) boundaries: usize,
}

/// A document for a version of a managed policy, checked.
///
/// # Errors
/// [`Error::MalformedPolicyDocument`], [`Error::LimitExceeded`].
pub(crate) fn check_document(text: &str) -> Result<(), Error> {
    if serde_json::from_str::<serde::de::IgnoredAny>(text).is_err() {
        return Err(Error::MalformedPolicyDocument("Syntax errors in policy.".to_owned()));
    }
    // Inline policies may be older.
    if policy::text::strings(text, &["Version"]).last().map(String::as_str) != Some("2012-10-17") {
        let text = "Policy document must be version 2012-10-17 or greater.";
        return Err(Error::MalformedPolicyDocument(text.to_owned()));
    }
    parse_document(text)?;
    match policy::limits::characters(text) > limits::MANAGED_POLICY_SIZE {
        true => Err(Error::quota("PolicySize", limits::MANAGED_POLICY_SIZE)),
        false => Ok(()),
    }
}

/// An identity policy of a request.
///
/// # Errors
/// [`Error::MalformedPolicyDocument`].
pub(crate) fn parse_document(text: &str) -> Result<Document, Error> {
    Document::parse(text, policy::Kind::Identity).map_err(|malformed| {
        Error::MalformedPolicyDocument(match malformed {
            // AWS says no more than that.
            Malformed::Syntax(_) => "Syntax errors in policy.".to_owned(),
            other => other.to_string(),
        })
    })
}

/// Whether a text has the form of a managed policy's ARN.
pub(crate) fn is_policy_arn(text: &str) -> bool {
    let named = |path: &str| !path.is_empty() && !path.ends_with('/') && !path.contains(':');
    let Some((account, path)) = text.strip_prefix("arn:aws:iam::").and_then(|rest| rest.split_once(":policy/")) else {
        return false;
    };
    (account == "aws" || AccountId::parse(account).is_ok()) && named(path)
}

/// AWS's answer to an ARN that is none of a policy.
pub(crate) fn require_policy_arn(arn: &str) -> Result<(), Error> {
    match is_policy_arn(arn) {
        true => Ok(()),
        false => Err(Error::Validation(format!("ARN {arn} is not valid."))),
    }
}

/// AWS's answer where the policy of an ARN is not there.
pub(crate) fn not_found(arn: &str) -> Error {
    Error::NoSuchEntity(format!("Policy {arn} was not found."))
}

/// AWS's answer where what is not there should be attached.
pub(crate) fn not_attachable(arn: &str) -> Error {
    Error::NoSuchEntity(format!("Policy {arn} does not exist or is not attachable."))
}

/// The name in a policy's ARN, if the ARN is of this account.
fn own_name(account: AccountId, arn: &str) -> Option<&str> {
    match rows::parse_arn(arn)? {
        (owner, Kind::Policy, name) if owner == account => Some(name),
        _ => None,
    }
}

impl Work<'_> {
    /// The account's own policy of an ARN, to be changed.
    pub(crate) async fn own_policy(&mut self, arn: &str) -> Result<Option<Policy>, Error> {
        let Some(name) = own_name(self.account, arn) else { return Ok(None) };
        let found = self.find::<Policy>(name).await?;
        Ok(found.filter(|policy| policy.arn(self.account) == arn))
    }

    /// The policy of an ARN that the account may attach. A change expects that it is there still.
    pub(crate) async fn managed(&mut self, arn: &str) -> Result<Option<Managed>, Error> {
        if let Some(policy) = aws::find(arn) {
            return Ok(Some(Managed::Aws(policy)));
        }
        Ok(self.own_policy(arn).await?.map(Box::new).map(Managed::Customers))
    }
}

impl Identity {
    /// The policy of an ARN as it is now, of those that an account sees: its own, and AWS's.
    pub(crate) async fn managed_policy(&self, account: AccountId, arn: &str) -> Result<Option<Managed>, Error> {
        if let Some(policy) = aws::find(arn) {
            return Ok(Some(Managed::Aws(policy)));
        }
        let Some(name) = own_name(account, arn) else { return Ok(None) };
        let found = self.entity::<Policy>(account, name).await?;
        Ok(found.filter(|policy| policy.arn(account) == arn).map(Box::new).map(Managed::Customers))
    }

    /// Who uses a managed policy.
    pub(crate) async fn usage(&self, account: AccountId, arn: &str) -> Result<Usage, Error> {
        let attached = self.rows.all(&rows::attachments(account, arn)).await?.len();
        let boundaries = self.rows.all(&rows::boundaries(account, arn)).await?.len();
        Ok(Usage { attached, boundaries })
    }

    /// The default version of a managed policy that something names.
    ///
    /// # Errors
    /// A failing store. A policy that is attached cannot be deleted: that it is not there is damage, and never means less denial.
    pub(crate) async fn managed(&self, account: AccountId, arn: &str) -> Result<Attached, Error> {
        let damaged = || Error::damaged("policy", &rows::attachment(account, arn, "").key);
        let source: Arc<str> = Arc::from(arn);
        let document = match self.managed_policy(account, arn).await?.ok_or_else(damaged)? {
            Managed::Aws(policy) => Arc::clone(&policy.document),
            Managed::Customers(policy) => {
                let version = policy.in_force().ok_or_else(damaged)?;
                Arc::new(Document::parse(&version.text, policy::Kind::Identity).map_err(|_| damaged())?)
            }
        };
        Ok(Attached { source, document })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_of_policies_have_their_form() {
        for good in ["arn:aws:iam::aws:policy/A", "arn:aws:iam::123456789012:policy/a/b/C"] {
            assert!(is_policy_arn(good), "{good}");
        }
        for bad in [
            "",
            "longpolicynamebutnoarn",
            "arn:aws:iam::12:policy/A",
            "arn:aws:iam::aws:role/A",
            "arn:aws:iam::aws:policy/",
        ] {
            assert!(!is_policy_arn(bad), "{bad}");
        }
    }
}
