//! Requests to S3.

use http::header;
use keys::AccountId;
use uuid::Uuid;

use super::super::event::{Resource, Told};
use super::super::json::Object;
use super::super::s3::{self, Target};
use super::{Call, Details, Known, plain, recipients};
use crate::s3::{Removed, names};

impl Call<'_> {
    pub(super) fn s3(&self, known: &Known) -> Vec<audit::Event> {
        let operation = self.response.operation;
        let Some((bucket, key)) = names(self.request) else { return Vec::new() };
        let target = Target { bucket: bucket.as_deref(), key: key.as_deref(), owner: known.owner };
        let data = s3::is_data(operation, target);
        if data && !self.app.trails.any_wants_data() {
            return Vec::new();
        }
        let mut events = self.s3_removed(target);
        let name = s3::event_name(operation);
        let read_only = s3::is_read_only(operation);
        let mut resources = s3::resources(data, target);
        let read = known.source.as_ref().map(|source| {
            // Whoever is refused learns from their own event nothing of whose it is.
            let owner =
                source.owner.filter(|owner| self.response.status.is_success() || *owner == self.principal.account);
            s3::resources(true, Target { bucket: Some(&source.bucket), key: Some(&source.key), owner })
        });
        let read = read.unwrap_or_default();
        // A trail wants the event of a copy for what was written, or for what was read.
        let wanted = |account: AccountId| {
            !data
                || self.s3_wanted(account, name, read_only, &resources)
                || !read.is_empty() && self.s3_wanted(account, name, read_only, &read)
        };
        let owners = [target.owner, known.source.as_ref().and_then(|source| source.owner)];
        let recipients = recipients(self.principal.account, owners.into_iter().flatten(), self.event, wanted);
        if recipients.is_empty() {
            return events;
        }
        for resource in read {
            if resources.iter().all(|known| known.arn != resource.arn) {
                resources.push(resource);
            }
        }
        let (mut parameters, mut elements, mut additional) =
            (Vec::with_capacity(256), Vec::new(), Vec::with_capacity(256));
        s3::parameters(self.request, operation, target, &mut parameters);
        s3::elements(operation, self.response, &mut elements);
        s3::additional(self.request, self.response, self.request.tls.as_deref(), &mut additional);
        let request_id = self.request.id.short();
        let names: Vec<_> = bucket.iter().filter(|_| !data).map(|bucket| ("AWS::S3::Bucket", bucket.clone())).collect();
        let details = Details {
            source: s3::SOURCE,
            name,
            request_id: &request_id,
            parameters: &parameters,
            elements: &elements,
            additional: &additional,
            resources: &resources,
            names: &names,
            read_only,
            data,
            ..Details::default()
        };
        self.told(&details, |told| {
            events.splice(0..0, recipients.into_iter().map(|recipient| told.event(recipient)));
        });
        events
    }

    /// An event for each object of a DeleteObjects that was carried out, as if it had been deleted by itself.
    fn s3_removed(&self, target: Target<'_>) -> Vec<audit::Event> {
        const NAME: &str = "DeleteObject";
        if self.response.operation != "DeleteObjects" {
            return Vec::new();
        }
        let removed: Vec<Removed> = serde_json::from_slice(&self.response.told).unwrap_or_default();
        let request_id = self.request.id.short();
        let mut events = Vec::new();
        for Removed { key, version, error } in &removed {
            let target = Target { key: Some(key), ..target };
            let resources = s3::resources(true, target);
            let wanted = |account| self.s3_wanted(account, NAME, false, &resources);
            let recipients = recipients(self.principal.account, target.owner, Uuid::new_v4(), wanted);
            if recipients.is_empty() {
                continue;
            }
            let mut parameters = Vec::with_capacity(256);
            Object::write(&mut parameters, |parameters| {
                parameters.maybe("bucketName", target.bucket);
                parameters.maybe("Host", self.request.header(header::HOST));
                parameters.text("key", key);
                parameters.maybe("versionId", version.as_deref());
            });
            let details = Details {
                source: s3::SOURCE,
                name: NAME,
                request_id: &request_id,
                parameters: &parameters,
                resources: &resources,
                data: true,
                ..Details::default()
            };
            let error = error.as_ref().map(|(code, message)| (plain(code), message.as_str()));
            self.told(&details, |told| {
                let told = Told { error, ..*told };
                events.extend(recipients.into_iter().map(|recipient| told.event(recipient)));
            });
        }
        events
    }

    /// Whether a trail of an account wants a data event about these resources.
    fn s3_wanted(&self, account: AccountId, name: &str, read_only: bool, resources: &[Resource]) -> bool {
        let resources: Vec<_> = resources.iter().map(|resource| (resource.kind, resource.arn.as_str())).collect();
        let facts = audit::trail::Facts {
            data: true,
            name,
            source: s3::SOURCE,
            read_only,
            event_type: "AwsApiCall",
            identity: &self.principal.arn,
            resources: &resources,
        };
        self.app.trails.want_data(account, self.region.as_str(), &facts)
    }
}
