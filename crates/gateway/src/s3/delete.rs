//! DeleteObject and DeleteObjects.

use super::Removed;
use super::call::{Call, Version, version, xml};
use super::date;
use super::error::S3Error;
use super::headers;
use super::permission::Target;
use super::xml::Writer;
use super::xml::request::{self, DeleteTarget};
use crate::response::Response;
use http::StatusCode;
use objects::{Bucket, DeleteCondition, DeleteEntry, ETagMatch, ObjectName};
use std::sync::Arc;

pub(crate) async fn delete_object(call: &mut Call<'_>) -> Result<Response, S3Error> {
    let condition = headers::delete_condition(call.headers())?;
    let bucket = call.authorized_object(call.by_version("s3:DeleteObject", "s3:DeleteObjectVersion")).await?;
    // Deleting a version that cannot exist deletes nothing, which AWS calls success.
    if call.version()? == Version::Current {
        let name = call.object_name()?;
        call.app.objects.delete_object(bucket.principal(), &bucket, name, &condition).await?;
    }
    Ok(Response::empty(StatusCode::NO_CONTENT))
}

pub(crate) async fn delete_objects(call: &mut Call<'_>) -> Result<Response, S3Error> {
    let sent = call.headers();
    if !sent.contains_key("content-md5") && headers::claim(sent)?.is_none() {
        return Err(S3Error::request("Missing required header for this request: Content-MD5"));
    }
    let bucket = call.promising_bucket().await?;
    let body = call.document(DOCUMENT_LIMIT).await?;
    let request = request::delete(&body)?;

    let mut plans: Vec<Plan> = Vec::with_capacity(request.objects.len());
    for target in &request.objects {
        plans.push(permitted(call, &bucket, target).await);
    }
    let entries: Vec<DeleteEntry> = plans.iter().filter_map(|plan| plan.as_ref().ok()?.clone()).collect();
    let mut results = call.app.objects.delete_objects(call.principal(), &bucket, &entries).await?.into_iter();
    let outcomes = plans.into_iter().map(|plan| match plan {
        Err(error) => Err(error),
        Ok(None) => Ok(()),
        Ok(Some(_)) => results.next().unwrap_or(Err(objects::Error::Internal)).map_err(S3Error::from),
    });
    let outcomes: Vec<_> = request.objects.iter().zip(outcomes).collect();
    let removed = |(target, outcome): &(&DeleteTarget, Result<(), S3Error>)| Removed {
        key: target.key.clone(),
        version: target.version.clone(),
        error: outcome.as_ref().err().map(|error| (error.code().to_owned(), error.message().to_owned())),
    };
    // Each is an event of its own, if anybody wants to know.
    let told = match call.app.trails.any_wants_data() {
        true => serde_json::to_vec(&outcomes.iter().map(removed).collect::<Vec<_>>()).unwrap_or_default(),
        false => Vec::new(),
    };
    let mut response = xml(Writer::document("DeleteResult", |xml| {
        for (target, outcome) in &outcomes {
            match outcome {
                Ok(()) if request.quiet => {}
                Ok(()) => xml.element("Deleted", |xml| name(xml, target)),
                Err(error) => xml.element("Error", |xml| {
                    name(xml, target);
                    xml.text("Code", error.code());
                    xml.text("Message", error.message());
                }),
            }
        }
    }));
    response.told = told.into();
    Ok(response)
}

/// What to do for one object: an entry for the domain, nothing, or an error that is known already.
type Plan = Result<Option<DeleteEntry>, S3Error>;

/// Each object is decided about by itself: what one entry may, says nothing of the next.
async fn permitted(call: &Call<'_>, bucket: &Arc<Bucket>, target: &DeleteTarget) -> Plan {
    let key = ObjectName::parse(&target.key)?;
    let version = target.version.as_deref();
    let action = if version.is_some() { "s3:DeleteObjectVersion" } else { "s3:DeleteObject" };
    call.permit(Target::object(bucket, &key, version), action).await?;
    plan(target)
}

fn plan(target: &DeleteTarget) -> Plan {
    let name = ObjectName::parse(&target.key)?;
    if target.version.as_deref().map_or(Ok(Version::Current), version)? == Version::Absent {
        return Ok(None);
    }
    let modified = target.modified.as_deref().map(|text| {
        date::parse(text).ok_or_else(|| S3Error::argument("The date is not valid.", "LastModifiedTime", text))
    });
    let condition = DeleteCondition {
        if_match: target.etag.as_deref().map(ETagMatch::parse),
        if_match_modified: modified.transpose()?,
        if_match_size: target.size,
    };
    Ok(Some(DeleteEntry { name, condition }))
}

fn name(xml: &mut Writer, target: &DeleteTarget) {
    xml.text("Key", &target.key);
    xml.optional("VersionId", target.version.as_deref());
}

/// 1,000 keys of 1,024 bytes, escaped.
const DOCUMENT_LIMIT: usize = 4 * 1024 * 1024;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn what_each_target_asks() {
        let target = |version: Option<&str>| DeleteTarget {
            key: "k".into(),
            version: version.map(str::to_owned),
            ..DeleteTarget::default()
        };
        assert!(plan(&target(None)).unwrap().is_some());
        assert!(plan(&target(Some("null"))).unwrap().is_some());
        assert!(plan(&target(Some(&"v".repeat(32)))).unwrap().is_none());
        assert_eq!(plan(&target(Some("?"))).unwrap_err().code(), "InvalidArgument");
        let long = DeleteTarget { key: "k".repeat(1_025), ..DeleteTarget::default() };
        assert_eq!(plan(&long).unwrap_err().code(), "KeyTooLongError");
    }
}
