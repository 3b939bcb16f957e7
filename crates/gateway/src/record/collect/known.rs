//! What the events of a request need of the stores, beside the request and its answer.

use keys::AccountId;

use super::super::event::Resource;
use super::super::s3::{self, Target};
use super::query::{Named, role};
use crate::app::App;
use crate::query_protocol::Form;
use crate::request::Request;
use crate::s3::{copy_source, names};
use crate::service::Service;

/// What events take from the stores.
#[derive(Default)]
pub(in crate::record) struct Known {
    /// Whose the bucket is that a request to S3 names, if there is such a bucket and its record will tell.
    pub(super) owner: Option<AccountId>,
    /// What a copy reads, and whose its bucket is.
    pub(super) source: Option<Source>,
    /// The role that somebody who has not signed wants to be, in an account that there is.
    pub(super) role: Option<Resource>,
}

pub(super) struct Source {
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) owner: Option<AccountId>,
}

/// What the events of a request will need. Not of the whole answer: one that is still to be read cannot be lent to whoever waits.
pub(in crate::record) async fn known(app: &App, request: &Request, answer: Answer<'_>) -> Known {
    match answer.service {
        Service::S3 => Known {
            owner: bucket_owner(app, request, &answer).await,
            source: copied(app, request, &answer).await,
            role: None,
        },
        Service::Sts if answer.unsigned => Known { role: wanted_role(app, request, &answer).await, ..Known::default() },
        _ => Known::default(),
    }
}

/// Of an answered request.
pub(in crate::record) struct Answer<'a> {
    pub(in crate::record) service: Service,
    pub(in crate::record) operation: &'static str,
    pub(in crate::record) told: &'a [u8],
    pub(in crate::record) unsigned: bool,
    pub(in crate::record) body: &'a [u8],
}

async fn bucket_owner(app: &App, request: &Request, answer: &Answer<'_>) -> Option<AccountId> {
    if matches!(answer.operation, "" | "-") {
        return None;
    }
    let (bucket, key) = names(request)?;
    let target = Target { bucket: bucket.as_deref(), key: key.as_deref(), owner: None };
    if s3::is_data(answer.operation, target) && !app.trails.any_wants_data() {
        return None;
    }
    // What is deleted has no owner any more, but had one.
    if answer.operation == "DeleteBucket"
        && let Some(owner) = std::str::from_utf8(answer.told).ok().and_then(|owner| AccountId::parse(owner).ok())
    {
        return Some(owner);
    }
    owner_of(app, bucket.as_deref()?).await
}

async fn copied(app: &App, request: &Request, answer: &Answer<'_>) -> Option<Source> {
    if !matches!(answer.operation, "CopyObject" | "UploadPartCopy") || !app.trails.any_wants_data() {
        return None;
    }
    let (bucket, key) = copy_source(request)?;
    let owner = owner_of(app, bucket.as_str()).await;
    Some(Source { bucket: bucket.as_str().to_owned(), key, owner })
}

async fn owner_of(app: &App, bucket: &str) -> Option<AccountId> {
    let name = objects::BucketName::parse(bucket).ok()?;
    app.objects.bucket(&name).await.ok().map(|bucket| bucket.owner)
}

/// Anybody can ask to be any role: what is no request at all, or for an account that does not exist, is nobody's event.
async fn wanted_role(app: &App, request: &Request, answer: &Answer<'_>) -> Option<Resource> {
    let shape = model::sts::OPERATIONS.iter().find(|known| known.name == answer.operation)?.request;
    let form = Form::read(request, answer.body).ok()?;
    let json = model::form::to_json(shape, form.members()).ok()?;
    model::check(shape, json.as_bytes()).ok()?;
    let named: Named = serde_json::from_str(&json).ok()?;
    let role = role(named.role_arn.as_deref()?)?;
    // A store that fails keeps nothing off the record.
    app.identity.has_account(role.account?).await.unwrap_or(true).then_some(role)
}
