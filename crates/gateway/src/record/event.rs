//! One CloudTrail record.
//!
//! CloudTrail User Guide, "CloudTrail record contents", version 1.11.

use std::time::SystemTime;

use bytes::Bytes;
use keys::{AccountId, Region, Timestamp};
use policy::Principal;
use uuid::Uuid;

use super::identity::{Identity, user_name};
use super::json::Object;
use super::limit::{self, LIMIT, UNSIGNED_LIMIT};
use super::times::Iso;

/// `eventVersion`
pub const VERSION: &str = "1.11";

/// What a connection's TLS came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TlsDetails {
    /// `TLSv1.3`
    pub version: &'static str,
    /// `TLS_AES_128_GCM_SHA256`
    pub cipher_suite: &'static str,
    /// `X25519MLKEM768`
    pub key_exchange: Option<&'static str>,
}

/// A resource of an event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Resource {
    /// Whose it is; left out where CloudTrail leaves it out.
    pub(crate) account: Option<AccountId>,
    /// `AWS::KMS::Key`
    pub(crate) kind: &'static str,
    /// Its ARN.
    pub(crate) arn: String,
    /// Whether the ARN is only the beginning of those that were meant (`ARNPrefix`).
    pub(crate) prefix: bool,
}

/// What is told of a call. The same for all who are told, but for what [`Recipient`] says.
#[derive(Clone, Copy)]
pub(crate) struct Told<'a> {
    pub(crate) principal: &'a Principal,
    pub(crate) web_identity: Option<&'a super::identity::WebIdentity>,
    pub(crate) invoked_by: Option<&'a str>,
    pub(crate) time: SystemTime,
    pub(crate) source: &'static str,
    pub(crate) name: &'a str,
    pub(crate) region: &'a Region,
    pub(crate) address: &'a str,
    pub(crate) user_agent: Option<&'a str>,
    pub(crate) error: Option<(&'a str, &'a str)>,
    pub(crate) parameters: &'a [u8],
    pub(crate) elements: &'a [u8],
    pub(crate) additional: &'a [u8],
    pub(crate) request_id: &'a str,
    pub(crate) read_only: bool,
    pub(crate) resources: &'a [Resource],
    /// Further types and names that LookupEvents finds it by.
    pub(crate) names: &'a [(&'static str, String)],
    /// `serviceEventDetails` of what a service did by itself, which may be empty; none of what somebody asked for.
    pub(crate) service_event: Option<&'a [u8]>,
    pub(crate) api_version: Option<&'static str>,
    pub(crate) data: bool,
    /// The named listener that it came by, and whose that is.
    pub(crate) listener: Option<(&'a str, AccountId)>,
    pub(crate) tls: Option<&'a TlsDetails>,
    pub(crate) host: Option<&'a str>,
}

/// Who is told.
#[derive(Clone, Copy)]
pub(crate) struct Recipient {
    pub(crate) account: AccountId,
    pub(crate) event: Uuid,
    /// What the events of all recipients have in common, if there are several.
    pub(crate) shared: Option<Uuid>,
}

impl Told<'_> {
    /// The event for one recipient.
    pub(crate) fn event(&self, recipient: Recipient) -> audit::Event {
        let by_nobody = self.principal.is_anonymous() && self.error.is_some();
        let limit = if by_nobody { UNSIGNED_LIMIT } else { LIMIT };
        let parameters = limit::shown(self.parameters, limit);
        let elements = limit::shown(self.elements, limit.saturating_sub(parameters.len()));
        let mut record = Vec::with_capacity(2_048);
        Object::write(&mut record, |record| self.write(record, recipient, [&parameters, &elements, self.additional]));
        if record.len() > audit::MAX_RECORD {
            // Nothing that was sent may keep what was done off the record.
            let size = record.len();
            tracing::warn!(size, operation = self.name, "a record is too large, and is kept without what was sent");
            let resources = &self.resources[..self.resources.len().min(STUB_RESOURCES)];
            let stub = Told { resources, ..*self };
            let mut omitted = Vec::new();
            limit::omitted(&mut omitted, size);
            record.clear();
            Object::write(&mut record, |record| stub.write(record, recipient, [&omitted, b"", b""]));
        }
        debug_assert!(record.iter().all(|byte| *byte >= b' '), "a record is a line");
        let searchable = audit::Searchable {
            event_name: self.name.to_owned(),
            event_source: self.source.to_owned(),
            read_only: self.read_only,
            user_name: match self.web_identity {
                Some(identity) => Some(identity.subject.clone()),
                None => user_name(self.principal).map(str::to_owned),
            },
            access_key_id: Some(&self.principal.access_key_id).filter(|id| !id.is_empty()).cloned(),
            resources: self
                .resources
                .iter()
                .map(|resource| (resource.kind, &resource.arn))
                .chain(self.names.iter().map(|(kind, name)| (*kind, name)))
                .map(|(kind, name)| audit::Resource { kind: kind.to_owned(), name: name.clone() })
                .collect(),
        };
        audit::Event {
            id: recipient.event,
            time: Timestamp::from(self.time),
            account: recipient.account,
            region: self.region.clone(),
            category: if self.data { audit::Category::Data } else { audit::Category::Management },
            searchable,
            record: Bytes::from(record),
        }
    }

    fn identity(&self, recipient: Recipient) -> Identity<'_> {
        match self.web_identity {
            _ if self.service_event.is_some() => Identity::Internal(recipient.account),
            Some(identity) => Identity::Federated(identity),
            None if self.principal.is_anonymous() && self.source != super::s3::SOURCE => Identity::Unknown,
            None if recipient.account == self.principal.account || self.principal.account == AccountId::NOBODY => {
                Identity::Caller { principal: self.principal, invoked_by: self.invoked_by }
            }
            None => Identity::Stranger(self.principal),
        }
    }

    fn write(&self, record: &mut Object<'_>, recipient: Recipient, [parameters, elements, additional]: [&[u8]; 3]) {
        record.text("eventVersion", VERSION);
        self.identity(recipient).write(record);
        record.plain("eventTime", Iso(self.time));
        record.text("eventSource", self.source);
        record.text("eventName", self.name);
        record.text("awsRegion", self.region.as_str());
        record.text("sourceIPAddress", self.address);
        record.maybe("userAgent", self.user_agent.map(shortened));
        if let Some((code, message)) = self.error {
            record.text("errorCode", shortened(code));
            if !message.is_empty() {
                record.text("errorMessage", shortened(message));
            }
        }
        record.raw("requestParameters", parameters);
        record.raw("responseElements", elements);
        if !additional.is_empty() {
            record.raw("additionalEventData", additional);
        }
        if self.service_event.is_none() {
            record.text("requestID", self.request_id);
        }
        record.plain("eventID", recipient.event);
        record.flag("readOnly", self.read_only);
        if !self.resources.is_empty() {
            self.write_resources(record.member("resources"));
        }
        record.text("eventType", if self.service_event.is_some() { "AwsServiceEvent" } else { "AwsApiCall" });
        record.maybe("apiVersion", self.api_version);
        record.flag("managementEvent", !self.data);
        record.plain("recipientAccountId", recipient.account);
        if let Some(shared) = recipient.shared {
            record.plain("sharedEventID", shared);
        }
        if let Some(details) = self.service_event.filter(|details| !details.is_empty()) {
            record.raw("serviceEventDetails", details);
        }
        if let Some((listener, owner)) = self.listener {
            record.text("vpcEndpointId", listener);
            record.plain("vpcEndpointAccountId", owner);
        }
        record.text("eventCategory", if self.data { "Data" } else { "Management" });
        if let Some(tls) = self.tls {
            record.object("tlsDetails", |details| {
                details.text("tlsVersion", tls.version);
                details.text("cipherSuite", tls.cipher_suite);
                details.maybe("clientProvidedHostHeader", self.host.map(shortened));
                details.maybe("keyExchange", tls.key_exchange);
            });
        }
    }

    fn write_resources(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        for (index, resource) in self.resources.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            Object::write(out, |object| {
                if let Some(account) = resource.account {
                    object.plain("accountId", account);
                }
                if !resource.kind.is_empty() {
                    object.text("type", resource.kind);
                }
                object.text(if resource.prefix { "ARNPrefix" } else { "ARN" }, cut(&resource.arn, ARN_LIMIT));
            });
        }
        out.push(b']');
    }
}

/// "This field has a maximum size of 1 KB; content exceeding that limit is truncated."
fn shortened(text: &str) -> &str {
    cut(text, FIELD_LIMIT)
}

fn cut(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit.min(text.len()))]
}

const FIELD_LIMIT: usize = 1_024;

/// No ARN is longer, whatever a request names.
const ARN_LIMIT: usize = 2_048;

/// Most resources of a record that is too large with all of them.
const STUB_RESOURCES: usize = 4;
