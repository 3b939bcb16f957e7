//! JSON objects of strings: descriptions, contexts, instruction files.

use crate::error::{Error, Result};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;
use std::fmt::Write;

/// Reads an object of strings; nothing within it, no name twice. Some clients wrote numbers as such: they are taken as their text.
pub(super) fn read(text: &[u8]) -> Result<BTreeMap<String, String>, &'static str> {
    match serde_json::from_slice::<Strings>(text) {
        Ok(strings) => Ok(strings.0),
        Err(error) if error.to_string().starts_with(TWICE) => Err(TWICE),
        Err(_) => Err("not a JSON object of strings"),
    }
}

/// An object in ASCII, so that no proxy and no server has to guess at an encoding. An `=?` in it is escaped: it begins the encoded words
/// of RFC 2047.
pub(super) fn write<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Result<String> {
    let pairs: BTreeMap<&str, &str> = pairs.collect();
    let text = serde_json::to_string(&pairs).map_err(|_| Error::Library)?;
    let mut ascii = String::with_capacity(text.len());
    for character in text.chars() {
        if character == '?' && ascii.ends_with('=') {
            ascii.push_str("\\u003f");
        } else if character.is_ascii() && character != '\x7f' {
            ascii.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(ascii, "\\u{unit:04x}").map_err(|_| Error::Library)?;
            }
        }
    }
    Ok(ascii)
}

const TWICE: &str = "a name twice";

struct Strings(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Strings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Pairs).map(Strings)
    }
}

struct Pairs;

impl<'de> Visitor<'de> for Pairs {
    type Value = BTreeMap<String, String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of strings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = BTreeMap::new();
        while let Some((name, Text(value))) = map.next_entry::<String, Text>()? {
            if pairs.insert(name, value).is_some() {
                return Err(A::Error::custom(TWICE));
            }
        }
        Ok(pairs)
    }
}

struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfText;
        impl Visitor<'_> for OfText {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E>(self, text: &str) -> Result<Text, E> {
                Ok(Text(text.to_owned()))
            }

            fn visit_string<E>(self, text: String) -> Result<Text, E> {
                Ok(Text(text))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Text, E> {
                Ok(Text(number.to_string()))
            }
        }
        deserializer.deserialize_any(OfText)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_object_of_strings_is_refused() {
        let deep = format!("{{\"a\":{}", "[".repeat(50_000));
        for text in ["", "{", "[]", "\"a\"", "{\"a\":null}", "{\"a\":{}}", "{\"a\":-1}", "{\"a\":\"b\"}x", &deep] {
            assert_eq!(read(text.as_bytes()), Err("not a JSON object of strings"), "{}", &text[..text.len().min(20)]);
        }
        assert_eq!(read(b"{\"a\":\"1\",\"\\u0061\":\"2\"}"), Err(TWICE));
        assert!(read(b"{\"a\":\"\xff\"}").is_err());
        assert_eq!(read(b" {\"a\" : 128 } ").unwrap()["a"], "128");
    }

    proptest! {
        #[test]
        fn what_is_written_is_ascii_and_is_read(pairs in prop::collection::btree_map(".{0,8}", "(?s).{0,20}|=\\?UTF-8\\?Q\\?a\\?=", 0..5)) {
            let text = write(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))).unwrap();
            prop_assert!(text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) && !text.contains("=?"));
            prop_assert_eq!(read(text.as_bytes()).unwrap(), pairs);
        }
    }
}
