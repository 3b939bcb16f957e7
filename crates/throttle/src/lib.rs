//! Token buckets: who may do something how often. In bounded memory, whoever asks.
//!
//! A bucket is one number, its *theoretical arrival time* (the generic cell rate algorithm, ITU-T I.371): the moment at which it is
//! full again. It is never refilled by anybody, and once that moment is past it says nothing more than a bucket that is not there, so
//! it can be dropped at any time.
//!
//! ```
//! use std::time::{Duration, Instant};
//! use throttle::{Buckets, Rate};
//!
//! let (buckets, start) = (Buckets::new(1_000), Instant::now());
//! let rate = Rate::per_second(2.0);
//! assert!(buckets.take(&"alice", rate, start).is_ok() && buckets.take(&"alice", rate, start).is_ok());
//! assert_eq!(buckets.take(&"alice", rate, start), Err(Duration::from_millis(500)));
//! assert!(buckets.take(&"bob", rate, start).is_ok());
//! assert!(buckets.take(&"alice", rate, start + Duration::from_millis(500)).is_ok());
//! ```

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How fast a bucket fills, and how much it holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    /// Nanoseconds until there is one token more.
    interval: u64,
    /// Nanoseconds until an empty bucket is full.
    full: u64,
}

impl Rate {
    /// So many a second, and as many at once: the tokens of one second, at least one. From 0.000001 to 1,000,000,000.
    #[must_use]
    pub fn per_second(rate: f64) -> Rate {
        let interval = Duration::from_secs_f64(1.0 / rate.clamp(1e-6, 1e9));
        let interval = nanos(interval).max(1);
        Rate { interval, full: interval.max(SECOND) }
    }

    /// One each `interval`, and `burst` at once.
    #[must_use]
    pub fn every(interval: Duration, burst: u32) -> Rate {
        let interval = nanos(interval).max(1);
        Rate { interval, full: interval.saturating_mul(u64::from(burst.max(1))) }
    }
}

/// A bucket for each key that is asked about. A key is its hash, of 64 bits under a random function (SipHash): two that meet, which
/// nobody can bring about, share a bucket.
pub struct Buckets {
    shards: Box<[Mutex<HashMap<u64, u64>>]>,
    /// Buckets of a shard at most.
    room: usize,
    hasher: RandomState,
    start: Instant,
}

impl Buckets {
    /// At most about `room` buckets at once, 16 bytes each and the table's. Beyond, those are given up first that are nearest to full.
    #[must_use]
    pub fn new(room: usize) -> Buckets {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Buckets { shards, room: room.div_ceil(SHARDS).max(1), hasher: RandomState::new(), start: Instant::now() }
    }

    /// Takes one token.
    ///
    /// # Errors
    /// There is none: how long until there is one. Nothing is taken then.
    pub fn take(&self, key: &impl Hash, rate: Rate, now: Instant) -> Result<(), Duration> {
        self.take_halves(key, rate, 2, now)
    }

    /// Takes `halves` of half a token.
    ///
    /// # Errors
    /// As [`Buckets::take`].
    pub fn take_halves(&self, key: &impl Hash, rate: Rate, halves: u32, now: Instant) -> Result<(), Duration> {
        let (key, now) = (self.hasher.hash_one(key), self.nanos(now));
        let cost = rate.interval.saturating_mul(u64::from(halves)) / 2;
        let mut shard = self.shard(key);
        let next = shard.get(&key).map_or(now, |full_at| (*full_at).max(now)).saturating_add(cost);
        // What costs more than a bucket holds is let through when it is full.
        let latest = now.saturating_add(rate.full.max(cost));
        if next > latest {
            return Err(Duration::from_nanos(next - latest));
        }
        self.put(&mut shard, key, next, now);
        Ok(())
    }

    /// Takes one token whether there is one or not, and tells by how many too many were taken; `most` at most, which is then how long
    /// the past is held against somebody.
    pub fn overdraw(&self, key: &impl Hash, rate: Rate, most: u32, now: Instant) -> u32 {
        let (key, now) = (self.hasher.hash_one(key), self.nanos(now));
        let mut shard = self.shard(key);
        let next = shard.get(&key).map_or(now, |full_at| (*full_at).max(now)).saturating_add(rate.interval);
        let empty = now.saturating_add(rate.full);
        let next = next.min(empty.saturating_add(rate.interval.saturating_mul(u64::from(most))));
        self.put(&mut shard, key, next, now);
        u32::try_from(next.saturating_sub(empty).div_ceil(rate.interval)).unwrap_or(most).min(most)
    }

    /// Puts back a token that was taken.
    pub fn give_back(&self, key: &impl Hash, rate: Rate, now: Instant) {
        let (key, now) = (self.hasher.hash_one(key), self.nanos(now));
        let mut shard = self.shard(key);
        if let Some(full_at) = shard.get_mut(&key) {
            *full_at = full_at.saturating_sub(rate.interval);
            if *full_at <= now {
                shard.remove(&key);
            }
        }
    }

    fn put(&self, shard: &mut HashMap<u64, u64>, key: u64, full_at: u64, now: u64) {
        if shard.len() >= self.room && !shard.contains_key(&key) {
            shard.retain(|_, full_at| *full_at > now);
            if shard.len() >= self.room {
                // The half with the least in it stays, so that this is not done for every newcomer.
                let mut all: Vec<u64> = shard.values().copied().collect();
                let middle = all.len() / 2;
                let (_, median, _) = all.select_nth_unstable(middle);
                let median = *median;
                shard.retain(|_, full_at| *full_at > median);
            }
        }
        shard.insert(key, full_at);
    }

    fn shard(&self, key: u64) -> MutexGuard<'_, HashMap<u64, u64>> {
        let index = usize::try_from(key % SHARDS as u64).unwrap_or(0);
        self.shards[index].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A moment before the first is the first.
    fn nanos(&self, now: Instant) -> u64 {
        nanos(now.saturating_duration_since(self.start))
    }
}

impl std::fmt::Debug for Buckets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Buckets").field("room", &(self.room * SHARDS)).finish_non_exhaustive()
    }
}

/// 584 years fit.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

const SECOND: u64 = 1_000_000_000;
/// So that threads rarely wait for each other.
const SHARDS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn count(buckets: &Buckets) -> usize {
        buckets.shards.iter().map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner).len()).sum()
    }

    #[test]
    fn what_is_given_back_can_be_taken_again() {
        let (buckets, now) = (Buckets::new(100), Instant::now());
        let rate = Rate::every(Duration::from_secs(1), 2);
        for _ in 0..10 {
            assert!(buckets.take(&1, rate, now).is_ok());
            buckets.give_back(&1, rate, now);
        }
        assert!(buckets.take(&1, rate, now).is_ok() && buckets.take(&1, rate, now).is_ok());
        assert!(buckets.take(&1, rate, now).is_err());
        for _ in 0..10 {
            buckets.give_back(&1, rate, now);
        }
        assert!(buckets.take(&1, rate, now).is_ok() && buckets.take(&1, rate, now).is_ok());
        assert!(buckets.take(&1, rate, now).is_err(), "nobody gives back more than was taken");
    }

    #[test]
    fn a_rate_holds_over_any_time() {
        let buckets = Buckets::new(1_000);
        let start = Instant::now();
        for rate in [1.0_f64, 5.0, 1_000.0] {
            let mut taken = 0_u32;
            for millisecond in 0..10_000 {
                for _ in 0..3 {
                    let now = start + Duration::from_millis(millisecond);
                    taken += u32::from(buckets.take(&rate.to_bits(), Rate::per_second(rate), now).is_ok());
                }
            }
            // Ten seconds' worth, and what was in the bucket.
            let expected = rate * 11.0;
            let off = (f64::from(taken) - expected).abs();
            assert!(off <= 1.0, "{taken} of {expected}");
        }
    }

    #[test]
    fn halves_make_wholes_and_what_is_refused_costs_nothing() {
        let (buckets, now, rate) = (Buckets::new(10), Instant::now(), Rate::per_second(2.0));
        for _ in 0..4 {
            assert!(buckets.take_halves(&1, rate, 1, now).is_ok());
        }
        for _ in 0..100 {
            assert_eq!(buckets.take_halves(&1, rate, 1, now), Err(Duration::from_millis(250)));
        }
        assert!(buckets.take_halves(&1, rate, 1, now + Duration::from_millis(250)).is_ok());
        assert!(
            buckets.take_halves(&2, Rate::per_second(1.0), 4, now).is_ok(),
            "more than a bucket holds, from a full one"
        );
        assert!(buckets.take_halves(&2, Rate::per_second(1.0), 4, now).is_err());
    }

    #[test]
    fn what_is_overdrawn_is_told_and_forgiven() {
        let (buckets, now, rate) = (Buckets::new(10), Instant::now(), Rate::every(Duration::from_secs(3), 20));
        let excess: Vec<u32> = (0..30).map(|_| buckets.overdraw(&"source", rate, 8, now)).collect();
        assert_eq!(excess[..20], [0; 20]);
        assert_eq!(excess[20..], [1, 2, 3, 4, 5, 6, 7, 8, 8, 8]);
        assert_eq!(buckets.overdraw(&"source", rate, 8, now + Duration::from_secs(24)), 1);
        assert_eq!(buckets.overdraw(&"source", rate, 8, now + Duration::from_secs(1_000)), 0);
    }

    #[test]
    fn memory_is_bounded_and_debtors_are_remembered() {
        let (buckets, now, rate) = (Buckets::new(640), Instant::now(), Rate::every(Duration::from_secs(1), 2));
        let later = now + Duration::from_millis(1);
        for _ in 0..50 {
            buckets.overdraw(&"attacker", rate, 100, now);
        }
        for key in 0..100_000_u32 {
            let _ = buckets.take(&key, rate, later);
        }
        assert!(count(&buckets) <= 64 * 11, "{}", count(&buckets));
        assert!(buckets.take(&"attacker", rate, later).is_err());
    }
}
