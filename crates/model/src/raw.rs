//! JSON strings as they lie in a request (RFC 8259 section 7), read without the copy that a JSON parser would leave behind.

use zeroize::Zeroizing;

/// The text of a JSON string. Without escapes it is the request's own bytes; with some (PHP writes `\/`, .NET `\u002B`) it
/// is a copy that is wiped.
pub enum Text<'a> {
    /// As it lies in the request.
    Plain(&'a str),
    /// A copy without escapes.
    Unescaped(Zeroizing<String>),
}

impl Text<'_> {
    /// The text.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Unescaped(text) => text,
        }
    }
}

/// The text of `raw`, a string with its quotes that a JSON parser has passed over; `None` if its escapes mean nothing (half a
/// surrogate pair).
pub fn text(raw: &str) -> Option<Text<'_>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if !inner.as_bytes().contains(&b'\\') {
        return Some(Text::Plain(inner));
    }
    // No escape is shorter than what it stands for, so this never grows.
    let mut unescaped = Zeroizing::new(String::with_capacity(inner.len()));
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        unescaped.push_str(&rest[..at]);
        let (character, after) = escape(rest.get(at + 1..)?)?;
        unescaped.push(character);
        rest = after;
    }
    unescaped.push_str(rest);
    Some(Text::Unescaped(unescaped))
}

/// One escape without its backslash, and what follows it.
fn escape(text: &str) -> Option<(char, &str)> {
    let (kind, after) = (text.chars().next()?, text.get(1..)?);
    let character = match kind {
        '"' | '\\' | '/' => kind,
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => {
            let (first, after) = unit(after)?;
            if !(0xd800..0xdc00).contains(&first) {
                return Some((char::from_u32(first)?, after));
            }
            let (second, after) = unit(after.strip_prefix("\\u")?)?;
            let low = second.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
            return Some((char::from_u32(0x10000 + ((first - 0xd800) << 10) + low)?, after));
        }
        _ => return None,
    };
    Some((character, after))
}

/// Four hexadecimal digits.
fn unit(text: &str) -> Option<(u32, &str)> {
    let digits = text.get(..4)?;
    let plain = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    Some((plain.then(|| u32::from_str_radix(digits, 16).ok())??, &text[4..]))
}

/// How many bytes the base64 text stands for; `None` if it is not base64 with padding (RFC 4648 section 4), where the bits that
/// no byte uses must be zero (section 3.5).
pub(crate) fn base64_len(text: &str) -> Option<usize> {
    let text = text.as_bytes();
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let padding = text.iter().rev().take(2).take_while(|byte| **byte == b'=').count();
    let digits = &text[..text.len() - padding];
    // Without a branch inside, so that it becomes vector instructions.
    if digits.iter().fold(false, |wrong, byte| wrong | !is_digit(*byte)) {
        return None;
    }
    let unused = match padding {
        0 => 0,
        1 => 0b11,
        _ => 0b1111,
    };
    if digits.last().is_some_and(|last| value(*last) & unused != 0) {
        return None;
    }
    Some(text.len() / 4 * 3 - padding)
}

const fn is_digit(byte: u8) -> bool {
    (byte | 0x20).wrapping_sub(b'a') < 26 || byte.wrapping_sub(b'0') < 10 || byte == b'+' || byte == b'/'
}

/// A base64 digit's six bits.
const fn value(digit: u8) -> u8 {
    match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        _ => 63,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;
    use data_encoding::BASE64;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_text_is_what_the_json_parser_reads(value: String) {
            let json = serde_json::to_string(&value).unwrap();
            let read = text(&json).unwrap();
            prop_assert_eq!(read.as_str(), value);
        }

        #[test]
        fn escapes_are_what_the_json_parser_reads(inner in r#"([a-z+/=é]|\\[bfnrt/"\\]|\\u[0-9a-fA-F]{4}|\\ud8[0-3]d\\udc[0-9]f){0,12}"#) {
            let json = format!("\"{inner}\"");
            let parsed: Option<String> = serde_json::from_str(&json).ok();
            let read = text(&json);
            prop_assert_eq!(read.as_ref().map(Text::as_str), parsed.as_deref());
        }

        #[test]
        fn base64_is_what_the_decoder_takes(candidate in "[A-Da-d0-3+/]{0,12}={0,3}|[ -~é]{0,8}") {
            let decoded = BASE64.decode(candidate.as_bytes()).ok();
            prop_assert_eq!(base64_len(&candidate), decoded.map(|bytes| bytes.len()));
        }
    }

    #[test]
    fn every_byte_is_a_digit_or_not() {
        for byte in 0..=u8::MAX {
            let plain = byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
            assert_eq!(is_digit(byte), plain, "{byte}");
        }
    }
}
