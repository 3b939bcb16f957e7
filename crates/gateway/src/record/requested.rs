//! `requestParameters` of services with a model: the members that the operation's shape has, each once, and nothing else.
//!
//! A request that is refused is on record, too, so its body may be anything: what its sender adds may neither stand for a member that the
//! operation has (`name` beside `Name`) nor push one off the record.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;

use model::{Operation, Shape, View, raw};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::json::{Object, text};
use super::limit::{self, LIMIT, MEMBER_LIMIT};
use super::times;
use super::transcode::{LeftOut, Name, Rules};

/// Appends what is shown of a request's body; nothing if there is nothing to show. Of a body that is no JSON, what comes before the fault.
pub(crate) fn requested(operations: &[Operation], operation: &str, body: &[u8], rules: &Rules, out: &mut Vec<u8>) {
    let Some(Operation { request, .. }) = operations.iter().find(|known| known.name == operation) else { return };
    let body = match std::str::from_utf8(body) {
        Ok(body) => body,
        Err(fault) => std::str::from_utf8(&body[..fault.valid_up_to()]).unwrap_or_default(),
    };
    let mut shown: Vec<(&str, Vec<u8>)> = Vec::new();
    let (sent, whole) = members(request, body, rules);
    for &(name, shape, raw) in &sent {
        let mut value = Vec::new();
        if write(shape, raw, rules, &mut value) {
            if value.len() > MEMBER_LIMIT {
                leave_out(&mut value);
            }
            shown.push((name, value));
        }
    }
    if whole {
        add_defaults(operation, &sent, rules, &mut shown);
    }
    // The longest go first, so that what names the key or the trail stays.
    while shown.iter().map(|(name, value)| name.len() + value.len() + 4).sum::<usize>() + 2 > LIMIT {
        match shown.iter_mut().max_by_key(|(_, value)| value.len()) {
            Some((_, longest)) => leave_out(longest),
            None => break,
        }
    }
    if !shown.is_empty() {
        Object::write(out, |object| shown.iter().for_each(|(name, value)| object.raw(&lower(name), value)));
    }
}

/// What a request means by the members that it leaves out. What it sends and is not shown is wrong, and means no default.
fn add_defaults(operation: &str, sent: &[Member<'_>], rules: &Rules, shown: &mut Vec<(&str, Vec<u8>)>) {
    let was_sent = |member: &str| sent.iter().any(|(name, _, raw)| *name == member && *raw != "null");
    let left_out = rules.left_out.iter().filter(|(name, _)| *name == operation).flat_map(|(_, members)| *members);
    for LeftOut { member, other_name, value } in left_out {
        if was_sent(member) {
            continue;
        }
        let value = match other_name.filter(|other| was_sent(other)) {
            Some(other) => shown.iter().find(|(name, _)| *name == other).map(|(_, value)| value.clone()),
            None => Some(value.as_bytes().to_vec()),
        };
        shown.extend(value.map(|value| (*member, value)));
    }
}

fn leave_out(value: &mut Vec<u8>) {
    let size = value.len();
    value.clear();
    limit::omitted(value, size);
}

/// `keyId`
fn lower(name: &str) -> String {
    let mut name = name.to_owned();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    name
}

/// Writes a value. Says whether there is one to show; if not, nothing is written.
fn write(shape: &'static Shape, raw: &str, rules: &Rules, out: &mut Vec<u8>) -> bool {
    let first = raw.as_bytes().first().copied().unwrap_or_default();
    match (shape.view(), first) {
        (View::Structure, b'{') => Object::write(out, |object| {
            for (name, shape, raw) in members(shape, raw, rules).0 {
                let mut value = Vec::new();
                if write(shape, raw, rules, &mut value) {
                    object.raw(&lower(name), &value);
                }
            }
        }),
        (View::List(of), b'[') => {
            let mut items = Vec::new();
            let _ = Items(&mut items).deserialize(&mut serde_json::Deserializer::from_str(raw));
            out.push(b'[');
            let start = out.len();
            for item in items {
                let before = out.len();
                if before > start {
                    out.push(b',');
                }
                if !write(of, item, rules, out) {
                    out.truncate(before);
                }
            }
            out.push(b']');
        }
        (View::Map(of), b'{') => {
            let mut pairs = Pairs::default();
            let _ = (&mut pairs).deserialize(&mut serde_json::Deserializer::from_str(raw));
            Object::write(out, |object| {
                for (name, raw) in pairs.all {
                    let mut value = Vec::new();
                    if write(of, raw, rules, &mut value) {
                        object.raw(&name, &value);
                    }
                }
            });
        }
        (View::Text, b'"') => match raw::text(raw) {
            Some(read) => text(out, read.as_str()),
            None => return false,
        },
        (View::Integer, b'-' | b'0'..=b'9') if raw.len() <= NUMBER_LIMIT => out.extend_from_slice(raw.as_bytes()),
        (View::Boolean, b't' | b'f') => out.extend_from_slice(raw.as_bytes()),
        (View::Timestamp, b'-' | b'0'..=b'9') => match raw.parse::<f64>() {
            #[allow(clippy::cast_possible_truncation, reason = "a time's fraction is not shown")]
            Ok(seconds) => text(out, &times::in_words(seconds as i64)),
            Err(_) => return false,
        },
        // Bytes are never shown, and what is of another type than the shape's is nothing that could be carried out.
        _ => return false,
    }
    true
}

/// Whoever writes more digits means no number.
const NUMBER_LIMIT: usize = 32;

type Member<'a> = (&'static str, &'static Shape, &'a str);

/// The members of a structure that are known and shown, the first of each name, and whether these are all.
fn members<'a>(shape: &'static Shape, raw: &'a str, rules: &Rules) -> (Vec<Member<'a>>, bool) {
    let mut members = Vec::new();
    // A fault ends them; the request is refused for it.
    let mut source = serde_json::Deserializer::from_str(raw);
    let whole = Members { shape, rules, members: &mut members }.deserialize(&mut source).is_ok();
    (members, whole)
}

struct Members<'m, 'de> {
    shape: &'static Shape,
    rules: &'m Rules,
    members: &'m mut Vec<Member<'de>>,
}

impl<'de> DeserializeSeed<'de> for Members<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Members<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a structure")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut known = Vec::new();
        while let Some(Name(name)) = map.next_key()? {
            let member = self.shape.member(&name).filter(|(name, _)| self.rules.secret.binary_search(name).is_err());
            match member.filter(|(name, _)| !known.contains(name)) {
                Some((name, shape)) => {
                    known.push(name);
                    self.members.push((name, shape, map.next_value::<&RawValue>()?.get()));
                }
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

struct Items<'m, 'de>(&'m mut Vec<&'de str>);

impl<'de> DeserializeSeed<'de> for Items<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Items<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(raw) = items.next_element::<&RawValue>()? {
            self.0.push(raw.get());
        }
        Ok(())
    }
}

/// The pairs of a map in their order, the last of each name, which is the one that counts.
#[derive(Default)]
struct Pairs<'de> {
    all: Vec<(String, &'de str)>,
    places: HashMap<String, usize>,
}

impl<'de> DeserializeSeed<'de> for &mut Pairs<'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut Pairs<'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Name(name)) = map.next_key()? {
            let raw = map.next_value::<&RawValue>()?.get();
            match self.places.entry(name.into_owned()) {
                Entry::Occupied(place) => self.all[*place.get()].1 = raw,
                Entry::Vacant(place) => {
                    self.all.push((place.key().clone(), raw));
                    place.insert(self.all.len() - 1);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;
    use crate::record::{kms, others};

    fn kms(operation: &str, body: &str) -> String {
        let mut out = Vec::new();
        requested(model::kms::OPERATIONS, operation, body.as_bytes(), &kms::RULES, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn members_of_the_shape_are_shown_and_no_others() {
        let body = r#"{"KeyId":"alias/a\n","keyId":"b","Plaintext":"c2VjcmV0","Junk":[[[1]]],"DryRun":true,
            "EncryptionContext":{"Plaintext":"x","é":"1","KeyId":"k"},"KeyId":"c","EncryptionAlgorithm":7,"GrantTokens":["t"]}"#;
        assert_eq!(
            kms("Encrypt", body),
            r#"{"keyId":"alias/a\n","dryRun":true,"encryptionContext":{"Plaintext":"x","é":"1","KeyId":"k"}}"#
        );
        let body = r#"{"Name":"maintrail","name":"sandbox-trail"}"#;
        let mut out = Vec::new();
        requested(model::cloudtrail::OPERATIONS, "StopLogging", body.as_bytes(), &others::CLOUDTRAIL, &mut out);
        assert_eq!(out, br#"{"name":"maintrail"}"#);
        let body = r#"{"StartTime":1660171107.5,"LookupAttributes":[{"AttributeKey":"EventName","x":1,"AttributeValue":"v"}],"MaxResults":5}"#;
        let mut out = Vec::new();
        requested(model::cloudtrail::OPERATIONS, "LookupEvents", body.as_bytes(), &others::CLOUDTRAIL, &mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"startTime":"Aug 10, 2022, 10:38:27 PM","lookupAttributes":[{"attributeKey":"EventName","attributeValue":"v"}],"maxResults":5}"#
        );
    }

    #[test]
    fn junk_pushes_nothing_off_the_record() {
        let known = r#""KeyId":"k","EncryptionContext":{"a":"1","a":"2"}"#;
        let shown = r#"{"keyId":"k","encryptionContext":{"a":"2"}}"#;
        let deep = "[".repeat(100_000);
        let closed = "]".repeat(100_000);
        let long = "x".repeat(200_000);
        for junk in [format!(r#""Deep":{deep}{closed}"#), format!(r#""Long":"{long}""#), format!(r#""Open":{deep}"#)] {
            assert_eq!(kms("GenerateDataKey", &format!("{{{known},{junk}}}")), shown);
        }
        for before in [format!(r#""Deep":{deep}{closed}"#), format!(r#""Long":"{long}""#)] {
            assert_eq!(kms("GenerateDataKey", &format!("{{{before},{known}}}")), shown);
        }
        let json: serde_json::Value =
            serde_json::from_str(&kms("Decrypt", &format!(r#"{{"EncryptionAlgorithm":"{long}",{known}}}"#))).unwrap();
        assert_eq!(json["keyId"], "k");
        assert_eq!(json["encryptionContext"]["a"], "2");
        assert_eq!(json["encryptionAlgorithm"]["originalSize"], 200_002);
    }

    #[test]
    fn nothing_to_show_is_nothing() {
        for body in ["", "{", "{}", "null", "[]", r#"{"Message":"AA=="}"#, r#"{"KeyId":null}"#, r#"{"KeyId":{}}"#] {
            assert_eq!(kms("Sign", body), "", "{body}");
        }
        for body in ["", "{", "null", "[]"] {
            assert_eq!(kms("Encrypt", body), "", "{body}");
        }
        assert_eq!(kms("Nothing", r#"{"KeyId":"k"}"#), "");
    }

    #[test]
    fn what_is_left_out_is_shown_as_it_is_meant() {
        let shown =
            |operation: &str, body: &str| -> serde_json::Value { serde_json::from_str(&kms(operation, body)).unwrap() };
        let symmetric = serde_json::json!("SYMMETRIC_DEFAULT");
        assert_eq!(shown("Decrypt", r#"{"EncryptionAlgorithm":null}"#)["encryptionAlgorithm"], symmetric);
        let sent = shown("Decrypt", r#"{"EncryptionAlgorithm":"RSAES_OAEP_SHA_256"}"#);
        assert_eq!(sent["encryptionAlgorithm"], "RSAES_OAEP_SHA_256");
        assert_eq!(kms("Decrypt", r#"{"EncryptionAlgorithm":7}"#), "");
        let made = shown("CreateKey", "{}");
        assert_eq!([&made["keySpec"], &made["customerMasterKeySpec"]], [&symmetric; 2]);
        assert_eq!(made["bypassPolicyLockoutSafetyCheck"], false);
        for sent in [r#"{"KeySpec":"RSA_2048"}"#, r#"{"CustomerMasterKeySpec":"RSA_2048"}"#] {
            let made = shown("CreateKey", sent);
            assert_eq!([&made["keySpec"], &made["customerMasterKeySpec"]], [&serde_json::json!("RSA_2048"); 2]);
        }
    }
}
