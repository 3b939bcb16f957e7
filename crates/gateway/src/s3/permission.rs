//! From a bucket or object that a request names to the proof that the caller may do to it what it wants.
//!
//! Which action each operation needs: S3 API reference, and S3 User Guide, "Required permissions for Amazon S3 API operations"
//! (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html>).

use super::call::Call;
use super::circumstances::{Circumstances, Known, Lack};
use super::error::{Code, S3Error};
use crate::authorize::{Authorized, Denied, Resource, authorize};
use objects::{Bucket, BucketName, DefaultEncryption, ObjectName, Tags, UploadId};
use policy::{AccountId, Document, PrincipalKind};
use std::borrow::Cow;
use std::cell::Cell;
use std::ops::Deref;
use std::sync::Arc;

/// A bucket, as itself or as the home of the object that a decision was about.
pub(crate) struct Held {
    bucket: Arc<Bucket>,
    arn: String,
    /// Whether the bucket's policy has a say. Not for strangers, where it is public and RestrictPublicBuckets is on: "only AWS service
    /// principals and authorized users within the bucket owner's account" get in.
    by_policy: bool,
    /// The tags that the object had when they were asked for.
    seen: Option<Tags>,
}

impl Held {
    /// The bucket.
    pub(crate) fn bucket(&self) -> &Arc<Bucket> {
        &self.bucket
    }

    /// The tags that the object must still have when it is read or changed; `None`: no policy asked for them.
    pub(crate) fn seen(&self) -> Option<&Tags> {
        self.seen.as_ref()
    }
}

impl Deref for Held {
    type Target = Bucket;

    fn deref(&self) -> &Bucket {
        &self.bucket
    }
}

impl Resource for Held {
    fn arn(&self) -> Cow<'_, str> {
        self.arn.as_str().into()
    }

    fn owner(&self) -> Option<AccountId> {
        Some(self.bucket.owner)
    }

    fn policy(&self) -> Option<&Document> {
        let policy = self.bucket.policy.as_ref().filter(|_| self.by_policy)?;
        Some(policy.document())
    }
}

/// A bucket by itself, for what services do there in their own name.
impl Resource for Bucket {
    fn arn(&self) -> Cow<'_, str> {
        self.name.arn().into()
    }

    fn owner(&self) -> Option<AccountId> {
        Some(self.owner)
    }

    fn policy(&self) -> Option<&Document> {
        Some(self.policy.as_ref()?.document())
    }
}

/// What lies in the caller's own account: `arn:aws:s3:::*` for its list of buckets, a bucket that is to be made.
pub(crate) struct Own(String);

impl Own {
    pub(crate) fn buckets() -> Own {
        Own("arn:aws:s3:::*".to_owned())
    }

    pub(crate) fn new_bucket(name: &BucketName) -> Own {
        Own(name.arn())
    }
}

impl Resource for Own {
    fn arn(&self) -> Cow<'_, str> {
        self.0.as_str().into()
    }

    fn owner(&self) -> Option<AccountId> {
        None
    }
}

/// What an action is about.
#[derive(Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) bucket: &'a Arc<Bucket>,
    /// None: the bucket itself.
    pub(crate) key: Option<&'a ObjectName>,
    /// The version id that was named.
    pub(crate) version: Option<&'a str>,
    /// The object that was looked for in vain: who may list what begins with its name may know.
    pub(crate) sought: Option<&'a ObjectName>,
}

impl<'a> Target<'a> {
    pub(crate) fn bucket(bucket: &'a Arc<Bucket>) -> Target<'a> {
        Target { bucket, key: None, version: None, sought: None }
    }

    pub(crate) fn object(bucket: &'a Arc<Bucket>, key: &'a ObjectName, version: Option<&'a str>) -> Target<'a> {
        Target { bucket, key: Some(key), version, sought: None }
    }
}

impl Call<'_> {
    /// Decides. What policies ask of the store is read and the decision made anew, until nothing is missing.
    pub(crate) async fn permit(&self, target: Target<'_>, action: &'static str) -> Result<Authorized<Held>, S3Error> {
        let mut known = Known::default();
        loop {
            match self.decide(target, action, &known) {
                (_, Some(lack)) => self.read(lack, target, &mut known).await?,
                (decided, None) => return Ok(decided?),
            }
        }
    }

    /// The same for what lies in the caller's own account.
    pub(crate) fn permit_own(&self, own: Own, action: &'static str) -> Result<Authorized<Own>, S3Error> {
        let lowered = bare(action);
        let circumstances = Circumstances {
            call: self,
            action: &lowered,
            bucket: None,
            known: &Known::default(),
            version: None,
            sought: None,
            lack: Cell::new(None),
        };
        Ok(authorize(self.caller, action, own, &circumstances)?)
    }

    /// A decision by what is known, and what else would have to be.
    fn decide(
        &self,
        target: Target<'_>,
        action: &'static str,
        known: &Known,
    ) -> (Result<Authorized<Held>, Denied>, Option<Lack>) {
        let Target { bucket, key, version, sought } = target;
        let principal = self.caller.principal();
        let stranger = principal.account != bucket.owner && !matches!(principal.kind, PrincipalKind::Service(_));
        let held = Held {
            bucket: Arc::clone(bucket),
            arn: key.map_or_else(|| bucket.name.arn(), |key| key.arn(&bucket.name)),
            by_policy: !(stranger && bucket.restricts_public()),
            seen: known.tags.clone(),
        };
        let lowered = bare(action);
        let circumstances = Circumstances {
            call: self,
            action: &lowered,
            bucket: Some(bucket),
            known,
            version,
            sought,
            lack: Cell::new(None),
        };
        let decided = authorize(self.caller, action, held, &circumstances);
        (decided, circumstances.lack.get())
    }

    async fn read(&self, lack: Lack, target: Target<'_>, known: &mut Known) -> Result<(), S3Error> {
        let objects = &self.app.objects;
        match (lack, target.key) {
            (Lack::Tags, Some(key)) => {
                // What is not there has no tags, and must have none if it is there by the time it is read.
                known.tags = Some(match objects.object_tags(target.bucket, key).await {
                    Err(objects::Error::NoSuchKey) => Tags::default(),
                    other => other?,
                });
            }
            (Lack::Tags, None) => known.tags = Some(Tags::default()),
            (Lack::Upload, key) => {
                let upload = self.query("uploadId").and_then(|id| UploadId::parse(id).ok());
                known.upload = Some(match (upload, key) {
                    (Some(upload), Some(key)) => match objects.upload_creation(target.bucket, key, &upload).await {
                        Err(objects::Error::NoSuchUpload) => None,
                        other => Some(other?),
                    },
                    _ => None,
                });
            }
            (Lack::KeyArn, _) => {
                let named = super::headers::text(self.headers(), "x-amz-server-side-encryption-aws-kms-key-id")?;
                let default = match &target.bucket.encryption.default {
                    DefaultEncryption::SseS3 => None,
                    DefaultEncryption::SseKms { key } | DefaultEncryption::DsseKms { key } => key.as_deref(),
                };
                let key = named.or(default).unwrap_or(keys::AWS_S3);
                known.key_arn = Some(self.app.keys.arn_meant(self.principal(), key).await);
            }
        }
        Ok(())
    }

    /// What somebody is told for whom an object was not found: whether it exists is for those who may list the bucket
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>, "Permissions").
    pub(crate) async fn missing(&self, bucket: &Arc<Bucket>, key: &ObjectName, error: objects::Error) -> S3Error {
        if matches!(error, objects::Error::NoSuchKey) {
            let target = Target { sought: Some(key), ..Target::bucket(bucket) };
            if let Err(denied) = self.permit(target, "s3:ListBucket").await {
                return denied;
            }
        }
        error.into()
    }
}

/// An action as condition keys know it.
fn bare(action: &str) -> String {
    action.strip_prefix("s3:").unwrap_or(action).to_ascii_lowercase()
}

/// AWS tells its reasons within an account alone.
impl From<Denied> for S3Error {
    fn from(denied: Denied) -> S3Error {
        let Denied { principal, action, resource, own, refused } = &denied;
        if !own {
            return Code::AccessDenied.into();
        }
        let reason = refused.reason(action);
        let on = if *action == "s3:ListAllMyBuckets" { String::new() } else { format!("on resource: \"{resource}\" ") };
        let message = format!("User: {principal} is not authorized to perform: {action} {on}{reason}");
        S3Error::saying(Code::AccessDenied, message)
    }
}
