//! The one value that holds the domain together.

use crate::bucket::BlockedTypes;
use crate::error::Error;
use keys::{Keys, Region};
use std::sync::Arc;
use std::time::SystemTime;

/// Tells the time; tests put their own in.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

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
    /// Objects of up to that many plaintext bytes lie in their record.
    pub inline_limit: usize,
    /// `BlockedEncryptionTypes` of new buckets. AWS's own default blocks SSE-C.
    pub blocked_by_default: BlockedTypes,
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
}

/// The system's clock.
pub fn system_clock() -> Clock {
    Arc::new(SystemTime::now)
}

impl Objects {
    /// Opens the domain over its dependencies. Needs a tokio runtime: one background task deletes blobs that were replaced.
    pub fn open(dependencies: Dependencies, settings: Settings) -> Result<Arc<Objects>, Error> {
        todo!()
    }

    /// Waits until the background queue is empty, at most for a few seconds; what is left is for the sweep.
    pub async fn close(&self) {
        todo!()
    }

    /// What the operator chose.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
}
