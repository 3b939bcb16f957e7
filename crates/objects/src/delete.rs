//! DeleteObject and DeleteObjects.

use crate::bucket::Bucket;
use crate::commit::ATTEMPTS;
use crate::condition::DeleteCondition;
use crate::error::Error;
use crate::name::ObjectName;
use crate::objects::Objects;
use crate::rows::{Row, object_key};
use blob::BlobId;
use bytes::Bytes;
use keys::Principal;
use meta::{Table, Transaction};

/// One object of a DeleteObjects.
#[derive(Debug, Clone)]
pub struct DeleteEntry {
    /// Its name.
    pub name: ObjectName,
    /// What must hold of it.
    pub condition: DeleteCondition,
}

impl Objects {
    /// Deletes an object. One that does not exist is deleted already, whatever the condition.
    pub async fn delete_object(
        &self,
        principal: &Principal,
        bucket: &Bucket,
        name: &ObjectName,
        condition: &DeleteCondition,
    ) -> Result<(), Error> {
        let entry = DeleteEntry { name: name.clone(), condition: condition.clone() };
        let results = self.delete_objects(principal, bucket, std::slice::from_ref(&entry)).await?;
        results.into_iter().next().unwrap_or(Ok(()))
    }

    /// Deletes up to [`DELETE_BATCH`] objects in one commit (more only if their parts are too many for one). A result for each
    /// entry, in order; the outer error is the whole request's.
    pub async fn delete_objects(
        &self,
        _principal: &Principal,
        bucket: &Bucket,
        entries: &[DeleteEntry],
    ) -> Result<Vec<Result<(), Error>>, Error> {
        if entries.len() > DELETE_BATCH {
            return Err(Error::InvalidRequest("A delete request holds at most 1000 objects."));
        }
        let mut results = Vec::with_capacity(entries.len());
        while results.len() < entries.len() {
            results.extend(self.delete_some(bucket, &entries[results.len()..]).await?);
        }
        Ok(results)
    }

    /// Deletes the first entries, as many as one commit takes. A condition is checked against what the commit finds, so a race
    /// ends as if one request had come after the other.
    async fn delete_some(&self, bucket: &Bucket, entries: &[DeleteEntry]) -> Result<Vec<Result<(), Error>>, Error> {
        for _ in 0..ATTEMPTS {
            let mut transaction = Transaction::new();
            let mut garbage = Vec::new();
            let mut results = Vec::new();
            for entry in entries {
                if transaction.writes.len() >= OPERATIONS {
                    break;
                }
                let key = object_key(bucket, &entry.name);
                let result = match self.deletable(&key, &entry.condition).await {
                    Ok(Some((value, blobs))) => {
                        transaction = transaction.expect_equals(Table::Object, &key, value).delete(Table::Object, &key);
                        for blob in &blobs {
                            transaction = transaction.delete(Table::Blob, blob.as_bytes());
                        }
                        garbage.extend(blobs);
                        Ok(())
                    }
                    Ok(None) => Ok(()),
                    Err(error) => Err(error),
                };
                results.push(result);
            }
            if transaction.writes.is_empty() {
                return Ok(results);
            }
            match self.store.commit(transaction).await {
                Ok(()) => {
                    self.garbage.discard(garbage);
                    return Ok(results);
                }
                Err(meta::Error::Conflict { .. }) => {}
                Err(other) => return Err(other.into()),
            }
        }
        Err(Error::OperationAborted)
    }

    /// The row of an object that may go, with its blobs; `None` if there is none. A damaged row may go too, if nothing is asked
    /// of it; its blobs are left to the sweep.
    async fn deletable(&self, key: &Bytes, condition: &DeleteCondition) -> Result<Option<(Bytes, Vec<BlobId>)>, Error> {
        let Some(value) = self.store.get(Table::Object, key).await? else { return Ok(None) };
        let record = match self.object_record(key, &value) {
            Ok(record) => record,
            Err(Error::DamagedObject) if condition.is_none() => return Ok(Some((value, Vec::new()))),
            Err(other) => return Err(other),
        };
        condition.check(&record.etag, record.modified, record.size)?;
        let row = Row { value, record, body: None };
        let blobs = self.blobs_or_sweep(key, &row).await?;
        Ok(Some((row.value, blobs)))
    }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>
pub const DELETE_BATCH: usize = 1_000;
/// Writes of one commit, checked before each object: one object of 10,000 parts more still fits the store's limit of 65,536.
const OPERATIONS: usize = 20_000;
