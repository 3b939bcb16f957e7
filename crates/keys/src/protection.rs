//! What all keys of a store lie under: the root key and the domain keys, seen and changed by whoever runs the server.

use std::sync::Arc;

use meta::{Order, Range, Row, Table};

use crate::Keys;
use crate::domain::{DomainKeyStatus, RecordSealer};
use crate::error::Error;
use crate::rewrap::Progress;
use crate::root::{RootKey, RootKeyIdentity};
use crate::wire::Timestamp;

/// What all keys of a store lie under.
#[derive(Clone, Debug)]
pub struct Protection {
    /// The root keys of this process: the first wraps, the others open too.
    pub root_keys: Vec<RootKeyIdentity>,
    /// The domain keys, as the store has them.
    pub domain_keys: Vec<DomainKeyStatus>,
    /// The number of the domain key that seals.
    pub sealing: u32,
    /// Key material, by the number of the domain key that it is wrapped under.
    pub materials: Vec<u64>,
    /// The time that ages count from.
    pub now: Timestamp,
}

impl Keys {
    /// Wraps all domain keys under `next`, all or none, and has it wrap all later ones. No data is touched, and the root key
    /// that they are under now is not asked. Returns how many there are.
    ///
    /// # Errors
    /// What `next` says, if it does not wrap or does not open what it has wrapped: then nothing is changed. After a failure of the
    /// store either all are under the old root key or all under `next`.
    pub async fn rotate_root_key(&self, next: Arc<dyn RootKey>) -> Result<usize, Error> {
        let identity = next.identity();
        let count = self.shared.sealer.rotate_root_key(&*self.shared.store, &self.shared.roots, next).await?;
        tracing::warn!(domain_keys = count, root_key = %identity, "the root key was changed");
        Ok(count)
    }

    /// Makes a new domain key, which seals from now on. Returns its number. [`Keys::rewrap`] brings all key material under it;
    /// records come under it whenever they are written.
    ///
    /// # Errors
    /// What the root key says; a failing store.
    pub async fn replace_domain_key(&self) -> Result<u32, Error> {
        let number = self.shared.sealer.replace(&*self.shared.store, &self.shared.roots, self.now()).await?;
        tracing::warn!(number, "made a new domain key");
        Ok(number)
    }

    /// What all keys lie under now. Reads the header of every material: a microsecond each.
    ///
    /// # Errors
    /// A failing store; a damaged row.
    pub async fn protection(&self) -> Result<Protection, Error> {
        let domain_keys = RecordSealer::status(&*self.shared.store).await?;
        let materials = self.materials_by_domain_key(domain_keys.len()).await?;
        Ok(Protection {
            root_keys: self.shared.roots.list().iter().map(|key| key.identity()).collect(),
            domain_keys,
            sealing: self.shared.sealer.sealing(),
            materials,
            now: self.now(),
        })
    }

    /// The root key that a domain key is under, if that is not the one that wraps: the settings are behind a change of the root key.
    ///
    /// # Errors
    /// A failing store; a damaged row.
    pub async fn under_another_root_key(&self) -> Result<Option<RootKeyIdentity>, Error> {
        let current = self.shared.roots.current().identity();
        let found = RecordSealer::status(&*self.shared.store).await?;
        Ok(found.into_iter().map(|key| key.under).find(|under| !current.may_be(under)))
    }

    /// Whether nothing was ever stored here that names an account or a Region: no bucket, no object, no key. What a first opening makes
    /// by itself (domain keys, since when uses of keys are noted) names none.
    ///
    /// # Errors
    /// A failing store.
    pub async fn is_unused(&self) -> Result<bool, Error> {
        let names = |table: Table, row: &Row| match table {
            Table::DomainKey | Table::Setting => false,
            Table::Key => !self.shared.vaults.iter().any(|vault| vault.rows.tracking_start().key == row.key),
            _ => true,
        };
        for table in Table::ALL {
            let rows = self.shared.store.scan(table, &Range::all(), Order::Ascending, LOOK_AT).await?;
            if rows.iter().any(|row| names(table, row)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// How far the re-wrapping of key material is. Costs nothing.
    pub fn rewrapping(&self) -> Progress {
        self.shared.rewrapping.progress()
    }
}

/// Rows of a table that are looked at to tell whether it has any that count: one more than a first opening can have made.
const LOOK_AT: usize = 128;
