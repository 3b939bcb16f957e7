//! CloudTrail as a caller of S3 and KMS: whether a bucket and a key let it deliver for a trail.
//!
//! CloudTrail User Guide, "Amazon S3 bucket policy for CloudTrail" and "Configure AWS KMS key policies for CloudTrail".

use std::collections::BTreeMap;
use std::time::SystemTime;

use audit::trail::{Error, Trail, prefix};
use keys::Principal;
use objects::{Bucket, BucketName};
use policy::{ContextMap, GlobalContext, Question, Rule, Session, decide};
use seal::EncryptionContext;

use crate::app::App;

/// The service principal that policies name.
pub const SERVICE: &str = "cloudtrail.amazonaws.com";

/// CloudTrail, at work for a trail: `aws:SourceArn` and `aws:SourceAccount` tell which.
pub fn principal(trail: &Trail) -> Principal {
    let claims = vec![
        ("aws:sourcearn".to_owned(), vec![trail.arn()]),
        ("aws:sourceaccount".to_owned(), vec![trail.account.to_string()]),
    ];
    let session = Session {
        issued: SystemTime::UNIX_EPOCH,
        expires: SystemTime::UNIX_EPOCH,
        mfa: None,
        source_identity: None,
        federated_provider: None,
        transitive_tag_keys: Vec::new(),
        claims,
    };
    Principal { session: Some(session), ..Principal::service(SERVICE) }
}

/// Whether a bucket's policy lets CloudTrail store a trail's objects there.
///
/// # Errors
/// [`Error::S3BucketDoesNotExist`], [`Error::InsufficientS3BucketPolicy`]; a failing store.
pub(super) async fn check_bucket(app: &App, trail: &Trail) -> Result<(), Error> {
    let missing = || Error::S3BucketDoesNotExist(format!("S3 bucket {} does not exist!", trail.bucket));
    let name = BucketName::parse(&trail.bucket).map_err(|_| missing())?;
    let bucket = app.objects.bucket(&name).await.map_err(|error| match error {
        objects::Error::NoSuchBucket => missing(),
        other => Error::Internal(other.to_string()),
    })?;
    let object = format!("{}/{}AWSLogs/{}/", name.arn(), prefix(trail), trail.account);
    let context = ContextMap::new().with("s3:x-amz-acl", "bucket-owner-full-control");
    let wanted = [
        ("s3:GetBucketAcl", name.arn(), ContextMap::new()),
        ("s3:PutObject", format!("{object}CloudTrail/"), context.clone()),
        ("s3:PutObject", format!("{object}CloudTrail-Digest/"), context),
    ];
    let wanted = wanted.iter().filter(|(_, arn, _)| trail.validation || !arn.ends_with("Digest/"));
    for (action, arn, context) in wanted {
        if !allows(app, trail, &bucket, action, arn, context) {
            return Err(Error::InsufficientS3BucketPolicy(format!(
                "Incorrect S3 bucket policy is detected for bucket: {}",
                trail.bucket
            )));
        }
    }
    Ok(())
}

/// Whether a bucket's policy lets CloudTrail do something for a trail.
pub(crate) fn allows(app: &App, trail: &Trail, bucket: &Bucket, action: &str, arn: &str, context: &ContextMap) -> bool {
    let principal = principal(trail);
    let context = GlobalContext {
        principal: &principal,
        facts: None,
        region: app.settings.region.as_str(),
        resource_account: Some(bucket.owner),
        via_service: None,
        service: context,
    };
    let question =
        Question { principal: &principal, action, resource: arn, owner: Some(bucket.owner), context: &context };
    decide(&question, bucket.policy.as_ref().map(|policy| &**policy.document()), Rule::Either).is_ok()
}

/// The ARN of the key that a request names, once its policy is known to let CloudTrail encrypt for a trail.
///
/// # Errors
/// [`Error::KmsKeyNotFound`], [`Error::InsufficientEncryptionPolicy`], [`Error::Kms`], [`Error::InvalidKmsKeyId`].
pub(super) async fn check_key(app: &App, trail: &Trail, named: &str) -> Result<String, Error> {
    let missing = || {
        Error::KmsKeyNotFound(format!("KMS key: {named} is not found. Check that it exists in the bucket's Region."))
    };
    // Which key is meant, the trail's account decides; whether CloudTrail may use it, the key.
    let account = Principal::root(trail.account, "");
    let arn = match app.keys.resolve(&account, named).await {
        Ok(arn) => arn.to_string(),
        Err(keys::Error::InvalidArn(_) | keys::Error::Validation(_)) => {
            return Err(Error::InvalidKmsKeyId(format!("Invalid KMS key: {named}")));
        }
        Err(keys::Error::AccessDenied(_)) if named.starts_with("arn:") && named.contains(":key/") => named.to_owned(),
        Err(keys::Error::Internal(error)) => return Err(Error::Internal(error.to_string())),
        Err(_) => return Err(missing()),
    };
    if arn.split(':').nth(3) != Some(app.keys.region().as_str()) {
        return Err(missing());
    }
    match app.keys.may_use(&principal(trail), &arn, true, &encryption_context(trail)).await {
        Ok(arn) => Ok(arn),
        Err(keys::Error::NotFound(_)) => Err(missing()),
        Err(keys::Error::AccessDenied(_)) => Err(Error::InsufficientEncryptionPolicy(format!(
            "Insufficient permissions to access S3 bucket {} or KMS key {arn}.",
            trail.bucket
        ))),
        Err(keys::Error::Internal(error)) => Err(Error::Internal(error.to_string())),
        Err(other) => Err(Error::Kms(other.message().to_owned())),
    }
}

/// What a trail's objects are encrypted with besides `aws:s3:arn` (KMS Developer Guide, "How AWS CloudTrail uses AWS KMS").
pub(super) fn encryption_context(trail: &Trail) -> EncryptionContext {
    let pairs = BTreeMap::from([("aws:cloudtrail:arn".to_owned(), trail.arn())]);
    EncryptionContext::try_from(pairs).expect("a trail's ARN is far shorter than a context may be")
}
