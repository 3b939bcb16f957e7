//! Bucket policies: put, read once, kept with their bucket.

use crate::bucket::Bucket;
use crate::bucket_policy_check::{check, in_words_of_s3, invalid_principal};
use crate::error::Error;
use crate::name::BucketName;
use crate::objects::Objects;
use policy::{Document, Kind};
use std::sync::Arc;

/// The policy of a bucket, parsed.
#[derive(Debug, Clone)]
pub struct BucketPolicy {
    text: Arc<str>,
    document: Arc<Document>,
}

impl BucketPolicy {
    /// Reads what somebody wants to be a bucket's policy, by all of S3's rules but those on who exists.
    ///
    /// # Errors
    /// [`Error::MalformedPolicy`] in AWS's words.
    pub fn parse(bucket: &BucketName, text: &str) -> Result<BucketPolicy, Error> {
        let document = check(bucket, text)?;
        Ok(BucketPolicy { text: text.into(), document: Arc::new(document) })
    }

    /// The same text with other names of its principals. Their length does not count.
    ///
    /// # Errors
    /// [`Error::MalformedPolicy`] if it is no policy.
    pub fn renamed(text: &str) -> Result<BucketPolicy, Error> {
        let document = Document::parse(text, Kind::Bucket).map_err(in_words_of_s3)?;
        Ok(BucketPolicy { text: text.into(), document: Arc::new(document) })
    }

    /// AWS's answer to a policy that names a principal that does not exist.
    pub fn unknown_principal(named: &str) -> Error {
        invalid_principal("AWS", named)
    }

    /// What a record holds. It was checked when it was put; should this release not understand it, it denies everything (but for the
    /// owner's root user, who may put another), since it may deny what nobody knows.
    pub(crate) fn stored(bucket: &BucketName, text: String) -> BucketPolicy {
        let document = Document::parse(&text, Kind::Bucket).unwrap_or_else(|error| {
            tracing::error!(%bucket, %error, "the bucket's policy cannot be read by this release: it denies everything");
            Document::parse(DENY_EVERYTHING, Kind::Bucket).expect("a constant, which a test parses")
        });
        BucketPolicy { text: text.into(), document: Arc::new(document) }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The statements.
    pub fn document(&self) -> &Arc<Document> {
        &self.document
    }

    /// Whether it lets strangers in, as Block Public Access means it
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status>).
    pub fn is_public(&self) -> bool {
        self.document.is_public()
    }
}

impl Objects {
    /// Replaces a bucket's policy.
    ///
    /// # Errors
    /// [`Error::PublicPolicyBlocked`], by the settings of the bucket at the moment of the commit.
    pub async fn put_bucket_policy(&self, bucket: &Bucket, policy: &BucketPolicy) -> Result<(), Error> {
        self.edit_bucket(bucket, |record| {
            let settings = record.public_access_block.unwrap_or_default();
            if settings.block_public_policy && policy.is_public() {
                return Err(Error::PublicPolicyBlocked);
            }
            record.policy = Some(policy.text().to_owned());
            Ok(())
        })
        .await
    }

    /// Deletes a bucket's policy, if it has one.
    pub async fn delete_bucket_policy(&self, bucket: &Bucket) -> Result<(), Error> {
        self.edit_bucket(bucket, |record| {
            record.policy = None;
            Ok(())
        })
        .await
    }
}

/// The longest bucket policy in bytes (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html>).
pub const BUCKET_POLICY_LIMIT: usize = policy::limits::BUCKET_BYTES;
const DENY_EVERYTHING: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}]}"#;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn what_cannot_be_read_denies_everything() {
        let name = BucketName::parse("bkt").unwrap();
        let policy = BucketPolicy::stored(&name, "{\"Version\":\"2099-01-01\"}".to_owned());
        assert_eq!(policy.document().statements().len(), 1);
        assert_eq!(policy.document().statements()[0].effect(), policy::Effect::Deny);
        assert_eq!(policy.text(), "{\"Version\":\"2099-01-01\"}");
    }
}
