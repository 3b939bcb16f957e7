//! PutUserPermissionsBoundary, DeleteUserPermissionsBoundary, and those of roles.

use policy::Principal;

use super::shapes::shapes;
use super::{Allowed, Done, Operation, Subject};
use crate::Identity;
use crate::entity::Holder;
use crate::error::Error;
use crate::record::User;
use crate::role::Role;
use crate::store::change;

shapes! {
    request PutUserPermissionsBoundaryRequest { user_name: String, permissions_boundary: String }
    request DeleteUserPermissionsBoundaryRequest { user_name: String }
    request PutRolePermissionsBoundaryRequest { role_name: String, permissions_boundary: String }
    request DeleteRolePermissionsBoundaryRequest { role_name: String }
}

/// An entity that may have a boundary.
trait Bounded: Holder + Send {
    fn boundary_mut(&mut self) -> &mut Option<String>;
}

impl Bounded for User {
    fn boundary_mut(&mut self) -> &mut Option<String> {
        &mut self.boundary
    }
}

impl Bounded for Role {
    fn boundary_mut(&mut self) -> &mut Option<String> {
        &mut self.boundary
    }
}

impl Identity {
    /// `new`: the boundary that the request gives; else the key has the one that is there.
    async fn boundary_subject<E: Bounded>(
        &self,
        action: &'static str,
        caller: &Principal,
        name: &str,
        new: Option<&str>,
    ) -> Result<Vec<Subject>, Error> {
        let (subject, entity) = self.subject::<E>(action, caller, name).await?;
        let boundary = new.or_else(|| entity.as_ref().and_then(E::boundary));
        Ok(vec![subject.with_some("iam:PermissionsBoundary", boundary)])
    }

    async fn set_boundary<E: Bounded>(&self, by: &Allowed, name: &str, new: Option<&str>) -> Result<Done, Error> {
        change!(self, by.account(), |work| {
            let mut entity: E = work.require(name).await?;
            let id = entity.head().id.clone();
            if let Some(former) = entity.boundary_mut().take() {
                work.unbound(&former, &id);
            }
            if let Some(new) = new {
                work.bound(new, &id).await?;
                *entity.boundary_mut() = Some(new.to_owned());
            }
            work.update(&entity);
            Ok(Done {})
        })
    }
}

/// The two operations of a kind of entity.
macro_rules! boundary {
    ($entity:ty, $name:ident: $put:ident = $put_name:literal, $delete:ident = $delete_name:literal) => {
        impl Operation for $put {
            const NAME: &'static str = $put_name;
            type Response = Done;

            async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
                let (action, new) = (concat!("iam:", $put_name), Some(self.permissions_boundary.as_str()));
                identity.boundary_subject::<$entity>(action, caller, &self.$name, new).await
            }

            async fn run(self, identity: &Identity, by: &Allowed) -> Result<Done, Error> {
                identity.set_boundary::<$entity>(by, &self.$name, Some(&self.permissions_boundary)).await
            }
        }

        impl Operation for $delete {
            const NAME: &'static str = $delete_name;
            type Response = Done;

            async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
                identity.boundary_subject::<$entity>(concat!("iam:", $delete_name), caller, &self.$name, None).await
            }

            async fn run(self, identity: &Identity, by: &Allowed) -> Result<Done, Error> {
                identity.set_boundary::<$entity>(by, &self.$name, None).await
            }
        }
    };
}

boundary!(User, user_name: PutUserPermissionsBoundaryRequest = "PutUserPermissionsBoundary",
    DeleteUserPermissionsBoundaryRequest = "DeleteUserPermissionsBoundary");
boundary!(Role, role_name: PutRolePermissionsBoundaryRequest = "PutRolePermissionsBoundary",
    DeleteRolePermissionsBoundaryRequest = "DeleteRolePermissionsBoundary");
