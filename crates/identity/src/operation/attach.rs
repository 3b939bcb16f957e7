//! Attach{User,Group,Role}Policy, Detach{User,Group,Role}Policy, ListAttached{User,Group,Role}Policies.

use policy::Principal;

use super::page::{Page, Paging};
use super::shapes::shapes;
use super::{Allowed, Done, Operation, Subject};
use crate::Identity;
use crate::entity::Holder;
use crate::error::Error;
use crate::limits;
use crate::managed::{not_found, require_policy_arn};
use crate::record::{Group, User};
use crate::role::Role;
use crate::store::change;

shapes! {
    request AttachUserPolicyRequest { user_name: String, policy_arn: String }
    request DetachUserPolicyRequest { user_name: String, policy_arn: String }
    request ListAttachedUserPoliciesRequest { user_name: String, path_prefix? String, marker? String, max_items? i64 }
    request AttachGroupPolicyRequest { group_name: String, policy_arn: String }
    request DetachGroupPolicyRequest { group_name: String, policy_arn: String }
    request ListAttachedGroupPoliciesRequest { group_name: String, path_prefix? String, marker? String, max_items? i64 }
    request AttachRolePolicyRequest { role_name: String, policy_arn: String }
    request DetachRolePolicyRequest { role_name: String, policy_arn: String }
    request ListAttachedRolePoliciesRequest { role_name: String, path_prefix? String, marker? String, max_items? i64 }
    shape AttachedPolicy { policy_name: String, policy_arn: String }
    shape AttachedPolicies { attached_policies: Vec<AttachedPolicy>, is_truncated: bool, marker? String }
}

/// Policies by their ARNs. The name is the end of the ARN.
pub(super) fn attached<'a>(arns: impl IntoIterator<Item = &'a String>) -> Vec<AttachedPolicy> {
    let shown = |arn: &String| {
        let policy_name = arn.rsplit('/').next().unwrap_or_default().to_owned();
        AttachedPolicy { policy_name, policy_arn: arn.clone() }
    };
    arns.into_iter().map(shown).collect()
}

impl Identity {
    /// An action that attaches or detaches a policy: on the holder, with its boundary and the policy as keys.
    async fn attach_subject<H: Holder>(
        &self,
        action: &'static str,
        caller: &Principal,
        name: &str,
        arn: &str,
    ) -> Result<Vec<Subject>, Error> {
        require_policy_arn(arn)?;
        let (subject, holder) = self.subject::<H>(action, caller, name).await?;
        let boundary = holder.as_ref().and_then(H::boundary);
        Ok(vec![subject.with("iam:PolicyARN", arn).with_some("iam:PermissionsBoundary", boundary)])
    }

    async fn attach<H: Holder>(&self, by: &Allowed, name: &str, arn: &str) -> Result<Done, Error> {
        change!(self, by.account(), |work| {
            let mut holder: H = work.require(name).await?;
            holder.modifiable()?;
            work.attached(arn, &holder.head().id).await?;
            let attached = &mut holder.policies_mut().attached;
            if !attached.iter().any(|there| there == arn) {
                if attached.len() >= limits::ATTACHED_POLICIES {
                    return Err(Error::quota(&format!("PoliciesPer{}", H::NAME), limits::ATTACHED_POLICIES));
                }
                attached.push(arn.to_owned());
            }
            work.update(&holder);
            Ok(Done {})
        })
    }

    async fn detach<H: Holder>(&self, by: &Allowed, name: &str, arn: &str) -> Result<Done, Error> {
        change!(self, by.account(), |work| {
            let mut holder: H = work.require(name).await?;
            holder.modifiable()?;
            let attached = &mut holder.policies_mut().attached;
            let place = attached.iter().position(|there| there == arn).ok_or_else(|| not_found(arn))?;
            attached.remove(place);
            work.detached(arn, &holder.head().id);
            work.update(&holder);
            Ok(Done {})
        })
    }

    async fn list_attached<H: Holder>(
        &self,
        by: &Allowed,
        name: &str,
        prefix: Option<&str>,
        (marker, max_items): (Option<&str>, Option<i64>),
    ) -> Result<AttachedPolicies, Error> {
        let holder: H = self.existing(by.account(), name).await?;
        let policies = &holder.policies().attached;
        let prefix = prefix.unwrap_or("/");
        let below = |arn: &&String| arn.split_once(":policy").is_some_and(|(_, path)| path.starts_with(prefix));
        let paging = Paging::new(marker, max_items)?;
        let page: Page<AttachedPolicy> = paging.in_order(attached(policies.iter().filter(below)));
        Ok(AttachedPolicies { is_truncated: page.is_truncated(), attached_policies: page.items, marker: page.marker })
    }
}

/// The three operations of a kind of holders.
macro_rules! attach {
    ($holder:ty, $name:ident: $attach:ident = $attach_name:literal, $detach:ident = $detach_name:literal,
     $list:ident = $list_name:literal) => {
        impl Operation for $attach {
            const NAME: &'static str = $attach_name;
            type Response = Done;

            async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
                let action = concat!("iam:", $attach_name);
                identity.attach_subject::<$holder>(action, caller, &self.$name, &self.policy_arn).await
            }

            async fn run(self, identity: &Identity, by: &Allowed) -> Result<Done, Error> {
                identity.attach::<$holder>(by, &self.$name, &self.policy_arn).await
            }
        }

        impl Operation for $detach {
            const NAME: &'static str = $detach_name;
            type Response = Done;

            async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
                let action = concat!("iam:", $detach_name);
                identity.attach_subject::<$holder>(action, caller, &self.$name, &self.policy_arn).await
            }

            async fn run(self, identity: &Identity, by: &Allowed) -> Result<Done, Error> {
                identity.detach::<$holder>(by, &self.$name, &self.policy_arn).await
            }
        }

        impl Operation for $list {
            const NAME: &'static str = $list_name;
            type Response = AttachedPolicies;

            async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
                Ok(vec![identity.subject::<$holder>(concat!("iam:", $list_name), caller, &self.$name).await?.0])
            }

            async fn run(self, identity: &Identity, by: &Allowed) -> Result<AttachedPolicies, Error> {
                let page = (self.marker.as_deref(), self.max_items);
                identity.list_attached::<$holder>(by, &self.$name, self.path_prefix.as_deref(), page).await
            }
        }
    };
}

attach!(User, user_name: AttachUserPolicyRequest = "AttachUserPolicy", DetachUserPolicyRequest = "DetachUserPolicy",
    ListAttachedUserPoliciesRequest = "ListAttachedUserPolicies");
attach!(Group, group_name: AttachGroupPolicyRequest = "AttachGroupPolicy", DetachGroupPolicyRequest = "DetachGroupPolicy",
    ListAttachedGroupPoliciesRequest = "ListAttachedGroupPolicies");
attach!(Role, role_name: AttachRolePolicyRequest = "AttachRolePolicy", DetachRolePolicyRequest = "DetachRolePolicy",
    ListAttachedRolePoliciesRequest = "ListAttachedRolePolicies");
