//! What was asked, on record: a CloudTrail record of every request that AWS would record, for everybody whom AWS would tell.
//!
//! Every management call and every KMS call of somebody who signed, allowed or denied, and what S3 did with KMS in somebody's name;
//! data events of S3 where a trail wants them. A request that nobody could be found behind (an unknown access key, a wrong signature)
//! leaves none, as on AWS; AssumeRoleWithWebIdentity, which nobody signs, does.
//!
//! The caller's account is told, and the account of what it used, if that is another one and it was let: then the events share a
//! `sharedEventID`. Fields and their sources: docs/audit.md.

mod collect;
mod delivery;
mod event;
mod identity;
mod json;
mod kms;
mod limit;
mod others;
mod requested;
mod s3;
mod service_events;
#[cfg(test)]
mod tests;
mod times;
mod transcode;
mod xml;

use bytes::Bytes;
use keys::KeyUse;
use serde::Serialize;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::app::App;
use crate::dispatch::Answered;
use crate::request::Request;

pub(crate) use delivery::{Delivered, of_delivery};
pub use event::{TlsDetails, VERSION};
pub use service_events::record_service_events;

/// What the record of an operation of IAM or STS shows of its answer.
pub(crate) fn told(operation: &str, answer: &impl Serialize) -> Bytes {
    let source = if model::sts::OPERATIONS.iter().any(|known| known.name == operation) {
        others::STS
    } else {
        others::IAM_SOURCE
    };
    let mut told = Vec::new();
    if source == others::STS || !others::is_read_only(source, operation) {
        // Secrets are among it until they are left out.
        let json = Zeroizing::new(serde_json::to_vec(answer).unwrap_or_default());
        transcode::transcode(&json, &others::IAM, &mut told);
    }
    told.into()
}

/// Records a request with the keys that it used, and gives its answer back, which may leave now. In the log's strict mode that is once
/// the record is durable; if it could not be written, the answer says that the request has failed.
pub(crate) async fn keep(
    app: &App,
    request: &Request,
    event: Uuid,
    mut answered: Answered,
    uses: Vec<KeyUse>,
) -> Answered {
    // An answer that is still to be read cannot be lent to whoever waits.
    let (service, operation) = (answered.service, answered.response.operation);
    let told = answered.response.told.clone();
    let unsigned = answered.caller.as_ref().is_some_and(|caller| caller.principal().is_anonymous());
    let body = answered.body.clone();
    let answer = collect::Answer { service, operation, told: &told, unsigned, body: &body };
    let known = collect::known(app, request, answer).await;
    let events = collect::events(app, request, &known, event, &answered, &uses);
    if events.is_empty() {
        return answered;
    }
    if let Err(error) = app.audit.record(events).await {
        tracing::error!(%error, operation = answered.response.operation, "a request could not be recorded, and is answered as failed");
        let operation = answered.response.operation;
        answered.response = answered.service.unrecorded(request);
        answered.response.operation = operation;
    }
    answered
}
