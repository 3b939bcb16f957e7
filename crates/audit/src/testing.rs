//! What the tests of this crate share.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use keys::{AccountId, Keys, Region, Timestamp};
use meta::Store;
use uuid::Uuid;

use crate::{Audit, Category, Event, Mode, Resource, Searchable, Settings};

pub(crate) const DAY: u64 = 24 * 60 * 60 * 1000;

/// A store in memory with its keys, and a clock that stands still.
pub(crate) struct Fixture {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) keys: Arc<Keys>,
    pub(crate) now: Arc<AtomicU64>,
    _folder: tempfile::TempDir,
}

impl Fixture {
    pub(crate) async fn new() -> Fixture {
        Fixture::on(Arc::new(meta::memory::Memory::new())).await
    }

    pub(crate) async fn on(store: Arc<dyn Store>) -> Fixture {
        let folder = tempfile::tempdir().unwrap();
        let root: Arc<dyn keys::RootKey> = Arc::new(keys::KeyFile::create(&folder.path().join("root.key")).unwrap());
        let settings = keys::Settings {
            region: Region::parse("us-east-1").unwrap(),
            other_regions: Vec::new(),
            clock: Arc::new(SystemTime::now),
        };
        let keys = Keys::open(Arc::clone(&store), root, settings).await.unwrap();
        Fixture { store, keys, now: Arc::new(AtomicU64::new(1_000 * DAY)), _folder: folder }
    }

    pub(crate) async fn open(&self, mode: Mode) -> Arc<Audit> {
        self.try_open(mode).await.unwrap()
    }

    pub(crate) async fn try_open(&self, mode: Mode) -> Result<Arc<Audit>, crate::Error> {
        let now = Arc::clone(&self.now);
        let clock: keys::Clock = Arc::new(move || UNIX_EPOCH + Duration::from_millis(now.load(Ordering::Relaxed)));
        let settings = Settings { mode, retention: Duration::from_secs(100 * 24 * 60 * 60), clock };
        Audit::open(Arc::clone(&self.store), Arc::clone(&self.keys), settings).await
    }
}

/// An event of some variety: the same for the same number.
pub(crate) fn event(of: u64) -> Event {
    let id = Uuid::from_u64_pair(of.wrapping_mul(0x9E37_79B9_7F4A_7C15), of);
    let account = if of % 5 == 4 { "222222222222" } else { "111111111111" };
    let region = if of % 7 == 6 { "eu-west-1" } else { "us-east-1" };
    let names = ["Decrypt", "Encrypt", "CreateUser", "GetObject"];
    let resource =
        |of: u64| Resource { kind: "AWS::KMS::Key".to_owned(), name: format!("arn:aws:kms:key/{}", of % 11) };
    Event {
        id,
        time: Timestamp::from_millis(999 * DAY + of * 1_000),
        account: AccountId::parse(account).unwrap(),
        region: Region::parse(region).unwrap(),
        category: if of % 4 == 3 { Category::Data } else { Category::Management },
        searchable: Searchable {
            event_name: names[usize::try_from(of % 4).unwrap()].to_owned(),
            event_source: if of.is_multiple_of(3) { "iam.amazonaws.com" } else { "kms.amazonaws.com" }.to_owned(),
            read_only: of.is_multiple_of(2),
            user_name: (!of.is_multiple_of(3)).then(|| format!("user-{}", of % 13)),
            access_key_id: (!of.is_multiple_of(6)).then(|| format!("AKIA{}", of % 17)),
            resources: (0..of % 3).map(|index| resource(of + index)).collect(),
        },
        record: Bytes::from(format!(r#"{{"eventVersion":"1.11","eventID":"{id}","n":{of},"ä":"ü"}}"#)),
    }
}

/// Removes every row of the index.
pub(crate) async fn clear_index(store: &dyn Store) {
    let rows = store.scan(meta::Table::AuditIndex, &meta::Range::all(), meta::Order::Ascending, 60_000).await.unwrap();
    for rows in rows.chunks(10_000) {
        let none = meta::Transaction::new();
        let delete = rows.iter().fold(none, |to, row| to.delete(meta::Table::AuditIndex, &row.key));
        store.commit(delete).await.unwrap();
    }
}
