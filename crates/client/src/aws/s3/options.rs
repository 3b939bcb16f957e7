//! What callers say of uploads and downloads.

use super::super::error::AwsError;
use super::super::http::header;
use crate::object::Metadata;
use data_encoding::BASE64;
use http::header::{CONTENT_TYPE, HeaderName, IF_MATCH, IF_NONE_MATCH, RANGE};
use http::{HeaderMap, HeaderValue};
use std::collections::BTreeMap;
use std::io::Read;
use std::ops::RangeInclusive;

/// Most bytes of text in an encoded word (RFC 2047 section 2: 75 characters in all).
const WORD: usize = 45;

/// What is stored.
pub enum Upload<'a> {
    /// What is in memory; it can be sent again.
    Bytes(&'a [u8]),
    /// Exactly so many bytes of a reader.
    Stream {
        /// Where they come from.
        reader: &'a mut dyn Read,
        /// How many they are.
        length: u64,
    },
}

/// What vouches for a body on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Signing {
    /// [`Signing::Checksum`] over HTTPS, where TLS vouches for it; [`Signing::Chunks`] over HTTP.
    #[default]
    Auto,
    /// The signature: that of each chunk of a stream, or the hash of what is in memory; with a checksum, which is stored.
    Chunks,
    /// A checksum alone, which is stored: `STREAMING-UNSIGNED-PAYLOAD-TRAILER`.
    Checksum,
    /// Nothing: `UNSIGNED-PAYLOAD`, for services that know no `aws-chunked`.
    Unchecked,
}

/// How an object is stored.
#[derive(Debug, Clone, Default)]
pub struct PutOptions {
    pub(super) signing: Signing,
    content_type: Option<String>,
    metadata: BTreeMap<String, String>,
    only_new: bool,
    if_match: Option<String>,
    headers: Vec<(String, String)>,
}

impl PutOptions {
    /// As the service does by itself.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// User metadata, by names without `x-amz-meta-`. A value that is not ASCII is sent in encoded words of RFC 2047, as S3 wants it.
    #[must_use]
    pub fn metadata<N: Into<String>, V: Into<String>>(mut self, pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        self.metadata.extend(pairs.into_iter().map(|(name, value)| (name.into(), value.into())));
        self
    }

    /// The type of the content, `text/plain` say.
    #[must_use]
    pub fn content_type(self, content_type: impl Into<String>) -> Self {
        Self { content_type: Some(content_type.into()), ..self }
    }

    /// Only if there is no object of that name.
    #[must_use]
    pub fn only_new(self) -> Self {
        Self { only_new: true, ..self }
    }

    /// Only if the object that is there has this ETag.
    #[must_use]
    pub fn if_match(self, etag: impl Into<String>) -> Self {
        Self { if_match: Some(etag.into()), ..self }
    }

    /// What vouches for the body on its way.
    #[must_use]
    pub fn signing(self, signing: Signing) -> Self {
        Self { signing, ..self }
    }

    /// Any other header that the operation knows: `x-amz-storage-class`, `x-amz-server-side-encryption`, ...
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Names of user metadata that belong to the format of encrypted objects.
    pub(in crate::aws) fn reserved(&self) -> Option<&str> {
        let metadata: Metadata = self.metadata.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let reserved = metadata.reserved()?;
        self.metadata.keys().map(String::as_str).find(|name| name.eq_ignore_ascii_case(reserved))
    }

    pub(super) fn replaces(&self) -> bool {
        self.content_type.is_some() || !self.metadata.is_empty()
    }

    /// All of them.
    pub(super) fn headers(&self) -> Result<HeaderMap, AwsError> {
        let mut headers = self.described()?;
        headers.extend(self.conditions()?);
        Ok(headers)
    }

    /// What the object will have.
    pub(super) fn described(&self) -> Result<HeaderMap, AwsError> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.metadata {
            headers.insert(header_name(&format!("x-amz-meta-{name}"))?, header(&mail_safe(value))?);
        }
        for (name, value) in &self.headers {
            headers.insert(header_name(name)?, header(value)?);
        }
        if let Some(content_type) = &self.content_type {
            headers.insert(CONTENT_TYPE, header(content_type)?);
        }
        Ok(headers)
    }

    /// Under which the object comes to be: of an upload in parts, at its end.
    pub(super) fn conditions(&self) -> Result<HeaderMap, AwsError> {
        let mut headers = HeaderMap::new();
        if self.only_new {
            headers.insert(IF_NONE_MATCH, HeaderValue::from_static("*"));
        }
        if let Some(etag) = &self.if_match {
            headers.insert(IF_MATCH, header(etag)?);
        }
        Ok(headers)
    }
}

/// What is fetched of an object.
#[derive(Debug, Clone, Default)]
pub struct GetOptions {
    pub(super) range: Option<RangeInclusive<u64>>,
    if_match: Option<String>,
}

impl GetOptions {
    /// All of it, whatever it is.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// These bytes of it, or fewer if it ends before.
    #[must_use]
    pub fn range(self, range: RangeInclusive<u64>) -> Self {
        Self { range: Some(range), ..self }
    }

    /// Only if it has this ETag: so that what is fetched in pieces is of one object.
    #[must_use]
    pub fn if_match(self, etag: impl Into<String>) -> Self {
        Self { if_match: Some(etag.into()), ..self }
    }

    pub(super) fn headers(&self, checksums: bool) -> Result<HeaderMap, AwsError> {
        let mut headers = HeaderMap::new();
        match &self.range {
            Some(range) if range.is_empty() => return Err(AwsError::Config("a range of no bytes".into())),
            Some(range) => {
                headers.insert(RANGE, header(&format!("bytes={}-{}", range.start(), range.end()))?);
            }
            // Of a range, nothing that S3 stores can be checked.
            None if checksums => {
                headers.insert("x-amz-checksum-mode", HeaderValue::from_static("ENABLED"));
            }
            None => {}
        }
        if let Some(etag) = &self.if_match {
            headers.insert(IF_MATCH, header(etag)?);
        }
        Ok(headers)
    }
}

fn header_name(name: &str) -> Result<HeaderName, AwsError> {
    name.parse().map_err(|_| AwsError::Config(format!("not the name of a header: {name:?}")))
}

/// Text as it may stand in a header: ASCII as it is, anything else in encoded words (RFC 2047), which S3 decodes.
fn mail_safe(text: &str) -> String {
    let plain = |byte: u8| (b' '..=b'~').contains(&byte);
    if text.bytes().all(plain) && !text.contains("=?") && text.trim_ascii() == text {
        return text.to_owned();
    }
    let mut words = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        // Not within a character (section 5, item 3).
        let (word, next) = rest.split_at(rest.floor_char_boundary(WORD));
        words.push(format!("=?UTF-8?B?{}?=", BASE64.encode(word.as_bytes())));
        rest = next;
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_mail_safe() {
        assert_eq!(mail_safe("plain text"), "plain text");
        assert_eq!(mail_safe(""), "");
        assert_eq!(mail_safe("ü"), "=?UTF-8?B?w7w=?=");
        assert_eq!(mail_safe(" a"), "=?UTF-8?B?IGE=?=", "a header's value has no space around it");
        assert_eq!(mail_safe("=?x?="), "=?UTF-8?B?PT94Pz0=?=", "what looks like a word is none");
        let long = mail_safe(&"€".repeat(100));
        assert!(long.split(' ').all(|word| word.len() <= 75) && long.split(' ').count() == 7, "{long}");
    }

    #[test]
    fn what_cannot_stand_in_a_header_is_refused() {
        assert!(PutOptions::new().metadata([("a b", "")]).headers().is_err());
        assert!(PutOptions::new().header("x-amz-tagging", "a\r\nb: c").headers().is_err());
        assert!(GetOptions::new().range(RangeInclusive::new(2, 1)).headers(true).is_err());
    }
}
