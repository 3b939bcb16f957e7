//! The walk of a JSON body beside its shape.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::Error;
use crate::failures::{self, Broken, Failures, Place, Step};
use crate::raw;
use crate::shape::{Kind, Member, Shape};

/// Checks that a request has its shape and keeps its constraints. Gives the body as text.
///
/// # Errors
/// [`Error::Serialization`] for what is not JSON of this shape, [`Error::Validation`] for broken constraints.
pub fn check<'a>(shape: &'static Shape, body: &'a [u8]) -> Result<&'a str, Error> {
    let body = std::str::from_utf8(body).map_err(|_| Error::Serialization(String::new()))?;
    let mut walk = Walk { failures: Failures::default(), wrong: None };
    let document = body.trim_ascii_start();
    let walked = match document.as_bytes().first() {
        Some(b'{' | b'[') => walk.value(shape, document, &Place::ROOT),
        // AWS has no words for a body that is a string, a number or null.
        _ => Err(Wrong),
    };
    match walked {
        Ok(()) => walk.failures.finish().map(|()| body),
        Err(Wrong) => Err(Error::Serialization(walk.wrong.unwrap_or_default())),
    }
}

/// AWS's answer to the lack of a member that the model calls optional and that the other members make necessary. `member` as
/// messages write it: `keyId`.
pub fn required(member: &str) -> Error {
    let place = format!("Value null at '{member}'");
    Error::Validation(format!("1 validation error detected: {place} failed to satisfy constraint: {}", Broken::NotNull))
}

struct Walk {
    failures: Failures,
    /// What is wrong with the JSON, once something is.
    wrong: Option<String>,
}

/// The walk has ended; [`Walk::wrong`] says why.
struct Wrong;

impl Walk {
    /// One value that is not null.
    fn value(&mut self, shape: &'static Shape, raw: &str, place: &Place<'_>) -> Result<(), Wrong> {
        let first = raw.as_bytes().first().copied().unwrap_or_default();
        match (&shape.kind, first) {
            (Kind::Structure(members), b'{') => self.structure(members, raw, place),
            (Kind::List { of, min, max }, b'[') => self.list(shape, (of, *min, *max), raw, place),
            (Kind::Map { key, value, min, max }, b'{') => self.map((key, value), (*min, *max), raw, place),
            (Kind::Text { .. } | Kind::Name(_), b'"') => {
                let text = self.text(raw)?;
                self.failures.check_text(shape, text.as_str(), place);
                Ok(())
            }
            (Kind::Blob { min, max }, b'"') => {
                let text = self.text(raw)?;
                let Some(len) = raw::base64_len(text.as_str()) else {
                    return self.refuse("STRING_VALUE can not be converted to a Blob");
                };
                if len < *min {
                    self.failures.push(place, None, &Broken::MinLength(*min));
                }
                if len > *max {
                    self.failures.push(place, None, &Broken::MaxLength(*max));
                }
                Ok(())
            }
            (Kind::Integer { min, max }, b'-' | b'0'..=b'9') => self.integer(*min, *max, raw, place),
            (Kind::Boolean, b't' | b'f') | (Kind::Timestamp, b'-' | b'0'..=b'9') => Ok(()),
            (kind, first) => self.refuse(mismatch(kind, first)),
        }
    }

    fn structure(&mut self, members: &'static [Member], raw: &str, place: &Place<'_>) -> Result<(), Wrong> {
        self.parse(raw, |walk, json| json.deserialize_map(Structure { walk, members, place }))
    }

    fn list(
        &mut self,
        shape: &'static Shape,
        (of, min, max): (&'static Shape, usize, usize),
        raw: &str,
        place: &Place<'_>,
    ) -> Result<(), Wrong> {
        let mut tally = Tally { len: 0, broken: false };
        self.parse(raw, |walk, json| json.deserialize_seq(Items { walk, of, place, tally: &mut tally }))?;
        // How AWS would show structures is not known.
        let shown = || (!shape.secret && !of.secret && !matches!(of.kind, Kind::Structure(_))).then(|| joined(raw));
        if tally.len < min {
            self.failures.push(place, shown().as_deref(), &Broken::MinLength(min));
        }
        if tally.len > max {
            self.failures.push(place, shown().as_deref(), &Broken::MaxLength(max));
        }
        if tally.broken {
            self.failures.push(place, shown().as_deref(), &Broken::Items(of));
        }
        Ok(())
    }

    fn map(
        &mut self,
        (key, value): (&'static Shape, &'static Shape),
        (min, max): (usize, usize),
        raw: &str,
        place: &Place<'_>,
    ) -> Result<(), Wrong> {
        let mut tally = MapTally::default();
        self.parse(raw, |walk, json| json.deserialize_map(Pairs { walk, key, value, place, tally: &mut tally }))?;
        let MapTally { len, keys_broken, values_broken } = tally;
        let broken = [
            (len < min, Broken::MinLength(min)),
            (len > max, Broken::MaxLength(max)),
            (keys_broken, Broken::Keys(key)),
            (values_broken, Broken::Values(value)),
        ];
        for (_, broken) in broken.into_iter().filter(|(is, _)| *is) {
            let shown = (!key.secret && !value.secret).then(|| pairs(raw)).flatten();
            self.failures.push(place, shown.as_deref(), &broken);
        }
        Ok(())
    }

    fn integer(&mut self, min: i64, max: i64, raw: &str, place: &Place<'_>) -> Result<(), Wrong> {
        let digits = raw.strip_prefix('-').unwrap_or(raw);
        if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return self.refuse("NUMBER_VALUE can not be converted to an Integer");
        }
        // Digits alone can only fail by being too many.
        let value: i64 = raw.parse().unwrap_or(if digits.len() < raw.len() { i64::MIN } else { i64::MAX });
        if value < min {
            self.failures.push(place, Some(raw), &Broken::MinValue(min));
        }
        if value > max {
            self.failures.push(place, Some(raw), &Broken::MaxValue(max));
        }
        Ok(())
    }

    fn text<'a>(&mut self, raw: &'a str) -> Result<raw::Text<'a>, Wrong> {
        raw::text(raw).ok_or(Wrong)
    }

    /// Lets a JSON parser loose on the whole of a text.
    fn parse<'a>(
        &mut self,
        raw: &'a str,
        parse: impl FnOnce(&mut Self, &mut serde_json::Deserializer<serde_json::de::StrRead<'a>>) -> serde_json::Result<()>,
    ) -> Result<(), Wrong> {
        let mut json = serde_json::Deserializer::from_str(raw);
        parse(self, &mut json).and_then(|()| json.end()).map_err(|_| Wrong)
    }

    fn refuse(&mut self, text: impl Into<String>) -> Result<(), Wrong> {
        self.wrong = Some(text.into());
        Err(Wrong)
    }
}

/// AWS's words for a value of another type than the member's. `first` is the value's first byte.
fn mismatch(kind: &Kind, first: u8) -> String {
    let found = match first {
        b'[' => return "Start of list found where not expected".to_owned(),
        b'{' => return "Start of structure or map found where not expected.".to_owned(),
        b'"' => "STRING_VALUE",
        b't' => "TRUE_VALUE",
        b'f' => "FALSE_VALUE",
        _ => "NUMBER_VALUE",
    };
    let wanted = match kind {
        Kind::Structure(_) => return "Expected null".to_owned(),
        Kind::List { .. } => return "Expected list or null".to_owned(),
        Kind::Map { .. } => return "Expected map or null".to_owned(),
        Kind::Text { .. } | Kind::Name(_) => "a String",
        Kind::Blob { .. } => "a Blob",
        Kind::Integer { .. } => "an Integer",
        // The article is AWS's.
        Kind::Boolean if first == b'"' => "an Boolean",
        Kind::Boolean => "a Boolean",
        Kind::Timestamp => "milliseconds since epoch",
    };
    format!("{found} can not be converted to {wanted}")
}

/// A list of texts as Java prints it, which is how messages show it.
fn joined(raw: &str) -> String {
    let items: Vec<String> = serde_json::from_str(raw).unwrap_or_default();
    format!("[{}]", items.join(", "))
}

/// A map of texts as Java prints it.
fn pairs(raw: &str) -> Option<String> {
    let map: BTreeMap<String, String> = serde_json::from_str(raw).ok()?;
    let pairs: Vec<String> = map.iter().map(|(key, value)| format!("{key}={value}")).collect();
    Some(format!("{{{}}}", pairs.join(", ")))
}

struct Structure<'w, 'p> {
    walk: &'w mut Walk,
    members: &'static [Member],
    place: &'p Place<'p>,
}

impl<'de> Visitor<'de> for Structure<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a structure")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (mut seen, mut present) = (0_u64, 0_u64);
        while let Some(known) = map.next_key_seed(Name(self.members))? {
            let Some(index) = known else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let member = &self.members[index];
            if seen & (1 << index) != 0 {
                self.walk.wrong = Some(format!("Duplicate field '{}'", member.name));
                return Err(A::Error::custom(""));
            }
            seen |= 1 << index;
            let raw = map.next_value::<&RawValue>()?.get();
            if raw == "null" {
                continue;
            }
            present |= 1 << index;
            let place = self.place.then(Step::Member(member.name, index));
            self.walk.value(member.shape, raw, &place).map_err(|Wrong| A::Error::custom(""))?;
        }
        for (index, member) in self.members.iter().enumerate() {
            if member.required && present & (1 << index) == 0 {
                let place = self.place.then(Step::Member(member.name, index));
                self.walk.failures.push_absent(member.shape, &place);
            }
        }
        Ok(())
    }
}

/// The index of the member that a name names.
struct Name(&'static [Member]);

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member's name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Option<usize>, E> {
        Ok(self.0.iter().position(|member| member.name == name))
    }
}

struct Items<'w, 'p> {
    walk: &'w mut Walk,
    of: &'static Shape,
    place: &'p Place<'p>,
    tally: &'w mut Tally,
}

struct Tally {
    len: usize,
    /// Whether a text of the list breaks a constraint.
    broken: bool,
}

impl<'de> Visitor<'de> for Items<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(raw) = items.next_element::<&RawValue>()? {
            let (raw, index) = (raw.get(), self.tally.len);
            self.tally.len += 1;
            if raw.starts_with('"') && !matches!(self.of.kind, Kind::Structure(_)) {
                let text = self.walk.text(raw).map_err(|Wrong| A::Error::custom(""))?;
                self.tally.broken |= failures::broken(self.of, text.as_str()).next().is_some();
            } else if raw == "null" {
                return Err(A::Error::custom(""));
            } else {
                let place = self.place.then(Step::Item(index));
                self.walk.value(self.of, raw, &place).map_err(|Wrong| A::Error::custom(""))?;
            }
        }
        Ok(())
    }
}

/// The pairs of a map.
struct Pairs<'w, 'p> {
    walk: &'w mut Walk,
    key: &'static Shape,
    value: &'static Shape,
    place: &'p Place<'p>,
    tally: &'w mut MapTally,
}

#[derive(Default)]
struct MapTally {
    len: usize,
    keys_broken: bool,
    values_broken: bool,
}

impl<'de> Visitor<'de> for Pairs<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(broken) = map.next_key_seed(Key(self.key))? {
            let (raw, index) = (map.next_value::<&RawValue>()?.get(), self.tally.len);
            self.tally.len += 1;
            self.tally.keys_broken |= broken;
            if raw == "null" {
                return Err(A::Error::custom(""));
            }
            if raw.starts_with('"') && !matches!(self.value.kind, Kind::Structure(_)) {
                let text = self.walk.text(raw).map_err(|Wrong| A::Error::custom(""))?;
                self.tally.values_broken |= failures::broken(self.value, text.as_str()).next().is_some();
            } else {
                let place = self.place.then(Step::Value(index));
                self.walk.value(self.value, raw, &place).map_err(|Wrong| A::Error::custom(""))?;
            }
        }
        Ok(())
    }
}

/// Whether a map's key breaks a constraint of its shape.
struct Key(&'static Shape);

impl<'de> DeserializeSeed<'de> for Key {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map's key")
    }

    fn visit_str<E>(self, key: &str) -> Result<bool, E> {
        Ok(failures::broken(self.0, key).next().is_some())
    }
}
