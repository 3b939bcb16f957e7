//! Trust policies of roles.
//!
//! Whom one names, [`crate::principals`] says.

use std::collections::BTreeMap;

use policy::{Document, Malformed, NamedPrincipal, text};
use serde::{Deserialize, Serialize};

use crate::Identity;
use crate::error::Error;
use crate::limits;
use crate::principals::UnknownPrincipal;

/// A trust policy.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Trust {
    /// With the lasting names of its AWS principals.
    text: String,
    /// Unique ids of the users and roles that the text names by these ARNs: once they stood here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    principals: BTreeMap<String, String>,
}

impl Trust {
    fn pinned(&self) -> String {
        text::exchange_aws_principals(&self.text, &self.principals)
    }

    /// What decisions ask. `None`: it does not parse, which is damage.
    pub(crate) fn document(&self) -> Option<Document> {
        Document::parse(&self.pinned(), policy::Kind::Trust).ok()
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
        if let Some(NamedPrincipal::CanonicalUser(id)) =
            document.principals().find(|named| matches!(named, NamedPrincipal::CanonicalUser(_)))
        {
            return Err(malformed(invalid_principal("CanonicalUser", id)));
        }
        match self.pin_policy(text).await? {
            Ok(text) => Ok(Trust { text, principals: BTreeMap::new() }),
            Err(UnknownPrincipal(named)) => Err(malformed(invalid_principal("AWS", &named))),
        }
    }

    /// A trust policy as answers have it now.
    pub(crate) async fn show_trust(&self, trust: &Trust) -> Result<String, Error> {
        self.show_policy(&trust.pinned()).await
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn a_trust_of_an_earlier_release_means_whom_it_remembers() {
        let stored = r#"{"text":"{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":[\"arn:aws:iam::111122223333:user/alice\",\"111122223333\"]},\"Action\":\"sts:AssumeRole\"}}",
            "principals":{"arn:aws:iam::111122223333:user/alice":"AIDAALICEALICEALICE12"}}"#;
        let trust: Trust = serde_json::from_str(stored).unwrap();
        let document = trust.document().unwrap();
        let named: Vec<_> = document.principals().cloned().collect();
        let (alice, account) = ("AIDAALICEALICEALICE12".to_owned(), "111122223333".to_owned());
        assert_eq!(named, [NamedPrincipal::UniqueId(alice), NamedPrincipal::Account(account)]);
    }
}
