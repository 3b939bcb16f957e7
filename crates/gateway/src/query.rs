//! The query string of a request: parsed once, decoded, in the order in which it was sent.
//!
//! The raw text stays in the request's target, because SigV4 signs what was sent and not what it means.

use std::borrow::Cow;

/// The longest query string that is parsed, in bytes. The longest honest one is a presigned URL with a session token
/// (about 2.5 KiB) or a listing with a marker of 1,024 bytes, each percent-encoded (about 4 KiB).
pub const QUERY_LIMIT: usize = 16 * 1024;

/// The most parameters in one query. The widest operation, a presigned GetObject that overrides every response header,
/// has about 20.
pub const PARAMETER_LIMIT: usize = 100;

/// Decoded parameters in the order sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    pairs: Vec<(String, String)>,
}

/// Why a query string was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// Longer than [`QUERY_LIMIT`].
    #[error("the query string is longer than {QUERY_LIMIT} bytes")]
    TooLong,
    /// More parameters than [`PARAMETER_LIMIT`].
    #[error("the query string has more than {PARAMETER_LIMIT} parameters")]
    TooMany,
    /// A `%` that two hexadecimal digits do not follow.
    #[error("the query string has a malformed percent-encoding")]
    Encoding,
    /// Decoded bytes that are not UTF-8.
    #[error("the query string is not UTF-8")]
    NotUtf8,
}

impl Query {
    /// Parses the raw text after `?` (empty when there is none). `a`, `a=` and `a` between two `&` are all the parameter
    /// `a` with an empty value; empty pieces are skipped; `+` is a space, as S3 reads it.
    pub fn parse(raw: &str) -> Result<Query, QueryError> {
        if raw.is_empty() {
            return Ok(Query::default());
        }
        if raw.len() > QUERY_LIMIT {
            return Err(QueryError::TooLong);
        }
        let mut pairs = Vec::with_capacity(4);
        if !well_formed(raw) {
            return Err(QueryError::Encoding);
        }
        // The canonical query is made of these same pairs, so that what is acted upon is what was signed.
        for (name, value) in sigv4::query_pairs(raw) {
            if pairs.len() == PARAMETER_LIMIT {
                return Err(QueryError::TooMany);
            }
            pairs.push((text(name)?, text(value)?));
        }
        Ok(Query { pairs })
    }

    /// The value of the first parameter of this name; names are case-sensitive.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// Whether a parameter of this name was sent, with or without a value: S3's subresources (`?acl`, `?uploads`).
    pub fn has(&self, name: &str) -> bool {
        self.pairs.iter().any(|(n, _)| n == name)
    }

    /// All parameters in the order sent.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(n, v)| (n.as_str(), v.as_str()))
    }

    /// Whether no parameter was sent.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }
}

/// Whether two hexadecimal digits follow every `%`.
pub(crate) fn well_formed(raw: &str) -> bool {
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        let hex = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_hexdigit());
        if byte == b'%' && !(hex(bytes.next()) && hex(bytes.next())) {
            return false;
        }
    }
    true
}

fn text(bytes: Cow<'_, [u8]>) -> Result<String, QueryError> {
    String::from_utf8(bytes.into_owned()).map_err(|_| QueryError::NotUtf8)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn parameters_keep_their_order_and_are_decoded() {
        let query = Query::parse("prefix=a%2Fb+c&uploads&&marker=%C3%A9&empty=").unwrap();
        let pairs: Vec<_> = query.iter().collect();
        assert_eq!(pairs, [("prefix", "a/b c"), ("uploads", ""), ("marker", "é"), ("empty", "")]);
        assert!(query.has("uploads") && !query.has("Uploads"));
        assert_eq!(query.value("prefix"), Some("a/b c"));
    }

    #[test]
    fn the_first_of_two_equal_names_counts() {
        assert_eq!(Query::parse("a=1&a=2").unwrap().value("a"), Some("1"));
    }

    #[test]
    fn malformed_encodings_are_refused() {
        for raw in ["a=%", "a=%4", "a=%zz", "%"] {
            assert_eq!(Query::parse(raw), Err(QueryError::Encoding), "{raw}");
        }
        assert_eq!(Query::parse("a=%FF"), Err(QueryError::NotUtf8));
    }

    #[test]
    fn limits_hold() {
        assert_eq!(Query::parse(&"a".repeat(QUERY_LIMIT + 1)), Err(QueryError::TooLong));
        assert_eq!(Query::parse(&"a&".repeat(PARAMETER_LIMIT + 1)), Err(QueryError::TooMany));
        assert!(Query::parse(&"a&".repeat(PARAMETER_LIMIT)).is_ok());
    }
}
