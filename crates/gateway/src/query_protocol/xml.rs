//! What serde makes of an answer, as the XML of the query protocol (Smithy, "AWS query protocol", response serialization): members as
//! elements of their names, a list's items as `<member>`, a map's pairs as `<entry><key/><value/></entry>`, what is absent not at all.

use std::fmt;

use data_encoding::BASE64;
use serde::Serialize;
use serde::ser::{self, Impossible, SerializeMap, SerializeSeq, SerializeStruct, Serializer};

/// Appends an element of this name around `value`; nothing if the value serializes as nothing (`None`, `()`, a unit struct).
pub(super) fn element<T: Serialize + ?Sized>(out: &mut String, name: &str, value: &T) {
    try_element(out, name, value)
        .expect("an answer has members, lists, maps, texts and numbers, and no member that fails");
}

fn try_element<T: Serialize + ?Sized>(out: &mut String, name: &str, value: &T) -> Result<(), Unsupported> {
    let start = out.len();
    push_tag(out, "<", name);
    if value.serialize(Content { out })? {
        push_tag(out, "</", name);
    } else {
        out.truncate(start);
    }
    Ok(())
}

fn push_tag(out: &mut String, open: &str, name: &str) {
    out.push_str(open);
    out.push_str(name);
    out.push('>');
}

/// Appends text that stands between tags. What XML 1.0 cannot say at all (section 2.2) becomes U+FFFD; a carriage return, which
/// a parser would take for a line feed (section 2.11), is written by its number.
fn push_text(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\r' => out.push_str("&#xD;"),
            '\t' | '\n' => out.push(character),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ => out.push(character),
        }
    }
}

/// Something that no answer has.
#[derive(Debug)]
struct Unsupported(String);

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unsupported {}

impl ser::Error for Unsupported {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// Writes what stands between an element's tags. Gives whether there is an element at all.
struct Content<'o> {
    out: &'o mut String,
}

impl Content<'_> {
    fn display(self, value: impl fmt::Display) -> Result<bool, Unsupported> {
        push_text(self.out, &value.to_string());
        Ok(true)
    }

    fn unsupported<T>(what: &str) -> Result<T, Unsupported> {
        Err(Unsupported(format!("no answer of the query protocol has {what}")))
    }
}

impl<'o> Serializer for Content<'o> {
    type Ok = bool;
    type Error = Unsupported;
    type SerializeSeq = Parts<'o>;
    type SerializeTuple = Impossible<bool, Unsupported>;
    type SerializeTupleStruct = Impossible<bool, Unsupported>;
    type SerializeTupleVariant = Impossible<bool, Unsupported>;
    type SerializeMap = Parts<'o>;
    type SerializeStruct = Parts<'o>;
    type SerializeStructVariant = Impossible<bool, Unsupported>;

    fn serialize_bool(self, value: bool) -> Result<bool, Unsupported> {
        self.display(value)
    }

    fn serialize_i8(self, value: i8) -> Result<bool, Unsupported> {
        self.display(value)
    }

    fn serialize_i16(self, value: i16) -> Result<bool, Unsupported> {
        self.display(value)
    }

    fn serialize_i32(self, value: i32) -> Result<bool, Unsupported> {
        self.display(value)
    }

    fn serialize_i64(self, value: i64) -> Result<bool, Unsupported> {
        self.display(value)
    }

    fn serialize_u8(self, value: u8) -> Result<bool, Unsupported> {
        self.display(value)
    }

    fn serialize_u16(self, value: u16) -> Result<bool, Unsupported> {
        self.display(value)
    }

    fn serialize_u32(self, value: u32) -> Result<bool, Unsupported> {
        self.display(value)
    }

    fn serialize_u64(self, value: u64) -> Result<bool, Unsupported> {
        self.display(value)
    }

    fn serialize_f32(self, value: f32) -> Result<bool, Unsupported> {
        self.display(value)
    }

    fn serialize_f64(self, value: f64) -> Result<bool, Unsupported> {
        self.display(value)
    }

    fn serialize_char(self, value: char) -> Result<bool, Unsupported> {
        self.display(value)
    }

    fn serialize_str(self, value: &str) -> Result<bool, Unsupported> {
        push_text(self.out, value);
        Ok(true)
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<bool, Unsupported> {
        BASE64.encode_append(value, self.out);
        Ok(true)
    }

    fn serialize_none(self) -> Result<bool, Unsupported> {
        Ok(false)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<bool, Unsupported> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<bool, Unsupported> {
        Ok(false)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<bool, Unsupported> {
        Ok(false)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, name: &'static str) -> Result<bool, Unsupported> {
        self.serialize_str(name)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<bool, Unsupported> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<bool, Unsupported> {
        Self::unsupported("variants")
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Parts<'o>, Unsupported> {
        Ok(Parts { out: self.out, name: None })
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Unsupported> {
        Self::unsupported("tuples")
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, Unsupported> {
        Self::unsupported("tuples")
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Unsupported> {
        Self::unsupported("tuples")
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Parts<'o>, Unsupported> {
        // A struct with flattened members comes as a map, but as one that does not know its length.
        Ok(Parts { out: self.out, name: len.is_none().then(String::new) })
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Parts<'o>, Unsupported> {
        Ok(Parts { out: self.out, name: None })
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Unsupported> {
        Self::unsupported("variants")
    }
}

/// The elements within an element.
struct Parts<'o> {
    out: &'o mut String,
    /// The latest key of a struct with flattened members; none in a map, and in a plain struct.
    name: Option<String>,
}

impl SerializeStruct for Parts<'_> {
    type Ok = bool;
    type Error = Unsupported;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Unsupported> {
        try_element(self.out, name, value)
    }

    fn end(self) -> Result<bool, Unsupported> {
        Ok(true)
    }
}

impl SerializeSeq for Parts<'_> {
    type Ok = bool;
    type Error = Unsupported;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unsupported> {
        try_element(self.out, "member", value)
    }

    fn end(self) -> Result<bool, Unsupported> {
        Ok(true)
    }
}

impl SerializeMap for Parts<'_> {
    type Ok = bool;
    type Error = Unsupported;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unsupported> {
        if let Some(name) = &mut self.name {
            name.clear();
            return key.serialize(Content { out: name }).map(drop);
        }
        self.out.push_str("<entry>");
        try_element(self.out, "key", key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unsupported> {
        if let Some(name) = &self.name {
            return try_element(self.out, name, value);
        }
        try_element(self.out, "value", value)?;
        self.out.push_str("</entry>");
        Ok(())
    }

    fn end(self) -> Result<bool, Unsupported> {
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use std::collections::BTreeMap;

    use super::*;
    use proptest::prelude::*;

    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Listing {
        users: Vec<User>,
        is_truncated: bool,
        marker: Option<String>,
        summary: BTreeMap<&'static str, u32>,
        kind: Kind,
    }

    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct User {
        user_name: &'static str,
        tags: Vec<()>,
        names: Vec<&'static str>,
    }

    #[derive(Serialize)]
    enum Kind {
        Active,
    }

    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Joined {
        #[serde(flatten)]
        user: User,
        marker: Option<String>,
    }

    #[test]
    fn flattened_members_are_members() {
        let user = User { user_name: "a&b", tags: vec![], names: vec![] };
        assert_eq!(
            written(&Joined { user, marker: None }),
            "<R><UserName>a&amp;b</UserName><Tags></Tags><Names></Names></R>"
        );
    }

    fn written(value: &impl Serialize) -> String {
        let mut out = String::new();
        element(&mut out, "R", value);
        out
    }

    #[test]
    fn members_lists_and_maps() {
        let listing = Listing {
            users: vec![User { user_name: "a", tags: vec![], names: vec!["x", ""] }],
            is_truncated: false,
            marker: None,
            summary: [("Users", 1), ("Groups", 0)].into(),
            kind: Kind::Active,
        };
        assert_eq!(
            written(&listing),
            "<R><Users><member><UserName>a</UserName><Tags></Tags><Names><member>x</member><member></member></Names></member>\
             </Users><IsTruncated>false</IsTruncated><Summary><entry><key>Groups</key><value>0</value></entry><entry><key>Users\
             </key><value>1</value></entry></Summary><Kind>Active</Kind></R>"
        );
    }

    #[test]
    fn what_is_absent_is_no_element() {
        assert_eq!(written(&()), "");
        assert_eq!(written(&None::<u8>), "");
        assert_eq!(written(&Some("")), "<R></R>");
    }

    #[test]
    fn no_text_breaks_the_document() {
        assert_eq!(
            written(&"</R>&\r\n\t\0\u{b}\"'\u{fffe}"),
            "<R>&lt;/R&gt;&amp;&#xD;\n\t\u{fffd}\u{fffd}\"'\u{fffd}</R>"
        );
    }

    proptest! {
        #[test]
        fn a_parser_reads_the_text_that_was_written(text: String) {
            let document = written(&text);
            let inner = document.strip_prefix("<R>").and_then(|rest| rest.strip_suffix("</R>")).unwrap();
            prop_assert!(!inner.contains(['<', '>', '\r']), "{}", inner);
            let read = quick_xml::escape::unescape(inner).unwrap();
            let sayable = |c: char| !matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
            let wanted: String = text.chars().map(|c| if sayable(c) { c } else { '\u{fffd}' }).collect();
            prop_assert_eq!(read, wanted);
        }
    }
}
