//! Conditional reads, writes and deletes (RFC 9110, 13; AWS's precedence).

use crate::error::Error;
use crate::etag::ETag;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The condition that did not hold, as the answer names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// `If-Match` (or the copy source's).
    IfMatch,
    /// `If-None-Match`.
    IfNoneMatch,
    /// `If-Modified-Since`.
    IfModifiedSince,
    /// `If-Unmodified-Since`.
    IfUnmodifiedSince,
    /// `x-amz-if-match-last-modified-time` of a delete.
    IfMatchLastModifiedTime,
    /// `x-amz-if-match-size` of a delete.
    IfMatchSize,
}

/// The value of an `If-Match` or `If-None-Match` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ETagMatch {
    /// `*`.
    Any,
    /// The listed tags, without quotes; any of them.
    Of(Vec<String>),
}

/// What a GET, a HEAD or a copy asks of the object that it reads.
#[derive(Debug, Clone, Default)]
pub struct ReadConditions {
    /// `If-Match`.
    pub if_match: Option<ETagMatch>,
    /// `If-None-Match`.
    pub if_none_match: Option<ETagMatch>,
    /// `If-Modified-Since`.
    pub if_modified_since: Option<SystemTime>,
    /// `If-Unmodified-Since`.
    pub if_unmodified_since: Option<SystemTime>,
}

/// What a PUT, a copy or Complete asks of the object that it would replace.
#[derive(Debug, Clone, Default)]
pub struct WriteCondition {
    /// `If-Match`: there is an object and its ETag matches.
    pub if_match: Option<ETagMatch>,
    /// `If-None-Match: *`: there is no object. Other values are the gateway's to refuse, as AWS does.
    pub if_none_match: bool,
}

/// What a delete asks of the object.
#[derive(Debug, Clone, Default)]
pub struct DeleteCondition {
    /// `If-Match`.
    pub if_match: Option<ETagMatch>,
    /// `x-amz-if-match-last-modified-time`, compared in whole seconds.
    pub if_match_modified: Option<SystemTime>,
    /// `x-amz-if-match-size`, in bytes.
    pub if_match_size: Option<u64>,
}

impl ETagMatch {
    /// Reads a header's value: `*`, or tags with or without quotes, separated by commas. A weak mark (`W/`) is dropped.
    pub fn parse(header: &str) -> ETagMatch {
        if header.trim() == "*" {
            return ETagMatch::Any;
        }
        let tags = header.split(',').map(|tag| {
            let tag = tag.trim();
            tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"').to_owned()
        });
        ETagMatch::Of(tags.collect())
    }

    /// Whether an existing object's tag is meant.
    pub fn matches(&self, etag: &ETag) -> bool {
        match self {
            ETagMatch::Any => true,
            ETagMatch::Of(tags) => {
                let etag = etag.to_string();
                tags.contains(&etag)
            }
        }
    }
}

impl ReadConditions {
    /// Evaluates in AWS's order: a matching `If-Match` outweighs `If-Unmodified-Since`, a matching `If-None-Match` outweighs
    /// `If-Modified-Since` (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>).
    pub(crate) fn check(&self, etag: &ETag, modified: SystemTime) -> Result<(), Error> {
        match (&self.if_match, self.if_unmodified_since) {
            (Some(tags), _) if !tags.matches(etag) => return Err(Error::PreconditionFailed(Condition::IfMatch)),
            (None, Some(date)) if seconds(modified) > seconds(date) => {
                return Err(Error::PreconditionFailed(Condition::IfUnmodifiedSince));
            }
            _ => {}
        }
        match (&self.if_none_match, self.if_modified_since) {
            (Some(tags), _) if tags.matches(etag) => Err(Error::NotModified { etag: *etag, modified }),
            (None, Some(date)) if seconds(modified) <= seconds(date) => {
                Err(Error::NotModified { etag: *etag, modified })
            }
            _ => Ok(()),
        }
    }

    /// As [`check`](Self::check) for a copy's source, where a copy that would not happen is 412 in every case.
    pub(crate) fn check_source(&self, etag: &ETag, modified: SystemTime) -> Result<(), Error> {
        self.check(etag, modified).map_err(|error| match error {
            Error::NotModified { .. } if self.if_none_match.is_some() => {
                Error::PreconditionFailed(Condition::IfNoneMatch)
            }
            Error::NotModified { .. } => Error::PreconditionFailed(Condition::IfModifiedSince),
            other => other,
        })
    }
}

impl WriteCondition {
    /// Whether anything is asked at all.
    pub fn is_none(&self) -> bool {
        self.if_match.is_none() && !self.if_none_match
    }

    /// `current`: the ETag of the object that would be replaced. `If-Match` without an object: `NoSuchKey`
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>).
    pub(crate) fn check(&self, current: Option<&ETag>) -> Result<(), Error> {
        if let Some(tags) = &self.if_match {
            let etag = current.ok_or(Error::NoSuchKey)?;
            if !tags.matches(etag) {
                return Err(Error::PreconditionFailed(Condition::IfMatch));
            }
        }
        if self.if_none_match && current.is_some() {
            return Err(Error::PreconditionFailed(Condition::IfNoneMatch));
        }
        Ok(())
    }
}

impl DeleteCondition {
    /// Whether anything is asked at all.
    pub fn is_none(&self) -> bool {
        self.if_match.is_none() && self.if_match_modified.is_none() && self.if_match_size.is_none()
    }

    pub(crate) fn check(&self, etag: &ETag, modified: SystemTime, size: u64) -> Result<(), Error> {
        if self.if_match.as_ref().is_some_and(|tags| !tags.matches(etag)) {
            return Err(Error::PreconditionFailed(Condition::IfMatch));
        }
        if self.if_match_modified.is_some_and(|date| seconds(date) != seconds(modified)) {
            return Err(Error::PreconditionFailed(Condition::IfMatchLastModifiedTime));
        }
        if self.if_match_size.is_some_and(|expected| expected != size) {
            return Err(Error::PreconditionFailed(Condition::IfMatchSize));
        }
        Ok(())
    }
}

/// HTTP dates have whole seconds (RFC 9110, 5.6.7), so comparisons do too.
fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    const TAG: [u8; 16] = [7; 16];

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn a_matching_if_match_outweighs_if_unmodified_since() {
        let etag = ETag::single(TAG);
        let conditions = ReadConditions {
            if_match: Some(ETagMatch::parse(&etag.quoted())),
            if_unmodified_since: Some(at(1)),
            ..ReadConditions::default()
        };
        assert!(conditions.check(&etag, at(100)).is_ok());
    }

    #[test]
    fn a_differing_if_none_match_outweighs_if_modified_since() {
        let etag = ETag::single(TAG);
        let conditions = ReadConditions {
            if_none_match: Some(ETagMatch::parse("\"other\"")),
            if_modified_since: Some(at(200)),
            ..ReadConditions::default()
        };
        assert!(conditions.check(&etag, at(100)).is_ok());
    }

    #[test]
    fn each_read_condition_alone() {
        let etag = ETag::single(TAG);
        let own = || Some(ETagMatch::Of(vec![etag.to_string()]));
        let other = || Some(ETagMatch::parse("W/\"x\", \"y\""));
        let none = ReadConditions::default;
        let cases = [
            (ReadConditions { if_match: own(), ..none() }, 200),
            (ReadConditions { if_match: Some(ETagMatch::Any), ..none() }, 200),
            (ReadConditions { if_match: other(), ..none() }, 412),
            (ReadConditions { if_none_match: own(), ..none() }, 304),
            (ReadConditions { if_none_match: Some(ETagMatch::Any), ..none() }, 304),
            (ReadConditions { if_none_match: other(), ..none() }, 200),
            (ReadConditions { if_modified_since: Some(at(100)), ..none() }, 304),
            (ReadConditions { if_modified_since: Some(at(99)), ..none() }, 200),
            (ReadConditions { if_unmodified_since: Some(at(100)), ..none() }, 200),
            (ReadConditions { if_unmodified_since: Some(at(99)), ..none() }, 412),
        ];
        for (conditions, expected) in cases {
            let status = match conditions.check(&etag, at(100) + Duration::from_millis(500)) {
                Ok(()) => 200,
                Err(Error::NotModified { .. }) => 304,
                Err(_) => 412,
            };
            assert_eq!(status, expected, "{conditions:?}");
            assert_eq!(conditions.check_source(&etag, at(100)).is_ok(), expected == 200, "{conditions:?}");
        }
    }
}
