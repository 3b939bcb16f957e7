//! Tags of objects and buckets: Get, Put and Delete of each.

use super::call::{Call, xml};
use super::error::{Code, S3Error};
use super::xml::{Writer, request};
use crate::response::Response;
use http::StatusCode;
use objects::Tags;

pub(crate) async fn get_object_tagging(call: &mut Call<'_>) -> Result<Response, S3Error> {
    let bucket = call.authorized_bucket("s3:GetObjectTagging").await?;
    call.current_version()?;
    let tags = call.app.objects.object_tags(&bucket, call.object_name()?).await?;
    Ok(document(&tags))
}

pub(crate) async fn put_object_tagging(call: &mut Call<'_>) -> Result<Response, S3Error> {
    call.current_version()?;
    let body = call.document(DOCUMENT_LIMIT).await?;
    let tags = Tags::of_object(request::tagging(&body)?).map_err(objects::Error::from)?;
    let bucket = call.authorized_bucket("s3:PutObjectTagging").await?;
    call.app.objects.put_object_tags(&bucket, call.object_name()?, &tags, None).await?;
    Ok(Response::empty(StatusCode::OK))
}

pub(crate) async fn delete_object_tagging(call: &mut Call<'_>) -> Result<Response, S3Error> {
    let bucket = call.authorized_bucket("s3:DeleteObjectTagging").await?;
    call.current_version()?;
    call.app.objects.put_object_tags(&bucket, call.object_name()?, &Tags::default(), None).await?;
    Ok(Response::empty(StatusCode::NO_CONTENT))
}

pub(crate) async fn get_bucket_tagging(call: &mut Call<'_>) -> Result<Response, S3Error> {
    let bucket = call.authorized_bucket("s3:GetBucketTagging").await?;
    if bucket.tags.is_empty() {
        return Err(S3Error::from(Code::NoSuchTagSet).detail("BucketName", bucket.name.as_str()));
    }
    Ok(document(&bucket.tags))
}

pub(crate) async fn put_bucket_tagging(call: &mut Call<'_>) -> Result<Response, S3Error> {
    let body = call.document(DOCUMENT_LIMIT).await?;
    let tags = Tags::of_bucket(request::tagging(&body)?).map_err(objects::Error::from)?;
    let bucket = call.authorized_bucket("s3:PutBucketTagging").await?;
    call.app.objects.put_bucket_tags(&bucket, &tags).await?;
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
