//! What requests about trails ask for, and what they are answered. Names as in the service model.

use keys::Timestamp;
use serde::{Deserialize, Serialize};

use super::file::iso;
use super::selector::{AdvancedEventSelector, EventSelector};
use super::{Selectors, State, Tag, Trail, nullable};

/// A request of these members.
macro_rules! request {
    ($( $(#[$doc:meta])* $name:ident { $( $(#[$field_doc:meta])* $field:ident: $type:ty ),* $(,)? } )+) => { $(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
        #[serde(rename_all = "PascalCase")]
        pub struct $name { $( $(#[$field_doc])* pub $field: $type, )* }
    )+ };
}

request! {
    /// CreateTrail.
    CreateTrailRequest {
        /// Its name.
        name: String,
        /// Where its files go.
        #[serde(rename = "S3BucketName")]
        bucket: String,
        /// What is not needed.
        #[serde(flatten)]
        options: TrailOptions,
        /// Its tags.
        #[serde(default, deserialize_with = "nullable")]
        tags_list: Vec<Tag>,
    }
    /// UpdateTrail.
    UpdateTrailRequest {
        /// The trail.
        name: String,
        /// Where its files go.
        #[serde(rename = "S3BucketName")]
        bucket: Option<String>,
        /// What else changes.
        #[serde(flatten)]
        options: TrailOptions,
    }
    /// DeleteTrail, GetTrail, StartLogging, StopLogging, GetTrailStatus.
    NamedTrailRequest {
        /// The trail.
        name: String,
    }
    /// GetEventSelectors.
    GetEventSelectorsRequest {
        /// The trail.
        trail_name: String,
    }
    /// PutEventSelectors.
    PutEventSelectorsRequest {
        /// The trail.
        trail_name: String,
        /// Basic event selectors.
        event_selectors: Option<Vec<EventSelector>>,
        /// Advanced event selectors.
        advanced_event_selectors: Option<Vec<AdvancedEventSelector>>,
    }
    /// ListTrails.
    ListTrailsRequest {
        /// Of the page before. There is never a second one.
        next_token: Option<String>,
    }
    /// AddTags, RemoveTags.
    TagsRequest {
        /// The trail's ARN.
        resource_id: String,
        /// The tags.
        tags_list: Vec<Tag>,
    }
    /// ListTags.
    ListTagsRequest {
        /// ARNs of trails.
        resource_id_list: Vec<String>,
        /// Of the page before. There is never a second one.
        next_token: Option<String>,
    }
    /// ListPublicKeys.
    ListPublicKeysRequest {
        /// Keys that were valid at this moment or later; now unless told.
        start_time: Option<Timestamp>,
        /// Keys that were valid at this moment or earlier; now unless told.
        end_time: Option<Timestamp>,
        /// Of the page before. There is never a second one.
        next_token: Option<String>,
    }
}

/// DescribeTrails.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribeTrailsRequest {
    /// Names and ARNs; all trails without.
    #[serde(default, deserialize_with = "nullable")]
    pub trail_name_list: Vec<String>,
    /// Whether trails of other Regions that log this one count.
    pub include_shadow_trails: Option<bool>,
}

/// What CreateTrail and UpdateTrail have in common.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TrailOptions {
    /// What its files' names begin with.
    #[serde(rename = "S3KeyPrefix")]
    pub prefix: Option<String>,
    /// Refused: there are no topics.
    pub sns_topic_name: Option<String>,
    /// Whether it logs IAM and STS.
    pub include_global_service_events: Option<bool>,
    /// Whether it logs every Region.
    pub is_multi_region_trail: Option<bool>,
    /// Whether there are digests.
    pub enable_log_file_validation: Option<bool>,
    /// Refused: there are no log groups.
    pub cloud_watch_logs_log_group_arn: Option<String>,
    /// Refused with the former.
    pub cloud_watch_logs_role_arn: Option<String>,
    /// The KMS key that encrypts its files.
    pub kms_key_id: Option<String>,
    /// Refused: there are no organizations.
    pub is_organization_trail: Option<bool>,
    /// Whether it logs what comes of its own deliveries.
    pub recursive_logging: Option<bool>,
}

/// CreateTrail's and UpdateTrail's answer.
#[derive(Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct TrailResponse {
    name: String,
    #[serde(rename = "S3BucketName")]
    bucket: String,
    #[serde(rename = "S3KeyPrefix", skip_serializing_if = "Option::is_none")]
    prefix: Option<String>,
    include_global_service_events: bool,
    is_multi_region_trail: bool,
    #[serde(rename = "TrailARN")]
    arn: String,
    log_file_validation_enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    kms_key_id: Option<String>,
    is_organization_trail: bool,
    recursive_logging: bool,
}

/// A trail as DescribeTrails and GetTrail tell it.
#[derive(Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct TrailDescription {
    #[serde(flatten)]
    trail: TrailResponse,
    home_region: String,
    has_custom_event_selectors: bool,
    has_insight_selectors: bool,
}

impl From<&Trail> for TrailResponse {
    fn from(trail: &Trail) -> Self {
        Self {
            name: trail.name.clone(),
            bucket: trail.bucket.clone(),
            prefix: trail.prefix.clone(),
            include_global_service_events: trail.global_events,
            is_multi_region_trail: trail.multi_region,
            arn: trail.arn(),
            log_file_validation_enabled: trail.validation,
            kms_key_id: trail.key.clone(),
            is_organization_trail: false,
            recursive_logging: trail.recursive,
        }
    }
}

impl From<&Trail> for TrailDescription {
    fn from(trail: &Trail) -> Self {
        Self {
            trail: trail.into(),
            home_region: trail.home.clone(),
            has_custom_event_selectors: trail.selectors.are_custom(),
            has_insight_selectors: false,
        }
    }
}

/// An answer without members.
#[derive(Serialize, Debug)]
pub struct Empty {}

/// DescribeTrails' answer.
#[derive(Serialize, Debug)]
#[serde(rename_all = "camelCase")]
pub struct DescribeTrailsResponse {
    /// The trails.
    pub trail_list: Vec<TrailDescription>,
}

/// GetTrail's answer.
#[derive(Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct GetTrailResponse {
    /// The trail.
    pub trail: TrailDescription,
}

/// ListTrails' answer.
#[derive(Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct ListTrailsResponse {
    /// The trails.
    pub trails: Vec<TrailInfo>,
}

/// A trail as ListTrails tells it.
#[derive(Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct TrailInfo {
    /// Its ARN.
    #[serde(rename = "TrailARN")]
    pub arn: String,
    /// Its name.
    pub name: String,
    /// Where it was made.
    pub home_region: String,
}

/// GetTrailStatus' answer.
#[derive(Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct TrailStatus {
    is_logging: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    latest_delivery_error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latest_delivery_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_logging_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_logging_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latest_digest_delivery_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latest_digest_delivery_error: Option<String>,
    // Texts that the API "no longer uses", and answers with all the same: times like 2015-08-17T14:01:31Z, empty for never.
    latest_delivery_attempt_time: String,
    latest_delivery_attempt_succeeded: String,
    latest_notification_attempt_time: &'static str,
    latest_notification_attempt_succeeded: &'static str,
    time_logging_started: String,
    time_logging_stopped: String,
}

impl TrailStatus {
    /// A trail's, in the Region of this state.
    pub fn new(trail: &Trail, state: State) -> Self {
        let text = |time: Option<Timestamp>| time.map(iso).unwrap_or_default();
        Self {
            latest_delivery_attempt_time: text(state.attempted.or(state.delivered)),
            latest_delivery_attempt_succeeded: text(state.delivered),
            // There are no topics that anybody is notified by.
            latest_notification_attempt_time: "",
            latest_notification_attempt_succeeded: "",
            time_logging_started: text(trail.started),
            time_logging_stopped: text(trail.stopped),
            is_logging: trail.is_logging(),
            latest_delivery_error: state.error,
            latest_delivery_time: state.delivered,
            start_logging_time: trail.started,
            stop_logging_time: trail.stopped,
            latest_digest_delivery_time: state.digest_delivered,
            latest_digest_delivery_error: state.digest_error,
        }
    }
}

/// PutEventSelectors' and GetEventSelectors' answer.
#[derive(Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct EventSelectorsResponse {
    #[serde(rename = "TrailARN")]
    arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_selectors: Option<Vec<EventSelector>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    advanced_event_selectors: Option<Vec<AdvancedEventSelector>>,
}

impl From<&Trail> for EventSelectorsResponse {
    fn from(trail: &Trail) -> Self {
        let (basic, advanced) = match &trail.selectors {
            Selectors::Basic(selectors) => (Some(selectors.clone()), None),
            Selectors::Advanced(selectors) => (None, Some(selectors.clone())),
        };
        Self { arn: trail.arn(), event_selectors: basic, advanced_event_selectors: advanced }
    }
}

/// ListTags' answer.
#[derive(Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct ListTagsResponse {
    /// The trails and their tags.
    pub resource_tag_list: Vec<ResourceTag>,
}

/// A trail's tags.
#[derive(Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct ResourceTag {
    /// The trail's ARN.
    pub resource_id: String,
    /// Its tags.
    pub tags_list: Vec<Tag>,
}

/// ListPublicKeys' answer.
#[derive(Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct ListPublicKeysResponse {
    /// The keys.
    pub public_key_list: Vec<PublicKey>,
}

/// A key that signed digests.
#[derive(Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct PublicKey {
    /// PKCS#1 DER, in base64.
    pub value: String,
    /// From when on it signed.
    pub validity_start_time: Timestamp,
    /// Until when.
    pub validity_end_time: Timestamp,
    /// How digests name it.
    pub fingerprint: String,
}
