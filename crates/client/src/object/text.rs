//! Text of metadata that is not ASCII, as S3 gives it back.
//!
//! A client sends UTF-8. S3 takes each byte for a character of ISO 8859-1, and gives the value back in encoded words (RFC 2047) of the
//! UTF-8 of those characters: it is encoded twice. Other servers give back what they got, which an HTTP client may again take for
//! ISO 8859-1. What this module writes itself is ASCII and meets none of it.

use data_encoding::{BASE64, HEXUPPER_PERMISSIVE};

/// As it was before it was sent: three times as long at most.
pub(crate) fn decode(text: &str) -> String {
    let words = if text.contains("=?") { encoded_words(text) } else { text.to_owned() };
    utf8_read_as_latin1(&words).unwrap_or(words)
}

/// Every character stands for a byte, and the bytes are UTF-8 that is not ASCII alone.
fn utf8_read_as_latin1(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    let bytes: Option<Vec<u8>> = text.chars().map(|character| u8::try_from(u32::from(character)).ok()).collect();
    String::from_utf8(bytes?).ok()
}

/// The words that are encoded decoded, and the rest as it is. White space between encoded words is none of the text, and a character may
/// be split over them, so their bytes are put together first (RFC 2047, section 6.2).
fn encoded_words(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut pending: Option<(Charset, Vec<u8>)> = None;
    let mut rest = text;
    while !rest.is_empty() {
        let gap = rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
        let (space, after) = rest.split_at(gap);
        let end = after.find([' ', '\t', '\r', '\n']).unwrap_or(after.len());
        let (token, next) = after.split_at(end);
        rest = next;
        match word(token) {
            Some((charset, bytes)) => match &mut pending {
                Some((before, held)) if *before == charset => held.extend(bytes),
                _ => {
                    let first = pending.is_none();
                    flush(&mut decoded, pending.take());
                    if first {
                        decoded.push_str(space);
                    }
                    pending = Some((charset, bytes));
                }
            },
            None => {
                flush(&mut decoded, pending.take());
                decoded.push_str(space);
                decoded.push_str(token);
            }
        }
    }
    flush(&mut decoded, pending);
    decoded
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Charset {
    Utf8,
    Latin1,
}

fn flush(text: &mut String, word: Option<(Charset, Vec<u8>)>) {
    match word {
        Some((Charset::Utf8, bytes)) => text.push_str(&String::from_utf8_lossy(&bytes)),
        Some((Charset::Latin1, bytes)) => text.extend(bytes.into_iter().map(char::from)),
        None => {}
    }
}

/// `=?charset?encoding?text?=`.
fn word(token: &str) -> Option<(Charset, Vec<u8>)> {
    let inner = token.strip_prefix("=?")?.strip_suffix("?=")?;
    let (charset, rest) = inner.split_once('?')?;
    let (encoding, text) = rest.split_once('?')?;
    // A language may follow the character set (RFC 2231, section 5).
    let charset = match charset.split('*').next()?.to_ascii_uppercase().as_str() {
        "UTF-8" | "US-ASCII" => Charset::Utf8,
        "ISO-8859-1" => Charset::Latin1,
        _ => return None,
    };
    let bytes = match encoding {
        "B" | "b" => BASE64.decode(text.as_bytes()).ok()?,
        "Q" | "q" => quoted(text.as_bytes())?,
        _ => return None,
    };
    Some((charset, bytes))
}

fn quoted(mut text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    while let [first, rest @ ..] = text {
        text = rest;
        bytes.push(match first {
            b'_' => b' ',
            b'=' => {
                let (hex, rest) = text.split_first_chunk::<2>()?;
                text = rest;
                *HEXUPPER_PERMISSIVE.decode(hex).ok()?.first()?
            }
            byte => *byte,
        });
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn all_the_ways_that_text_comes_back_are_undone() {
        for (came, is) in [
            ("{}", "{}"),
            ("{\"a\":\"=?\"}", "{\"a\":\"=?\"}"),
            // The bytes of UTF-8 as characters, in encoded words of UTF-8: S3's way.
            ("=?UTF-8?Q?{\"a\":\"=C3=83=C2=A9\"}?=", "{\"a\":\"é\"}"),
            ("=?UTF-8?B?eyJhIjoiw4PCqSJ9?=", "{\"a\":\"é\"}"),
            ("=?utf-8?q?{\"a\":_\"=C3?= \r\n =?UTF-8?Q?=83=C2=A9\"}?=", "{\"a\": \"é\"}"),
            // Encoded once.
            ("=?UTF-8?Q?{\"a\":\"=C3=A9\"}?=", "{\"a\":\"é\"}"),
            ("=?ISO-8859-1?Q?{\"a\":\"=E9\"}?=", "{\"a\":\"é\"}"),
            // Not at all, and read as the one or the other.
            ("{\"a\":\"Ã©\"}", "{\"a\":\"é\"}"),
            ("{\"a\":\"é\"}", "{\"a\":\"é\"}"),
            ("{\"a\":\"日本\"}", "{\"a\":\"日本\"}"),
            // What is no encoded word stays.
            ("=?UTF-8?X?abc?= =?KOI8-R?Q?a?= =?UTF-8?Q?=Z1?= =?", "=?UTF-8?X?abc?= =?KOI8-R?Q?a?= =?UTF-8?Q?=Z1?= =?"),
            ("a =?UTF-8?Q?b?= c", "a b c"),
        ] {
            assert_eq!(decode(came), is);
        }
    }

    proptest! {
        #[test]
        fn what_s3_does_to_any_text_is_undone(text in "[^=?]{0,60}", cut in 1usize..20) {
            let twice: String = text.bytes().map(char::from).collect();
            let words: Vec<String> = twice
                .as_bytes()
                .chunks(cut)
                .map(|part| format!("=?UTF-8?Q?{}?=", part.iter().map(|byte| format!("={byte:02X}")).collect::<String>()))
                .collect();
            prop_assert_eq!(decode(&words.join("\r\n ")), text.clone());
            prop_assert_eq!(decode(&twice), text);
        }

        #[test]
        fn nothing_grows(text in "(?s).{0,80}|(=\\?(UTF-8|ISO-8859-1)\\?[QB]\\?[=A-F0-9_]{0,12}\\?= ?){0,4}") {
            prop_assert!(decode(&text).len() <= 3 * text.len());
        }
    }
}
