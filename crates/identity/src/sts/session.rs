//! A session made, and found again in its token.

use std::sync::Arc;

use policy::{AccountId, Attached, Document, Kind, Permissions, Principal, PrincipalKind};
use zeroize::Zeroizing;

use super::access_key_id;
use super::packed::Packed;
use super::request::{Credentials, TokenSize};
use super::token::{MAX_TOKEN, Session, SessionKind, SessionSecret};
use crate::Identity;
use crate::entity::Entity;
use crate::error::Error;
use crate::managed::Managed;
use crate::resolve::{Credential, Unknown};
use crate::time::Timestamp;

impl Session {
    /// A new session that nothing else is known of.
    pub(super) fn new(kind: SessionKind, account: AccountId, now: Timestamp, seconds: u32) -> Self {
        Self {
            kind,
            account,
            owner: String::new(),
            name: String::new(),
            issued: now,
            expires: now.after(seconds.into()),
            mfa: None,
            source_identity: None,
            provider: None,
            claims: Vec::new(),
            packed: Packed::default(),
            secret: SessionSecret::generate(),
        }
    }

    fn known(&self) -> policy::Session {
        policy::Session {
            issued: self.issued.system(),
            expires: self.expires.system(),
            mfa: self.mfa.map(Timestamp::system),
            source_identity: self.source_identity.clone(),
            federated_provider: self.provider.clone(),
            transitive_tag_keys: self.packed.transitive_tag_keys.clone(),
            claims: self.claims.clone(),
        }
    }
}

impl Identity {
    /// The credentials of a new session.
    ///
    /// # Errors
    /// [`Error::PackedPolicyTooLarge`].
    pub(super) fn issue(&self, session: &Session, minimum: Option<usize>) -> Result<(Credentials, TokenSize), Error> {
        let access_key_id = access_key_id::generate(session.account);
        let sealer = self.rows.keys.records();
        let session_token = session
            .seal(sealer, &access_key_id, minimum.unwrap_or_default())
            .map_err(|error| Error::PackedPolicyTooLarge(error.to_string()))?;
        let size = session_token.len();
        let token = TokenSize {
            session_token_utilization: u32::try_from((size * 100).div_ceil(MAX_TOKEN)).unwrap_or(100),
            session_token_size: u32::try_from(size).unwrap_or(u32::MAX),
        };
        let (secret_access_key, expiration) = (session.secret.access_key(), session.expires);
        Ok((Credentials { access_key_id, secret_access_key, session_token, expiration }, token))
    }

    /// The credential of a session, if its token is this access key's and what it lives of is there.
    pub(crate) async fn session_credential(&self, access_key_id: &str, token: &str) -> Result<Credential, Unknown> {
        let session =
            Session::open(self.rows.keys.records(), access_key_id, token).map_err(|_| Unknown::InvalidToken)?;
        if session.expires <= self.now() {
            return Err(Unknown::Expired);
        }
        self.open_account(session.account).await?;
        let mut principal = self.session_principal(&session).await?.ok_or(Unknown::InvalidToken)?;
        if session.packed.has_policies() || principal.permissions.session.is_some() {
            principal.permissions.session = Some(self.session_policies(&session).await?);
        }
        overlay(&mut principal.tags, &session.packed.tags);
        principal.session = Some(session.known());
        access_key_id.clone_into(&mut principal.access_key_id);
        let secret = Zeroizing::new(session.secret.access_key().as_bytes().to_vec());
        Ok(Credential { secret, principal: Arc::new(principal) })
    }

    /// Whose session it is, with what its role or user may do now. `None`: that is gone.
    async fn session_principal(&self, session: &Session) -> Result<Option<Principal>, Error> {
        let Session { account, owner, name, .. } = session;
        let account = *account;
        Ok(match session.kind {
            SessionKind::Role => {
                let Some(role) = self.role_by_id(account, owner).await? else { return Ok(None) };
                let permissions = self.role_permissions(account, &role).await?;
                Some(Principal {
                    account,
                    arn: format!("arn:aws:sts::{account}:assumed-role/{}/{name}", role.head.name),
                    access_key_id: String::new(),
                    user_id: format!("{owner}:{name}"),
                    kind: PrincipalKind::AssumedRole {
                        role_arn: role.arn(account),
                        role_id: role.head.id,
                        role_name: role.head.name,
                        session_name: name.clone(),
                    },
                    permissions,
                    tags: role.tags,
                    session: None,
                })
            }
            SessionKind::User => self.user_principal(account, owner).await?,
            SessionKind::Root => Some(Principal::root(account, "")),
            SessionKind::Federated => self.user_principal(account, owner).await?.map(|user| federated(user, name)),
            SessionKind::FederatedByRoot => Some(federated(Principal::root(account, ""), name)),
        })
    }

    /// The session policies as they are now. If one of the managed ones is gone, nobody knows what it would have denied: then the
    /// session may do nothing.
    async fn session_policies(&self, session: &Session) -> Result<Vec<Attached>, Error> {
        let mut policies = Vec::new();
        if let Some(text) = &session.packed.policy {
            let Ok(document) = Document::parse(text, Kind::Identity) else { return Ok(Vec::new()) };
            policies.push(Attached { source: "session policy".into(), document: Arc::new(document) });
        }
        for arn in &session.packed.policy_arns {
            if self.managed_policy(session.account, arn).await?.is_none() {
                return Ok(Vec::new());
            }
            policies.push(self.managed(session.account, arn).await?);
        }
        Ok(policies)
    }

    /// That managed session policies are there, in the account whose session it is.
    pub(super) async fn require_policies(&self, account: AccountId, arns: &[String]) -> Result<(), Error> {
        for arn in arns {
            let found: Option<Managed> = self.managed_policy(account, arn).await?;
            if found.is_none() {
                return Err(Error::Validation(format!("Policy {arn} does not exist or is not attachable.")));
            }
        }
        Ok(())
    }
}

/// A federated user: what its user may do, as far as its session policies let it. Without any it may nothing by itself.
fn federated(user: Principal, name: &str) -> Principal {
    let account = user.account;
    Principal {
        account,
        arn: format!("arn:aws:sts::{account}:federated-user/{name}"),
        access_key_id: String::new(),
        user_id: format!("{account}:{name}"),
        kind: PrincipalKind::FederatedUser { user_arn: user.arn, user_id: user.user_id, name: name.to_owned() },
        permissions: Permissions { session: Some(Vec::new()), ..user.permissions },
        tags: user.tags,
        session: None,
    }
}

/// Session tags take the place of tags whose keys differ in case alone.
fn overlay(tags: &mut Vec<(String, String)>, session: &[(String, String)]) {
    tags.retain(|(key, _)| !session.iter().any(|(own, _)| own.to_lowercase() == key.to_lowercase()));
    tags.extend_from_slice(session);
}
