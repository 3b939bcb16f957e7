//! Percent-encoding as SigV4 wants it: every byte but `A-Z a-z 0-9 - . _ ~` becomes `%XX` in upper case (RFC 3986 section 2.3).

use std::borrow::Cow;

/// Percent-decodes `text` into bytes. A `%` that two hexadecimal digits do not follow stays as it is; so does `+`.
#[must_use]
pub fn percent_decode(text: &str) -> Cow<'_, [u8]> {
    if text.as_bytes().contains(&b'%') { Cow::Owned(decoded(text.as_bytes(), false)) } else { text.as_bytes().into() }
}

/// The parameters of a raw query in the order sent, decoded: `%XX`, and `+` for a space as S3 takes it. A parameter without `=` has
/// an empty value; empty parameters (`a&&b`) are none.
///
/// The canonical query is made of exactly these, so a parameter taken from here is a parameter that was signed.
pub fn query_pairs(query: &str) -> impl Iterator<Item = (Cow<'_, [u8]>, Cow<'_, [u8]>)> {
    raw_pairs(query).map(|(name, value)| (form_decode(name), form_decode(value)))
}

/// The pairs of a raw query, still encoded.
pub(crate) fn raw_pairs(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

fn form_decode(text: &str) -> Cow<'_, [u8]> {
    let coded = text.bytes().any(|byte| matches!(byte, b'%' | b'+'));
    if coded { Cow::Owned(decoded(text.as_bytes(), true)) } else { text.as_bytes().into() }
}

fn decoded(text: &[u8], form: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    Decode { rest: text, form }.for_each(|byte| out.push(byte));
    out
}

/// Appends `text`, decoded and encoded again: one spelling for each meaning. `/` stays where `keep_slash`; `+` is a space where `form`.
pub(crate) fn canonical_into(out: &mut Vec<u8>, text: &str, keep_slash: bool, form: bool) {
    let plain = |byte: u8| UNRESERVED[usize::from(byte)] || (keep_slash && byte == b'/');
    if text.bytes().all(plain) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    for byte in (Decode { rest: text.as_bytes(), form }) {
        if plain(byte) { out.push(byte) } else { encode_byte(out, byte) }
    }
}

/// Appends `text` encoded, without decoding it first: what was encoded is encoded again.
pub(crate) fn encode_into(out: &mut Vec<u8>, text: &[u8], keep_slash: bool) {
    for &byte in text {
        if UNRESERVED[usize::from(byte)] || (keep_slash && byte == b'/') {
            out.push(byte);
        } else {
            encode_byte(out, byte);
        }
    }
}

fn encode_byte(out: &mut Vec<u8>, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    out.extend_from_slice(&[b'%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
}

struct Decode<'a> {
    rest: &'a [u8],
    form: bool,
}

impl Iterator for Decode<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        let (&first, rest) = self.rest.split_first()?;
        self.rest = rest;
        match (first, rest) {
            (b'%', [high, low, after @ ..]) => match (hex_digit(*high), hex_digit(*low)) {
                (Some(high), Some(low)) => {
                    self.rest = after;
                    Some(high << 4 | low)
                }
                _ => Some(b'%'),
            },
            (b'+', _) if self.form => Some(b' '),
            _ => Some(first),
        }
    }
}

pub(crate) fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// Parses 64 hexadecimal digits.
pub(crate) fn hex32(text: &[u8]) -> Option<[u8; 32]> {
    if text.len() != 64 {
        return None;
    }
    let mut out = [0; 32];
    for (slot, pair) in out.iter_mut().zip(text.chunks_exact(2)) {
        *slot = hex_digit(pair[0])? << 4 | hex_digit(pair[1])?;
    }
    Some(out)
}

/// The 64 lower-case hexadecimal digits of 32 bytes.
pub(crate) fn hex64(bytes: &[u8; 32]) -> [u8; 64] {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut out = [0; 64];
    for (pair, byte) in out.chunks_exact_mut(2).zip(bytes) {
        pair[0] = HEX[usize::from(byte >> 4)];
        pair[1] = HEX[usize::from(byte & 15)];
    }
    out
}

/// RFC 3986 section 2.3, by byte.
const UNRESERVED: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0u8;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str, keep_slash: bool, form: bool) -> String {
        let mut out = Vec::new();
        canonical_into(&mut out, text, keep_slash, form);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn one_spelling_for_each_meaning() {
        assert_eq!(canonical("/a%2fb/%7e%41*", true, false), "/a/b/~A%2A");
        assert_eq!(canonical("a+b%20c%2B/", false, true), "a%20b%20c%2B%2F");
        assert_eq!(canonical("a+b", true, false), "a%2Bb");
        assert_eq!(canonical("%zz%4", true, false), "%25zz%254");
        assert_eq!(canonical("ሴ", true, false), "%E1%88%B4");
    }

    #[test]
    fn pairs() {
        let pairs: Vec<_> = query_pairs("acl&prefix=a+b%2B&&x=1=2").collect();
        let expected: [(&[u8], &[u8]); 3] = [(b"acl", b""), (b"prefix", b"a b+"), (b"x", b"1=2")];
        assert_eq!(pairs.len(), expected.len());
        for (pair, expected) in pairs.iter().zip(expected) {
            assert_eq!((&*pair.0, &*pair.1), expected);
        }
    }

    #[test]
    fn hexadecimal() {
        let bytes: [u8; 32] = std::array::from_fn(|at| u8::try_from(at * 7).unwrap_or(255));
        assert_eq!(hex32(&hex64(&bytes)), Some(bytes));
        assert_eq!(hex32(b"00"), None);
        assert_eq!(hex32(&[b'g'; 64]), None);
    }
}
