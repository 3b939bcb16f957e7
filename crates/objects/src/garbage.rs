//! Blobs that no record names any more, deleted behind the request's back.
//!
//! The commit that replaced their record has happened, so nothing depends on this: what a full queue or a crash leaves is found
//! by the sweep.

use blob::{BlobId, Blobs};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// The way into the queue.
pub(crate) struct Garbage(mpsc::Sender<Job>);

enum Job {
    Delete(BlobId),
    Flush(oneshot::Sender<()>),
}

impl Garbage {
    /// Starts the task that deletes.
    pub(crate) fn start(blobs: Arc<dyn Blobs>) -> Garbage {
        let (sender, mut receiver) = mpsc::channel(QUEUE);
        tokio::spawn(async move {
            while let Some(job) = receiver.recv().await {
                match job {
                    Job::Delete(id) => {
                        if let Err(error) = blobs.delete(id).await {
                            tracing::warn!(%error, blob = %id, "a replaced blob could not be deleted; the sweep will try again");
                        }
                    }
                    // Nobody waits any more: fine.
                    Job::Flush(done) => drop(done.send(())),
                }
            }
        });
        Garbage(sender)
    }

    /// Queues blobs; what finds no room is left to the sweep.
    pub(crate) fn discard(&self, blobs: impl IntoIterator<Item = BlobId>) {
        for id in blobs {
            if self.0.try_send(Job::Delete(id)).is_err() {
                tracing::debug!(blob = %id, "no room to delete a replaced blob now; the sweep will");
                return;
            }
        }
    }

    /// Waits until everything queued so far is deleted, at most [`FLUSH`].
    pub(crate) async fn flush(&self) {
        let (done, wait) = oneshot::channel();
        let flush = async {
            if self.0.send(Job::Flush(done)).await.is_ok() {
                // The task is gone with its runtime: nothing to wait for.
                let _ = wait.await;
            }
        };
        let _ = tokio::time::timeout(FLUSH, flush).await;
    }
}

/// A multipart object of 10,000 parts fits several times; 17 bytes each.
const QUEUE: usize = 65_536;
/// Long enough for thousands of unlinks, short enough for a shutdown.
const FLUSH: Duration = Duration::from_secs(5);
