//! Where things are in `Table::Identity`. docs/formats/identity-records.md draws the row keys.

use meta::{Range, Table};
use policy::AccountId;

/// The table of all rows of this crate.
pub(crate) const TABLE: Table = Table::Identity;

/// A row: its key, and what it holds, which its seal is bound to.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct Place {
    pub(crate) key: Vec<u8>,
    pub(crate) kind: &'static str,
}

/// Entities that have names in an account.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) enum Kind {
    /// A user.
    User,
    /// A group.
    Group,
    /// A role.
    Role,
    /// A customer managed policy.
    Policy,
    /// A virtual MFA device.
    Mfa,
    /// An OpenID Connect provider.
    Oidc,
}

impl Kind {
    pub(crate) const ALL: [Kind; 6] = [Kind::User, Kind::Group, Kind::Role, Kind::Policy, Kind::Mfa, Kind::Oidc];

    /// What begins a unique id (IAM User Guide, "IAM identifiers", "Unique identifiers"). The last two are seen by nobody.
    pub(crate) const fn id_prefix(self) -> &'static str {
        match self {
            Kind::User => "AIDA",
            Kind::Group => "AGPA",
            Kind::Role => "AROA",
            Kind::Policy => "ANPA",
            Kind::Mfa => "SMFA",
            Kind::Oidc => "SOID",
        }
    }

    /// How ARNs name it.
    pub(crate) const fn arn_type(self) -> &'static str {
        match self {
            Kind::User => "user",
            Kind::Group => "group",
            Kind::Role => "role",
            Kind::Policy => "policy",
            Kind::Mfa => "mfa",
            Kind::Oidc => "oidc-provider",
        }
    }

    const fn byte(self) -> u8 {
        match self {
            Kind::User => b'u',
            Kind::Group => b'g',
            Kind::Role => b'r',
            Kind::Policy => b'p',
            Kind::Mfa => b'm',
            Kind::Oidc => b'o',
        }
    }
}

const ACCOUNT: u8 = 0x01;
const NAME: u8 = 0x02;
const ENTITY: u8 = 0x03;
const MEMBER: u8 = 0x04;
const ATTACHMENT: u8 = 0x05;
const BOUNDARY: u8 = 0x06;
const ACCESS_KEY: u8 = 0x10;
const LAST_USE: u8 = 0x11;
const ALIAS: u8 = 0x12;

/// Tags of the rows that lie under their account.
pub(crate) const OF_AN_ACCOUNT: [u8; 5] = [NAME, ENTITY, MEMBER, ATTACHMENT, BOUNDARY];

/// An account.
pub(crate) fn account(account: AccountId) -> Place {
    place("account", ACCOUNT, &[account.as_bytes()])
}

/// All accounts.
pub(crate) fn accounts() -> Range {
    Range::prefix([ACCOUNT])
}

/// All rows of an account under one of [`OF_AN_ACCOUNT`].
pub(crate) fn of_account(tag: u8, account: AccountId) -> Range {
    Range::prefix(place("", tag, &[account.as_bytes()]).key)
}

/// Who has a name. Names that differ in case alone are one.
pub(crate) fn name(account: AccountId, kind: Kind, name: &str) -> Place {
    place("name", NAME, &[account.as_bytes(), &[kind.byte()], name.to_lowercase().as_bytes()])
}

/// All names of a kind, in their order.
pub(crate) fn names(account: AccountId, kind: Kind) -> Range {
    Range::prefix(place("", NAME, &[account.as_bytes(), &[kind.byte()]]).key)
}

/// An entity, by its unique id. `what` is the entity's kind.
pub(crate) fn entity(what: &'static str, account: AccountId, id: &str) -> Place {
    place(what, ENTITY, &[account.as_bytes(), id.as_bytes()])
}

/// That a user is in a group.
pub(crate) fn member(account: AccountId, group: &str, user: &str) -> Place {
    place("member", MEMBER, &[account.as_bytes(), group.as_bytes(), user.as_bytes()])
}

/// All users of a group.
pub(crate) fn members(account: AccountId, group: &str) -> Range {
    Range::prefix(place("", MEMBER, &[account.as_bytes(), group.as_bytes()]).key)
}

/// That a managed policy is attached to an entity.
pub(crate) fn attachment(account: AccountId, policy_arn: &str, entity: &str) -> Place {
    place("attachment", ATTACHMENT, &[account.as_bytes(), policy_arn.as_bytes(), &[0], entity.as_bytes()])
}

/// All entities of the account that a managed policy is attached to.
pub(crate) fn attachments(account: AccountId, policy_arn: &str) -> Range {
    Range::prefix(place("", ATTACHMENT, &[account.as_bytes(), policy_arn.as_bytes(), &[0]]).key)
}

/// That a managed policy is an entity's permissions boundary.
pub(crate) fn boundary(account: AccountId, policy_arn: &str, entity: &str) -> Place {
    place("boundary", BOUNDARY, &[account.as_bytes(), policy_arn.as_bytes(), &[0], entity.as_bytes()])
}

/// All entities of the account that have a managed policy as their boundary.
pub(crate) fn boundaries(account: AccountId, policy_arn: &str) -> Range {
    Range::prefix(place("", BOUNDARY, &[account.as_bytes(), policy_arn.as_bytes(), &[0]]).key)
}

/// An access key, by its id.
pub(crate) fn access_key(id: &str) -> Place {
    place("access key", ACCESS_KEY, &[id.as_bytes()])
}

/// When an access key was used last.
pub(crate) fn last_use(id: &str) -> Place {
    place("last use", LAST_USE, &[id.as_bytes()])
}

/// Which account has an alias.
pub(crate) fn alias(alias: &str) -> Place {
    place("account alias", ALIAS, &[alias.as_bytes()])
}

/// The account, kind and name that the ARN of an entity with a name says. Paths are not looked at: whoever finds an entity compares
/// its ARN.
pub(crate) fn parse_arn(arn: &str) -> Option<(AccountId, Kind, &str)> {
    let (account, resource) = arn.strip_prefix("arn:aws:iam::")?.split_once(':')?;
    let (kind, name) = resource.split_once('/')?;
    let kind = Kind::ALL.into_iter().find(|known| known.arn_type() == kind)?;
    Some((AccountId::parse(account).ok()?, kind, name.rsplit('/').next()?))
}

/// The account that the ARN of a session says, and the role's name if it is a role's session.
pub(crate) fn parse_session_arn(arn: &str) -> Option<(AccountId, Option<&str>)> {
    let (account, resource) = arn.strip_prefix("arn:aws:sts::")?.split_once(':')?;
    let account = AccountId::parse(account).ok()?;
    match resource.split_once('/')? {
        ("assumed-role", names) => Some((account, Some(names.split_once('/')?.0))),
        ("federated-user", _) => Some((account, None)),
        _ => None,
    }
}

/// The account of an [`account`] row.
pub(crate) fn parse_account(row: &[u8]) -> Option<AccountId> {
    AccountId::from_bytes(row.strip_prefix(&[ACCOUNT])?.try_into().ok()?)
}

/// The unique id at the end of a row key; empty if there is none.
pub(crate) fn last_id(key: &[u8]) -> &str {
    let start = key.len().saturating_sub(ID_LEN);
    std::str::from_utf8(&key[start..]).unwrap_or_default()
}

/// Characters of a unique id.
pub(crate) const ID_LEN: usize = 21;

fn place(kind: &'static str, tag: u8, parts: &[&[u8]]) -> Place {
    let mut key = vec![tag];
    parts.iter().for_each(|part| key.extend_from_slice(part));
    Place { key, kind }
}
