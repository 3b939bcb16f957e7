//! CreatePolicy, GetPolicy, DeletePolicy, ListPolicies.

use policy::{AccountId, Principal};

use super::page::Paging;
use super::policy_tag;
use super::shapes::shapes;
use super::tag::{Tag, shown, shown_if_any};
use super::{Allowed, Done, Operation, Subject};
use crate::Identity;
use crate::entity::{Entity, arn};
use crate::error::Error;
use crate::managed::{self, Managed, Policy as Record, Version, aws, check_document, not_found};
use crate::record::Head;
use crate::rows::{self, Kind};
use crate::store::change;
use crate::time::Timestamp;

shapes! {
    request CreatePolicyRequest {
        policy_name: String, path? String, policy_document: String, description? String, tags? Vec<Tag>
    }
    request GetPolicyRequest { policy_arn: String }
    request DeletePolicyRequest { policy_arn: String }
    request ListPoliciesRequest {
        scope? String, only_attached? bool, path_prefix? String, policy_usage_filter? String, marker? String, max_items? i64
    }
    shape Policy {
        policy_name: String, policy_id: String, arn: String, path: String, default_version_id: String,
        attachment_count: usize, permissions_boundary_usage_count: usize, is_attachable: bool, description? String,
        create_date: Timestamp, update_date: Timestamp, tags? Vec<Tag>
    }
    shape CreatePolicyResponse { policy: Policy }
    shape GetPolicyResponse { policy: Policy }
    shape ListPoliciesResponse { policies: Vec<Policy>, is_truncated: bool, marker? String }
}

impl Operation for CreatePolicyRequest {
    const NAME: &'static str = "CreatePolicy";
    type Response = CreatePolicyResponse;

    async fn subjects(&self, _: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        let path = self.path.as_deref().unwrap_or("/");
        let arn = arn(caller.account, Kind::Policy, path, &self.policy_name);
        let tags = self.tags.as_deref().unwrap_or_default();
        let mut subjects = vec![Subject::new("iam:CreatePolicy", &arn).with_request_tags(tags)];
        if !tags.is_empty() {
            subjects.push(Subject::new("iam:TagPolicy", arn).with_request_tags(tags));
        }
        Ok(subjects)
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<CreatePolicyResponse, Error> {
        let mut tags = Vec::new();
        policy_tag::merge(&mut tags, self.tags.as_deref().unwrap_or_default())?;
        check_document(&self.policy_document)?;
        let head = Head::new(identity, Kind::Policy, &self.policy_name, self.path.as_deref());
        let (created, text) = (head.created, self.policy_document);
        let versions = vec![Version { number: 1, created, text }];
        let description = self.description.filter(|text| !text.is_empty());
        let record = Record { head, description, tags, versions, default: 1, next: 2, updated: created };
        change!(identity, by.account(), |work| work.insert(&record).await)?;
        let mut policy = shown_policy(identity, by.account(), &Managed::Customers(Box::new(record.clone()))).await?;
        // As AWS answers: no description, and tags if there are any.
        policy.description = None;
        policy.tags = shown_if_any(&record.tags);
        Ok(CreatePolicyResponse { policy })
    }
}

impl Operation for GetPolicyRequest {
    const NAME: &'static str = "GetPolicy";
    type Response = GetPolicyResponse;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        Ok(vec![identity.policy_subject("iam:GetPolicy", caller, &self.policy_arn).await?])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<GetPolicyResponse, Error> {
        let found = identity.managed_policy(by.account(), &self.policy_arn).await?;
        let found = found.ok_or_else(|| not_found(&self.policy_arn))?;
        Ok(GetPolicyResponse { policy: shown_policy(identity, by.account(), &found).await? })
    }
}

impl Operation for DeletePolicyRequest {
    const NAME: &'static str = "DeletePolicy";
    type Response = Done;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        Ok(vec![identity.policy_subject("iam:DeletePolicy", caller, &self.policy_arn).await?])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<Done, Error> {
        let arn = &self.policy_arn;
        own(by, "iam:DeletePolicy", arn)?;
        change!(identity, by.account(), |work| {
            let policy = work.own_policy(arn).await?.ok_or_else(|| not_found(arn))?;
            let unattached = work.is_vacant(rows::attachments(by.account(), arn)).await?;
            if !unattached || !work.is_vacant(rows::boundaries(by.account(), arn)).await? {
                return Err(Error::DeleteConflict("Cannot delete a policy attached to entities.".to_owned()));
            }
            if policy.versions.len() > 1 {
                let text = "This policy has more than one version. Before you delete a policy, you must delete the policy's \
                            versions. The default version is deleted with the policy.";
                return Err(Error::DeleteConflict(text.to_owned()));
            }
            work.delete(&policy).await?;
            Ok(Done {})
        })
    }
}

impl Operation for ListPoliciesRequest {
    const NAME: &'static str = "ListPolicies";
    type Response = ListPoliciesResponse;

    async fn subjects(&self, _: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        let prefix = self.path_prefix.as_deref();
        Ok(vec![Subject::of_list("iam:ListPolicies", caller.account, Kind::Policy, prefix)])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<ListPoliciesResponse, Error> {
        let account = by.account();
        let scope = self.scope.as_deref().unwrap_or("All");
        let prefix = self.path_prefix.as_deref().unwrap_or("/");
        let mut arns = Vec::new();
        if scope != "Local" {
            arns.extend(
                aws::all().filter(|policy| policy.path.starts_with(prefix)).map(|policy| policy.arn.to_string()),
            );
        }
        if scope != "AWS" {
            let heads = identity.heads(account, Kind::Policy).await?;
            arns.extend(
                heads.iter().filter(|head| head.path.starts_with(prefix)).map(|head| head.arn(account, Kind::Policy)),
            );
        }
        let (filter, only_attached) = (self.policy_usage_filter.as_deref(), self.only_attached.unwrap_or_default());
        if filter.is_some() || only_attached {
            let mut used = Vec::new();
            for arn in arns {
                let usage = identity.usage(account, &arn).await?;
                let boundary = filter == Some("PermissionsBoundary");
                if if boundary { usage.boundaries > 0 } else { usage.attached > 0 } {
                    used.push(arn);
                }
            }
            arns = used;
        }
        let page = Paging::new(self.marker.as_deref(), self.max_items)?.slice(arns, |arn| arn.clone().into_bytes());
        let mut policies = Vec::with_capacity(page.items.len());
        for arn in &page.items {
            // One that was deleted meanwhile is left out.
            if let Some(found) = identity.managed_policy(account, arn).await? {
                let policy = shown_policy(identity, account, &found).await?;
                policies.push(Policy { description: None, tags: None, ..policy });
            }
        }
        Ok(ListPoliciesResponse { policies, is_truncated: page.is_truncated(), marker: page.marker })
    }
}

impl Identity {
    /// An action on a managed policy, with its tags if it is the account's own.
    ///
    /// # Errors
    /// [`Error::Validation`] if the ARN is none of a policy.
    pub(super) async fn policy_subject(
        &self,
        action: &'static str,
        caller: &Principal,
        arn: &str,
    ) -> Result<Subject, Error> {
        managed::require_policy_arn(arn)?;
        let subject = Subject::new(action, arn);
        Ok(match self.managed_policy(caller.account, arn).await? {
            Some(Managed::Customers(policy)) => subject.with_resource_tags(&policy.tags),
            _ => subject,
        })
    }
}

/// Refuses a change of what is not the account's own, as AWS's policies are nobody's.
pub(super) fn own(by: &Allowed, action: &str, arn: &str) -> Result<(), Error> {
    if aws::find(arn).is_none() {
        return Ok(());
    }
    let caller = &by.caller().arn;
    Err(Error::AccessDenied(format!("User: {caller} is not authorized to perform: {action} on resource: policy {arn}")))
}

/// A policy as GetPolicy answers it.
pub(super) async fn shown_policy(identity: &Identity, account: AccountId, policy: &Managed) -> Result<Policy, Error> {
    Ok(match policy {
        Managed::Aws(policy) => {
            let usage = identity.usage(account, &policy.arn).await?;
            Policy {
                policy_name: policy.name.to_owned(),
                policy_id: policy.id.to_owned(),
                arn: policy.arn.to_string(),
                path: policy.path.to_owned(),
                default_version_id: policy.version.to_owned(),
                attachment_count: usage.attached,
                permissions_boundary_usage_count: usage.boundaries,
                is_attachable: true,
                description: Some(policy.description.to_owned()),
                create_date: policy.created,
                update_date: policy.updated,
                tags: Some(Vec::new()),
            }
        }
        Managed::Customers(policy) => {
            let arn = policy.arn(account);
            let usage = identity.usage(account, &arn).await?;
            let head = &policy.head;
            Policy {
                policy_name: head.name.clone(),
                policy_id: head.id.clone(),
                arn,
                path: head.path.clone(),
                default_version_id: format!("v{}", policy.default),
                attachment_count: usage.attached,
                permissions_boundary_usage_count: usage.boundaries,
                is_attachable: true,
                description: policy.description.clone(),
                create_date: head.created,
                update_date: policy.updated,
                tags: Some(shown(&policy.tags)),
            }
        }
    })
}
