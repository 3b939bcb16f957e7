//! Which bytes of an object a read wants.

use crate::error::Error;

/// The bytes that a GET, HEAD or copy asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Window {
    /// The whole object.
    #[default]
    All,
    /// A `Range` header.
    Range(RangeSpec),
    /// A `partNumber`, from 1.
    Part(u16),
}

/// One byte range of RFC 9110, 14.1.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RangeSpec {
    /// `first-last`, both inclusive; `last` may lie beyond the end.
    FirstLast(u64, u64),
    /// `first-`.
    From(u64),
    /// `-suffix`: that many bytes from the end.
    Suffix(u64),
}

/// The bytes that an answer holds: both inclusive, never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Offset of the first byte.
    pub first: u64,
    /// Offset of the last byte.
    pub last: u64,
}

impl RangeSpec {
    /// Reads the value of a `Range` header. `None` for what S3 ignores: another unit, several ranges, bad syntax, last < first.
    pub fn parse(header: &str) -> Option<RangeSpec> {
        let (unit, range) = header.split_once('=')?;
        let (first, last) = range.trim().split_once('-')?;
        if !unit.trim().eq_ignore_ascii_case("bytes") {
            return None;
        }
        match (first.trim(), last.trim()) {
            ("", "") => None,
            ("", suffix) => Some(RangeSpec::Suffix(number(suffix)?)),
            (first, "") => Some(RangeSpec::From(number(first)?)),
            (first, last) => {
                let (first, last) = (number(first)?, number(last)?);
                (first <= last).then_some(RangeSpec::FirstLast(first, last))
            }
        }
    }

    /// The bytes meant in an object of `size` bytes, or [`Error::InvalidRange`].
    pub fn resolve(self, size: u64) -> Result<Span, Error> {
        let span = match self {
            RangeSpec::FirstLast(first, last) => Span { first, last: last.min(size.saturating_sub(1)) },
            RangeSpec::From(first) => Span { first, last: size.saturating_sub(1) },
            RangeSpec::Suffix(suffix) => Span { first: size - suffix.min(size), last: size.saturating_sub(1) },
        };
        if span.first < size { Ok(span) } else { Err(Error::InvalidRange { size }) }
    }
}

impl Span {
    /// Number of bytes, at least one.
    #[allow(clippy::len_without_is_empty, reason = "never empty")]
    pub fn len(&self) -> u64 {
        self.last - self.first + 1
    }
}

/// Digits alone: `u64::from_str` would take a sign. What exceeds 64 bits means the end.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn ranges_as_the_header_has_them() {
        assert_eq!(RangeSpec::parse("bytes=0-0"), Some(RangeSpec::FirstLast(0, 0)));
        assert_eq!(RangeSpec::parse("bytes=5-"), Some(RangeSpec::From(5)));
        assert_eq!(RangeSpec::parse("bytes=-7"), Some(RangeSpec::Suffix(7)));
        assert_eq!(RangeSpec::parse("bytes=0-99999999999999999999999"), Some(RangeSpec::FirstLast(0, u64::MAX)));
        for ignored in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=a-b",
            "bytes=5-4",
            "bytes=0-1,3-4",
            "lines=0-1",
            "bytes=+1-2",
            "0-1",
        ] {
            assert_eq!(RangeSpec::parse(ignored), None, "{ignored}");
        }
    }

    #[test]
    fn resolution_against_a_size() {
        let all = Span { first: 0, last: 9 };
        assert_eq!(RangeSpec::FirstLast(0, u64::MAX).resolve(10).unwrap(), all);
        assert_eq!(RangeSpec::Suffix(u64::MAX).resolve(10).unwrap(), all);
        assert_eq!(RangeSpec::Suffix(3).resolve(10).unwrap(), Span { first: 7, last: 9 });
        assert_eq!(RangeSpec::From(9).resolve(10).unwrap().len(), 1);
        for (range, size) in [
            (RangeSpec::From(10), 10),
            (RangeSpec::Suffix(0), 10),
            (RangeSpec::Suffix(1), 0),
            (RangeSpec::FirstLast(0, 0), 0),
        ] {
            assert!(matches!(range.resolve(size), Err(Error::InvalidRange { .. })), "{range:?} of {size}");
        }
    }
}
