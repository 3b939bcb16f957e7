//! What can be asked of the log.

use keys::{AccountId, Region, Timestamp};

use crate::event::Stored;

/// A lookup: LookupEvents, of one account in one Region. Finds management events alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Whose events.
    pub account: AccountId,
    /// The Region in which they happened.
    pub region: Region,
    /// What they are found by; the API takes one attribute at most.
    pub attribute: Option<Attribute>,
    /// Events of this moment or later.
    pub start: Option<Timestamp>,
    /// How far back it looks at most. It moves with the clock, so no token is bound to it.
    pub oldest: Option<Timestamp>,
    /// Events of this moment or earlier.
    pub end: Option<Timestamp>,
    /// Most events of a page: 1 to [`MAX_PAGE`].
    pub limit: usize,
    /// Where the page before has ended.
    pub token: Option<String>,
}

/// `LookupAttribute`: a key and a value, compared as they are, upper and lower case apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Attribute {
    /// `EventId`.
    EventId(String),
    /// `EventName`.
    EventName(String),
    /// `ReadOnly`: "true" or "false".
    ReadOnly(String),
    /// `Username`.
    Username(String),
    /// `ResourceType`.
    ResourceType(String),
    /// `ResourceName`.
    ResourceName(String),
    /// `EventSource`.
    EventSource(String),
    /// `AccessKeyId`.
    AccessKeyId(String),
}

/// A page of a lookup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Newest first, in the order in which they were recorded.
    pub events: Vec<Stored>,
    /// `NextToken`: bound to the query, and sealed. None if there are no more.
    pub token: Option<String>,
}

/// Most events of a page (LookupEvents, `MaxResults`).
pub const MAX_PAGE: usize = 50;
