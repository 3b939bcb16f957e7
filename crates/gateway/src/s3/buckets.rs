//! ListBuckets, CreateBucket, HeadBucket, DeleteBucket, GetBucketLocation.

use super::call::{Call, xml};
use super::date;
use super::error::{Code, S3Error};
use super::headers;
use super::permission::Own;
use super::xml::{Writer, request};
use crate::response::Response;
use http::{HeaderName, HeaderValue, StatusCode, header};
use keys::AccountId;
use objects::{Bucket, BucketPage, ListBuckets};

pub(crate) async fn list_buckets(call: &mut Call<'_>) -> Result<Response, S3Error> {
    let own = call.permit_own(Own::buckets(), "s3:ListAllMyBuckets")?;
    let prefix = call.query("prefix").unwrap_or_default().to_owned();
    let token = call.query("continuation-token").filter(|token| !token.is_empty());
    let after = token.map(super::listing::open_token).transpose()?;
    let max = match call.query("max-buckets") {
        None | Some("") => BUCKET_PAGE,
        Some(text) => match text.parse() {
            Ok(max @ 1..=BUCKET_PAGE) => max,
            _ => {
                let message = "Argument max-buckets must be an integer between 1 and 10000.";
                return Err(S3Error::argument(message, "max-buckets", text));
            }
        },
    };
    let region = call.app.settings.region.as_str();
    let elsewhere = call.query("bucket-region").is_some_and(|wanted| !wanted.is_empty() && wanted != region);
    let account = own.principal().account;
    let page = if elsewhere {
        BucketPage { buckets: Vec::new(), next: None }
    } else {
        call.app.objects.list_buckets(&account, &ListBuckets { prefix: prefix.clone(), after, max }).await?
    };
    Ok(xml(Writer::document("ListAllMyBucketsResult", |xml| {
        owner(xml, "Owner", &account);
        xml.element("Buckets", |xml| {
            for bucket in &page.buckets {
                xml.element("Bucket", |xml| {
                    xml.text("Name", bucket.name.as_str());
                    xml.value("CreationDate", date::iso(bucket.created));
                    xml.text("BucketRegion", bucket.region.as_str());
                });
            }
        });
        xml.optional("Prefix", Some(prefix.as_str()).filter(|prefix| !prefix.is_empty()));
        xml.optional("ContinuationToken", page.next.as_deref().map(super::listing::seal_token).as_deref());
    })))
}

pub(crate) async fn create_bucket(call: &mut Call<'_>) -> Result<Response, S3Error> {
    if call.principal().is_anonymous() {
        return Err(Code::AccessDenied.into());
    }
    let body = call.document(CONFIGURATION_LIMIT).await?;
    let configuration = request::bucket_configuration(&body)?;
    call.location = configuration.location.clone();
    let own = call.permit_own(Own::new_bucket(call.bucket_name()?), "s3:CreateBucket")?;
    headers::refuse_permitted(call.operation, call.headers())?;
    if let Some(unbuilt) = configuration.unbuilt {
        return Err(S3Error::not_implemented(unbuilt));
    }
    let region = call.app.settings.region.as_str();
    check_location(region, configuration.location.as_deref())?;
    let name = call.bucket_name()?;
    match call.app.objects.create_bucket(own.principal(), name).await {
        Ok(_) => {}
        // Historically, and in this Region alone, AWS answers the owner's second attempt like the first.
        Err(objects::Error::BucketAlreadyOwnedByYou) if region == FIRST_REGION => {}
        Err(error) => return Err(error.into()),
    }
    let mut response = Response::empty(StatusCode::OK);
    response.set(header::LOCATION, ascii(&format!("/{name}")));
    Ok(response)
}

pub(crate) async fn head_bucket(call: &mut Call<'_>) -> Result<Response, S3Error> {
    let bucket = call.authorized_bucket("s3:ListBucket").await?;
    let mut response = Response::empty(StatusCode::OK);
    response.set(BUCKET_REGION, ascii(bucket.region.as_str()));
    response.set(ACCESS_POINT_ALIAS, HeaderValue::from_static("false"));
    Ok(response)
}

pub(crate) async fn delete_bucket(call: &mut Call<'_>) -> Result<Response, S3Error> {
    let bucket = call.authorized_bucket("s3:DeleteBucket").await?;
    call.app.objects.delete_bucket(&bucket).await?;
    let mut response = Response::empty(StatusCode::NO_CONTENT);
    // Who is told of it can be asked of no bucket any more.
    response.told = bytes::Bytes::copy_from_slice(bucket.owner.as_str().as_bytes());
    Ok(response)
}

pub(crate) async fn get_bucket_location(call: &mut Call<'_>) -> Result<Response, S3Error> {
    let bucket = call.authorized_bucket("s3:GetBucketLocation").await?;
    Ok(xml(Writer::document("LocationConstraint", |xml| xml.content(location(&bucket)))))
}

/// `<name><ID>...</ID></name>`: accounts are named by their id; AWS's canonical user ids have no other use, and it sends no display names
/// any more.
pub(crate) fn owner(xml: &mut Writer, name: &str, account: &AccountId) {
    xml.element(name, |xml| xml.text("ID", account.as_str()));
}

/// Empty for the first Region (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html>).
fn location(bucket: &Bucket) -> &str {
    let region = bucket.region.as_str();
    if region == FIRST_REGION { "" } else { region }
}

/// The Region of the endpoint must be named, except the first, which must not be.
fn check_location(region: &str, constraint: Option<&str>) -> Result<(), S3Error> {
    match constraint {
        None if region == FIRST_REGION => Ok(()),
        None => Err(Code::IllegalLocationConstraintException.into()),
        Some(FIRST_REGION) => {
            Err(S3Error::new(Code::InvalidLocationConstraint).detail("LocationConstraint", FIRST_REGION))
        }
        Some(named) if named == region || (named == "EU" && region == "eu-west-1") => Ok(()),
        Some(named) => Err(S3Error::saying(
            Code::IllegalLocationConstraintException,
            format!(
                "The {named} location constraint is incompatible for the region specific endpoint this request was sent to."
            ),
        )),
    }
}

fn ascii(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("names of buckets and Regions are lower-case ASCII")
}

const BUCKET_REGION: HeaderName = HeaderName::from_static("x-amz-bucket-region");
const ACCESS_POINT_ALIAS: HeaderName = HeaderName::from_static("x-amz-access-point-alias");
/// The Region that was there before Regions were.
const FIRST_REGION: &str = "us-east-1";
/// AWS's page, and its largest (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html>).
const BUCKET_PAGE: usize = 10_000;
/// A Region's name, or 50 tags of 384 characters.
const CONFIGURATION_LIMIT: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn location_constraints() {
        let code = |region, constraint| check_location(region, constraint).err().map(|error| error.code().to_owned());
        assert_eq!(code("us-east-1", None), None);
        assert_eq!(code("us-east-1", Some("us-east-1")).as_deref(), Some("InvalidLocationConstraint"));
        assert_eq!(code("us-east-1", Some("eu-west-1")).as_deref(), Some("IllegalLocationConstraintException"));
        assert_eq!(code("eu-west-1", Some("eu-west-1")), None);
        assert_eq!(code("eu-west-1", Some("EU")), None);
        assert_eq!(code("eu-west-1", None).as_deref(), Some("IllegalLocationConstraintException"));
    }
}
