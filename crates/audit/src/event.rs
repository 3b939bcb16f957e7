//! Events: a CloudTrail record, and what it is found by.

use bytes::Bytes;
use keys::{AccountId, Region, Timestamp};
use uuid::Uuid;

/// Something that was done or refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// `eventID`.
    pub id: Uuid,
    /// `eventTime`; the log keeps milliseconds.
    pub time: Timestamp,
    /// `recipientAccountId`: whose event it is.
    pub account: AccountId,
    /// `awsRegion`.
    pub region: Region,
    /// `eventCategory`.
    pub category: Category,
    /// What LookupEvents finds it by.
    pub searchable: Searchable,
    /// The CloudTrail record: one JSON object in UTF-8, as it will stand in log files. At most [`MAX_RECORD`] bytes.
    pub record: Bytes,
}

/// `eventCategory`, as far as it is recorded here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Category {
    /// Every IAM, STS, KMS and CloudTrail call, and what is done to buckets. LookupEvents finds these alone, as on AWS.
    Management,
    /// What is done to objects. Goes to trails.
    Data,
}

/// The attributes of an event that LookupEvents knows, besides its id. Also the members of its answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Searchable {
    /// `EventName`: "Decrypt".
    pub event_name: String,
    /// `EventSource`: "kms.amazonaws.com".
    pub event_source: String,
    /// `ReadOnly`.
    pub read_only: bool,
    /// `Username`, if the caller has one.
    pub user_name: Option<String>,
    /// `AccessKeyId`, if the request was signed.
    pub access_key_id: Option<String>,
    /// What it was done to.
    pub resources: Vec<Resource>,
}

/// A resource of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// `ResourceType`: "AWS::KMS::Key". Empty if there is none.
    pub kind: String,
    /// `ResourceName`: usually an ARN.
    pub name: String,
}

/// An event with its number in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Counts from 1 without gaps, in the order in which events were recorded.
    pub number: u64,
    /// The event.
    pub event: Event,
}

/// Most bytes of a record, as CloudTrail has it ("maximum event size", 256 KB).
pub const MAX_RECORD: usize = 262_144;
