//! S3 Block Public Access of a bucket
//! (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html>).

use crate::bucket::Bucket;
use crate::error::Error;
use crate::objects::Objects;

/// `PublicAccessBlockConfiguration`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PublicAccessBlock {
    /// `BlockPublicAcls`: public ACLs cannot be set. ACLs are disabled on every bucket, so nothing is left to block.
    pub block_public_acls: bool,
    /// `IgnorePublicAcls`: as above.
    pub ignore_public_acls: bool,
    /// `BlockPublicPolicy`: a policy that is public cannot be put.
    pub block_public_policy: bool,
    /// `RestrictPublicBuckets`: what a public policy allows, it allows to the bucket owner's account (and services) alone.
    pub restrict_public_buckets: bool,
}

impl PublicAccessBlock {
    /// All four settings on, as new buckets have them since April 2023.
    pub const ALL: PublicAccessBlock = PublicAccessBlock {
        block_public_acls: true,
        ignore_public_acls: true,
        block_public_policy: true,
        restrict_public_buckets: true,
    };

    /// Bits 0 to 3, in the order of the members.
    pub(crate) fn bits(self) -> u8 {
        let bit = |set: bool, place: u8| u8::from(set) << place;
        bit(self.block_public_acls, 0)
            | bit(self.ignore_public_acls, 1)
            | bit(self.block_public_policy, 2)
            | bit(self.restrict_public_buckets, 3)
    }

    pub(crate) fn from_bits(bits: u8) -> Option<PublicAccessBlock> {
        let set = |place: u8| bits & (1 << place) != 0;
        (bits < 16).then(|| PublicAccessBlock {
            block_public_acls: set(0),
            ignore_public_acls: set(1),
            block_public_policy: set(2),
            restrict_public_buckets: set(3),
        })
    }
}

impl Bucket {
    /// The settings that hold: none without a configuration.
    pub fn public_access(&self) -> PublicAccessBlock {
        self.public_access_block.unwrap_or_default()
    }

    /// Whether strangers are kept out although the bucket's policy is public.
    pub fn restricts_public(&self) -> bool {
        self.public_access().restrict_public_buckets && self.policy.as_ref().is_some_and(|policy| policy.is_public())
    }
}

impl Objects {
    /// Replaces the settings; `None`: there are none any more.
    ///
    /// # Errors
    /// `NoSuchBucket`, `OperationAborted`.
    pub async fn put_public_access_block(
        &self,
        bucket: &Bucket,
        settings: Option<PublicAccessBlock>,
    ) -> Result<(), Error> {
        self.edit_bucket(bucket, |record| {
            record.public_access_block = settings;
            Ok(())
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_go_both_ways() {
        for bits in 0..16 {
            assert_eq!(PublicAccessBlock::from_bits(bits).map(PublicAccessBlock::bits), Some(bits));
        }
        assert_eq!(PublicAccessBlock::from_bits(16), None);
        assert_eq!(PublicAccessBlock::ALL.bits(), 15);
    }
}
