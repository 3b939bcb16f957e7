//! JSON written straight into a buffer.

use std::fmt::{Display, Write as _};

use serde_json::Value;

/// An object in the making. Members are written in the order of the calls; the caller sees to it that names differ.
pub(crate) struct Object<'a> {
    out: &'a mut Vec<u8>,
    empty: bool,
}

impl<'a> Object<'a> {
    /// Writes `{`, what `fill` writes, and `}`.
    pub(crate) fn write(out: &'a mut Vec<u8>, fill: impl FnOnce(&mut Object<'_>)) {
        out.push(b'{');
        fill(&mut Object { out, empty: true });
        out.push(b'}');
    }

    /// The place of a member's value.
    pub(crate) fn member(&mut self, name: &str) -> &mut Vec<u8> {
        if !std::mem::take(&mut self.empty) {
            self.out.push(b',');
        }
        text(self.out, name);
        self.out.push(b':');
        self.out
    }

    /// A text.
    pub(crate) fn text(&mut self, name: &str, value: &str) {
        text(self.member(name), value);
    }

    /// A text, or nothing at all.
    pub(crate) fn maybe(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    /// A text that has neither quotes nor backslashes nor control characters: identifiers, times, numbers.
    pub(crate) fn plain(&mut self, name: &str, value: impl Display) {
        let out = self.member(name);
        out.push(b'"');
        write!(Sink(out), "{value}").expect("writing to memory does not fail");
        out.push(b'"');
    }

    /// A number.
    pub(crate) fn number(&mut self, name: &str, value: u64) {
        write!(Sink(self.member(name)), "{value}").expect("writing to memory does not fail");
    }

    /// `true` or `false`.
    pub(crate) fn flag(&mut self, name: &str, value: bool) {
        self.member(name).extend_from_slice(if value { b"true" } else { b"false" });
    }

    /// What is JSON that this module has written; `null` if there is nothing. Never what somebody sent: [`value`] is for that.
    pub(crate) fn raw(&mut self, name: &str, json: &[u8]) {
        self.member(name).extend_from_slice(if json.is_empty() { b"null" } else { json });
    }

    /// An object within.
    pub(crate) fn object(&mut self, name: &str, fill: impl FnOnce(&mut Object<'_>)) {
        Object::write(self.member(name), fill);
    }
}

/// Writes a text in quotes. What ends a line or commands a terminal is escaped, even where JSON would let it stand: a record is a line
/// of exports and logs, and no text within may look like another one.
pub(crate) fn text(out: &mut Vec<u8>, value: &str) {
    out.push(b'"');
    let mut clean = 0;
    let bytes = value.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        // The characters of two and three bytes that are escaped begin with C2 and E2.
        if byte >= 0x20 && !matches!(byte, b'"' | b'\\' | 0x7f | 0xc2 | 0xe2) {
            at += 1;
            continue;
        }
        let character = value[at..].chars().next().unwrap_or_default();
        let (here, next) = (at, at + character.len_utf8());
        at = next;
        let escape = match character {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            _ if character.is_control() || is_invisible(character) => "",
            _ => continue,
        };
        out.extend_from_slice(&bytes[clean..here]);
        clean = next;
        if escape.is_empty() {
            write!(Sink(out), "\\u{:04x}", u32::from(character)).expect("writing to memory does not fail");
        } else {
            out.extend_from_slice(escape.as_bytes());
        }
    }
    out.extend_from_slice(&bytes[clean..]);
    out.push(b'"');
}

/// Line and paragraph separators, and what changes the direction of the text around it.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Writes a value without any white space.
pub(crate) fn value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::String(string) => text(out, string),
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                self::value(out, item);
            }
            out.push(b']');
        }
        Value::Object(members) => Object::write(out, |object| {
            for (name, member) in members {
                self::value(object.member(name), member);
            }
        }),
        plain => write!(Sink(out), "{plain}").expect("writing to memory does not fail"),
    }
}

/// Formatted text into bytes.
pub(crate) struct Sink<'a>(pub(crate) &'a mut Vec<u8>);

impl std::fmt::Write for Sink<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn texts_are_escaped_as_json_wants_it() {
        let odd = "a\"b\\c\n\r\t\u{1}\u{1f}é\u{2028}\u{7f}";
        let mut out = Vec::new();
        Object::write(&mut out, |object| {
            object.text(odd, odd);
            object.object("inner", |inner| inner.flag("is", true));
            object.raw("nothing", b"");
            object.number("n", 7);
        });
        let read: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(read, serde_json::json!({odd: odd, "inner": {"is": true}, "nothing": null, "n": 7}));
    }

    #[test]
    fn nothing_ends_a_line_or_commands_a_terminal() {
        let odd: String = ('\0'..='\u{2100}').collect();
        let mut out = Vec::new();
        text(&mut out, &odd);
        assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), odd);
        let written = String::from_utf8(out).unwrap();
        assert!(!written.chars().any(|character| character.is_control() || is_invisible(character)));
        for ordinary in ["é", "\u{a0}", "†", "€", "\u{2030}", "𝄞"] {
            let mut out = Vec::new();
            text(&mut out, ordinary);
            assert_eq!(out, format!("\"{ordinary}\"").as_bytes());
        }
    }

    #[test]
    fn what_was_sent_becomes_one_line() {
        let sent = "{\r\n \"a\": [1, 2.5,\n null, true, \"x\u{2028}y\"],\n \"b\": {}\n}";
        let mut out = Vec::new();
        value(&mut out, &serde_json::from_str(sent).unwrap());
        assert_eq!(out, br#"{"a":[1,2.5,null,true,"x\u2028y"],"b":{}}"#);
    }
}
