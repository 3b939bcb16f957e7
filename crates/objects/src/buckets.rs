//! Making, finding, listing, configuring and deleting buckets.

use crate::bucket::{Bucket, BucketEncryption};
use crate::bucket_policy::BucketPolicy;
use crate::commit::ATTEMPTS;
use crate::error::Error;
use crate::name::BucketName;
use crate::objects::Objects;
use crate::record::BucketRecord;
use crate::rows::malformed;
use crate::tags::Tags;
use bytes::Bytes;
use keys::{AccountId, Principal};
use meta::{Order, Range, Table, Transaction};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Which buckets ListBuckets wants.
#[derive(Debug, Clone)]
pub struct ListBuckets {
    /// Names begin with it.
    pub prefix: String,
    /// Names come after it.
    pub after: Option<String>,
    /// At most that many, 1 to 10,000.
    pub max: usize,
}

/// A page of buckets in the order of their names.
#[derive(Debug, Clone)]
pub struct BucketPage {
    /// The buckets.
    pub buckets: Vec<Arc<Bucket>>,
    /// Where the next page begins (`after`), if there is one.
    pub next: Option<String>,
}

impl Objects {
    /// Makes a bucket owned by the principal's account.
    ///
    /// Errors: `BucketAlreadyOwnedByYou`, `BucketAlreadyExists`, `TooManyBuckets`.
    pub async fn create_bucket(&self, principal: &Principal, name: &BucketName) -> Result<Arc<Bucket>, Error> {
        self.refuse_taken(principal, name).await?;
        if self.owned(&principal.account).await?.len() >= BUCKETS_PER_ACCOUNT {
            return Err(Error::TooManyBuckets);
        }
        let record = BucketRecord {
            id: seal::random_bytes(),
            owner: principal.account,
            region: self.settings.region.clone(),
            created: self.now(),
            encryption: BucketEncryption::unconfigured(self.settings.blocked_by_default),
            policy: None,
            public_access_block: self.settings.public_access_by_default,
            tags: Tags::default(),
        };
        let row = self.seal_row(Table::Bucket, name.as_str().as_bytes(), &record.encode());
        let transaction = Transaction::new().expect_absent(Table::Bucket, name.as_str()).put(
            Table::Bucket,
            name.as_str(),
            row.clone(),
        );
        match self.store.commit(transaction).await {
            Ok(()) => Ok(Arc::new(bucket(name.clone(), record, row))),
            Err(meta::Error::Conflict { .. }) => {
                self.refuse_taken(principal, name).await?;
                Err(Error::OperationAborted)
            }
            Err(other) => Err(other.into()),
        }
    }

    /// Finds a bucket, or `NoSuchBucket`. Whether the principal may see it is the caller's to decide.
    pub async fn bucket(&self, name: &BucketName) -> Result<Arc<Bucket>, Error> {
        let row = self.store.get(Table::Bucket, name.as_str().as_bytes()).await?.ok_or(Error::NoSuchBucket)?;
        self.decoded(name, row)
    }

    /// The buckets that an account owns.
    pub async fn list_buckets(&self, owner: &AccountId, request: &ListBuckets) -> Result<BucketPage, Error> {
        let wanted = |bucket: &Arc<Bucket>| {
            let name = bucket.name.as_str();
            name.starts_with(&request.prefix) && request.after.as_deref().is_none_or(|after| name > after)
        };
        let mut buckets: Vec<_> = self.owned(owner).await?.into_iter().filter(wanted).collect();
        let more = buckets.len() > request.max;
        buckets.truncate(request.max);
        let next = buckets.last().filter(|_| more).map(|bucket| bucket.name.as_str().to_owned());
        Ok(BucketPage { buckets, next })
    }

    /// Deletes an empty bucket. Errors: `BucketNotEmpty` while there are objects. Open uploads go with the bucket, as with AWS.
    pub async fn delete_bucket(&self, bucket: &Bucket) -> Result<(), Error> {
        let contents = Range::prefix(bucket.id);
        let mut row = bucket.row.clone();
        for _ in 0..ATTEMPTS {
            if !self.store.scan(Table::Object, &contents, Order::Ascending, 1).await?.is_empty() {
                return Err(Error::BucketNotEmpty);
            }
            self.discard_uploads(bucket).await?;
            let transaction = Transaction::new()
                .expect_equals(Table::Bucket, bucket.name.as_str(), row.clone())
                .expect_vacant(Table::Object, contents.clone())
                .expect_vacant(Table::Upload, contents.clone())
                .delete(Table::Bucket, bucket.name.as_str());
            match self.store.commit(transaction).await {
                Err(meta::Error::Conflict { expect: 0 }) => row = self.same_bucket(bucket).await?,
                Err(meta::Error::Conflict { .. }) => {}
                result => return Ok(result?),
            }
        }
        Err(Error::OperationAborted)
    }

    /// Replaces the encryption configuration. Not retroactive.
    pub async fn put_bucket_encryption(&self, bucket: &Bucket, encryption: BucketEncryption) -> Result<(), Error> {
        encryption.check()?;
        self.edit_bucket(bucket, |record| {
            record.encryption = encryption.clone();
            Ok(())
        })
        .await
    }

    /// Changes a bucket's record as it stands now, and nothing of it but what `edit` changes.
    pub(crate) async fn edit_bucket(
        &self,
        bucket: &Bucket,
        edit: impl Fn(&mut BucketRecord) -> Result<(), Error>,
    ) -> Result<(), Error> {
        for _ in 0..ATTEMPTS {
            let row = self.same_bucket(bucket).await?;
            let mut record = self.bucket_record(&bucket.name, &row)?;
            edit(&mut record)?;
            let value = self.seal_row(Table::Bucket, bucket.name.as_str().as_bytes(), &record.encode());
            let transaction = Transaction::new().expect_equals(Table::Bucket, bucket.name.as_str(), row).put(
                Table::Bucket,
                bucket.name.as_str(),
                value,
            );
            match self.store.commit(transaction).await {
                Err(meta::Error::Conflict { .. }) => {}
                result => return Ok(result?),
            }
        }
        Err(Error::OperationAborted)
    }

    /// Back to AES256 without a Bucket Key. `BlockedEncryptionTypes` goes back to the server's default.
    pub async fn delete_bucket_encryption(&self, bucket: &Bucket) -> Result<(), Error> {
        self.put_bucket_encryption(bucket, BucketEncryption::unconfigured(self.settings.blocked_by_default)).await
    }

    async fn refuse_taken(&self, principal: &Principal, name: &BucketName) -> Result<(), Error> {
        match self.bucket(name).await {
            Ok(found) if found.owner == principal.account => Err(Error::BucketAlreadyOwnedByYou),
            Ok(_) => Err(Error::BucketAlreadyExists),
            Err(Error::NoSuchBucket) => Ok(()),
            Err(other) => Err(other),
        }
    }

    async fn owned(&self, owner: &AccountId) -> Result<Vec<Arc<Bucket>>, Error> {
        let mut found = Vec::new();
        let mut range = Range::all();
        loop {
            let rows = self.store.scan(Table::Bucket, &range, Order::Ascending, SCAN).await?;
            for row in &rows {
                let name = std::str::from_utf8(&row.key).map_err(|_| Error::DamagedObject)?;
                let bucket = self.decoded(&BucketName::parse(name)?, row.value.clone())?;
                if bucket.owner == *owner {
                    found.push(bucket);
                }
            }
            match rows.last() {
                Some(last) if rows.len() == SCAN => range = range.after(&last.key),
                _ => return Ok(found),
            }
        }
    }

    /// The bucket of a row, from the cache if the row is the one that was decoded last.
    fn decoded(&self, name: &BucketName, row: Bytes) -> Result<Arc<Bucket>, Error> {
        if let Some(found) = self.bucket_cache.find(name, &row) {
            return Ok(found);
        }
        let record = self.bucket_record(name, &row)?;
        let found = Arc::new(bucket(name.clone(), record, row));
        self.bucket_cache.keep(Arc::clone(&found));
        Ok(found)
    }

    fn bucket_record(&self, name: &BucketName, row: &Bytes) -> Result<BucketRecord, Error> {
        let key = name.as_str().as_bytes();
        let plaintext = self.open_row(Table::Bucket, key, row)?;
        BucketRecord::decode(&plaintext).map_err(|error| malformed(Table::Bucket, key, error))
    }
}

fn bucket(name: BucketName, record: BucketRecord, row: Bytes) -> Bucket {
    let BucketRecord { id, owner, region, created, encryption, policy, public_access_block, tags } = record;
    let policy = policy.map(|text| BucketPolicy::stored(&name, text));
    Bucket { id, name, owner, region, created, encryption, policy, public_access_block, tags, row }
}

/// Decoded buckets. Valid only beside the very row that they were decoded from, so nothing has to invalidate it.
pub(crate) struct BucketCache(Mutex<HashMap<BucketName, Arc<Bucket>>>);

impl BucketCache {
    pub(crate) fn new() -> BucketCache {
        BucketCache(Mutex::new(HashMap::new()))
    }

    fn find(&self, name: &BucketName, row: &Bytes) -> Option<Arc<Bucket>> {
        self.lock().get(name).filter(|bucket| bucket.row == row).cloned()
    }

    fn keep(&self, bucket: Arc<Bucket>) {
        let mut kept = self.lock();
        if kept.len() >= CACHED {
            kept.clear();
        }
        kept.insert(bucket.name.clone(), bucket);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<BucketName, Arc<Bucket>>> {
        // No code that holds the lock can leave the map half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// AWS's quota of general purpose buckets (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/BucketRestrictions.html>).
pub const BUCKETS_PER_ACCOUNT: usize = 10_000;
/// Rows of one scan: a few hundred bytes each.
const SCAN: usize = 1_000;
/// Decoded buckets kept: one account's quota, about 5 MiB, and their policies.
const CACHED: usize = 10_000;
