//! A disk that stops taking writes in the middle: the store refuses further writes, answers reads, and loses nothing that it
//! acknowledged.
//!
//! The test starts itself again under `ulimit -f`, so that a write fails with EFBIG when a file reaches the limit.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and the victim prints")]

use std::path::Path;
use std::process::Command;

use meta::sqlite::{Options, Sqlite};
use meta::{Error, Store, Table, Transaction};

/// Names the database to the victim.
const VICTIM: &str = "META_BROKEN_DATABASE";

#[test]
fn a_failed_write_poisons() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    if let Ok(database) = std::env::var(VICTIM) {
        return runtime.block_on(victim(Path::new(&database)));
    }
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("meta.db");
    // 9,000 KiB in units of 512 bytes: room for the reserve. The signal that would kill it is ignored, so that write(2) fails instead.
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 18000; exec \"$0\" a_failed_write_poisons --exact --nocapture"])
        .arg(std::env::current_exe().unwrap())
        .env(VICTIM, &database)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let acknowledged: u32 = text.lines().find_map(|it| it.rsplit_once("acknowledged ")?.1.parse().ok()).unwrap();
    assert!(acknowledged == 100, "{acknowledged}");
    runtime.block_on(async {
        let store = Sqlite::open(&database, Options::default()).unwrap();
        for number in 0..acknowledged {
            assert!(store.get(Table::Object, &number.to_be_bytes()).await.unwrap().is_some(), "{number}");
        }
        let next = Transaction::new().put(Table::Object, "after", "v");
        assert_eq!(store.commit(next).await, Ok(()), "opened anew it takes writes again");
    });
}

async fn victim(database: &Path) {
    let store = Sqlite::open(database, Options::default()).unwrap();
    let put = |number: u32, length| {
        Transaction::new().put_with_body(Table::Object, number.to_be_bytes(), "v", vec![0; length])
    };
    for number in 0..100 {
        assert_eq!(store.commit(put(number, 20_000)).await, Ok(()));
    }
    let number = 100;
    assert_eq!(store.commit(put(number, 10_000_000)).await, Err(Error::Poisoned));
    println!("acknowledged {number}");
    assert_eq!(store.commit(put(number, 1)).await, Err(Error::Poisoned));
    assert_eq!(store.get(Table::Object, &0_u32.to_be_bytes()).await, Ok(Some("v".into())));
    assert_eq!(store.get(Table::Object, &number.to_be_bytes()).await, Ok(None));
    store.close().await;
}
