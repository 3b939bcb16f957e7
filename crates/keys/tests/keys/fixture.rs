//! A store in memory, a clock that the test turns, and short names for the calls.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use keys::operation::alias::CreateAliasRequest;
use keys::operation::deletion::ScheduleKeyDeletionRequest;
use keys::operation::encrypt::{DecryptRequest, DecryptResponse, EncryptRequest};
use keys::operation::lifecycle::{CreateKeyRequest, DescribeKeyRequest, DisableKeyRequest, EnableKeyRequest};
use keys::operation::metadata::KeyMetadata;
use keys::operation::rotation::RotateKeyOnDemandRequest;
use keys::{
    AccountId, Blob, Clock, Error, KeyFile, Keys, Plaintext, Principal, Principals, PrincipalsFailure, Region, Request,
    RootKey, Settings,
};
use meta::memory::Memory;
use policy::NamedPrincipal;
use serde::de::DeserializeOwned;

pub const START: u64 = 1_700_000_000_123;
pub const DAY: Duration = Duration::from_secs(24 * 3600);

/// A root key that is the same in every test.
pub fn root_key(byte: u8) -> Arc<dyn RootKey> {
    let mut file = b"SRROOTK\x01".to_vec();
    file.extend([byte; 32]);
    Arc::new(KeyFile::parse(&file).unwrap())
}

/// Three accounts, in which every user and role exists that a test has not deleted, but `nobody`.
#[derive(Default)]
pub struct People(Mutex<BTreeMap<String, Option<String>>>);

/// The unique id of who had this ARN first.
pub fn unique_id(arn: &str) -> String {
    nth_id(arn, 0)
}

fn nth_id(arn: &str, turn: usize) -> String {
    let kind = if arn.contains(":role/") { "AROA" } else { "AIDA" };
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, format!("{arn} {turn}").as_bytes());
    format!("{kind}{}", &data_encoding::BASE32.encode(digest.as_ref())[..17])
}

impl People {
    pub fn delete(&self, arn: &str) {
        self.0.lock().unwrap().insert(arn.to_owned(), None);
    }

    /// Makes another one of the same name. Gives its unique id.
    pub fn make_anew(&self, arn: &str) -> String {
        let id = nth_id(arn, 1);
        self.0.lock().unwrap().insert(arn.to_owned(), Some(id.clone()));
        id
    }

    pub fn rename(&self, arn: &str, new: &str) {
        let id = self.id_of(arn);
        self.delete(arn);
        self.0.lock().unwrap().insert(new.to_owned(), id);
    }

    fn id_of(&self, arn: &str) -> Option<String> {
        let exists = !arn.ends_with("/nobody");
        let mut known = self.0.lock().unwrap();
        known.entry(arn.to_owned()).or_insert_with(|| exists.then(|| unique_id(arn))).clone()
    }
}

#[async_trait::async_trait]
impl Principals for People {
    async fn lasting_name(&self, named: &str) -> Result<Option<String>, PrincipalsFailure> {
        let known = |account: &str| ["111122223333", "444455556666", "777788889999"].contains(&account);
        Ok(match NamedPrincipal::aws(named) {
            Some(NamedPrincipal::Everyone) => Some(named.to_owned()),
            Some(NamedPrincipal::Account(account)) => known(&account).then(|| format!("arn:aws:iam::{account}:root")),
            Some(NamedPrincipal::Arn { account, .. }) if !known(&account) => None,
            Some(NamedPrincipal::Arn { arn, .. }) if arn.contains(":sts:") => Some(arn),
            Some(NamedPrincipal::Arn { arn, .. }) => self.id_of(&arn),
            Some(NamedPrincipal::UniqueId(id)) => self.arn_of(&id).await?.map(|_| id),
            _ => None,
        })
    }

    async fn arn_of(&self, unique_id: &str) -> Result<Option<String>, PrincipalsFailure> {
        let known = self.0.lock().unwrap();
        Ok(known.iter().find(|(_, id)| id.as_deref() == Some(unique_id)).map(|(arn, _)| arn.clone()))
    }
}

pub struct Fixture {
    pub people: Arc<People>,
    pub store: Arc<Memory>,
    pub keys: Arc<Keys>,
    pub me: Principal,
    pub now: Arc<AtomicU64>,
}

pub fn principal(account: &str) -> Principal {
    Principal::root(AccountId::parse(account).unwrap(), "AKIAEXAMPLE")
}

/// A request of this identifier.
pub fn incoming(id: [u8; 16], secure: bool, address: [u8; 4]) -> keys::Incoming {
    incoming_at(SystemTime::now(), id, secure, address)
}

/// The same at a time.
pub fn incoming_at(time: SystemTime, id: [u8; 16], secure: bool, address: [u8; 4]) -> keys::Incoming {
    let facts =
        policy::RequestFacts { secure, address: address.into(), listener: None, user_agent: None, referer: None, time };
    keys::Incoming { id, event: uuid::Uuid::from_bytes(id), facts: Arc::new(facts) }
}

pub fn settings(now: &Arc<AtomicU64>) -> Settings {
    let now = Arc::clone(now);
    let clock: Clock = Arc::new(move || UNIX_EPOCH + Duration::from_millis(now.load(Ordering::SeqCst)));
    Settings { region: Region::parse("eu-west-1").unwrap(), other_regions: vec![], clock }
}

/// The code of an operation's failure.
pub fn code<T>(result: Result<T, Error>) -> &'static str {
    match result {
        Ok(_) => "ok",
        Err(error) => error.code(),
    }
}

/// The code of what the service model says of a request.
pub fn checked<R: Request + DeserializeOwned>(body: &serde_json::Value) -> &'static str {
    code(keys::parse::<R>(body.to_string().as_bytes()))
}

pub fn plain(text: &str) -> Plaintext {
    Plaintext::new(text.as_bytes().to_vec())
}

impl Fixture {
    pub async fn new() -> Self {
        let (store, now) = (Arc::new(Memory::new()), Arc::new(AtomicU64::new(START)));
        let keys = Keys::open(store.clone(), root_key(7), settings(&now)).await.unwrap();
        Self::over(store, keys, now)
    }

    /// Keys that know the people.
    pub fn over(store: Arc<Memory>, keys: Arc<Keys>, now: Arc<AtomicU64>) -> Self {
        let people = Arc::new(People::default());
        let fixture = Self { people, store, keys, me: principal("111122223333"), now };
        fixture.know(&fixture.keys);
        fixture
    }

    /// Another gateway over the same store, with nothing cached.
    pub async fn gateway(&self) -> Arc<Keys> {
        let keys = Keys::open(self.store.clone(), root_key(7), settings(&self.now)).await.unwrap();
        self.know(&keys);
        keys
    }

    /// Lets keys know the people.
    pub fn know(&self, keys: &Keys) {
        let people = Arc::downgrade(&self.people);
        keys.set_principals(people as Weak<dyn Principals>);
    }

    pub fn settings(&self) -> Settings {
        settings(&self.now)
    }

    /// The same store, clock and caller.
    pub fn same(&self) -> Self {
        Self {
            people: self.people.clone(),
            store: self.store.clone(),
            keys: self.keys.clone(),
            me: self.me.clone(),
            now: self.now.clone(),
        }
    }

    /// Forgets everything cached.
    pub async fn restart(&mut self) {
        self.keys = self.gateway().await;
    }

    pub fn pass(&self, time: Duration) {
        self.now.fetch_add(u64::try_from(time.as_millis()).unwrap(), Ordering::SeqCst);
    }

    pub fn time(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.now.load(Ordering::SeqCst))
    }

    /// What KMS has done by itself in every Region since the last time, as whoever keeps the audit takes it.
    pub async fn told(&self) -> Vec<keys::ServiceEvent> {
        let mut told = Vec::new();
        for region in self.keys.regions() {
            let keys = self.keys.in_region(region.as_str()).unwrap();
            let events = keys.service_events(100).await.unwrap();
            for event in &events {
                assert_eq!(event.key.region, *region);
                keys.forget_service_event(event).await.unwrap();
            }
            assert_eq!(keys.service_events(100).await.unwrap(), []);
            told.extend(events);
        }
        told
    }

    pub async fn key(&self) -> String {
        self.keys.create_key(&self.me, CreateKeyRequest::default()).await.unwrap().key_metadata.key_id
    }

    pub async fn describe(&self, key: &str) -> Result<KeyMetadata, Error> {
        let request = DescribeKeyRequest { key_id: key.to_owned(), ..Default::default() };
        Ok(self.keys.describe_key(&self.me, request).await?.key_metadata)
    }

    pub async fn encrypt(&self, key: &str, text: &str) -> Result<Blob, Error> {
        let request = EncryptRequest { key_id: key.to_owned(), plaintext: plain(text), ..Default::default() };
        Ok(self.keys.encrypt(&self.me, request).await?.ciphertext_blob)
    }

    pub async fn decrypt(&self, blob: &Blob) -> Result<DecryptResponse, Error> {
        let request = DecryptRequest { ciphertext_blob: Some(blob.clone()), ..Default::default() };
        self.keys.decrypt(&self.me, request).await
    }

    pub async fn enable(&self, key: &str) -> Result<(), Error> {
        let request = EnableKeyRequest { key_id: key.to_owned() };
        self.keys.enable_key(&self.me, request).await.map(|_| ())
    }

    pub async fn disable(&self, key: &str) -> Result<(), Error> {
        let request = DisableKeyRequest { key_id: key.to_owned() };
        self.keys.disable_key(&self.me, request).await.map(|_| ())
    }

    pub async fn schedule(&self, key: &str, days: i64) -> Result<(), Error> {
        let request = ScheduleKeyDeletionRequest { key_id: key.to_owned(), pending_window_in_days: Some(days) };
        self.keys.schedule_key_deletion(&self.me, request).await.map(|_| ())
    }

    pub async fn rotate(&self, key: &str) -> Result<(), Error> {
        let request = RotateKeyOnDemandRequest { key_id: key.to_owned() };
        self.keys.rotate_key_on_demand(&self.me, request).await.map(|_| ())
    }

    pub async fn alias(&self, name: &str, key: &str) -> Result<(), Error> {
        let request = CreateAliasRequest { alias_name: name.to_owned(), target_key_id: key.to_owned() };
        self.keys.create_alias(&self.me, request).await.map(|_| ())
    }
}
