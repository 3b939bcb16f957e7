//! Measures durable commits and reads of a SQLite store under random keys.
//!
//! `cargo run --release -p strongroom-meta --example commits -- [seconds] [writers] [body bytes] [preloaded records]`

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a tool for developers: it prints, and stops at the first error"
)]

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use meta::sqlite::{Options, Sqlite};
use meta::{Order, Range, Store, Table, Transaction};

const VALUE: usize = 300;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let arguments: Vec<usize> = std::env::args().skip(1).map(|it| it.parse().unwrap()).collect();
    let argument = |index: usize, default| arguments.get(index).copied().unwrap_or(default);
    let seconds = argument(0, 5) as u64;
    let (writers, body, preload) = (argument(1, 32), argument(2, 0), argument(3, 100_000));

    let folder = tempfile::tempdir_in(".").unwrap();
    let store = Arc::new(Sqlite::open(&folder.path().join("meta.db"), Options::default()).unwrap());
    for batch in (0..preload).collect::<Vec<_>>().chunks(1_000) {
        let rows = batch.iter().fold(Transaction::new(), |transaction, _| insert(transaction, body));
        store.commit(rows).await.unwrap();
    }

    let before = (store.statistics(), cpu(), Instant::now());
    let end = Instant::now() + Duration::from_secs(seconds);
    let tasks: Vec<_> = (0..writers)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let mut waits = Vec::new();
                while Instant::now() < end {
                    let transaction = insert(Transaction::new(), body);
                    let start = Instant::now();
                    store.commit(transaction).await.unwrap();
                    waits.push(start.elapsed());
                }
                waits
            })
        })
        .collect();
    let mut waits = Vec::new();
    for task in tasks {
        waits.extend(task.await.unwrap());
    }
    let after = store.statistics();
    let commits = after.transactions - before.0.transactions;
    let groups = after.groups - before.0.groups;
    let (user, system) = cpu();
    let micros = |ticks: u64| ticks as f64 * 10_000.0 / commits as f64;
    waits.sort_unstable();
    println!(
        "{writers} writers, {VALUE} B + {body} B, {preload} before: {:.0} commits/s, CPU {:.0} µs/commit (user {:.0}, system {:.0}), \
         {:.1} per group, {:.2} syncs/group, wait p50 {:?} p99 {:?} max {:?}",
        commits as f64 / before.2.elapsed().as_secs_f64(),
        micros(user - before.1.0 + system - before.1.1),
        micros(user - before.1.0),
        micros(system - before.1.1),
        commits as f64 / groups as f64,
        (after.syncs - before.0.syncs) as f64 / groups as f64,
        waits[waits.len() / 2],
        waits[waits.len() * 99 / 100],
        waits[waits.len() - 1],
    );
    reads(&store).await;
    println!("resident {} KiB", status("VmRSS:"));
    store.close().await;
}

async fn reads(store: &Sqlite) {
    let rows = store.scan(Table::Object, &Range::all(), Order::Ascending, 100_000).await.unwrap();
    let start = Instant::now();
    let scanned = store.scan(Table::Object, &Range::all(), Order::Descending, 1_000).await.unwrap();
    let scan = start.elapsed() / u32::try_from(scanned.len()).unwrap().max(1);
    const GETS: u32 = 100_000;
    let start = Instant::now();
    for _ in 0..GETS {
        store.get(Table::Object, &rows[0].key).await.unwrap();
    }
    let hot = start.elapsed() / GETS;
    let start = Instant::now();
    for turn in 0..GETS as usize {
        store.get(Table::Object, &rows[turn * 7_919 % rows.len()].key).await.unwrap();
    }
    println!("get: {hot:?} one row, {:?} random rows; scan of 1,000: {scan:?} a row", start.elapsed() / GETS);
}

fn insert(transaction: Transaction, body: usize) -> Transaction {
    let key = [random(), random(), random(), random()].concat();
    let transaction = transaction.expect_absent(Table::Object, &key);
    let value = Bytes::from(vec![7; VALUE]);
    match body {
        0 => transaction.put(Table::Object, key, value),
        _ => transaction.put_with_body(Table::Object, key, value, vec![9; body]),
    }
}

fn random() -> [u8; 8] {
    RandomState::new().hash_one(Instant::now()).to_be_bytes()
}

/// CPU time of the process, user and system, in ticks of 10 ms (proc(5), fields 14 and 15).
fn cpu() -> (u64, u64) {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    (fields[11].parse().unwrap(), fields[12].parse().unwrap())
}

fn status(name: &str) -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().to_owned()
}
