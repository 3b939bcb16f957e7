//! Domain keys DK: made here, wrapped under the root key, and held in memory. They seal every metadata record of the server
//! and wrap every key material.

mod change;
mod row;

use std::sync::{Arc, PoisonError, RwLock};

use meta::{Order, Range, Store, Table};
use seal::SecretKey;
use seal::envelope::{Envelope, Label, parse_header};
use seal::kdf::Kbkdf;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

pub use change::DomainKeyStatus;

use crate::error::Error;
use crate::identifier::KeyId;
use crate::root::RootKeys;
use crate::wire::Timestamp;

/// Bytes of the domain key's number in a sealed value's header.
const NUMBER: usize = 4;
/// Most domain keys of a store: one a year, so never; a bound for the scan.
pub(crate) const MAX_DOMAIN_KEYS: usize = 4_096;

/// A sealed record did not open: damaged, moved from another row, of another kind, or of another store. Never says which.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the sealed record does not open")]
pub struct RecordError;

/// Seals and opens metadata records under the domain keys. About a microsecond each; never waits.
pub struct RecordSealer {
    ring: RwLock<Arc<Ring>>,
    /// Held while domain keys are made or wrapped anew, so that none comes under a root key that is just being left.
    changing: Mutex<()>,
}

/// All domain keys of the store, each with its HMAC state ready.
struct Ring {
    /// In the order of their numbers, which count from 0 without gaps.
    keys: Vec<Arc<DomainKey>>,
    /// The newest one that has settled: it seals.
    sealing: usize,
}

struct DomainKey {
    created: Timestamp,
    seals_from: Timestamp,
    /// To wrap it under another root key without asking the one that it is under.
    secret: SecretKey,
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
        let number = row::number(ring.sealing);
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

    /// A name for secret bytes: the same for the same bytes and `context` for as long as the store lives. Whoever has it and not
    /// the domain keys learns nothing from it, and cannot even try guesses of the bytes against it.
    ///
    /// ```text
    /// HKDF-SHA256(secret, salt = KBKDF(DK_0, "strongroom fingerprint v1", context), info = "")
    /// ```
    pub(crate) fn fingerprint(&self, context: &[u8; KeyId::LEN], secret: &[u8]) -> [u8; 32] {
        let (mut salt, mut name) = (Zeroizing::new([0; 32]), [0; 32]);
        // Domain keys are wrapped anew and get successors, but the first one stays: it opens what it sealed.
        let first = &self.ring().keys[0];
        Kbkdf::new(first.secret.expose()).derive(b"strongroom fingerprint v1", context, &mut salt[..]);
        seal::kdf::hkdf(secret, &salt[..], &[], &mut name);
        name
    }

    fn ring(&self) -> Arc<Ring> {
        // The lock guards one assignment, so a panic cannot leave it half done.
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Which domain key a sealed value is under; `None` if it is none.
    pub(crate) fn number_of(blob: &[u8]) -> Option<u32> {
        parse_header(blob).ok()?.fields.try_into().map(u32::from_be_bytes).ok()
    }

    /// The domain key that seals.
    pub(crate) fn sealing(&self) -> u32 {
        u32::from_be_bytes(row::number(self.ring().sealing))
    }

    /// Unwraps the store's domain keys, making the first one if the store is new.
    pub(crate) async fn open_store(store: &dyn Store, roots: &RootKeys, now: Timestamp) -> Result<Self, Error> {
        let mut keys = load(store, roots, &[]).await?;
        if keys.is_empty() {
            refuse_orphans(store).await?;
            // Nobody else can have sealed anything yet, so it need not settle.
            change::add(store, roots, 0, now, now).await?;
            keys = load(store, roots, &[]).await?;
        }
        Ok(Self { ring: RwLock::new(Arc::new(Ring::new(keys, now))), changing: Mutex::new(()) })
    }

    fn replace_ring(&self, keys: Vec<Arc<DomainKey>>, now: Timestamp) -> Result<(), Error> {
        if keys.len() < self.ring().keys.len() {
            return Err(Error::damaged("domain key", &[]));
        }
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Ring::new(keys, now));
        Ok(())
    }
}

impl Ring {
    fn new(keys: Vec<Arc<DomainKey>>, now: Timestamp) -> Self {
        let sealing = keys.iter().rposition(|key| key.seals_from <= now).unwrap_or(0);
        Self { keys, sealing }
    }
}

/// All domain keys of the store. Those that are `known` are not unwrapped again: a root key may be an HSM's, and not there.
async fn load(store: &dyn Store, roots: &RootKeys, known: &[Arc<DomainKey>]) -> Result<Vec<Arc<DomainKey>>, Error> {
    let mut keys = Vec::new();
    for (index, (_, wrapped)) in row::all(store).await?.iter().enumerate() {
        keys.push(match known.get(index) {
            Some(known) if known.created == wrapped.created => Arc::clone(known),
            Some(_) => return Err(Error::damaged("domain key", &wrapped.number)),
            None => {
                let secret = wrapped.unwrap(roots).await?;
                let master = Envelope::new(&secret);
                Arc::new(DomainKey { created: wrapped.created, seals_from: wrapped.seals_from, secret, master })
            }
        });
    }
    Ok(keys)
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

/// A store with records but without domain keys has lost them. A new one would hide that and open nothing. Settings are the
/// server's, and may stand before the keys do.
async fn refuse_orphans(store: &dyn Store) -> Result<(), Error> {
    for table in Table::ALL {
        if !matches!(table, Table::DomainKey | Table::Setting)
            && !store.scan(table, &Range::all(), Order::Ascending, 1).await?.is_empty()
        {
            return Err(Error::damaged("domain key", &row::number(0)));
        }
    }
    Ok(())
}
