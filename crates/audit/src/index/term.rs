//! Terms: what an event is found by, as eight bytes.

use aws_lc_rs::digest::{SHA256, digest};
use keys::{AccountId, Region};
use uuid::Uuid;

use crate::encoding::cut;
use crate::event::Event;
use crate::query::{Attribute, Query};

/// An attribute with its value, account and Region, hashed to eight bytes: the first of
/// SHA-256(account ‖ attribute (1) ‖ Region ‖ 00 ‖ value), and of an event's id the first eight of the id itself, which is random. Two
/// things may share a term, so whatever is found by one is looked at before it is given out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Term(pub(crate) u64);

impl Term {
    /// What an event is found by; each once.
    pub(crate) fn all_of(event: &Event) -> Vec<Term> {
        let found = &event.searchable;
        let of = |attribute, value: &str| Term::of(event.account, &event.region, attribute, value);
        let mut terms = Vec::with_capacity(8 + 2 * found.resources.len());
        terms.push(of(ANY, ""));
        terms.push(Term::of_id(&event.id));
        terms.push(of(EVENT_NAME, &found.event_name));
        terms.push(of(EVENT_SOURCE, &found.event_source));
        terms.push(of(READ_ONLY, read_only(found.read_only)));
        terms.extend(found.user_name.as_deref().map(|name| of(USER_NAME, name)));
        terms.extend(found.access_key_id.as_deref().map(|id| of(ACCESS_KEY_ID, id)));
        for (index, resource) in found.resources.iter().take(MAX_RESOURCES).enumerate() {
            if !found.resources[..index].iter().any(|before| before.kind == resource.kind) {
                terms.push(of(RESOURCE_TYPE, &resource.kind));
            }
            if !found.resources[..index].iter().any(|before| before.name == resource.name) {
                terms.push(of(RESOURCE_NAME, &resource.name));
            }
        }
        terms
    }

    /// What a query looks for; `None` if no event can have it.
    pub(crate) fn of_query(query: &Query) -> Option<Term> {
        let of = |attribute, value: &str| Some(Term::of(query.account, &query.region, attribute, value));
        match &query.attribute {
            None => of(ANY, ""),
            Some(Attribute::EventId(id)) => id.parse().ok().map(|id| Term::of_id(&id)),
            Some(Attribute::EventName(name)) => of(EVENT_NAME, name),
            Some(Attribute::EventSource(source)) => of(EVENT_SOURCE, source),
            Some(Attribute::ReadOnly(value)) => of(READ_ONLY, value),
            Some(Attribute::Username(name)) => of(USER_NAME, name),
            Some(Attribute::AccessKeyId(id)) => of(ACCESS_KEY_ID, id),
            Some(Attribute::ResourceType(kind)) => of(RESOURCE_TYPE, kind),
            Some(Attribute::ResourceName(name)) => of(RESOURCE_NAME, name),
        }
    }

    fn of(account: AccountId, region: &Region, attribute: u8, value: &str) -> Term {
        let value = cut(value);
        let mut text = Vec::with_capacity(AccountId::LEN + 2 + region.as_str().len() + value.len());
        text.extend_from_slice(account.as_str().as_bytes());
        text.push(attribute);
        text.extend_from_slice(region.as_str().as_bytes());
        text.push(0);
        text.extend_from_slice(value.as_bytes());
        Term::first_of(digest(&SHA256, &text).as_ref())
    }

    fn of_id(id: &Uuid) -> Term {
        Term::first_of(id.as_bytes())
    }

    fn first_of(bytes: &[u8]) -> Term {
        Term(u64::from_be_bytes(*bytes.first_chunk().expect("16 or 32 bytes")))
    }

    /// Which of a segment's buckets it is in.
    pub(crate) fn bucket(self) -> u8 {
        self.0.to_be_bytes()[0]
    }
}

impl Query {
    /// Whether it asks for this event. The index proposes, this decides.
    pub(crate) fn wants(&self, event: &Event) -> bool {
        let found = &event.searchable;
        event.account == self.account
            && event.region == self.region
            && self.start.is_none_or(|start| event.time >= start)
            && self.end.is_none_or(|end| event.time <= end)
            && match &self.attribute {
                None => true,
                // As AWS writes them: in lower case.
                Some(Attribute::EventId(id)) => *id == event.id.to_string(),
                Some(Attribute::EventName(name)) => found.event_name == cut(name),
                Some(Attribute::EventSource(source)) => found.event_source == cut(source),
                Some(Attribute::ReadOnly(value)) => value == read_only(found.read_only),
                Some(Attribute::Username(name)) => found.user_name.as_deref() == Some(cut(name)),
                Some(Attribute::AccessKeyId(id)) => found.access_key_id.as_deref() == Some(cut(id)),
                Some(Attribute::ResourceType(kind)) => found.resources.iter().any(|one| one.kind == cut(kind)),
                Some(Attribute::ResourceName(name)) => found.resources.iter().any(|one| one.name == cut(name)),
            }
    }
}

fn read_only(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

/// Resources that an event is found by: a request names a few at most.
pub(crate) const MAX_RESOURCES: usize = 50;

const ANY: u8 = 0;
const EVENT_NAME: u8 = 2;
const READ_ONLY: u8 = 3;
const USER_NAME: u8 = 4;
const RESOURCE_TYPE: u8 = 5;
const RESOURCE_NAME: u8 = 6;
const EVENT_SOURCE: u8 = 7;
const ACCESS_KEY_ID: u8 = 8;
