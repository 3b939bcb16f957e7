//! How many keys an account has in a Region: counted from its rows when first asked, kept in memory from then on. A counter in
//! the store would be one row that every CreateKey of the account changes, so that none could share a sync with another.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use meta::Table;

use crate::error::Error;
use crate::limits::MAX_KEYS_PER_ACCOUNT;
use crate::principal::AccountId;
use crate::vault::Vault;

/// How long a count is believed. It is exact as long as this process alone makes keys; another gateway's over the same store
/// are seen after this. Counting 100,000 rows takes about 0.1 s.
const LIFETIME: Duration = Duration::from_secs(3600);
/// Rows of one scan.
const BATCH: usize = 4_096;

/// The counts of a Region.
#[derive(Default)]
pub(crate) struct KeyCounts(Mutex<HashMap<AccountId, Count>>);

#[derive(Clone, Copy)]
struct Count {
    keys: u64,
    read: Instant,
}

/// A place for one more key. Dropped without [`Reservation::keep`] it is free again.
pub(crate) struct Reservation<'a> {
    vault: &'a Vault,
    account: AccountId,
    kept: bool,
}

impl Vault {
    /// Takes a place for a new key of an account.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`] if there is none.
    pub(crate) async fn reserve(&self, account: AccountId) -> Result<Reservation<'_>, Error> {
        let fresh = |count: &Count| count.read.elapsed() < LIFETIME;
        if !self.counts.lock().get(&account).is_some_and(fresh) {
            let keys = self.count(account).await?;
            self.counts.lock().insert(account, Count { keys, read: Instant::now() });
        }
        let mut counts = self.counts.lock();
        let count = counts.entry(account).or_insert(Count { keys: 0, read: Instant::now() });
        if count.keys >= MAX_KEYS_PER_ACCOUNT {
            let text = format!("The account has {MAX_KEYS_PER_ACCOUNT} KMS keys, the most it may have.");
            return Err(Error::LimitExceeded(text));
        }
        count.keys += 1;
        Ok(Reservation { vault: self, account, kept: false })
    }

    /// That a key of an account is gone.
    pub(crate) fn uncount(&self, account: AccountId) {
        if let Some(count) = self.counts.lock().get_mut(&account) {
            count.keys = count.keys.saturating_sub(1);
        }
    }

    async fn count(&self, account: AccountId) -> Result<u64, Error> {
        let (mut range, mut keys) = (self.rows.owned_by(account), 0);
        loop {
            let rows = self.scan(Table::Key, &range, BATCH).await?;
            keys += u64::try_from(rows.len()).unwrap_or(u64::MAX);
            match rows.last() {
                Some(last) if rows.len() == BATCH => range = range.after(&last.key),
                _ => return Ok(keys),
            }
        }
    }
}

impl KeyCounts {
    fn lock(&self) -> MutexGuard<'_, HashMap<AccountId, Count>> {
        // Each change under the lock is one assignment.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reservation<'_> {
    /// The key exists.
    pub(crate) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        if !self.kept {
            self.vault.uncount(self.account);
        }
    }
}
