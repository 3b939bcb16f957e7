//! What version 1 wrote opens for ever. The rows were written once, by the ignored test below, and are never written anew:
//! a change of format adds a file, and this test keeps reading the old one.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use data_encoding::HEXLOWER;
use keys::operation::encrypt::DecryptRequest;
use keys::operation::lifecycle::CreateKeyRequest;
use keys::operation::tag::{ListResourceTagsRequest, Tag};
use keys::{AWS_S3, Blob, KeyFile, Keys, Passphrase, RootKeyKind, RootKeys};
use meta::memory::Memory;
use meta::{Order, Range, Store, Table, Transaction};
use seal::EncryptionContext;

use crate::fixture::{DAY, Fixture, START, principal, root_key, settings};

/// Lines of `row TABLE KEY VALUE [BODY]` and `blob NAME VALUE`, bytes in hexadecimal.
const VERSION_1: &str = include_str!("store-v1.txt");

fn hex(text: &str) -> Vec<u8> {
    HEXLOWER.decode(text.as_bytes()).unwrap()
}

fn blob(name: &str) -> Blob {
    let prefix = format!("blob {name} ");
    Blob(hex(VERSION_1.lines().find_map(|line| line.strip_prefix(&prefix)).unwrap()))
}

async fn stored() -> Arc<Memory> {
    let store = Arc::new(Memory::new());
    for line in VERSION_1.lines().filter(|line| line.starts_with("row ")) {
        let fields: Vec<&str> = line.split(' ').skip(1).collect();
        let table = *Table::ALL.iter().find(|table| table.name() == fields[0]).unwrap();
        let (key, value) = (hex(fields[1]), hex(fields[2]));
        let transaction = match fields.get(3) {
            Some(body) => Transaction::new().put_with_body(table, key, value, hex(body)),
            None => Transaction::new().put(table, key, value),
        };
        store.commit(transaction).await.unwrap();
    }
    store
}

#[tokio::test]
async fn a_store_of_version_1_opens() {
    let f = Fixture::new().await;
    let keys = Keys::open(stored().await, root_key(7), settings(&Arc::new(AtomicU64::new(START + 1)))).await.unwrap();
    let f = Fixture { keys, ..f };

    let opened = f.decrypt(&blob("first")).await.unwrap();
    assert!(opened.plaintext.expose() == b"under the first material");
    let second = DecryptRequest {
        ciphertext_blob: Some(blob("second")),
        encryption_context: Some([("purpose".to_owned(), "vector".to_owned())].into()),
        ..Default::default()
    };
    assert!(f.keys.decrypt(&f.me, second).await.unwrap().plaintext.expose() == b"under the second material");
    assert_eq!(**f.keys.records().open(b"kind", b"place", &blob("record").0).unwrap(), *b"a record");
    let service = f.keys.open_service_data_key(&blob("service").0, &EncryptionContext::new()).await;
    assert!(service.is_ok());

    let described = f.describe("alias/vector").await.unwrap();
    assert_eq!((described.description.as_str(), described.key_state), ("a vector", "Enabled"));
    assert_eq!(described.creation_date.as_millis(), START);
    let request = ListResourceTagsRequest { key_id: described.key_id, ..Default::default() };
    let tags = f.keys.list_resource_tags(&f.me, request).await.unwrap().tags;
    assert_eq!(tags, [Tag { tag_key: "colour".to_owned(), tag_value: "blue".to_owned() }]);
    assert_eq!(f.describe(AWS_S3).await.unwrap().key_manager, "AWS");
    let keys = f.keys.list_keys(&f.me, Default::default()).await.unwrap().keys;
    assert_eq!(keys.len(), 3);
    let mut states = Vec::new();
    for key in keys {
        let described = f.describe(&key.key_id).await.unwrap();
        states.push((described.key_state, described.deletion_date.map(|date| date.as_millis())));
    }
    states.sort();
    let week = u64::try_from((7 * DAY).as_millis()).unwrap();
    assert_eq!(states, [("Enabled", None), ("Enabled", None), ("PendingDeletion", Some(START + week))]);
}

#[test]
fn a_root_key_file_of_version_1_opens() {
    let mut file = hex("5352524f4f544b01");
    file.extend([7; 32]);
    assert_eq!(file.len(), KeyFile::LEN);
    assert!(KeyFile::parse(&file).is_some());
    assert!(KeyFile::parse(&file[..39]).is_none());
    assert!(KeyFile::parse(&[&file[..], &[0]].concat()).is_none());
    file[7] = 2;
    assert!(KeyFile::parse(&file).is_none());
}

/// The domain keys of a store, each under another root key: as version 2 wrote them, for ever.
#[tokio::test]
async fn domain_keys_of_version_2_open() {
    let (store, clock) = (Arc::new(Memory::new()), Fixture::new().await.now);
    for line in include_str!("domain-keys-v2.txt").lines() {
        let (number, value) = line.split_once(' ').unwrap();
        store.commit(Transaction::new().put(Table::DomainKey, hex(number), hex(value))).await.unwrap();
    }
    let passphrase = Passphrase::new("correct horse battery staple".to_owned().into()).unwrap();
    let roots = RootKeys::new(root_key(7)).and(Arc::new(passphrase));
    let keys = Keys::open(store, roots, settings(&clock)).await.unwrap();
    let found = keys.protection().await.unwrap();
    let kinds: Vec<RootKeyKind> = found.domain_keys.iter().map(|key| key.under.kind).collect();
    assert_eq!(kinds, [RootKeyKind::KeyFile, RootKeyKind::Passphrase]);
    let sealed = hex(include_str!("domain-keys-v2-record.txt").trim());
    assert_eq!(keys.records().open(b"kind", b"place", &sealed).unwrap()[..], *b"under the second");
}

#[tokio::test]
#[ignore = "prints domain keys for a new format's vector"]
async fn print_domain_keys() {
    let f = Fixture::new().await;
    let passphrase = Passphrase::new("correct horse battery staple".to_owned().into()).unwrap();
    let roots = RootKeys::new(Arc::new(passphrase)).and(root_key(7));
    let keys = Keys::open(f.store.clone(), roots, f.settings()).await.unwrap();
    keys.replace_domain_key().await.unwrap();
    let rows = f.store.scan(Table::DomainKey, &Range::all(), Order::Ascending, 10).await.unwrap();
    let line = |row: &meta::Row| format!("{} {}\n", HEXLOWER.encode(&row.key), HEXLOWER.encode(&row.value));
    std::fs::write(std::env::temp_dir().join("rows.txt"), rows.iter().map(line).collect::<String>()).unwrap();
    let record = keys.records().seal(b"kind", b"place", b"under the second");
    std::fs::write(std::env::temp_dir().join("record.txt"), HEXLOWER.encode(&record) + "\n").unwrap();
}

#[tokio::test]
#[ignore = "prints a store for a new format's vector"]
async fn print_a_store() {
    let f = Fixture::new().await;
    let me = principal("111122223333");
    let request = CreateKeyRequest {
        description: Some("a vector".to_owned()),
        tags: Some(vec![Tag { tag_key: "colour".to_owned(), tag_value: "blue".to_owned() }]),
        ..Default::default()
    };
    let key = f.keys.create_key(&me, request).await.unwrap().key_metadata.key_id;
    f.alias("alias/vector", &key).await.unwrap();
    let first = f.encrypt(&key, "under the first material").await.unwrap();
    f.rotate(&key).await.unwrap();
    let request = keys::operation::encrypt::EncryptRequest {
        key_id: key,
        plaintext: crate::fixture::plain("under the second material"),
        encryption_context: Some([("purpose".to_owned(), "vector".to_owned())].into()),
        ..Default::default()
    };
    let second = f.keys.encrypt(&me, request).await.unwrap().ciphertext_blob;
    let pending = f.key().await;
    f.schedule(&pending, 7).await.unwrap();
    f.describe(AWS_S3).await.unwrap();
    let service = f.keys.service_data_key(&EncryptionContext::new()).await.unwrap().blob;
    let record = f.keys.records().seal(b"kind", b"place", b"a record");
    let mut lines = Vec::new();
    for table in Table::ALL {
        for row in f.store.scan(table, &Range::all(), Order::Ascending, 1_000).await.unwrap() {
            let body = f.store.record(table, &row.key).await.unwrap().unwrap().body;
            let body = body.map(|body| format!(" {}", HEXLOWER.encode(&body))).unwrap_or_default();
            lines.push(format!(
                "row {} {} {}{body}",
                table.name(),
                HEXLOWER.encode(&row.key),
                HEXLOWER.encode(&row.value)
            ));
        }
    }
    for (name, bytes) in [("first", first.0), ("second", second.0), ("service", service), ("record", record)] {
        lines.push(format!("blob {name} {}", HEXLOWER.encode(&bytes)));
    }
    std::fs::write(std::env::temp_dir().join("store.txt"), lines.join("\n") + "\n").unwrap();
}
