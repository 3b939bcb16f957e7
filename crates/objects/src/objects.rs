//! The one value that holds the domain together.

use crate::bucket::BlockedTypes;
use crate::buckets::BucketCache;
use crate::data_key::DataKeys;
use crate::error::Error;
use crate::garbage::Garbage;
use crate::in_flight::InFlight;
use crate::public_access::PublicAccessBlock;
use crate::record::{from_milliseconds, milliseconds};
use keys::{Keys, Region};
use std::sync::Arc;
use std::time::SystemTime;

/// Tells the time; tests put their own in.
pub type Clock = keys::Clock;

/// What the domain stands on.
pub struct Dependencies {
    /// Records.
    pub store: Arc<dyn meta::Store>,
    /// Blobs of ciphertext.
    pub blobs: Arc<dyn blob::Blobs>,
    /// Keys.
    pub keys: Arc<Keys>,
}

/// What an operator may choose.
pub struct Settings {
    /// Objects of up to that many plaintext bytes lie in their record. At most 4 MiB: rows are read whole.
    pub inline_limit: usize,
    /// `BlockedEncryptionTypes` of new buckets. AWS's own default blocks SSE-C.
    pub blocked_by_default: BlockedTypes,
    /// Block Public Access of new buckets. AWS's own default: all of it.
    pub public_access_by_default: Option<PublicAccessBlock>,
    /// The Region of new buckets.
    pub region: Region,
    /// The clock.
    pub clock: Clock,
}

/// Buckets and objects. Every operation of the S3 domain is a method, in the file that has its name.
pub struct Objects {
    pub(crate) store: Arc<dyn meta::Store>,
    pub(crate) blobs: Arc<dyn blob::Blobs>,
    pub(crate) keys: Arc<Keys>,
    pub(crate) settings: Settings,
    pub(crate) data_keys: DataKeys,
    pub(crate) garbage: Garbage,
    pub(crate) in_flight: InFlight,
    pub(crate) bucket_cache: BucketCache,
}

/// The system's clock.
pub fn system_clock() -> Clock {
    Arc::new(SystemTime::now)
}

impl Objects {
    /// Opens the domain over its dependencies.
    ///
    /// # Panics
    /// Outside of a tokio runtime: one background task deletes blobs that were replaced.
    pub fn open(dependencies: Dependencies, mut settings: Settings) -> Result<Arc<Objects>, Error> {
        settings.inline_limit = settings.inline_limit.min(INLINE_MAXIMUM);
        let Dependencies { store, blobs, keys } = dependencies;
        Ok(Arc::new(Objects {
            garbage: Garbage::start(Arc::clone(&blobs)),
            in_flight: InFlight::default(),
            data_keys: DataKeys::new(),
            bucket_cache: BucketCache::new(),
            store,
            blobs,
            keys,
            settings,
        }))
    }

    /// Waits until replaced blobs are deleted, at most for a few seconds; what is left is for the sweep.
    pub async fn close(&self) {
        self.garbage.flush().await;
    }

    /// What the operator chose.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Now, in whole milliseconds as records hold it.
    pub(crate) fn now(&self) -> SystemTime {
        from_milliseconds(milliseconds((self.settings.clock)()))
    }
}

/// Rows are written and read whole, and a transaction holds at most 32 MiB.
const INLINE_MAXIMUM: usize = 4 * 1024 * 1024;
