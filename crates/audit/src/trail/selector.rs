//! Event selectors: which events a trail wants.
//!
//! CloudTrail API Reference, "EventSelector", "AdvancedEventSelector", "AdvancedFieldSelector"; CloudTrail User Guide, "Logging data
//! events", "How CloudTrail evaluates multiple conditions for a field".

mod advanced;
mod basic;

pub use advanced::{AdvancedEventSelector, AdvancedFieldSelector};
pub use basic::{DataResource, EventSelector, ReadWriteType};

use serde::{Deserialize, Serialize};

use super::Error;

/// An event, as far as selectors ask.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// A data event; a management event otherwise.
    pub data: bool,
    /// `eventName`
    pub name: &'a str,
    /// `eventSource`
    pub source: &'a str,
    /// `readOnly`; what does not say counts as a write.
    pub read_only: bool,
    /// `eventType`
    pub event_type: &'a str,
    /// `userIdentity.arn`
    pub identity: &'a str,
    /// `resources`: type and ARN of each.
    pub resources: &'a [(&'a str, &'a str)],
}

/// What a trail is set to log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Selectors {
    /// Basic event selectors: an event is wanted if one of them wants it.
    Basic(Vec<EventSelector>),
    /// Advanced event selectors: likewise.
    Advanced(Vec<AdvancedEventSelector>),
}

impl Selectors {
    /// What PutEventSelectors asks for.
    ///
    /// # Errors
    /// [`Error::InvalidEventSelectors`], [`Error::UnsupportedOperation`].
    pub fn parse(
        basic: Option<Vec<EventSelector>>,
        advanced: Option<Vec<AdvancedEventSelector>>,
    ) -> Result<Self, Error> {
        match (basic, advanced) {
            (Some(_), Some(_)) => Err(Error::InvalidEventSelectors(
                "You can use either AdvancedEventSelectors or EventSelectors, but not both.".to_owned(),
            )),
            (Some(selectors), None) => basic::checked(selectors).map(Self::Basic),
            (None, Some(selectors)) => advanced::checked(selectors).map(Self::Advanced),
            (None, None) => Err(Error::InvalidEventSelectors(
                "You must specify EventSelectors or AdvancedEventSelectors.".to_owned(),
            )),
        }
    }

    /// Whether an event is wanted.
    pub fn want(&self, facts: &Facts<'_>) -> bool {
        match self {
            Self::Basic(selectors) => selectors.iter().any(|selector| selector.wants(facts)),
            Self::Advanced(selectors) => selectors.iter().any(|selector| selector.wants(facts)),
        }
    }

    /// Whether any data event could be wanted.
    pub fn want_data(&self) -> bool {
        match self {
            Self::Basic(selectors) => selectors.iter().any(|selector| !selector.data_resources.is_empty()),
            Self::Advanced(selectors) => selectors.iter().any(AdvancedEventSelector::is_data),
        }
    }

    /// Whether they are others than those of a new trail (`HasCustomEventSelectors`).
    pub fn are_custom(&self) -> bool {
        *self != Self::default()
    }
}

impl Default for Selectors {
    /// A new trail's: all management events, no data events.
    fn default() -> Self {
        Self::Basic(vec![EventSelector::default()])
    }
}

fn invalid<T>(message: impl Into<String>) -> Result<T, Error> {
    Err(Error::InvalidEventSelectors(message.into()))
}
