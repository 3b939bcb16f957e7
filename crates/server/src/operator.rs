//! Accounts and access, for the server's operator: through the running server, or in its absence on the store itself.

use std::sync::Arc;

use identity::Identity;
use identity::simulation::who_can::{self, Permitted};
use keys::{AccountId, Keys};
use objects::{BucketName, ListBuckets, Objects};
use policy::{ContextMap, Principal, PrincipalKind, Rule};
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use crate::config::Config;
use crate::control::{Answer, Request};
use crate::error::Error;
use crate::open::Store;
use crate::protection::{asked, offline};

/// What an operator does about accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum AccountCommand {
    /// Makes one; with an id of 12 digits, or a random one.
    Create {
        /// What the operator calls it.
        name: String,
        /// Its id.
        #[serde(default)]
        id: Option<String>,
    },
    /// Tells of all.
    List,
    /// Deletes one that owns nothing.
    Delete {
        /// Its id.
        id: String,
    },
    /// Makes an access key for its root user.
    CreateAccessKey {
        /// Its id.
        id: String,
    },
    /// Deletes an access key of its root user.
    DeleteAccessKey {
        /// Its id.
        id: String,
        /// `AccessKeyId`
        access_key_id: String,
    },
}

/// What came of it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccountAnswer {
    /// An access key of a root user. Nobody can be told the secret again.
    AccessKey(RootAccessKey),
    /// All accounts.
    Accounts(Vec<Account>),
    /// It is gone.
    Deleted,
}

/// An access key of an account's root user.
#[derive(Serialize, Deserialize)]
pub struct RootAccessKey {
    /// The account.
    pub account: String,
    /// `AccessKeyId`
    pub access_key_id: String,
    /// `SecretAccessKey`
    pub secret_access_key: String,
}

impl Drop for RootAccessKey {
    fn drop(&mut self) {
        self.secret_access_key.zeroize();
    }
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// 12 digits.
    pub id: String,
    /// What the operator calls it.
    pub name: String,
    /// Its alias.
    pub alias: Option<String>,
    /// Ids of its root user's access keys, those of the operator's files aside.
    pub root_access_keys: Vec<String>,
    /// Users in it.
    pub users: usize,
    /// Roles in it.
    pub roles: usize,
    /// Whether its deletion was begun and has not ended.
    pub closing: bool,
}

/// What somebody may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// As in `kms:Decrypt`.
    pub action: String,
    /// An ARN, or of a KMS key an id or alias.
    pub resource: String,
    /// Condition keys of the circumstances and their values; one that follows from the resource goes before.
    #[serde(default)]
    pub context: Vec<(String, String)>,
}

/// Somebody who may do something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letting {
    /// The ARN of a user, role or root user; a service principal; `*` for whoever asks.
    pub principal: String,
    /// What lets it: a managed policy's ARN, `user/NAME/POLICY` of an inline one, `resource policy`, `root user`, `grant`.
    pub source: String,
    /// The statement's `Sid` or its index from 0; a grant's id, with its constraints.
    pub statement: String,
    /// Whether it is in an account that is not of this server, whose own policies have a say too.
    pub elsewhere: bool,
}

/// Does something about accounts.
///
/// # Errors
/// [`Error::NoStore`], [`Error::Refused`]; what keeps the store from opening.
pub fn account(config: &Config, command: &AccountCommand) -> Result<AccountAnswer, Error> {
    match asked(config, &Request::Account(command.clone()))? {
        Some(Answer::Account(answer)) => Ok(answer),
        Some(_) => Err(crate::protection::unexpected()),
        None => offline(config, async |store| Domains::of(store).account(command.clone()).await),
    }
}

/// Everybody who may do it.
///
/// # Errors
/// [`Error::NoStore`], [`Error::Refused`]; what keeps the store from opening.
pub fn who_can(config: &Config, access: &Access) -> Result<Vec<Letting>, Error> {
    let mut found = Vec::new();
    loop {
        match asked(config, &Request::WhoCan { access: access.clone(), from: found.len() })? {
            Some(Answer::WhoCan { letting, more }) => {
                found.extend(letting);
                if !more {
                    return Ok(found);
                }
            }
            Some(_) => return Err(crate::protection::unexpected()),
            None => break,
        }
    }
    offline(config, async |store| Domains::of(store).who_can(access).await)
}

/// What of a store is asked.
#[derive(Clone)]
pub(crate) struct Domains {
    keys: Arc<Keys>,
    iam: Arc<Identity>,
    objects: Arc<Objects>,
    trails: Arc<audit::trail::Trails>,
}

impl Domains {
    pub(crate) fn of(store: &Store) -> Domains {
        Domains {
            keys: Arc::clone(&store.keys),
            iam: Arc::clone(&store.iam),
            objects: Arc::clone(&store.objects),
            trails: Arc::clone(&store.trails),
        }
    }

    pub(crate) async fn account(&self, command: AccountCommand) -> Result<AccountAnswer, Error> {
        Ok(match command {
            AccountCommand::Create { name, id } => {
                let id = id.as_deref().map(parse).transpose()?;
                let (id, key) = self.iam.create_account(id, &name).await?;
                AccountAnswer::AccessKey(shown(id, &key))
            }
            AccountCommand::List => {
                let accounts = self.iam.list_accounts().await?.into_iter().map(|info| Account {
                    id: info.id.to_string(),
                    name: info.name,
                    alias: info.aliases.into_iter().next(),
                    root_access_keys: info.root_access_keys,
                    users: info.users,
                    roles: info.roles,
                    closing: info.closing,
                });
                AccountAnswer::Accounts(accounts.collect())
            }
            AccountCommand::Delete { id } => {
                let id = parse(&id)?;
                self.iam.delete_account(id, self.vacant(id)).await?;
                AccountAnswer::Deleted
            }
            AccountCommand::CreateAccessKey { id } => {
                let id = parse(&id)?;
                AccountAnswer::AccessKey(shown(id, &self.iam.create_root_access_key(id).await?))
            }
            AccountCommand::DeleteAccessKey { id, access_key_id } => {
                self.iam.delete_root_access_key(parse(&id)?, &access_key_id).await?;
                AccountAnswer::Deleted
            }
        })
    }

    /// That an account owns nothing but who is in it.
    async fn vacant(&self, account: AccountId) -> Result<(), identity::Error> {
        let owns = |what: String| Err(identity::Error::DeleteConflict(format!("The account {account} owns {what}.")));
        let one = ListBuckets { prefix: String::new(), after: None, max: 1 };
        let page = self.objects.list_buckets(&account, &one).await.map_err(failed)?;
        if let Some(bucket) = page.buckets.first() {
            return owns(format!("the bucket {}", bucket.name));
        }
        if let Some(trail) = self.trails.of(account).first() {
            return owns(format!("the trail {}", trail.arn()));
        }
        for keys in self.keys.regions().filter_map(|region| self.keys.in_region(region.as_str())) {
            if let Some(arn) = keys.owned_by(account).await.map_err(failed)? {
                return owns(arn);
            }
        }
        Ok(())
    }

    pub(crate) async fn who_can(&self, access: &Access) -> Result<Vec<Letting>, Error> {
        let Access { action, resource, context } = access;
        let given: ContextMap = context.iter().cloned().collect();
        let found = match action.split_once(':').map(|(service, _)| service.to_ascii_lowercase()).as_deref() {
            Some("kms") => self.who_can_use(action, resource, &given).await?,
            Some("s3") => self.who_can_reach(action, resource, &given).await?,
            _ => return Err(refused(format!("{action:?} is no action of kms or s3"))),
        };
        Ok(found.into_iter().map(Letting::from).collect())
    }

    async fn who_can_use(
        &self,
        action: &str,
        key_id: &str,
        circumstances: &ContextMap,
    ) -> Result<Vec<Permitted>, Error> {
        let region = key_id.strip_prefix("arn:").and_then(|rest| rest.split(':').nth(2));
        let keys = match region.filter(|region| *region != self.keys.region().as_str()) {
            Some(region) => self.keys.in_region(region).ok_or_else(|| refused(format!("{region} is not served")))?,
            None => Arc::clone(&self.keys),
        };
        let access = keys.access(self.iam.home(), key_id, action).await?;
        let mut given = Vec::new();
        let mut accounts = Vec::new();
        for principal in self.iam.everyone().await? {
            for grant in keys.letting_grants(&access, &principal).await? {
                given.push(by_grant(name(&principal).to_owned(), &grant, false));
            }
            if principal.is_root() {
                accounts.push(principal.account);
            }
        }
        for grant in keys.grants_elsewhere(&access, &accounts).await? {
            given.push(by_grant(grant.grantee.clone(), &grant, true));
        }
        let asked = who_can::Access {
            action: access.action(),
            resource: access.arn(),
            owner: access.owner,
            policy: access.policy.as_deref(),
            rule: access.rule,
            keys: &access.keys.clone().or(circumstances),
        };
        let mut found = self.iam.who_can(&asked, given).await?;
        if !access.crosses_accounts() {
            found.retain(|one| account_of(&one.principal).is_none_or(|account| account == access.owner.as_str()));
        }
        Ok(found)
    }

    async fn who_can_reach(
        &self,
        action: &str,
        arn: &str,
        circumstances: &ContextMap,
    ) -> Result<Vec<Permitted>, Error> {
        let named = arn.strip_prefix("arn:aws:s3:::").ok_or_else(|| {
            refused(format!("{arn:?} is no ARN of a bucket or object: arn:aws:s3:::BUCKET or arn:aws:s3:::BUCKET/KEY"))
        })?;
        let bucket = named.split_once('/').map_or(named, |(bucket, _)| bucket);
        let bucket = BucketName::parse(bucket).map_err(|_| refused(format!("{bucket:?} is no bucket's name")))?;
        let bucket = self.objects.bucket(&bucket).await?;
        let keys = ContextMap::new().with("aws:RequestedRegion", self.keys.region().as_str()).or(circumstances);
        let asked = who_can::Access {
            action,
            resource: arn,
            owner: bucket.owner,
            policy: bucket.policy.as_ref().map(|policy| &**policy.document()),
            rule: Rule::Either,
            keys: &keys,
        };
        let mut found = self.iam.who_can(&asked, Vec::new()).await?;
        if bucket.restricts_public() {
            // "only AWS service principals and authorized users within the bucket owner's account"
            found.retain(|one| match account_of(&one.principal) {
                Some(account) => account == bucket.owner.as_str(),
                None => one.principal != "*",
            });
        }
        Ok(found)
    }
}

impl From<Permitted> for Letting {
    fn from(found: Permitted) -> Letting {
        let Permitted { principal, source, statement, elsewhere } = found;
        Letting { principal, source, statement, elsewhere }
    }
}

fn by_grant(principal: String, grant: &keys::LettingGrant, elsewhere: bool) -> Permitted {
    let statement = match grant.constraints.as_str() {
        "" => grant.id.clone(),
        constraints => format!("{} with {constraints}", grant.id),
    };
    Permitted { principal, source: "grant".to_owned(), statement, elsewhere }
}

/// As [`Identity::who_can`] names it.
fn name(principal: &Principal) -> &str {
    match &principal.kind {
        PrincipalKind::AssumedRole { role_arn, .. } => role_arn,
        _ => &principal.arn,
    }
}

/// The account in an ARN; services and everybody have none.
fn account_of(arn: &str) -> Option<&str> {
    arn.strip_prefix("arn:")?.split(':').nth(3)
}

fn parse(id: &str) -> Result<AccountId, Error> {
    AccountId::parse(id).map_err(|_| refused(format!("{id:?} is no account id, which has 12 digits")))
}

fn shown(account: AccountId, key: &identity::operation::access_key::AccessKey) -> RootAccessKey {
    RootAccessKey {
        account: account.to_string(),
        access_key_id: key.access_key_id.clone(),
        secret_access_key: key.secret_access_key.expose().to_owned(),
    }
}

fn refused(reason: String) -> Error {
    Error::Refused(reason)
}

/// The answer is a refusal either way: what cannot be looked at does not count as gone.
fn failed(error: impl std::fmt::Display) -> identity::Error {
    identity::Error::DeleteConflict(format!("What the account owns could not be read: {error}"))
}
