//! On a disk that is really full: nothing acknowledged is lost, deletions find room, and then writes do again.
//!
//! Needs a small filesystem of its own, so it is run by hand (16 to 64 MB, as root):
//!
//! ```text
//! mount -t tmpfs -o size=32m tmpfs /mnt
//! META_SMALL_FILESYSTEM=/mnt cargo test -p strongroom-meta --test full_disk_sqlite -- --ignored
//! ```

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::time::Duration;

use meta::sqlite::{Options, Sqlite};
use meta::{Error, Store, Table, Transaction};

fn put(number: u32) -> Transaction {
    Transaction::new().put_with_body(Table::Object, number.to_be_bytes(), "v", vec![1; 10_000])
}

fn delete(number: u32) -> Transaction {
    Transaction::new().delete(Table::Object, number.to_be_bytes())
}

#[tokio::test]
#[ignore = "needs META_SMALL_FILESYSTEM"]
async fn a_full_disk_loses_nothing_and_can_be_emptied() {
    let folder = std::env::var("META_SMALL_FILESYSTEM").unwrap();
    let path = Path::new(&folder).join("meta.db");
    let store = Sqlite::open(&path, Options::default()).unwrap();
    let (mut kept, mut full) = (Vec::new(), 0);
    for number in 0..20_000 {
        match store.commit(put(number)).await {
            Ok(()) => kept.push(number),
            Err(error) => {
                assert_eq!(error, Error::Full);
                full += 1;
            }
        }
        if full == 50 {
            break;
        }
    }
    assert_eq!(full, 50, "the filesystem is too large");
    // All but ten: what they leave is more than the reserve.
    for number in kept.drain(10..) {
        assert_eq!(store.commit(delete(number)).await, Ok(()), "deletion of {number}");
    }
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    for number in 30_000..30_050 {
        assert_eq!(store.commit(put(number)).await, Ok(()), "put of {number}");
        kept.push(number);
    }
    store.close().await;
    let store = Sqlite::open(&path, Options::default()).unwrap();
    for number in kept {
        assert!(store.get(Table::Object, &number.to_be_bytes()).await.unwrap().is_some(), "{number} is lost");
    }
    store.close().await;
    let check = "PRAGMA integrity_check";
    let sound: String = rusqlite::Connection::open(&path).unwrap().query_row(check, [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok");
}
