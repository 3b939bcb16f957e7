//! CloudTrail's own requests to S3: where the delivery of trails ends.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use audit::trail::{Destination, File, Trail, Undelivered};
use objects::{BucketName, EncryptionRequest, Metadata, ObjectName, PutObject};
use policy::{ContextMap, RequestFacts};
use uuid::Uuid;

use super::service::{self, SERVICE};
use crate::app::App;
use crate::record;

/// Stores the files of trails in buckets, as the service principal of CloudTrail: the bucket's policy has to let it, and the key's.
pub struct Delivery {
    app: Arc<App>,
}

impl Delivery {
    /// Delivers into the buckets of `app`.
    pub fn new(app: Arc<App>) -> Delivery {
        Delivery { app }
    }

    async fn store(&self, trail: &Trail, file: &File) -> Result<objects::Stored, objects::Error> {
        let bucket = BucketName::parse(&trail.bucket)?;
        let name = ObjectName::parse(&file.object)?;
        let bucket = self.app.objects.bucket(&bucket).await?;
        let context = ContextMap::new().with("s3:x-amz-acl", "bucket-owner-full-control");
        if !service::allows(&self.app, trail, &bucket, "s3:PutObject", &name.arn(&bucket.name), &context) {
            return Err(objects::Error::AccessDenied("Access Denied"));
        }
        let encryption = match &trail.key {
            Some(key) => EncryptionRequest::SseKms {
                key: Some(key.clone()),
                context: Some(service::encryption_context(trail)),
                bucket_key: None,
            },
            None => EncryptionRequest::SseS3,
        };
        let user = file.metadata.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let metadata = Metadata {
            content_type: Some("application/json".to_owned()),
            content_encoding: Some("gzip".to_owned()),
            user,
            ..Metadata::default()
        };
        let request = PutObject { metadata, encryption, length: Some(file.body.len() as u64), ..PutObject::default() };
        let mut body = Some(file.body.clone());
        self.app.objects.put_object(&service::principal(trail), &bucket, &name, request, &mut body).await
    }
}

#[async_trait]
impl Destination for Delivery {
    async fn put(&self, trail: &Trail, file: &File) -> Result<(), Undelivered> {
        let time = (self.app.settings.clock)();
        let id = Uuid::new_v4();
        let incoming = keys::Incoming { id: id.into_bytes(), event: Uuid::new_v4(), facts: Arc::new(facts(time)) };
        let event = incoming.event;
        let (stored, uses) = keys::in_request(incoming, Box::pin(self.store(trail, file))).await;
        let failure = stored.err().map(crate::s3::code_and_message);
        let delivered = record::Delivered { id, event, time };
        let events = record::of_delivery(&self.app, trail, file, &delivered, failure.as_ref(), &uses).await;
        if !events.is_empty()
            && let Err(error) = self.app.audit.record(events).await
        {
            // The object is there, or is not: it is delivered again, under the same name.
            return Err(failed(&error));
        }
        failure.map_or(Ok(()), |(code, _)| Err(Undelivered(code)))
    }
}

fn failed(error: &audit::Error) -> Undelivered {
    tracing::error!(%error, "the delivery of a trail could not be recorded");
    Undelivered("InternalError".to_owned())
}

/// A service's own request comes from nowhere that policies could ask for.
fn facts(time: SystemTime) -> RequestFacts {
    RequestFacts {
        secure: true,
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        listener: None,
        user_agent: Some(SERVICE.to_owned()),
        referer: None,
        time,
    }
}
