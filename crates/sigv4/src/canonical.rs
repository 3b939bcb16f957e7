//! The canonical request and the string to sign.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use aws_lc_rs::digest;
use http::HeaderMap;

use crate::encode::{canonical_into, encode_into, hex64, raw_pairs};
use crate::{ALGORITHM, Dialect, RequestHead, TERMINATOR, Timestamp};

/// The query parameter that carries the signature, and is alone not signed.
pub(crate) const SIGNATURE_PARAMETER: &str = "X-Amz-Signature";

/// The SHA-256 of nothing.
pub(crate) const EMPTY_SHA256: &[u8; 64] = b"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// What a canonical request is made of, besides the head.
pub(crate) struct Canonical<'a> {
    pub(crate) head: RequestHead<'a>,
    pub(crate) dialect: Dialect,
    /// The names, sorted, joined by `;`.
    pub(crate) signed_headers: &'a str,
    /// The last line: a SHA-256 in hexadecimal, or a word such as `UNSIGNED-PAYLOAD`.
    pub(crate) payload: &'a [u8],
    /// Whether the signature stands in the query, and so must be left out of it.
    pub(crate) presigned: bool,
}

impl Canonical<'_> {
    /// The bytes of the canonical request.
    pub(crate) fn request(&self) -> Vec<u8> {
        let RequestHead { method, path, query, headers } = self.head;
        // One allocation for nearly every request: values are rarely longer than 64 bytes.
        let mut out = Vec::with_capacity(256 + path.len() + 2 * query.len() + 3 * self.signed_headers.len() + 256);
        out.extend_from_slice(method.as_bytes());
        out.push(b'\n');
        match self.dialect {
            Dialect::S3 if path.is_empty() => out.push(b'/'),
            Dialect::S3 => canonical_into(&mut out, path, true, false),
            Dialect::Service => normalized_path(&mut out, path),
        }
        out.push(b'\n');
        canonical_query(&mut out, query, self.presigned);
        out.push(b'\n');
        for name in self.signed_headers.split(';') {
            canonical_header(&mut out, name, headers);
        }
        out.push(b'\n');
        out.extend_from_slice(self.signed_headers.as_bytes());
        out.push(b'\n');
        out.extend_from_slice(self.payload);
        out
    }
}

/// `<algorithm>\n<time>\n<scope>\n<hash of the canonical request>`.
pub(crate) fn string_to_sign(time: Timestamp, scope: &str, canonical: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(ALGORITHM.len() + scope.len() + 96);
    out.extend_from_slice(ALGORITHM.as_bytes());
    out.push(b'\n');
    out.extend_from_slice(&time.text());
    out.push(b'\n');
    out.extend_from_slice(scope.as_bytes());
    out.push(b'\n');
    out.extend_from_slice(&hex64(&sha256(canonical)));
    out
}

/// `<date>/<region>/<service>/aws4_request`.
pub(crate) fn scope_text(date: &str, region: &str, service: &str) -> String {
    [date, region, service, TERMINATOR].join("/")
}

pub(crate) fn sha256(data: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, data).as_ref());
    out
}

/// The path of the services: dot segments and empty segments resolved (RFC 3986 section 5.2.4), and the sent spelling encoded again.
fn normalized_path(out: &mut Vec<u8>, path: &str) {
    if path.len() <= 1 {
        out.push(b'/');
        return;
    }
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    for segment in &segments {
        out.push(b'/');
        encode_into(out, segment.as_bytes(), false);
    }
    // A directory stays one: `/a/`, `/a/.` and `/a/b/..` all end in a slash.
    let directory = matches!(path.rsplit('/').next(), Some("" | "." | ".."));
    if segments.is_empty() || directory {
        out.push(b'/');
    }
}

/// The parameters, encoded anew, sorted by name and then by value.
fn canonical_query(out: &mut Vec<u8>, query: &str, presigned: bool) {
    if query.is_empty() {
        return;
    }
    // All encoded parameters one after the other, and where each name and value ends.
    let mut text = Vec::with_capacity(2 * query.len());
    let mut spans = Vec::with_capacity(16);
    for (name, value) in raw_pairs(query) {
        let start = text.len();
        canonical_into(&mut text, name, false, true);
        let middle = text.len();
        if presigned && &text[start..] == SIGNATURE_PARAMETER.as_bytes() {
            text.truncate(start);
            continue;
        }
        canonical_into(&mut text, value, false, true);
        spans.push((start, middle, text.len()));
    }
    spans.sort_unstable_by_key(|&(start, middle, end)| (&text[start..middle], &text[middle..end]));
    for (at, &(start, middle, end)) in spans.iter().enumerate() {
        if at > 0 {
            out.push(b'&');
        }
        out.extend_from_slice(&text[start..middle]);
        out.push(b'=');
        out.extend_from_slice(&text[middle..end]);
    }
}

/// `name:value,value\n`, each value trimmed and its runs of spaces made one. A header that is signed but was not sent has no line at
/// all, so its signature cannot be right: nobody may take away a header that was signed empty.
fn canonical_header(out: &mut Vec<u8>, name: &str, headers: &HeaderMap) {
    let mut values = headers.get_all(name).iter();
    let Some(first) = values.next() else { return };
    out.extend_from_slice(name.as_bytes());
    out.push(b':');
    collapsed(out, first.as_bytes());
    for value in values {
        out.push(b',');
        collapsed(out, value.as_bytes());
    }
    out.push(b'\n');
}

fn collapsed(out: &mut Vec<u8>, value: &[u8]) {
    let value = value.trim_ascii();
    if !value.windows(2).any(|pair| pair == b"  ") {
        out.extend_from_slice(value);
        return;
    }
    let mut words = value.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    out.extend_from_slice(words.next().unwrap_or_default());
    for word in words {
        out.push(b' ');
        out.extend_from_slice(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(path: &str) -> String {
        let mut out = Vec::new();
        normalized_path(&mut out, path);
        String::from_utf8_lossy(&out).into_owned()
    }

    fn query(query: &str) -> String {
        let mut out = Vec::new();
        canonical_query(&mut out, query, true);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn paths_of_services() {
        for (sent, canonical) in [
            ("", "/"),
            ("/", "/"),
            ("//", "/"),
            ("/./", "/"),
            ("/example/..", "/"),
            ("/example1/example2/../..", "/"),
            ("/./example", "/example"),
            ("//example//", "/example/"),
            ("/example/", "/example/"),
            ("/a/b/..", "/a/"),
            ("/a%20b", "/a%2520b"),
            ("/../..", "/"),
        ] {
            assert_eq!(path(sent), canonical, "{sent}");
        }
    }

    #[test]
    fn queries() {
        for (sent, canonical) in [
            ("", ""),
            ("acl", "acl="),
            ("b=2&a=1", "a=1&b=2"),
            ("a=2&a=1", "a=1&a=2"),
            ("a-b=1&a=2", "a=2&a-b=1"),
            ("X-Amz-Signature=0&x=a+b", "x=a%20b"),
            ("Param1=value2&Param1=Value1", "Param1=Value1&Param1=value2"),
        ] {
            assert_eq!(query(sent), canonical, "{sent}");
        }
    }

    #[test]
    fn values_are_trimmed_and_collapsed() {
        for (sent, canonical) in [(" a   b ", "a b"), ("\"a   b   c\"", "\"a b c\""), ("", ""), ("a b", "a b")] {
            let mut out = Vec::new();
            collapsed(&mut out, sent.as_bytes());
            assert_eq!(out, canonical.as_bytes());
        }
    }
}
