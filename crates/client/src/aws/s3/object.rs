//! What S3 says of an object.

use super::super::error::AwsError;
use super::super::http::Answer;
use super::body::ObjectBody;
use super::checksum::Expected;
use super::options::GetOptions;
use crate::object::decoded_text;
use http::StatusCode;
use http::header::CONTENT_RANGE;
use std::collections::BTreeMap;

/// How user metadata are called in HTTP.
const USER: &str = "x-amz-meta-";

/// Longest object, in bytes: as many parts as S3 takes, each as long as it takes (48.8 TiB). What is said to be longer is none, and sums over
/// lengths do not overflow.
pub(super) const LENGTH: u64 = 10_000 * (5 << 30);

/// What an object is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Its length in bytes, also where a range of it was asked for.
    pub length: u64,
    /// Its ETag, in quotation marks.
    pub etag: String,
    /// User metadata: names in lower case, without `x-amz-meta-`; values as they came.
    pub metadata: BTreeMap<String, String>,
    /// The type of its content.
    pub content_type: Option<String>,
    /// When it was stored, as an HTTP date.
    pub last_modified: Option<String>,
    /// Its version, in a bucket that keeps them.
    pub version_id: Option<String>,
}

impl ObjectInfo {
    /// The value of a name of user metadata as text: S3 gives what is not ASCII in encoded words (RFC 2047), which are decoded.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        self.metadata.get(name).map(|value| decoded_text(value))
    }

    pub(super) fn of(answer: &Answer, length: u64) -> Result<Self, AwsError> {
        if length > LENGTH {
            return Err(AwsError::answer(
                answer.operation,
                format!("an object of {length} bytes, where S3 has none above {LENGTH}"),
            ));
        }
        let text = |name: &str| answer.headers.get(name).map(|value| latin1(value.as_bytes()));
        let mut metadata = BTreeMap::new();
        for (name, value) in &answer.headers {
            let Some(name) = name.as_str().strip_prefix(USER) else { continue };
            if metadata.insert(name.to_owned(), latin1(value.as_bytes())).is_some() {
                return Err(AwsError::answer(answer.operation, format!("the metadata have {name:?} twice")));
            }
        }
        Ok(Self {
            length,
            etag: text("etag").ok_or_else(|| AwsError::answer(answer.operation, "no ETag"))?,
            metadata,
            content_type: text("content-type"),
            last_modified: text("last-modified"),
            version_id: text("x-amz-version-id"),
        })
    }
}

/// An object, or a range of it, that is still to be read.
pub struct Object {
    /// What it is.
    pub info: ObjectInfo,
    /// Its content.
    pub body: ObjectBody,
}

/// What was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its ETag, in quotation marks.
    pub etag: String,
    /// Its version, in a bucket that keeps them.
    pub version_id: Option<String>,
}

impl Stored {
    pub(super) fn of(answer: &Answer) -> Result<Self, AwsError> {
        Self::with(answer, answer.header("etag"))
    }

    pub(super) fn with(answer: &Answer, etag: Option<&str>) -> Result<Self, AwsError> {
        let etag = etag.ok_or_else(|| AwsError::answer(answer.operation, "no ETag"))?;
        Ok(Self { etag: etag.to_owned(), version_id: answer.header("x-amz-version-id").map(str::to_owned) })
    }
}

/// An answer to `GetObject`, once it is known to be to what was asked.
pub(super) fn opened(answer: Answer, options: &GetOptions) -> Result<Object, AwsError> {
    let operation = answer.operation;
    let wrong = |why: &str| AwsError::answer(operation, why);
    let sent = answer.body.length().ok_or_else(|| wrong("no length"))?;
    let (length, expected) = match &options.range {
        None if answer.status == StatusCode::OK => (sent, Expected::of(&answer.headers)),
        Some(asked) if answer.status == StatusCode::PARTIAL_CONTENT => {
            let range = answer.headers.get(CONTENT_RANGE).and_then(|range| content_range(range.to_str().ok()?));
            let (first, last, length) = range.ok_or_else(|| wrong("no range"))?;
            if first != *asked.start() || last != (*asked.end()).min(length - 1) || sent != last - first + 1 {
                return Err(wrong("another range than the one that was asked for"));
            }
            (length, None)
        }
        _ => return Err(wrong("a range where none was asked for, or none where one was")),
    };
    let info = ObjectInfo::of(&answer, length)?;
    Ok(Object { info, body: ObjectBody::new(answer.body, operation, expected) })
}

/// First, last and length of `bytes 0-9/100`.
fn content_range(text: &str) -> Option<(u64, u64, u64)> {
    let (range, length) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last, length) = (first.parse().ok()?, last.parse().ok()?, length.parse().ok()?);
    (first <= last && last < length).then_some((first, last, length))
}

/// The bytes of a header: UTF-8, or else ISO 8859-1.
fn latin1(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}
