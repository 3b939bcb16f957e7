//! Sessions of a user's own: GetSessionToken and GetFederationToken.

use policy::{Principal, PrincipalKind};

use super::input;
use super::packed::Packed;
use super::request::{
    FederatedUser, GetFederationTokenRequest, GetFederationTokenResponse, GetSessionTokenRequest,
    GetSessionTokenResponse,
};
use super::token::{Session, SessionKind};
use super::{barred, mfa};
use crate::Identity;
use crate::error::Error;
use crate::operation::{Allowed, Operation, Subject};

impl Operation for GetSessionTokenRequest {
    const NAME: &'static str = "GetSessionToken";
    type Response = GetSessionTokenResponse;

    /// "No permissions are required": nothing is asked.
    async fn subjects(&self, _identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        barred::check(caller, Self::NAME)?;
        Ok(Vec::new())
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<GetSessionTokenResponse, Error> {
        let caller = by.caller();
        let code = (self.serial_number.as_deref(), self.token_code.as_deref());
        let mfa = mfa::verified(identity, caller, code).await?;
        let seconds = input::own_duration(self.duration_seconds, caller.is_root());
        let kind = if caller.is_root() { SessionKind::Root } else { SessionKind::User };
        let session =
            Session { owner: owner(caller), mfa, ..Session::new(kind, caller.account, identity.now(), seconds) };
        let (credentials, token) = identity.issue(&session, self.minimum_session_token_size)?;
        Ok(GetSessionTokenResponse { credentials, token })
    }
}

impl Operation for GetFederationTokenRequest {
    const NAME: &'static str = "GetFederationToken";
    type Response = GetFederationTokenResponse;

    async fn subjects(&self, _identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        barred::check(caller, Self::NAME)?;
        let packed = self.packed()?;
        input::packed_size(&packed)?;
        let arn = federated_arn(caller, &self.name);
        let tagging = (!packed.tags.is_empty()).then_some("sts:TagSession");
        let subject = |action| {
            let mut subject = Subject::new(action, &arn);
            subject.context = input::tag_context(subject.context, &packed);
            match self.duration_seconds {
                Some(seconds) => subject.with("sts:DurationSeconds", seconds.to_string()),
                None => subject,
            }
        };
        Ok([Some("sts:GetFederationToken"), tagging].into_iter().flatten().map(subject).collect())
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<GetFederationTokenResponse, Error> {
        let caller = by.caller();
        let packed = self.packed()?;
        let packed_policy_size = input::packed_size(&packed)?;
        identity.require_policies(caller.account, &packed.policy_arns).await?;
        let seconds = input::own_duration(self.duration_seconds, caller.is_root());
        let kind = if caller.is_root() { SessionKind::FederatedByRoot } else { SessionKind::Federated };
        let session = Session {
            owner: owner(caller),
            name: self.name.clone(),
            packed,
            ..Session::new(kind, caller.account, identity.now(), seconds)
        };
        let (credentials, token) = identity.issue(&session, self.minimum_session_token_size)?;
        let federated_user = FederatedUser {
            federated_user_id: format!("{}:{}", caller.account, self.name),
            arn: federated_arn(caller, &self.name),
        };
        Ok(GetFederationTokenResponse { credentials, federated_user, packed_policy_size, token })
    }
}

impl GetFederationTokenRequest {
    fn packed(&self) -> Result<Packed, Error> {
        let (policy, policy_arns) = input::policies(self.policy.as_deref(), &self.policy_arns)?;
        let (tags, transitive_tag_keys) = input::tags(input::pairs(self.tags.clone()), &[], None)?;
        Ok(Packed { policy, policy_arns, tags, transitive_tag_keys })
    }
}

fn federated_arn(caller: &Principal, name: &str) -> String {
    format!("arn:aws:sts::{}:federated-user/{name}", caller.account)
}

/// The unique id that the session lives of; of a root user nothing.
fn owner(caller: &Principal) -> String {
    match caller.kind {
        PrincipalKind::User { .. } => caller.user_id.clone(),
        _ => String::new(),
    }
}
