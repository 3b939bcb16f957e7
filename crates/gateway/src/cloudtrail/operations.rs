//! The operations that this server has of the service model `cloudtrail-2013-11-01`, as data.

use std::pin::Pin;

use bytes::Bytes;

use super::subject::{self, Subject};
use super::{Call, Failure, handlers};
use crate::authorize::Authorized;

/// An operation that this server has.
pub(super) struct Built {
    /// Its name in the service model.
    pub(super) name: &'static str,
    /// The action that policies name.
    pub(super) action: &'static str,
    /// What it is about, for the decision.
    pub(super) subject: fn(&Call<'_>) -> Result<Subject, Failure>,
    /// Who answers it, once it is allowed.
    pub(super) handler: Handler,
}

pub(super) type Handler = for<'a> fn(&'a Call<'a>, &'a Authorized<Subject>) -> Answer<'a>;

pub(super) type Answer<'a> = Pin<Box<dyn Future<Output = Result<Bytes, Failure>> + Send + 'a>>;

/// A row: `Name: handler, subject`.
macro_rules! operations {
    ($( $name:ident: $handler:ident, $subject:ident; )+) => {
        /// Sorted by name.
        static BUILT: &[Built] = &[ $( Built {
            name: stringify!($name),
            action: concat!("cloudtrail:", stringify!($name)),
            subject: subject::$subject,
            handler: |call, allowed| Box::pin(handlers::$handler(call, allowed)),
        }, )+ ];
    };
}

operations! {
    AddTags: add_tags, tagged;
    CreateTrail: create_trail, new_trail;
    DeleteTrail: delete_trail, trail;
    DescribeTrails: describe_trails, account;
    GetEventSelectors: get_event_selectors, trail_name;
    GetTrail: get_trail, trail;
    GetTrailStatus: get_trail_status, trail;
    ListPublicKeys: list_public_keys, account;
    ListTags: list_tags, listed;
    ListTrails: list_trails, account;
    LookupEvents: lookup_events, account;
    PutEventSelectors: put_event_selectors, trail_name;
    RemoveTags: remove_tags, tagged;
    StartLogging: start_logging, trail;
    StopLogging: stop_logging, trail;
    UpdateTrail: update_trail, trail;
}

/// The operation of this name, if it is built.
pub(super) fn built(name: &str) -> Option<&'static Built> {
    BUILT.binary_search_by(|built| built.name.cmp(name)).ok().map(|at| &BUILT[at])
}

/// Every operation of the service model, and whether this server has it; sorted by name.
pub fn operations() -> impl Iterator<Item = (&'static str, bool)> {
    model::cloudtrail::OPERATIONS.iter().map(|operation| (operation.name, built(operation.name).is_some()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_of_the_model() {
        assert!(BUILT.is_sorted_by_key(|built| built.name));
        assert_eq!(operations().filter(|(_, is_built)| *is_built).count(), BUILT.len());
    }
}
