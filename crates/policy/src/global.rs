//! The condition keys of every service, `aws:...`.
//!
//! Source: IAM User Guide, "AWS global condition context keys".

use std::borrow::Cow;
use std::time::{SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::account::AccountId;
use crate::context::{Context, Value};
use crate::who::{Principal, PrincipalKind, RequestFacts};

/// All condition keys of a request: the global ones, and those of its service.
#[derive(Clone, Copy)]
pub struct GlobalContext<'a> {
    /// Who asks.
    pub principal: &'a Principal,
    /// The request; none for what the server does by itself.
    pub facts: Option<&'a RequestFacts>,
    /// `aws:RequestedRegion`
    pub region: &'a str,
    /// `aws:ResourceAccount`
    pub resource_account: Option<AccountId>,
    /// The service that asks in the caller's name: `s3.REGION.amazonaws.com`.
    pub via_service: Option<&'a str>,
    /// The condition keys of the service and of this request alone, `aws:RequestTag/...` and `aws:ResourceTag/...` among them.
    pub service: &'a dyn Context,
}

impl Context for GlobalContext<'_> {
    fn value(&self, key: &str) -> Option<Value<'_>> {
        let Some(name) = key.strip_prefix("aws:") else { return self.other(key) };
        let principal = self.principal;
        let flag = |value: bool| Some(Value::from(if value { "true" } else { "false" }));
        match name {
            "principalaccount" => Some(principal.account.as_str().into()),
            "principalarn" => Some(match &principal.kind {
                PrincipalKind::AssumedRole { role_arn, .. } => role_arn.as_str().into(),
                _ => principal.arn.as_str().into(),
            }),
            "principaltype" => Some(Value::from(match principal.kind {
                PrincipalKind::Root => "Account",
                PrincipalKind::User { .. } => "User",
                PrincipalKind::AssumedRole { .. } => "AssumedRole",
                PrincipalKind::FederatedUser { .. } => "FederatedUser",
                PrincipalKind::Service(_) => "Service",
                PrincipalKind::Anonymous => "Anonymous",
            })),
            "userid" => Some(principal.user_id.as_str().into()),
            "username" => match &principal.kind {
                PrincipalKind::User { name } => Some(name.as_str().into()),
                _ => None,
            },
            "principalisawsservice" => flag(matches!(principal.kind, PrincipalKind::Service(_))),
            "securetransport" => flag(self.facts?.secure),
            // What a service asks in somebody's name comes from the service: policies that admit addresses keep it out.
            "sourceip" if self.via_service.is_none() => Some(self.facts?.address.to_string().into()),
            "sourcevpce" if self.via_service.is_none() => Some(Value::from(&**self.facts?.listener.as_ref()?)),
            "useragent" => Some(self.facts?.user_agent.as_deref()?.into()),
            "referer" => Some(self.facts?.referer.as_deref()?.into()),
            "viaawsservice" => flag(self.via_service.is_some()),
            "requestedregion" => Some(self.region.into()),
            "resourceaccount" => Some(Value::from(self.resource_account?.to_string())),
            "currenttime" => date(self.facts?.time),
            "epochtime" => Some(seconds(self.facts?.time)?.to_string().into()),
            "tokenissuetime" => date(principal.session.as_ref()?.issued),
            "sourceidentity" => Some(principal.session.as_ref()?.source_identity.as_deref()?.into()),
            "federatedprovider" => Some(principal.session.as_ref()?.federated_provider.as_deref()?.into()),
            "multifactorauthpresent" => flag(principal.session.as_ref()?.mfa.is_some()),
            "multifactorauthage" => {
                let age = self.facts?.time.duration_since(principal.session.as_ref()?.mfa?).ok()?;
                Some(age.as_secs().to_string().into())
            }
            _ => match name.strip_prefix("principaltag/") {
                Some(tag) => self.principal_tag(tag),
                None => self.other(key),
            },
        }
    }
}

impl<'a> GlobalContext<'a> {
    fn principal_tag(&self, name: &str) -> Option<Value<'a>> {
        let found = self.principal.tags.iter().find(|(key, _)| key.to_lowercase() == name);
        found.map(|(_, value)| Value::One(Cow::Borrowed(value.as_str())))
    }

    fn other(&self, key: &str) -> Option<Value<'_>> {
        let claims = self.principal.session.iter().flat_map(|session| &session.claims);
        match claims.into_iter().find(|(name, _)| name == key) {
            Some((_, values)) => Some(Value::Many(values.iter().map(|value| Cow::Borrowed(value.as_str())).collect())),
            None => self.service.value(key),
        }
    }
}

fn seconds(time: SystemTime) -> Option<i64> {
    i64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()
}

fn date(time: SystemTime) -> Option<Value<'static>> {
    OffsetDateTime::from_unix_timestamp(seconds(time)?).ok()?.format(&Rfc3339).ok().map(Value::from)
}

/// No condition keys.
impl Context for () {
    fn value(&self, _key: &str) -> Option<Value<'_>> {
        None
    }
}
