//! Making, finding, listing, configuring and deleting buckets.

use crate::bucket::{Bucket, BucketEncryption};
use crate::error::Error;
use crate::name::BucketName;
use crate::objects::Objects;
use keys::{AccountId, Principal};
use std::sync::Arc;

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
        todo!()
    }

    /// Finds a bucket, or `NoSuchBucket`. Whether the principal may see it is the caller's to decide.
    pub async fn bucket(&self, name: &BucketName) -> Result<Arc<Bucket>, Error> {
        todo!()
    }

    /// The buckets that an account owns.
    pub async fn list_buckets(&self, owner: &AccountId, request: &ListBuckets) -> Result<BucketPage, Error> {
        todo!()
    }

    /// Deletes an empty bucket. Errors: `BucketNotEmpty` while there are objects; open uploads go with the bucket, as AWS refuses
    /// only for objects.
    pub async fn delete_bucket(&self, bucket: &Bucket) -> Result<(), Error> {
        todo!()
    }

    /// Replaces the encryption configuration. Not retroactive.
    pub async fn put_bucket_encryption(&self, bucket: &Bucket, encryption: BucketEncryption) -> Result<(), Error> {
        todo!()
    }

    /// Back to AES256 without a Bucket Key. `BlockedEncryptionTypes` goes back to the server's default.
    pub async fn delete_bucket_encryption(&self, bucket: &Bucket) -> Result<(), Error> {
        todo!()
    }
}

/// AWS's quota of general purpose buckets (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/BucketRestrictions.html>).
pub const BUCKETS_PER_ACCOUNT: usize = 10_000;
