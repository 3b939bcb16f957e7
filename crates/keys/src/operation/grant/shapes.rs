//! The requests and answers of the operations on grants.

use serde::{Deserialize, Serialize};

use crate::grant::Pairs;
use crate::wire::Timestamp;

model::requests!(kms: CreateGrantRequest, ListGrantsRequest, ListRetirableGrantsRequest, RetireGrantRequest, RevokeGrantRequest);

/// The request of CreateGrant.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateGrantRequest {
    /// `KeyId`.
    pub key_id: String,
    /// `GranteePrincipal`.
    pub grantee_principal: Option<String>,
    /// `RetiringPrincipal`.
    pub retiring_principal: Option<String>,
    /// `Operations`.
    pub operations: Vec<String>,
    /// `Constraints`.
    pub constraints: Option<GrantConstraints>,
    /// `GrantTokens`.
    pub grant_tokens: Option<Vec<String>>,
    /// `Name`.
    pub name: Option<String>,
    /// `DryRun`.
    pub dry_run: Option<bool>,
    /// `GranteeServicePrincipal`.
    pub grantee_service_principal: Option<String>,
    /// `RetiringServicePrincipal`.
    pub retiring_service_principal: Option<String>,
}

/// `GrantConstraints` of the service model.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GrantConstraints {
    /// `EncryptionContextSubset`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption_context_subset: Option<Pairs>,
    /// `EncryptionContextEquals`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption_context_equals: Option<Pairs>,
    /// `SourceArn`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_arn: Option<String>,
}

/// The answer of CreateGrant.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct CreateGrantResponse {
    /// `GrantToken`.
    pub grant_token: String,
    /// `GrantId`.
    pub grant_id: String,
}

/// The request of ListGrants.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListGrantsRequest {
    /// `Limit`.
    pub limit: Option<i64>,
    /// `Marker`.
    pub marker: Option<String>,
    /// `KeyId`.
    pub key_id: String,
    /// `GrantId`.
    pub grant_id: Option<String>,
    /// `GranteePrincipal`.
    pub grantee_principal: Option<String>,
    /// `GranteeServicePrincipal`.
    pub grantee_service_principal: Option<String>,
}

/// The request of ListRetirableGrants.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListRetirableGrantsRequest {
    /// `Limit`.
    pub limit: Option<i64>,
    /// `Marker`.
    pub marker: Option<String>,
    /// `RetiringPrincipal`.
    pub retiring_principal: Option<String>,
    /// `RetiringServicePrincipal`.
    pub retiring_service_principal: Option<String>,
}

/// The answer of ListGrants and ListRetirableGrants.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct ListGrantsResponse {
    /// `Grants`.
    pub grants: Vec<GrantListEntry>,
    /// `NextMarker`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_marker: Option<String>,
    /// `Truncated`.
    pub truncated: bool,
}

/// `GrantListEntry` of the service model.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct GrantListEntry {
    /// `KeyId`: the key's ARN.
    pub key_id: String,
    /// `GrantId`.
    pub grant_id: String,
    /// `Name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `CreationDate`.
    pub creation_date: Timestamp,
    /// `GranteePrincipal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grantee_principal: Option<String>,
    /// `RetiringPrincipal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retiring_principal: Option<String>,
    /// `IssuingAccount`: the account's root ARN.
    pub issuing_account: String,
    /// `Operations`.
    pub operations: Vec<&'static str>,
    /// `Constraints`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub constraints: Option<GrantConstraints>,
    /// `GranteeServicePrincipal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grantee_service_principal: Option<String>,
    /// `RetiringServicePrincipal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retiring_service_principal: Option<String>,
}

/// The request of RetireGrant.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RetireGrantRequest {
    /// `GrantToken`.
    pub grant_token: Option<String>,
    /// `KeyId`.
    pub key_id: Option<String>,
    /// `GrantId`.
    pub grant_id: Option<String>,
    /// `DryRun`.
    pub dry_run: Option<bool>,
}

/// The request of RevokeGrant.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RevokeGrantRequest {
    /// `KeyId`.
    pub key_id: String,
    /// `GrantId`.
    pub grant_id: String,
    /// `DryRun`.
    pub dry_run: Option<bool>,
}
