//! Inline policies of users, groups and roles: Put, Get, Delete and List.

use policy::Principal;
use policy::limits::characters;

use super::page::Paging;
use super::shapes::shapes;
use super::{Allowed, Done, Operation, Subject};
use crate::Identity;
use crate::entity::{Entity, Holder};
use crate::error::Error;
use crate::managed::parse_document;
use crate::record::{Group, User};
use crate::role::Role;
use crate::store::change;
use crate::text::url_encoded;

shapes! {
    request PutUserPolicyRequest { user_name: String, policy_name: String, policy_document: String }
    request GetUserPolicyRequest { user_name: String, policy_name: String }
    shape GetUserPolicyResponse { user_name: String, policy_name: String, policy_document: String }
    request DeleteUserPolicyRequest { user_name: String, policy_name: String }
    request ListUserPoliciesRequest { user_name: String, marker? String, max_items? i64 }
    request PutGroupPolicyRequest { group_name: String, policy_name: String, policy_document: String }
    request GetGroupPolicyRequest { group_name: String, policy_name: String }
    shape GetGroupPolicyResponse { group_name: String, policy_name: String, policy_document: String }
    request DeleteGroupPolicyRequest { group_name: String, policy_name: String }
    request ListGroupPoliciesRequest { group_name: String, marker? String, max_items? i64 }
    request PutRolePolicyRequest { role_name: String, policy_name: String, policy_document: String }
    request GetRolePolicyRequest { role_name: String, policy_name: String }
    shape GetRolePolicyResponse { role_name: String, policy_name: String, policy_document: String }
    request DeleteRolePolicyRequest { role_name: String, policy_name: String }
    request ListRolePoliciesRequest { role_name: String, marker? String, max_items? i64 }
    shape PolicyNames { policy_names: Vec<String>, is_truncated: bool, marker? String }
}

impl Identity {
    /// An action on the holder of inline policies, with its permissions boundary.
    async fn inline_subject<H: Holder>(
        &self,
        action: &'static str,
        caller: &Principal,
        name: &str,
    ) -> Result<Vec<Subject>, Error> {
        let (subject, holder) = self.subject::<H>(action, caller, name).await?;
        let boundary = holder.as_ref().and_then(H::boundary);
        Ok(vec![subject.with_some("iam:PermissionsBoundary", boundary)])
    }

    async fn put_inline<H: Holder>(&self, by: &Allowed, name: &str, policy: &str, text: &str) -> Result<Done, Error> {
        parse_document(text)?;
        change!(self, by.account(), |work| {
            let mut holder: H = work.require(name).await?;
            holder.modifiable()?;
            let inline = &mut holder.policies_mut().inline;
            inline.insert(policy.to_owned(), text.to_owned());
            if inline.values().map(|text| characters(text)).sum::<usize>() > H::POLICY_SIZE {
                let (limit, kind) = (H::POLICY_SIZE, H::KIND.arn_type());
                let text = format!("Maximum policy size of {limit} bytes exceeded for {kind} {name}");
                return Err(Error::LimitExceeded(text));
            }
            work.update(&holder);
            Ok(Done {})
        })
    }

    async fn get_inline<H: Holder>(&self, by: &Allowed, name: &str, policy: &str) -> Result<(String, String), Error> {
        let holder: H = self.existing(by.account(), name).await?;
        let text = holder.policies().inline.get(policy).ok_or_else(|| no_policy::<H>(policy))?;
        Ok((holder.head().name.clone(), url_encoded(text)))
    }

    async fn delete_inline<H: Holder>(&self, by: &Allowed, name: &str, policy: &str) -> Result<Done, Error> {
        change!(self, by.account(), |work| {
            let mut holder: H = work.require(name).await?;
            holder.modifiable()?;
            holder.policies_mut().inline.remove(policy).ok_or_else(|| no_policy::<H>(policy))?;
            work.update(&holder);
            Ok(Done {})
        })
    }

    async fn list_inline<H: Holder>(
        &self,
        by: &Allowed,
        name: &str,
        (marker, max_items): (Option<&str>, Option<i64>),
    ) -> Result<PolicyNames, Error> {
        let holder: H = self.existing(by.account(), name).await?;
        let names = holder.policies().inline.keys().cloned().collect();
        let page = Paging::new(marker, max_items)?.slice(names, |name| name.clone().into_bytes());
        Ok(PolicyNames { is_truncated: page.is_truncated(), policy_names: page.items, marker: page.marker })
    }
}

fn no_policy<H: Entity>(policy: &str) -> Error {
    let kind = H::KIND.arn_type();
    Error::NoSuchEntity(format!("The {kind} policy with name {policy} cannot be found."))
}

/// The four operations of a kind of holders.
macro_rules! inline {
    ($holder:ty, $name:ident: $put:ident = $put_name:literal, $get:ident -> $got:ident = $get_name:literal,
     $delete:ident = $delete_name:literal, $list:ident = $list_name:literal) => {
        impl Operation for $put {
            const NAME: &'static str = $put_name;
            type Response = Done;

            async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
                identity.inline_subject::<$holder>(concat!("iam:", $put_name), caller, &self.$name).await
            }

            async fn run(self, identity: &Identity, by: &Allowed) -> Result<Done, Error> {
                identity.put_inline::<$holder>(by, &self.$name, &self.policy_name, &self.policy_document).await
            }
        }

        impl Operation for $get {
            const NAME: &'static str = $get_name;
            type Response = $got;

            async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
                Ok(vec![identity.subject::<$holder>(concat!("iam:", $get_name), caller, &self.$name).await?.0])
            }

            async fn run(self, identity: &Identity, by: &Allowed) -> Result<$got, Error> {
                let (name, text) = identity.get_inline::<$holder>(by, &self.$name, &self.policy_name).await?;
                Ok($got { $name: name, policy_name: self.policy_name, policy_document: text })
            }
        }

        impl Operation for $delete {
            const NAME: &'static str = $delete_name;
            type Response = Done;

            async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
                identity.inline_subject::<$holder>(concat!("iam:", $delete_name), caller, &self.$name).await
            }

            async fn run(self, identity: &Identity, by: &Allowed) -> Result<Done, Error> {
                identity.delete_inline::<$holder>(by, &self.$name, &self.policy_name).await
            }
        }

        impl Operation for $list {
            const NAME: &'static str = $list_name;
            type Response = PolicyNames;

            async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
                Ok(vec![identity.subject::<$holder>(concat!("iam:", $list_name), caller, &self.$name).await?.0])
            }

            async fn run(self, identity: &Identity, by: &Allowed) -> Result<PolicyNames, Error> {
                let page = (self.marker.as_deref(), self.max_items);
                identity.list_inline::<$holder>(by, &self.$name, page).await
            }
        }
    };
}

inline!(User, user_name: PutUserPolicyRequest = "PutUserPolicy", GetUserPolicyRequest -> GetUserPolicyResponse = "GetUserPolicy",
    DeleteUserPolicyRequest = "DeleteUserPolicy", ListUserPoliciesRequest = "ListUserPolicies");
inline!(Group, group_name: PutGroupPolicyRequest = "PutGroupPolicy", GetGroupPolicyRequest -> GetGroupPolicyResponse = "GetGroupPolicy",
    DeleteGroupPolicyRequest = "DeleteGroupPolicy", ListGroupPoliciesRequest = "ListGroupPolicies");
inline!(Role, role_name: PutRolePolicyRequest = "PutRolePolicy", GetRolePolicyRequest -> GetRolePolicyResponse = "GetRolePolicy",
    DeleteRolePolicyRequest = "DeleteRolePolicy", ListRolePoliciesRequest = "ListRolePolicies");
