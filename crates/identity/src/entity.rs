//! Entities that have a name in an account: finding them, making them, renaming and deleting them.

use policy::AccountId;

use crate::error::Error;
use crate::limits;
use crate::record::{Account, Group, Head, Policies, Tags, User};
use crate::rows::{self, Kind, Place};
use crate::store::{Record, Work};
use crate::{Identity, id};

/// An entity that has a name.
pub(crate) trait Entity: Record + Clone {
    const KIND: Kind;
    /// As messages name it at the beginning of a sentence.
    const NAME: &'static str;
    /// Its quota in an account, and AWS's name of that.
    const QUOTA: (&'static str, usize);

    fn head(&self) -> &Head;

    fn head_mut(&mut self) -> &mut Head;

    /// Where an entity with this id is.
    fn place(account: AccountId, id: &str) -> Place {
        rows::entity(Self::KIND.arn_type(), account, id)
    }

    /// Its tags, if entities of this kind have any: conditions of policies see them.
    fn resource_tags(&self) -> &[(String, String)] {
        &[]
    }

    /// AWS's answer when there is none of this name.
    fn missing(name: &str) -> Error {
        Error::NoSuchEntity(format!("The {} with name {name} cannot be found.", Self::NAME.to_lowercase()))
    }

    /// AWS's answer when there is one of this name.
    fn taken(name: &str) -> Error {
        Error::EntityAlreadyExists(format!("{} with name {name} already exists.", Self::NAME))
    }

    /// Its ARN.
    fn arn(&self, account: AccountId) -> String {
        self.head().arn(account, Self::KIND)
    }
}

/// An entity with inline policies.
pub(crate) trait Holder: Entity {
    /// How many characters its inline policies may have together, without white space.
    const POLICY_SIZE: usize;

    fn policies(&self) -> &Policies;

    fn policies_mut(&mut self) -> &mut Policies;

    /// The ARN of its permissions boundary, if it has one.
    fn boundary(&self) -> Option<&str> {
        None
    }

    /// What inline policies of it may not be changed for: a role that is a service's.
    fn modifiable(&self) -> Result<(), Error> {
        Ok(())
    }
}

/// An entity with tags.
pub(crate) trait Tagged: Entity {
    fn tags_mut(&mut self) -> &mut Tags;
}

impl Head {
    /// Of a new entity.
    pub(crate) fn new(identity: &Identity, kind: Kind, name: &str, path: Option<&str>) -> Self {
        Self {
            id: id::unique(kind),
            name: name.to_owned(),
            path: path.unwrap_or("/").to_owned(),
            created: identity.now(),
        }
    }

    pub(crate) fn arn(&self, account: AccountId, kind: Kind) -> String {
        arn(account, kind, &self.path, &self.name)
    }
}

/// The ARN of what has this path and name.
pub(crate) fn arn(account: AccountId, kind: Kind, path: &str, name: &str) -> String {
    format!("arn:aws:iam::{account}:{}{path}{name}", kind.arn_type())
}

impl Entity for User {
    const KIND: Kind = Kind::User;
    const NAME: &'static str = "User";
    const QUOTA: (&'static str, usize) = ("UsersPerAccount", limits::USERS);

    fn resource_tags(&self) -> &[(String, String)] {
        &self.tags
    }

    fn head(&self) -> &Head {
        &self.head
    }

    fn head_mut(&mut self) -> &mut Head {
        &mut self.head
    }
}

impl Holder for User {
    const POLICY_SIZE: usize = limits::USER_POLICY_SIZE;

    fn boundary(&self) -> Option<&str> {
        self.boundary.as_deref()
    }

    fn policies(&self) -> &Policies {
        &self.policies
    }

    fn policies_mut(&mut self) -> &mut Policies {
        &mut self.policies
    }
}

impl Tagged for User {
    fn tags_mut(&mut self) -> &mut Tags {
        &mut self.tags
    }
}

impl Entity for Group {
    const KIND: Kind = Kind::Group;
    const NAME: &'static str = "Group";
    const QUOTA: (&'static str, usize) = ("GroupsPerAccount", limits::GROUPS);

    fn head(&self) -> &Head {
        &self.head
    }

    fn head_mut(&mut self) -> &mut Head {
        &mut self.head
    }
}

impl Holder for Group {
    const POLICY_SIZE: usize = limits::GROUP_POLICY_SIZE;

    fn policies(&self) -> &Policies {
        &self.policies
    }

    fn policies_mut(&mut self) -> &mut Policies {
        &mut self.policies
    }
}

impl Work<'_> {
    /// The account's own record. The home account has one from its first change on.
    ///
    /// # Errors
    /// [`Error::AccessDenied`] if there is no such account, or one that is being deleted.
    pub(crate) async fn account(&mut self) -> Result<Account, Error> {
        let found = self.read::<Account>(&rows::account(self.account)).await?;
        let account = match found {
            Some(account) => account,
            None if self.account == self.identity.home => Account::new(crate::accounts::HOME, self.identity.now()),
            None => return Err(no_account(self.account)),
        };
        if account.closing { Err(no_account(self.account)) } else { Ok(account) }
    }

    pub(crate) fn put_account(&mut self, account: &Account) {
        self.write(&rows::account(self.account), account);
    }

    /// The entity of a name.
    pub(crate) async fn find<E: Entity>(&mut self, name: &str) -> Result<Option<E>, Error> {
        let Some(head) = self.read::<Head>(&rows::name(self.account, E::KIND, name)).await? else { return Ok(None) };
        self.by_id(&head.id).await
    }

    /// The entity of a unique id.
    pub(crate) async fn by_id<E: Entity>(&mut self, id: &str) -> Result<Option<E>, Error> {
        self.read(&E::place(self.account, id)).await
    }

    /// The entity of a name.
    ///
    /// # Errors
    /// [`Error::NoSuchEntity`].
    pub(crate) async fn require<E: Entity>(&mut self, name: &str) -> Result<E, Error> {
        self.find(name).await?.ok_or_else(|| E::missing(name))
    }

    /// Writes an entity whose name and path stay.
    pub(crate) fn update<E: Entity>(&mut self, entity: &E) {
        self.write(&E::place(self.account, &entity.head().id), entity);
    }

    /// Writes a new entity, and counts it.
    ///
    /// # Errors
    /// [`Error::EntityAlreadyExists`], [`Error::LimitExceeded`].
    pub(crate) async fn insert<E: Entity>(&mut self, entity: &E) -> Result<(), Error> {
        let mut account = self.account().await?;
        self.claim(entity).await?;
        let count = account.counts.entry(E::KIND).or_default();
        let (name, quota) = E::QUOTA;
        if *count >= quota {
            return Err(Error::quota(name, quota));
        }
        *count += 1;
        self.put_account(&account);
        self.update(entity);
        Ok(())
    }

    /// Gives an entity the name and path that it has now, and takes away the name that it had.
    ///
    /// # Errors
    /// [`Error::EntityAlreadyExists`].
    pub(crate) async fn rename<E: Entity>(&mut self, former: &str, entity: &E) -> Result<(), Error> {
        let before = rows::name(self.account, E::KIND, former);
        if before == rows::name(self.account, E::KIND, &entity.head().name) {
            self.write(&before, entity.head());
        } else {
            self.claim(entity).await?;
            self.remove(&before);
        }
        self.update(entity);
        Ok(())
    }

    /// Removes an entity, and counts it off. What hangs on it is the caller's business.
    pub(crate) async fn delete<E: Entity>(&mut self, entity: &E) -> Result<(), Error> {
        let mut account = self.account().await?;
        if let Some(count) = account.counts.get_mut(&E::KIND) {
            *count = count.saturating_sub(1);
        }
        self.put_account(&account);
        self.remove(&rows::name(self.account, E::KIND, &entity.head().name));
        self.remove(&E::place(self.account, &entity.head().id));
        Ok(())
    }

    async fn claim<E: Entity>(&mut self, entity: &E) -> Result<(), Error> {
        let name = rows::name(self.account, E::KIND, &entity.head().name);
        if self.read::<Head>(&name).await?.is_some() {
            return Err(E::taken(&entity.head().name));
        }
        self.write(&name, entity.head());
        Ok(())
    }
}

/// The answer to a request for an account that there is not, or no more.
pub(crate) fn no_account(account: AccountId) -> Error {
    Error::AccessDenied(format!("The account {account} does not exist."))
}
