//! Requests to KMS, and what a service asked of it in a caller's name.

use std::time::SystemTime;

use keys::{KeyUse, Region};
use policy::Principal;
use uuid::Uuid;

use super::super::event::Told;
use super::super::kms;
use super::super::requested::requested;
use super::{Call, Details, plain, recipients};
use crate::response::ResponseBody;

impl Call<'_> {
    /// The event of the request, and one for each key of another Region that it made or changed there.
    pub(super) fn kms(&self, body: &[u8], uses: &[KeyUse]) -> Vec<audit::Event> {
        let operation = self.response.operation;
        let mut parameters = Vec::with_capacity(256);
        requested(model::kms::OPERATIONS, operation, body, &kms::RULES, &mut parameters);
        let succeeded = self.response.status.is_success();
        let answer = match &self.response.body {
            ResponseBody::Full(answer) if succeeded => &answer[..],
            _ => b"",
        };
        let is_here = |used: &KeyUse| kms::region(used).is_none_or(|region| region == self.region.as_str());
        let (here, elsewhere): (Vec<KeyUse>, Vec<KeyUse>) = uses.iter().cloned().partition(is_here);
        let mut events = self.kms_in(operation, body, &parameters, answer, &here);
        for used in elsewhere.iter().filter(|_| succeeded) {
            let Some(keys) = kms::region(used).and_then(|region| self.app.keys_in(region)) else { continue };
            let there = Call { region: keys.region(), event: Uuid::new_v4(), ..*self };
            let used = std::slice::from_ref(used);
            events.extend(match (operation, used[0].operation) {
                // "A ReplicateKey request results in a ReplicateKey operation and a CreateKey operation."
                ("ReplicateKey", made) => there.kms_in(made, body, b"", &kms::replica_made(answer), used),
                _ => there.kms_in(operation, body, &parameters, answer, used),
            });
        }
        events
    }

    /// The events of one operation in one Region, for all who are told.
    fn kms_in(
        &self,
        operation: &str,
        body: &[u8],
        parameters: &[u8],
        answer: &[u8],
        uses: &[KeyUse],
    ) -> Vec<audit::Event> {
        let succeeded = self.response.status.is_success();
        let (mut elements, mut additional) = (Vec::new(), Vec::new());
        if succeeded {
            kms::elements(operation, answer, uses, &mut elements);
            kms::additional(operation, uses, &mut additional);
        }
        let mut resources = kms::resources(uses);
        if !succeeded {
            let named = kms::named(parameters);
            kms::keep_what_was_named(self.principal.account, named.iter().map(String::as_str), &mut resources);
        }
        kms::add_alias(operation, body, self.principal.account, self.region, &mut resources);
        let other = uses.iter().filter_map(|used| used.owner).find(|owner| *owner != self.principal.account);
        // "cross-account AWS KMS requests that are rejected because access is denied are logged only in the caller's account"
        let recipients = recipients(self.principal.account, other.filter(|_| succeeded), self.event, |_| true);
        let request_id = self.request.id.uuid();
        let details = Details {
            source: kms::SOURCE,
            name: operation,
            request_id: &request_id,
            parameters,
            elements: &elements,
            additional: &additional,
            resources: &resources,
            read_only: kms::is_read_only(operation),
            ..Details::default()
        };
        self.told(&details, |told| recipients.into_iter().map(|recipient| told.event(recipient)).collect())
    }
}

/// The events of what a service did with KMS in a caller's name. `request_id` is the request's own: the two belong together. `named` is
/// what the request calls the key.
pub(in crate::record) fn forwarded(
    uses: &[KeyUse],
    principal: &Principal,
    region: &Region,
    time: SystemTime,
    request_id: &str,
    named: Option<&str>,
) -> Vec<audit::Event> {
    let mut events = Vec::new();
    for used in uses {
        let Some(by) = &used.by_service else { continue };
        let mut parameters = Vec::with_capacity(256);
        let mut resources = kms::resources(std::slice::from_ref(used));
        // As with KMS itself, whoever is refused learns nothing of another account's key.
        let hidden = by.error.is_some() && used.owner != Some(principal.account);
        if hidden {
            kms::keep_what_was_named(principal.account, named, &mut resources);
        }
        kms::forwarded(used, by, if hidden { named } else { Some(&used.key_arn) }, &mut parameters);
        let mut additional = Vec::new();
        kms::additional(used.operation, std::slice::from_ref(used), &mut additional);
        let service = match &principal.kind {
            policy::PrincipalKind::Service(name) => name.as_str(),
            _ => kms::S3_FORWARD,
        };
        let told = Told {
            principal,
            web_identity: None,
            invoked_by: Some(kms::S3_FORWARD),
            time,
            source: kms::SOURCE,
            name: used.operation,
            region,
            address: service,
            user_agent: Some(service),
            error: by.error.as_ref().map(|(code, message)| (plain(code), message.as_str())),
            parameters: &parameters,
            elements: b"",
            additional: &additional,
            request_id,
            read_only: true,
            resources: &resources,
            names: &[],
            service_event: None,
            api_version: None,
            data: false,
            listener: None,
            tls: None,
            host: None,
        };
        let owner = used.owner.filter(|_| by.error.is_none());
        let recipients = recipients(principal.account, owner, used.event, |_| true);
        events.extend(recipients.into_iter().map(|recipient| told.event(recipient)));
    }
    events
}
