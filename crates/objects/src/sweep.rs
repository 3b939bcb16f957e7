//! The sweep: files that no record names are deleted.
//!
//! A blob is written before its record, so a crash, a dropped request or a full deletion queue leaves files without one. The
//! row of a blob is written in the same transaction as its owner and goes in the same as that, so it shows what a file is.

use crate::error::Error;
use crate::objects::Objects;
use crate::rows::{Owner, malformed};
use blob::BlobId;
use bytes::Bytes;
use meta::{Order, Range, Table, Transaction};
use std::collections::HashSet;
use std::time::{Duration, SystemTime};

/// What a sweep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SweepReport {
    /// Files looked at.
    pub examined: u64,
    /// Files deleted.
    pub deleted: u64,
    /// Bytes that came free.
    pub bytes: u64,
    /// Rows of table `Blob` dropped, whose owner does not name their blob.
    pub rows: u64,
}

/// Whether somebody needs a blob.
pub(crate) enum Standing {
    /// Its owner names it.
    Owned,
    /// Nobody does. With its row, if it has one.
    Orphan(Option<Bytes>),
    /// A damaged record is in the way: it may be needed.
    Unknown,
}

impl Objects {
    /// Deletes every blob older than `grace` that has no row in table `Blob`, or whose owner no longer names it. What cannot be
    /// told, because a record is damaged, stays.
    ///
    /// Safe beside running requests, as blobs that this process writes are held until their commit has answered. `grace` is for
    /// a commit whose request was dropped before the answer, seconds at most, and for other processes; before the first request
    /// it may be zero.
    pub async fn sweep(&self, grace: Duration) -> Result<SweepReport, Error> {
        let mut report = SweepReport::default();
        let mut after = None;
        loop {
            let entries = self.blobs.list(after, BATCH).await?;
            // Times of files are the system's, whatever clock the settings have.
            let now = SystemTime::now();
            for entry in &entries {
                report.examined += 1;
                let age = now.duration_since(entry.modified).unwrap_or(Duration::ZERO);
                if age < grace || self.in_flight.contains(entry.id) {
                    continue;
                }
                let Standing::Orphan(row) = self.standing(entry.id).await? else { continue };
                if let Some(row) = row {
                    if !self.drop_row(entry.id, row).await? {
                        continue;
                    }
                    report.rows += 1;
                }
                self.blobs.delete(entry.id).await?;
                report.deleted += 1;
                report.bytes += entry.len;
            }
            let files: HashSet<BlobId> = entries.iter().map(|entry| entry.id).collect();
            let last = entries.last().map(|entry| entry.id);
            report.rows += self.sweep_rows(after, last, &files).await?;
            if last.is_none() {
                return Ok(report);
            }
            after = last;
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Whether somebody needs a blob. To be asked only of one that is not in flight.
    pub(crate) async fn standing(&self, blob: BlobId) -> Result<Standing, Error> {
        let Some(row) = self.store.get(Table::Blob, blob.as_bytes()).await? else { return Ok(Standing::Orphan(None)) };
        let Ok(owner) = self.blob_owner(blob, &row) else { return Ok(Standing::Unknown) };
        let named = match owner {
            Owner::Object { key, data_id } => match self.store.get(Table::Object, &key).await? {
                Some(value) => self.object_record(&key, &value).map(|record| record.data_id == data_id),
                None => Ok(false),
            },
            Owner::Part { key } => match self.store.get(Table::Part, &key).await? {
                Some(value) => self.part_record(&key, &value).map(|record| record.part.blob == blob),
                None => Ok(false),
            },
        };
        Ok(match named {
            Ok(true) => Standing::Owned,
            Ok(false) => Standing::Orphan(Some(row)),
            Err(_) => Standing::Unknown,
        })
    }

    /// Opens a blob's row.
    pub(crate) fn blob_owner(&self, blob: BlobId, row: &[u8]) -> Result<Owner, Error> {
        let plaintext = self.open_row(Table::Blob, blob.as_bytes(), row)?;
        Owner::decode(&plaintext).map_err(|error| malformed(Table::Blob, blob.as_bytes(), error))
    }

    /// Drops the rows after `after` and up to `last` that have no file and that no owner names. One that an owner names is for
    /// the scrub to report.
    async fn sweep_rows(
        &self,
        after: Option<BlobId>,
        last: Option<BlobId>,
        files: &HashSet<BlobId>,
    ) -> Result<u64, Error> {
        let mut range = Range::all();
        if let Some(after) = after {
            range = range.after(after.as_bytes());
        }
        if let Some(last) = last {
            range.end = std::ops::Bound::Included(last.as_bytes().to_vec());
        }
        let mut dropped = 0;
        loop {
            let rows = self.store.scan(Table::Blob, &range, Order::Ascending, BATCH).await?;
            for row in &rows {
                let Ok(id) = <[u8; 16]>::try_from(&row.key[..]) else { continue };
                let id = BlobId::from_bytes(id);
                if files.contains(&id) {
                    continue;
                }
                if let Standing::Orphan(Some(row)) = self.standing(id).await? {
                    dropped += u64::from(self.drop_row(id, row).await?);
                }
            }
            match rows.last() {
                Some(last) if rows.len() == BATCH => range = range.after(&last.key),
                _ => return Ok(dropped),
            }
        }
    }

    /// Drops a blob's row, if it still is as it was read: it may have got another owner meanwhile.
    async fn drop_row(&self, id: BlobId, row: Bytes) -> Result<bool, Error> {
        let transaction =
            Transaction::new().expect_equals(Table::Blob, id.as_bytes(), row).delete(Table::Blob, id.as_bytes());
        match self.store.commit(transaction).await {
            Ok(()) => Ok(true),
            Err(meta::Error::Conflict { .. }) => Ok(false),
            Err(other) => Err(other.into()),
        }
    }
}

/// Files and rows looked at in one go.
const BATCH: usize = 256;
/// Between batches, for requests to have the disk and the store: 256 files every 10 ms are a million in 40 s.
const PAUSE: Duration = Duration::from_millis(10);
