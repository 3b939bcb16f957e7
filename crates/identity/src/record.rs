//! What rows hold. Each record is a version byte and JSON; docs/formats/identity-records.md lists the members.

use std::collections::BTreeMap;

use policy::AccountId;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::rows::Kind;
use crate::store::Record;
use crate::time::Timestamp;

/// The version of every record that is JSON.
const VERSION: u8 = 1;

/// A record in JSON behind its version.
pub(crate) fn encode_json<T: Serialize>(record: &T) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(1_024));
    out.push(VERSION);
    serde_json::to_writer(&mut *out, record).expect("records are made of texts, numbers and lists");
    out
}

/// The same back.
pub(crate) fn decode_json<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    match bytes.split_first()? {
        (&VERSION, json) => serde_json::from_slice(json).ok(),
        _ => None,
    }
}

/// Makes records of types that serde knows.
macro_rules! json_records {
    ($($name:ty),+ $(,)?) => {
        $( impl $crate::store::Record for $name {
            fn encode(&self) -> zeroize::Zeroizing<Vec<u8>> {
                $crate::record::encode_json(self)
            }

            fn decode(bytes: &[u8]) -> Option<Self> {
                $crate::record::decode_json(bytes)
            }
        } )+
    };
}
pub(crate) use json_records;

json_records!(Account, Head, User, Group, AccessKey, AliasOwner, LastUse);

/// A row that says all with its key.
impl Record for () {
    fn encode(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(vec![VERSION])
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        (bytes == [VERSION]).then_some(())
    }
}

/// An account. Changes of what it counts go through here.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Account {
    /// What the operator calls it.
    pub(crate) name: String,
    pub(crate) created: Timestamp,
    /// Being deleted: nobody gets in any more.
    #[serde(default)]
    pub(crate) closing: bool,
    /// `aws iam create-account-alias`
    #[serde(default)]
    pub(crate) aliases: Vec<String>,
    /// How many entities of each kind there are.
    #[serde(default)]
    pub(crate) counts: BTreeMap<Kind, usize>,
    /// The root user's.
    #[serde(default)]
    pub(crate) credentials: Credentials,
}

impl Account {
    pub(crate) fn new(name: &str, created: Timestamp) -> Self {
        Self {
            name: name.to_owned(),
            created,
            closing: false,
            aliases: Vec::new(),
            counts: BTreeMap::new(),
            credentials: Credentials::default(),
        }
    }

    pub(crate) fn count(&self, kind: Kind) -> usize {
        self.counts.get(&kind).copied().unwrap_or_default()
    }
}

/// What a user, or a root user, signs with and shows.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Credentials {
    /// Ids of access keys, in the order of their making.
    #[serde(default)]
    pub(crate) access_keys: Vec<String>,
    /// Unique ids of MFA devices.
    #[serde(default)]
    pub(crate) mfa: Vec<String>,
}

/// Who has a name: enough for lists.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Head {
    pub(crate) id: String,
    /// In the case that it was given in.
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) created: Timestamp,
}

/// Policies of a user, group or role.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Policies {
    /// Inline ones: name to document, as it was given.
    #[serde(default)]
    pub(crate) inline: BTreeMap<String, String>,
    /// ARNs of managed ones, in the order of their attaching.
    #[serde(default)]
    pub(crate) attached: Vec<String>,
}

/// Tags by key, in the order of their making. Keys that differ in case alone are one.
pub(crate) type Tags = Vec<(String, String)>;

/// A user.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) head: Head,
    /// The ARN of the managed policy that is its permissions boundary.
    #[serde(default)]
    pub(crate) boundary: Option<String>,
    #[serde(default)]
    pub(crate) tags: Tags,
    #[serde(default)]
    pub(crate) policies: Policies,
    /// Unique ids of its groups, in the order of joining.
    #[serde(default)]
    pub(crate) groups: Vec<String>,
    #[serde(default)]
    pub(crate) credentials: Credentials,
}

/// A group.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) head: Head,
    #[serde(default)]
    pub(crate) policies: Policies,
}

/// An access key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AccessKey {
    pub(crate) account: AccountText,
    /// The unique id of the user; `None`: the account's root user.
    pub(crate) user: Option<String>,
    pub(crate) active: bool,
    pub(crate) created: Timestamp,
    pub(crate) secret: Zeroizing<String>,
}

/// Which account has an alias.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct AliasOwner(pub(crate) AccountText);

/// When, where and for what an access key was used last.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct LastUse {
    pub(crate) at: Timestamp,
    pub(crate) service: String,
    pub(crate) region: String,
}

/// An account's id in a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct AccountText(pub(crate) AccountId);

impl Serialize for AccountText {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

impl<'de> Deserialize<'de> for AccountText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        AccountId::parse(&text).map(Self).map_err(serde::de::Error::custom)
    }
}
