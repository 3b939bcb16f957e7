//! From an answered request to its events.

mod cloudtrail;
mod kms;
mod known;
mod query;
mod s3;

use std::net::IpAddr;

use http::header;
use keys::{AccountId, KeyUse, Region};
use policy::Principal;
use uuid::Uuid;

use super::event::{Recipient, Resource, Told};
use super::identity::WebIdentity;
use super::others;
use crate::app::App;
use crate::dispatch::Answered;
use crate::request::Request;
use crate::response::Response;

pub(super) use kms::forwarded;
pub(super) use known::{Answer, Known, known};

/// All events of a request, its own first.
pub(super) fn events(
    app: &App,
    request: &Request,
    known: &Known,
    event: Uuid,
    answered: &Answered,
    uses: &[KeyUse],
) -> Vec<audit::Event> {
    let Answered { service, response, caller, body } = answered;
    // What reached no operation asked for nothing.
    if matches!(response.operation, "" | "-") {
        return Vec::new();
    }
    let anonymous = Principal::anonymous();
    let principal = caller.as_ref().map_or(&anonymous, |caller| caller.principal());
    let region = caller.as_ref().and_then(|caller| app.keys_in(caller.region())).unwrap_or(&app.keys).region();
    let address = request.client;
    let call = Call { app, request, response, principal, region, event, address };
    match service.scope() {
        "s3" => {
            let mut events = call.s3(known);
            let named = request.header("x-amz-server-side-encryption-aws-kms-key-id");
            events.extend(forwarded(uses, principal, region, request.received, &request.id.uuid(), named));
            events
        }
        "kms" if caller.is_some() => call.kms(body, &super::kms::in_order(response.operation, uses.to_vec())),
        "iam" if caller.is_some() => call.query(body, others::IAM_SOURCE, "2010-05-08", model::iam::OPERATIONS, None),
        "sts" => call.query(body, others::STS, "2011-06-15", model::sts::OPERATIONS, known.role.as_ref()),
        "cloudtrail" if caller.is_some() => call.cloudtrail(body),
        _ => Vec::new(),
    }
}

struct Call<'a> {
    app: &'a App,
    request: &'a Request,
    response: &'a Response,
    principal: &'a Principal,
    region: &'a Region,
    event: Uuid,
    address: IpAddr,
}

/// What differs from service to service.
#[derive(Default)]
struct Details<'a> {
    source: &'static str,
    name: &'a str,
    request_id: &'a str,
    parameters: &'a [u8],
    elements: &'a [u8],
    additional: &'a [u8],
    resources: &'a [Resource],
    /// Further names that LookupEvents finds it by.
    names: &'a [(&'static str, String)],
    read_only: bool,
    data: bool,
    api_version: Option<&'static str>,
    web_identity: Option<&'a WebIdentity>,
}

impl Call<'_> {
    fn told<T>(&self, details: &Details<'_>, tell: impl FnOnce(&Told<'_>) -> T) -> T {
        let address = self.address.to_string();
        let error = self.response.failure.as_ref().map(|(code, message)| (plain(code), message.as_str()));
        tell(&Told {
            principal: self.principal,
            web_identity: details.web_identity,
            invoked_by: None,
            time: self.request.received,
            source: details.source,
            name: details.name,
            region: self.region,
            address: &address,
            user_agent: self.request.header(header::USER_AGENT),
            error,
            parameters: details.parameters,
            elements: details.elements,
            additional: details.additional,
            request_id: details.request_id,
            read_only: details.read_only,
            resources: details.resources,
            names: details.names,
            service_event: None,
            api_version: details.api_version,
            data: details.data,
            listener: self.request.listener.as_deref().map(|listener| (listener, self.app.identity.home())),
            tls: self.request.tls.as_deref(),
            host: self.request.header(header::HOST),
        })
    }
}

/// The caller's account, then the others, each once. Callers of no account are told nothing.
pub(super) fn recipients(
    caller: AccountId,
    owners: impl IntoIterator<Item = AccountId>,
    event: Uuid,
    wanted: impl Fn(AccountId) -> bool,
) -> Vec<Recipient> {
    let mut accounts: Vec<AccountId> = Vec::new();
    for account in [caller].into_iter().chain(owners) {
        if account != AccountId::NOBODY && !accounts.contains(&account) && wanted(account) {
            accounts.push(account);
        }
    }
    let shared = (accounts.len() > 1).then(Uuid::new_v4);
    let recipient = |(index, account)| {
        let event = if index == 0 { event } else { Uuid::new_v4() };
        Recipient { account, event, shared }
    };
    accounts.into_iter().enumerate().map(recipient).collect()
}

/// `errorCode` has `AccessDenied` whatever the service's protocol makes of it.
fn plain(code: &str) -> &str {
    if code == "AccessDeniedException" { "AccessDenied" } else { code }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn everybody_is_told_once() {
        let account = |digit: &str| AccountId::parse(&digit.repeat(12)).unwrap();
        let (one, two, three) = (account("1"), account("2"), account("3"));
        let told = |caller, owners: &[AccountId], wanted: fn(AccountId) -> bool| {
            let recipients = recipients(caller, owners.iter().copied(), Uuid::nil(), wanted);
            let shared = recipients.first().and_then(|first| first.shared);
            assert!(recipients.iter().all(|recipient| recipient.shared == shared));
            assert_eq!(shared.is_some(), recipients.len() > 1);
            recipients.into_iter().map(|recipient| recipient.account).collect::<Vec<_>>()
        };
        assert_eq!(told(one, &[one, one], |_| true), [one]);
        assert_eq!(told(one, &[two, three], |_| true), [one, two, three]);
        assert_eq!(told(one, &[two, two], |_| true), [one, two]);
        assert_eq!(told(AccountId::NOBODY, &[two], |_| true), [two]);
        assert_eq!(told(one, &[two], |_| false), []);
    }
}
