//! What the server does by itself as time passes: destroying keys, rotating the keys that nobody manages, renewing domain keys and
//! re-wrapping what older ones wrapped.

use std::sync::Arc;

use meta::{Table, Transaction};
use tokio::task::JoinSet;

use crate::Keys;
use crate::codec::decode_empty;
use crate::error::Error;
use crate::identifier::KeyId;
use crate::rows::Errand;
use crate::wire::Timestamp;

/// Most errands of one [`Keys::tick`]; the next call takes the rest.
const MAX_ERRANDS: usize = 1_000;
/// Errands that run side by side, so that the destructions among them are committed, and shredded, together: each shredding is a pass over
/// all material.
const ERRANDS_AT_ONCE: usize = 64;

impl Keys {
    /// Runs everything that is due. To be called at start and every few minutes; any number of gateways over one store may.
    ///
    /// # Errors
    /// The first failure, after everything else that was due has been tried.
    pub async fn tick(&self) -> Result<(), Error> {
        let now = self.now();
        let mut outcome = self.shared.sealer.renew(&*self.shared.store, &self.shared.roots, now).await;
        for region in self.regions() {
            let Some(keys) = self.in_region(region.as_str()) else { continue };
            keys.vault.prune();
            outcome = outcome.and(keys.run_errands(now).await);
            outcome = outcome.and(keys.run_discards(now).await);
        }
        outcome = outcome.and(self.keep_connections().await);
        // Not when the store is opened: a new one holds nothing but its domain key until it has an identity.
        outcome = outcome.and(self.tracking_start().await.map(drop));
        outcome = outcome.and(self.flush().await);
        outcome.and(self.rewrap().await.map(drop))
    }

    /// Runs what is due in this Region.
    async fn run_errands(self: &Arc<Self>, now: Timestamp) -> Result<(), Error> {
        let mut outcome = Ok(());
        let due = self.vault.scan(Table::Key, &self.vault.rows.due_by(now), MAX_ERRANDS).await?;
        for rows in due.chunks(ERRANDS_AT_ONCE) {
            let mut running = JoinSet::new();
            for row in rows {
                let (keys, row) = (Arc::clone(self), row.clone());
                running.spawn(async move { keys.run(&row, now).await });
            }
            while let Some(done) = running.join_next().await {
                let done = done.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
                if let Err(error) = &done {
                    tracing::warn!(%error, "an errand of a key failed");
                }
                outcome = outcome.and(done);
            }
        }
        outcome
    }

    async fn run(&self, row: &meta::Row, now: Timestamp) -> Result<(), Error> {
        let (at, errand, id) = self.vault.rows.parse_due(&row.key).ok_or_else(|| Error::damaged("errand", &row.key))?;
        self.vault.decode(&self.vault.rows.due(at, errand, id), &row.value, decode_empty)?;
        match errand {
            Errand::Destroy => self.destroy(id, now).await?,
            Errand::Rotate => self.rotate_by_age(id, now).await?,
            Errand::Expire => self.expire(id, now).await?,
        }
        self.drop_stale(at, errand, id).await
    }

    /// Deletes an errand that its key's record knows nothing of: left by an older version, or of a key that is gone. Nothing that
    /// runs here leaves one, but one that stayed would be found at every tick.
    async fn drop_stale(&self, at: Timestamp, errand: Errand, id: KeyId) -> Result<(), Error> {
        let (key, place) = (self.vault.rows.key(id), self.vault.rows.due(at, errand, id));
        let transaction = Transaction::new().delete(place.table, &place.key);
        let transaction = match self.vault.draft(id).await? {
            Some(found) if found.value.record.errands(&self.region).contains(&(at, errand)) => return Ok(()),
            Some(found) => transaction.expect_equals(key.table, &key.key, found.row),
            None => transaction.expect_absent(key.table, &key.key),
        };
        // If the key changed meanwhile, the next tick looks again.
        self.vault.commit(transaction).await.map(drop)
    }
}
