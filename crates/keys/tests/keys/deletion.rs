use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use keys::Keys;
use keys::operation::alias::UpdateAliasRequest;
use keys::operation::deletion::{CancelKeyDeletionRequest, ScheduleKeyDeletionRequest};
use keys::operation::lifecycle::ListKeysRequest;
use meta::memory::Memory;
use meta::{Error, Order, Range, Record, Row, Statistics, Store, Table, Transaction};
use tokio::sync::Barrier;

use crate::fixture::{DAY, Fixture, code, root_key};

async fn rows(f: &Fixture, table: Table) -> usize {
    f.store.scan(table, &Range::all(), Order::Ascending, 1_000).await.unwrap().len()
}

#[tokio::test]
async fn the_waiting_period_is_7_to_30_days_and_30_by_default() {
    let f = Fixture::new().await;
    let key = f.key().await;
    for days in [0, 1, 6, 31, 366, -1] {
        assert_eq!(code(f.schedule(&key, days).await), "ValidationException", "{days}");
    }
    let request = ScheduleKeyDeletionRequest { key_id: key.clone(), pending_window_in_days: None };
    let answer = f.keys.schedule_key_deletion(&f.me, request).await.unwrap();
    assert_eq!((answer.key_state, answer.pending_window_in_days), ("PendingDeletion", 30));
    assert_eq!(answer.deletion_date, Some((f.time() + 30 * DAY).into()));
    assert_eq!(f.describe(&key).await.unwrap().deletion_date, answer.deletion_date);
}

#[tokio::test]
async fn a_cancelled_deletion_leaves_the_key_disabled_for_good() {
    let f = Fixture::new().await;
    let key = f.key().await;
    let blob = f.encrypt(&key, "x").await.unwrap();
    f.schedule(&key, 7).await.unwrap();
    let request = CancelKeyDeletionRequest { key_id: key.clone() };
    f.keys.cancel_key_deletion(&f.me, request).await.unwrap();
    assert_eq!(f.describe(&key).await.unwrap().key_state, "Disabled");
    f.pass(60 * DAY);
    f.keys.tick().await.unwrap();
    f.enable(&key).await.unwrap();
    assert_eq!(code(f.decrypt(&blob).await), "ok");
}

#[tokio::test]
async fn a_key_past_its_date_is_destroyed_with_all_its_rows() {
    let f = Fixture::new().await;
    let (key, kept) = (f.key().await, f.key().await);
    f.alias("alias/gone", &key).await.unwrap();
    f.alias("alias/stays", &kept).await.unwrap();
    f.rotate(&key).await.unwrap();
    let blob = f.encrypt(&key, "x").await.unwrap();
    f.schedule(&key, 7).await.unwrap();

    f.pass(7 * DAY - DAY / 2);
    f.keys.tick().await.unwrap();
    assert_eq!(f.describe(&key).await.unwrap().key_state, "PendingDeletion");

    f.pass(DAY / 2);
    f.keys.tick().await.unwrap();
    assert_eq!(code(f.describe(&key).await), "NotFoundException");
    assert_eq!(code(f.describe("alias/gone").await), "NotFoundException");
    assert_eq!(code(f.decrypt(&blob).await), "AccessDeniedException");
    assert_eq!(f.keys.list_keys(&f.me, ListKeysRequest::default()).await.unwrap().keys.len(), 1);
    let told: Vec<_> = f.told().await.into_iter().map(|event| (event.key.key.to_string(), event.deed.name())).collect();
    assert_eq!(told, [(key.clone(), "RotateKey"), (key, "DeleteKey")]);
    // One key is left: its record, its owner's entry; its one material; its alias both ways. And since when uses are noted.
    assert_eq!((rows(&f, Table::Key).await, rows(&f, Table::Material).await, rows(&f, Table::Alias).await), (3, 1, 2));
    assert_eq!(f.describe("alias/stays").await.unwrap().key_id, kept);
}

#[tokio::test]
async fn gateways_that_tick_together_destroy_once() {
    let f = Fixture::new().await;
    let keys = [f.key().await, f.key().await, f.key().await];
    for key in &keys {
        f.schedule(key, 7).await.unwrap();
    }
    f.pass(7 * DAY);
    let other = f.gateway().await;
    let (one, two) = tokio::join!(f.keys.tick(), other.tick());
    one.unwrap();
    two.unwrap();
    // Told once, too.
    assert_eq!(f.told().await.len(), 3);
    assert_eq!((rows(&f, Table::Key).await, rows(&f, Table::Material).await), (1, 0));
}

#[tokio::test]
async fn an_alias_that_leaves_a_key_while_it_is_destroyed_stays() {
    let f = Fixture::new().await;
    let (going, staying) = (f.key().await, f.key().await);
    f.alias("alias/a", &going).await.unwrap();
    f.schedule(&going, 7).await.unwrap();
    f.pass(7 * DAY);
    let store = Arc::new(Halting { store: f.store.clone(), halt: Barrier::new(2), halted: AtomicBool::new(false) });
    let other = Keys::open(store.clone(), root_key(7), f.settings()).await.unwrap();
    let destroying = tokio::spawn(async move { other.tick().await });
    // The destruction has read the key and its aliases, and is about to be committed.
    store.halt.wait().await;
    let request = UpdateAliasRequest { alias_name: "alias/a".to_owned(), target_key_id: staying.clone() };
    f.keys.update_alias(&f.me, request).await.unwrap();
    store.halt.wait().await;
    destroying.await.unwrap().unwrap();
    assert_eq!(code(f.describe(&going).await), "NotFoundException");
    assert_eq!(f.describe("alias/a").await.unwrap().key_id, staying);
}

/// A store whose first transaction that shreds waits until the test has done what it will: it meets the test twice.
struct Halting {
    store: Arc<Memory>,
    halt: Barrier,
    halted: AtomicBool,
}

#[async_trait]
impl Store for Halting {
    async fn get(&self, table: Table, key: &[u8]) -> Result<Option<Bytes>, Error> {
        self.store.get(table, key).await
    }

    async fn record(&self, table: Table, key: &[u8]) -> Result<Option<Record>, Error> {
        self.store.record(table, key).await
    }

    async fn scan(&self, table: Table, range: &Range, order: Order, limit: usize) -> Result<Vec<Row>, Error> {
        self.store.scan(table, range, order, limit).await
    }

    async fn commit(&self, transaction: Transaction) -> Result<(), Error> {
        if transaction.shred && !self.halted.swap(true, Ordering::SeqCst) {
            self.halt.wait().await;
            self.halt.wait().await;
        }
        self.store.commit(transaction).await
    }

    fn statistics(&self) -> Statistics {
        self.store.statistics()
    }

    async fn close(&self) {
        self.store.close().await;
    }
}
