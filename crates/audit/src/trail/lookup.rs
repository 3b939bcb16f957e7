//! LookupEvents on the wire: the request as a [`Query`], and events as the API tells them.

use std::time::Duration;

use keys::{AccountId, Region, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Error, nullable};
use crate::{Attribute, MAX_PAGE, Page, Query, Stored};

/// LookupEvents.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct LookupEventsRequest {
    /// One at most.
    #[serde(default, deserialize_with = "nullable")]
    pub lookup_attributes: Vec<LookupAttribute>,
    /// Events of this moment or later.
    pub start_time: Option<Timestamp>,
    /// Events of this moment or earlier.
    pub end_time: Option<Timestamp>,
    /// `insight`: there are none.
    pub event_category: Option<String>,
    /// 1 to 50.
    pub max_results: Option<i64>,
    /// Of the page before.
    pub next_token: Option<String>,
}

/// What events are found by.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct LookupAttribute {
    /// Which attribute.
    pub attribute_key: String,
    /// Its value.
    pub attribute_value: String,
}

impl LookupEventsRequest {
    /// The question that it asks of the log; none if nothing can answer it: Insights events.
    ///
    /// # Errors
    /// [`Error::InvalidLookupAttributes`], [`Error::InvalidTimeRange`], [`Error::InvalidMaxResults`], [`Error::InvalidEventCategory`].
    pub fn query(self, account: AccountId, region: Region, now: Timestamp) -> Result<Option<Query>, Error> {
        let limit = match self.max_results.map(usize::try_from) {
            None => MAX_PAGE,
            Some(Ok(limit)) if (1..=MAX_PAGE).contains(&limit) => limit,
            Some(_) => {
                return Err(Error::InvalidMaxResults(format!("Max results should be between 1 and {MAX_PAGE}.")));
            }
        };
        if let (Some(start), Some(end)) = (self.start_time, self.end_time)
            && start > end
        {
            return Err(Error::InvalidTimeRange("The start time must be before the end time.".to_owned()));
        }
        match self.event_category.as_deref() {
            None => {}
            Some("insight") => return Ok(None),
            Some(other) => return Err(Error::InvalidEventCategory(format!("Invalid event category: {other}"))),
        }
        let mut attributes = self.lookup_attributes.into_iter();
        let attribute = attributes.next().map(attribute).transpose()?;
        if attributes.next().is_some() {
            return Err(Error::InvalidLookupAttributes("You can only specify one lookup attribute.".to_owned()));
        }
        let oldest = Timestamp::from_millis(now.as_millis().saturating_sub(millis(LOOK_BACK)));
        Ok(Some(Query {
            account,
            region,
            attribute,
            start: self.start_time,
            oldest: Some(oldest),
            end: self.end_time,
            limit,
            token: self.next_token,
        }))
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn attribute(given: LookupAttribute) -> Result<Attribute, Error> {
    let value = given.attribute_value;
    let make = match given.attribute_key.as_str() {
        "EventId" => Attribute::EventId,
        "EventName" => Attribute::EventName,
        "ReadOnly" => Attribute::ReadOnly,
        "Username" => Attribute::Username,
        "ResourceType" => Attribute::ResourceType,
        "ResourceName" => Attribute::ResourceName,
        "EventSource" => Attribute::EventSource,
        "AccessKeyId" => Attribute::AccessKeyId,
        other => return Err(Error::InvalidLookupAttributes(format!("Invalid lookup attribute key: {other}"))),
    };
    // "The following characters ('_', ' ', ',', '\n') count as two characters towards the 2000 character limit."
    let length: usize = value.chars().map(|c| if matches!(c, '_' | ' ' | ',' | '\n') { 2 } else { 1 }).sum();
    if value.is_empty() || length > VALUE_LIMIT {
        return Err(Error::InvalidLookupAttributes(format!(
            "The lookup attribute value must have 1 to {VALUE_LIMIT} characters."
        )));
    }
    Ok(make(value))
}

/// LookupEvents' answer.
#[derive(Serialize, Debug, Default)]
#[serde(rename_all = "PascalCase")]
pub struct LookupEventsResponse {
    events: Vec<FoundEvent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
struct FoundEvent {
    event_id: String,
    event_name: String,
    read_only: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_key_id: Option<String>,
    event_time: f64,
    event_source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    resources: Vec<FoundResource>,
    cloud_trail_event: String,
}

#[derive(Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
struct FoundResource {
    #[serde(skip_serializing_if = "String::is_empty")]
    resource_type: String,
    resource_name: String,
}

impl From<Page> for LookupEventsResponse {
    fn from(page: Page) -> Self {
        Self { events: page.events.into_iter().map(FoundEvent::from).collect(), next_token: page.token }
    }
}

impl From<Stored> for FoundEvent {
    fn from(Stored { event, .. }: Stored) -> Self {
        let found = event.searchable;
        let resource =
            |resource: crate::Resource| FoundResource { resource_type: resource.kind, resource_name: resource.name };
        #[allow(clippy::cast_precision_loss, reason = "seconds fit a double's 53 bits")]
        let seconds = (event.time.as_millis() / 1000) as f64;
        Self {
            event_id: event.id.to_string(),
            event_name: found.event_name,
            read_only: if found.read_only { "true" } else { "false" },
            access_key_id: found.access_key_id,
            // Whole seconds, as in the record.
            event_time: seconds,
            event_source: found.event_source,
            username: found.user_name,
            resources: found.resources.into_iter().map(resource).collect(),
            cloud_trail_event: String::from_utf8_lossy(&event.record).into_owned(),
        }
    }
}

/// "You can look up events that occurred in a Region within the last 90 days."
const LOOK_BACK: Duration = Duration::from_secs(90 * 24 * 60 * 60);
/// Characters of an attribute's value.
const VALUE_LIMIT: usize = 2_000;
