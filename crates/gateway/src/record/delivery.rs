//! Records of what CloudTrail itself does: it stores an object, and S3 asks KMS for that.

use std::time::SystemTime;

use audit::trail::{Facts, File, Trail};
use keys::KeyUse;
use uuid::Uuid;

use super::collect::{forwarded, recipients};
use super::event::Told;
use super::json::Object;
use super::s3::{self, Target};
use crate::app::App;
use crate::cloudtrail::{SERVICE, service_principal};
use crate::request::RequestId;

/// A delivery, as a request.
pub(crate) struct Delivered {
    /// Of the request.
    pub(crate) id: Uuid,
    /// Of its event.
    pub(crate) event: Uuid,
    pub(crate) time: SystemTime,
}

/// The events of a delivery: a data event for the bucket's owner, if a trail wants it, and the use of the trail's key.
pub(crate) async fn of_delivery(
    app: &App,
    trail: &Trail,
    file: &File,
    delivered: &Delivered,
    failure: Option<&(String, String)>,
    uses: &[KeyUse],
) -> Vec<audit::Event> {
    let Delivered { id, event, time } = *delivered;
    let principal = service_principal(trail);
    let region = app.keys.region();
    let mut events = forwarded(uses, &principal, region, time, &id.to_string(), trail.key.as_deref());
    if !app.trails.any_wants_data() {
        return events;
    }
    let owner = match objects::BucketName::parse(&trail.bucket) {
        Ok(name) => app.objects.bucket(&name).await.ok().map(|bucket| bucket.owner),
        Err(_) => None,
    };
    let target = Target { bucket: Some(&trail.bucket), key: Some(&file.object), owner };
    let resources = s3::resources(true, target);
    let named: Vec<_> = resources.iter().map(|resource| (resource.kind, resource.arn.as_str())).collect();
    let facts = Facts {
        data: true,
        name: "PutObject",
        source: s3::SOURCE,
        read_only: false,
        event_type: "AwsApiCall",
        identity: "",
        resources: &named,
    };
    let wanted = |account| app.trails.want_data(account, region.as_str(), &facts);
    let recipients = recipients(principal.account, owner, event, wanted);
    if recipients.is_empty() {
        return events;
    }
    let mut parameters = Vec::new();
    Object::write(&mut parameters, |parameters| {
        parameters.text("bucketName", &trail.bucket);
        parameters.text("key", &file.object);
        parameters.text("x-amz-acl", "bucket-owner-full-control");
        parameters.text("x-amz-server-side-encryption", if trail.key.is_some() { "aws:kms" } else { "AES256" });
        parameters.maybe("x-amz-server-side-encryption-aws-kms-key-id", trail.key.as_deref());
    });
    let mut additional = Vec::new();
    Object::write(&mut additional, |data| {
        data.number("bytesTransferredIn", file.body.len() as u64);
        data.text("SSEApplied", if trail.key.is_some() { "SSE_KMS" } else { "SSE_S3" });
        data.number("bytesTransferredOut", 0);
    });
    let request_id = RequestId::from_uuid(id).short();
    let told = Told {
        principal: &principal,
        web_identity: None,
        invoked_by: None,
        time,
        source: s3::SOURCE,
        name: "PutObject",
        region,
        address: SERVICE,
        user_agent: Some(SERVICE),
        error: failure.map(|(code, message)| (code.as_str(), message.as_str())),
        parameters: &parameters,
        elements: b"",
        additional: &additional,
        request_id: &request_id,
        read_only: false,
        resources: &resources,
        names: &[],
        service_event: None,
        api_version: None,
        data: true,
        listener: None,
        tls: None,
        host: None,
    };
    events.extend(recipients.into_iter().map(|recipient| told.event(recipient)));
    events
}
