//! PutKeyPolicy, GetKeyPolicy, ListKeyPolicies, and what CreateKey and ReplicateKey do with a policy.
//!
//! A key's policy is kept in a row of its own, with the lasting names of its principals ([`crate::principals`]). A key without that row
//! has the default policy.

use std::sync::Arc;

use meta::Transaction;
use policy::{Document, Kind};
use serde::{Deserialize, Serialize};

use super::Done;
use super::page::{Page, slice};
use crate::Keys;
use crate::access::Action;
use crate::decide::Use;
use crate::error::Error;
use crate::identifier::KeyId;
use crate::limits::DEFAULT_PAGE;
use crate::principal::{AccountId, Principal, Region};
use crate::principals::KeyPolicy;
use crate::record::Owner;
use crate::vault::{Draft, Key, Vault};

model::requests!(kms: PutKeyPolicyRequest, GetKeyPolicyRequest, ListKeyPoliciesRequest);

/// The request of PutKeyPolicy.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PutKeyPolicyRequest {
    /// `KeyId`.
    pub key_id: String,
    /// `PolicyName`.
    pub policy_name: Option<String>,
    /// `Policy`.
    pub policy: String,
    /// `BypassPolicyLockoutSafetyCheck`.
    pub bypass_policy_lockout_safety_check: Option<bool>,
}

/// The request of GetKeyPolicy.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetKeyPolicyRequest {
    /// `KeyId`.
    pub key_id: String,
    /// `PolicyName`.
    pub policy_name: Option<String>,
}

/// The answer of GetKeyPolicy.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct GetKeyPolicyResponse {
    /// `Policy`.
    pub policy: String,
    /// `PolicyName`.
    pub policy_name: &'static str,
}

/// The request of ListKeyPolicies.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListKeyPoliciesRequest {
    /// `KeyId`.
    pub key_id: String,
    /// `Limit`.
    pub limit: Option<i64>,
    /// `Marker`.
    pub marker: Option<String>,
}

/// The answer of ListKeyPolicies.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct ListKeyPoliciesResponse {
    /// `PolicyNames`.
    pub policy_names: Vec<&'static str>,
    /// `NextMarker`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_marker: Option<String>,
    /// `Truncated`.
    pub truncated: bool,
}

/// The name of the one policy that a key has. `AWS_RAM` would be the other: no key is shared through Resource Access Manager here.
const DEFAULT: &str = "default";

impl Keys {
    /// PutKeyPolicy.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, PutKeyPolicy.
    pub async fn put_key_policy(&self, principal: &Principal, request: PutKeyPolicyRequest) -> Result<Done, Error> {
        let name = request.policy_name.as_deref().unwrap_or(DEFAULT);
        let bypass = request.bypass_policy_lockout_safety_check == Some(true);
        let flag = if bypass { "true" } else { "false" };
        let facts = [("kms:policyname", name.into()), ("kms:bypasspolicylockoutsafetycheck", flag.into())];
        let wish = Use::of(Action::PutKeyPolicy).facts(&facts);
        let key = self.find_by_id(principal, &request.key_id, wish).await?;
        match name {
            DEFAULT => {}
            "AWS_RAM" => {
                let text = "The AWS_RAM policy can only be managed by the RAM service.";
                return Err(Error::Validation(text.to_owned()));
            }
            _ => return Err(no_such_policy()),
        }
        let policy = self.key_policy(&request.policy).await?;
        self.check_lockout(principal, &key, &policy, bypass)?;
        self.vault
            .change(key.id, |draft, transaction| {
                draft.record.own_policy = true;
                Ok((Done, self.vault.put_policy(transaction, draft, &policy)))
            })
            .await
    }

    /// GetKeyPolicy.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, GetKeyPolicy.
    pub async fn get_key_policy(
        &self,
        principal: &Principal,
        request: GetKeyPolicyRequest,
    ) -> Result<GetKeyPolicyResponse, Error> {
        let name = request.policy_name.as_deref().unwrap_or(DEFAULT);
        let facts = [("kms:policyname", name.into())];
        let wish = Use::of(Action::GetKeyPolicy).facts(&facts);
        let key = self.find_by_id(principal, &request.key_id, wish).await?;
        if name != DEFAULT {
            return Err(no_such_policy());
        }
        let policy = self.policy_text(key.id, key.record.owner).await?.ok_or_else(no_such_policy)?;
        Ok(GetKeyPolicyResponse { policy, policy_name: DEFAULT })
    }

    /// The text of a key's policy, as answers have it; none of the service key, which has none.
    pub(super) async fn policy_text(&self, key: KeyId, owner: Owner) -> Result<Option<String>, Error> {
        Ok(match (self.vault.policy(key).await?, owner) {
            (Some(text), _) => Some(self.shown_policy(&text).await?),
            (None, Owner::AwsManaged(account)) => Some(managed_policy(account, &self.region)),
            (None, Owner::Customer(account)) => Some(default_policy(account)),
            (None, Owner::Service) => None,
        })
    }

    /// ListKeyPolicies.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, ListKeyPolicies.
    pub async fn list_key_policies(
        &self,
        principal: &Principal,
        request: ListKeyPoliciesRequest,
    ) -> Result<ListKeyPoliciesResponse, Error> {
        self.find_by_id(principal, &request.key_id, Action::ListKeyPolicies).await?;
        let page = Page::new(request.limit, request.marker.as_deref(), DEFAULT_PAGE)?;
        let (policy_names, next_marker) = slice(&[DEFAULT], &page, |name| name.as_bytes().to_vec())?;
        Ok(ListKeyPoliciesResponse { policy_names, truncated: next_marker.is_some(), next_marker })
    }

    /// As [`Keys::check_lockout`], of a key that is about to be made.
    ///
    /// # Errors
    /// [`Error::MalformedPolicyDocument`].
    pub(super) fn check_first_policy(
        &self,
        principal: &Principal,
        draft: &Draft,
        policy: &KeyPolicy,
        bypass: Option<bool>,
    ) -> Result<(), Error> {
        let key = Key { id: draft.id, arn: draft.arn.clone(), record: draft.record.clone(), policy: None };
        self.check_lockout(principal, &key, policy, bypass == Some(true))
    }

    /// That a policy lets the caller change it again, unless that check is bypassed.
    fn check_lockout(&self, principal: &Principal, key: &Key, policy: &KeyPolicy, bypass: bool) -> Result<(), Error> {
        if bypass || self.may_put_policy_again(principal, key, &policy.document) {
            return Ok(());
        }
        let text = "The new key policy will not allow you to update the key policy in the future.";
        Err(Error::MalformedPolicyDocument(text.to_owned()))
    }
}

impl Vault {
    /// The text of a key's policy, if it is not the default one.
    async fn policy(&self, key: KeyId) -> Result<Option<String>, Error> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
        Ok(self.read(&self.rows.policy(key), text).await?.map(|found| found.value))
    }

    /// Writes a key's policy, which has been checked. The key's record, written in the same transaction, must say that it has one.
    pub(super) fn put_policy(&self, transaction: Transaction, draft: &Draft, policy: &KeyPolicy) -> Transaction {
        debug_assert!(draft.record.own_policy, "a key's record says whether there is a policy");
        self.put(transaction, &self.rows.policy(draft.id), policy.text.as_bytes())
    }
}

fn no_such_policy() -> Error {
    Error::NotFound("No such policy exists".to_owned())
}

/// The policy of a key for which none was given, as AWS writes it (KMS Developer Guide, "Default key policy").
fn default_policy(account: AccountId) -> String {
    let statement = format!(
        r#"    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {{
      "AWS" : "arn:aws:iam::{account}:root"
    }},
    "Action" : "kms:*",
    "Resource" : "*"
"#
    );
    format!(
        "{{\n  \"Version\" : \"2012-10-17\",\n  \"Id\" : \"key-default-1\",\n  \"Statement\" : [ {{\n{statement}  }} ]\n}}"
    )
}

/// The policy of the AWS managed key of S3, ready to decide by.
pub(crate) fn managed_document(account: AccountId, region: &Region) -> Arc<Document> {
    let text = managed_policy(account, region);
    Arc::new(Document::parse(&text, Kind::Key).expect("the policy of AWS managed keys is one"))
}

/// The policy of the AWS managed key of S3, as AWS writes it.
fn managed_policy(account: AccountId, region: &Region) -> String {
    let service = format!(
        r#"    "Sid" : "Allow access through S3 for all principals in the account that are authorized to use S3",
    "Effect" : "Allow",
    "Principal" : {{
      "AWS" : "*"
    }},
    "Action" : [ "kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey" ],
    "Resource" : "*",
    "Condition" : {{
      "StringEquals" : {{
        "kms:ViaService" : "s3.{region}.amazonaws.com",
        "kms:CallerAccount" : "{account}"
      }}
    }}
"#
    );
    let metadata = format!(
        r#"    "Sid" : "Allow direct access to key metadata to the account",
    "Effect" : "Allow",
    "Principal" : {{
      "AWS" : "arn:aws:iam::{account}:root"
    }},
    "Action" : [ "kms:Describe*", "kms:Get*", "kms:List*" ],
    "Resource" : "*"
"#
    );
    format!(
        "{{\n  \"Version\" : \"2012-10-17\",\n  \"Id\" : \"auto-s3-2\",\n  \"Statement\" : [ {{\n{service}  }}, {{\n{metadata}  }} ]\n}}"
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn the_policies_that_nobody_gave_are_policies() {
        let account = AccountId::parse("111122223333").unwrap();
        let region = Region::parse("eu-west-1").unwrap();
        for (text, id) in [(default_policy(account), "key-default-1"), (managed_policy(account, &region), "auto-s3-2")]
        {
            assert_eq!(Document::parse(&text, Kind::Key).unwrap().id(), Some(id), "{text}");
        }
        assert_eq!(
            default_policy(account),
            "{\n  \"Version\" : \"2012-10-17\",\n  \"Id\" : \"key-default-1\",\n  \"Statement\" : [ {\n    \"Sid\" : \"Enable IAM User Permissions\",\n    \"Effect\" : \"Allow\",\n    \"Principal\" : {\n      \"AWS\" : \"arn:aws:iam::111122223333:root\"\n    },\n    \"Action\" : \"kms:*\",\n    \"Resource\" : \"*\"\n  } ]\n}"
        );
    }
}
