//! Object tags, which nothing can set yet.

use super::acl::exists;
use super::call::{Call, xml};
use super::error::S3Error;
use super::xml::Writer;
use crate::response::Response;

/// AWS's answer for an object without tags. AWS CLI v2 asks before it copies an object in parts.
pub(crate) async fn get_object_tagging(call: &mut Call<'_>) -> Result<Response, S3Error> {
    let bucket = call.authorized_bucket("s3:GetObjectTagging").await?;
    call.current_version()?;
    exists(call, &bucket).await?;
    Ok(xml(Writer::document("Tagging", |xml| xml.element("TagSet", |_| {}))))
}
