//! Who is simulated, with the texts of its policies: statements are told by their places there.

use std::sync::Arc;

use policy::{AccountId, Attached, Document, Permissions, Principal, PrincipalKind};

use crate::Identity;
use crate::entity::{Entity, Holder};
use crate::error::Error;
use crate::managed::Managed;
use crate::record::{Group, User};
use crate::role::Role;
use crate::rows::{self, Kind};

/// The name of the session in which a role is simulated: which one it would be is not known.
const SESSION: &str = "simulation";

/// A policy that is simulated.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// `SourcePolicyId`
    pub(crate) id: String,
    pub(crate) origin: Origin,
    pub(crate) text: String,
    pub(crate) document: Arc<Document>,
}

/// Where a simulated policy is from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Origin {
    /// The request for the simulation.
    Given,
    /// A managed policy, by its ARN.
    Managed(String),
    /// An inline policy of that name, of an entity of that kind and name.
    Inline { of: Kind, entity: String, name: String },
}

impl Source {
    pub(crate) fn attached(&self) -> Attached {
        let source = match &self.origin {
            Origin::Given => Arc::from(self.id.as_str()),
            Origin::Managed(arn) => Arc::from(arn.as_str()),
            Origin::Inline { of, entity, name } => format!("{}/{entity}/{name}", of.arn_type()).into(),
        };
        Attached { source, document: Arc::clone(&self.document) }
    }
}

/// Who is simulated.
#[derive(Clone, Debug)]
pub(crate) struct Cast {
    /// Without permissions.
    pub(crate) principal: Principal,
    /// Whether it is somebody: a group, or nobody at all, has no condition keys of a principal.
    pub(crate) somebody: bool,
    pub(crate) identity: Vec<Source>,
    pub(crate) boundary: Option<Source>,
}

impl Cast {
    /// The principal with the permissions that the policies give.
    pub(crate) fn principal(&self) -> Principal {
        let identity = self.identity.iter().map(Source::attached).collect();
        let boundary = self.boundary.as_ref().map(Source::attached);
        let all = self.principal.permissions.all;
        Principal { permissions: Permissions { all, identity, boundary, session: None }, ..self.principal.clone() }
    }

    /// A role in a session, without policies. `id` is its unique id.
    pub(crate) fn role(account: AccountId, arn: &str, name: &str, id: &str) -> Principal {
        let session = format!("arn:aws:sts::{account}:assumed-role/{name}/{SESSION}");
        let mut principal = Principal::user(account, session, "", format!("{id}:{SESSION}"));
        principal.kind = PrincipalKind::AssumedRole {
            role_arn: arn.to_owned(),
            role_id: id.to_owned(),
            role_name: name.to_owned(),
            session_name: SESSION.to_owned(),
        };
        principal
    }
}

impl Identity {
    /// The user, group or role of an ARN, with all its policies.
    ///
    /// # Errors
    /// [`Error::NoSuchEntity`]; [`Error::InvalidInput`] for what is no such ARN.
    pub(crate) async fn cast(&self, arn: &str) -> Result<Cast, Error> {
        let Some((account, kind @ (Kind::User | Kind::Group | Kind::Role), name)) = rows::parse_arn(arn) else {
            return Err(super::invalid(format!(
                "Invalid Entity Arn: {arn} does not clearly define entity type and name."
            )));
        };
        match kind {
            Kind::User => self.cast_user(account, &self.named::<User>(account, arn, name).await?).await,
            Kind::Role => self.cast_role(account, &self.named::<Role>(account, arn, name).await?).await,
            _ => {
                let group: Group = self.named(account, arn, name).await?;
                let mut identity = Vec::new();
                self.sources(account, &group, &mut identity).await?;
                // No policy can name a group as principal: it has no other part than its policies.
                Ok(Cast { principal: nobody(account), somebody: false, identity, boundary: None })
            }
        }
    }

    async fn named<E: Entity>(&self, account: AccountId, arn: &str, name: &str) -> Result<E, Error> {
        let found = self.entity::<E>(account, name).await?;
        found.filter(|found| found.arn(account) == arn).ok_or_else(|| E::missing(name))
    }

    pub(crate) async fn cast_user(&self, account: AccountId, user: &User) -> Result<Cast, Error> {
        let mut identity = Vec::new();
        self.sources(account, user, &mut identity).await?;
        for id in &user.groups {
            if let Some(group) = self.rows.read::<Group>(&Group::place(account, id)).await? {
                self.sources(account, &group, &mut identity).await?;
            }
        }
        let boundary = self.boundary_source(account, user).await?;
        let mut principal = Principal::user(account, user.arn(account), &user.head.name, &user.head.id);
        principal.tags.clone_from(&user.tags);
        Ok(Cast { principal, somebody: true, identity, boundary })
    }

    pub(crate) async fn cast_role(&self, account: AccountId, role: &Role) -> Result<Cast, Error> {
        let mut identity = Vec::new();
        self.sources(account, role, &mut identity).await?;
        let boundary = self.boundary_source(account, role).await?;
        let mut principal = Cast::role(account, &role.arn(account), &role.head.name, &role.head.id);
        principal.tags.clone_from(&role.tags);
        Ok(Cast { principal, somebody: true, identity, boundary })
    }

    /// The caller of an ARN: as it is if there is one, else one without tags and unique id.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for what is no ARN of a user or role.
    pub(crate) async fn caller(&self, arn: &str) -> Result<Principal, Error> {
        match rows::parse_arn(arn) {
            Some((account, Kind::User, name)) => match self.named::<User>(account, arn, name).await {
                Ok(user) => Ok(self.cast_user(account, &user).await?.principal),
                Err(Error::NoSuchEntity(_)) => Ok(Principal::user(account, arn, name, "")),
                Err(error) => Err(error),
            },
            Some((account, Kind::Role, name)) => match self.named::<Role>(account, arn, name).await {
                Ok(role) => Ok(self.cast_role(account, &role).await?.principal),
                Err(Error::NoSuchEntity(_)) => Ok(Cast::role(account, arn, name, "")),
                Err(error) => Err(error),
            },
            _ => Err(super::invalid(format!("Invalid CallerArn: {arn} is not the ARN of a user or role."))),
        }
    }

    /// The policies of a user, group or role, in the order in which they are resolved.
    async fn sources<H: Holder>(&self, account: AccountId, holder: &H, into: &mut Vec<Source>) -> Result<(), Error> {
        let head = holder.head();
        for (name, text) in &holder.policies().inline {
            let document = Document::parse(text, policy::Kind::Identity)
                .map_err(|_| Error::damaged("inline policy", &H::place(account, &head.id).key))?;
            into.push(Source {
                id: format!("{}_{}_{name}", H::KIND.arn_type(), head.name),
                origin: Origin::Inline { of: H::KIND, entity: head.name.clone(), name: name.clone() },
                text: text.clone(),
                document: Arc::new(document),
            });
        }
        for arn in &holder.policies().attached {
            into.push(self.managed_source(account, arn).await?);
        }
        Ok(())
    }

    async fn boundary_source<H: Holder>(&self, account: AccountId, holder: &H) -> Result<Option<Source>, Error> {
        match holder.boundary() {
            Some(arn) => self.managed_source(account, arn).await.map(Some),
            None => Ok(None),
        }
    }

    async fn managed_source(&self, account: AccountId, arn: &str) -> Result<Source, Error> {
        let damaged = || Error::damaged("policy", &rows::attachment(account, arn, "").key);
        let policy = self.managed_policy(account, arn).await?.ok_or_else(damaged)?;
        let text = policy.text().ok_or_else(damaged)?;
        let document = match &policy {
            Managed::Aws(policy) => Arc::clone(&policy.document),
            Managed::Customers(_) => Arc::new(Document::parse(text, policy::Kind::Identity).map_err(|_| damaged())?),
        };
        let (id, text) = (policy.name().to_owned(), text.to_owned());
        Ok(Source { id, origin: Origin::Managed(arn.to_owned()), text, document })
    }
}

/// A caller of an account that no policy of a resource can name.
pub(crate) fn nobody(account: AccountId) -> Principal {
    Principal::user(account, "", "", "")
}
