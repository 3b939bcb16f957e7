//! What policies may ask of a request to KMS: the condition keys of the service. Those of all services are in crate `policy`.
//!
//! Source: KMS Developer Guide, "Condition keys for AWS KMS".

use std::borrow::Cow;
use std::collections::BTreeMap;

use policy::{Context, Principal, Value};

use crate::access::Via;
use crate::decide::{Fact, Use};
use crate::identifier::AliasName;
use crate::labels::Labels;
use crate::principal::Region;
use crate::vault::Key;

/// The circumstances of a request about a key.
pub(crate) struct Circumstances<'a> {
    pub(crate) principal: &'a Principal,
    pub(crate) key: &'a Key,
    pub(crate) region: &'a Region,
    pub(crate) via: Via,
    /// The alias that the request named the key by.
    pub(crate) alias: Option<&'a AliasName>,
    pub(crate) wish: &'a Use<'a>,
    pub(crate) labels: &'a Labels,
}

/// Those of a request about no key in particular.
pub(crate) struct Plain<'a> {
    pub(crate) principal: &'a Principal,
    pub(crate) facts: &'a [Fact<'a>],
    /// Those that the request gives.
    pub(crate) tags: &'a BTreeMap<String, String>,
}

impl Context for Plain<'_> {
    fn value(&self, key: &str) -> Option<Value<'_>> {
        match key {
            "kms:calleraccount" => Some(self.principal.account.as_str().into()),
            _ => given(Some(self.tags), &[], key).or_else(|| fact(self.facts, key)),
        }
    }
}

impl Context for Circumstances<'_> {
    fn value(&self, key: &str) -> Option<Value<'_>> {
        let record = &self.key.record;
        let flag = |value: bool| Some(Value::from(if value { "true" } else { "false" }));
        match key {
            "kms:calleraccount" => Some(self.principal.account.as_str().into()),
            "kms:viaservice" => self.via.service(self.region).map(Value::from),
            "kms:keyspec" | "kms:customermasterkeyspec" => Some(record.spec.name().into()),
            "kms:keyusage" | "kms:customermasterkeyusage" => Some(record.usage.name().into()),
            "kms:keyorigin" => Some(record.origin.name().into()),
            "kms:multiregion" => flag(record.multi_region.is_some()),
            "kms:multiregionkeytype" => {
                let primary = record.multi_region.as_ref()?.primary == *self.region;
                Some(Value::from(if primary { "PRIMARY" } else { "REPLICA" }))
            }
            "kms:reencryptonsamekey" => flag(self.wish.other? == self.key.id),
            "kms:requestalias" => Some(self.alias?.as_str().into()),
            "kms:resourcealiases" => match &*self.labels.aliases {
                [] => None,
                aliases => Some(Value::Many(aliases.iter().map(|alias| Cow::Borrowed(alias.as_str())).collect())),
            },
            "kms:encryptioncontextkeys" => {
                let names = self.wish.encryption_context?.pairs().keys();
                Some(Value::Many(names.map(|name| Cow::Borrowed(name.as_str())).collect()))
            }
            _ => {
                if let Some(name) = key.strip_prefix("kms:encryptioncontext:") {
                    return self.encryption_context(name);
                }
                if let Some(name) = key.strip_prefix("aws:resourcetag/") {
                    // Tag keys of KMS differ by case; condition keys do not, so the first one counts.
                    let found = self.labels.tags.iter().find(|(tag, _)| tag.to_lowercase() == name);
                    return found.map(|(_, value)| value.as_str().into());
                }
                given(self.wish.tags, self.wish.tag_keys, key).or_else(|| fact(self.wish.facts, key))
            }
        }
    }
}

impl Circumstances<'_> {
    /// The pairs of the encryption context under a name in lower case. Names that differ by case are one condition key.
    fn encryption_context(&self, name: &str) -> Option<Value<'_>> {
        let pairs = self.wish.encryption_context?.pairs();
        let named = pairs.iter().filter(|(key, _)| key.to_lowercase() == name || key.eq_ignore_ascii_case(name));
        let mut values: Vec<Cow<'_, str>> = named.map(|(_, value)| Cow::Borrowed(value.as_str())).collect();
        match values.len() {
            0 => None,
            1 => values.pop().map(Value::One),
            _ => Some(Value::Many(values)),
        }
    }
}

/// `aws:RequestTag/...` and `aws:TagKeys`: the tags of the request.
fn given<'a>(tags: Option<&'a BTreeMap<String, String>>, tag_keys: &'a [String], key: &str) -> Option<Value<'a>> {
    if key == "aws:tagkeys" {
        let given = tags.into_iter().flat_map(BTreeMap::keys).chain(tag_keys);
        let keys: Vec<_> = given.map(|key| Cow::Borrowed(key.as_str())).collect();
        return (!keys.is_empty()).then_some(Value::Many(keys));
    }
    let name = key.strip_prefix("aws:requesttag/")?;
    let (_, value) = tags?.iter().find(|(tag, _)| tag.to_lowercase() == name)?;
    Some(value.as_str().into())
}

fn fact<'a>(facts: &'a [Fact<'a>], key: &str) -> Option<Value<'a>> {
    facts.iter().find(|(fact, _)| *fact == key).map(|(_, value)| value.clone())
}
