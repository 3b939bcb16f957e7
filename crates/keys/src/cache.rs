//! A bounded map of short-lived entries.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Holds at most `limit` values, each for at most `lifetime`.
pub(crate) struct Cache<K, V> {
    limit: usize,
    lifetime: Duration,
    inner: Mutex<Inner<K, V>>,
}

struct Inner<K, V> {
    entries: HashMap<K, (Instant, V)>,
    /// Counts removals: what was read before one may not be put in after it.
    removals: u64,
}

/// Shows that nothing was removed between a miss and the value that fills it.
#[derive(Clone, Copy)]
pub(crate) struct Miss(u64);

impl<K: Hash + Eq + Clone, V: Clone> Cache<K, V> {
    pub(crate) fn new(limit: usize, lifetime: Duration) -> Self {
        Self { limit, lifetime, inner: Mutex::new(Inner { entries: HashMap::new(), removals: 0 }) }
    }

    /// The value, if it is young enough; else a [`Miss`] to be taken *before* the value is read from the store.
    pub(crate) fn find<Q>(&self, key: &Q) -> Result<V, Miss>
    where
        K: std::borrow::Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let inner = self.lock();
        match inner.entries.get(key) {
            Some((read, value)) if read.elapsed() < self.lifetime => Ok(value.clone()),
            _ => Err(Miss(inner.removals)),
        }
    }

    /// Puts a value in, unless anything was removed since the miss: the value may be what the removal was about.
    pub(crate) fn fill(&self, miss: Miss, key: K, value: V) {
        let mut inner = self.lock();
        if inner.removals != miss.0 {
            return;
        }
        if inner.entries.len() >= self.limit && !inner.entries.contains_key(&key) {
            self.make_room(&mut inner.entries);
        }
        inner.entries.insert(key, (Instant::now(), value));
    }

    /// Forgets a value.
    pub(crate) fn remove<Q>(&self, key: &Q)
    where
        K: std::borrow::Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let mut inner = self.lock();
        inner.entries.remove(key);
        inner.removals += 1;
    }

    /// Forgets every value whose key `gone` picks.
    pub(crate) fn remove_if(&self, mut gone: impl FnMut(&K) -> bool) {
        let mut inner = self.lock();
        inner.entries.retain(|key, _| !gone(key));
        inner.removals += 1;
    }

    /// Drops what is too old.
    pub(crate) fn prune(&self) {
        self.lock().entries.retain(|_, (read, _)| read.elapsed() < self.lifetime);
    }

    /// Drops what is too old; if that is little, drops half, so that a full cache costs a pass over it only now and then.
    fn make_room(&self, entries: &mut HashMap<K, (Instant, V)>) {
        entries.retain(|_, (read, _)| read.elapsed() < self.lifetime);
        if entries.len() > self.limit / 2 {
            let mut keep = false;
            entries.retain(|_, _| {
                keep = !keep;
                keep
            });
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner<K, V>> {
        // Every change under the lock is one map operation: a panic leaves the map whole.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(cache: &Cache<u32, u32>, key: u32) {
        if let Err(miss) = cache.find(&key) {
            cache.fill(miss, key, key);
        }
    }

    #[test]
    fn a_full_cache_stays_within_its_limit() {
        let cache = Cache::new(8, Duration::from_secs(3600));
        (0..100).for_each(|key| fill(&cache, key));
        assert!(cache.lock().entries.len() <= 8);
        assert_eq!(cache.find(&99).ok(), Some(99));
    }

    #[test]
    fn an_old_entry_is_a_miss() {
        let cache = Cache::new(8, Duration::ZERO);
        fill(&cache, 1);
        assert!(cache.find(&1).is_err());
        cache.prune();
        assert!(cache.lock().entries.is_empty());
    }

    #[test]
    fn a_value_read_before_a_change_is_not_kept_after_it() {
        let cache = Cache::new(8, Duration::from_secs(3600));
        let Err(miss) = cache.find(&1) else { panic!("the cache is empty") };
        cache.remove(&1);
        cache.fill(miss, 1, 1);
        assert!(cache.find(&1).is_err());
    }
}
