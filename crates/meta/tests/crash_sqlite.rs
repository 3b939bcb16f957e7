//! What was acknowledged before kill -9 is there afterwards, and every transaction is there wholly or not at all.
//!
//! The test starts itself again as the victim: it commits from many tasks and prints the number of each transaction once it is
//! acknowledged. (A kill keeps the kernel's page cache, so this does not show that syncs happen; it shows that an
//! answer is not given before the commit, and that a torn end of the log does no harm.)

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and the victim prints")]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use meta::sqlite::{Options, Sqlite};
use meta::{Order, Range, Store, Table, Transaction};

/// Names the database to the victim.
const VICTIM: &str = "META_CRASH_DATABASE";
const ROUNDS: u64 = 25;
const TIME: Duration = Duration::from_secs(8);

#[test]
fn nothing_acknowledged_is_lost_by_kill() {
    if let Ok(database) = std::env::var(VICTIM) {
        return victim(Path::new(&database));
    }
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("meta.db");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut acknowledged = BTreeSet::new();
    let start = Instant::now();
    for round in 0..ROUNDS {
        // From "while the store is being made" to "in the middle of a checkpoint".
        let life = Duration::from_millis(5 + round * 37 % 200);
        acknowledged.extend(kill_after(life, &database));
        runtime.block_on(check(&database, &acknowledged));
        if start.elapsed() > TIME {
            break;
        }
    }
    assert!(acknowledged.len() > 100, "the victims did too little: {}", acknowledged.len());
}

fn kill_after(life: Duration, database: &Path) -> Vec<u64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["nothing_acknowledged_is_lost_by_kill", "--exact", "--nocapture"])
        .env(VICTIM, database)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let reader = std::thread::spawn(move || {
        let lines = output.lines().map_while(Result::ok);
        // The last line may be cut: a whole one ends with a mark.
        lines.filter_map(|line| line.strip_prefix('#')?.strip_suffix('.')?.parse().ok()).collect()
    });
    std::thread::sleep(life);
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap()
}

async fn check(database: &Path, acknowledged: &BTreeSet<u64>) {
    let store = Sqlite::open(database, Options::default()).unwrap();
    for number in acknowledged {
        let key = number.to_be_bytes();
        assert!(store.get(Table::Object, &key).await.unwrap().is_some(), "{number} was acknowledged and is lost");
    }
    let all = Range::all();
    let rows = |table| store.scan(table, &all, Order::Ascending, usize::MAX);
    let objects = rows(Table::Object).await.unwrap();
    assert_eq!(objects, rows(Table::Blob).await.unwrap(), "both rows of a transaction, or none");
    store.close().await;
}

fn victim(database: &Path) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(async {
        let store = Arc::new(Sqlite::open(database, Options::default()).unwrap());
        let last = store.scan(Table::Object, &Range::all(), Order::Descending, 1).await.unwrap();
        let next = last.first().map_or(0, |row| u64::from_be_bytes(row.key[..].try_into().unwrap()) + 1);
        let next = Arc::new(AtomicU64::new(next));
        let tasks = (0..16).map(|_| tokio::spawn(commit_for_ever(Arc::clone(&store), Arc::clone(&next))));
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
    });
}

async fn commit_for_ever(store: Arc<Sqlite>, next: Arc<AtomicU64>) {
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let (key, value) = (number.to_be_bytes(), vec![number.to_le_bytes()[0]; 300]);
        let transaction = Transaction::new()
            .expect_absent(Table::Object, key)
            .put_with_body(Table::Object, key, value.clone(), vec![1; 2_000])
            .put(Table::Blob, key, value);
        store.commit(transaction).await.unwrap();
        // One write call: lines of two tasks do not mix.
        std::io::stdout().lock().write_all(format!("#{number}.\n").as_bytes()).unwrap();
    }
}
