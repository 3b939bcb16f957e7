//! Requests and answers of STS, as its service model has them.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::time::Timestamp;

model::requests!(sts:
    AssumeRoleRequest,
    AssumeRoleWithWebIdentityRequest,
    DecodeAuthorizationMessageRequest,
    GetAccessKeyInfoRequest,
    GetCallerIdentityRequest,
    GetFederationTokenRequest,
    GetSessionTokenRequest,
);

/// A managed policy that limits a session.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct PolicyDescriptor {
    /// Its ARN.
    pub arn: Option<String>,
}

/// A session tag.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tag {
    /// The key.
    pub key: String,
    /// The value, which may be empty.
    pub value: String,
}

/// `AssumeRole`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AssumeRoleRequest {
    /// The role.
    pub role_arn: String,
    /// The session's name.
    pub role_session_name: String,
    /// Managed session policies.
    #[serde(default)]
    pub policy_arns: Vec<PolicyDescriptor>,
    /// An inline session policy.
    pub policy: Option<String>,
    /// Seconds.
    pub duration_seconds: Option<u32>,
    /// Session tags.
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// Which of them are inherited.
    #[serde(default)]
    pub transitive_tag_keys: Vec<String>,
    /// What the role's owner has agreed upon with the caller.
    pub external_id: Option<String>,
    /// An MFA device of the caller's.
    pub serial_number: Option<String>,
    /// Its code.
    pub token_code: Option<String>,
    /// Who uses the session.
    pub source_identity: Option<String>,
    /// Assertions of IAM Identity Center, which is not here.
    #[serde(default)]
    pub provided_contexts: Vec<serde_json::Value>,
    /// Characters that the token has at least.
    pub minimum_session_token_size: Option<usize>,
}

/// `AssumeRoleWithWebIdentity`
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AssumeRoleWithWebIdentityRequest {
    /// The role.
    pub role_arn: String,
    /// The session's name.
    pub role_session_name: String,
    /// The provider's token.
    pub web_identity_token: Zeroizing<String>,
    /// For access tokens of OAuth 2.0 alone, which are not taken.
    pub provider_id: Option<String>,
    /// Managed session policies.
    #[serde(default)]
    pub policy_arns: Vec<PolicyDescriptor>,
    /// An inline session policy.
    pub policy: Option<String>,
    /// Seconds.
    pub duration_seconds: Option<u32>,
    /// Characters that the token has at least.
    pub minimum_session_token_size: Option<usize>,
}

/// `DecodeAuthorizationMessage`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DecodeAuthorizationMessageRequest {
    /// What came with a denial.
    pub encoded_message: String,
}

/// `GetAccessKeyInfo`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetAccessKeyInfoRequest {
    /// Whose account is sought.
    pub access_key_id: String,
}

/// `GetCallerIdentity`
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct GetCallerIdentityRequest {}

/// `GetFederationToken`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetFederationTokenRequest {
    /// The federated user.
    pub name: String,
    /// An inline session policy.
    pub policy: Option<String>,
    /// Managed session policies.
    #[serde(default)]
    pub policy_arns: Vec<PolicyDescriptor>,
    /// Seconds.
    pub duration_seconds: Option<u32>,
    /// Session tags.
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// Characters that the token has at least.
    pub minimum_session_token_size: Option<usize>,
}

/// `GetSessionToken`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetSessionTokenRequest {
    /// Seconds.
    pub duration_seconds: Option<u32>,
    /// An MFA device of the caller's.
    pub serial_number: Option<String>,
    /// Its code.
    pub token_code: Option<String>,
    /// Characters that the token has at least.
    pub minimum_session_token_size: Option<usize>,
}

/// Credentials of a session.
#[derive(Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Credentials {
    /// Its access key id.
    pub access_key_id: String,
    /// Its secret access key.
    pub secret_access_key: Zeroizing<String>,
    /// Its session token.
    pub session_token: String,
    /// When it ends.
    pub expiration: Timestamp,
}

/// The session of a role.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AssumedRoleUser {
    /// The role's unique id and the session's name.
    pub assumed_role_id: String,
    /// The session's ARN.
    pub arn: String,
}

/// The session of GetFederationToken.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct FederatedUser {
    /// The account and the session's name.
    pub federated_user_id: String,
    /// The session's ARN.
    pub arn: String,
}

/// What every answer tells of the token that it gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TokenSize {
    /// The token's part of what a token may have, in percent.
    pub session_token_utilization: u32,
    /// The token's characters.
    pub session_token_size: u32,
}

/// Answer of `AssumeRole`.
#[derive(Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AssumeRoleResponse {
    /// The session's credentials.
    pub credentials: Credentials,
    /// Who it is.
    pub assumed_role_user: AssumedRoleUser,
    /// Of session policies and tags, in percent, if any were passed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packed_policy_size: Option<u32>,
    /// The source identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_identity: Option<String>,
    /// Of the token.
    #[serde(flatten)]
    pub token: TokenSize,
}

/// Answer of `AssumeRoleWithWebIdentity`.
#[derive(Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AssumeRoleWithWebIdentityResponse {
    /// The session's credentials.
    pub credentials: Credentials,
    /// The token's `sub`.
    pub subject_from_web_identity_token: String,
    /// Who it is.
    pub assumed_role_user: AssumedRoleUser,
    /// Of session policies and tags, in percent, if any were passed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packed_policy_size: Option<u32>,
    /// The provider's ARN.
    pub provider: String,
    /// The client id that the token was made for.
    pub audience: String,
    /// The source identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_identity: Option<String>,
    /// Of the token.
    #[serde(flatten)]
    pub token: TokenSize,
}

/// Answer of `DecodeAuthorizationMessage`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DecodeAuthorizationMessageResponse {
    /// JSON.
    pub decoded_message: String,
}

/// Answer of `GetAccessKeyInfo`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetAccessKeyInfoResponse {
    /// The account.
    pub account: String,
}

/// Answer of `GetCallerIdentity`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetCallerIdentityResponse {
    /// `aws:userid`
    pub user_id: String,
    /// The account.
    pub account: String,
    /// The ARN.
    pub arn: String,
}

/// Answer of `GetFederationToken`.
#[derive(Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetFederationTokenResponse {
    /// The session's credentials.
    pub credentials: Credentials,
    /// Who it is.
    pub federated_user: FederatedUser,
    /// Of session policies and tags, in percent, if any were passed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packed_policy_size: Option<u32>,
    /// Of the token.
    #[serde(flatten)]
    pub token: TokenSize,
}

/// Answer of `GetSessionToken`.
#[derive(Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetSessionTokenResponse {
    /// The session's credentials.
    pub credentials: Credentials,
    /// Of the token.
    #[serde(flatten)]
    pub token: TokenSize,
}
