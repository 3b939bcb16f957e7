//! Times of files and of objects, in nanoseconds since 1970.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use time::format_description::well_known::{Rfc2822, Rfc3339};

/// Of a file.
pub(super) fn of_file(time: SystemTime) -> i128 {
    let nanoseconds = |duration: Duration| i128::try_from(duration.as_nanos()).unwrap_or(i128::MAX);
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => nanoseconds(after),
        Err(before) => -nanoseconds(before.duration()),
    }
}

/// For a file; `None` for a time that no file has.
pub(super) fn for_file(nanoseconds: i128) -> Option<SystemTime> {
    let duration = Duration::from_nanos(u64::try_from(nanoseconds).ok()?);
    UNIX_EPOCH.checked_add(duration)
}

/// Of a listing (RFC 3339) or a header (RFC 9110, section 5.6.7).
pub(super) fn of_service(text: &str) -> Option<i128> {
    let time = OffsetDateTime::parse(text, &Rfc3339).or_else(|_| OffsetDateTime::parse(text, &Rfc2822)).ok()?;
    Some(time.unix_timestamp_nanos())
}

/// As it stands in the metadata `mtime`: seconds since 1970 with nine digits of their parts. Other tools (rclone) write it so.
pub(super) fn to_metadata(nanoseconds: i128) -> String {
    let (seconds, parts) = (nanoseconds.div_euclid(1_000_000_000), nanoseconds.rem_euclid(1_000_000_000));
    format!("{seconds}.{parts:09}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn both_forms_of_a_service_are_read() {
        let expected = Some(784_111_777_000_000_000);
        assert_eq!(of_service("Sun, 06 Nov 1994 08:49:37 GMT"), expected);
        assert_eq!(of_service("1994-11-06T08:49:37Z"), expected);
        assert_eq!(of_service("1994-11-06T08:49:37.000Z"), expected);
        assert_eq!(of_service("yesterday"), None);
    }

    #[test]
    fn times_come_back() {
        let time = UNIX_EPOCH + Duration::from_nanos(1_700_000_000_123_456_789);
        assert_eq!(for_file(of_file(time)), Some(time));
        assert_eq!(to_metadata(of_file(time)), "1700000000.123456789");
        assert_eq!(of_file(UNIX_EPOCH - Duration::from_secs(1)), -1_000_000_000);
        assert_eq!(for_file(-1), None);
    }
}
