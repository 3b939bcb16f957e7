//! Conditional headers.

use super::{number, text};
use crate::s3::date;
use crate::s3::error::S3Error;
use http::HeaderMap;
use objects::{DeleteCondition, ETagMatch, ReadConditions, WriteCondition};
use std::time::SystemTime;

/// `If-Match`, `If-None-Match`, `If-Modified-Since`, `If-Unmodified-Since` of GET and HEAD.
pub(crate) fn read_conditions(headers: &HeaderMap) -> Result<ReadConditions, S3Error> {
    conditions(headers, ["if-match", "if-none-match", "if-modified-since", "if-unmodified-since"])
}

/// The same of a copy's source.
pub(crate) fn copy_source_conditions(headers: &HeaderMap) -> Result<ReadConditions, S3Error> {
    conditions(
        headers,
        [
            "x-amz-copy-source-if-match",
            "x-amz-copy-source-if-none-match",
            "x-amz-copy-source-if-modified-since",
            "x-amz-copy-source-if-unmodified-since",
        ],
    )
}

fn conditions(headers: &HeaderMap, names: [&str; 4]) -> Result<ReadConditions, S3Error> {
    let [if_match, if_none_match, if_modified_since, if_unmodified_since] = names;
    Ok(ReadConditions {
        if_match: text(headers, if_match)?.map(ETagMatch::parse),
        if_none_match: text(headers, if_none_match)?.map(ETagMatch::parse),
        // A date that is none counts as absent (RFC 9110, 13.1.3 and 13.1.4).
        if_modified_since: text(headers, if_modified_since)?.and_then(date::parse),
        if_unmodified_since: text(headers, if_unmodified_since)?.and_then(date::parse),
    })
}

/// `If-Match` and `If-None-Match: *` of a write; AWS knows no other value of the latter.
pub(crate) fn write_condition(headers: &HeaderMap) -> Result<WriteCondition, S3Error> {
    let if_none_match = match text(headers, "if-none-match")? {
        None => false,
        Some("*") => true,
        Some(_) => return Err(S3Error::not_implemented("If-None-Match")),
    };
    let if_match = text(headers, "if-match")?.map(ETagMatch::parse);
    if if_none_match && if_match.is_some() {
        return Err(S3Error::not_implemented("If-None-Match"));
    }
    if headers.contains_key("if-modified-since") || headers.contains_key("if-unmodified-since") {
        return Err(S3Error::not_implemented("If-Unmodified-Since"));
    }
    Ok(WriteCondition { if_match, if_none_match })
}

/// `If-Match`, `x-amz-if-match-last-modified-time`, `x-amz-if-match-size` of DeleteObject.
pub(crate) fn delete_condition(headers: &HeaderMap) -> Result<DeleteCondition, S3Error> {
    Ok(DeleteCondition {
        if_match: text(headers, "if-match")?.map(ETagMatch::parse),
        if_match_modified: time(headers, "x-amz-if-match-last-modified-time")?,
        if_match_size: number(headers, "x-amz-if-match-size")?,
    })
}

/// A date that a delete depends on must be one.
pub(crate) fn time(headers: &HeaderMap, name: &str) -> Result<Option<SystemTime>, S3Error> {
    match text(headers, name)? {
        None => Ok(None),
        Some(text) => match date::parse(text) {
            Some(time) => Ok(Some(time)),
            None => Err(S3Error::argument(format!("Value for {name} header is invalid."), name, text)),
        },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::super::map;
    use super::*;

    #[test]
    fn a_write_takes_if_none_match_star_alone() {
        assert!(write_condition(&map(&[("if-none-match", "*")])).unwrap().if_none_match);
        for headers in [
            &[("if-none-match", "\"abc\"")][..],
            &[("if-none-match", "*"), ("if-match", "*")],
            &[("if-unmodified-since", "x")],
        ] {
            assert_eq!(write_condition(&map(headers)).unwrap_err().code(), "NotImplemented");
        }
    }

    #[test]
    fn a_read_ignores_what_is_no_date_but_a_delete_does_not() {
        assert!(read_conditions(&map(&[("if-modified-since", "yesterday")])).unwrap().if_modified_since.is_none());
        let delete = delete_condition(&map(&[("x-amz-if-match-last-modified-time", "yesterday")]));
        assert_eq!(delete.unwrap_err().code(), "InvalidArgument");
    }
}
