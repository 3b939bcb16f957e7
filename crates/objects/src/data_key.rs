//! Data keys of a bucket, kept for minutes: Bucket Keys, and the service key's data keys of SSE-S3.
//!
//! A Bucket Key spares a KMS call for each object (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html>). As
//! with AWS each requester gets an own one. Unlike there, whether the requester may use the KMS key is decided at each use: a key that
//! is disabled, a grant that is revoked and a policy that changed are noticed by the very next request.

use crate::bucket::Bucket;
use crate::encryption::ARN_CONTEXT;
use crate::error::Error;
use bytes::Bytes;
use keys::{Keys, Principal};
use seal::SecretKey;
use seal::context::EncryptionContext;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A data key with the name of the key that wrapped it.
#[derive(Clone)]
pub(crate) struct Named {
    pub(crate) key_arn: String,
    pub(crate) plaintext: Arc<SecretKey>,
    pub(crate) blob: Bytes,
}

impl From<keys::DataKey> for Named {
    fn from(key: keys::DataKey) -> Named {
        Named { key_arn: key.key_arn, plaintext: Arc::new(key.plaintext), blob: key.blob.into() }
    }
}

/// What wraps new object keys, and what opened stored ones.
pub(crate) struct DataKeys {
    service: Cache<[u8; 16], (Arc<SecretKey>, Bytes)>,
    bucket: Cache<BucketUse, Named>,
    opened_service: Cache<([u8; 16], Bytes), Arc<SecretKey>>,
    opened_bucket: Cache<([u8; 16], String, Bytes), Arc<SecretKey>>,
}

/// Whose Bucket Key: bucket, principal, key as named, context.
#[derive(Clone, PartialEq, Eq, Hash)]
struct BucketUse {
    bucket: [u8; 16],
    principal: String,
    key: String,
    context: EncryptionContext,
}

impl DataKeys {
    pub(crate) fn new() -> DataKeys {
        DataKeys {
            service: Cache::new(),
            bucket: Cache::new(),
            opened_service: Cache::new(),
            opened_bucket: Cache::new(),
        }
    }

    /// The service key's data key of a bucket, for new objects.
    pub(crate) async fn service(&self, keys: &Keys, bucket: &Bucket) -> Result<(Arc<SecretKey>, Bytes), Error> {
        if let Some(found) = self.service.find(&bucket.id) {
            return Ok(found);
        }
        let made = keys.service_data_key(&service_context(bucket)).await?;
        let made = (Arc::new(made.plaintext), Bytes::from(made.blob));
        self.service.keep(bucket.id, made.clone());
        self.opened_service.keep((bucket.id, made.1.clone()), Arc::clone(&made.0));
        Ok(made)
    }

    /// A Bucket Key for new objects.
    pub(crate) async fn bucket(
        &self,
        keys: &Keys,
        principal: &Principal,
        bucket: &Bucket,
        key: &str,
        context: &EncryptionContext,
    ) -> Result<Named, Error> {
        let wanted = BucketUse {
            bucket: bucket.id,
            principal: principal.arn.clone(),
            key: key.to_owned(),
            context: context.clone(),
        };
        if let Some(found) = self.bucket.find(&wanted)
            && keys.may_use(principal, key, true, context).await? == found.key_arn
        {
            return Ok(found);
        }
        let made: Named = keys.data_key(principal, key, context).await?.into();
        self.bucket.keep(wanted, made.clone());
        Ok(made)
    }

    /// Opens the service key's data key that a record names.
    pub(crate) async fn open_service(
        &self,
        keys: &Keys,
        bucket: &Bucket,
        blob: &Bytes,
    ) -> Result<Arc<SecretKey>, Error> {
        let wanted = (bucket.id, blob.clone());
        if let Some(found) = self.opened_service.find(&wanted) {
            return Ok(found);
        }
        let opened = Arc::new(keys.open_service_data_key(blob, &service_context(bucket)).await.map_err(stored)?);
        self.opened_service.keep(wanted, Arc::clone(&opened));
        Ok(opened)
    }

    /// Opens the Bucket Key that a record names, as `principal`.
    pub(crate) async fn open_bucket(
        &self,
        keys: &Keys,
        principal: &Principal,
        bucket: &Bucket,
        key_arn: &str,
        blob: &Bytes,
        context: &EncryptionContext,
    ) -> Result<Arc<SecretKey>, Error> {
        let wanted = (bucket.id, principal.arn.clone(), blob.clone());
        if let Some(found) = self.opened_bucket.find(&wanted) {
            keys.may_use(principal, key_arn, false, context).await?;
            return Ok(found);
        }
        let opened = Arc::new(keys.decrypt_data_key(principal, key_arn, blob, context).await.map_err(stored)?);
        self.opened_bucket.keep(wanted, Arc::clone(&opened));
        Ok(opened)
    }
}

/// A failure to open a data key that a record names. That it does not open at all is damage, not the client's doing.
pub(crate) fn stored(error: keys::Error) -> Error {
    match error {
        keys::Error::InvalidCiphertext(_) | keys::Error::IncorrectKey(_) => {
            tracing::error!(
                "a stored data key does not open under its key and context: its record is damaged or moved"
            );
            Error::DamagedObject
        }
        other => other.into(),
    }
}

fn service_context(bucket: &Bucket) -> EncryptionContext {
    let mut context = EncryptionContext::new();
    context.insert(ARN_CONTEXT, bucket.name.arn()).expect("one ARN is far below the limits");
    context
}

/// A bounded map of young values.
struct Cache<K, V>(Mutex<HashMap<K, Kept<V>>>);

struct Kept<V> {
    value: V,
    since: Instant,
    uses: u64,
}

impl<K: Eq + Hash, V: Clone> Cache<K, V> {
    fn new() -> Cache<K, V> {
        Cache(Mutex::new(HashMap::new()))
    }

    /// A value that is young and not worn out.
    fn find(&self, key: &K) -> Option<V> {
        let mut kept = self.lock();
        let entry = kept.get_mut(key)?;
        if entry.since.elapsed() >= LIFETIME || entry.uses >= USES {
            kept.remove(key);
            return None;
        }
        entry.uses += 1;
        Some(entry.value.clone())
    }

    fn keep(&self, key: K, value: V) {
        let mut kept = self.lock();
        if kept.len() >= ENTRIES {
            kept.retain(|_, entry| entry.since.elapsed() < LIFETIME);
        }
        if kept.len() >= ENTRIES {
            // All are young: anything that goes costs one call to get back, so which one does not matter.
            kept.clear();
        }
        kept.insert(key, Kept { value, since: Instant::now(), uses: 1 });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Kept<V>>> {
        // No code that holds the lock can leave the map half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// "Cached minutes": how long a data key lies open in memory.
const LIFETIME: Duration = Duration::from_secs(300);
/// Objects under one data key. Each derives a key of its own from it, so this bounds what one leaked data key opens, no more.
const USES: u64 = 1 << 20;
/// Entries of one cache; about 500 bytes each.
const ENTRIES: usize = 4_096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_is_bounded() {
        let cache = Cache::new();
        for number in 0..3 * ENTRIES {
            cache.keep(number, number);
            assert_eq!(cache.find(&number), Some(number));
        }
        assert!(cache.lock().len() <= ENTRIES);
    }
}
