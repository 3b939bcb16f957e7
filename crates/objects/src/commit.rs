//! The moment at which an object comes to exist.

use crate::bucket::Bucket;
use crate::condition::WriteCondition;
use crate::error::Error;
use crate::name::ObjectName;
use crate::objects::Objects;
use crate::rows::{Owner, Row, object_key};
use blob::BlobId;
use bytes::Bytes;
use meta::{Table, Transaction, Write};

/// A version that is ready to exist: its blobs are synced.
pub(crate) struct Ready {
    /// The sealed record.
    pub(crate) value: Bytes,
    /// Inline bytes or manifest.
    pub(crate) body: Option<Bytes>,
    /// Identity of its data: what its blobs' rows know it by.
    pub(crate) data_id: [u8; 16],
    /// Blobs that it names.
    pub(crate) blobs: Vec<BlobId>,
    /// Whether those blobs stood in the row that it replaces already (a self-copy that moves no data): they stay.
    pub(crate) keeps_data: bool,
    /// What else must hold and happen in the same commit.
    pub(crate) beside: Transaction,
}

/// How a commit ended that was not refused by its own condition.
pub(crate) enum Outcome {
    Done,
    /// An expectation of [`Ready::beside`] did not hold.
    BesideFailed,
}

impl Objects {
    /// Commits a version in place of the current one, and discards that one's blobs; or the new one's, if it is refused.
    ///
    /// Unconditional writes are tried anew when another writer was faster; conditional ones answer
    /// [`Error::ConditionalRequestConflict`] then. `based_on`: the row that the new version was made from, if it must still
    /// be the current one.
    pub(crate) async fn commit_object(
        &self,
        bucket: &Bucket,
        name: &ObjectName,
        condition: &WriteCondition,
        based_on: Option<&Bytes>,
        ready: Ready,
    ) -> Result<Outcome, Error> {
        let result = self.try_commit(bucket, name, condition, based_on, &ready).await;
        if matches!(&result, Err(error) if is_refusal(error)) && ready.beside.expects.is_empty() {
            // The blobs are nobody's. After any other failure the commit may have happened, and the sweep will know.
            self.garbage.discard(ready.blobs);
        }
        result
    }

    async fn try_commit(
        &self,
        bucket: &Bucket,
        name: &ObjectName,
        condition: &WriteCondition,
        based_on: Option<&Bytes>,
        ready: &Ready,
    ) -> Result<Outcome, Error> {
        let key = object_key(bucket, name);
        let mut bucket_row = bucket.row.clone();
        for _ in 0..ATTEMPTS {
            let current = self.current(&key, condition).await?;
            if based_on.is_some_and(|row| current.as_ref().map(Current::value) != Some(row)) {
                return Err(Error::ConditionalRequestConflict);
            }
            condition.check(current.as_ref().and_then(Current::row).map(|row| &row.record.etag))?;
            let old_blobs = match current.as_ref().and_then(Current::row) {
                Some(row) if !ready.keeps_data => self.blobs_or_sweep(&key, row).await?,
                _ => Vec::new(),
            };
            let transaction = self.transaction(bucket, &bucket_row, &key, current.as_ref(), &old_blobs, ready);
            let beside = ready.beside.expects.len();
            match self.store.commit(transaction).await {
                Ok(()) => {
                    self.garbage.discard(old_blobs);
                    return Ok(Outcome::Done);
                }
                Err(meta::Error::Conflict { expect }) if expect < beside => return Ok(Outcome::BesideFailed),
                Err(meta::Error::Conflict { expect }) if expect == beside => {
                    bucket_row = self.same_bucket(bucket).await?
                }
                Err(meta::Error::Conflict { .. }) if !condition.is_none() || based_on.is_some() => {
                    return Err(Error::ConditionalRequestConflict);
                }
                Err(meta::Error::Conflict { .. }) => {}
                Err(other) => return Err(other.into()),
            }
        }
        Err(Error::OperationAborted)
    }

    /// What stands in the row. One that does not open may be replaced, but no condition can be checked against it.
    async fn current(&self, key: &Bytes, condition: &WriteCondition) -> Result<Option<Current>, Error> {
        let Some(value) = self.store.get(Table::Object, key).await? else { return Ok(None) };
        match self.object_record(key, &value) {
            Ok(record) => Ok(Some(Current::Row(Row { value, record, body: None }))),
            Err(Error::DamagedObject) if condition.is_none() => Ok(Some(Current::Damaged(value))),
            Err(other) => Err(other),
        }
    }

    fn transaction(
        &self,
        bucket: &Bucket,
        bucket_row: &Bytes,
        key: &Bytes,
        current: Option<&Current>,
        old_blobs: &[BlobId],
        ready: &Ready,
    ) -> Transaction {
        let mut transaction =
            ready.beside.clone().expect_equals(Table::Bucket, bucket.name.as_str(), bucket_row.clone());
        transaction = match current {
            Some(current) => transaction.expect_equals(Table::Object, key, current.value().clone()),
            None => transaction.expect_absent(Table::Object, key),
        };
        for blob in old_blobs {
            transaction = transaction.delete(Table::Blob, blob.as_bytes());
        }
        let owner = Owner::Object { key: key.clone(), data_id: ready.data_id }.encode();
        for blob in &ready.blobs {
            let sealed = self.seal_row(Table::Blob, blob.as_bytes(), &owner);
            transaction = transaction.put(Table::Blob, blob.as_bytes(), sealed);
        }
        transaction.writes.push(Write::Put {
            table: Table::Object,
            key: key.clone(),
            value: ready.value.clone(),
            body: ready.body.clone(),
        });
        transaction
    }

    /// The bucket's row as it stands now, if it still is the same bucket: its configuration may have changed.
    pub(crate) async fn same_bucket(&self, bucket: &Bucket) -> Result<Bytes, Error> {
        let now = self.bucket(&bucket.name).await?;
        if now.id == bucket.id { Ok(now.row.clone()) } else { Err(Error::NoSuchBucket) }
    }
}

/// Whether nothing can have been written.
fn is_refusal(error: &Error) -> bool {
    matches!(
        error,
        Error::PreconditionFailed(_)
            | Error::ConditionalRequestConflict
            | Error::NoSuchKey
            | Error::NoSuchBucket
            | Error::OperationAborted
            | Error::StoreFull
    )
}

#[allow(clippy::large_enum_variant, reason = "one a commit, on the stack")]
enum Current {
    Row(Row),
    Damaged(Bytes),
}

impl Current {
    fn value(&self) -> &Bytes {
        match self {
            Current::Row(row) => &row.value,
            Current::Damaged(value) => value,
        }
    }

    fn row(&self) -> Option<&Row> {
        match self {
            Current::Row(row) => Some(row),
            Current::Damaged(_) => None,
        }
    }
}

/// Each lost race means that another writer won it, so progress is certain; this ends the wait of an unlucky one.
pub(crate) const ATTEMPTS: usize = 32;
