//! Lookups against a naive list.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use keys::{AccountId, Region, Timestamp};
use proptest::prelude::*;

use crate::index::SIZE;
use crate::testing::{DAY, Fixture, event};
use crate::{Attribute, Audit, Category, Error, Event, Mode, Query};

pub(super) fn query(attribute: Option<Attribute>) -> Query {
    Query {
        account: AccountId::parse("111111111111").unwrap(),
        region: Region::parse("us-east-1").unwrap(),
        attribute,
        start: None,
        oldest: None,
        end: None,
        limit: 50,
        token: None,
    }
}

/// All pages of a query, as numbers of events.
async fn look(audit: &Audit, query: &Query) -> Vec<u64> {
    let mut query = query.clone();
    let mut found = Vec::new();
    loop {
        let page = audit.lookup(&query).await.unwrap();
        assert!(page.events.len() <= query.limit && (page.token.is_none() || !page.events.is_empty()));
        found.extend(page.events.iter().map(|stored| stored.number));
        query.token = page.token;
        if query.token.is_none() {
            return found;
        }
    }
}

/// The same by looking at every event.
fn naive(events: &[Event], query: &Query) -> Vec<u64> {
    let wanted = |event: &Event| event.category == Category::Management && query.wants(event);
    let numbered = (1_u64..).zip(events).filter(|(_, event)| wanted(event));
    let mut found: Vec<u64> = numbered.map(|(number, _)| number).collect();
    found.reverse();
    found
}

fn attribute() -> impl Strategy<Value = Option<Attribute>> {
    prop_oneof![
        Just(None),
        (0..20_000_u64).prop_map(|of| Some(Attribute::EventId(event(of).id.to_string()))),
        prop_oneof![Just("Encrypt"), Just("GetObject"), Just("encrypt")]
            .prop_map(|name| Some(Attribute::EventName(name.to_owned()))),
        prop_oneof![Just("true"), Just("false"), Just("True")].prop_map(|v| Some(Attribute::ReadOnly(v.to_owned()))),
        (0..15_u32).prop_map(|of| Some(Attribute::Username(format!("user-{of}")))),
        (0..12_u32).prop_map(|of| Some(Attribute::ResourceName(format!("arn:aws:kms:key/{of}")))),
        Just(Some(Attribute::ResourceType("AWS::KMS::Key".to_owned()))),
        Just(Some(Attribute::EventSource("iam.amazonaws.com".to_owned()))),
        (0..18_u32).prop_map(|of| Some(Attribute::AccessKeyId(format!("AKIA{of}")))),
    ]
}

fn queries() -> impl Strategy<Value = Query> {
    let time = || prop::option::of((0..26_000_u64).prop_map(|of| Timestamp::from_millis(999 * DAY + of * 1_000)));
    let owner = (any::<bool>(), any::<bool>());
    (attribute(), time(), time(), 1..=50_usize, owner).prop_map(|(attribute, start, end, limit, (other, far))| Query {
        account: AccountId::parse(if other { "222222222222" } else { "111111111111" }).unwrap(),
        region: Region::parse(if far { "eu-west-1" } else { "us-east-1" }).unwrap(),
        start,
        end,
        limit,
        ..query(attribute)
    })
}

/// More than one segment: the index is partly in memory, partly written; and once all of it is made anew at a start.
#[test]
fn lookups_find_what_a_look_at_every_event_finds() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let events: Vec<Event> = (0..SIZE + 9_000).map(event).collect();
    let fixture = runtime.block_on(Fixture::new());
    let (audit, again) = runtime.block_on(async {
        let audit = fixture.open(Mode::Strict).await;
        for some in events.chunks(173) {
            audit.record(some.to_vec()).await.unwrap();
        }
        (audit, fixture.open(Mode::Strict).await)
    });
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig { cases: 96, ..ProptestConfig::default() });
    runner
        .run(&queries(), |query| {
            let expected = naive(&events, &query);
            // A long answer is as good as its first pages.
            for audit in [&audit, &again] {
                let found = runtime.block_on(look_some(audit, &query, 400));
                prop_assert_eq!(&found[..], &expected[..found.len()]);
                prop_assert!(found.len() == expected.len() || found.len() >= 400);
            }
            Ok(())
        })
        .unwrap();
    for attribute in [None, Some(Attribute::Username("user-7".to_owned()))] {
        let query = query(attribute);
        assert_eq!(runtime.block_on(look(&again, &query)), naive(&events, &query));
    }
    runtime.block_on(audit.close());
    // Both segments' rows are there now or memory has them; with neither index rows nor memory a third start makes them.
    runtime.block_on(async {
        crate::testing::clear_index(&*fixture.store).await;
        let audit = fixture.open(Mode::Strict).await;
        let query = query(Some(Attribute::EventId(event(8).id.to_string())));
        assert_eq!(look(&audit, &query).await, [9]);
    });
}

async fn look_some(audit: &Audit, query: &Query, enough: usize) -> Vec<u64> {
    let mut query = query.clone();
    let mut found: Vec<u64> = Vec::new();
    loop {
        let page = audit.lookup(&query).await.unwrap();
        found.extend(page.events.iter().map(|stored| stored.number));
        query.token = page.token;
        if query.token.is_none() || found.len() >= enough {
            return found;
        }
    }
}

#[tokio::test]
async fn a_token_is_good_for_its_query_alone() {
    let fixture = Fixture::new().await;
    let audit = fixture.open(Mode::Strict).await;
    audit.record((0..200).map(event).collect()).await.unwrap();
    let first = Query { limit: 5, ..query(Some(Attribute::ReadOnly("true".to_owned()))) };
    let page = audit.lookup(&first).await.unwrap();
    let next = Query { token: page.token.clone(), limit: 7, ..first.clone() };
    let more = audit.lookup(&next).await.unwrap();
    assert!(more.events.len() == 7 && more.events[0].number < page.events[4].number);
    let other = |change: &dyn Fn(&mut Query)| {
        let mut other = next.clone();
        change(&mut other);
        other
    };
    for wrong in [
        other(&|query| query.attribute = None),
        other(&|query| query.attribute = Some(Attribute::ReadOnly("false".to_owned()))),
        other(&|query| query.account = AccountId::parse("222222222222").unwrap()),
        other(&|query| query.region = Region::parse("eu-west-1").unwrap()),
        other(&|query| query.start = Some(Timestamp::from_millis(1))),
        other(&|query| query.end = Some(Timestamp::from_millis(1))),
        other(&|query| query.token = Some("AAAA".to_owned())),
        other(&|query| query.token = Some("not base64!".to_owned())),
    ] {
        assert_eq!(audit.lookup(&wrong).await, Err(Error::InvalidToken), "{wrong:?}");
    }
}

#[tokio::test]
async fn what_is_recorded_is_found_at_once() {
    let fixture = Fixture::new().await;
    let audit = fixture.open(Mode::Strict).await;
    for of in 0..40 {
        let event = event(of);
        audit.record(vec![event.clone()]).await.unwrap();
        let query = Query {
            account: event.account,
            region: event.region.clone(),
            ..query(Some(Attribute::EventId(event.id.to_string())))
        };
        let found = audit.lookup(&query).await.unwrap().events;
        match event.category {
            Category::Management => assert_eq!(found[0].event, event),
            Category::Data => assert!(found.is_empty(), "data events are not looked up"),
        }
    }
}
