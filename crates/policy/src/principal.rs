//! `Principal` and `NotPrincipal`: whom a resource's policy means.
//!
//! A caller is a chain: its account, then itself, or its role and then its session. `Principal` means a caller if it names any link;
//! `NotPrincipal` spares a caller only if it names every link (IAM User Guide, "NotPrincipal": name the account, and the role, too).

use crate::error::Malformed;
use crate::evaluate::Reach;
use crate::json::Json;
use crate::names::{Link, Names};

/// A principal that a policy names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NamedPrincipal {
    /// `*`, alone or as an AWS principal: every caller, known or not.
    Everyone,
    /// An account, written as its id or as its root ARN: the account's twelve digits.
    Account(String),
    /// A user, role, session or federated user.
    Arn {
        /// The account in the ARN.
        account: String,
        /// The ARN as it stands in the document.
        arn: String,
    },
    /// A unique id (`AIDA...`, `AROA...`), as IAM writes in place of a principal that was deleted.
    UniqueId(String),
    /// A service principal, `logs.amazonaws.com`.
    Service(String),
    /// An identity provider, by its ARN or host name.
    Federated(String),
    /// A canonical user id of S3, 64 hexadecimal digits.
    CanonicalUser(String),
}

impl NamedPrincipal {
    /// What a text names as an AWS principal: `*`, an account's id or root ARN, the ARN of a user, role, session or federated user,
    /// or a unique id. `None`: nothing.
    pub fn aws(text: &str) -> Option<Self> {
        aws(text)
    }
}

/// A `Principal` or `NotPrincipal` element.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Principals(Vec<NamedPrincipal>);

impl Principals {
    pub(crate) fn parse(element: &Json) -> Result<Self, Malformed> {
        match element {
            Json::Text(text) if text == "*" => Ok(Self(vec![NamedPrincipal::Everyone])),
            Json::Object(kinds) if !kinds.is_empty() => {
                let mut named = Vec::new();
                for (kind, values) in kinds {
                    let parse = Kind::named(kind).ok_or_else(|| invalid("", kind))?;
                    let values = values.one_or_many();
                    if values.is_empty() {
                        return Err(invalid(parse.name, ""));
                    }
                    for value in values {
                        let text = value.as_text().ok_or_else(|| invalid(parse.name, ""))?;
                        named.push((parse.parse)(text).ok_or_else(|| invalid(parse.name, text))?);
                    }
                }
                Ok(Self(named))
            }
            Json::Text(text) => Err(invalid("", text)),
            _ => Err(invalid("", "")),
        }
    }

    pub(crate) fn named(&self) -> &[NamedPrincipal] {
        &self.0
    }

    /// How the element, as a `Principal`, means a caller.
    pub(crate) fn reach(&self, names: &Names<'_>) -> Option<Reach> {
        if self.means_everyone() {
            return Some(Reach::Direct);
        }
        let Names::Aws(member) = names else { return self.means_other(names).then_some(Reach::Direct) };
        if member.own.is_some_and(|own| self.means(own)) {
            return Some(Reach::Direct);
        }
        if member.entity.is_some_and(|entity| self.means(entity)) {
            return Some(Reach::Entity);
        }
        let account = if member.own.is_none() { Reach::Direct } else { Reach::Account };
        self.means_account(member.account).then_some(account)
    }

    /// Whether the element, as a `NotPrincipal`, spares a caller. "The NotPrincipal element with a Deny effect will always deny any IAM
    /// principal that has a permissions boundary policy attached, regardless of the values specified" (IAM User Guide, "NotPrincipal").
    pub(crate) fn spares(&self, names: &Names<'_>) -> bool {
        let Names::Aws(member) = names else { return self.means_everyone() || self.means_other(names) };
        let chain = || [member.entity, member.own].into_iter().flatten().all(|link| self.means(link));
        !member.bounded && (self.means_everyone() || (self.means_account(member.account) && chain()))
    }

    fn means_everyone(&self) -> bool {
        self.0.contains(&NamedPrincipal::Everyone)
    }

    fn means(&self, link: Link<'_>) -> bool {
        self.0.iter().any(|named| match named {
            NamedPrincipal::Arn { arn, .. } => arn == link.arn,
            NamedPrincipal::UniqueId(id) => id == link.unique_id,
            _ => false,
        })
    }

    fn means_account(&self, account: &str) -> bool {
        self.0.iter().any(|named| matches!(named, NamedPrincipal::Account(named) if named == account))
    }

    fn means_other(&self, names: &Names<'_>) -> bool {
        self.0.iter().any(|named| match (named, names) {
            (NamedPrincipal::Service(named), Names::Service(name)) => named == name,
            (NamedPrincipal::Federated(named), Names::Federated(name)) => named == name,
            _ => false,
        })
    }
}

struct Kind {
    name: &'static str,
    parse: fn(&str) -> Option<NamedPrincipal>,
}

impl Kind {
    fn named(name: &str) -> Option<&'static Self> {
        const KINDS: &[Kind] = &[
            Kind { name: "AWS", parse: aws },
            Kind { name: "Service", parse: service },
            Kind { name: "Federated", parse: federated },
            Kind { name: "CanonicalUser", parse: canonical_user },
        ];
        KINDS.iter().find(|kind| kind.name == name)
    }
}

fn aws(text: &str) -> Option<NamedPrincipal> {
    if text == "*" {
        return Some(NamedPrincipal::Everyone);
    }
    if is_account(text) {
        return Some(NamedPrincipal::Account(text.to_owned()));
    }
    // Sixteen or more upper-case letters and digits, beginning with the four letters of their kind.
    let unique = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    if (16..=128).contains(&text.len()) && text.starts_with('A') && text.bytes().all(unique) {
        return Some(NamedPrincipal::UniqueId(text.to_owned()));
    }
    let [_, partition, service, region, account, resource] = crate::arn::split(text)?;
    let known_partition = matches!(partition, "aws" | "aws-cn" | "aws-us-gov");
    if !known_partition || !region.is_empty() || !is_account(account) || text.contains(['*', '?', '$']) {
        return None;
    }
    let account = account.to_owned();
    if (service, resource) == ("iam", "root") {
        return Some(NamedPrincipal::Account(account));
    }
    let (kind, name) = resource.split_once('/')?;
    let valid = match (service, kind) {
        ("iam", "user" | "role") | ("sts", "federated-user") => !name.is_empty() && !name.ends_with('/'),
        ("sts", "assumed-role") => {
            name.split_once('/').is_some_and(|(role, session)| !role.is_empty() && !session.is_empty())
        }
        _ => false,
    };
    valid.then(|| NamedPrincipal::Arn { account, arn: text.to_owned() })
}

fn service(text: &str) -> Option<NamedPrincipal> {
    is_host(text).then(|| NamedPrincipal::Service(text.to_owned()))
}

fn federated(text: &str) -> Option<NamedPrincipal> {
    let provider = crate::arn::split(text).is_some_and(|[_, _, service, region, account, resource]| {
        let kind = resource.split_once('/').filter(|(_, name)| !name.is_empty() && !name.contains(['*', '?']));
        let known = kind.is_some_and(|(kind, _)| matches!(kind, "oidc-provider" | "saml-provider"));
        service == "iam" && region.is_empty() && is_account(account) && known
    });
    (provider || is_host(text)).then(|| NamedPrincipal::Federated(text.to_owned()))
}

fn canonical_user(text: &str) -> Option<NamedPrincipal> {
    let hex = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    hex.then(|| NamedPrincipal::CanonicalUser(text.to_ascii_lowercase()))
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Labels of letters, digits and hyphens with a dot between: a host name (RFC 1123).
fn is_host(text: &str) -> bool {
    let plain =
        |label: &str| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    text.len() <= 253 && text.contains('.') && text.split('.').all(plain)
}

fn invalid(kind: &'static str, value: &str) -> Malformed {
    Malformed::InvalidPrincipal { kind, value: value.to_owned() }
}
