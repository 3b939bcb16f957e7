//! From an answer's JSON to what a record shows of it: member names in lowerCamelCase, secrets left out, times in words.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::json::{Sink, text};
use super::limit::{self, LIMIT};
use super::times;

/// What a record shows of a service's JSON.
pub(crate) struct Rules {
    /// Members that are never shown, wherever they stand, sorted.
    pub(crate) secret: &'static [&'static str],
    /// Members whose own members are no names of the model: encryption contexts.
    pub(crate) maps: &'static [&'static str],
    /// Members that are times: seconds since 1970, or ISO 8601.
    pub(crate) times: &'static [&'static str],
    /// What requests mean that leave a member out, by operation.
    pub(crate) left_out: &'static [(&'static str, &'static [LeftOut])],
}

/// What a request means that leaves a member out.
pub(crate) struct LeftOut {
    /// The member, as the model names it.
    pub(crate) member: &'static str,
    /// The other name of the same thing, whose value counts if that was sent.
    pub(crate) other_name: Option<&'static str>,
    /// Its value, as JSON.
    pub(crate) value: &'static str,
}

/// Appends what is shown of `json`; nothing if there is nothing to show, or if it is no JSON.
pub(crate) fn transcode(json: &[u8], rules: &Rules, out: &mut Vec<u8>) {
    let start = out.len();
    let mut source = serde_json::Deserializer::from_slice(json);
    let written = Shown { out, rules, kind: Kind::Model }.deserialize(&mut source);
    let shown = &out[start..];
    if written.is_err() || matches!(shown, b"{}" | b"null") {
        out.truncate(start);
    } else if shown.len() > LIMIT {
        let size = shown.len();
        out.truncate(start);
        limit::omitted(out, size);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Member names are the model's.
    Model,
    /// Member names are the caller's.
    Map,
    /// A time.
    Time,
}

/// Writes the value that it meets.
struct Shown<'a> {
    out: &'a mut Vec<u8>,
    rules: &'a Rules,
    kind: Kind,
}

impl<'de> DeserializeSeed<'de> for Shown<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Shown<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.out.extend_from_slice(b"null");
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.number(value, || value)
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.number(value, || i64::try_from(value).unwrap_or(i64::MAX))
    }

    #[allow(clippy::cast_possible_truncation, reason = "a time's fraction is not shown")]
    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.number(value, || value as i64)
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        // Of every text but a time only the kind is looked at.
        match (self.kind == Kind::Time).then(|| times::parse_iso(value)).flatten() {
            Some(seconds) => text(self.out, &times::in_words(seconds)),
            None => text(self.out, value),
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Self { out, rules, kind } = self;
        out.push(b'[');
        let start = out.len();
        loop {
            let before = out.len();
            if before > start {
                out.push(b',');
            }
            if items.next_element_seed(Shown { out, rules, kind })?.is_none() {
                out.truncate(before);
                break;
            }
        }
        out.push(b']');
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let Self { out, rules, kind } = self;
        out.push(b'{');
        let mut empty = true;
        while let Some(Name(name)) = members.next_key()? {
            if kind == Kind::Model && rules.secret.binary_search(&&*name).is_ok() {
                members.next_value::<serde::de::IgnoredAny>()?;
                continue;
            }
            let before = out.len();
            if !std::mem::take(&mut empty) {
                out.push(b',');
            }
            let inner = match kind {
                Kind::Map => Kind::Map,
                _ if rules.maps.contains(&&*name) => Kind::Map,
                _ if rules.times.contains(&&*name) => Kind::Time,
                _ => Kind::Model,
            };
            let at = out.len() + 1;
            text(out, &name);
            if kind != Kind::Map {
                out[at].make_ascii_lowercase();
            }
            out.push(b':');
            let value = out.len();
            members.next_value_seed(Shown { out, rules, kind: inner })?;
            // `null` is the same as absent.
            if &out[value..] == b"null" {
                out.truncate(before);
                empty = out.last() == Some(&b'{');
            }
        }
        out.push(b'}');
        Ok(())
    }
}

impl Shown<'_> {
    fn number<E>(self, value: impl fmt::Display, seconds: impl FnOnce() -> i64) -> Result<(), E> {
        use fmt::Write as _;
        match self.kind {
            Kind::Time => text(self.out, &times::in_words(seconds())),
            _ => write!(Sink(self.out), "{value}").expect("writing to memory does not fail"),
        }
        Ok(())
    }
}

/// A member's name, where it lies if it has no escapes.
pub(super) struct Name<'de>(pub(super) Cow<'de, str>);

impl<'de> serde::Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_str<E>(self, name: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }
        deserializer.deserialize_str(Visit)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    const RULES: Rules = Rules {
        secret: &["Plaintext"],
        maps: &["EncryptionContext"],
        times: &["ValidTo", "CreateDate"],
        left_out: &[],
    };

    fn shown(json: &str) -> String {
        let mut out = Vec::new();
        transcode(json.as_bytes(), &RULES, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn names_change_contexts_stay_and_secrets_go() {
        let json = r#"{"KeyId":"a\"b","Plaintext":"c2VjcmV0","EncryptionContext":{"Department":"X","Plaintext":"y"},
            "Tags":[{"TagKey":"A","TagValue":"b"},{"Plaintext":"no"}],"Limit":5,"DryRun":null,"ARN":true,"F":1.5}"#;
        let expected = r#"{"keyId":"a\"b","encryptionContext":{"Department":"X","Plaintext":"y"},"tags":[{"tagKey":"A","tagValue":"b"},{}],"limit":5,"aRN":true,"f":1.5}"#;
        assert_eq!(shown(json), expected);
    }

    #[test]
    fn nothing_to_show_is_nothing() {
        for json in ["", "{", "{}", "null", r#"{"Plaintext":"AA=="}"#, r#"{"A":null}"#, r#"{"A":null,"Plaintext":1}"#] {
            assert_eq!(shown(json), "", "{json}");
        }
    }

    #[test]
    fn times_are_in_words() {
        assert_eq!(shown(r#"{"ValidTo":1660171107.5}"#), r#"{"validTo":"Aug 10, 2022, 10:38:27 PM"}"#);
        assert_eq!(shown(r#"{"CreateDate":"2019-10-02T00:05:29Z"}"#), r#"{"createDate":"Oct 2, 2019, 12:05:29 AM"}"#);
    }

    #[test]
    fn what_is_too_long_is_left_out() {
        let json = format!(r#"{{"Description":"{}"}}"#, "x".repeat(LIMIT));
        assert!(shown(&json).starts_with(r#"{"omitted":true,"originalSize":102"#));
    }
}
