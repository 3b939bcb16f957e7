//! S3 on the wire: REST-XML.
//!
//! | file | what |
//! |---|---|
//! | `operation`, `route` | every operation of the service model, and which one a request asks for |
//! | `headers/` | request headers as types, and back; what is refused because it does not exist here |
//! | `xml/` | a writer, a strict reader, the documents that clients send |
//! | `error` | one table of codes, and what other crates' errors become in it |
//! | `call` | what every handler needs of its request; the only way to a bucket goes through authorization |
//! | `permission`, `circumstances` | from what a request names to the proof that it may; the condition keys of the service |
//! | the others | one family of operations each |

mod acl;
mod attributes;
mod bucket_encryption;
mod bucket_policy;
mod buckets;
mod call;
mod circumstances;
mod copy;
mod date;
mod delete;
mod error;
#[cfg(fuzzing)]
pub mod fuzzing;
mod get;
mod headers;
mod listing;
mod multipart;
mod operation;
mod part;
mod permission;
mod public_access;
mod put;
mod route;
mod tagging;
mod uploads;
mod versions;
mod xml;

pub use operation::Operation;

use crate::app::App;
use crate::auth::{Authenticated, Refusal};
use crate::query::QueryError;
use crate::request::Request;
use crate::response::Response;
use call::Call;
use error::{Code, S3Error};
use http::Method;
use objects::{BucketName, ObjectName, Tags};
use route::Names;

/// Answers an authenticated request. The body may be left unread.
pub async fn handle(app: &App, caller: &Authenticated, request: &mut Request) -> Response {
    let (operation, result) = match open(app, caller, request) {
        Ok(mut call) => {
            let name = call.operation.name();
            let result = run(&mut call).await;
            (name, result.map_err(|error| call.explain(error)))
        }
        // What does not exist here is told to those who say who they are.
        Err(error) if caller.principal().is_anonymous() && error.status() == http::StatusCode::NOT_IMPLEMENTED => {
            ("-", Err(Code::AccessDenied.into()))
        }
        Err(error) => ("-", Err(error)),
    };
    let mut response = result.unwrap_or_else(|error| render(request, &error));
    response.operation = operation;
    response
}

/// What a request that was not let in is answered.
pub fn refuse(request: &Request, refusal: &Refusal) -> Response {
    let error = match refusal {
        Refusal::Anonymous => Code::AccessDenied.into(),
        Refusal::Signature(error) => S3Error::from(error.clone()),
        Refusal::Expired => Code::ExpiredToken.into(),
        Refusal::Failed => Code::InternalError.into(),
    };
    render(request, &error)
}

/// What a request is answered whose query cannot be read.
pub fn bad_query(request: &Request, error: &QueryError) -> Response {
    let error = S3Error::saying(Code::InvalidURI, format!("Couldn't parse the specified URI: {error}."));
    render(request, &error)
}

/// From a request to the operation that it asks for, with its names parsed and what cannot be honoured refused.
fn open<'a>(app: &'a App, caller: &'a Authenticated, request: &'a mut Request) -> Result<Call<'a>, S3Error> {
    let uri = || S3Error::from(Code::InvalidURI).detail("URI", request.path().to_owned());
    let names = Names::parse(request.path(), request.bucket_host.as_deref()).ok_or_else(uri)?;
    let scope = names.scope().ok_or_else(uri)?;
    if is_presigned(request) {
        headers::unhoist(request.query.iter(), &mut request.headers)?;
    }
    let target =
        route::Target { method: request.method.as_str(), scope, query: &request.query, headers: &request.headers };
    let operation =
        route::resolve(&target).map_err(|misroute| error::misroute(misroute, request.method.as_str(), scope))?;
    let bucket = names.bucket.as_deref().map(bucket_name).transpose()?;
    let key = names.key.as_deref().map(ObjectName::parse).transpose()?;
    headers::refuse_unbuilt(operation, &request.headers)?;
    Ok(Call { app, caller, operation, bucket, key, request, tags: Tags::default(), location: None })
}

fn is_presigned(request: &Request) -> bool {
    request.query.iter().any(|(name, _)| name.eq_ignore_ascii_case("X-Amz-Signature"))
}

fn bucket_name(text: &str) -> Result<BucketName, S3Error> {
    BucketName::parse(text).map_err(|error| S3Error::from(error).detail("BucketName", text))
}

/// Each future is boxed: together they would make every request as large as the largest.
async fn run(call: &mut Call<'_>) -> Result<Response, S3Error> {
    match call.operation {
        Operation::PutObject => Box::pin(put::put_object(call)).await,
        Operation::GetObject => Box::pin(get::get_object(call)).await,
        Operation::HeadObject => Box::pin(get::head_object(call)).await,
        Operation::DeleteObject => Box::pin(delete::delete_object(call)).await,
        Operation::DeleteObjects => Box::pin(delete::delete_objects(call)).await,
        Operation::CopyObject => Box::pin(copy::copy_object(call)).await,
        Operation::GetObjectAttributes => Box::pin(attributes::get_object_attributes(call)).await,
        Operation::ListObjects => Box::pin(listing::list_objects(call)).await,
        Operation::ListObjectsV2 => Box::pin(listing::list_objects_v2(call)).await,
        Operation::ListObjectVersions => Box::pin(versions::list_object_versions(call)).await,
        Operation::GetBucketVersioning => Box::pin(versions::get_bucket_versioning(call)).await,
        Operation::CreateMultipartUpload => Box::pin(multipart::create_multipart_upload(call)).await,
        Operation::CompleteMultipartUpload => Box::pin(multipart::complete_multipart_upload(call)).await,
        Operation::AbortMultipartUpload => Box::pin(multipart::abort_multipart_upload(call)).await,
        Operation::UploadPart => Box::pin(part::upload_part(call)).await,
        Operation::UploadPartCopy => Box::pin(part::upload_part_copy(call)).await,
        Operation::ListParts => Box::pin(uploads::list_parts(call)).await,
        Operation::ListMultipartUploads => Box::pin(uploads::list_multipart_uploads(call)).await,
        Operation::ListBuckets => Box::pin(buckets::list_buckets(call)).await,
        Operation::CreateBucket => Box::pin(buckets::create_bucket(call)).await,
        Operation::HeadBucket => Box::pin(buckets::head_bucket(call)).await,
        Operation::DeleteBucket => Box::pin(buckets::delete_bucket(call)).await,
        Operation::GetBucketLocation => Box::pin(buckets::get_bucket_location(call)).await,
        Operation::GetBucketEncryption => Box::pin(bucket_encryption::get_bucket_encryption(call)).await,
        Operation::PutBucketEncryption => Box::pin(bucket_encryption::put_bucket_encryption(call)).await,
        Operation::DeleteBucketEncryption => Box::pin(bucket_encryption::delete_bucket_encryption(call)).await,
        Operation::GetBucketAcl => Box::pin(acl::get_bucket_acl(call)).await,
        Operation::GetObjectAcl => Box::pin(acl::get_object_acl(call)).await,
        Operation::GetObjectTagging => Box::pin(tagging::get_object_tagging(call)).await,
        Operation::PutObjectTagging => Box::pin(tagging::put_object_tagging(call)).await,
        Operation::DeleteObjectTagging => Box::pin(tagging::delete_object_tagging(call)).await,
        Operation::GetBucketTagging => Box::pin(tagging::get_bucket_tagging(call)).await,
        Operation::PutBucketTagging => Box::pin(tagging::put_bucket_tagging(call)).await,
        Operation::DeleteBucketTagging => Box::pin(tagging::delete_bucket_tagging(call)).await,
        Operation::GetBucketPolicy => Box::pin(bucket_policy::get_bucket_policy(call)).await,
        Operation::PutBucketPolicy => Box::pin(bucket_policy::put_bucket_policy(call)).await,
        Operation::DeleteBucketPolicy => Box::pin(bucket_policy::delete_bucket_policy(call)).await,
        Operation::GetBucketPolicyStatus => Box::pin(bucket_policy::get_bucket_policy_status(call)).await,
        Operation::GetPublicAccessBlock => Box::pin(public_access::get_public_access_block(call)).await,
        Operation::PutPublicAccessBlock => Box::pin(public_access::put_public_access_block(call)).await,
        Operation::DeletePublicAccessBlock => Box::pin(public_access::delete_public_access_block(call)).await,
        Operation::PutBucketAcl => Box::pin(acl::put_bucket_acl(call)).await,
        Operation::PutObjectAcl => Box::pin(acl::put_object_acl(call)).await,
        Operation::GetBucketOwnershipControls => Box::pin(acl::get_bucket_ownership_controls(call)).await,
        Operation::PutBucketOwnershipControls => Box::pin(acl::put_bucket_ownership_controls(call)).await,
        // The route has answered these already; tests/s3.rs finds a row that says Built and has no handler.
        other => Err(error::not_built(other)),
    }
}

/// An error answer. HEAD and 304 have no body (RFC 9110, 9.3.2 and 15.4.5).
fn render(request: &Request, error: &S3Error) -> Response {
    let status = error.status();
    let mut response = if request.method == Method::HEAD || status == http::StatusCode::NOT_MODIFIED {
        Response::empty(status)
    } else {
        let xml = error.to_xml(request.path(), &request.id.short(), &request.id.extended());
        Response::full(status, XML, xml)
    };
    for (name, value) in error.headers() {
        response.set(name.clone(), value.clone());
    }
    response.failing(error.code(), error.message())
}

/// The bucket and the key that a request names; none if its path cannot be read.
pub(crate) fn names(request: &Request) -> Option<(Option<String>, Option<String>)> {
    let names = Names::parse(request.path(), request.bucket_host.as_deref())?;
    Some((names.bucket, names.key))
}

/// The bucket and the key that a copy reads, as its request names them.
pub(crate) fn copy_source(request: &Request) -> Option<(BucketName, String)> {
    let value = std::str::from_utf8(request.headers.get("x-amz-copy-source")?.as_bytes()).ok()?;
    let copy::SourceName { bucket, key, .. } = copy::parse_source(value).ok()?;
    Some((bucket, key.as_str().to_owned()))
}

/// What became of one object of a DeleteObjects, for its record.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Removed {
    pub(crate) key: String,
    pub(crate) version: Option<String>,
    /// Code and message.
    pub(crate) error: Option<(String, String)>,
}

/// What S3 makes of a failure.
pub(crate) fn code_and_message(error: objects::Error) -> (String, String) {
    let error = S3Error::from(error);
    (error.code().to_owned(), error.message().to_owned())
}

/// What a request is answered that could not be recorded.
pub(crate) fn unrecorded(request: &Request) -> Response {
    render(request, &Code::InternalError.into())
}

/// What a request is answered that came too soon.
pub(crate) fn slow_down(request: &Request) -> Response {
    render(request, &Code::SlowDown.into())
}

/// The type of every document.
const XML: &str = "application/xml";
