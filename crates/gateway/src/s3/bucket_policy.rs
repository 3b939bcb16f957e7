//! GetBucketPolicy, PutBucketPolicy, DeleteBucketPolicy, GetBucketPolicyStatus.

use super::call::{Call, xml};
use super::error::{Code, S3Error};
use super::headers::text;
use super::xml::Writer;
use crate::response::Response;
use http::StatusCode;
use identity::UnknownPrincipal;
use objects::{BUCKET_POLICY_LIMIT, Bucket, BucketPolicy};

pub(crate) async fn get_bucket_policy(call: &mut Call<'_>) -> Result<Response, S3Error> {
    let bucket = call.authorized_bucket("s3:GetBucketPolicy").await?;
    own(call, &bucket)?;
    let policy = bucket.policy.as_ref().ok_or_else(|| missing(&bucket))?;
    let shown = call.app.identity.show_policy(policy.text()).await.map_err(|error| failed(&error))?;
    Ok(Response::full(StatusCode::OK, "application/json", shown))
}

/// `x-amz-confirm-remove-self-bucket-access` confirms what AWS does without it too, so its value is checked and nothing else.
pub(crate) async fn put_bucket_policy(call: &mut Call<'_>) -> Result<Response, S3Error> {
    let confirm = text(call.headers(), CONFIRM)?;
    if let Some(other) = confirm.filter(|value| !matches!(value.to_ascii_lowercase().as_str(), "true" | "false")) {
        return Err(S3Error::argument(format!("Value for {CONFIRM} header is invalid."), CONFIRM, other));
    }
    let bucket = call.authorized_bucket("s3:PutBucketPolicy").await?;
    own(call, &bucket)?;
    let body = call.document(DOCUMENT_LIMIT).await?;
    let policy = std::str::from_utf8(&body).map_err(|_| S3Error::from(Code::MalformedPolicy))?;
    BucketPolicy::parse(&bucket.name, policy)?;
    let pinned = call.app.identity.pin_policy(policy).await.map_err(|error| failed(&error))?;
    let policy =
        BucketPolicy::renamed(&pinned.map_err(|UnknownPrincipal(named)| BucketPolicy::unknown_principal(&named))?)?;
    call.app.objects.put_bucket_policy(&bucket, &policy).await.map_err(|error| match error {
        objects::Error::PublicPolicyBlocked => {
            let (arn, bucket) = (&call.principal().arn, bucket.name.arn());
            let message = format!(
                "User: {arn} is not authorized to perform: s3:PutBucketPolicy on resource: \"{bucket}\" because {error}."
            );
            S3Error::saying(Code::AccessDenied, message)
        }
        other => other.into(),
    })?;
    Ok(Response::empty(StatusCode::NO_CONTENT))
}

pub(crate) async fn delete_bucket_policy(call: &mut Call<'_>) -> Result<Response, S3Error> {
    let bucket = call.authorized_bucket("s3:DeleteBucketPolicy").await?;
    own(call, &bucket)?;
    call.app.objects.delete_bucket_policy(&bucket).await?;
    Ok(Response::empty(StatusCode::NO_CONTENT))
}

pub(crate) async fn get_bucket_policy_status(call: &mut Call<'_>) -> Result<Response, S3Error> {
    let bucket = call.authorized_bucket("s3:GetBucketPolicyStatus").await?;
    let policy = bucket.policy.as_ref().ok_or_else(|| missing(&bucket))?;
    Ok(xml(Writer::document("PolicyStatus", |xml| xml.value("IsPublic", policy.is_public()))))
}

/// Whoever is allowed but is of another account gets 405
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html>).
fn own(call: &Call<'_>, bucket: &Bucket) -> Result<(), S3Error> {
    if call.principal().account == bucket.owner { Ok(()) } else { Err(Code::MethodNotAllowed.into()) }
}

/// Whom a policy names cannot be looked up.
fn failed(error: &identity::Error) -> S3Error {
    tracing::error!(%error, "the principals of a bucket policy could not be looked up");
    Code::InternalError.into()
}

fn missing(bucket: &Bucket) -> S3Error {
    S3Error::from(Code::NoSuchBucketPolicy).detail("BucketName", bucket.name.as_str())
}

const CONFIRM: &str = "x-amz-confirm-remove-self-bucket-access";
/// More is read than a policy may have, so that what is too long is told as such.
const DOCUMENT_LIMIT: usize = 4 * BUCKET_POLICY_LIMIT;
