//! GetPublicAccessBlock, PutPublicAccessBlock, DeletePublicAccessBlock, of a bucket.

use super::call::{Call, xml};
use super::error::{Code, S3Error};
use super::xml::{Writer, request};
use crate::response::Response;
use http::StatusCode;

pub(crate) async fn get_public_access_block(call: &mut Call<'_>) -> Result<Response, S3Error> {
    let bucket = call.authorized_bucket("s3:GetBucketPublicAccessBlock").await?;
    let Some(block) = bucket.public_access_block else {
        let error = S3Error::from(Code::NoSuchPublicAccessBlockConfiguration);
        return Err(error.detail("BucketName", bucket.name.as_str()));
    };
    Ok(xml(Writer::document("PublicAccessBlockConfiguration", |xml| {
        xml.value("BlockPublicAcls", block.block_public_acls);
        xml.value("IgnorePublicAcls", block.ignore_public_acls);
        xml.value("BlockPublicPolicy", block.block_public_policy);
        xml.value("RestrictPublicBuckets", block.restrict_public_buckets);
    })))
}

pub(crate) async fn put_public_access_block(call: &mut Call<'_>) -> Result<Response, S3Error> {
    let bucket = call.authorized_bucket("s3:PutBucketPublicAccessBlock").await?;
    let body = call.document(DOCUMENT_LIMIT).await?;
    let Some(block) = request::public_access_block(&body)? else {
        return Err(S3Error::request("Must specify at least one configuration."));
    };
    call.app.objects.put_public_access_block(&bucket, Some(block)).await?;
    Ok(Response::empty(StatusCode::OK))
}

pub(crate) async fn delete_public_access_block(call: &mut Call<'_>) -> Result<Response, S3Error> {
    let bucket = call.authorized_bucket("s3:PutBucketPublicAccessBlock").await?;
    call.app.objects.put_public_access_block(&bucket, None).await?;
    Ok(Response::empty(StatusCode::NO_CONTENT))
}

/// Four settings.
const DOCUMENT_LIMIT: usize = 64 * 1024;
