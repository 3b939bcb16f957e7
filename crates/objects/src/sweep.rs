//! The sweep: files that no record names are deleted.

use crate::error::Error;
use crate::objects::Objects;
use std::time::Duration;

/// What a sweep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SweepReport {
    /// Files looked at.
    pub examined: u64,
    /// Files deleted.
    pub deleted: u64,
    /// Bytes that came free.
    pub bytes: u64,
}

impl Objects {
    /// Deletes every blob older than `grace` that has no row in table `Blob`, or whose owner no longer names it.
    pub async fn sweep(&self, grace: Duration) -> Result<SweepReport, Error> {
        todo!()
    }
}
