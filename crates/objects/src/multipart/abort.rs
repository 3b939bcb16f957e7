//! AbortMultipartUpload.

use super::{PART_LIMIT, UploadId, expect_no_others};
use crate::bucket::Bucket;
use crate::commit::ATTEMPTS;
use crate::error::Error;
use crate::name::ObjectName;
use crate::objects::Objects;
use crate::rows::upload_key;
use keys::Principal;
use meta::{Order, Range, Table, Transaction};

impl Objects {
    /// Ends an upload and deletes its parts.
    pub async fn abort_upload(
        &self,
        _principal: &Principal,
        bucket: &Bucket,
        name: &ObjectName,
        upload: &UploadId,
    ) -> Result<(), Error> {
        self.discard_upload(&upload_key(bucket, name, upload), upload).await
    }

    /// Ends all uploads of a bucket that is about to be deleted. Reads no record: damaged ones go too.
    pub(crate) async fn discard_uploads(&self, bucket: &Bucket) -> Result<(), Error> {
        let range = Range::prefix(bucket.id);
        loop {
            let rows = self.store.scan(Table::Upload, &range, Order::Ascending, BATCH).await?;
            for row in &rows {
                match self.discard_upload(&row.key, &UploadId::of_row(&row.key)?).await {
                    Ok(()) | Err(Error::NoSuchUpload) => {}
                    Err(other) => return Err(other),
                }
            }
            if rows.len() < BATCH {
                return Ok(());
            }
        }
    }

    /// Deletes an upload with all its parts in one commit: no part is ever without its upload.
    async fn discard_upload(&self, row: &[u8], upload: &UploadId) -> Result<(), Error> {
        for _ in 0..ATTEMPTS {
            let parts = self.part_rows(upload, 0, usize::from(PART_LIMIT)).await?;
            let mut transaction = Transaction::new().expect_present(Table::Upload, row).delete(Table::Upload, row);
            let mut garbage = Vec::new();
            for part in &parts {
                transaction = part.delete(transaction);
                if let Some(record) = &part.record {
                    transaction = transaction.delete(Table::Blob, record.part.blob.as_bytes());
                    garbage.push(record.part.blob);
                }
            }
            match self.store.commit(expect_no_others(transaction, upload, &parts)).await {
                Ok(()) => {
                    self.garbage.discard(garbage);
                    return Ok(());
                }
                Err(meta::Error::Conflict { expect: 0 }) => return Err(Error::NoSuchUpload),
                // A part came or went meanwhile.
                Err(meta::Error::Conflict { .. }) => {}
                Err(other) => return Err(other.into()),
            }
        }
        Err(Error::OperationAborted)
    }
}

/// Uploads ended at a time.
const BATCH: usize = 100;
