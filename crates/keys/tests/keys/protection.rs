//! Root keys and domain keys: changed while the store is in use, re-wrapped, and shredded.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use keys::{Error, Internal, Keys, Passphrase, RootKey, RootKeyError, RootKeyIdentity, RootKeyKind, RootKeys};
use meta::sqlite::{Options, Sqlite};
use meta::{Order, Range, Store, Table};
use seal::{EncryptionContext, SecretKey};

use crate::fixture::{DAY, Fixture, principal, root_key, settings};

/// A key of another KMS: of a second store in this process.
struct Elsewhere {
    keys: Arc<Keys>,
    arn: String,
}

impl Elsewhere {
    async fn root_key() -> Arc<dyn RootKey> {
        let f = Fixture::new().await;
        let key = f.key().await;
        Arc::new(Self { arn: f.describe(&key).await.unwrap().arn, keys: f.keys })
    }

    fn context(aad: &[u8]) -> EncryptionContext {
        let pairs = [("aad".to_owned(), data_encoding::BASE64.encode(aad))];
        EncryptionContext::try_from(BTreeMap::from(pairs)).unwrap()
    }
}

#[async_trait]
impl RootKey for Elsewhere {
    fn identity(&self) -> RootKeyIdentity {
        RootKeyIdentity { kind: RootKeyKind::Kms, name: Some(self.arn.clone()) }
    }

    async fn wrap(&self, aad: &[u8], domain_key: &SecretKey) -> Result<Vec<u8>, RootKeyError> {
        let request = keys::operation::encrypt::EncryptRequest {
            key_id: self.arn.clone(),
            plaintext: keys::Plaintext::new(domain_key.expose().to_vec()),
            encryption_context: Some(Self::context(aad).pairs().clone()),
            ..Default::default()
        };
        let answer = self.keys.encrypt(&principal("111122223333"), request).await;
        answer.map(|answer| answer.ciphertext_blob.0).map_err(|error| RootKeyError::Provider(error.to_string()))
    }

    async fn unwrap(&self, aad: &[u8], wrapped: &[u8]) -> Result<SecretKey, RootKeyError> {
        let opened =
            self.keys.decrypt_data_key(&principal("111122223333"), &self.arn, wrapped, &Self::context(aad)).await;
        opened.map_err(|_| RootKeyError::WrongKey)
    }
}

fn passphrase(text: &str) -> Arc<dyn RootKey> {
    Arc::new(Passphrase::new(text.to_owned().into()).unwrap())
}

async fn providers() -> Vec<(&'static str, Arc<dyn RootKey>)> {
    vec![
        ("the key file with fingerprint", root_key(7)),
        ("the key file with fingerprint", root_key(8)),
        ("a passphrase", passphrase("correct horse battery staple")),
        ("the KMS key arn:aws:kms:eu-west-1:111122223333:key/", Elsewhere::root_key().await),
    ]
}

async fn open(f: &Fixture, root: &Arc<dyn RootKey>) -> Result<Arc<Keys>, Error> {
    Keys::open(f.store.clone(), Arc::clone(root), f.settings()).await
}

#[tokio::test]
async fn the_root_key_goes_from_any_provider_to_any_other() {
    let providers = providers().await;
    let mut f = Fixture::new().await;
    let key = f.key().await;
    let before = f.encrypt(&key, "from before").await.unwrap();
    // Every ordered pair is walked: a tour of the complete graph would do with fewer steps and read worse.
    for (_, from) in &providers {
        for (_, to) in &providers {
            f.keys.rotate_root_key(Arc::clone(from)).await.unwrap();
            f.keys.rotate_root_key(Arc::clone(to)).await.unwrap();
            f.keys = open(&f, to).await.unwrap();
            assert!(f.decrypt(&before).await.unwrap().plaintext.expose() == b"from before");
            for (_, other) in providers.iter().filter(|(_, other)| other.identity() != to.identity()) {
                assert!(open(&f, other).await.is_err(), "{} opens what {} wrapped", other.identity(), to.identity());
            }
        }
    }
}

#[tokio::test]
async fn the_error_names_the_root_key_that_is_needed() {
    let providers = providers().await;
    for (named, wrapping) in &providers {
        let f = Fixture::new().await;
        f.keys.rotate_root_key(Arc::clone(wrapping)).await.unwrap();
        for (_, other) in providers.iter().filter(|(_, other)| other.identity() != wrapping.identity()) {
            let error = open(&f, other).await.err().unwrap();
            let Error::Internal(Internal::RootKey(RootKeyError::NoneOpens { .. })) = &error else { panic!("{error}") };
            let text = error.to_string();
            assert!(text.contains(&format!("wrapped under {named}")), "{text}");
            assert!(text.contains(&format!("configured is {}", other.identity())), "{text}");
        }
    }
}

#[tokio::test]
async fn a_process_with_both_root_keys_opens_a_store_before_and_after() {
    let f = Fixture::new().await;
    let (old, new) = (root_key(7), passphrase("correct horse battery staple"));
    let both = || RootKeys::new(Arc::clone(&new)).and(Arc::clone(&old));
    let keys = Keys::open(f.store.clone(), both(), f.settings()).await.unwrap();
    keys.rotate_root_key(Arc::clone(&new)).await.unwrap();
    Keys::open(f.store.clone(), both(), f.settings()).await.unwrap();
    Keys::open(f.store.clone(), RootKeys::new(old).and(new), f.settings()).await.unwrap();
}

#[tokio::test]
async fn later_domain_keys_are_under_the_new_root_key() {
    let f = Fixture::new().await;
    f.keys.rotate_root_key(root_key(8)).await.unwrap();
    f.keys.replace_domain_key().await.unwrap();
    f.pass(400 * DAY);
    f.keys.tick().await.unwrap();
    assert_eq!(f.keys.protection().await.unwrap().domain_keys.len(), 3);
    open(&f, &root_key(8)).await.unwrap();
}

#[tokio::test]
async fn a_domain_key_under_the_former_root_key_is_not_taken_any_more() {
    let f = Fixture::new().await;
    f.key().await;
    // Somebody with the former root key and a way to write to the store.
    let stranger = f.gateway().await;
    f.keys.rotate_root_key(root_key(8)).await.unwrap();
    stranger.replace_domain_key().await.unwrap();
    assert!(f.keys.tick().await.is_err());
    f.key().await;
    assert_eq!(under(&f).await, BTreeSet::from([0]));
}

/// A root key that cannot open what it wraps.
struct Broken(Arc<dyn RootKey>);

#[async_trait]
impl RootKey for Broken {
    fn identity(&self) -> RootKeyIdentity {
        self.0.identity()
    }

    async fn wrap(&self, aad: &[u8], domain_key: &SecretKey) -> Result<Vec<u8>, RootKeyError> {
        self.0.wrap(aad, domain_key).await
    }

    async fn unwrap(&self, _: &[u8], _: &[u8]) -> Result<SecretKey, RootKeyError> {
        Err(RootKeyError::Provider("it may encrypt, and not decrypt".to_owned()))
    }
}

#[tokio::test]
async fn a_root_key_that_does_not_open_what_it_wraps_is_not_taken() {
    let f = Fixture::new().await;
    assert!(f.keys.rotate_root_key(Arc::new(Broken(root_key(8)))).await.is_err());
    f.keys.replace_domain_key().await.unwrap();
    open(&f, &root_key(7)).await.unwrap();
}

#[tokio::test]
async fn a_root_key_that_is_not_there_is_told_from_a_wrong_one() {
    let f = Fixture::new().await;
    let broken: Arc<dyn RootKey> = Arc::new(Broken(root_key(7)));
    let error = open(&f, &broken).await.err().unwrap();
    let Error::Internal(Internal::RootKey(RootKeyError::Unreachable { .. })) = &error else { panic!("{error}") };
    assert!(error.to_string().ends_with("it may encrypt, and not decrypt"), "{error}");
}

/// The domain keys that the store's materials are under.
async fn under(f: &Fixture) -> BTreeSet<u8> {
    let rows = f.store.scan(Table::Material, &Range::all(), Order::Ascending, 10_000).await.unwrap();
    // Magic (4), version, label, length of the fields; then the number.
    rows.iter().map(|row| row.value[10]).collect()
}

#[tokio::test]
async fn material_comes_under_a_new_domain_key_and_opens_what_it_did() {
    let mut f = Fixture::new().await;
    let mut blobs = Vec::new();
    for number in 0..200 {
        let key = f.key().await;
        blobs.push(f.encrypt(&key, "old").await.unwrap());
        if number % 10 == 0 {
            f.rotate(&key).await.unwrap();
            blobs.push(f.encrypt(&key, "old").await.unwrap());
        }
    }
    assert_eq!(under(&f).await, BTreeSet::from([0]));
    assert_eq!(f.keys.replace_domain_key().await.unwrap(), 1);
    f.key().await;
    assert_eq!(under(&f).await, BTreeSet::from([0, 1]), "new material is under the new one at once");
    assert_eq!(f.keys.protection().await.unwrap().materials, [220, 1]);

    assert_eq!(f.keys.rewrap().await.unwrap(), 220);
    assert_eq!(under(&f).await, BTreeSet::from([1]));
    assert_eq!(f.keys.protection().await.unwrap().materials, [0, 221]);
    assert_eq!((f.keys.rewrapping().pending, f.keys.rewrapping().rewrapped), (0, 220));
    assert_eq!(f.keys.rewrap().await.unwrap(), 0, "once is enough");
    f.restart().await;
    for blob in &blobs {
        assert!(f.decrypt(blob).await.unwrap().plaintext.expose() == b"old");
    }
    // Record and owner's entry of each key, and the materials.
    let verified = f.keys.verify(&mut |damage| panic!("{damage}")).await.unwrap();
    // The rotations are still to be told of.
    assert_eq!(verified, 2 * 201 + 221 + u64::try_from(f.told().await.len()).unwrap());
}

#[tokio::test]
async fn a_pass_that_was_cut_off_is_taken_up_again() {
    let mut f = Fixture::new().await;
    for _ in 0..150 {
        f.key().await;
    }
    f.keys.replace_domain_key().await.unwrap();
    // The first transaction, then the end of the process.
    let rewrap = f.keys.rewrap();
    let cut = async {
        while under(&f).await.len() == 1 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        () = cut => {}
        _ = rewrap => {}
    }
    f.restart().await;
    f.keys.tick().await.unwrap();
    assert_eq!(under(&f).await, BTreeSet::from([1]));
}

#[tokio::test]
async fn a_domain_key_that_age_made_takes_over_and_material_follows() {
    let f = Fixture::new().await;
    f.key().await;
    f.pass(366 * DAY);
    f.keys.tick().await.unwrap();
    assert_eq!(under(&f).await, BTreeSet::from([0]), "it has to settle first");
    f.pass(DAY);
    f.keys.tick().await.unwrap();
    assert_eq!(under(&f).await, BTreeSet::from([1]));
}

fn files_with(folder: &Path, bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if std::fs::read(&path).unwrap().windows(bytes.len()).any(|window| window == bytes) {
            found.push(path.file_name().unwrap().to_string_lossy().into_owned());
        }
    }
    found
}

/// What every copy of a sealed value holds: its random bytes and ciphertext, whatever the page around it.
fn trace(sealed: &[u8]) -> Vec<u8> {
    sealed[11..].to_vec()
}

#[tokio::test]
async fn a_destroyed_key_is_in_no_file_of_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let f = Fixture::new().await;
    let store = Arc::new(Sqlite::open(&folder.path().join("meta.db"), Options::default()).unwrap());
    let keys = Keys::open(store.clone(), root_key(7), settings(&f.now)).await.unwrap();
    let f = Fixture { keys, ..f };
    let (doomed, other) = (f.key().await, f.key().await);
    f.rotate(&doomed).await.unwrap();
    f.keys.replace_domain_key().await.unwrap();
    let mut sealed = Vec::new();
    for pass in 0..2 {
        for row in store.scan(Table::Material, &Range::all(), Order::Ascending, 100).await.unwrap() {
            if data_encoding::HEXLOWER.encode(&row.key[..16]) == doomed.replace('-', "") {
                sealed.push(trace(&row.value));
            }
        }
        // As they were under the old domain key, and as they are under the new one.
        if pass == 0 {
            f.keys.rewrap().await.unwrap();
        }
    }
    assert_eq!(sealed.len(), 4);
    assert!(sealed[2..].iter().all(|bytes| !files_with(folder.path(), bytes).is_empty()));
    let (blob, kept) = (f.encrypt(&doomed, "secret").await.unwrap(), f.encrypt(&other, "kept").await.unwrap());

    f.schedule(&doomed, 7).await.unwrap();
    f.pass(8 * DAY);
    f.keys.tick().await.unwrap();
    for bytes in &sealed {
        assert_eq!(files_with(folder.path(), bytes), [""; 0]);
    }
    assert!(f.decrypt(&blob).await.is_err());
    assert!(f.decrypt(&kept).await.unwrap().plaintext.expose() == b"kept");
}

#[tokio::test]
async fn how_domain_keys_were_wrapped_before_is_in_no_file_of_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let f = Fixture::new().await;
    let store = Arc::new(Sqlite::open(&folder.path().join("meta.db"), Options::default()).unwrap());
    let keys = Keys::open(store.clone(), root_key(7), settings(&f.now)).await.unwrap();
    keys.replace_domain_key().await.unwrap();
    let rows = store.scan(Table::DomainKey, &Range::all(), Order::Ascending, 10).await.unwrap();
    keys.rotate_root_key(root_key(8)).await.unwrap();
    for row in rows {
        let wrapped = &row.value[row.value.len() - 70..];
        assert_eq!(files_with(folder.path(), wrapped), [""; 0]);
    }
}
