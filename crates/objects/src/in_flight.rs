//! Blobs that are being written or committed by this process, which the sweep leaves alone however old their files are.
//!
//! A client may pause in the middle of a body for longer than any grace, and the file's last change is then long ago. Its blob is
//! held from before the file is made until the commit has answered. What remains is a request that is dropped between commit
//! and answer: its file was last written to when it was finished, a moment before, and that is what the grace is for.

use blob::BlobId;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The blobs held.
#[derive(Clone, Default)]
pub(crate) struct InFlight(Arc<Mutex<HashSet<BlobId>>>);

/// Holds one blob until it is dropped.
pub(crate) struct Held {
    held: InFlight,
    id: BlobId,
}

impl InFlight {
    pub(crate) fn hold(&self, id: BlobId) -> Held {
        self.lock().insert(id);
        Held { held: self.clone(), id }
    }

    pub(crate) fn contains(&self, id: BlobId) -> bool {
        self.lock().contains(&id)
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<BlobId>> {
        // No code that holds the lock can leave the set half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.held.lock().remove(&self.id);
    }
}
