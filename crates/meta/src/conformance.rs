//! The store's contract as tests, for any backend.
//!
//! A backend's test file names how to make an empty store and lets the macro write one test per case:
//!
//! ```ignore
//! meta::conformance!(|| MyBackend::new());
//! ```

#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(missing_docs, reason = "a case's name is its property")]

use std::ops::Bound;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::{
    Error, MAX_BODY, MAX_KEY, MAX_OPERATIONS, MAX_TRANSACTION, MAX_VALUE, Order, Range, Record, Store, Table,
    Transaction,
};

/// A backend under test: one store, that can be opened again and again.
#[async_trait]
pub trait Backend: Send + Sync {
    /// Opens the store, with what earlier openings have committed. The one before is closed.
    async fn open(&self) -> Arc<dyn Store>;
}

/// One `#[tokio::test]` per case. `$make` is a closure that returns a [`Backend`] with an empty store.
#[macro_export]
macro_rules! conformance {
    ($make:expr) => {
        $crate::conformance!(@cases $make,
            what_was_put_is_there
            a_put_replaces_value_and_body
            a_delete_removes_and_may_be_repeated
            tables_are_apart
            keys_are_ordered_as_bytes
            a_prefix_range_holds_what_begins_with_it
            bounds_are_kept_in_both_orders
            limits_are_kept_in_both_orders
            long_scans_are_whole
            an_inverted_range_is_empty
            a_body_is_not_the_value
            empty_is_not_absent
            the_largest_record_is_kept
            what_is_too_large_is_refused
            absent_is_checked
            present_is_checked
            equals_is_checked
            vacant_is_checked
            a_conflict_names_the_first_failing_expectation
            a_conflict_writes_nothing
            expectations_see_the_state_before_the_writes
            the_later_of_two_writes_stands
            an_empty_transaction_succeeds
            many_operations_are_one_transaction
            a_conflict_does_not_undo_its_neighbours
            concurrent_increments_lose_nothing
            one_of_many_creators_wins
            commits_survive_reopening
            a_closed_store_says_so
            statistics_count
        );
    };
    (@cases $make:expr, $($case:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                $crate::conformance::$case(&($make)()).await;
            }
        )*
    };
}

const TABLE: Table = Table::Object;

async fn put(store: &dyn Store, key: impl AsRef<[u8]>, value: impl Into<Bytes>) {
    store.commit(Transaction::new().put(TABLE, key, value)).await.unwrap();
}

async fn keys(store: &dyn Store, range: &Range, order: Order, limit: usize) -> Vec<Vec<u8>> {
    let rows = store.scan(TABLE, range, order, limit).await.unwrap();
    rows.into_iter().map(|row| row.key.to_vec()).collect()
}

pub async fn what_was_put_is_there(backend: &dyn Backend) {
    let store = backend.open().await;
    assert_eq!(store.get(TABLE, b"k").await, Ok(None));
    assert_eq!(store.record(TABLE, b"k").await, Ok(None));
    put(&*store, "k", "v").await;
    assert_eq!(store.get(TABLE, b"k").await, Ok(Some("v".into())));
    assert_eq!(store.record(TABLE, b"k").await, Ok(Some(Record { value: "v".into(), body: None })));
}

pub async fn a_put_replaces_value_and_body(backend: &dyn Backend) {
    let store = backend.open().await;
    store.commit(Transaction::new().put_with_body(TABLE, "k", "v", "body")).await.unwrap();
    put(&*store, "k", "w").await;
    assert_eq!(store.record(TABLE, b"k").await, Ok(Some(Record { value: "w".into(), body: None })));
    assert_eq!(keys(&*store, &Range::all(), Order::Ascending, 9).await, [b"k"]);
}

pub async fn a_delete_removes_and_may_be_repeated(backend: &dyn Backend) {
    let store = backend.open().await;
    put(&*store, "k", "v").await;
    put(&*store, "l", "v").await;
    for _ in 0..2 {
        store.commit(Transaction::new().delete(TABLE, "k")).await.unwrap();
        assert_eq!(store.get(TABLE, b"k").await, Ok(None));
    }
    assert_eq!(keys(&*store, &Range::all(), Order::Ascending, 9).await, [b"l"]);
}

pub async fn tables_are_apart(backend: &dyn Backend) {
    let store = backend.open().await;
    for table in Table::ALL {
        store.commit(Transaction::new().expect_absent(table, "k").put(table, "k", table.name())).await.unwrap();
    }
    for table in Table::ALL {
        assert_eq!(store.get(table, b"k").await, Ok(Some(table.name().into())));
        assert_eq!(store.scan(table, &Range::all(), Order::Ascending, 9).await.unwrap().len(), 1);
    }
}

/// Every string of up to three of these bytes.
fn awkward_keys() -> Vec<Vec<u8>> {
    const BYTES: [u8; 5] = [0x00, 0x01, 0x7F, 0x80, 0xFF];
    let mut all = vec![vec![]];
    let mut last = all.clone();
    for _ in 0..3 {
        last = last.iter().flat_map(|key| BYTES.map(|byte| [key.as_slice(), &[byte]].concat())).collect();
        all.extend(last.clone());
    }
    all.sort();
    all
}

async fn with_awkward_keys(store: &dyn Store) -> Vec<Vec<u8>> {
    let all = awkward_keys();
    // Backwards, so that the order of insertion is not the one asked for.
    let transaction = all.iter().rev().fold(Transaction::new(), |it, key| it.put(TABLE, key, "v"));
    store.commit(transaction).await.unwrap();
    all
}

pub async fn keys_are_ordered_as_bytes(backend: &dyn Backend) {
    let store = backend.open().await;
    let mut all = with_awkward_keys(&*store).await;
    assert_eq!(keys(&*store, &Range::all(), Order::Ascending, 999).await, all);
    all.reverse();
    assert_eq!(keys(&*store, &Range::all(), Order::Descending, 999).await, all);
}

pub async fn a_prefix_range_holds_what_begins_with_it(backend: &dyn Backend) {
    let store = backend.open().await;
    let all = with_awkward_keys(&*store).await;
    for prefix in &all {
        let mut expected: Vec<_> = all.iter().filter(|key| key.starts_with(prefix)).cloned().collect();
        let range = Range::prefix(prefix);
        assert_eq!(keys(&*store, &range, Order::Ascending, 999).await, expected, "{prefix:?}");
        expected.reverse();
        assert_eq!(keys(&*store, &range, Order::Descending, 999).await, expected, "{prefix:?}");
    }
}

pub async fn bounds_are_kept_in_both_orders(backend: &dyn Backend) {
    let store = backend.open().await;
    let all = with_awkward_keys(&*store).await;
    let marks = [all[0].clone(), all[17].clone(), all[80].clone(), vec![0x7F, 0x33], all[155].clone()];
    let bounds: Vec<Bound<Vec<u8>>> = marks
        .into_iter()
        .flat_map(|key| [Bound::Included(key.clone()), Bound::Excluded(key)])
        .chain([Bound::Unbounded])
        .collect();
    for start in &bounds {
        for end in &bounds {
            let range = Range { start: start.clone(), end: end.clone() };
            let mut expected: Vec<_> = all.iter().filter(|key| range.contains(key)).cloned().collect();
            assert_eq!(keys(&*store, &range, Order::Ascending, 999).await, expected, "{range:?}");
            expected.reverse();
            assert_eq!(keys(&*store, &range, Order::Descending, 999).await, expected, "{range:?}");
        }
    }
}

pub async fn limits_are_kept_in_both_orders(backend: &dyn Backend) {
    let store = backend.open().await;
    let all = with_awkward_keys(&*store).await;
    for limit in [0, 1, 2, 155, 156, 157] {
        let most = limit.min(all.len());
        assert_eq!(keys(&*store, &Range::all(), Order::Ascending, limit).await, all[..most]);
        let backwards: Vec<_> = all.iter().rev().take(most).cloned().collect();
        assert_eq!(keys(&*store, &Range::all(), Order::Descending, limit).await, backwards);
    }
}

pub async fn long_scans_are_whole(backend: &dyn Backend) {
    let store = backend.open().await;
    let all: Vec<Vec<u8>> = (0..3_000_u32).map(|number| number.to_be_bytes().to_vec()).collect();
    let transaction = all.iter().fold(Transaction::new(), |it, key| it.put(TABLE, key, vec![1; 700]));
    store.commit(transaction).await.unwrap();
    for limit in [255, 256, 257, 512, 2_999, 3_000, 3_001, usize::MAX] {
        let most = limit.min(all.len());
        assert_eq!(keys(&*store, &Range::all(), Order::Ascending, limit).await, all[..most]);
        let backwards: Vec<_> = all.iter().rev().take(most).cloned().collect();
        assert_eq!(keys(&*store, &Range::all(), Order::Descending, limit).await, backwards);
    }
}

pub async fn an_inverted_range_is_empty(backend: &dyn Backend) {
    let store = backend.open().await;
    with_awkward_keys(&*store).await;
    let range = Range { start: Bound::Included(vec![0x80]), end: Bound::Excluded(vec![0x01]) };
    for order in [Order::Ascending, Order::Descending] {
        assert!(keys(&*store, &range, order, 999).await.is_empty());
    }
    store.commit(Transaction::new().expect_vacant(TABLE, range)).await.unwrap();
}

pub async fn a_body_is_not_the_value(backend: &dyn Backend) {
    let store = backend.open().await;
    let body = vec![3; 100_000];
    store.commit(Transaction::new().put_with_body(TABLE, "k", "v", body.clone())).await.unwrap();
    assert_eq!(store.get(TABLE, b"k").await, Ok(Some("v".into())));
    assert_eq!(store.record(TABLE, b"k").await.unwrap().unwrap().body.unwrap(), body);
    assert_eq!(store.scan(TABLE, &Range::all(), Order::Ascending, 9).await.unwrap()[0].value, "v");
    store.commit(Transaction::new().expect_equals(TABLE, "k", "v").delete(TABLE, "k")).await.unwrap();
}

pub async fn empty_is_not_absent(backend: &dyn Backend) {
    let store = backend.open().await;
    store.commit(Transaction::new().put_with_body(TABLE, "", "", "").put(TABLE, "k", "")).await.unwrap();
    let empty = Bytes::new();
    assert_eq!(store.get(TABLE, b"").await, Ok(Some(empty.clone())));
    let record = store.record(TABLE, b"").await.unwrap().unwrap();
    assert_eq!(record, Record { value: empty.clone(), body: Some(empty.clone()) });
    assert_eq!(store.record(TABLE, b"k").await.unwrap().unwrap().body, None);
    let transaction = Transaction::new().expect_present(TABLE, "").expect_equals(TABLE, "k", "");
    store.commit(transaction).await.unwrap();
    let absent = Transaction::new().expect_equals(TABLE, "other", "");
    assert_eq!(store.commit(absent).await, Err(Error::Conflict { expect: 0 }));
}

pub async fn the_largest_record_is_kept(backend: &dyn Backend) {
    let store = backend.open().await;
    let (key, value, body) = (vec![0xFF; MAX_KEY], vec![1; MAX_VALUE], vec![2; MAX_BODY]);
    store.commit(Transaction::new().put_with_body(TABLE, &key, value.clone(), body.clone())).await.unwrap();
    let record = store.record(TABLE, &key).await.unwrap().unwrap();
    assert!(record.value == value && record.body.unwrap() == body);
    assert_eq!(keys(&*store, &Range::prefix([0xFF]), Order::Descending, 2).await, [key]);
}

pub async fn what_is_too_large_is_refused(backend: &dyn Backend) {
    let store = backend.open().await;
    let new = Transaction::new;
    let body = Bytes::from(vec![0; MAX_BODY]);
    let half = MAX_TRANSACTION / 2 / MAX_BODY + 2;
    let cases = [
        ("a key", new().put(TABLE, vec![0; MAX_KEY + 1], "")),
        ("a value", new().put(TABLE, "k", vec![0; MAX_VALUE + 1])),
        ("a body", new().put_with_body(TABLE, "k", "", vec![0; MAX_BODY + 1])),
        ("the number of operations", (0..=MAX_OPERATIONS).fold(new(), |it, _| it.delete(TABLE, "k"))),
        ("a transaction", (0..half).fold(new(), |it, _| it.put_with_body(TABLE, "k", "", body.clone()))),
    ];
    for (name, transaction) in cases {
        match store.commit(transaction).await {
            Err(Error::TooLarge { what, size, limit }) => assert!(what == name && size > limit),
            other => panic!("{name}: {other:?}"),
        }
    }
    assert_eq!(store.get(TABLE, b"k").await, Ok(None));
}

pub async fn absent_is_checked(backend: &dyn Backend) {
    let store = backend.open().await;
    let create = Transaction::new().expect_absent(TABLE, "k").put(TABLE, "k", "v");
    assert_eq!(store.commit(create.clone()).await, Ok(()));
    assert_eq!(store.commit(create).await, Err(Error::Conflict { expect: 0 }));
}

pub async fn present_is_checked(backend: &dyn Backend) {
    let store = backend.open().await;
    let change = Transaction::new().expect_present(TABLE, "k").put(TABLE, "k", "w");
    assert_eq!(store.commit(change.clone()).await, Err(Error::Conflict { expect: 0 }));
    put(&*store, "k", "v").await;
    assert_eq!(store.commit(change).await, Ok(()));
    assert_eq!(store.get(TABLE, b"k").await, Ok(Some("w".into())));
}

pub async fn equals_is_checked(backend: &dyn Backend) {
    let store = backend.open().await;
    let change = Transaction::new().expect_equals(TABLE, "k", "v").put(TABLE, "k", "w");
    assert_eq!(store.commit(change.clone()).await, Err(Error::Conflict { expect: 0 }), "of nothing");
    put(&*store, "k", "vv").await;
    assert_eq!(store.commit(change.clone()).await, Err(Error::Conflict { expect: 0 }), "of a longer one");
    put(&*store, "k", "v").await;
    assert_eq!(store.commit(change.clone()).await, Ok(()));
    assert_eq!(store.commit(change).await, Err(Error::Conflict { expect: 0 }));
}

pub async fn vacant_is_checked(backend: &dyn Backend) {
    let store = backend.open().await;
    put(&*store, "b/x", "v").await;
    let expects = |prefix: &str| Transaction::new().expect_vacant(TABLE, Range::prefix(prefix));
    assert_eq!(store.commit(expects("b/")).await, Err(Error::Conflict { expect: 0 }));
    assert_eq!(store.commit(expects("b/x")).await, Err(Error::Conflict { expect: 0 }));
    assert_eq!(store.commit(expects("")).await, Err(Error::Conflict { expect: 0 }));
    assert_eq!(store.commit(expects("a")).await, Ok(()));
    assert_eq!(store.commit(expects("b/x0")).await, Ok(()));
    assert_eq!(store.commit(expects("c")).await, Ok(()));
    let other = Transaction::new().expect_vacant(Table::Upload, Range::all());
    assert_eq!(store.commit(other).await, Ok(()));
}

pub async fn a_conflict_names_the_first_failing_expectation(backend: &dyn Backend) {
    let store = backend.open().await;
    put(&*store, "k", "v").await;
    let transaction = Transaction::new()
        .expect_present(TABLE, "k")
        .expect_equals(TABLE, "k", "v")
        .expect_absent(TABLE, "l")
        .expect_vacant(TABLE, Range::prefix("k"))
        .expect_absent(TABLE, "k");
    assert_eq!(store.commit(transaction).await, Err(Error::Conflict { expect: 3 }));
}

pub async fn a_conflict_writes_nothing(backend: &dyn Backend) {
    let store = backend.open().await;
    put(&*store, "kept", "v").await;
    let transaction = Transaction::new()
        .put(TABLE, "new", "v")
        .put(TABLE, "kept", "w")
        .delete(TABLE, "kept")
        .expect_present(TABLE, "missing");
    assert_eq!(store.commit(transaction).await, Err(Error::Conflict { expect: 0 }));
    assert_eq!(store.get(TABLE, b"new").await, Ok(None));
    assert_eq!(store.get(TABLE, b"kept").await, Ok(Some("v".into())));
}

pub async fn expectations_see_the_state_before_the_writes(backend: &dyn Backend) {
    let store = backend.open().await;
    let transaction = Transaction::new().put(TABLE, "k", "v").expect_absent(TABLE, "k");
    assert_eq!(store.commit(transaction).await, Ok(()));
    let transaction = Transaction::new().delete(TABLE, "k").expect_equals(TABLE, "k", "v");
    assert_eq!(store.commit(transaction).await, Ok(()));
}

pub async fn the_later_of_two_writes_stands(backend: &dyn Backend) {
    let store = backend.open().await;
    let new = Transaction::new;
    store.commit(new().put(TABLE, "k", "1").delete(TABLE, "k").put(TABLE, "k", "2")).await.unwrap();
    assert_eq!(store.get(TABLE, b"k").await, Ok(Some("2".into())));
    store.commit(new().put(TABLE, "k", "3").delete(TABLE, "k")).await.unwrap();
    assert_eq!(store.get(TABLE, b"k").await, Ok(None));
}

pub async fn an_empty_transaction_succeeds(backend: &dyn Backend) {
    assert_eq!(backend.open().await.commit(Transaction::new()).await, Ok(()));
}

pub async fn many_operations_are_one_transaction(backend: &dyn Backend) {
    let store = backend.open().await;
    let fill = |expects: Transaction| (0..10_000_u32).fold(expects, |it, n| it.put(TABLE, n.to_be_bytes(), "v"));
    let refused = fill(Transaction::new().expect_present(TABLE, "missing"));
    assert_eq!(store.commit(refused).await, Err(Error::Conflict { expect: 0 }));
    assert!(keys(&*store, &Range::all(), Order::Ascending, 1).await.is_empty());
    store.commit(fill(Transaction::new())).await.unwrap();
    assert_eq!(keys(&*store, &Range::all(), Order::Ascending, 20_000).await.len(), 10_000);
}

/// Transactions that are queued together may share a commit; each must be as if it were alone.
pub async fn a_conflict_does_not_undo_its_neighbours(backend: &dyn Backend) {
    let store = backend.open().await;
    put(&*store, "there", "v").await;
    let tasks: Vec<_> = (0..200_u32)
        .map(|number| {
            let store = Arc::clone(&store);
            let transaction = Transaction::new().put(TABLE, number.to_be_bytes(), "v");
            let fails = number % 3 == 0;
            let transaction = if fails { transaction.expect_absent(TABLE, "there") } else { transaction };
            tokio::spawn(async move { (number, fails, store.commit(transaction).await) })
        })
        .collect();
    for task in tasks {
        let (number, fails, answer) = task.await.unwrap();
        let there = store.get(TABLE, &number.to_be_bytes()).await.unwrap().is_some();
        if fails {
            assert_eq!((answer, there), (Err(Error::Conflict { expect: 0 }), false), "{number}");
        } else {
            assert_eq!((answer, there), (Ok(()), true), "{number}");
        }
    }
}

pub async fn concurrent_increments_lose_nothing(backend: &dyn Backend) {
    const WRITERS: u64 = 32;
    const TURNS: u64 = 8;
    let store = backend.open().await;
    put(&*store, "n", 0_u64.to_be_bytes().to_vec()).await;
    let tasks: Vec<_> = (0..WRITERS)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                for _ in 0..TURNS {
                    increment(&*store).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let sum = store.get(TABLE, b"n").await.unwrap().unwrap();
    assert_eq!(sum[..], (WRITERS * TURNS).to_be_bytes());
}

async fn increment(store: &dyn Store) {
    loop {
        let old = store.get(TABLE, b"n").await.unwrap().unwrap();
        let new = u64::from_be_bytes(old[..].try_into().unwrap()) + 1;
        let transaction = Transaction::new().expect_equals(TABLE, "n", old).put(TABLE, "n", new.to_be_bytes().to_vec());
        match store.commit(transaction).await {
            Ok(()) => return,
            Err(Error::Conflict { expect: 0 }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

pub async fn one_of_many_creators_wins(backend: &dyn Backend) {
    let store = backend.open().await;
    let tasks: Vec<_> = (0..64_u8)
        .map(|number| {
            let store = Arc::clone(&store);
            let create = Transaction::new().expect_vacant(TABLE, Range::prefix("k")).put(TABLE, "k", vec![number]);
            tokio::spawn(async move { (number, store.commit(create).await) })
        })
        .collect();
    let mut winners = Vec::new();
    for task in tasks {
        match task.await.unwrap() {
            (number, Ok(())) => winners.push(number),
            (_, error) => assert_eq!(error, Err(Error::Conflict { expect: 0 })),
        }
    }
    assert_eq!(winners.len(), 1);
    assert_eq!(store.get(TABLE, b"k").await.unwrap().unwrap()[..], winners);
}

pub async fn commits_survive_reopening(backend: &dyn Backend) {
    let store = backend.open().await;
    put(&*store, "a", "1").await;
    put(&*store, "b", "1").await;
    store.close().await;
    let store = backend.open().await;
    let transaction = Transaction::new().expect_equals(TABLE, "a", "1").delete(TABLE, "a").put(TABLE, "b", "2");
    store.commit(transaction).await.unwrap();
    store.close().await;
    let store = backend.open().await;
    assert_eq!(store.get(TABLE, b"a").await, Ok(None));
    assert_eq!(store.get(TABLE, b"b").await, Ok(Some("2".into())));
}

pub async fn a_closed_store_says_so(backend: &dyn Backend) {
    let store = backend.open().await;
    store.close().await;
    store.close().await;
    assert_eq!(store.commit(Transaction::new().put(TABLE, "k", "v")).await, Err(Error::Closed));
    assert_eq!(store.get(TABLE, b"k").await, Err(Error::Closed));
    assert_eq!(store.scan(TABLE, &Range::all(), Order::Ascending, 1).await, Err(Error::Closed));
}

pub async fn statistics_count(backend: &dyn Backend) {
    let store = backend.open().await;
    let before = store.statistics();
    for _ in 0..3 {
        let _ = store.commit(Transaction::new().expect_absent(TABLE, "k").put(TABLE, "k", "v")).await;
    }
    let after = store.statistics();
    assert_eq!(after.transactions - before.transactions, 1);
    assert_eq!(after.conflicts - before.conflicts, 2);
    assert_eq!(after.groups - before.groups, 1);
}
