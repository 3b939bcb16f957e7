//! CreateAccountAlias, DeleteAccountAlias, ListAccountAliases, GetAccountSummary.

use std::collections::BTreeMap;

use ::policy::Principal;

use super::page::Paging;
use super::shapes::shapes;
use super::{Allowed, Done, Operation, Subject};
use crate::Identity;
use crate::entity::Entity;
use crate::error::Error;
use crate::limits;
use crate::managed::Policy;
use crate::mfa::Device;
use crate::record::{AccountText, AliasOwner, Head};
use crate::rows::{self, Kind, Place};
use crate::store::{Work, change};

shapes! {
    request CreateAccountAliasRequest { account_alias: String }
    request DeleteAccountAliasRequest { account_alias: String }
    request ListAccountAliasesRequest { marker? String, max_items? i64 }
    shape ListAccountAliasesResponse { account_aliases: Vec<String>, is_truncated: bool, marker? String }
    request GetAccountSummaryRequest { }
    shape GetAccountSummaryResponse { summary_map: BTreeMap<&'static str, usize> }
}

impl Operation for CreateAccountAliasRequest {
    const NAME: &'static str = "CreateAccountAlias";
    type Response = Done;

    async fn subjects(&self, _: &Identity, _: &Principal) -> Result<Vec<Subject>, Error> {
        Ok(vec![Subject::new("iam:CreateAccountAlias", "*")])
    }

    /// A new alias takes the place of the one before: an account has one (IAM User Guide, "Your AWS account ID and its alias").
    async fn run(self, identity: &Identity, by: &Allowed) -> Result<Done, Error> {
        change!(identity, by.account(), |work| {
            let mut account = work.account().await?;
            let place = rows::alias(&self.account_alias);
            match work.read::<AliasOwner>(&place).await? {
                Some(owner) if owner.0.0 != by.account() => {
                    let text = format!("The account alias {} already exists.", self.account_alias);
                    return Err(Error::EntityAlreadyExists(text));
                }
                Some(_) => {}
                None => {
                    account.aliases.iter().for_each(|former| work.remove(&rows::alias(former)));
                    work.write(&place, &AliasOwner(AccountText(by.account())));
                    account.aliases = vec![self.account_alias.clone()];
                    work.put_account(&account);
                }
            }
            Ok(Done {})
        })
    }
}

impl Operation for DeleteAccountAliasRequest {
    const NAME: &'static str = "DeleteAccountAlias";
    type Response = Done;

    async fn subjects(&self, _: &Identity, _: &Principal) -> Result<Vec<Subject>, Error> {
        Ok(vec![Subject::new("iam:DeleteAccountAlias", "*")])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<Done, Error> {
        change!(identity, by.account(), |work| {
            let mut account = work.account().await?;
            let before = account.aliases.len();
            account.aliases.retain(|alias| *alias != self.account_alias);
            if account.aliases.len() == before {
                let text = format!("The account alias with name {} cannot be found.", self.account_alias);
                return Err(Error::NoSuchEntity(text));
            }
            work.remove(&rows::alias(&self.account_alias));
            work.put_account(&account);
            Ok(Done {})
        })
    }
}

impl Operation for ListAccountAliasesRequest {
    const NAME: &'static str = "ListAccountAliases";
    type Response = ListAccountAliasesResponse;

    async fn subjects(&self, _: &Identity, _: &Principal) -> Result<Vec<Subject>, Error> {
        Ok(vec![Subject::new("iam:ListAccountAliases", "*")])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<ListAccountAliasesResponse, Error> {
        let account = Work::new(identity, by.account()).account().await?;
        let page = Paging::new(self.marker.as_deref(), self.max_items)?.in_order(account.aliases);
        let is_truncated = page.is_truncated();
        Ok(ListAccountAliasesResponse { account_aliases: page.items, is_truncated, marker: page.marker })
    }
}

impl Identity {
    /// Every entity of a kind.
    async fn every<E: Entity>(&self, account: ::policy::AccountId) -> Result<Vec<E>, Error> {
        let mut found = Vec::new();
        for row in self.rows.all(&rows::names(account, E::KIND)).await? {
            let head: Head = self.rows.small(&Place { key: row.key.to_vec(), kind: "name" }, &row.value)?;
            found.extend(self.rows.read::<E>(&E::place(account, &head.id)).await?);
        }
        Ok(found)
    }
}

impl Operation for GetAccountSummaryRequest {
    const NAME: &'static str = "GetAccountSummary";
    type Response = GetAccountSummaryResponse;

    async fn subjects(&self, _: &Identity, _: &Principal) -> Result<Vec<Subject>, Error> {
        Ok(vec![Subject::new("iam:GetAccountSummary", "*")])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<GetAccountSummaryResponse, Error> {
        let account = Work::new(identity, by.account()).account().await?;
        let devices: Vec<Device> = identity.every(by.account()).await?;
        let policies: Vec<Policy> = identity.every(by.account()).await?;
        let root_has_keys =
            !account.credentials.access_keys.is_empty() || identity.credentials.has_fixed_root(by.account());
        let summary_map = BTreeMap::from([
            ("Users", account.count(Kind::User)),
            ("UsersQuota", limits::USERS),
            ("Groups", account.count(Kind::Group)),
            ("GroupsQuota", limits::GROUPS),
            ("Roles", account.count(Kind::Role)),
            ("RolesQuota", limits::ROLES),
            ("Policies", account.count(Kind::Policy)),
            ("PoliciesQuota", limits::POLICIES),
            ("PolicyVersionsInUse", policies.iter().map(|policy| policy.versions.len()).sum()),
            ("PolicyVersionsInUseQuota", limits::POLICIES * limits::VERSIONS_PER_POLICY),
            ("VersionsPerPolicyQuota", limits::VERSIONS_PER_POLICY),
            ("PolicySizeQuota", limits::MANAGED_POLICY_SIZE),
            ("UserPolicySizeQuota", limits::USER_POLICY_SIZE),
            ("GroupPolicySizeQuota", limits::GROUP_POLICY_SIZE),
            ("RolePolicySizeQuota", limits::ROLE_POLICY_SIZE),
            ("AssumeRolePolicySizeQuota", limits::TRUST_POLICY_SIZE),
            ("GroupsPerUserQuota", limits::GROUPS_PER_USER),
            ("AccessKeysPerUserQuota", limits::ACCESS_KEYS_PER_USER),
            ("AttachedPoliciesPerUserQuota", limits::ATTACHED_POLICIES),
            ("AttachedPoliciesPerGroupQuota", limits::ATTACHED_POLICIES),
            ("AttachedPoliciesPerRoleQuota", limits::ATTACHED_POLICIES),
            ("MFADevices", account.count(Kind::Mfa)),
            ("MFADevicesInUse", devices.iter().filter(|device| device.user.is_some()).count()),
            ("Providers", account.count(Kind::Oidc)),
            ("AccountAccessKeysPresent", usize::from(root_has_keys)),
            // What there is none of here.
            ("AccountMFAEnabled", 0),
            ("AccountPasswordPresent", 0),
            ("AccountSigningCertificatesPresent", 0),
            ("SigningCertificatesPerUserQuota", 0),
            ("ServerCertificates", 0),
            ("ServerCertificatesQuota", 0),
            ("InstanceProfiles", 0),
            ("InstanceProfilesQuota", 0),
            // Session tokens are of the longer form, good in every Region.
            ("GlobalEndpointTokenVersion", 2),
        ]);
        Ok(GetAccountSummaryResponse { summary_map })
    }
}
