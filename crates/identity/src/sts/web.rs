//! AssumeRoleWithWebIdentity. Nobody signs it: who asks is what the token says.

use std::sync::Arc;

use policy::{AccountId, Principal};

use super::assume::{Target, actions, assumed, check_source_identity, gone, session_context};
use super::input;
use super::packed::Packed;
use super::request::{AssumeRoleWithWebIdentityRequest, AssumeRoleWithWebIdentityResponse};
use super::token::{Session, SessionKind};
use crate::Identity;
use crate::error::Error;
use crate::oidc::WebIdentity;
use crate::operation::{Allowed, Operation, Subject};

impl AssumeRoleWithWebIdentityRequest {
    /// Whom the token speaks of, for an account, and the ARN of the provider there. The issuer is asked for its keys if they are not
    /// known.
    async fn identity(&self, identity: &Identity, account: AccountId) -> Result<(WebIdentity, String), Error> {
        if self.provider_id.is_some() {
            let text =
                "ProviderId is for OAuth 2.0 access tokens, which are not supported: pass an OpenID Connect ID token.";
            return Err(Error::Validation(text.to_owned()));
        }
        identity.web_identity(account, &self.web_identity_token).await
    }

    fn packed(&self, who: &WebIdentity) -> Result<Packed, Error> {
        let (policy, policy_arns) = input::policies(self.policy.as_deref(), &self.policy_arns)?;
        let (tags, transitive_tag_keys) = input::tags(who.tags.clone(), &who.transitive_tag_keys, None)?;
        Ok(Packed { policy, policy_arns, tags, transitive_tag_keys })
    }
}

impl Operation for AssumeRoleWithWebIdentityRequest {
    const NAME: &'static str = "AssumeRoleWithWebIdentity";
    type Response = AssumeRoleWithWebIdentityResponse;

    async fn subjects(&self, identity: &Identity, _caller: &Principal) -> Result<Vec<Subject>, Error> {
        let target = Target::find(identity, &self.role_arn).await?;
        let (who, provider) = self.identity(identity, target.owner()).await?;
        if let Some(source_identity) = &who.source_identity {
            check_source_identity(source_identity)?;
        }
        let packed = self.packed(&who)?;
        input::packed_size(&packed)?;
        let source_identity = who.source_identity.as_deref();
        let context = session_context(&self.role_session_name, source_identity, self.duration_seconds);
        let context = input::tag_context(context, &packed);
        let (arn, now) = (format!("{provider}:{}", who.subject), identity.now().system());
        let caller = Arc::new(Principal::web_identity(provider, arn, &who.subject, who.claims.clone(), now));
        let actions = actions("sts:AssumeRoleWithWebIdentity", &packed, source_identity.is_some());
        target.subjects(actions, &context, Some(&caller))
    }

    async fn run(self, identity: &Identity, _by: &Allowed) -> Result<AssumeRoleWithWebIdentityResponse, Error> {
        let target = Target::find(identity, &self.role_arn).await?;
        let (who, provider) = self.identity(identity, target.owner()).await?;
        let packed = self.packed(&who)?;
        let packed_policy_size = input::packed_size(&packed)?;
        let role = target.role.as_ref().ok_or_else(gone)?;
        let seconds = input::role_duration(self.duration_seconds, role.max_session, false)?;
        identity.require_policies(target.owner(), &packed.policy_arns).await?;
        let session = Session {
            owner: role.head.id.clone(),
            name: self.role_session_name.clone(),
            source_identity: who.source_identity.clone(),
            provider: Some(provider.clone()),
            claims: who.claims,
            packed,
            ..Session::new(SessionKind::Role, target.owner(), identity.now(), seconds)
        };
        let (credentials, token) = identity.issue(&session, self.minimum_session_token_size)?;
        Ok(AssumeRoleWithWebIdentityResponse {
            credentials,
            subject_from_web_identity_token: who.subject,
            assumed_role_user: assumed(target.owner(), role, &session.name),
            packed_policy_size,
            provider,
            audience: who.audience,
            source_identity: who.source_identity,
            token,
        })
    }
}
