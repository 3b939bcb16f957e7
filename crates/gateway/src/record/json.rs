//! JSON written straight into a buffer.

use std::fmt::{Display, Write as _};

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

    /// What is JSON already; `null` if there is nothing.
    pub(crate) fn raw(&mut self, name: &str, json: &[u8]) {
        self.member(name).extend_from_slice(if json.is_empty() { b"null" } else { json });
    }

    /// An object within.
    pub(crate) fn object(&mut self, name: &str, fill: impl FnOnce(&mut Object<'_>)) {
        Object::write(self.member(name), fill);
    }
}

/// Writes a text in quotes.
pub(crate) fn text(out: &mut Vec<u8>, value: &str) {
    out.push(b'"');
    let mut clean = 0;
    let bytes = value.as_bytes();
    for (at, &byte) in bytes.iter().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&bytes[clean..at]);
        clean = at + 1;
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => write!(Sink(out), "\\u{byte:04x}").expect("writing to memory does not fail"),
        }
    }
    out.extend_from_slice(&bytes[clean..]);
    out.push(b'"');
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
        let read: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(read, serde_json::json!({odd: odd, "inner": {"is": true}, "nothing": null, "n": 7}));
    }
}
