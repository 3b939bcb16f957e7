//! Tags of objects and buckets: Get, Put and Delete of each.

use super::call::{Call, xml};
use super::error::{Code, S3Error};
use super::permission::Held;
use super::xml::{Writer, request};
use crate::authorize::Authorized;
use crate::response::Response;
use http::StatusCode;
use objects::Tags;

pub(crate) async fn get_object_tagging(call: &mut Call<'_>) -> Result<Response, S3Error> {
    let action = call.by_version("s3:GetObjectTagging", "s3:GetObjectVersionTagging");
    let bucket = call.authorized_object(action).await?;
    call.current_version()?;
    match call.app.objects.object_tags(&bucket, call.object_name()?).await {
        Ok(tags) if bucket.seen().is_some_and(|seen| *seen != tags) => Err(Code::OperationAborted.into()),
        Ok(tags) => Ok(document(&tags)),
        Err(error) => Err(call.missing(bucket.bucket(), call.object_name()?, error).await),
    }
}

pub(crate) async fn put_object_tagging(call: &mut Call<'_>) -> Result<Response, S3Error> {
    call.promising_bucket().await?;
    let body = call.document(DOCUMENT_LIMIT).await?;
    call.tags = Tags::of_object(request::tagging(&body)?).map_err(objects::Error::from)?;
    let action = call.by_version("s3:PutObjectTagging", "s3:PutObjectVersionTagging");
    let bucket = call.authorized_object(action).await?;
    call.current_version()?;
    replace(call, &bucket).await?;
    Ok(Response::empty(StatusCode::OK))
}

pub(crate) async fn delete_object_tagging(call: &mut Call<'_>) -> Result<Response, S3Error> {
    let action = call.by_version("s3:DeleteObjectTagging", "s3:DeleteObjectVersionTagging");
    let bucket = call.authorized_object(action).await?;
    call.current_version()?;
    replace(call, &bucket).await?;
    Ok(Response::empty(StatusCode::NO_CONTENT))
}

/// Gives the object the request's tags.
async fn replace(call: &Call<'_>, bucket: &Authorized<Held>) -> Result<(), S3Error> {
    let put = call.app.objects.put_object_tags(bucket, call.object_name()?, &call.tags, bucket.seen()).await;
    match put {
        Ok(()) => Ok(()),
        Err(error) => Err(call.missing(bucket.bucket(), call.object_name()?, error).await),
    }
}

pub(crate) async fn get_bucket_tagging(call: &mut Call<'_>) -> Result<Response, S3Error> {
    let bucket = call.authorized_bucket("s3:GetBucketTagging").await?;
    if bucket.tags.is_empty() {
        return Err(S3Error::from(Code::NoSuchTagSet).detail("BucketName", bucket.name.as_str()));
    }
    Ok(document(&bucket.tags))
}

pub(crate) async fn put_bucket_tagging(call: &mut Call<'_>) -> Result<Response, S3Error> {
    call.promising_bucket().await?;
    let body = call.document(DOCUMENT_LIMIT).await?;
    call.tags = Tags::of_bucket(request::tagging(&body)?).map_err(objects::Error::from)?;
    let bucket = call.authorized_bucket("s3:PutBucketTagging").await?;
    call.app.objects.put_bucket_tags(&bucket, &call.tags).await?;
    Ok(Response::empty(StatusCode::NO_CONTENT))
}

pub(crate) async fn delete_bucket_tagging(call: &mut Call<'_>) -> Result<Response, S3Error> {
    let bucket = call.authorized_bucket("s3:PutBucketTagging").await?;
    call.app.objects.put_bucket_tags(&bucket, &Tags::default()).await?;
    Ok(Response::empty(StatusCode::NO_CONTENT))
}

fn document(tags: &Tags) -> Response {
    xml(Writer::document("Tagging", |xml| {
        xml.element("TagSet", |xml| {
            for (key, value) in tags.iter() {
                xml.element("Tag", |xml| {
                    xml.text("Key", key);
                    xml.text("Value", value);
                });
            }
        });
    }))
}

/// 50 tags of 384 characters, escaped and indented.
const DOCUMENT_LIMIT: usize = 256 * 1024;
