//! What opening refuses, and with which words.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::future::Future as _;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::task::{Context, Waker};

use meta::sqlite::{Options, Sqlite};
use meta::{Error, Store, Table, Transaction};
use rusqlite::Connection;

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("meta.db");
    (folder, path)
}

fn open(path: &Path) -> Result<Sqlite, Error> {
    Sqlite::open(path, Options::default())
}

#[test]
fn a_store_is_opened_once_at_a_time() {
    let (_folder, path) = folder();
    let first = open(&path).unwrap();
    assert_eq!(open(&path).err(), Some(Error::InUse(path.display().to_string())));
    drop(first);
    open(&path).unwrap();
}

#[tokio::test]
async fn dropping_a_store_finishes_what_is_queued() {
    let (_folder, path) = folder();
    let store = open(&path).unwrap();
    {
        // Polled once, so that it is queued, and then forgotten.
        let mut commit = pin!(store.commit(Transaction::new().put(Table::Key, "k", "v")));
        let _ = commit.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    }
    drop(store);
    assert_eq!(open(&path).unwrap().get(Table::Key, b"k").await, Ok(Some("v".into())));
}

#[test]
fn a_newer_version_is_refused() {
    let (_folder, path) = folder();
    drop(open(&path).unwrap());
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 2).unwrap();
    assert_eq!(open(&path).err(), Some(Error::UnknownVersion { found: 2, newest: 1 }));
}

#[test]
fn another_programs_database_is_refused_and_left_alone() {
    let (_folder, path) = folder();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    let before = std::fs::read(&path).unwrap();
    assert!(matches!(open(&path).err(), Some(Error::Corrupt(_))));
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let (_folder, path) = folder();
    std::fs::write(&path, [0x42; 8_192]).unwrap();
    assert!(matches!(open(&path).err(), Some(Error::Corrupt(_))));
}

#[test]
fn a_missing_folder_is_an_error() {
    let (folder, _) = folder();
    assert!(matches!(open(&folder.path().join("no/meta.db")).err(), Some(Error::Io(_))));
}

#[tokio::test]
async fn a_closed_store_is_one_file_with_its_marks() {
    let (_folder, path) = folder();
    let store = open(&path).unwrap();
    store.commit(Transaction::new().put(Table::Setting, "k", "v")).await.unwrap();
    store.close().await;
    let log = std::fs::metadata(path.with_extension("db-wal")).map_or(0, |log| log.len());
    assert_eq!(log, 0, "the log has been carried over");
    let header = std::fs::read(&path).unwrap();
    assert_eq!(&header[68..72], b"SRmd");
    assert_eq!(header[60..64], 1_u32.to_be_bytes());
}
