//! Who asks, with what lets it; and what is known of how it asked.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

use crate::account::AccountId;
use crate::document::Document;

/// The caller of an operation: one for each credential, shared by its requests.
#[derive(Clone, PartialEq, Eq)]
pub struct Principal {
    /// The account that the caller belongs to; [`AccountId::NOBODY`] for anonymous callers and services.
    pub account: AccountId,
    /// The caller's ARN, as messages and audit records name it. Of a session it is the session's.
    pub arn: String,
    /// The access key id that signed the request; empty for anonymous callers and services.
    pub access_key_id: String,
    /// `aws:userid`: a user's unique id, `ROLEID:SESSION` of a role's session, the account's id of its root user.
    pub user_id: String,
    /// What it is.
    pub kind: PrincipalKind,
    /// What its own account lets it do.
    pub permissions: Permissions,
    /// `aws:PrincipalTag/...`: a user's, or a role's under its session's.
    pub tags: Vec<(String, String)>,
    /// Of temporary credentials.
    pub session: Option<Session>,
}

/// What a caller is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PrincipalKind {
    /// The root user of its account.
    Root,
    /// A user of IAM.
    User {
        /// The friendly name, `aws:username`.
        name: String,
    },
    /// A session of a role.
    AssumedRole {
        /// The role's ARN, with its path.
        role_arn: String,
        /// The role's unique id.
        role_id: String,
        /// The role's friendly name.
        role_name: String,
        /// `RoleSessionName`.
        session_name: String,
    },
    /// A session of GetFederationToken.
    FederatedUser {
        /// The ARN of the user (or root user) that asked for it.
        user_arn: String,
        /// That user's unique id.
        user_id: String,
        /// The session's name.
        name: String,
    },
    /// Somebody with an identity provider's token, about to assume a role. It has no account.
    WebIdentity {
        /// The provider's ARN, as trust policies name it.
        provider: String,
    },
    /// A service, by its service principal: `cloudtrail.amazonaws.com`.
    Service(String),
    /// Somebody who did not sign.
    Anonymous,
}

/// A policy and where it is from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attached {
    /// How IAM names it: a managed policy's ARN, or an inline policy's name after its owner: `user/alice/inline`.
    pub source: Arc<str>,
    /// The policy.
    pub document: Arc<Document>,
}

impl AsRef<Document> for Attached {
    fn as_ref(&self) -> &Document {
        &self.document
    }
}

/// What a caller's own account lets it do.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Permissions {
    /// The root user's: everything, bar what a session policy leaves out.
    pub all: bool,
    /// Identity policies: its own and its groups', inline and managed.
    pub identity: Vec<Attached>,
    /// The permissions boundary.
    pub boundary: Option<Attached>,
    /// Session policies, if the session was made with any: all that the session may at most.
    pub session: Option<Vec<Attached>>,
}

impl Permissions {
    /// Those of a root user.
    pub fn root() -> Self {
        Self { all: true, ..Self::default() }
    }
}

/// What is known of temporary credentials.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    /// `aws:TokenIssueTime`
    pub issued: SystemTime,
    /// When they end.
    pub expires: SystemTime,
    /// Whether they were made with MFA, and when it was verified.
    pub mfa: Option<SystemTime>,
    /// `aws:SourceIdentity`
    pub source_identity: Option<String>,
    /// `aws:FederatedProvider`: the provider's ARN or host name.
    pub federated_provider: Option<String>,
    /// Keys of session tags that the next role in a chain inherits.
    pub transitive_tag_keys: Vec<String>,
    /// Condition keys of a web identity (`HOST:sub`), in lower case, with their values.
    pub claims: Vec<(String, Vec<String>)>,
}

impl Principal {
    /// The root user of an account, signing with `access_key_id`.
    pub fn root(account: AccountId, access_key_id: impl Into<String>) -> Self {
        Self {
            account,
            arn: format!("arn:aws:iam::{account}:root"),
            access_key_id: access_key_id.into(),
            user_id: account.to_string(),
            kind: PrincipalKind::Root,
            permissions: Permissions::root(),
            tags: Vec::new(),
            session: None,
        }
    }

    /// A user without any permissions yet.
    pub fn user(account: AccountId, arn: impl Into<String>, name: impl Into<String>, id: impl Into<String>) -> Self {
        Self {
            account,
            arn: arn.into(),
            access_key_id: String::new(),
            user_id: id.into(),
            kind: PrincipalKind::User { name: name.into() },
            permissions: Permissions::default(),
            tags: Vec::new(),
            session: None,
        }
    }

    /// Somebody who did not sign.
    pub fn anonymous() -> Self {
        Self::nobody(PrincipalKind::Anonymous, "anonymous")
    }

    /// Somebody with a token of an identity provider: `arn` as messages shall name it, `claims` as [`Session::claims`]. For the trust
    /// policy of the role that it asks for.
    pub fn web_identity(
        provider: impl Into<String>,
        arn: impl Into<String>,
        subject: impl Into<String>,
        claims: Vec<(String, Vec<String>)>,
        now: SystemTime,
    ) -> Self {
        let provider = provider.into();
        let session = Session {
            issued: now,
            expires: now,
            mfa: None,
            source_identity: None,
            federated_provider: Some(provider.clone()),
            transitive_tag_keys: Vec::new(),
            claims,
        };
        let mut nobody = Self::nobody(PrincipalKind::WebIdentity { provider }, &arn.into());
        nobody.user_id = subject.into();
        nobody.session = Some(session);
        nobody
    }

    /// A service, acting by itself.
    pub fn service(name: &str) -> Self {
        Self::nobody(PrincipalKind::Service(name.to_owned()), name)
    }

    fn nobody(kind: PrincipalKind, name: &str) -> Self {
        Self {
            account: AccountId::NOBODY,
            arn: name.to_owned(),
            access_key_id: String::new(),
            user_id: name.to_owned(),
            kind,
            permissions: Permissions::default(),
            tags: Vec::new(),
            session: None,
        }
    }

    /// With the permissions of a root user.
    #[must_use]
    pub fn allowed_all(mut self) -> Self {
        self.permissions = Permissions::root();
        self
    }

    /// Whether it did not sign.
    pub fn is_anonymous(&self) -> bool {
        self.kind == PrincipalKind::Anonymous
    }

    /// Whether it is its account's root user.
    pub fn is_root(&self) -> bool {
        self.kind == PrincipalKind::Root
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Principal").field("arn", &self.arn).field("access_key_id", &self.access_key_id).finish()
    }
}

/// What is known of an HTTP request that policies may ask for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RequestFacts {
    /// `aws:SecureTransport`
    pub secure: bool,
    /// `aws:SourceIp`: the client's address, behind trusted proxies too.
    pub address: IpAddr,
    /// `aws:SourceVpce`: the name of the listener that it came by, if the operator gave it one.
    pub listener: Option<Arc<str>>,
    /// `aws:UserAgent`
    pub user_agent: Option<String>,
    /// `aws:Referer`
    pub referer: Option<String>,
    /// `aws:CurrentTime`: when its head had been read.
    pub time: SystemTime,
}
