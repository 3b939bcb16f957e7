//! Random operations on SQLite answer as on the naive model.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::ops::Bound;

use bytes::Bytes;
use meta::memory::Memory;
use meta::sqlite::{Options, Sqlite};
use meta::{Expect, Order, Range, Store, Table, Transaction, Write};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Commit(Transaction),
    Read(Table, Bytes),
    Scan(Table, Range, Order, usize),
    Reopen,
}

fn table() -> impl Strategy<Value = Table> {
    prop_oneof![Just(Table::Object), Just(Table::Key)]
}

/// Few keys, so that operations meet; bytes at the ends, where orders go wrong.
fn key() -> impl Strategy<Value = Bytes> {
    let byte = prop_oneof![Just(0x00), Just(0x61), Just(0xFF)];
    prop::collection::vec(byte, 0..3).prop_map(Bytes::from)
}

fn value() -> impl Strategy<Value = Bytes> {
    // 5,000 bytes do not fit a page.
    prop_oneof![Just(0), Just(1), Just(5_000)].prop_map(|length| Bytes::from(vec![0x55; length]))
}

fn range() -> impl Strategy<Value = Range> {
    let bound = || {
        prop_oneof![
            Just(Bound::Unbounded),
            key().prop_map(|key| Bound::Included(key.to_vec())),
            key().prop_map(|key| Bound::Excluded(key.to_vec())),
        ]
    };
    prop_oneof![(bound(), bound()).prop_map(|(start, end)| Range { start, end }), key().prop_map(Range::prefix),]
}

fn expect() -> impl Strategy<Value = Expect> {
    prop_oneof![
        (table(), key()).prop_map(|(table, key)| Expect::Absent { table, key }),
        (table(), key()).prop_map(|(table, key)| Expect::Present { table, key }),
        (table(), key(), value()).prop_map(|(table, key, value)| Expect::Equals { table, key, value }),
        (table(), range()).prop_map(|(table, range)| Expect::Vacant { table, range }),
    ]
}

fn write() -> impl Strategy<Value = Write> {
    prop_oneof![
        3 => (table(), key(), value(), prop::option::of(value()))
            .prop_map(|(table, key, value, body)| Write::Put { table, key, value, body }),
        1 => (table(), key()).prop_map(|(table, key)| Write::Delete { table, key }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let transaction = (prop::collection::vec(expect(), 0..2), prop::collection::vec(write(), 0..5));
    let order = prop_oneof![Just(Order::Ascending), Just(Order::Descending)];
    prop_oneof![
        8 => (transaction, proptest::bool::weighted(0.1))
            .prop_map(|((expects, writes), shred)| Step::Commit(Transaction { expects, writes, shred })),
        4 => (table(), key()).prop_map(|(table, key)| Step::Read(table, key)),
        4 => (table(), range(), order, 0..20_usize).prop_map(|(table, range, order, limit)| Step::Scan(table, range, order, limit)),
        1 => Just(Step::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn sqlite_answers_as_the_model(steps in prop::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(compare(steps));
    }
}

async fn compare(steps: Vec<Step>) {
    let folder = tempfile::tempdir().unwrap();
    let open = || Sqlite::open(&folder.path().join("meta.db"), Options::default()).unwrap();
    let (mut store, model) = (open(), Memory::new());
    for step in steps {
        match step {
            Step::Commit(transaction) => {
                assert_eq!(store.commit(transaction.clone()).await, model.commit(transaction).await);
            }
            Step::Read(table, key) => {
                assert_eq!(store.get(table, &key).await, model.get(table, &key).await);
                assert_eq!(store.record(table, &key).await, model.record(table, &key).await);
            }
            Step::Scan(table, range, order, limit) => {
                let expected = model.scan(table, &range, order, limit).await;
                assert_eq!(store.scan(table, &range, order, limit).await, expected);
            }
            Step::Reopen => {
                store.close().await;
                store = open();
            }
        }
    }
}
