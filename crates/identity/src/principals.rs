//! Whom the policies of resources name: trust policies, key policies, bucket policies, and grants.
//!
//! A user or role is remembered by its unique id: who takes the name of a deleted one does not inherit what the old one was given
//! (IAM User Guide, "AWS JSON policy elements: Principal"). Texts are stored with the ids, and are answered with the ARNs that they have
//! now; of one that is gone the id stays. What has no id of its own keeps its name: an account, a session of a role, a federated user.

use std::collections::BTreeMap;

use async_trait::async_trait;
use policy::{AccountId, NamedPrincipal};

use crate::Identity;
use crate::entity::Entity;
use crate::error::Error;
use crate::record::{Account, Head, User};
use crate::role::Role;
use crate::rows::{self, Kind};

/// A principal that does not exist, as a policy names it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownPrincipal(pub String);

impl Identity {
    /// A policy, which has parsed, as it is to be stored: every AWS principal by its lasting name.
    ///
    /// # Errors
    /// A failing store; a damaged row.
    pub async fn pin_policy(&self, text: &str) -> Result<Result<String, UnknownPrincipal>, Error> {
        let mut lasting = BTreeMap::new();
        for named in policy::text::aws_principals(text) {
            match self.lasting_name(&named).await? {
                Some(name) => drop(lasting.insert(named, name)),
                None => return Ok(Err(UnknownPrincipal(named))),
            }
        }
        Ok(Ok(policy::text::exchange_aws_principals(text, &lasting)))
    }

    /// A stored policy as answers have it now.
    ///
    /// # Errors
    /// A failing store; a damaged row.
    pub async fn show_policy(&self, text: &str) -> Result<String, Error> {
        let mut arns = BTreeMap::new();
        for named in policy::text::aws_principals(text) {
            if let Some(arn) = self.arn_of(&named).await? {
                arns.insert(named, arn);
            }
        }
        Ok(policy::text::exchange_aws_principals(text, &arns))
    }

    /// What an AWS principal is remembered by: an account by its root ARN, a user or role by its unique id, a session by its ARN,
    /// everybody by `*`. `None`: there is no such principal.
    pub(crate) async fn lasting_name(&self, named: &str) -> Result<Option<String>, Error> {
        Ok(match NamedPrincipal::aws(named) {
            Some(NamedPrincipal::Everyone) => Some(named.to_owned()),
            Some(NamedPrincipal::Account(account)) => {
                let root = format!("arn:aws:iam::{account}:root");
                // In other partitions there are no accounts.
                let ours = named == account || named == root;
                (ours && self.knows_account(&account).await?).then_some(root)
            }
            Some(NamedPrincipal::Arn { arn, .. }) => match rows::parse_session_arn(&arn) {
                Some((account, session)) => {
                    let there = match session {
                        Some(role) => self.entity::<Role>(account, role).await?.is_some(),
                        None => self.knows_account(account.as_str()).await?,
                    };
                    there.then_some(arn)
                }
                None => self.id_of(&arn).await?,
            },
            Some(NamedPrincipal::UniqueId(id)) => self.arn_of(&id).await?.map(|_| id),
            _ => None,
        })
    }

    /// The unique id of the user or role that has an ARN now.
    async fn id_of(&self, arn: &str) -> Result<Option<String>, Error> {
        let Some((account, kind @ (Kind::User | Kind::Role), name)) = rows::parse_arn(arn) else { return Ok(None) };
        let head = self.rows.read::<Head>(&rows::name(account, kind, name)).await?;
        Ok(head.filter(|head| head.arn(account, kind) == arn).map(|head| head.id))
    }

    /// The ARN that the user or role of a unique id has now, in whatever account; `None`: it is gone.
    pub(crate) async fn arn_of(&self, id: &str) -> Result<Option<String>, Error> {
        let kind = [Kind::User, Kind::Role].into_iter().find(|kind| id.starts_with(kind.id_prefix()));
        let Some(kind) = kind else { return Ok(None) };
        for account in self.account_ids().await? {
            let arn = match kind {
                Kind::Role => self.rows.read::<Role>(&Role::place(account, id)).await?.map(|role| role.arn(account)),
                _ => self.rows.read::<User>(&User::place(account, id)).await?.map(|user| user.arn(account)),
            };
            if arn.is_some() {
                return Ok(arn);
            }
        }
        Ok(None)
    }

    async fn knows_account(&self, account: &str) -> Result<bool, Error> {
        let Ok(account) = AccountId::parse(account) else { return Ok(false) };
        let known = self.rows.read::<Account>(&rows::account(account)).await?;
        Ok(known.map_or(account == self.home, |account| !account.closing))
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

#[async_trait]
impl keys::Principals for Identity {
    async fn lasting_name(&self, named: &str) -> Result<Option<String>, keys::PrincipalsFailure> {
        Ok(Identity::lasting_name(self, named).await?)
    }

    async fn arn_of(&self, unique_id: &str) -> Result<Option<String>, keys::PrincipalsFailure> {
        Ok(Identity::arn_of(self, unique_id).await?)
    }
}
