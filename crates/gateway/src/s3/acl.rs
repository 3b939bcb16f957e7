//! ACLs, which are disabled on every bucket (`BucketOwnerEnforced`): reading tells so, writing anything else is refused.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html>

use super::buckets::owner;
use super::call::{Call, xml};
use super::error::{Code, S3Error};
use super::headers;
use super::permission::Held;
use super::xml::Writer;
use super::xml::request::{self, AccessPolicy};
use crate::authorize::Authorized;
use crate::response::Response;
use http::StatusCode;
use keys::AccountId;
use objects::GetObject;

pub(crate) async fn get_bucket_acl(call: &mut Call<'_>) -> Result<Response, S3Error> {
    let bucket = call.authorized_bucket("s3:GetBucketAcl").await?;
    Ok(xml(full_control(&bucket.owner)))
}

pub(crate) async fn get_object_acl(call: &mut Call<'_>) -> Result<Response, S3Error> {
    let bucket = call.authorized_object(call.by_version("s3:GetObjectAcl", "s3:GetObjectVersionAcl")).await?;
    call.current_version()?;
    exists(call, &bucket).await?;
    Ok(xml(full_control(&bucket.owner)))
}

pub(crate) async fn put_bucket_acl(call: &mut Call<'_>) -> Result<Response, S3Error> {
    let bucket = call.authorized_bucket("s3:PutBucketAcl").await?;
    accept_what_is_so(call, &bucket.owner).await
}

pub(crate) async fn put_object_acl(call: &mut Call<'_>) -> Result<Response, S3Error> {
    let bucket = call.authorized_object(call.by_version("s3:PutObjectAcl", "s3:PutObjectVersionAcl")).await?;
    call.current_version()?;
    exists(call, &bucket).await?;
    accept_what_is_so(call, &bucket.owner).await
}

pub(crate) async fn get_bucket_ownership_controls(call: &mut Call<'_>) -> Result<Response, S3Error> {
    call.authorized_bucket("s3:GetBucketOwnershipControls").await?;
    Ok(xml(Writer::document("OwnershipControls", |xml| {
        xml.element("Rule", |xml| xml.text("ObjectOwnership", "BucketOwnerEnforced"));
    })))
}

/// What holds anyway can be said; ACLs cannot be enabled.
pub(crate) async fn put_bucket_ownership_controls(call: &mut Call<'_>) -> Result<Response, S3Error> {
    call.authorized_bucket("s3:PutBucketOwnershipControls").await?;
    let body = call.document(DOCUMENT_LIMIT).await?;
    match request::ownership(&body)?.as_str() {
        "BucketOwnerEnforced" => Ok(Response::empty(StatusCode::OK)),
        "BucketOwnerPreferred" | "ObjectWriter" => Err(S3Error::not_implemented("ObjectOwnership")),
        _ => Err(Code::MalformedXML.into()),
    }
}

/// The canned ACL was checked with the other headers; a document may say the same: FULL_CONTROL for the owner and nothing else.
async fn accept_what_is_so(call: &mut Call<'_>, owner: &AccountId) -> Result<Response, S3Error> {
    headers::refuse_permitted(call.operation, call.headers())?;
    let canned = call.headers().contains_key("x-amz-acl");
    let body = call.document(DOCUMENT_LIMIT).await?;
    if body.is_empty() && !canned {
        return Err(Code::MissingRequestBodyError.into());
    }
    if !body.is_empty() {
        let policy = request::access_policy(&body).map_err(|_| S3Error::from(Code::MalformedACLError))?;
        if canned || !says_full_control(&policy, owner.as_str()) {
            return Err(Code::AccessControlListNotSupported.into());
        }
    }
    Ok(Response::empty(StatusCode::OK))
}

fn says_full_control(policy: &AccessPolicy, owner: &str) -> bool {
    let grant = (Some("FULL_CONTROL".to_owned()), Some(owner.to_owned()));
    policy.owner.as_deref().is_none_or(|named| named == owner) && policy.grants == [grant]
}

fn full_control(account: &AccountId) -> String {
    Writer::document("AccessControlPolicy", |xml| {
        owner(xml, "Owner", account);
        xml.element("AccessControlList", |xml| {
            xml.element("Grant", |xml| {
                xml.element_with("Grantee", GRANTEE, |xml| xml.text("ID", account.as_str()));
                xml.text("Permission", "FULL_CONTROL");
            });
        });
    })
}

/// What is told of an object needs an object; an SSE-C key is not asked for.
async fn exists(call: &Call<'_>, bucket: &Authorized<Held>) -> Result<(), S3Error> {
    let request = GetObject { seen: bucket.seen().cloned(), ..GetObject::default() };
    let found = call.app.objects.head_object(bucket.principal(), bucket, call.object_name()?, request).await;
    match found {
        Err(objects::Error::InvalidRequest(_)) | Ok(_) => Ok(()),
        Err(other) => Err(call.missing(bucket.bucket(), call.object_name()?, other).await),
    }
}

const GRANTEE: &str = "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\"";
/// 100 grants of a canonical id take less than 32 KiB.
const DOCUMENT_LIMIT: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn what_is_read_can_be_written_back_and_nothing_else() {
        let account = AccountId::parse("000000000001").unwrap();
        let policy = request::access_policy(full_control(&account).as_bytes()).unwrap();
        assert!(says_full_control(&policy, "000000000001"));
        assert!(!says_full_control(&policy, "000000000002"));
        let mut two = policy;
        two.grants.push((Some("READ".into()), None));
        assert!(!says_full_control(&two, "000000000001"));
    }
}
