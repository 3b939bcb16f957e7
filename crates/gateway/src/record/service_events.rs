//! Records of what KMS did by itself: AWS service events.
//!
//! KMS Developer Guide, "RotateKey", "DeleteKey", "DeleteExpiredKeyMaterial" and "SynchronizeMultiRegionKey" among its examples of log
//! entries; CloudTrail User Guide, "AWS service events".

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use audit::{Attribute, Audit, Query};
use keys::{Deed, Keys, ServiceEvent};
use policy::Principal;

use super::event::{Recipient, Resource, Told};
use super::identity::INTERNAL;
use super::json::Object;
use super::kms;
use crate::app::App;

/// Puts on record what KMS has done by itself in every Region, and lets `keys` forget it.
///
/// # Errors
/// A failing store, in words. What is not on record stays with `keys` for the next time.
pub async fn record_service_events(app: &App) -> Result<(), String> {
    for region in app.keys.regions() {
        let Some(keys) = app.keys_in(region.as_str()) else { continue };
        while record_some(&app.audit, keys).await? == AT_ONCE {}
    }
    Ok(())
}

/// How many there were.
async fn record_some(audit: &Audit, keys: &Arc<Keys>) -> Result<usize, String> {
    let events = keys.service_events(AT_ONCE).await.map_err(|error| error.to_string())?;
    for event in &events {
        // An earlier process may have recorded it and ended before it could say so.
        if !is_recorded(audit, event).await.map_err(|error| error.to_string())? {
            audit.record_durably(vec![told(event)]).await.map_err(|error| error.to_string())?;
        }
        keys.forget_service_event(event).await.map_err(|error| error.to_string())?;
    }
    Ok(events.len())
}

async fn is_recorded(audit: &Audit, event: &ServiceEvent) -> Result<bool, audit::Error> {
    let query = Query {
        account: event.key.account,
        region: event.key.region.clone(),
        attribute: Some(Attribute::EventId(event.id.to_string())),
        start: None,
        oldest: None,
        end: None,
        limit: 1,
        token: None,
    };
    Ok(!audit.lookup(&query).await?.events.is_empty())
}

/// The event, for the account that the key is in.
fn told(event: &ServiceEvent) -> audit::Event {
    let ServiceEvent { id, time, key, deed } = event;
    let arn = key.to_string();
    let resources = [Resource { account: Some(key.account), kind: kms::KEY, arn: arn.clone(), prefix: false }];
    let (mut elements, mut details) = (Vec::new(), Vec::new());
    if matches!(deed, Deed::DeleteKey | Deed::SynchronizeMultiRegionKey) {
        Object::write(&mut elements, |elements| elements.text("keyId", &arn));
    }
    if !matches!(deed, Deed::DeleteKey) {
        Object::write(&mut details, |details| {
            match deed {
                Deed::RotateKey { rotation, origin, previous, current } => {
                    details.text("rotationType", rotation);
                    details.text("keyOrigin", origin);
                    details.maybe("previousKeyMaterialId", previous.as_deref());
                    details.text("currentKeyMaterialId", current);
                }
                Deed::DeleteExpiredKeyMaterial { material } => details.maybe("keyMaterialId", material.as_deref()),
                Deed::DeleteKey | Deed::SynchronizeMultiRegionKey => {}
            }
            details.plain("keyId", key.key);
        });
    }
    let told = Told {
        principal: &Principal::anonymous(),
        web_identity: None,
        invoked_by: None,
        time: UNIX_EPOCH + Duration::from_millis(time.as_millis()),
        source: kms::SOURCE,
        name: deed.name(),
        region: &key.region,
        address: INTERNAL,
        user_agent: Some(INTERNAL),
        error: None,
        parameters: b"",
        elements: &elements,
        additional: b"",
        request_id: "",
        read_only: false,
        resources: &resources,
        names: &[],
        service_event: Some(&details),
        api_version: None,
        data: false,
        listener: None,
        tls: None,
        host: None,
    };
    told.event(Recipient { account: key.account, event: *id, shared: None })
}

/// Events that are read at once.
const AT_ONCE: usize = 100;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use keys::{AccountId, KeyArn, KeyId, Region, Timestamp};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn every_deed_has_awss_details() {
        let (account, region) = (AccountId::parse("111122223333").unwrap(), Region::parse("us-east-1").unwrap());
        let key = KeyArn { region, account, key: KeyId::from_bytes([7; 16]) };
        let (arn, id) = (key.to_string(), key.key.to_string());
        let record = |deed| {
            let event = ServiceEvent { id: Uuid::nil(), time: Timestamp::from_millis(1_000), key: key.clone(), deed };
            let told = told(&event);
            assert_eq!((told.id, told.account, &told.region), (event.id, account, &key.region));
            assert_eq!(told.searchable.resources[0].name, arn);
            let record: serde_json::Value = serde_json::from_slice(&told.record).unwrap();
            assert_eq!(record["eventType"], "AwsServiceEvent");
            assert!(record.get("requestID").is_none());
            [record["eventName"].clone(), record["responseElements"].clone(), record["serviceEventDetails"].clone()]
        };
        use serde_json::{Value::Null, json};
        assert_eq!(record(Deed::DeleteKey), [json!("DeleteKey"), json!({"keyId": arn}), Null]);
        let synchronized = [json!("SynchronizeMultiRegionKey"), json!({"keyId": arn}), json!({"keyId": id})];
        assert_eq!(record(Deed::SynchronizeMultiRegionKey), synchronized);
        let (previous, current) = (Some("a".to_owned()), "b".to_owned());
        let rotated = record(Deed::RotateKey { rotation: "AUTOMATIC", origin: "AWS_KMS", previous, current });
        let details = json!({"rotationType": "AUTOMATIC", "keyOrigin": "AWS_KMS", "previousKeyMaterialId": "a",
            "currentKeyMaterialId": "b", "keyId": id});
        assert_eq!(rotated, [json!("RotateKey"), Null, details]);
        let expired = record(Deed::DeleteExpiredKeyMaterial { material: Some("a".to_owned()) });
        assert_eq!(expired, [json!("DeleteExpiredKeyMaterial"), Null, json!({"keyMaterialId": "a", "keyId": id})]);
    }
}
