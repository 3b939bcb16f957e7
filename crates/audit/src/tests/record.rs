//! Recording: durable when it returns, in order, and told when it fails.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use meta::{Order, Range, Record, Row, Statistics, Store, Table, Transaction};

use crate::testing::{Fixture, event};
use crate::{Audit, Batch, Error, Event, Mode};

/// A store whose commits fail on demand.
struct Faulty {
    store: meta::memory::Memory,
    fault: AtomicU8,
}

const WORKS: u8 = 0;
const FULL: u8 = 1;
/// The commit happens, but the answer is a failure.
const UNKNOWN: u8 = 2;
/// It does not happen, and the answer is the same.
const LOST: u8 = 3;

#[async_trait]
impl Store for Faulty {
    async fn get(&self, table: Table, key: &[u8]) -> Result<Option<Bytes>, meta::Error> {
        self.store.get(table, key).await
    }
    async fn record(&self, table: Table, key: &[u8]) -> Result<Option<Record>, meta::Error> {
        self.store.record(table, key).await
    }
    async fn scan(&self, table: Table, range: &Range, order: Order, limit: usize) -> Result<Vec<Row>, meta::Error> {
        self.store.scan(table, range, order, limit).await
    }
    async fn commit(&self, transaction: Transaction) -> Result<(), meta::Error> {
        tokio::task::yield_now().await;
        match self.fault.load(Ordering::Relaxed) {
            FULL => Err(meta::Error::Full),
            UNKNOWN => self.store.commit(transaction).await.and(Err(meta::Error::Io("unknown".into()))),
            LOST => Err(meta::Error::Io("lost".into())),
            _ => self.store.commit(transaction).await,
        }
    }
    fn statistics(&self) -> Statistics {
        self.store.statistics()
    }
    async fn close(&self) {}
}

async fn faulty() -> (Fixture, Arc<Faulty>) {
    let store = Arc::new(Faulty { store: meta::memory::Memory::new(), fault: AtomicU8::new(WORKS) });
    (Fixture::on(Arc::clone(&store) as Arc<dyn Store>).await, store)
}

pub(super) async fn all(audit: &Audit) -> Vec<Event> {
    let (mut events, mut from) = (Vec::new(), 1);
    loop {
        let Batch { events: some, next, end } = audit.read(from, 100, |_| true).await.unwrap();
        events.extend(some.into_iter().map(|stored| stored.event));
        from = next;
        if end {
            return events;
        }
    }
}

#[tokio::test]
async fn opening_writes_nothing() {
    let fixture = Fixture::new().await;
    let audit = fixture.open(Mode::Strict).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    audit.close().await;
    for table in [Table::Audit, Table::AuditIndex] {
        assert!(fixture.store.scan(table, &Range::all(), Order::Ascending, 1).await.unwrap().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_many_record_at_once_is_there_once_and_calls_stay_together() {
    let fixture = Fixture::new().await;
    let audit = fixture.open(Mode::Strict).await;
    let tasks: Vec<_> = (0..32)
        .map(|of| {
            let audit = Arc::clone(&audit);
            tokio::spawn(async move {
                for turn in 0..20 {
                    let first = of * 1_000 + turn * 2;
                    audit.record(vec![event(first), event(first + 1)]).await.unwrap();
                    assert!(*audit.newest().borrow() >= 2);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let events = all(&audit).await;
    assert_eq!(events.len(), 32 * 20 * 2);
    for pair in events.chunks(2) {
        let first = u64::from_be_bytes(pair[0].id.as_bytes()[8..].try_into().unwrap());
        assert_eq!(pair, [event(first), event(first + 1)]);
    }
    let blocks = audit.verify(None).await.unwrap();
    assert!(blocks.findings.is_empty() && blocks.events == 1280 && blocks.blocks <= 640, "{blocks:?}");
}

#[tokio::test]
async fn after_a_restart_the_chain_goes_on() {
    let fixture = Fixture::new().await;
    for of in 0..10 {
        let audit = fixture.open(Mode::Strict).await;
        assert_eq!(*audit.newest().borrow(), of);
        audit.record(vec![event(of)]).await.unwrap();
        audit.close().await;
        assert_eq!(audit.record(vec![event(of)]).await, Err(Error::Closed));
    }
    let audit = fixture.open(Mode::Strict).await;
    assert_eq!(all(&audit).await, (0..10).map(event).collect::<Vec<_>>());
    assert!(audit.verify(None).await.unwrap().findings.is_empty());
}

#[tokio::test]
async fn a_full_disk_fails_what_waits_and_the_log_goes_on_afterwards() {
    let (fixture, store) = faulty().await;
    let audit = fixture.open(Mode::Strict).await;
    audit.record(vec![event(1)]).await.unwrap();
    store.fault.store(FULL, Ordering::Relaxed);
    assert_eq!(audit.record(vec![event(2)]).await, Err(Error::Store(meta::Error::Full)));
    assert_eq!(all(&audit).await, [event(1)], "reads go on");
    store.fault.store(WORKS, Ordering::Relaxed);
    audit.record(vec![event(3)]).await.unwrap();
    assert_eq!(all(&audit).await, [event(1), event(3)]);
    assert!(audit.verify(None).await.unwrap().findings.is_empty());
}

#[tokio::test]
async fn a_commit_that_ends_in_the_unknown_is_looked_for() {
    for (fault, recorded) in [(UNKNOWN, vec![event(1), event(2), event(3)]), (LOST, vec![event(1), event(3)])] {
        let (fixture, store) = faulty().await;
        let audit = fixture.open(Mode::Strict).await;
        audit.record(vec![event(1)]).await.unwrap();
        store.fault.store(fault, Ordering::Relaxed);
        assert!(matches!(audit.record(vec![event(2)]).await, Err(Error::Store(meta::Error::Io(_)))));
        store.fault.store(WORKS, Ordering::Relaxed);
        audit.record(vec![event(3)]).await.unwrap();
        assert_eq!(all(&audit).await, recorded);
        let report = audit.verify(None).await.unwrap();
        assert!(report.findings.is_empty(), "{report:?}");
    }
}

#[tokio::test]
async fn two_writers_never_fork_the_chain() {
    let fixture = Fixture::new().await;
    let (one, other) = (fixture.open(Mode::Strict).await, fixture.open(Mode::Strict).await);
    one.record(vec![event(1)]).await.unwrap();
    assert_eq!(other.record(vec![event(2)]).await, Err(Error::AnotherWriter));
    assert_eq!(other.record(vec![event(2)]).await, Err(Error::AnotherWriter));
    one.record(vec![event(3)]).await.unwrap();
    assert!(one.verify(None).await.unwrap().findings.is_empty());
}

#[tokio::test]
async fn relaxed_returns_at_once_writes_within_its_time_and_tries_again() {
    let (fixture, store) = faulty().await;
    let audit = fixture.open(Mode::Relaxed).await;
    store.fault.store(FULL, Ordering::Relaxed);
    for of in 0..5 {
        audit.record(vec![event(of)]).await.unwrap();
    }
    assert_eq!(*audit.newest().borrow(), 0);
    tokio::time::sleep(crate::committer::FLUSH + Duration::from_millis(100)).await;
    store.fault.store(WORKS, Ordering::Relaxed);
    let mut newest = audit.newest();
    tokio::time::timeout(Duration::from_secs(5), newest.wait_for(|newest| *newest == 5)).await.unwrap().unwrap();
    audit.record(vec![event(5)]).await.unwrap();
    audit.close().await;
    assert_eq!(all(&audit).await, (0..6).map(event).collect::<Vec<_>>(), "in order, and closing writes what waits");
}

#[tokio::test]
async fn an_event_too_large_is_refused_and_many_are_not() {
    let fixture = Fixture::new().await;
    let audit = fixture.open(Mode::Strict).await;
    let large = Event { record: vec![b'x'; crate::MAX_RECORD + 1].into(), ..event(1) };
    assert!(matches!(audit.record(vec![large]).await, Err(Error::TooLarge { .. })));
    audit.record((0..1_000).map(event).collect()).await.unwrap();
    assert_eq!(all(&audit).await.len(), 1_000);
    audit.record(Vec::new()).await.unwrap();
}

#[tokio::test]
async fn readers_remember_where_they_were() {
    let fixture = Fixture::new().await;
    let audit = fixture.open(Mode::Strict).await;
    audit.record((0..50).map(event).collect()).await.unwrap();
    assert_eq!(audit.cursor("trail one").await.unwrap(), None);
    let batch = audit.read(1, 7, |event| event.searchable.read_only).await.unwrap();
    assert_eq!((batch.events.len(), batch.next, batch.end), (7, 14, false));
    audit.set_cursor("trail one", batch.next).await.unwrap();
    assert_eq!(fixture.open(Mode::Strict).await.cursor("trail one").await.unwrap(), Some(14));
    let rest = audit.read(14, 1_000, |event| event.searchable.read_only).await.unwrap();
    assert_eq!((rest.events.len(), rest.next, rest.end), (18, 51, true));
    audit.remove_cursor("trail one").await.unwrap();
    assert_eq!(audit.cursor("trail one").await.unwrap(), None);
}
