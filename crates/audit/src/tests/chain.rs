//! Verification: whatever is done to the rows is found; and retention, after which the chain still verifies.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::atomic::Ordering as Atomic;

use bytes::Bytes;
use meta::{Order, Range, Row, Store, Table, Transaction};

use super::lookup::query;
use super::record::all;
use crate::index::SIZE;
use crate::rows::{anchor_key, block_key, blocks, head_key};
use crate::testing::{DAY, Fixture, event};
use crate::{Error, Finding, Link, Mode, Report, verify};

/// A log of ten blocks of three events.
async fn ten_blocks() -> Fixture {
    let fixture = Fixture::new().await;
    let audit = fixture.open(Mode::Strict).await;
    for block in 0..10 {
        audit.record((block * 3..block * 3 + 3).map(event).collect()).await.unwrap();
    }
    audit.close().await;
    fixture
}

async fn check(fixture: &Fixture, expected: Option<Link>) -> Report {
    verify(&*fixture.store, &fixture.keys, expected).await.unwrap()
}

async fn rows(fixture: &Fixture) -> Vec<Row> {
    fixture.store.scan(Table::Audit, &blocks(), Order::Ascending, 1_000).await.unwrap()
}

async fn body(fixture: &Fixture, key: &[u8]) -> Bytes {
    fixture.store.record(Table::Audit, key).await.unwrap().unwrap().body.unwrap()
}

async fn put(fixture: &Fixture, key: &[u8], body: impl Into<Bytes>) {
    fixture.store.commit(Transaction::new().put_with_body(Table::Audit, key, "", body)).await.unwrap();
}

async fn delete(fixture: &Fixture, key: &[u8]) {
    fixture.store.commit(Transaction::new().delete(Table::Audit, key)).await.unwrap();
}

#[tokio::test]
async fn an_untouched_log_verifies_and_says_what_to_note() {
    let fixture = ten_blocks().await;
    let report = check(&fixture, None).await;
    assert_eq!((report.events, report.blocks, report.head.number), (30, 10, 30));
    assert!(report.findings.is_empty() && report.start == Link::start());
    assert!(check(&fixture, Some(report.head)).await.findings.is_empty());
    assert!(check(&fixture, Some(Link::start())).await.findings.is_empty());
    let elsewhere = Link { number: 17, ..report.head };
    assert_eq!(check(&fixture, Some(elsewhere)).await.findings, [Finding::Expected(17)]);
    let beyond = Link { number: 31, ..report.head };
    assert_eq!(check(&fixture, Some(beyond)).await.findings, [Finding::ExpectedBeyond(31)]);
    let empty = Fixture::new().await;
    assert!(check(&empty, None).await.findings.is_empty());
}

#[tokio::test]
async fn one_byte_changed_in_any_row_is_found() {
    let fixture = ten_blocks().await;
    for row in fixture.store.scan(Table::Audit, &Range::all(), Order::Ascending, 100).await.unwrap() {
        let good = body(&fixture, &row.key).await;
        for place in [0, 8, good.len() / 2, good.len() - 1] {
            let mut bad = good.to_vec();
            bad[place] ^= 1;
            put(&fixture, &row.key, bad).await;
            assert!(!check(&fixture, None).await.findings.is_empty(), "byte {place} of {:?}", row.key);
        }
        put(&fixture, &row.key, good).await;
    }
    assert!(check(&fixture, None).await.findings.is_empty());
}

#[tokio::test]
async fn a_block_removed_swapped_doubled_or_put_elsewhere_is_found() {
    let fixture = ten_blocks().await;
    let rows = rows(&fixture).await;
    for (index, row) in rows.iter().enumerate() {
        let good = body(&fixture, &row.key).await;
        let first = 1 + 3 * u64::try_from(index).unwrap();
        delete(&fixture, &row.key).await;
        let findings = check(&fixture, None).await.findings;
        let expected = if index == 9 { Finding::End(27) } else { Finding::Missing(first, first + 2) };
        assert_eq!(findings, [expected], "removed");
        let neighbour = body(&fixture, &rows[(index + 1) % 10].key).await;
        put(&fixture, &row.key, neighbour).await;
        assert!(!check(&fixture, None).await.findings.is_empty(), "another in its place");
        put(&fixture, &row.key, good.clone()).await;
        put(&fixture, &block_key(first + 1), good).await;
        assert!(!check(&fixture, None).await.findings.is_empty(), "twice");
        delete(&fixture, &block_key(first + 1)).await;
    }
    assert!(check(&fixture, None).await.findings.is_empty());
}

/// A copy of the store goes another way, and its blocks, which open, are put into the log.
#[tokio::test]
async fn a_block_of_another_time_is_found() {
    let fixture = ten_blocks().await;
    let before = rows(&fixture).await;
    let note = check(&fixture, None).await.head;
    let old_head = body(&fixture, &head_key()).await;
    let (last, kept) = (&before[9].key, body(&fixture, &before[9].key).await);
    // Another history after the ninth block: remove the tenth, and take the head of a log that ended there.
    let shorter = head_after_nine(&fixture).await;
    delete(&fixture, last).await;
    put(&fixture, &head_key(), shorter).await;
    assert!(check(&fixture, None).await.findings.is_empty(), "a shorter log, head and all: the documented limit");
    assert_eq!(check(&fixture, Some(note)).await.findings, [Finding::ExpectedBeyond(30)], "but for what was noted");
    let audit = fixture.open(Mode::Strict).await;
    audit.record((100..103).map(event).collect()).await.unwrap();
    audit.close().await;
    assert!(check(&fixture, None).await.findings.is_empty());
    let other_head = body(&fixture, &head_key()).await;
    put(&fixture, last, kept).await;
    assert_eq!(check(&fixture, None).await.findings, [Finding::End(30)], "the old block under the new head");
    put(&fixture, &head_key(), old_head).await;
    assert!(check(&fixture, None).await.findings.is_empty());
    put(&fixture, &head_key(), other_head).await;
    assert!(fixture.try_open(Mode::Strict).await.is_err(), "the server does not go on from there");
}

/// The head's row as it was after the ninth block.
async fn head_after_nine(fixture: &Fixture) -> Bytes {
    let block = crate::read::block_at(&*fixture.store, &fixture.keys, 25).await.unwrap().unwrap();
    let other = meta::memory::Memory::new();
    let put = crate::head::put_head(Transaction::new(), &fixture.keys, block.header.newest());
    other.commit(put).await.unwrap();
    other.record(Table::Audit, &head_key()).await.unwrap().unwrap().body.unwrap()
}

#[tokio::test]
async fn a_removed_end_is_found_and_the_log_is_not_opened_over_it() {
    let fixture = ten_blocks().await;
    let note = check(&fixture, None).await.head;
    delete(&fixture, &block_key(28)).await;
    assert_eq!(check(&fixture, None).await.findings, [Finding::End(27)]);
    assert!(matches!(fixture.try_open(Mode::Strict).await, Err(Error::Damaged(_))));
    delete(&fixture, &head_key()).await;
    assert_eq!(check(&fixture, None).await.findings, [Finding::NoHead]);
    assert!(matches!(fixture.try_open(Mode::Strict).await, Err(Error::Damaged(_))));
    for row in rows(&fixture).await {
        delete(&fixture, &row.key).await;
    }
    assert!(check(&fixture, None).await.findings.is_empty(), "nothing is left to tell");
    assert_eq!(check(&fixture, Some(note)).await.findings, [Finding::ExpectedBeyond(30)], "but for what was noted");
}

#[tokio::test]
async fn retention_removes_whole_blocks_and_the_chain_verifies_from_there() {
    let fixture = Fixture::new().await;
    let audit = fixture.open(Mode::Strict).await;
    for block in 0..SIZE / 32 + 20 {
        audit.record((block * 32..block * 32 + 32).map(event).collect()).await.unwrap();
    }
    let before = audit.verify(None).await.unwrap();
    assert_eq!(audit.prune().await.unwrap(), 0, "nothing is old enough");
    // Event n is of second n of day 999, and 100 days are kept.
    fixture.now.store(1_099 * DAY + (SIZE + 100) * 1_000, Atomic::Relaxed);
    let removed = audit.prune().await.unwrap();
    assert_eq!(removed, (SIZE + 100) / 32 * 32);
    let report = audit.verify(Some(before.head)).await.unwrap();
    assert!(report.findings.is_empty(), "{report:?}");
    assert_eq!((report.start.number, report.head), (removed, before.head));
    assert_eq!(
        audit.verify(Some(Link { number: 5, ..before.head })).await.unwrap().findings,
        [Finding::ExpectedPruned(5)]
    );
    assert_eq!(audit.read(1, 1, |_| true).await.unwrap().events[0].number, removed + 1);
    let kept = usize::try_from(before.head.number - removed).unwrap();
    for audit in [&audit, &fixture.open(Mode::Strict).await] {
        assert_eq!(all(audit).await.len(), kept);
        let mut from = query(None);
        let mut last = None;
        while let Ok(page) = audit.lookup(&from).await {
            last = page.events.last().map(|stored| stored.number).or(last);
            from.token = page.token;
            if from.token.is_none() {
                break;
            }
        }
        assert!(last.unwrap() > removed);
    }
    // An anchor that is removed, or is another, is found.
    let anchor = body(&fixture, &anchor_key()).await;
    delete(&fixture, &anchor_key()).await;
    assert_eq!(check(&fixture, None).await.findings, [Finding::Missing(1, removed)]);
    assert_eq!(Finding::Missing(1, 3).to_string(), "events 1 to 3: missing");
    assert_eq!(Finding::Missing(8, 8).to_string(), "event 8: missing");
    put(&fixture, &anchor_key(), anchor.slice(1..)).await;
    assert!(!check(&fixture, None).await.findings.is_empty());
    put(&fixture, &anchor_key(), anchor).await;
    fixture.now.store(5_000 * DAY, Atomic::Relaxed);
    audit.prune().await.unwrap();
    assert_eq!(all(&audit).await.len(), 32, "the newest block stays");
    audit.record(vec![event(1)]).await.unwrap();
    assert!(audit.verify(Some(before.head)).await.unwrap().findings.is_empty());
}
