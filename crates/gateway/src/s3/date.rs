//! The three ways in which S3 writes a time.

use http::HeaderValue;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::{Rfc2822, Rfc3339};
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

const HTTP: &[BorrowedFormatItem<'_>] =
    format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");
const RFC850: &[BorrowedFormatItem<'_>] = format_description!(
    "[weekday repr:long], [day]-[month repr:short]-[year repr:last_two] [hour]:[minute]:[second] GMT"
);
const ASCTIME: &[BorrowedFormatItem<'_>] =
    format_description!("[weekday repr:short] [month repr:short] [day padding:space] [hour]:[minute]:[second] [year]");
const ISO: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].000Z");

/// An IMF-fixdate (RFC 9110, 5.6.7), as `Last-Modified` has it.
pub(crate) fn http(time: SystemTime) -> HeaderValue {
    let text = whole_seconds(time).format(HTTP).expect("the format needs nothing that a date and time lacks");
    HeaderValue::from_str(&text).expect("letters, digits and punctuation are visible ASCII")
}

/// ISO 8601 as in S3's XML: milliseconds that are always zero, as HTTP dates have whole seconds and both must agree.
pub(crate) fn iso(time: SystemTime) -> String {
    whole_seconds(time).format(ISO).expect("the format needs nothing that a date and time lacks")
}

/// Reads what clients send as a date: the three forms of RFC 9110, an RFC 2822 date with an offset, ISO 8601.
pub(crate) fn parse(text: &str) -> Option<SystemTime> {
    let text = text.trim();
    let utc = |format| PrimitiveDateTime::parse(text, format).ok().map(PrimitiveDateTime::assume_utc);
    let time = utc(HTTP)
        .or_else(|| OffsetDateTime::parse(text, &Rfc3339).ok())
        .or_else(|| OffsetDateTime::parse(text, &Rfc2822).ok())
        .or_else(|| utc(ASCTIME))
        .or_else(|| rfc850(text))?;
    u64::try_from(time.unix_timestamp()).ok().map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds))
}

/// Two digits of a year: `time` does not guess the century, and a stored object's cannot be another than this one.
fn rfc850(text: &str) -> Option<OffsetDateTime> {
    let mut parsed = time::parsing::Parsed::new();
    parsed.parse_items(text.as_bytes(), RFC850).ok().filter(|rest| rest.is_empty())?;
    let year = i32::from(parsed.year_last_two()?);
    parsed.set_year(if year >= 70 { 1900 + year } else { 2000 + year })?;
    PrimitiveDateTime::try_from(parsed).ok().map(PrimitiveDateTime::assume_utc)
}

fn whole_seconds(time: SystemTime) -> OffsetDateTime {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_s3_writes_them() {
        let time = UNIX_EPOCH + Duration::from_millis(784_111_777_900);
        assert_eq!(http(time), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(iso(time), "1994-11-06T08:49:37.000Z");
    }

    #[test]
    fn every_form_of_the_standard_is_read() {
        let expected = Some(UNIX_EPOCH + Duration::from_secs(784_111_777));
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun, 06 Nov 1994 09:49:37 +0100",
            "1994-11-06T08:49:37Z",
            "1994-11-06T08:49:37.000Z",
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
        for text in ["", "x", "1994-13-06T08:49:37Z", "Sun, 06 Nov 1994", "Thu, 01 Jan 1960 00:00:00 GMT"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
