//! From an answered request to its events.

use std::net::IpAddr;
use std::time::SystemTime;

use http::header;
use keys::{AccountId, KeyUse, Region};
use policy::Principal;
use serde::Deserialize;
use uuid::Uuid;

use super::event::{Recipient, Resource, Told};
use super::identity::WebIdentity;
use super::json::Object;
use super::requested::requested;
use super::s3::Target;
use super::transcode::{Rules, transcode};
use super::{kms, others, s3};
use crate::app::App;
use crate::dispatch::Answered;
use crate::query_protocol::Form;
use crate::request::Request;
use crate::response::{Response, ResponseBody};
use crate::s3::{Removed, copy_source, names};
use crate::service::Service;

/// What events take from the stores.
#[derive(Default)]
pub(super) struct Known {
    /// Whose the bucket is that a request to S3 names, if there is such a bucket and its record will tell.
    owner: Option<AccountId>,
    /// What a copy reads, and whose its bucket is.
    source: Option<Source>,
    /// The role that somebody who has not signed wants to be, in an account that there is.
    role: Option<Resource>,
}

struct Source {
    bucket: String,
    key: String,
    owner: Option<AccountId>,
}

/// What the events of a request will need. Not of the whole answer: one that is still to be read cannot be lent to whoever waits.
pub(super) async fn known(app: &App, request: &Request, answer: Answer<'_>) -> Known {
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
pub(super) struct Answer<'a> {
    pub(super) service: Service,
    pub(super) operation: &'static str,
    pub(super) told: &'a [u8],
    pub(super) unsigned: bool,
    pub(super) body: &'a [u8],
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
        "kms" if caller.is_some() => call.kms(body, uses),
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
            service_event: false,
            api_version: details.api_version,
            data: details.data,
            listener: self.request.listener.as_ref(),
            tls: self.request.tls.as_deref(),
            host: self.request.header(header::HOST),
        })
    }

    fn s3(&self, known: &Known) -> Vec<audit::Event> {
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

    fn kms(&self, body: &[u8], uses: &[KeyUse]) -> Vec<audit::Event> {
        let operation = self.response.operation;
        let succeeded = self.response.status.is_success();
        let (mut parameters, mut elements) = (Vec::with_capacity(256), Vec::new());
        requested(model::kms::OPERATIONS, operation, body, &kms::RULES, &mut parameters);
        if let (true, ResponseBody::Full(answer)) = (succeeded, &self.response.body) {
            kms::elements(operation, answer, uses, &mut elements);
        }
        let mut resources = kms::resources(uses);
        if !succeeded {
            let named = kms::named(&parameters);
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
            parameters: &parameters,
            elements: &elements,
            resources: &resources,
            read_only: kms::is_read_only(operation),
            ..Details::default()
        };
        self.told(&details, |told| recipients.into_iter().map(|recipient| told.event(recipient)).collect())
    }

    /// IAM and STS.
    fn query(
        &self,
        body: &[u8],
        source: &'static str,
        version: &'static str,
        operations: &'static [model::Operation],
        wanted: Option<&Resource>,
    ) -> Vec<audit::Event> {
        let operation = self.response.operation;
        let shape = operations.iter().find(|known| known.name == operation).map(|known| known.request);
        let form = Form::read(self.request, body).ok();
        let json = shape.zip(form).and_then(|(shape, form)| model::form::to_json(shape, form.members()).ok());
        let json = json.unwrap_or_default();
        let named: Named = serde_json::from_str(&json).unwrap_or_default();
        let read_only = others::is_read_only(source, operation);
        let web_identity = web_identity(operation, &self.response.told);
        let role = match self.principal.is_anonymous() {
            true if wanted.is_none() => return Vec::new(),
            true => wanted.cloned(),
            false => named.role_arn.as_deref().and_then(role),
        };
        let mut parameters = Vec::new();
        requested(operations, operation, json.as_bytes(), &others::IAM, &mut parameters);
        let succeeded = self.response.status.is_success();
        let resources: Vec<_> = role.iter().cloned().collect();
        let owner = role.as_ref().and_then(|role| role.account).filter(|_| succeeded || self.principal.is_anonymous());
        let recipients = recipients(self.principal.account, owner, self.event, |_| true);
        let names = named.resources();
        let request_id = self.request.id.uuid();
        let details = Details {
            source,
            name: operation,
            request_id: &request_id,
            parameters: &parameters,
            elements: &self.response.told,
            resources: &resources,
            names: &names,
            read_only,
            api_version: Some(version),
            web_identity: web_identity.as_ref(),
            ..Details::default()
        };
        self.told(&details, |told| recipients.into_iter().map(|recipient| told.event(recipient)).collect())
    }

    fn cloudtrail(&self, body: &[u8]) -> Vec<audit::Event> {
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

/// The events of what a service did with KMS in a caller's name. `request_id` is the request's own: the two belong together. `named` is
/// what the request calls the key.
pub(super) fn forwarded(
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
            additional: b"",
            request_id,
            read_only: true,
            resources: &resources,
            names: &[],
            service_event: false,
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

/// What the parameters of IAM and STS name.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Named {
    role_arn: Option<String>,
    user_name: Option<String>,
    role_name: Option<String>,
    group_name: Option<String>,
    policy_arn: Option<String>,
    policy_name: Option<String>,
    access_key_id: Option<String>,
    #[serde(rename = "OpenIDConnectProviderArn")]
    provider: Option<String>,
}

impl Named {
    fn resources(self) -> Vec<(&'static str, String)> {
        let all = [
            ("AWS::IAM::User", self.user_name),
            ("AWS::IAM::Role", self.role_name),
            ("AWS::IAM::Group", self.group_name),
            ("AWS::IAM::Policy", self.policy_arn),
            ("AWS::IAM::Policy", self.policy_name),
            ("AWS::IAM::AccessKey", self.access_key_id),
            ("AWS::IAM::OIDCProvider", self.provider),
        ];
        all.into_iter().filter_map(|(kind, name)| Some((kind, name?))).collect()
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

/// What is the ARN of a role, be there such a role or not.
fn role(arn: &str) -> Option<Resource> {
    let (account, path) = arn.strip_prefix("arn:aws:iam::")?.split_once(":role/")?;
    let account = AccountId::parse(account).ok()?;
    let name = path.rsplit('/').next().filter(|name| !name.is_empty() && name.len() <= ROLE_NAME)?;
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte))
        || path.len() > ROLE_NAME + ROLE_PATH
        || !plain(path)
    {
        return None;
    }
    Some(Resource { account: Some(account), kind: "AWS::IAM::Role", arn: arn.to_owned(), prefix: false })
}

/// Most characters of a role's name, and of its path.
const ROLE_NAME: usize = 64;
const ROLE_PATH: usize = 512;

fn web_identity(operation: &str, answer: &[u8]) -> Option<WebIdentity> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer {
        provider: String,
        audience: String,
        subject_from_web_identity_token: String,
    }
    if operation != "AssumeRoleWithWebIdentity" {
        return None;
    }
    let Answer { provider, audience, subject_from_web_identity_token: subject } =
        serde_json::from_slice(answer).ok()?;
    Some(WebIdentity { provider, audience, subject })
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

    #[test]
    fn a_role_is_what_can_be_one() {
        for arn in ["arn:aws:iam::111122223333:role/reader", "arn:aws:iam::111122223333:role/a/b/reader"] {
            assert_eq!(role(arn).unwrap().account, AccountId::parse("111122223333").ok());
        }
        let long = format!("arn:aws:iam::111122223333:role/{}", "a".repeat(65));
        for no in [
            "x:x:x:x:111122223333:role/a",
            "arn:aws:iam::111122223333:user/a",
            "arn:aws:iam::1:role/a",
            &long,
            "",
            "arn:aws:iam::111122223333:role/",
            "arn:aws:iam::111122223333:role/a/",
            "arn:aws:iam::111122223333:role/a\nb",
        ] {
            assert!(role(no).is_none(), "{no}");
        }
    }
}
