//! GetKeyLastUsage.

use serde::{Deserialize, Serialize};

use crate::Keys;
use crate::access::Action;
use crate::error::Error;
use crate::principal::Principal;
use crate::wire::Timestamp;

model::requests!(kms: GetKeyLastUsageRequest);

/// The request of GetKeyLastUsage.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetKeyLastUsageRequest {
    /// `KeyId`: an id or ARN.
    pub key_id: String,
}

/// The answer of GetKeyLastUsage.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct GetKeyLastUsageResponse {
    /// `KeyId`: the key's id.
    pub key_id: String,
    /// `KeyLastUsage`: empty if the key was not used since `TrackingStartDate`.
    pub key_last_usage: KeyLastUsageData,
    /// `TrackingStartDate`: when this store began to note uses, or the key's creation if that was later.
    pub tracking_start_date: Timestamp,
    /// `KeyCreationDate`.
    pub key_creation_date: Timestamp,
}

/// `KeyLastUsageData` of the service model.
#[derive(Clone, Serialize, Debug, Default)]
#[serde(rename_all = "PascalCase")]
pub struct KeyLastUsageData {
    /// `Operation`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<&'static str>,
    /// `Timestamp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
    /// `KmsRequestId`: the id that the answer to the request carried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_request_id: Option<String>,
    /// `CloudTrailEventId`: of the event that tells of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloud_trail_event_id: Option<String>,
}

impl Keys {
    /// GetKeyLastUsage.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, GetKeyLastUsage.
    pub async fn get_key_last_usage(
        &self,
        principal: &Principal,
        request: GetKeyLastUsageRequest,
    ) -> Result<GetKeyLastUsageResponse, Error> {
        let key = self.find_by_id(principal, &request.key_id, Action::GetKeyLastUsage).await?;
        let last = self.last_use(key.id).await?;
        let created = key.record.created;
        Ok(GetKeyLastUsageResponse {
            key_id: key.id.to_string(),
            key_last_usage: last.map_or_else(KeyLastUsageData::default, |last| KeyLastUsageData {
                operation: Some(last.operation),
                timestamp: Some(last.at),
                kms_request_id: last.request.map(|id| id.to_string()),
                cloud_trail_event_id: last.event.map(|id| id.to_string()),
            }),
            tracking_start_date: created.max(self.tracking_start().await?),
            key_creation_date: created,
        })
    }
}
