//! Accounts, as the server's operator makes and removes them.

use policy::AccountId;

use crate::Identity;
use crate::entity::{Entity, no_account};
use crate::error::Error;
use crate::operation::access_key::{AccessKey, Holding};
use crate::operation::user::Owner;
use crate::record::{self, User};
use crate::rows::{self, Kind, Place};
use crate::store::{Work, change};
use crate::time::Timestamp;

/// An account, as its operator sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccountInfo {
    /// The twelve digits.
    pub id: AccountId,
    /// What the operator calls it.
    pub name: String,
    /// When it was made; of the home account, when a server first began on the store. `None`: none has yet.
    pub created: Option<Timestamp>,
    /// Its deletion was begun and has not ended.
    pub closing: bool,
    /// Its alias, if it has one.
    pub aliases: Vec<String>,
    /// Ids of the root user's access keys, those of the operator's files aside.
    pub root_access_keys: Vec<String>,
    /// Users in it.
    pub users: usize,
    /// Roles in it.
    pub roles: usize,
}

/// Rows that one step of a deletion removes.
const STEP: usize = 1_024;
/// How often a random account id is drawn before giving up.
const DRAWS: usize = 64;

impl Identity {
    /// Gives the home account its record, and so the date of its creation, if it has none. To be called once the store's identity is
    /// settled: until then it has no rows.
    ///
    /// # Errors
    /// A failing store; a damaged row.
    pub async fn settle(&self) -> Result<(), Error> {
        change!(self, self.home, |work| {
            if work.read::<record::Account>(&rows::account(self.home)).await?.is_none() {
                let account = work.account().await?;
                work.put_account(&account);
            }
            Ok(())
        })
    }

    /// Makes an account and an access key for its root user, which is shown this once. Without an id, a random one.
    ///
    /// # Errors
    /// [`Error::EntityAlreadyExists`]; [`Error::InvalidInput`] for the id of nobody, or a name of no or over 50 characters.
    pub async fn create_account(&self, id: Option<AccountId>, name: &str) -> Result<(AccountId, AccessKey), Error> {
        if name.is_empty() || name.chars().count() > 50 || name.chars().any(char::is_control) {
            return Err(Error::InvalidInput("An account's name has 1 to 50 printable characters.".to_owned()));
        }
        let id = match id {
            Some(id) => id,
            None => self.free_account().await?,
        };
        if id == AccountId::NOBODY {
            return Err(Error::InvalidInput(format!("No account has the id {id}.")));
        }
        let key = change!(self, id, |work| {
            let place = rows::account(id);
            if id == self.home || work.read::<record::Account>(&place).await?.is_some() {
                return Err(Error::EntityAlreadyExists(format!("The account {id} already exists.")));
            }
            work.put_account(&record::Account::new(name, self.now()));
            let mut root = Holding::read(&mut work, &Owner::Root).await?;
            root.add_key(&mut work)
        })?;
        tracing::warn!(account = %id, name, "an account was made");
        Ok((id, key))
    }

    async fn free_account(&self) -> Result<AccountId, Error> {
        for _ in 0..DRAWS {
            let number = u64::from_be_bytes(seal::random_bytes::<8>()) % 1_000_000_000_000;
            let id = AccountId::parse(&format!("{number:012}")).unwrap_or(AccountId::NOBODY);
            let taken = self.rows.read::<record::Account>(&rows::account(id)).await?.is_some();
            if !taken && id != AccountId::NOBODY && id != self.home {
                return Ok(id);
            }
        }
        Err(crate::store::busy())
    }

    /// Makes one more access key for an account's root user, which is shown this once.
    ///
    /// # Errors
    /// [`Error::AccessDenied`] if there is no such account; [`Error::LimitExceeded`].
    pub async fn create_root_access_key(&self, account: AccountId) -> Result<AccessKey, Error> {
        change!(self, account, |work| {
            let mut root = Holding::read(&mut work, &Owner::Root).await?;
            Ok(root.add_key(&mut work)?)
        })
    }

    /// Removes an access key of an account's root user.
    ///
    /// # Errors
    /// [`Error::AccessDenied`] if there is no such account; [`Error::NoSuchEntity`].
    pub async fn delete_root_access_key(&self, account: AccountId, access_key_id: &str) -> Result<(), Error> {
        change!(self, account, |work| {
            let mut root = Holding::read(&mut work, &Owner::Root).await?;
            root.remove_key(&mut work, access_key_id)?;
            Ok(())
        })
    }

    /// All accounts, in the order of their ids.
    ///
    /// # Errors
    /// A failing store; a damaged row.
    pub async fn list_accounts(&self) -> Result<Vec<AccountInfo>, Error> {
        let mut accounts = Vec::new();
        for row in self.rows.all(&rows::accounts()).await? {
            let place = Place { key: row.key.to_vec(), kind: "account" };
            let digits = row.key.get(1..).and_then(|digits| digits.try_into().ok());
            let id = digits.and_then(AccountId::from_bytes);
            let id = id.ok_or_else(|| Error::damaged(place.kind, &place.key))?;
            let account: record::Account = self.rows.small(&place, &row.value)?;
            accounts.push(info(id, account));
        }
        if !accounts.iter().any(|account| account.id == self.home) {
            let home = info(self.home, record::Account::new(HOME, self.now()));
            accounts.push(AccountInfo { created: None, ..home });
            accounts.sort_by_key(|account| account.id);
        }
        Ok(accounts)
    }

    /// Whether there is such an account, and it is not being deleted.
    ///
    /// # Errors
    /// A failing store; a damaged row.
    pub async fn has_account(&self, id: AccountId) -> Result<bool, Error> {
        let found = self.rows.read::<record::Account>(&rows::account(id)).await?;
        Ok(found.map_or(id == self.home, |account| !account.closing))
    }

    /// Deletes an account with everyone in it. First nobody gets in any more; then `vacant` is awaited, which says whether the account
    /// owns anything elsewhere (buckets, KMS keys): if it does, its error is given and the account is open again. A deletion that a
    /// crash has cut short goes on when it is asked for again.
    ///
    /// # Errors
    /// [`Error::AccessDenied`] if there is no such account; [`Error::UnmodifiableEntity`] for the home account; those of `vacant`.
    pub async fn delete_account(
        &self,
        id: AccountId,
        vacant: impl Future<Output = Result<(), Error>>,
    ) -> Result<(), Error> {
        if id == self.home {
            return Err(Error::UnmodifiableEntity("The server's home account cannot be deleted.".to_owned()));
        }
        self.set_closing(id, true).await?;
        if let Err(error) = vacant.await {
            self.set_closing(id, false).await?;
            return Err(error);
        }
        self.remove_all(id).await?;
        tracing::warn!(account = %id, "an account was deleted");
        Ok(())
    }

    async fn set_closing(&self, id: AccountId, closing: bool) -> Result<(), Error> {
        change!(self, id, |work| {
            let found = work.read::<record::Account>(&rows::account(id)).await?;
            let account = found.ok_or_else(|| no_account(id))?;
            work.put_account(&record::Account { closing, ..account });
            Ok(())
        })
    }

    /// Removes every row of a closing account, its own last.
    async fn remove_all(&self, id: AccountId) -> Result<(), Error> {
        for tag in rows::OF_AN_ACCOUNT {
            for step in self.rows.all(&rows::of_account(tag, id)).await?.chunks(STEP) {
                let mut work = Work::new(self, id);
                for row in step {
                    let user = rows::last_id(&row.key).to_owned();
                    let place = User::place(id, &user);
                    if user.starts_with(Kind::User.id_prefix()) && place.key[..] == row.key[..] {
                        let found = self.rows.read::<User>(&place).await?;
                        let keys = found.map(|user| user.credentials.access_keys).unwrap_or_default();
                        remove_keys(&mut work, &keys);
                    }
                    work.remove(&Place { key: row.key.to_vec(), kind: "" });
                }
                work.commit().await?;
            }
        }
        change!(self, id, |work| {
            if let Some(account) = work.read::<record::Account>(&rows::account(id)).await? {
                remove_keys(&mut work, &account.credentials.access_keys);
                account.aliases.iter().for_each(|alias| work.remove(&rows::alias(alias)));
                work.remove(&rows::account(id));
            }
            Ok(())
        })
    }
}

fn remove_keys(work: &mut Work<'_>, access_keys: &[String]) {
    for key in access_keys {
        work.remove(&rows::access_key(key));
        work.remove(&rows::last_use(key));
    }
}

/// What the home account is called.
pub(crate) const HOME: &str = "home";

fn info(id: AccountId, account: record::Account) -> AccountInfo {
    AccountInfo {
        id,
        created: Some(account.created),
        closing: account.closing,
        users: account.count(Kind::User),
        roles: account.count(Kind::Role),
        name: account.name,
        aliases: account.aliases,
        root_access_keys: account.credentials.access_keys,
    }
}
