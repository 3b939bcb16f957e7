//! CreateUser, GetUser, ListUsers, UpdateUser, DeleteUser.

use policy::{AccountId, Principal, PrincipalKind};

use super::page::Paging;
use super::shapes::shapes;
use super::tag::{self, Tag};
use super::{Allowed, Done, Operation, Subject};
use crate::entity::Entity;
use crate::error::Error;
use crate::record::{self, Credentials, Head, Policies};
use crate::rows::{self, Kind};
use crate::store::change;
use crate::time::Timestamp;
use crate::{Identity, entity};

shapes! {
    request CreateUserRequest { path? String, user_name: String, permissions_boundary? String, tags? Vec<Tag> }
    shape CreateUserResponse { user: User }
    request GetUserRequest { user_name? String }
    shape GetUserResponse { user: User }
    request ListUsersRequest { path_prefix? String, marker? String, max_items? i64 }
    shape ListUsersResponse { users: Vec<User>, is_truncated: bool, marker? String }
    request UpdateUserRequest { user_name: String, new_path? String, new_user_name? String }
    request DeleteUserRequest { user_name: String }
    shape User {
        path? String, user_name? String, user_id: String, arn: String, create_date: Timestamp,
        permissions_boundary? AttachedPermissionsBoundary, tags? Vec<Tag>
    }
    shape AttachedPermissionsBoundary { permissions_boundary_type: String, permissions_boundary_arn: String }
}

impl AttachedPermissionsBoundary {
    /// Of the only type that there is.
    pub(crate) fn new(arn: &str) -> Self {
        Self { permissions_boundary_type: "Policy".to_owned(), permissions_boundary_arn: arn.to_owned() }
    }
}

impl User {
    /// As lists have it, without boundary and tags.
    pub(crate) fn listed(account: AccountId, head: Head) -> Self {
        Self {
            arn: head.arn(account, Kind::User),
            path: Some(head.path),
            user_name: Some(head.name),
            user_id: head.id,
            create_date: head.created,
            permissions_boundary: None,
            tags: None,
        }
    }

    /// With all that is to be said.
    pub(crate) fn whole(account: AccountId, user: &record::User) -> Self {
        Self {
            permissions_boundary: user.boundary.as_deref().map(AttachedPermissionsBoundary::new),
            tags: tag::shown_if_any(&user.tags),
            ..Self::listed(account, user.head.clone())
        }
    }

    /// An account's root user, which has neither name nor path.
    fn root(account: AccountId, created: Timestamp) -> Self {
        Self {
            path: None,
            user_name: None,
            user_id: account.to_string(),
            arn: format!("arn:aws:iam::{account}:root"),
            create_date: created,
            permissions_boundary: None,
            tags: None,
        }
    }
}

/// Whose access keys, MFA devices or facts a request is about that need not say it.
pub(crate) enum Owner {
    /// The account's root user.
    Root,
    /// A user, by name.
    User(String),
}

impl Owner {
    /// The user that the request names, or else the caller.
    ///
    /// # Errors
    /// [`Error::Validation`] for a caller that is neither a user nor a root user.
    pub(crate) fn new(caller: &Principal, named: Option<&str>) -> Result<Self, Error> {
        match (named, &caller.kind) {
            (Some(name), _) => Ok(Self::User(name.to_owned())),
            (None, PrincipalKind::User { name }) => Ok(Self::User(name.clone())),
            (None, PrincipalKind::Root) => Ok(Self::Root),
            (None, _) => {
                Err(Error::Validation("Must specify userName when calling with non-User credentials".to_owned()))
            }
        }
    }

    /// An action on it.
    pub(crate) async fn subject(
        &self,
        identity: &Identity,
        action: &'static str,
        caller: &Principal,
    ) -> Result<Vec<Subject>, Error> {
        Ok(vec![match self {
            Self::Root => Subject::new(action, format!("arn:aws:iam::{}:root", caller.account)),
            Self::User(name) => identity.subject::<record::User>(action, caller, name).await?.0,
        }])
    }
}

impl Identity {
    /// Makes a user in a change that is under way.
    pub(crate) fn new_user(&self, name: &str, path: Option<&str>) -> record::User {
        record::User {
            head: Head::new(self, Kind::User, name, path),
            boundary: None,
            tags: record::Tags::new(),
            policies: Policies::default(),
            groups: Vec::new(),
            credentials: Credentials::default(),
        }
    }
}

impl Operation for CreateUserRequest {
    const NAME: &'static str = "CreateUser";
    type Response = CreateUserResponse;

    async fn subjects(&self, _: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        let arn = entity::arn(caller.account, Kind::User, self.path.as_deref().unwrap_or("/"), &self.user_name);
        let tags = self.tags.as_deref().unwrap_or_default();
        let create = Subject::new("iam:CreateUser", &arn)
            .with_request_tags(tags)
            .with_some("iam:PermissionsBoundary", self.permissions_boundary.as_deref());
        // Who may create may not therefore tag (IAM User Guide, "Tag IAM users").
        let tagging = (!tags.is_empty()).then(|| Subject::new("iam:TagUser", &arn).with_request_tags(tags));
        Ok(std::iter::once(create).chain(tagging).collect())
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<CreateUserResponse, Error> {
        let tags = tag::checked(self.tags.as_deref())?;
        change!(identity, by.account(), |work| {
            let mut user = identity.new_user(&self.user_name, self.path.as_deref());
            user.tags.clone_from(&tags);
            if let Some(boundary) = &self.permissions_boundary {
                work.bound(boundary, &user.head.id).await?;
                user.boundary = Some(boundary.clone());
            }
            work.insert(&user).await?;
            Ok(CreateUserResponse { user: User::whole(by.account(), &user) })
        })
    }
}

impl Operation for GetUserRequest {
    const NAME: &'static str = "GetUser";
    type Response = GetUserResponse;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        Owner::new(caller, self.user_name.as_deref())?.subject(identity, "iam:GetUser", caller).await
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<GetUserResponse, Error> {
        let user = match Owner::new(by.caller(), self.user_name.as_deref())? {
            Owner::Root => {
                let account = identity.rows.read::<record::Account>(&rows::account(by.account())).await?;
                User::root(by.account(), account.map_or(identity.now(), |account| account.created))
            }
            Owner::User(name) => User::whole(by.account(), &identity.existing(by.account(), &name).await?),
        };
        Ok(GetUserResponse { user })
    }
}

impl Operation for ListUsersRequest {
    const NAME: &'static str = "ListUsers";
    type Response = ListUsersResponse;

    async fn subjects(&self, _: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        Ok(vec![Subject::of_list("iam:ListUsers", caller.account, Kind::User, self.path_prefix.as_deref())])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<ListUsersResponse, Error> {
        let paging = Paging::new(self.marker.as_deref(), self.max_items)?;
        let page = paging.heads(identity, by.account(), Kind::User, self.path_prefix.as_deref()).await?;
        let page = page.map(|head| User::listed(by.account(), head));
        Ok(ListUsersResponse { is_truncated: page.is_truncated(), users: page.items, marker: page.marker })
    }
}

impl Operation for UpdateUserRequest {
    const NAME: &'static str = "UpdateUser";
    type Response = Done;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        identity
            .renaming::<record::User>(
                "iam:UpdateUser",
                caller,
                &self.user_name,
                (self.new_path.as_deref(), self.new_user_name.as_deref()),
            )
            .await
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<Done, Error> {
        let to = (self.new_path.as_deref(), self.new_user_name.as_deref());
        identity.rename::<record::User>(by, &self.user_name, to).await
    }
}

impl Identity {
    /// An action on an entity and on what it is to become: who renames needs to be allowed both.
    pub(crate) async fn renaming<E: Entity>(
        &self,
        action: &'static str,
        caller: &Principal,
        name: &str,
        (path, new_name): (Option<&str>, Option<&str>),
    ) -> Result<Vec<Subject>, Error> {
        let (subject, found) = self.subject::<E>(action, caller, name).await?;
        let former = found.as_ref().map_or("/", |found| &found.head().path);
        let target = entity::arn(caller.account, E::KIND, path.unwrap_or(former), new_name.unwrap_or(name));
        let target = (target != subject.arn).then(|| Subject { arn: target, ..subject.clone() });
        Ok(std::iter::once(subject).chain(target).collect())
    }

    /// Gives an entity another path and name.
    ///
    /// # Errors
    /// [`Error::NoSuchEntity`], [`Error::EntityAlreadyExists`].
    pub(crate) async fn rename<E: Entity>(
        &self,
        by: &Allowed,
        name: &str,
        (path, new_name): (Option<&str>, Option<&str>),
    ) -> Result<Done, Error> {
        change!(self, by.account(), |work| {
            let mut entity: E = work.require(name).await?;
            let head = entity.head_mut();
            let former = head.name.clone();
            if let Some(path) = path {
                path.clone_into(&mut head.path);
            }
            if let Some(new_name) = new_name {
                new_name.clone_into(&mut head.name);
            }
            work.rename(&former, &entity).await?;
            Ok(Done {})
        })
    }
}

impl Operation for DeleteUserRequest {
    const NAME: &'static str = "DeleteUser";
    type Response = Done;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        Ok(vec![identity.subject::<record::User>("iam:DeleteUser", caller, &self.user_name).await?.0])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<Done, Error> {
        change!(identity, by.account(), |work| {
            let user: record::User = work.require(&self.user_name).await?;
            refuse_deletion(&user.policies)?;
            let must = |what: &str| Err(Error::DeleteConflict(format!("Cannot delete entity, must {what} first.")));
            if !user.groups.is_empty() {
                return must("remove users from group");
            }
            if !user.credentials.access_keys.is_empty() {
                return must("delete access keys");
            }
            if !user.credentials.mfa.is_empty() {
                return must("delete MFA device");
            }
            if let Some(boundary) = &user.boundary {
                work.unbound(boundary, &user.head.id);
            }
            work.delete(&user).await?;
            Ok(Done {})
        })
    }
}

/// Refuses to delete what has policies.
///
/// # Errors
/// [`Error::DeleteConflict`].
pub(crate) fn refuse_deletion(policies: &Policies) -> Result<(), Error> {
    if !policies.attached.is_empty() {
        return Err(Error::DeleteConflict("Cannot delete entity, must detach all policies first.".to_owned()));
    }
    if !policies.inline.is_empty() {
        return Err(Error::DeleteConflict("Cannot delete entity, must delete policies first.".to_owned()));
    }
    Ok(())
}
