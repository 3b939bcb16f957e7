//! Changes of the domain keys: a new one by age or on demand, and all of them under another root key.

use std::sync::Arc;

use meta::{Range, Store, Table, Transaction};
use seal::SecretKey;

use super::row::{self, Wrapped};
use super::{MAX_DOMAIN_KEYS, RecordSealer, load};
use crate::error::Error;
use crate::limits::{DOMAIN_KEY_PERIOD, DOMAIN_KEY_SETTLING, MAX_ATTEMPTS};
use crate::root::{RootKey, RootKeyError, RootKeyIdentity, RootKeys};
use crate::wire::Timestamp;

/// A domain key, without its bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DomainKeyStatus {
    /// Its number.
    pub number: u32,
    /// When it was made.
    pub created: Timestamp,
    /// From when on it seals.
    pub seals_from: Timestamp,
    /// Under which root key it is wrapped.
    pub under: RootKeyIdentity,
}

impl RecordSealer {
    /// Makes a new domain key if the newest is old, and takes up those that others made.
    pub(crate) async fn renew(&self, store: &dyn Store, roots: &RootKeys, now: Timestamp) -> Result<(), Error> {
        let _alone = self.changing.lock().await;
        let mut keys = load(store, roots, &self.ring().keys).await?;
        if let Some(newest) = keys.last()
            && now.since(newest.created) >= DOMAIN_KEY_PERIOD
            && keys.len() < MAX_DOMAIN_KEYS
        {
            add(store, roots, keys.len(), now, now.after(DOMAIN_KEY_SETTLING)).await?;
            keys = load(store, roots, &keys).await?;
        }
        self.replace_ring(keys, now)
    }

    /// Makes a new domain key that seals at once. Returns its number.
    ///
    /// For a store with one gateway: another one would meet records under a key that it does not know until its next `tick`.
    pub(crate) async fn replace(&self, store: &dyn Store, roots: &RootKeys, now: Timestamp) -> Result<u32, Error> {
        let _alone = self.changing.lock().await;
        let known = load(store, roots, &self.ring().keys).await?;
        if known.len() >= MAX_DOMAIN_KEYS {
            let limit = format!("a store has at most {MAX_DOMAIN_KEYS} domain keys");
            return Err(RootKeyError::Provider(limit).into());
        }
        add(store, roots, known.len(), now, now).await?;
        self.replace_ring(load(store, roots, &known).await?, now)?;
        Ok(self.sealing())
    }

    /// Wraps all domain keys under `next`, in one transaction that leaves no trace of how they were wrapped before, and has it wrap
    /// all later ones. The root key that they are under now is not asked. Returns how many there are.
    ///
    /// # Errors
    /// What `next` says, if it does not wrap or does not open what it has wrapped: then nothing is changed. A failing store: then
    /// all keys are under the old one or all under the new.
    pub(crate) async fn rotate_root_key(
        &self,
        store: &dyn Store,
        roots: &RootKeys,
        next: Arc<dyn RootKey>,
    ) -> Result<usize, Error> {
        let _alone = self.changing.lock().await;
        for _ in 0..MAX_ATTEMPTS {
            let rows = row::all(store).await?;
            let keys = load(store, roots, &self.ring().keys).await?;
            if keys.len() != rows.len() {
                continue;
            }
            let mut transaction = Transaction::new().shred();
            for (index, (row, key)) in rows.iter().zip(&keys).enumerate() {
                let (row, _) = row;
                let wrapped = Wrapped::under(&*next, index, key.created, key.seals_from, &key.secret).await?;
                // A provider that wraps and does not open would close the store for ever.
                if wrapped.unwrap_with(&*next).await? != key.secret {
                    return Err(RootKeyError::WrongKey.into());
                }
                transaction = wrapped.put(transaction.expect_equals(Table::DomainKey, &row.key, row.value.clone()));
            }
            let further = Range::all().after(row::number(rows.len().saturating_sub(1)));
            match store.commit(transaction.expect_vacant(Table::DomainKey, further)).await {
                Ok(()) => {
                    roots.succeed(next);
                    return Ok(rows.len());
                }
                // Another gateway made a domain key meanwhile.
                Err(meta::Error::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(crate::vault::busy())
    }

    /// All domain keys, as the store has them now.
    pub(crate) async fn status(store: &dyn Store) -> Result<Vec<DomainKeyStatus>, Error> {
        let status = |wrapped: &Wrapped| DomainKeyStatus {
            number: u32::from_be_bytes(wrapped.number),
            created: wrapped.created,
            seals_from: wrapped.seals_from,
            under: wrapped.by.clone(),
        };
        Ok(row::all(store).await?.iter().map(|(_, wrapped)| status(wrapped)).collect())
    }
}

/// Adds a domain key. That another gateway adds the same number first is success: its key is as good.
pub(super) async fn add(
    store: &dyn Store,
    roots: &RootKeys,
    index: usize,
    now: Timestamp,
    seals_from: Timestamp,
) -> Result<(), Error> {
    let wrapped = Wrapped::under(&*roots.current(), index, now, seals_from, &SecretKey::generate()).await?;
    let transaction = wrapped.put(Transaction::new().expect_absent(Table::DomainKey, wrapped.number));
    match store.commit(transaction).await {
        Ok(()) | Err(meta::Error::Conflict { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
