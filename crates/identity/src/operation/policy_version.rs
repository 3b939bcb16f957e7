//! CreatePolicyVersion, GetPolicyVersion, DeletePolicyVersion, ListPolicyVersions, SetDefaultPolicyVersion.

use policy::Principal;

use super::managed_policy::own;
use super::page::Paging;
use super::shapes::shapes;
use super::{Allowed, Done, Operation, Subject};
use crate::Identity;
use crate::error::Error;
use crate::limits;
use crate::managed::{Managed, Policy, Version, check_document, not_attachable, not_found};
use crate::store::change;
use crate::text::url_encoded;
use crate::time::Timestamp;

shapes! {
    request CreatePolicyVersionRequest { policy_arn: String, policy_document: String, set_as_default? bool }
    request GetPolicyVersionRequest { policy_arn: String, version_id: String }
    request DeletePolicyVersionRequest { policy_arn: String, version_id: String }
    request SetDefaultPolicyVersionRequest { policy_arn: String, version_id: String }
    request ListPolicyVersionsRequest { policy_arn: String, marker? String, max_items? i64 }
    shape PolicyVersion { document? String, version_id: String, is_default_version: bool, create_date: Timestamp }
    shape CreatePolicyVersionResponse { policy_version: PolicyVersion }
    shape GetPolicyVersionResponse { policy_version: PolicyVersion }
    shape ListPolicyVersionsResponse { versions: Vec<PolicyVersion>, is_truncated: bool, marker? String }
}

impl PolicyVersion {
    /// Without its document.
    fn of(policy: &Policy, version: &Version) -> Self {
        Self {
            document: None,
            version_id: format!("v{}", version.number),
            is_default_version: version.number == policy.default,
            create_date: version.created,
        }
    }
}

/// All versions of a policy, with their documents, the newest first.
pub(super) fn shown_versions(policy: &Managed) -> Vec<PolicyVersion> {
    match policy {
        Managed::Aws(policy) => vec![PolicyVersion {
            document: Some(url_encoded(policy.text)),
            version_id: policy.version.to_owned(),
            is_default_version: true,
            create_date: policy.updated,
        }],
        Managed::Customers(policy) => {
            let shown = |version: &Version| PolicyVersion {
                document: Some(url_encoded(&version.text)),
                ..PolicyVersion::of(policy, version)
            };
            policy.versions.iter().rev().map(shown).collect()
        }
    }
}

impl Operation for CreatePolicyVersionRequest {
    const NAME: &'static str = "CreatePolicyVersion";
    type Response = CreatePolicyVersionResponse;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        Ok(vec![identity.policy_subject("iam:CreatePolicyVersion", caller, &self.policy_arn).await?])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<CreatePolicyVersionResponse, Error> {
        own(by, "iam:CreatePolicyVersion", &self.policy_arn)?;
        check_document(&self.policy_document)?;
        let now = identity.now();
        change!(identity, by.account(), |work| {
            let found = work.own_policy(&self.policy_arn).await?;
            let mut policy = found.ok_or_else(|| not_attachable(&self.policy_arn))?;
            if policy.versions.len() >= limits::VERSIONS_PER_POLICY {
                let text = format!(
                    "A managed policy can have up to {} versions. Before you create a new version, you must delete an existing \
                     version.",
                    limits::VERSIONS_PER_POLICY
                );
                return Err(Error::LimitExceeded(text));
            }
            let version = Version { number: policy.next, created: now, text: self.policy_document.clone() };
            if self.set_as_default == Some(true) {
                policy.default = version.number;
            }
            (policy.next, policy.updated) = (policy.next + 1, now);
            policy.versions.push(version.clone());
            work.update(&policy);
            Ok(CreatePolicyVersionResponse { policy_version: PolicyVersion::of(&policy, &version) })
        })
    }
}

impl Operation for GetPolicyVersionRequest {
    const NAME: &'static str = "GetPolicyVersion";
    type Response = GetPolicyVersionResponse;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        Ok(vec![identity.policy_subject("iam:GetPolicyVersion", caller, &self.policy_arn).await?])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<GetPolicyVersionResponse, Error> {
        let versions = identity.managed_policy(by.account(), &self.policy_arn).await?.as_ref().map(shown_versions);
        let found = versions.into_iter().flatten().find(|version| version.version_id == self.version_id);
        let policy_version = found.ok_or_else(|| no_version(&self.policy_arn, &self.version_id))?;
        Ok(GetPolicyVersionResponse { policy_version })
    }
}

impl Operation for DeletePolicyVersionRequest {
    const NAME: &'static str = "DeletePolicyVersion";
    type Response = Done;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        Ok(vec![identity.policy_subject("iam:DeletePolicyVersion", caller, &self.policy_arn).await?])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<Done, Error> {
        own(by, "iam:DeletePolicyVersion", &self.policy_arn)?;
        change!(identity, by.account(), |work| {
            let found = work.own_policy(&self.policy_arn).await?;
            let (mut policy, number) = with_version(found, &self.policy_arn, &self.version_id)?;
            if number == policy.default {
                return Err(Error::DeleteConflict("Cannot delete the default version of a policy.".to_owned()));
            }
            policy.versions.retain(|version| version.number != number);
            work.update(&policy);
            Ok(Done {})
        })
    }
}

impl Operation for SetDefaultPolicyVersionRequest {
    const NAME: &'static str = "SetDefaultPolicyVersion";
    type Response = Done;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        Ok(vec![identity.policy_subject("iam:SetDefaultPolicyVersion", caller, &self.policy_arn).await?])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<Done, Error> {
        own(by, "iam:SetDefaultPolicyVersion", &self.policy_arn)?;
        change!(identity, by.account(), |work| {
            let found = work.own_policy(&self.policy_arn).await?;
            let (mut policy, number) = with_version(found, &self.policy_arn, &self.version_id)?;
            policy.default = number;
            work.update(&policy);
            Ok(Done {})
        })
    }
}

impl Operation for ListPolicyVersionsRequest {
    const NAME: &'static str = "ListPolicyVersions";
    type Response = ListPolicyVersionsResponse;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        Ok(vec![identity.policy_subject("iam:ListPolicyVersions", caller, &self.policy_arn).await?])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<ListPolicyVersionsResponse, Error> {
        let found = identity.managed_policy(by.account(), &self.policy_arn).await?;
        let versions = shown_versions(&found.ok_or_else(|| not_found(&self.policy_arn))?);
        let versions = versions.into_iter().map(|version| PolicyVersion { document: None, ..version }).collect();
        let page = Paging::new(self.marker.as_deref(), self.max_items)?.in_order(versions);
        Ok(ListPolicyVersionsResponse { is_truncated: page.is_truncated(), versions: page.items, marker: page.marker })
    }
}

/// A policy, and the number of one of its versions.
fn with_version(policy: Option<Policy>, arn: &str, id: &str) -> Result<(Policy, u32), Error> {
    let number = id.strip_prefix('v').and_then(|number| number.parse().ok());
    let found = policy.zip(number).filter(|(policy, number)| policy.version(*number).is_some());
    found.ok_or_else(|| no_version(arn, id))
}

fn no_version(arn: &str, id: &str) -> Error {
    Error::NoSuchEntity(format!("Policy {arn} version {id} does not exist or is not attachable."))
}
