//! Keys, materials and aliases between the store and memory: sealed there, opened and cached here. Every change of a key goes
//! through [`Vault::change`]; nothing else in the crate writes.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use bytes::Bytes;
use material::KeySpec;
use meta::{Order, Range, Row, Store, Transaction};
use seal::SecretKey;
use seal::envelope::{Envelope, Label};
use tokio::sync::{Mutex, MutexGuard};
use zeroize::Zeroizing;

use crate::cache::Cache;
use crate::decide::stored_policy;
use crate::domain::RecordSealer;
use crate::error::Error;
use crate::grant::{Grant, PartyHash};
use crate::identifier::{AliasName, KeyArn, KeyId};
use crate::labels::Labels;
use crate::last_use::LastUses;
use crate::limits::{CACHE_LIFETIME, MAX_ATTEMPTS, MAX_CACHED};
use crate::operation::policy::managed_document;
use crate::principal::{AccountId, Region};
use crate::quota::KeyCounts;
use crate::record::{AliasRecord, KeyDetails, KeyRecord, Material, Owner};
use crate::rows::{Place, Rows};

/// Locks that changes of keys and accounts wait on, so that those of one process do not collide. More locks than a server has
/// cores: two keys rarely share one.
const LOCKS: usize = 64;

/// One Region of the store, as this crate sees it.
pub(crate) struct Vault {
    store: Arc<dyn Store>,
    region: Region,
    /// Where the Region's rows are.
    pub(crate) rows: Rows,
    sealer: Arc<RecordSealer>,
    keys: Cache<KeyId, Arc<Key>>,
    materials: Cache<(KeyId, u32), Arc<Master>>,
    aliases: Cache<(AccountId, AliasName), KeyId>,
    pub(crate) labels: Cache<KeyId, Arc<Labels>>,
    pub(crate) uses: LastUses,
    /// What a key's grants to a principal are, where they are few.
    pub(crate) grants: Cache<(KeyId, PartyHash), Arc<[Grant]>>,
    /// How many keys each account has.
    pub(crate) counts: KeyCounts,
    locks: [Mutex<()>; LOCKS],
}

/// A material ready for use.
#[allow(clippy::large_enum_variant, reason = "always behind an Arc, and the large one is the usual one")]
pub(crate) enum Master {
    /// Of a symmetric encryption key: seals and opens envelopes.
    Envelope(Envelope),
    /// Of every other spec.
    Key(material::Key),
}

/// A key as a use of it needs it.
pub(crate) struct Key {
    pub(crate) id: KeyId,
    /// Empty for the service key.
    pub(crate) arn: String,
    pub(crate) record: KeyRecord,
    /// `None`: the default key policy.
    pub(crate) policy: Option<Arc<policy::Document>>,
}

/// A key as a change of it needs it.
pub(crate) struct Draft {
    pub(crate) id: KeyId,
    pub(crate) arn: String,
    pub(crate) record: KeyRecord,
    pub(crate) details: KeyDetails,
}

/// A row that was read: its bytes for a precondition, and what is in it.
pub(crate) struct Opened<T> {
    pub(crate) row: Bytes,
    pub(crate) value: T,
}

impl Vault {
    pub(crate) fn new(store: Arc<dyn Store>, sealer: Arc<RecordSealer>, home: &Region, region: Region) -> Self {
        Self {
            store,
            rows: Rows::new(home, &region),
            region,
            sealer,
            keys: Cache::new(MAX_CACHED, CACHE_LIFETIME),
            materials: Cache::new(MAX_CACHED, CACHE_LIFETIME),
            aliases: Cache::new(MAX_CACHED, CACHE_LIFETIME),
            labels: Cache::new(MAX_CACHED, CACHE_LIFETIME),
            uses: LastUses::new(),
            grants: Cache::new(MAX_CACHED, CACHE_LIFETIME),
            counts: KeyCounts::default(),
            locks: std::array::from_fn(|_| Mutex::new(())),
        }
    }

    pub(crate) fn region(&self) -> &Region {
        &self.region
    }

    /// Drops what the caches hold for no longer than they may.
    pub(crate) fn prune(&self) {
        self.keys.prune();
        self.materials.prune();
        self.aliases.prune();
        self.labels.prune();
        self.grants.prune();
    }

    /// A key, from memory if it is warm.
    pub(crate) async fn key(&self, id: KeyId) -> Result<Option<Arc<Key>>, Error> {
        let miss = match self.keys.find(&id) {
            Ok(key) => return Ok(Some(key)),
            Err(miss) => miss,
        };
        let place = self.rows.key(id);
        let Some(row) = self.store.get(place.table, &place.key).await? else { return Ok(None) };
        let record: KeyRecord = self.decode(&place, &row, KeyRecord::decode)?;
        let policy = match record.owner {
            Owner::AwsManaged(account) => Some(managed_document(account, &self.region)),
            Owner::Customer(_) | Owner::Service => self.key_policy(id, &record).await?,
        };
        let key = Arc::new(Key { id, arn: self.arn(id, &record), record, policy });
        self.keys.fill(miss, id, Arc::clone(&key));
        Ok(Some(key))
    }

    /// The policy that a key's record says it has.
    pub(crate) async fn key_policy(
        &self,
        id: KeyId,
        record: &KeyRecord,
    ) -> Result<Option<Arc<policy::Document>>, Error> {
        if !record.own_policy {
            return Ok(None);
        }
        let (place, key) = (self.rows.policy(id), self.rows.key(id));
        match self.read(&place, stored_policy).await? {
            Some(found) => Ok(Some(found.value)),
            // Both rows went at once, since the record was read: the key is gone.
            None if self.store.get(key.table, &key.key).await?.is_none() => Err(gone(id)),
            None => Err(Error::damaged(place.kind, &place.key)),
        }
    }

    /// A key with its description and tags, from the store.
    pub(crate) async fn draft(&self, id: KeyId) -> Result<Option<Opened<Draft>>, Error> {
        let place = self.rows.key(id);
        let Some(found) = self.store.record(place.table, &place.key).await? else { return Ok(None) };
        let record: KeyRecord = self.decode(&place, &found.value, KeyRecord::decode)?;
        let body = found.body.ok_or_else(|| Error::damaged(place.kind, &place.key))?;
        let details = self.decode(&Place { kind: DETAILS, ..place }, &body, KeyDetails::decode)?;
        let draft = Draft { id, arn: self.arn(id, &record), record, details };
        Ok(Some(Opened { row: found.value, value: draft }))
    }

    /// One of a key's materials, ready for use; from memory if it is warm.
    pub(crate) async fn material(&self, key: KeyId, spec: KeySpec, material: &Material) -> Result<Arc<Master>, Error> {
        let slot = (key, material.number);
        let miss = match self.materials.find(&slot) {
            Ok(master) => return Ok(master),
            Err(miss) => miss,
        };
        let stored = self.stored_material(key, material).await?;
        let master = Arc::new(Master::load(spec, &stored).ok_or_else(|| {
            let place = self.rows.material(key, material.number);
            Error::damaged(place.kind, &place.key)
        })?);
        self.materials.fill(miss, slot, Arc::clone(&master));
        Ok(master)
    }

    /// The bytes of one of a key's materials, from the store.
    pub(crate) async fn stored_material(&self, key: KeyId, material: &Material) -> Result<Zeroizing<Vec<u8>>, Error> {
        let place = self.rows.material(key, material.number);
        let damaged = || Error::damaged(place.kind, &place.key);
        // A key record that names it stands, so it must be there.
        let row = self.store.get(place.table, &place.key).await?.ok_or_else(damaged)?;
        let aad = material_aad(&place, material);
        self.sealer.open_as(Label::Material, place.kind.as_bytes(), &aad, &row).map_err(|_| damaged())
    }

    /// What an alias points to, from memory if it is warm.
    pub(crate) async fn alias(&self, account: AccountId, name: AliasName) -> Result<Option<KeyId>, Error> {
        let slot = (account, name);
        let miss = match self.aliases.find(&slot) {
            Ok(key) => return Ok(Some(key)),
            Err(miss) => miss,
        };
        let Some(found) = self.read(&self.rows.alias(account, &slot.1), AliasRecord::decode).await? else {
            return Ok(None);
        };
        self.aliases.fill(miss, slot, found.value.target);
        Ok(Some(found.value.target))
    }

    /// Reads and opens one row.
    pub(crate) async fn read<T>(
        &self,
        place: &Place,
        decode: fn(&[u8]) -> Option<T>,
    ) -> Result<Option<Opened<T>>, Error> {
        let Some(row) = self.store.get(place.table, &place.key).await? else { return Ok(None) };
        let value = self.decode(place, &row, decode)?;
        Ok(Some(Opened { row, value }))
    }

    /// Opens the value of a row.
    pub(crate) fn decode<T>(&self, place: &Place, value: &[u8], decode: fn(&[u8]) -> Option<T>) -> Result<T, Error> {
        let opened = self.sealer.open(place.kind.as_bytes(), &aad(place), value).ok();
        opened.and_then(|bytes| decode(&bytes)).ok_or_else(|| Error::damaged(place.kind, &place.key))
    }

    /// Seals the value of a row.
    pub(crate) fn encode(&self, place: &Place, value: &[u8]) -> Vec<u8> {
        self.sealer.seal(place.kind.as_bytes(), &aad(place), value)
    }

    /// Rows of a range, in the order of their keys.
    pub(crate) async fn scan(&self, table: meta::Table, range: &Range, limit: usize) -> Result<Vec<Row>, Error> {
        Ok(self.store.scan(table, range, Order::Ascending, limit).await?)
    }

    /// Waits until no other change of this key or account runs in this process.
    pub(crate) async fn lock(&self, subject: impl Hash) -> MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        subject.hash(&mut hasher);
        let index = hasher.finish() % u64::try_from(LOCKS).expect("64 fits 64 bits");
        self.locks[usize::try_from(index).expect("below 64")].lock().await
    }

    /// Changes a key: reads it, lets `edit` change the draft and add to the transaction, and commits if the key still was as
    /// read, with the errands that its record then asks for. If another gateway was faster, does it all again.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the key is gone; what `edit` says; [`Error::Conflict`] after [`MAX_ATTEMPTS`].
    pub(crate) async fn change<T>(
        &self,
        id: KeyId,
        mut edit: impl FnMut(&mut Draft, Transaction) -> Result<(T, Transaction), Error>,
    ) -> Result<T, Error> {
        let _alone = self.lock(id).await;
        for _ in 0..MAX_ATTEMPTS {
            let Some(Opened { row, value: mut draft }) = self.draft(id).await? else { return Err(gone(id)) };
            let before = draft.record.errands(&self.region);
            let (answer, transaction) = edit(&mut draft, Transaction::new())?;
            let after = draft.record.errands(&self.region);
            let transaction = self.put_errands(transaction, id, &before, &after);
            if self.commit_change(row, &draft, transaction).await? {
                return Ok(answer);
            }
        }
        Err(busy())
    }

    /// Commits a changed draft with whatever else the transaction writes, if the key's row still is as it was read.
    pub(crate) async fn commit_change(
        &self,
        row: Bytes,
        draft: &Draft,
        transaction: Transaction,
    ) -> Result<bool, Error> {
        let place = self.rows.key(draft.id);
        let transaction = transaction.expect_equals(place.table, &place.key, row);
        let committed = self.commit(self.put_key(transaction, draft)).await;
        self.forget_record(draft.id);
        committed
    }

    /// A key from the store, for when memory may be behind it.
    pub(crate) async fn reread(&self, id: KeyId) -> Result<Option<Arc<Key>>, Error> {
        self.forget_record(id);
        self.key(id).await
    }

    /// Commits a transaction. `false`: an expectation did not hold.
    pub(crate) async fn commit(&self, transaction: Transaction) -> Result<bool, Error> {
        match self.store.commit(transaction).await {
            Ok(()) => Ok(true),
            Err(meta::Error::Conflict { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes a key's record, description and tags. Sealing anew gives the row other bytes each time, so every change of a key,
    /// its aliases included, fails the expectation of every other one that read the key before.
    pub(crate) fn put_key(&self, transaction: Transaction, draft: &Draft) -> Transaction {
        let place = self.rows.key(draft.id);
        let value = self.encode(&place, &draft.record.encode());
        let details = self.encode(&Place { kind: DETAILS, ..place.clone() }, &draft.details.encode());
        transaction.put_with_body(place.table, &place.key, value, details)
    }

    /// Writes a material of a key, wrapped, where there must be none yet.
    pub(crate) fn put_material(
        &self,
        transaction: Transaction,
        key: KeyId,
        material: &Material,
        secret: &[u8],
    ) -> Transaction {
        let place = self.rows.material(key, material.number);
        let wrapped = self.wrap(&place, material, secret);
        transaction.expect_absent(place.table, &place.key).put(place.table, &place.key, wrapped)
    }

    /// A material's bytes as its row holds them.
    pub(crate) fn wrap(&self, place: &Place, material: &Material, secret: &[u8]) -> Vec<u8> {
        self.sealer.seal_as(Label::Material, place.kind.as_bytes(), &material_aad(place, material), secret)
    }

    /// A stored material under the newest domain key.
    pub(crate) fn rewrapped(&self, key: KeyId, material: &Material, row: &[u8]) -> Result<Vec<u8>, Error> {
        let place = self.rows.material(key, material.number);
        let aad = material_aad(&place, material);
        let opened = self.sealer.open_as(Label::Material, place.kind.as_bytes(), &aad, row);
        let secret = opened.map_err(|_| Error::damaged(place.kind, &place.key))?;
        Ok(self.wrap(&place, material, &secret))
    }

    /// Writes a sealed value.
    pub(crate) fn put(&self, transaction: Transaction, place: &Place, value: &[u8]) -> Transaction {
        let sealed = self.encode(place, value);
        transaction.put(place.table, &place.key, sealed)
    }

    /// Drops what memory holds of a changed key's record.
    pub(crate) fn forget_record(&self, id: KeyId) {
        self.keys.remove(&id);
        self.labels.remove(&id);
    }

    /// Drops what memory holds of a destroyed key.
    pub(crate) fn forget_key(&self, id: KeyId) {
        self.forget_record(id);
        self.uses.forget(id);
        self.grants.remove_if(|(key, _)| *key == id);
        self.forget_materials(id);
    }

    /// Drops what memory holds of a key's materials.
    pub(crate) fn forget_materials(&self, id: KeyId) {
        self.materials.remove_if(|(key, _)| *key == id);
    }

    /// Drops what memory holds of a changed alias.
    pub(crate) fn forget_alias(&self, account: AccountId, name: AliasName) {
        self.aliases.remove(&(account, name));
        // Of the key that it pointed to, and of the one that it points to now.
        self.labels.remove_if(|_| true);
    }

    pub(crate) fn arn(&self, key: KeyId, record: &KeyRecord) -> String {
        let region = self.region.clone();
        record.owner.account().map_or_else(String::new, |account| KeyArn { region, account, key }.to_string())
    }
}

impl Master {
    /// From the stored form of a material; `None` if the bytes are not of this spec.
    fn load(spec: KeySpec, stored: &[u8]) -> Option<Self> {
        Some(match spec {
            KeySpec::SymmetricDefault => Self::Envelope(Envelope::new(&SecretKey::from_slice(stored).ok()?)),
            _ => Self::Key(material::Key::load(spec, stored).ok()?),
        })
    }
}

/// The kind of a key row's body.
const DETAILS: &str = "key details";

/// The answer when other gateways won every attempt.
pub(crate) fn busy() -> Error {
    Error::Conflict("The key is being changed by other requests. Try again.".to_owned())
}

/// The answer when a key went between being found and being changed.
pub(crate) fn gone(id: KeyId) -> Error {
    Error::NotFound(format!("Key '{id}' does not exist"))
}

/// A value is bound to its table and row key.
fn aad(place: &Place) -> Vec<u8> {
    let table = place.table.name().as_bytes();
    [table, &[0], &place.key].concat()
}

/// A wrapped material is bound to its place and to the id that the key's record gives it.
fn material_aad(place: &Place, material: &Material) -> Vec<u8> {
    [&aad(place)[..], &material.id].concat()
}
