//! Tags of objects and buckets.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html>, and what AWS was seen to answer.

use crate::error::Error;

/// The tags of one object or bucket, in the order of their keys: no key twice, each within AWS's limits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tags(Vec<(String, String)>);

/// Which tags of a copy the new object gets: `x-amz-tagging-directive`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum TaggingDirective {
    /// The source's.
    #[default]
    Copy,
    /// The request's.
    Replace(Tags),
}

/// What a rule about tags was broken by. AWS's codes and texts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTags {
    /// `BadRequest`: more than [`OBJECT_TAGS`] or [`BUCKET_TAGS`].
    #[error("{0}")]
    TooMany(&'static str),
    /// `InvalidTag`, with the tag's key and, where it is to blame, its value.
    #[error("{reason}")]
    Invalid {
        /// AWS's text.
        reason: &'static str,
        /// `TagKey`.
        key: String,
        /// `TagValue`.
        value: Option<String>,
    },
}

impl Tags {
    /// Tags of an object: at most [`OBJECT_TAGS`].
    ///
    /// # Errors
    /// [`InvalidTags`].
    pub fn of_object(pairs: Vec<(String, String)>) -> Result<Tags, InvalidTags> {
        if pairs.len() > OBJECT_TAGS {
            return Err(InvalidTags::TooMany("Object tags cannot be greater than 10"));
        }
        Tags::checked(pairs, "Your TagKey cannot be prefixed with aws:")
    }

    /// Tags of a bucket: at most [`BUCKET_TAGS`].
    ///
    /// # Errors
    /// [`InvalidTags`].
    pub fn of_bucket(pairs: Vec<(String, String)>) -> Result<Tags, InvalidTags> {
        if pairs.len() > BUCKET_TAGS {
            return Err(InvalidTags::TooMany("Bucket tag count cannot be greater than 50"));
        }
        Tags::checked(pairs, "System tags cannot be added/updated by requester")
    }

    /// What a record holds: checked when it was written.
    pub(crate) fn stored(pairs: Vec<(String, String)>) -> Tags {
        Tags(pairs)
    }

    fn checked(pairs: Vec<(String, String)>, reserved: &'static str) -> Result<Tags, InvalidTags> {
        for (at, (key, value)) in pairs.iter().enumerate() {
            let invalid = |reason| InvalidTags::Invalid { reason, key: key.clone(), value: None };
            if pairs[..at].iter().any(|(earlier, _)| earlier == key) {
                return Err(invalid("Cannot provide multiple Tags with the same key"));
            }
            if key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:")) {
                return Err(invalid(reserved));
            }
            if key.is_empty() || !is_tag_text(key, KEY_LENGTH) {
                return Err(invalid("The TagKey you have provided is invalid"));
            }
            if !is_tag_text(value, VALUE_LENGTH) {
                let (reason, key) = ("The TagValue you have provided is invalid", key.clone());
                return Err(InvalidTags::Invalid { reason, key, value: Some(value.clone()) });
            }
        }
        let mut pairs = pairs;
        pairs.sort_unstable();
        Ok(Tags(pairs))
    }

    /// Keys and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl TaggingDirective {
    pub(crate) fn apply(self, source: Tags) -> Tags {
        match self {
            TaggingDirective::Copy => source,
            TaggingDirective::Replace(tags) => tags,
        }
    }
}

impl From<InvalidTags> for Error {
    fn from(error: InvalidTags) -> Error {
        Error::Tags(error)
    }
}

/// "letters, spaces, and numbers representable in UTF-8, and the following characters: + - = . _ : / @".
fn is_tag_text(text: &str, limit: usize) -> bool {
    // AWS counts UTF-16 code units: "Each Unicode character takes up one or two characters" (same page).
    let length: usize = text.chars().map(char::len_utf16).sum();
    let fits = |char: char| char.is_alphanumeric() || char.is_whitespace() || "+-=._:/@".contains(char);
    length <= limit && text.chars().all(fits)
}

/// Tags of one object.
pub const OBJECT_TAGS: usize = 10;
/// Tags of one bucket (<https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/allocation-tag-restrictions.html>).
pub const BUCKET_TAGS: usize = 50;
const KEY_LENGTH: usize = 128;
const VALUE_LENGTH: usize = 256;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn tags_that_aws_takes() {
        let many: Vec<_> = (0..10).map(|number| (format!("{number:0>128}"), "v".repeat(256))).collect();
        assert_eq!(Tags::of_object(many).unwrap().len(), 10);
        assert!(Tags::of_object(pairs(&[("ä b+-=._:/@9", ""), ("AWS", "x")])).is_ok());
        let fifty = (0..50).map(|number| (number.to_string(), String::new())).collect();
        assert!(Tags::of_bucket(fifty).is_ok());
    }

    #[test]
    fn tags_that_aws_refuses() {
        let text = |given: &[(&str, &str)]| Tags::of_object(pairs(given)).unwrap_err().to_string();
        assert_eq!(text(&[("k", "1"), ("k", "2")]), "Cannot provide multiple Tags with the same key");
        assert_eq!(text(&[("aws:x", "1")]), "Your TagKey cannot be prefixed with aws:");
        for key in ["", "a&b", "a*b", "k\u{0}", &"k".repeat(129), &"\u{1d538}".repeat(65)] {
            assert_eq!(text(&[(key, "")]), "The TagKey you have provided is invalid", "{key}");
        }
        for value in ["a*b", "<x>", &"v".repeat(257)] {
            assert_eq!(text(&[("k", value)]), "The TagValue you have provided is invalid", "{value}");
        }
        let eleven = (0..11).map(|number| (number.to_string(), String::new())).collect();
        assert_eq!(Tags::of_object(eleven).unwrap_err().to_string(), "Object tags cannot be greater than 10");
        let system = Tags::of_bucket(pairs(&[("AWS:x", "1")])).unwrap_err().to_string();
        assert_eq!(system, "System tags cannot be added/updated by requester");
    }
}
