//! Whoever can write the store can break it, and never make it lie.

use keys::{Error, Keys, RootKeyError};
use meta::{Order, Range, Store, Table, Transaction};

use crate::fixture::{Fixture, code, root_key};

/// Table, row key, value and body.
type Stored = (Table, Vec<u8>, Vec<u8>, Option<Vec<u8>>);

/// Every row, body included, as it stands.
async fn rows(f: &Fixture) -> Vec<Stored> {
    let mut rows = Vec::new();
    for table in Table::ALL {
        for row in f.store.scan(table, &Range::all(), Order::Ascending, 1_000).await.unwrap() {
            let record = f.store.record(table, &row.key).await.unwrap().unwrap();
            let body = record.body.map(|body| body.to_vec());
            rows.push((table, row.key.to_vec(), record.value.to_vec(), body));
        }
    }
    rows
}

async fn put(f: &Fixture, table: Table, key: &[u8], value: &[u8], body: Option<&[u8]>) {
    let transaction = match body {
        Some(body) => Transaction::new().put_with_body(table, key, value.to_vec(), body.to_vec()),
        None => Transaction::new().put(table, key, value.to_vec()),
    };
    f.store.commit(transaction).await.unwrap();
}

/// Uses everything about a key with a cold cache, and tells whether anything was refused as damaged.
async fn notices(f: &Fixture, key: &str, blob: &keys::Blob) -> bool {
    let Ok(keys) = Keys::open(f.store.clone(), root_key(7), f.settings()).await else { return true };
    let cold = Fixture { keys, ..f.same() };
    let of_key = keys::operation::alias::ListAliasesRequest { key_id: Some(key.to_owned()), ..Default::default() };
    let mut failures = vec![
        cold.describe(key).await.err(),
        cold.describe("alias/a").await.err(),
        cold.keys.list_keys(&cold.me, Default::default()).await.err(),
        cold.keys.list_aliases(&cold.me, Default::default()).await.err(),
        cold.keys.list_aliases(&cold.me, of_key).await.err(),
        cold.alias("alias/b", key).await.err(),
        cold.keys.create_key(&cold.me, Default::default()).await.err(),
        cold.keys.tick().await.err(),
    ];
    match cold.decrypt(blob).await {
        Ok(opened) => assert!(opened.plaintext.expose() == b"secret", "other plaintext than was encrypted"),
        Err(error) => failures.push(Some(error)),
    }
    failures.into_iter().flatten().any(|error| matches!(error, Error::Internal(_)))
}

#[tokio::test]
async fn a_flipped_byte_in_any_row_is_noticed() {
    let f = Fixture::new().await;
    let key = f.key().await;
    f.alias("alias/a", &key).await.unwrap();
    let other = f.key().await;
    f.schedule(&other, 7).await.unwrap();
    let blob = f.encrypt(&key, "secret").await.unwrap();
    // The errand of the key pending deletion is read when it is due.
    f.pass(8 * crate::fixture::DAY);
    let all = rows(&f).await;
    // Nothing reads the material of a key that is past its date any more.
    let unread = |table: Table, row: &[u8]| table == Table::Material && row.starts_with(&key_bytes(&other));
    for (table, row, value, body) in all.iter().filter(|(table, row, ..)| !unread(*table, row)) {
        for part in [Some(value), body.as_ref()].into_iter().flatten() {
            for index in (0..part.len()).step_by(7).chain([part.len() - 1]) {
                let mut changed = part.clone();
                changed[index] ^= 0x40;
                if std::ptr::eq(part, value) {
                    put(&f, *table, row, &changed, body.as_deref()).await;
                } else {
                    put(&f, *table, row, value, Some(&changed)).await;
                }
                assert!(notices(&f, &key, &blob).await, "{table:?} {row:02x?} byte {index}");
                restore(&f, &all).await;
            }
        }
    }
}

fn key_bytes(key: &str) -> Vec<u8> {
    data_encoding::HEXLOWER.decode(key.replace('-', "").as_bytes()).unwrap()
}

/// Puts the store back to what it was.
async fn restore(f: &Fixture, all: &[Stored]) {
    for (table, row, ..) in rows(f).await {
        f.store.commit(Transaction::new().delete(table, row)).await.unwrap();
    }
    for (table, row, value, body) in all {
        put(f, *table, row, value, body.as_deref()).await;
    }
}

#[tokio::test]
async fn rows_swapped_between_keys_do_not_open() {
    for table in [Table::Key, Table::Material, Table::Alias] {
        let f = Fixture::new().await;
        let (one, two) = (f.key().await, f.key().await);
        f.alias("alias/a", &one).await.unwrap();
        f.alias("alias/z", &two).await.unwrap();
        let blob = f.encrypt(&one, "secret").await.unwrap();
        let of = |wanted: Vec<u8>| {
            let f = &f;
            async move {
                let all = rows(f).await;
                all.into_iter().find(|(t, row, ..)| *t == table && row.ends_with(&wanted)).unwrap()
            }
        };
        let (first, second) = match table {
            Table::Alias => (of(b"alias/a".to_vec()).await, of(b"alias/z".to_vec()).await),
            Table::Material => (
                of([&key_bytes(&one)[..], &[0, 0, 0, 1]].concat()).await,
                of([&key_bytes(&two)[..], &[0, 0, 0, 1]].concat()).await,
            ),
            _ => (of(key_bytes(&one)).await, of(key_bytes(&two)).await),
        };
        put(&f, table, &first.1, &second.2, second.3.as_deref()).await;
        put(&f, table, &second.1, &first.2, first.3.as_deref()).await;
        assert!(notices(&f, &one, &blob).await, "{table:?}");
    }
}

#[tokio::test]
async fn a_materials_row_does_not_open_as_another_number() {
    let f = Fixture::new().await;
    let key = f.key().await;
    let blob = f.encrypt(&key, "secret").await.unwrap();
    f.rotate(&key).await.unwrap();
    let materials: Vec<_> = rows(&f).await.into_iter().filter(|(table, ..)| *table == Table::Material).collect();
    put(&f, Table::Material, &materials[0].1, &materials[1].2, None).await;
    assert!(notices(&f, &key, &blob).await);
}

#[tokio::test]
async fn a_missing_material_is_damage_and_not_a_wrong_ciphertext() {
    let mut f = Fixture::new().await;
    let key = f.key().await;
    let blob = f.encrypt(&key, "secret").await.unwrap();
    for (table, row, ..) in rows(&f).await {
        if table == Table::Material {
            f.store.commit(Transaction::new().delete(table, row)).await.unwrap();
        }
    }
    f.restart().await;
    assert_eq!(code(f.decrypt(&blob).await), "KMSInternalException");
}

#[tokio::test]
async fn another_root_key_is_a_clear_error() {
    let f = Fixture::new().await;
    f.key().await;
    let Err(error) = Keys::open(f.store.clone(), root_key(8), f.settings()).await else { panic!("opened") };
    assert!(matches!(&error, Error::Internal(keys::Internal::RootKey(RootKeyError::NoneOpens { .. }))), "{error}");
    assert!(error.to_string().contains("no configured root key opens the domain keys of this store"), "{error}");
    assert!(!error.message().contains("root key"), "the client is told nothing");
}

#[tokio::test]
async fn lost_domain_keys_are_not_replaced() {
    let f = Fixture::new().await;
    f.key().await;
    f.store.commit(Transaction::new().delete(Table::DomainKey, [0, 0, 0, 0])).await.unwrap();
    assert!(Keys::open(f.store.clone(), root_key(7), f.settings()).await.is_err());
}

#[tokio::test]
async fn a_sealed_record_opens_as_its_kind_and_place_alone() {
    let f = Fixture::new().await;
    let records = f.keys.records();
    let sealed = records.seal(b"object", b"place", b"record");
    assert_eq!(**records.open(b"object", b"place", &sealed).unwrap(), *b"record");
    for (kind, place) in [("bucket", "place"), ("object", "other"), ("objec", "tplace"), ("objectp", "lace")] {
        assert!(records.open(kind.as_bytes(), place.as_bytes(), &sealed).is_err(), "{kind} {place}");
    }
    for index in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[index] ^= 1;
        assert!(records.open(b"object", b"place", &changed).is_err(), "byte {index}");
    }
    assert!(records.open(b"object", b"place", b"").is_err());
}
