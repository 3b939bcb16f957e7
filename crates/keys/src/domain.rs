//! Domain keys DK: made here, wrapped under the root key, and held in memory. They seal every metadata record of the server
//! and wrap every key material.

use std::sync::{Arc, PoisonError, RwLock};

use meta::{Order, Range, Store, Table, Transaction};
use seal::SecretKey;
use seal::envelope::{Envelope, Label, parse_header};
use zeroize::Zeroizing;

use crate::codec::{Decoder, Encoder};
use crate::error::Error;
use crate::limits::{DOMAIN_KEY_PERIOD, DOMAIN_KEY_SETTLING};
use crate::root::RootKey;
use crate::wire::Timestamp;

/// Bytes of the domain key's number in a sealed value's header.
const NUMBER: usize = 4;
/// Most domain keys of a store: one a year, so never; a bound for the scan.
const MAX_DOMAIN_KEYS: usize = 4_096;

/// A sealed record did not open: damaged, moved from another row, of another kind, or of another store. Never says which.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the sealed record does not open")]
pub struct RecordError;

/// Seals and opens metadata records under the domain keys. About a microsecond each; never waits.
pub struct RecordSealer {
    ring: RwLock<Arc<Ring>>,
}

/// All domain keys of the store, each with its HMAC state ready.
struct Ring {
    /// In the order of their numbers, which count from 0 without gaps.
    keys: Vec<DomainKey>,
    /// The newest one that has settled: it seals.
    sealing: usize,
}

struct DomainKey {
    created: Timestamp,
    master: Envelope,
}

impl RecordSealer {
    /// Seals a record. `kind` names what it is ("bucket", "object"), at most 255 bytes; `aad` is where it stands, usually table
    /// and row key: the record opens with the same two alone, so a row moved under another key or table does not open.
    pub fn seal(&self, kind: &[u8], aad: &[u8], plaintext: &[u8]) -> Vec<u8> {
        self.seal_as(Label::Record, kind, aad, plaintext)
    }

    /// Opens what [`RecordSealer::seal`] gave.
    ///
    /// # Errors
    /// [`RecordError`] if a byte of the blob, the kind or the place differs.
    pub fn open(&self, kind: &[u8], aad: &[u8], blob: &[u8]) -> Result<Zeroizing<Vec<u8>>, RecordError> {
        self.open_as(Label::Record, kind, aad, blob)
    }

    pub(crate) fn seal_as(&self, label: Label, kind: &[u8], aad: &[u8], plaintext: &[u8]) -> Vec<u8> {
        let ring = self.ring();
        let number = u32::try_from(ring.sealing).expect("a store has at most 4,096 domain keys").to_be_bytes();
        ring.keys[ring.sealing].master.seal(label, &number, &bind(kind, aad), plaintext)
    }

    pub(crate) fn open_as(
        &self,
        label: Label,
        kind: &[u8],
        aad: &[u8],
        blob: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, RecordError> {
        let fields = parse_header(blob).map_err(|_| RecordError)?.fields;
        let number: [u8; NUMBER] = fields.try_into().map_err(|_| RecordError)?;
        let number = usize::try_from(u32::from_be_bytes(number)).map_err(|_| RecordError)?;
        let ring = self.ring();
        let key = ring.keys.get(number).ok_or(RecordError)?;
        key.master.open(label, &bind(kind, aad), blob).map_err(|_| RecordError)
    }

    fn ring(&self) -> Arc<Ring> {
        // The lock guards one assignment, so a panic cannot leave it half done.
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Unwraps the store's domain keys, making the first one if the store is new.
    pub(crate) async fn open_store(store: &dyn Store, root: &dyn RootKey, now: Timestamp) -> Result<Self, Error> {
        let mut keys = load(store, root).await?;
        if keys.is_empty() {
            refuse_orphans(store).await?;
            add(store, root, 0, now).await?;
            keys = load(store, root).await?;
        }
        Ok(Self { ring: RwLock::new(Arc::new(Ring::new(keys, now))) })
    }

    /// Makes a new domain key if the newest is old, and takes up those that others made.
    pub(crate) async fn renew(&self, store: &dyn Store, root: &dyn RootKey, now: Timestamp) -> Result<(), Error> {
        let mut keys = load(store, root).await?;
        if let Some(newest) = keys.last()
            && now.since(newest.created) >= DOMAIN_KEY_PERIOD
            && keys.len() < MAX_DOMAIN_KEYS
        {
            add(store, root, keys.len(), now).await?;
            keys = load(store, root).await?;
        }
        if keys.len() < self.ring().keys.len() {
            return Err(Error::damaged("domain key", &[]));
        }
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Ring::new(keys, now));
        Ok(())
    }
}

impl Ring {
    fn new(keys: Vec<DomainKey>, now: Timestamp) -> Self {
        let settled = |key: &DomainKey| now.since(key.created) >= DOMAIN_KEY_SETTLING;
        let sealing = keys.iter().rposition(settled).unwrap_or(0);
        Self { keys, sealing }
    }
}

/// `kind` behind its length, so that no kind and place read as another kind and place.
fn bind(kind: &[u8], aad: &[u8]) -> Vec<u8> {
    let len = u8::try_from(kind.len()).expect("a record kind has at most 255 bytes");
    let mut bound = Vec::with_capacity(1 + kind.len() + aad.len());
    bound.push(len);
    bound.extend_from_slice(kind);
    bound.extend_from_slice(aad);
    bound
}

/// A row of [`Table::DomainKey`]: `version ‖ created ‖ wrapped key`, under its number.
async fn load(store: &dyn Store, root: &dyn RootKey) -> Result<Vec<DomainKey>, Error> {
    let rows = store.scan(Table::DomainKey, &Range::all(), Order::Ascending, MAX_DOMAIN_KEYS).await?;
    let mut keys = Vec::with_capacity(rows.len());
    for (index, row) in rows.iter().enumerate() {
        let damaged = || Error::damaged("domain key", &row.key);
        let number = row_key(index);
        let mut fields =
            Decoder::new(VERSION, row.value.strip_prefix(MAGIC).ok_or_else(damaged)?).ok_or_else(damaged)?;
        let created = fields.time().ok_or_else(damaged)?;
        if row.key[..] != number {
            return Err(damaged());
        }
        let key = root.unwrap(&wrapping_aad(number, created), fields.rest()).await?;
        keys.push(DomainKey { created, master: Envelope::new(&key) });
    }
    Ok(keys)
}

const MAGIC: &[u8] = b"SRDK";
const VERSION: u8 = 1;

fn row_key(index: usize) -> [u8; NUMBER] {
    u32::try_from(index).expect("a store has at most 4,096 domain keys").to_be_bytes()
}

fn wrapping_aad(number: [u8; NUMBER], created: Timestamp) -> Vec<u8> {
    [MAGIC, &[VERSION], &number, &created.as_millis().to_be_bytes()].concat()
}

/// Adds a domain key. That another gateway adds the same number first is success: its key is as good.
async fn add(store: &dyn Store, root: &dyn RootKey, index: usize, now: Timestamp) -> Result<(), Error> {
    let number = row_key(index);
    let wrapped = root.wrap(&wrapping_aad(number, now), &SecretKey::generate()).await?;
    let mut out = Encoder::new(VERSION);
    out.time(now);
    let value = [MAGIC, &out.finish(), &wrapped].concat();
    let transaction = Transaction::new().expect_absent(Table::DomainKey, number).put(Table::DomainKey, number, value);
    match store.commit(transaction).await {
        Ok(()) | Err(meta::Error::Conflict { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// A store with records but without domain keys has lost them. A new one would hide that and open nothing. Settings are the
/// server's, and may stand before the keys do.
async fn refuse_orphans(store: &dyn Store) -> Result<(), Error> {
    for table in Table::ALL {
        if !matches!(table, Table::DomainKey | Table::Setting)
            && !store.scan(table, &Range::all(), Order::Ascending, 1).await?.is_empty()
        {
            return Err(Error::damaged("domain key", &row_key(0)));
        }
    }
    Ok(())
}
