//! What a transaction shreds is in none of the store's files any more.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::HashSet;
use std::path::Path;

use meta::sqlite::{Options, Sqlite};
use meta::{Order, Range, Store, Table, Transaction};

/// Not the crate's own generator: a test that fails can be run again.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    /// A value that occurs nowhere by accident, of a length like those of wrapped keys.
    fn value(&mut self, number: u64) -> Vec<u8> {
        let length = [87, 87, 87, 150, 1_300, 2_500][usize::try_from(self.below(6)).unwrap()];
        let mut value = format!("<{number:012}>").into_bytes();
        while value.len() < length {
            value.extend_from_slice(&self.below(1 << 31).to_be_bytes());
        }
        value
    }
}

/// The numbers of all values of which a trace is in a file of the folder.
fn traces(folder: &Path) -> HashSet<u64> {
    let mut found = HashSet::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for window in bytes.windows(14).filter(|window| window[0] == b'<' && window[13] == b'>') {
            found.extend(std::str::from_utf8(&window[1..13]).ok().and_then(|digits| digits.parse::<u64>().ok()));
        }
    }
    found
}

#[tokio::test]
async fn shredded_values_are_in_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(&folder.path().join("meta.db"), Options::default()).unwrap();
    let mut random = Random(1);
    let mut live: Vec<(Vec<u8>, u64)> = Vec::new();
    let mut next = 0;
    for round in 0..30 {
        for _ in 0..30 + random.below(30) {
            let key = random.below(u64::MAX).to_be_bytes().to_vec();
            store.commit(Transaction::new().put(Table::Material, &key, random.value(next))).await.unwrap();
            live.push((key, next));
            next += 1;
        }
        // Replaced and removed without shredding: what lingers of these is gone with the next shredding too.
        for _ in 0..random.below(20) {
            let index = usize::try_from(random.below(live.len() as u64)).unwrap();
            let value = random.value(next);
            store.commit(Transaction::new().put(Table::Material, &live[index].0, value)).await.unwrap();
            live[index].1 = next;
            next += 1;
        }
        let mut transaction = Transaction::new().shred();
        // Sometimes nearly all of them, so that pages empty and SQLite joins them.
        let most = if round % 3 == 2 { live.len() as u64 - 1 } else { 25 };
        for _ in 0..1 + random.below(most) {
            let index = usize::try_from(random.below(live.len() as u64)).unwrap();
            transaction = transaction.delete(Table::Material, live.swap_remove(index).0);
        }
        store.commit(transaction).await.unwrap();
        assert_eq!(traces(folder.path()), live.iter().map(|(_, number)| *number).collect(), "round {round}");
    }
    let rows = store.scan(Table::Material, &Range::all(), Order::Ascending, 10_000).await.unwrap();
    assert_eq!(rows.len(), live.len());
}

#[tokio::test]
async fn what_a_killed_process_was_about_to_shred_goes_with_the_next_opening() {
    let folder = tempfile::tempdir().unwrap();
    let copy = tempfile::tempdir().unwrap();
    let store = Sqlite::open(&folder.path().join("meta.db"), Options::default()).unwrap();
    store.commit(Transaction::new().put(Table::Material, "k", Random(1).value(7))).await.unwrap();
    store.commit(Transaction::new().delete(Table::Material, "k")).await.unwrap();
    // As the disk is when the process ends here.
    for name in ["meta.db", "meta.db-wal"] {
        std::fs::copy(folder.path().join(name), copy.path().join(name)).unwrap();
    }
    assert_eq!(traces(copy.path()), HashSet::from([7]));
    let reopened = Sqlite::open(&copy.path().join("meta.db"), Options::default()).unwrap();
    reopened.commit(Transaction::new().put(Table::Setting, "k", "v")).await.unwrap();
    assert_eq!(traces(copy.path()), HashSet::new());
}

#[tokio::test]
async fn other_tables_are_not_written_anew() {
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(&folder.path().join("meta.db"), Options::default()).unwrap();
    store.commit(Transaction::new().put_with_body(Table::Object, "k", "v", vec![1; 100_000])).await.unwrap();
    store.commit(Transaction::new().put(Table::Object, "k", "w").shred()).await.unwrap();
    assert_eq!(store.get(Table::Object, b"k").await.unwrap().unwrap(), "w");
}
