//! Requests to CloudTrail.

use serde::Deserialize;

use super::super::event::Recipient;
use super::super::others;
use super::super::requested::requested;
use super::super::transcode::{Rules, transcode};
use super::{Call, Details};
use crate::response::ResponseBody;

impl Call<'_> {
    pub(super) fn cloudtrail(&self, body: &[u8]) -> Vec<audit::Event> {
        let operation = self.response.operation;
        let read_only = others::is_read_only(others::CLOUDTRAIL_SOURCE, operation);
        let rules: &Rules = &others::CLOUDTRAIL;
        let (mut parameters, mut elements) = (Vec::new(), Vec::new());
        requested(model::cloudtrail::OPERATIONS, operation, body, rules, &mut parameters);
        if let (false, true, ResponseBody::Full(answer)) =
            (read_only, self.response.status.is_success(), &self.response.body)
        {
            transcode(answer, rules, &mut elements);
        }
        let named: Trail = serde_json::from_slice(body).unwrap_or_default();
        let trail = named.name.or(named.trail_name).map(|name| ("AWS::CloudTrail::Trail", name));
        let bucket = named.bucket.map(|name| ("AWS::S3::Bucket", name));
        let names: Vec<_> = trail.into_iter().chain(bucket).collect();
        let request_id = self.request.id.uuid();
        let details = Details {
            source: others::CLOUDTRAIL_SOURCE,
            name: operation,
            request_id: &request_id,
            parameters: &parameters,
            elements: &elements,
            names: &names,
            read_only,
            ..Details::default()
        };
        let recipient = Recipient { account: self.principal.account, event: self.event, shared: None };
        self.told(&details, |told| vec![told.event(recipient)])
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Trail {
    name: Option<String>,
    trail_name: Option<String>,
    #[serde(rename = "S3BucketName")]
    bucket: Option<String>,
}
