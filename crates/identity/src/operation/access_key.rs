//! CreateAccessKey, DeleteAccessKey, ListAccessKeys, UpdateAccessKey, GetAccessKeyLastUsed.

use policy::{AccountId, Principal};

use super::page::Paging;
use super::shapes::shapes;
use super::user::Owner;
use super::{Allowed, Done, Operation, Subject};
use crate::entity::Entity;
use crate::error::Error;
use crate::id;
use crate::limits;
use crate::record::{self, AccountText, Credentials, User};
use crate::rows::{self, Kind};
use crate::secret::SecretText;
use crate::store::{Work, change};
use crate::time::Timestamp;
use crate::{Identity, entity};

shapes! {
    request CreateAccessKeyRequest { user_name? String }
    shape CreateAccessKeyResponse { access_key: AccessKey }
    request DeleteAccessKeyRequest { user_name? String, access_key_id: String }
    request ListAccessKeysRequest { user_name? String, marker? String, max_items? i64 }
    shape ListAccessKeysResponse { access_key_metadata: Vec<AccessKeyMetadata>, is_truncated: bool, marker? String }
    request UpdateAccessKeyRequest { user_name? String, access_key_id: String, status: String }
    request GetAccessKeyLastUsedRequest { access_key_id: String }
    shape GetAccessKeyLastUsedResponse { user_name? String, access_key_last_used: AccessKeyLastUsed }
    shape AccessKey {
        user_name? String, access_key_id: String, status: &'static str, secret_access_key: SecretText, create_date: Timestamp
    }
    shape AccessKeyMetadata { user_name? String, access_key_id: String, status: &'static str, create_date: Timestamp }
    shape AccessKeyLastUsed { last_used_date? Timestamp, service_name: String, region: String }
}

/// A user or root user whose access keys are being changed.
pub(crate) enum Holding {
    Root(record::Account),
    User(User),
}

impl Holding {
    pub(crate) async fn read(work: &mut Work<'_>, owner: &Owner) -> Result<Self, Error> {
        Ok(match owner {
            Owner::Root => Self::Root(work.account().await?),
            Owner::User(name) => Self::User(work.require(name).await?),
        })
    }

    pub(crate) fn credentials(&mut self) -> &mut Credentials {
        match self {
            Self::Root(account) => &mut account.credentials,
            Self::User(user) => &mut user.credentials,
        }
    }

    pub(crate) fn write(&self, work: &mut Work<'_>) {
        match self {
            Self::Root(account) => work.put_account(account),
            Self::User(user) => work.update(user),
        }
    }

    fn id(&self) -> Option<String> {
        match self {
            Self::Root(_) => None,
            Self::User(user) => Some(user.head.id.clone()),
        }
    }

    fn name(&self) -> Option<String> {
        match self {
            Self::Root(_) => None,
            Self::User(user) => Some(user.head.name.clone()),
        }
    }

    /// Makes an access key in a change that is under way.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`].
    pub(crate) fn add_key(&mut self, work: &mut Work<'_>) -> Result<AccessKey, Error> {
        let (access_key_id, secret) = (id::access_key_id(), id::secret_access_key());
        if self.credentials().access_keys.len() >= limits::ACCESS_KEYS_PER_USER {
            return Err(Error::quota("AccessKeysPerUser", limits::ACCESS_KEYS_PER_USER));
        }
        self.credentials().access_keys.push(access_key_id.clone());
        self.write(work);
        let (account, user, created) = (AccountText(work.account), self.id(), work.identity.now());
        let key = record::AccessKey { account, user, active: true, created, secret: secret.clone() };
        work.write(&rows::access_key(&access_key_id), &key);
        Ok(AccessKey {
            user_name: self.name(),
            access_key_id,
            status: ACTIVE,
            secret_access_key: SecretText::new(secret),
            create_date: created,
        })
    }

    /// Removes an access key in a change that is under way.
    ///
    /// # Errors
    /// [`Error::NoSuchEntity`].
    pub(crate) fn remove_key(&mut self, work: &mut Work<'_>, access_key_id: &str) -> Result<(), Error> {
        let keys = &mut self.credentials().access_keys;
        let index = keys.iter().position(|key| key == access_key_id).ok_or_else(|| no_key(access_key_id))?;
        keys.remove(index);
        self.write(work);
        work.remove(&rows::access_key(access_key_id));
        work.remove(&rows::last_use(access_key_id));
        Ok(())
    }
}

impl Operation for CreateAccessKeyRequest {
    const NAME: &'static str = "CreateAccessKey";
    type Response = CreateAccessKeyResponse;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        Owner::new(caller, self.user_name.as_deref())?.subject(identity, "iam:CreateAccessKey", caller).await
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<CreateAccessKeyResponse, Error> {
        let owner = Owner::new(by.caller(), self.user_name.as_deref())?;
        change!(identity, by.account(), |work| {
            let mut holding = Holding::read(&mut work, &owner).await?;
            Ok(CreateAccessKeyResponse { access_key: holding.add_key(&mut work)? })
        })
    }
}

impl Operation for DeleteAccessKeyRequest {
    const NAME: &'static str = "DeleteAccessKey";
    type Response = Done;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        Owner::new(caller, self.user_name.as_deref())?.subject(identity, "iam:DeleteAccessKey", caller).await
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<Done, Error> {
        let owner = Owner::new(by.caller(), self.user_name.as_deref())?;
        change!(identity, by.account(), |work| {
            let mut holding = Holding::read(&mut work, &owner).await?;
            holding.remove_key(&mut work, &self.access_key_id)?;
            Ok(Done {})
        })
    }
}

impl Operation for ListAccessKeysRequest {
    const NAME: &'static str = "ListAccessKeys";
    type Response = ListAccessKeysResponse;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        Owner::new(caller, self.user_name.as_deref())?.subject(identity, "iam:ListAccessKeys", caller).await
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<ListAccessKeysResponse, Error> {
        let owner = Owner::new(by.caller(), self.user_name.as_deref())?;
        let mut holding = Holding::read(&mut Work::new(identity, by.account()), &owner).await?;
        let user_name = holding.name();
        let mut keys = Vec::new();
        for access_key_id in holding.credentials().access_keys.clone() {
            let key = identity.rows.read::<record::AccessKey>(&rows::access_key(&access_key_id)).await?;
            keys.extend(key.map(|key| AccessKeyMetadata {
                user_name: user_name.clone(),
                access_key_id,
                status: status(key.active),
                create_date: key.created,
            }));
        }
        let page = Paging::new(self.marker.as_deref(), self.max_items)?.in_order(keys);
        let is_truncated = page.is_truncated();
        Ok(ListAccessKeysResponse { access_key_metadata: page.items, is_truncated, marker: page.marker })
    }
}

impl Operation for UpdateAccessKeyRequest {
    const NAME: &'static str = "UpdateAccessKey";
    type Response = Done;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        Owner::new(caller, self.user_name.as_deref())?.subject(identity, "iam:UpdateAccessKey", caller).await
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<Done, Error> {
        let owner = Owner::new(by.caller(), self.user_name.as_deref())?;
        let active = match self.status.as_str() {
            ACTIVE => true,
            INACTIVE => false,
            // The model knows it, but only AWS itself sets it.
            other => return Err(Error::InvalidInput(format!("An access key cannot be made {other}."))),
        };
        change!(identity, by.account(), |work| {
            let mut holding = Holding::read(&mut work, &owner).await?;
            let place = rows::access_key(&self.access_key_id);
            let owned = holding.credentials().access_keys.contains(&self.access_key_id);
            let key = if owned { work.read::<record::AccessKey>(&place).await? } else { None };
            let key = key.ok_or_else(|| no_key(&self.access_key_id))?;
            work.write(&place, &record::AccessKey { active, ..key });
            Ok(Done {})
        })
    }
}

impl Identity {
    /// An access key of an account, and its user's name.
    async fn owned_key(
        &self,
        account: AccountId,
        access_key_id: &str,
    ) -> Result<Option<(record::AccessKey, Option<User>)>, Error> {
        let found = self.rows.read::<record::AccessKey>(&rows::access_key(access_key_id)).await?;
        let Some(key) = found.filter(|key| key.account.0 == account) else { return Ok(None) };
        let user = match &key.user {
            Some(id) => self.rows.read::<User>(&User::place(account, id)).await?,
            None => None,
        };
        Ok(Some((key, user)))
    }
}

impl Operation for GetAccessKeyLastUsedRequest {
    const NAME: &'static str = "GetAccessKeyLastUsed";
    type Response = GetAccessKeyLastUsedResponse;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        let found = identity.owned_key(caller.account, &self.access_key_id).await?;
        let arn = match found {
            Some((_, Some(user))) => user.arn(caller.account),
            Some((_, None)) => format!("arn:aws:iam::{}:root", caller.account),
            None => entity::arn(caller.account, Kind::User, "/", "*"),
        };
        Ok(vec![Subject::new("iam:GetAccessKeyLastUsed", arn)])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<GetAccessKeyLastUsedResponse, Error> {
        let found = identity.owned_key(by.account(), &self.access_key_id).await?;
        let (_, user) = found.ok_or_else(|| no_key(&self.access_key_id))?;
        let last = identity.last_use(&self.access_key_id).await?;
        let access_key_last_used = match last {
            Some(last) => {
                AccessKeyLastUsed { last_used_date: Some(last.at), service_name: last.service, region: last.region }
            }
            None => {
                AccessKeyLastUsed { last_used_date: None, service_name: NEVER.to_owned(), region: NEVER.to_owned() }
            }
        };
        Ok(GetAccessKeyLastUsedResponse { user_name: user.map(|user| user.head.name), access_key_last_used })
    }
}

const ACTIVE: &str = "Active";
const INACTIVE: &str = "Inactive";
/// What AWS says of the service and Region of a key that was never used.
const NEVER: &str = "N/A";

fn status(active: bool) -> &'static str {
    if active { ACTIVE } else { INACTIVE }
}

fn no_key(access_key_id: &str) -> Error {
    Error::NoSuchEntity(format!("The Access Key with id {access_key_id} cannot be found."))
}
