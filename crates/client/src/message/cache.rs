//! Data keys that serve several messages, within limits
//! ([specification](https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/framework/caching-cmm.md)).

use super::header::EncryptedDataKey;
use super::materials::{DecryptionMaterials, DecryptionRequest, EncryptionMaterials, EncryptionRequest, Materials};
use super::suite::{Derivation, Suite};
use crate::context::EncryptionContext;
use crate::error::{Error, Result};
use aws_lc_rs::digest::{self, SHA384};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The most messages that one data key may encrypt: message ids are random, and after 2^32 of them two may be the same.
const MOST_MESSAGES: u64 = 1 << 32;

/// How long, and for how much, a data key may serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheLimits {
    /// Time from its making (or first opening).
    pub age: Duration,
    /// Messages that it may encrypt; 2^32 at most.
    pub messages: u64,
    /// Bytes of plaintext that it may encrypt.
    pub bytes: u64,
    /// Data keys that are kept; beyond it the one goes that was not used for longest.
    pub entries: usize,
}

/// Data keys of a keyring, kept for a while: one call to KMS for many messages, at the price that they share a data key.
///
/// Each message still has a key of its own, derived from the data key and its id; so suites without derivation are never cached. Nor is
/// an encryption whose length is not told beforehand with
/// [`Encryptor::plaintext_length`](super::Encryptor::plaintext_length), since it could not be counted.
///
/// A data key that is too old is wiped when the cache is next used, for whatever message; if it is not used any more, with it or by
/// [`Cache::clear`].
///
/// Wrapped keys that do not open, and headers that are forged, leave nothing in it: an entry is found by suite, context and wrapped
/// keys together.
///
/// ```
/// use client::keys::AesKey;
/// use client::message::{Cache, CacheLimits, Decryptor, Encryptor, RawAes};
/// use std::time::Duration;
///
/// let keyring = RawAes::new("example", "key 1", AesKey::generate()?)?;
/// let limits = CacheLimits { age: Duration::from_secs(300), messages: 100, bytes: 1 << 30, entries: 10 };
/// let cache = Cache::new(keyring, limits)?;
///
/// let (one, two) = (Encryptor::new(&cache).encrypt(b"one")?, Encryptor::new(&cache).encrypt(b"two")?);
/// assert_eq!(cache.hits(), 1);
/// assert_eq!(&Decryptor::new(&cache).decrypt(&two)?.plaintext[..], b"two");
/// # let _ = one;
/// # Ok::<(), client::Error>(())
/// ```
pub struct Cache<M> {
    inner: M,
    limits: CacheLimits,
    now: fn() -> Instant,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    entries: HashMap<[u8; 48], Entry>,
    /// Counts uses, for who was used last.
    clock: u64,
    /// No entry is too old before.
    expiry: Option<Instant>,
    hits: u64,
}

impl State {
    /// Drops, and wipes, what is too old. All entries are looked through only where one of them may be.
    fn sweep(&mut self, now: Instant, age: Duration) {
        if self.expiry.is_none_or(|expiry| now < expiry) {
            return;
        }
        self.entries.retain(|_, entry| now.saturating_duration_since(entry.made) < age);
        self.expiry = self.entries.values().filter_map(|entry| entry.made.checked_add(age)).min();
    }
}

struct Entry {
    kept: Kept,
    made: Instant,
    used: u64,
    messages: u64,
    bytes: u64,
}

#[derive(Clone)]
enum Kept {
    Encryption(EncryptionMaterials),
    Decryption(DecryptionMaterials),
}

impl<M: Materials> Cache<M> {
    /// Over a keyring.
    ///
    /// # Errors
    /// [`Error::Setting`] for limits that keep nothing, or more messages than 2^32.
    pub fn new(keyring: M, limits: CacheLimits) -> Result<Self> {
        Self::with_clock(keyring, limits, Instant::now)
    }

    fn with_clock(inner: M, limits: CacheLimits, now: fn() -> Instant) -> Result<Self> {
        if limits.age.is_zero() || limits.messages == 0 || limits.entries == 0 {
            return Err(Error::Setting("a cache needs an age, messages and entries above zero"));
        }
        if limits.messages > MOST_MESSAGES {
            return Err(Error::Setting("a data key may encrypt 2^32 messages at most"));
        }
        Ok(Self { inner, limits, now, state: Mutex::default() })
    }

    /// How often a data key was found.
    pub fn hits(&self) -> u64 {
        self.state().hits
    }

    /// Forgets, and wipes, all data keys.
    pub fn clear(&self) {
        self.state().entries.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held; and what it holds would be whole if it did.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is kept under this id, if it may still serve for so many messages and bytes.
    fn find(&self, id: &[u8; 48], messages: u64, bytes: u64) -> Option<Kept> {
        let now = (self.now)();
        let mut state = self.state();
        state.sweep(now, self.limits.age);
        state.clock += 1;
        let clock = state.clock;
        let entry = state.entries.get_mut(id)?;
        let after = (entry.messages.saturating_add(messages), entry.bytes.saturating_add(bytes));
        if after.0 > self.limits.messages || after.1 > self.limits.bytes {
            state.entries.remove(id);
            return None;
        }
        (entry.messages, entry.bytes) = after;
        entry.used = clock;
        let kept = entry.kept.clone();
        state.hits += 1;
        Some(kept)
    }

    fn keep(&self, id: [u8; 48], kept: Kept, messages: u64, bytes: u64) {
        let made = (self.now)();
        let mut state = self.state();
        state.sweep(made, self.limits.age);
        state.expiry = [state.expiry, made.checked_add(self.limits.age)].into_iter().flatten().min();
        state.clock += 1;
        let used = state.clock;
        if state.entries.len() >= self.limits.entries && !state.entries.contains_key(&id) {
            let oldest = state.entries.iter().min_by_key(|(_, entry)| entry.used).map(|(id, _)| *id);
            oldest.and_then(|oldest| state.entries.remove(&oldest));
        }
        state.entries.insert(id, Entry { kept, made, used, messages, bytes });
    }
}

impl<M: Materials> Materials for Cache<M> {
    fn encryption(&self, request: &EncryptionRequest<'_>) -> Result<EncryptionMaterials> {
        let Some(bytes) =
            request.plaintext_length.filter(|bytes| cacheable(request.suite) && *bytes <= self.limits.bytes)
        else {
            return self.inner.encryption(request);
        };
        let id = encryption_id(request.suite, request.context)?;
        if let Some(Kept::Encryption(materials)) = self.find(&id, 1, bytes) {
            return Ok(materials);
        }
        let materials = self.inner.encryption(request)?;
        self.keep(id, Kept::Encryption(materials.clone()), 1, bytes);
        Ok(materials)
    }

    fn decryption(&self, request: &DecryptionRequest<'_>) -> Result<DecryptionMaterials> {
        if !cacheable(request.suite) {
            return self.inner.decryption(request);
        }
        let id = decryption_id(request.suite, request.context, request.keys)?;
        if let Some(Kept::Decryption(materials)) = self.find(&id, 0, 0) {
            return Ok(materials);
        }
        let materials = self.inner.decryption(request)?;
        self.keep(id, Kept::Decryption(materials.clone()), 0, 0);
        Ok(materials)
    }
}

impl<M: Materials> Materials for &Cache<M> {
    fn encryption(&self, request: &EncryptionRequest<'_>) -> Result<EncryptionMaterials> {
        (**self).encryption(request)
    }

    fn decryption(&self, request: &DecryptionRequest<'_>) -> Result<DecryptionMaterials> {
        (**self).decryption(request)
    }
}

impl<M: Materials> Materials for Arc<Cache<M>> {
    fn encryption(&self, request: &EncryptionRequest<'_>) -> Result<EncryptionMaterials> {
        (**self).encryption(request)
    }

    fn decryption(&self, request: &DecryptionRequest<'_>) -> Result<DecryptionMaterials> {
        (**self).decryption(request)
    }
}

/// Only a suite that derives a key for each message may give several the same data key.
fn cacheable(suite: Suite) -> bool {
    suite.derivation() != Derivation::Identity
}

const ENCRYPT: u8 = 1;
const DECRYPT: u8 = 2;

fn encryption_id(suite: Suite, context: &EncryptionContext) -> Result<[u8; 48]> {
    Ok(hash(&[&[ENCRYPT], &suite.id().to_be_bytes(), &context.serialize()?]))
}

fn decryption_id(suite: Suite, context: &EncryptionContext, keys: &[EncryptedDataKey]) -> Result<[u8; 48]> {
    let mut keys = keys.iter().map(EncryptedDataKey::serialize).collect::<Result<Vec<_>>>()?;
    keys.sort_unstable();
    Ok(hash(&[&[DECRYPT], &suite.id().to_be_bytes(), &keys.concat(), &context.serialize()?]))
}

/// SHA-384 over parts, each after its length.
fn hash(parts: &[&[u8]]) -> [u8; 48] {
    let mut hash = digest::Context::new(&SHA384);
    for part in parts {
        hash.update(&part.len().to_be_bytes());
        hash.update(part);
    }
    hash.finish().as_ref().try_into().expect("SHA-384 has 48 bytes")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use crate::keys::AesKey;
    use crate::message::{Encryptor, RawAes};
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);
    static SECONDS: AtomicU64 = AtomicU64::new(0);

    fn clock() -> Instant {
        *BEGIN + Duration::from_secs(SECONDS.load(Ordering::Relaxed))
    }

    #[test]
    fn a_data_key_serves_no_longer_than_its_age_however_often_it_is_used() {
        let keyring = RawAes::new("x", "y", AesKey::generate().unwrap()).unwrap();
        let limits = CacheLimits { age: Duration::from_secs(10), messages: 100, bytes: 1000, entries: 10 };
        let cache = Cache::with_clock(keyring, limits, clock).unwrap();
        for (second, hits) in [(0, 0), (4, 1), (9, 2), (10, 2), (19, 3), (20, 3)] {
            SECONDS.store(second, Ordering::Relaxed);
            Encryptor::new(&cache).encrypt(b"text").unwrap();
            assert_eq!(cache.hits(), hits, "second {second}");
        }
    }

    static LATER: AtomicU64 = AtomicU64::new(0);

    #[test]
    fn a_data_key_that_is_too_old_is_dropped_whatever_the_cache_is_used_for() {
        let keyring = RawAes::new("x", "y", AesKey::generate().unwrap()).unwrap();
        let limits = CacheLimits { age: Duration::from_secs(10), messages: 100, bytes: 1000, entries: 10 };
        let clock = || *BEGIN + Duration::from_secs(LATER.load(Ordering::Relaxed));
        let cache = Cache::with_clock(keyring, limits, clock).unwrap();
        let seal = |context: &str, second| {
            LATER.store(second, Ordering::Relaxed);
            Encryptor::new(&cache).context([("of", context)]).encrypt(b"text").unwrap();
            cache.state().entries.len()
        };
        assert_eq!([seal("a", 0), seal("b", 4), seal("b", 9)], [1, 2, 2]);
        assert_eq!([seal("b", 10), seal("b", 13), seal("c", 14), seal("d", 24)], [1, 1, 1, 1]);
    }
}
