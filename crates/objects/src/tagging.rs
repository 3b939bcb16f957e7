//! Tagging of objects and buckets.

use crate::bucket::Bucket;
use crate::commit::{ATTEMPTS, Ready};
use crate::condition::WriteCondition;
use crate::error::Error;
use crate::name::ObjectName;
use crate::objects::Objects;
use crate::record::ObjectRecord;
use crate::rows::{Row, object_key};
use crate::tags::Tags;
use meta::{Table, Transaction};

impl Objects {
    /// An object's tags, or `NoSuchKey`.
    pub async fn object_tags(&self, bucket: &Bucket, name: &ObjectName) -> Result<Tags, Error> {
        let row = self.object_row(&object_key(bucket, name)).await?.ok_or(Error::NoSuchKey)?;
        Ok(row.record.tags)
    }

    /// Replaces an object's tags; nothing else of it changes, neither its date nor its ETag. `seen`: the tags that it must still
    /// have, if somebody decided by them.
    ///
    /// # Errors
    /// `NoSuchKey`, [`Error::OperationAborted`] where the tags are no longer those that were seen.
    pub async fn put_object_tags(
        &self,
        bucket: &Bucket,
        name: &ObjectName,
        tags: &Tags,
        seen: Option<&Tags>,
    ) -> Result<(), Error> {
        let key = object_key(bucket, name);
        for _ in 0..ATTEMPTS {
            let Row { value, record, body } = self.whole_row(&key).await?.ok_or(Error::NoSuchKey)?;
            check_seen(&record.tags, seen)?;
            // A manifest is bound to the version, which stays: the body stays as it is sealed.
            let new = ObjectRecord { tags: tags.clone(), ..record };
            let ready = Ready {
                value: self.seal_row(Table::Object, &key, &new.encode()),
                body,
                data_id: new.data_id,
                blobs: Vec::new(),
                keeps_data: true,
                beside: Transaction::new(),
            };
            match self.commit_object(bucket, name, &WriteCondition::default(), Some(&value), ready).await {
                Err(Error::ConditionalRequestConflict) => {}
                result => return result.map(drop),
            }
        }
        Err(Error::OperationAborted)
    }

    /// Replaces a bucket's tags.
    pub async fn put_bucket_tags(&self, bucket: &Bucket, tags: &Tags) -> Result<(), Error> {
        self.edit_bucket(bucket, |record| {
            record.tags = tags.clone();
            Ok(())
        })
        .await
    }
}

/// Whether an object's tags are still those by which it was decided that the caller may have it.
pub(crate) fn check_seen(tags: &Tags, seen: Option<&Tags>) -> Result<(), Error> {
    if seen.is_some_and(|seen| seen != tags) { Err(Error::OperationAborted) } else { Ok(()) }
}
