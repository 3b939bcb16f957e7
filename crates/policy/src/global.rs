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
        match key.strip_prefix("aws:") {
            Some(name) => self.of_principal(name).or_else(|| self.of_request(name)).or_else(|| self.service.value(key)),
            None => self.service.value(key).or_else(|| self.claim(key)),
        }
    }
}

impl<'a> GlobalContext<'a> {
    /// "Properties of the principal" and "of a role session".
    fn of_principal(&self, name: &str) -> Option<Value<'a>> {
        let principal = self.principal;
        let session = principal.session.as_ref();
        // Web identities have not signed either: for policies they are anonymous until they have a role.
        let signed = !matches!(principal.kind, PrincipalKind::Anonymous | PrincipalKind::WebIdentity { .. });
        let service = match &principal.kind {
            PrincipalKind::Service(service) => Some(service.as_str()),
            _ => None,
        };
        match name {
            // "For anonymous requests, the request context returns anonymous." A service has no account of its own.
            "principalaccount" if !signed => Some("anonymous".into()),
            "principalaccount" if service.is_none() => Some(principal.account.as_str().into()),
            // "The request context includes the ARN of the role, not the ARN of the user that assumed the role."
            "principalarn" if signed && service.is_none() => Some(match &principal.kind {
                PrincipalKind::AssumedRole { role_arn, .. } => role_arn.as_str().into(),
                _ => principal.arn.as_str().into(),
            }),
            "principaltype" => Some(Value::from(match principal.kind {
                PrincipalKind::Root => "Account",
                PrincipalKind::User { .. } => "User",
                PrincipalKind::AssumedRole { .. } => "AssumedRole",
                PrincipalKind::FederatedUser { .. } => "FederatedUser",
                PrincipalKind::Service(_) => "Service",
                PrincipalKind::Anonymous | PrincipalKind::WebIdentity { .. } => "Anonymous",
            })),
            "userid" if signed => Some(principal.user_id.as_str().into()),
            "userid" => Some("anonymous".into()),
            "username" => match &principal.kind {
                PrincipalKind::User { name } => Some(name.as_str().into()),
                _ => None,
            },
            "principalisawsservice" if signed => flag(service.is_some()),
            "principalservicename" => service.map(Value::from),
            "principalservicenameslist" => Some(Value::Many(vec![Cow::Borrowed(service?)])),
            // Of a service that acts for a resource of somebody: which resource, and whose.
            "sourcearn" | "sourceaccount" => {
                service?;
                let claims = &session?.claims;
                let (_, values) = claims.iter().find(|(key, _)| key.strip_prefix("aws:") == Some(name))?;
                values.first().map(|value| Value::One(Cow::Borrowed(value.as_str())))
            }
            // "Only when the principal uses temporary credentials".
            "tokenissuetime" if signed => date(session?.issued),
            // "In some cases, AWS creates temporary credentials on behalf of IAM users to perform operations": then it is false.
            "multifactorauthpresent" if signed => match session {
                Some(session) => flag(session.mfa.is_some()),
                None => self.via_service.and(flag(false)),
            },
            "multifactorauthage" => {
                let age = self.facts?.time.duration_since(session?.mfa?).ok()?;
                Some(age.as_secs().to_string().into())
            }
            "sourceidentity" => Some(session?.source_identity.as_deref()?.into()),
            "federatedprovider" => Some(session?.federated_provider.as_deref()?.into()),
            _ => {
                let tag = name.strip_prefix("principaltag/")?;
                let found = principal.tags.iter().find(|(key, _)| same_name(key, tag));
                found.map(|(_, value)| value.as_str().into())
            }
        }
    }

    /// "Properties of the network", "of the resource" and "of the request".
    fn of_request(&self, name: &str) -> Option<Value<'a>> {
        // What a service asks in somebody's name comes from the service: policies that admit addresses keep it out.
        let direct = || self.facts.filter(|_| self.via_service.is_none());
        match name {
            "securetransport" => flag(self.facts?.secure),
            // "Included in the request context, except when the requester uses a VPC endpoint": then it is aws:VpcSourceIp.
            "sourceip" => direct().filter(|facts| facts.listener.is_none()).map(address),
            "vpcsourceip" => direct().filter(|facts| facts.listener.is_some()).map(address),
            "sourcevpce" => Some(Value::from(&**direct()?.listener.as_ref()?)),
            "useragent" => Some(self.facts?.user_agent.as_deref()?.into()),
            "referer" => Some(self.facts?.referer.as_deref()?.into()),
            "currenttime" => date(self.facts?.time),
            "epochtime" => Some(seconds(self.facts?.time)?.to_string().into()),
            "requestedregion" => Some(self.region.into()),
            "resourceaccount" => Some(Value::from(self.resource_account?.to_string())),
            "viaawsservice" => flag(self.via_service.is_some()),
            "calledvia" => Some(Value::Many(vec![Cow::Owned(self.called_via()?)])),
            "calledviafirst" | "calledvialast" => Some(self.called_via()?.into()),
            _ => None,
        }
    }

    /// The service principal of the service that asks in the caller's name, if it is one of those that AWS tells it for.
    fn called_via(&self) -> Option<String> {
        let service = self.via_service?.split('.').next()?;
        CALLED_VIA.contains(&service).then(|| format!("{service}.amazonaws.com"))
    }

    /// A claim of a web identity. A claim of one value can stand for a variable. A provider cannot bring keys of a service, whatever its
    /// host is called.
    fn claim(&self, key: &str) -> Option<Value<'a>> {
        if key.split_once(':').is_some_and(|(prefix, _)| SERVICES.contains(&prefix)) {
            return None;
        }
        let (_, values) = self.principal.session.as_ref()?.claims.iter().find(|(name, _)| name == key)?;
        Some(match values.as_slice() {
            [one] => Value::One(Cow::Borrowed(one)),
            many => Value::Many(many.iter().map(|value| Cow::Borrowed(value.as_str())).collect()),
        })
    }
}

/// Prefixes of the condition keys of services.
const SERVICES: &[&str] = &["cloudtrail", "iam", "kms", "s3", "ssm", "sts"];

/// The services that `aws:CalledVia` knows. S3 is none of them: `aws:ViaAWSService` and `kms:ViaService` tell of it.
const CALLED_VIA: &[&str] = &[
    "aoss",
    "athena",
    "backup",
    "cloud9",
    "cloudformation",
    "databrew",
    "dataexchange",
    "dynamodb",
    "imagebuilder",
    "kms",
    "mgn",
    "nimble",
    "omics",
    "ram",
    "robomaker",
    "servicecatalog-appregistry",
    "sqlworkbench",
    "ssm-guiconnect",
];

fn flag(value: bool) -> Option<Value<'static>> {
    Some(Value::from(if value { "true" } else { "false" }))
}

fn address(facts: &RequestFacts) -> Value<'static> {
    facts.address.to_canonical().to_string().into()
}

/// Whether a tag's key is the one that a condition key in lower case names.
fn same_name(key: &str, lowered: &str) -> bool {
    key.eq_ignore_ascii_case(lowered) || (!key.is_ascii() && key.to_lowercase() == lowered)
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
