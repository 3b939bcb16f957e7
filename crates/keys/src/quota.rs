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

/// How long a count is believed. Until then it is off by the keys of other gateways over the same store, and by those that were
/// being committed when it was counted or whose requests were broken off. Counting 100,000 rows takes about 0.1 s.
const LIFETIME: Duration = Duration::from_secs(3600);
/// Rows of one scan.
const BATCH: usize = 4_096;

/// The counts of a Region.
#[derive(Default)]
pub(crate) struct KeyCounts(Mutex<HashMap<AccountId, Count>>);

struct Count {
    keys: u64,
    /// Places of keys that are being made.
    reserved: u64,
    /// When `keys` was counted.
    read: Instant,
}

/// A place for one more key. Dropped without [`Reservation::keep`] it is free again.
pub(crate) struct Reservation<'a> {
    vault: &'a Vault,
    account: AccountId,
}

impl Vault {
    /// Takes a place for a new key of an account.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`] if there is none.
    pub(crate) async fn reserve(&self, account: AccountId) -> Result<Reservation<'_>, Error> {
        if !self.counts.is_fresh(account) {
            // Of requests that come at once, one counts.
            let _alone = self.lock(("key count", account)).await;
            if !self.counts.is_fresh(account) {
                self.counts.set(account, self.count(account).await?);
            }
        }
        let mut counts = self.counts.lock();
        let count = counts.entry(account).or_insert(Count { keys: 0, reserved: 0, read: Instant::now() });
        if count.keys + count.reserved >= MAX_KEYS_PER_ACCOUNT {
            let text = format!("The account has {MAX_KEYS_PER_ACCOUNT} KMS keys, the most it may have.");
            return Err(Error::LimitExceeded(text));
        }
        count.reserved += 1;
        Ok(Reservation { vault: self, account })
    }

    /// That a key of an account is gone.
    pub(crate) fn uncount(&self, account: AccountId) {
        self.counts.change(account, |count| count.keys = count.keys.saturating_sub(1));
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
    fn is_fresh(&self, account: AccountId) -> bool {
        self.lock().get(&account).is_some_and(|count| count.read.elapsed() < LIFETIME)
    }

    fn set(&self, account: AccountId, keys: u64) {
        let mut counts = self.lock();
        let reserved = counts.get(&account).map_or(0, |count| count.reserved);
        counts.insert(account, Count { keys, reserved, read: Instant::now() });
    }

    fn change(&self, account: AccountId, change: impl FnOnce(&mut Count)) {
        if let Some(count) = self.lock().get_mut(&account) {
            change(count);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<AccountId, Count>> {
        // Each change under the lock is one assignment or two.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reservation<'_> {
    /// The key exists.
    pub(crate) fn keep(self) {
        self.vault.counts.change(self.account, |count| count.keys += 1);
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        self.vault.counts.change(self.account, |count| count.reserved = count.reserved.saturating_sub(1));
    }
}
