//! Re-wrapping: bringing key material under the newest domain key, while the server serves.
//!
//! Each row says in its header which domain key it is under, so nothing has to be kept of how far a pass came: after a stop or a crash
//! the next one finds the rest. A row is replaced only if it still is as it was read. What is left of the old bytes goes when a key
//! is destroyed and its material shredded.
//!
//! Only material is re-wrapped. Other records (of keys, objects, buckets) stay under the domain key that sealed them until they are
//! written again; they hold no key that a domain key alone opens, and so every domain key stays in the store.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicU64, Ordering};

use meta::{Range, Row, Table, Transaction};
use tokio::sync::Mutex;

use crate::Keys;
use crate::domain::RecordSealer;
use crate::error::Error;
use crate::identifier::KeyId;
use crate::limits::REWRAP_BATCH;
use crate::record::Material;

/// How far the re-wrapping of key material is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Progress {
    /// Materials that wait to be re-wrapped, as far as the pass that runs has counted them.
    pub pending: u64,
    /// Materials that were re-wrapped since the process began.
    pub rewrapped: u64,
}

/// What a process knows of its re-wrapping.
#[derive(Default)]
pub(crate) struct State {
    pending: AtomicU64,
    rewrapped: AtomicU64,
    /// One pass at a time.
    passes: Mutex<Passes>,
}

/// What is known from passes over all material. Material may be sealed just before a new domain key takes over and committed
/// just after a pass: only a second pass that finds nothing to do, a `tick` later, shows that there is none.
#[derive(Default)]
struct Passes {
    /// The domain key of the last pass.
    last: Option<u32>,
    /// The domain key that all material is known to be under.
    settled: Option<u32>,
}

impl State {
    pub(crate) fn progress(&self) -> Progress {
        Progress { pending: self.pending.load(Ordering::Relaxed), rewrapped: self.rewrapped.load(Ordering::Relaxed) }
    }
}

impl Keys {
    /// Re-wraps all material that is under another domain key than the newest, a few rows in a transaction, and gives way to requests in
    /// between. Can be stopped at any point and called again. Returns how many it re-wrapped.
    ///
    /// # Errors
    /// A failing store; a material that does not open, after all others were re-wrapped.
    pub async fn rewrap(&self) -> Result<u64, Error> {
        let state = &self.shared.rewrapping;
        let mut passes = state.passes.lock().await;
        let sealing = self.shared.sealer.sealing();
        if passes.settled == Some(sealing) {
            return Ok(0);
        }
        let counts = self.materials_by_domain_key(0).await?;
        let current = usize::try_from(sealing).ok().and_then(|index| counts.get(index)).copied().unwrap_or(0);
        state.pending.store(counts.iter().sum::<u64>() - current, Ordering::Relaxed);
        let (mut range, mut done, mut outcome) = (Range::all(), 0, Ok(()));
        loop {
            let rows = self.vault.scan(Table::Material, &range, REWRAP_BATCH).await?;
            match self.rewrap_batch(&rows, sealing).await {
                Ok(count) => {
                    done += count;
                    state.rewrapped.fetch_add(count, Ordering::Relaxed);
                    state.pending.fetch_sub(count.min(state.pending.load(Ordering::Relaxed)), Ordering::Relaxed);
                }
                Err(error @ Error::Internal(crate::Internal::Damaged(_))) => outcome = Err(error),
                Err(error) => return Err(error),
            }
            match rows.last() {
                Some(last) if rows.len() == REWRAP_BATCH => range = range.after(&last.key),
                _ => break,
            }
            tokio::task::yield_now().await;
        }
        outcome?;
        if done > 0 {
            tracing::info!(materials = done, domain_key = sealing, "re-wrapped key material");
        }
        state.pending.store(0, Ordering::Relaxed);
        if done == 0 && passes.last == Some(sealing) {
            passes.settled = Some(sealing);
        }
        passes.last = Some(sealing);
        Ok(done)
    }

    /// Re-wraps those of the rows that are under another domain key. Rows that changed meanwhile are new already, or gone.
    async fn rewrap_batch(&self, rows: &[Row], sealing: u32) -> Result<u64, Error> {
        let mut keys = HashMap::new();
        let (mut transaction, mut count, mut outcome) = (Transaction::new(), 0, Ok(()));
        for row in rows.iter().filter(|row| RecordSealer::number_of(&row.value) != Some(sealing)) {
            match self.rewrapped(row, &mut keys).await {
                Ok(Some(wrapped)) => {
                    transaction = transaction.expect_equals(Table::Material, &row.key, row.value.clone()).put(
                        Table::Material,
                        &row.key,
                        wrapped,
                    );
                    count += 1;
                }
                Ok(None) => {}
                Err(error) => outcome = Err(error),
            }
        }
        if count > 0 && !self.vault.commit(transaction).await? {
            // One of them changed: each for itself, so that the others are not held up.
            count = 0;
            for row in rows.iter().filter(|row| RecordSealer::number_of(&row.value) != Some(sealing)) {
                let Ok(Some(wrapped)) = self.rewrapped(row, &mut keys).await else { continue };
                let transaction = Transaction::new().expect_equals(Table::Material, &row.key, row.value.clone());
                count += u64::from(self.vault.commit(transaction.put(Table::Material, &row.key, wrapped)).await?);
            }
        }
        outcome.map(|()| count)
    }

    /// A row's material under the newest domain key; `None` if the key is gone, or is not of a Region that is served.
    async fn rewrapped(
        &self,
        row: &Row,
        keys: &mut HashMap<(usize, KeyId), Vec<Material>>,
    ) -> Result<Option<Vec<u8>>, Error> {
        for (index, vault) in self.shared.vaults.iter().enumerate() {
            let Some((id, number)) = vault.rows.parse_material(&row.key) else { continue };
            let materials = match keys.entry((index, id)) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(unknown) => {
                    let draft = vault.draft(id).await?;
                    unknown.insert(draft.map_or_else(Vec::new, |draft| draft.value.record.materials))
                }
            };
            let material = materials.iter().find(|material| material.number == number);
            let Some(material) = material else { return Ok(None) };
            return vault.rewrapped(id, material, &row.value).map(Some);
        }
        Ok(None)
    }

    /// How many materials are under each domain key; at least `len` numbers.
    pub(crate) async fn materials_by_domain_key(&self, len: usize) -> Result<Vec<u64>, Error> {
        let mut counts = vec![0; len];
        let mut range = Range::all();
        loop {
            let rows = self.vault.scan(Table::Material, &range, COUNT_BATCH).await?;
            for row in &rows {
                let number = RecordSealer::number_of(&row.value).and_then(|number| usize::try_from(number).ok());
                // A number that no store has is damage, which the scrub names.
                let Some(number) = number.filter(|number| *number < crate::domain::MAX_DOMAIN_KEYS) else { continue };
                if counts.len() <= number {
                    counts.resize(number + 1, 0);
                }
                counts[number] += 1;
            }
            match rows.last() {
                Some(last) if rows.len() == COUNT_BATCH => range = range.after(&last.key),
                _ => return Ok(counts),
            }
        }
    }
}

/// Rows of a scan that only looks at headers; the store yields in between by itself.
const COUNT_BATCH: usize = 4_096;
