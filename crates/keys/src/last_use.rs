//! The last cryptographic operation of each key that succeeded: kept in memory, where noting one costs less than a microsecond's
//! tenth, and written by `tick` and when the server stops, so that no use of a key waits for a commit. Of a process that is
//! killed, the uses since its last `tick` are not remembered.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use meta::Transaction;
use uuid::Uuid;

use crate::Keys;
use crate::access::Action;
use crate::codec::{Decoder, Encoder};
use crate::error::Error;
use crate::identifier::KeyId;
use crate::limits::LAST_USE_BATCH;
use crate::request;
use crate::vault::{Key, Vault};
use crate::wire::Timestamp;

/// The last use of a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct LastUse {
    pub(crate) at: Timestamp,
    /// Its name in the service model: `KeyLastUsageTrackingOperation`.
    pub(crate) operation: &'static str,
    /// None of what no client's request asked for.
    pub(crate) request: Option<Uuid>,
    /// The event in the audit log that tells of it.
    pub(crate) event: Option<Uuid>,
}

/// What was not written yet, of one Region. No more entries than keys were used since: 100 bytes for each.
pub(crate) struct LastUses {
    shards: [Mutex<HashMap<KeyId, LastUse>>; SHARDS],
}

/// Two requests at once rarely want one of so many locks, unless they use one key.
const SHARDS: usize = 16;

impl LastUses {
    pub(crate) fn new() -> Self {
        Self { shards: std::array::from_fn(|_| Mutex::default()) }
    }

    fn note(&self, key: KeyId, last: LastUse) {
        self.shard(key).insert(key, last);
    }

    fn find(&self, key: KeyId) -> Option<LastUse> {
        self.shard(key).get(&key).copied()
    }

    /// Forgets a use that was written, unless the key was used again.
    fn written(&self, key: KeyId, last: LastUse) {
        let mut shard = self.shard(key);
        if shard.get(&key) == Some(&last) {
            shard.remove(&key);
        }
    }

    /// Forgets a key that is gone.
    pub(crate) fn forget(&self, key: KeyId) {
        self.shard(key).remove(&key);
    }

    /// Everything that is not written.
    fn pending(&self) -> Vec<(KeyId, LastUse)> {
        self.shards
            .iter()
            .flat_map(|shard| lock(shard).iter().map(|(key, last)| (*key, *last)).collect::<Vec<_>>())
            .collect()
    }

    fn shard(&self, key: KeyId) -> MutexGuard<'_, HashMap<KeyId, LastUse>> {
        // The last byte of an id is random in every version of UUIDs that ids have.
        lock(&self.shards[usize::from(key.as_bytes()[KeyId::LEN - 1]) % SHARDS])
    }
}

fn lock(shard: &Mutex<HashMap<KeyId, LastUse>>) -> MutexGuard<'_, HashMap<KeyId, LastUse>> {
    // Every change under the lock is one map operation: a panic leaves the map whole.
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl LastUse {
    fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::new(LAST_USE_VERSION);
        out.time(self.at);
        out.text(self.operation);
        out.option(self.request.as_ref(), |out, id| out.array(id.as_bytes()));
        out.option(self.event.as_ref(), |out, id| out.array(id.as_bytes()));
        out.finish()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (version, mut fields) = Decoder::of_versions(&[VERSION, LAST_USE_VERSION], bytes)?;
        let at = fields.time()?;
        let name = fields.text()?;
        let operation = OPERATIONS.iter().copied().find(|operation| *operation == name)?;
        let request = fields.option(|fields| Some(Uuid::from_bytes(fields.array()?)))?;
        let event = match version {
            VERSION => None,
            _ => fields.option(|fields| Some(Uuid::from_bytes(fields.array()?)))?,
        };
        fields.finish()?;
        Some(Self { at, operation, request, event })
    }
}

impl Keys {
    /// Notes that a cryptographic operation has succeeded. To be called at its very end.
    pub(crate) fn used(&self, key: &Key, action: Action) {
        self.used_in(key, action, request::event());
    }

    /// The same, where the use has an event of its own in the audit log.
    pub(crate) fn used_in(&self, key: &Key, action: Action, event: Option<Uuid>) {
        let last = LastUse { at: self.now(), operation: action.operation(), request: request::current(), event };
        self.vault.uses.note(key.id, last);
    }

    /// The last use of a key, whether it is written or not.
    pub(crate) async fn last_use(&self, key: KeyId) -> Result<Option<LastUse>, Error> {
        let stored = self.vault.read(&self.vault.rows.last_use(key), LastUse::decode).await?;
        let stored = stored.map(|found| found.value);
        // Another gateway over the same store may have written a later one.
        Ok(self.vault.uses.find(key).into_iter().chain(stored).max_by_key(|last| last.at))
    }

    /// Writes the last uses of all Regions. [`Keys::tick`] does it too.
    ///
    /// # Errors
    /// A failing store; what was not written is kept for the next call.
    pub async fn flush(&self) -> Result<(), Error> {
        for vault in &self.shared.vaults {
            for batch in vault.uses.pending().chunks(LAST_USE_BATCH) {
                write(vault, batch).await?;
            }
        }
        Ok(())
    }

    /// Since when uses are noted in this store. The first call sets it.
    pub(crate) async fn tracking_start(&self) -> Result<Timestamp, Error> {
        let vault = &self.shared.vaults[0];
        let place = vault.rows.tracking_start();
        loop {
            if let Some(found) = vault.read(&place, decode_start).await? {
                return Ok(found.value);
            }
            let mut out = Encoder::new(VERSION);
            out.time(self.now());
            let transaction = Transaction::new().expect_absent(place.table, &place.key);
            // Whoever commits first sets it.
            vault.commit(vault.put(transaction, &place, &out.finish())).await?;
        }
    }
}

/// Writes the last uses of keys that stand, all in one commit.
async fn write(vault: &Vault, batch: &[(KeyId, LastUse)]) -> Result<(), Error> {
    let mut transaction = Transaction::new();
    for &(id, last) in batch {
        let place = vault.rows.last_use(id);
        let stored = vault.read(&place, LastUse::decode).await?;
        let later = stored.is_some_and(|stored| stored.value.at >= last.at);
        if later || vault.key(id).await?.is_none() {
            vault.uses.written(id, last);
            continue;
        }
        let key = vault.rows.key(id);
        // Nothing about a key shall outlive it.
        transaction = transaction.expect_present(key.table, &key.key);
        transaction = vault.put(transaction, &place, &last.encode());
    }
    // If a key of the batch was destroyed just now, the next call writes the others.
    if !transaction.writes.is_empty() && vault.commit(transaction).await? {
        batch.iter().for_each(|&(id, last)| vault.uses.written(id, last));
    }
    Ok(())
}

fn decode_start(bytes: &[u8]) -> Option<Timestamp> {
    let mut fields = Decoder::new(VERSION, bytes)?;
    let at = fields.time()?;
    fields.finish()?;
    Some(at)
}

/// Of the rows' format: docs/formats/key-records.md.
const VERSION: u8 = 1;
/// Of last uses since they tell their event.
const LAST_USE_VERSION: u8 = 2;

/// `KeyLastUsageTrackingOperation` of the service model.
const OPERATIONS: [&str; 14] = [
    "Decrypt",
    "DeriveSharedSecret",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateMac",
    "ReEncrypt",
    "Sign",
    "Verify",
    "VerifyMac",
    "Encapsulate",
    "Decapsulate",
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn a_last_use_is_read_as_it_was_written() {
        for operation in OPERATIONS {
            for request in [None, Some(Uuid::new_v4())] {
                let last = LastUse { at: Timestamp::from_millis(7), operation, request, event: request };
                assert_eq!(LastUse::decode(&last.encode()), Some(last));
            }
        }
        let other = LastUse { at: Timestamp::from_millis(7), operation: "DescribeKey", request: None, event: None };
        assert_eq!(LastUse::decode(&other.encode()), None);
    }

    #[test]
    fn a_use_during_the_writing_of_the_one_before_is_not_lost() {
        let (uses, key) = (LastUses::new(), KeyId::generate());
        let last = |at| LastUse { at: Timestamp::from_millis(at), operation: "Encrypt", request: None, event: None };
        uses.note(key, last(1));
        assert_eq!(uses.pending(), [(key, last(1))]);
        uses.note(key, last(2));
        uses.written(key, last(1));
        assert_eq!(uses.find(key), Some(last(2)));
        uses.written(key, last(2));
        assert!(uses.pending().is_empty());
    }

    /// Run with `--ignored --nocapture`.
    #[test]
    #[ignore = "a measurement"]
    #[allow(clippy::print_stdout, reason = "a measurement is to be read")]
    fn what_noting_a_use_costs() {
        let (uses, keys) = (LastUses::new(), std::array::from_fn::<_, 64, _>(|_| KeyId::generate()));
        let rounds = 1_000_000_u32;
        let started = std::time::Instant::now();
        for round in 0..rounds as usize {
            let at = Timestamp::from(std::time::SystemTime::now());
            uses.note(
                keys[round % keys.len()],
                LastUse { at, operation: "Encrypt", request: request::current(), event: request::event() },
            );
        }
        println!("{:?} a use", started.elapsed() / rounds);
    }
}
