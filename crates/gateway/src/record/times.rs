//! Times as records write them.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// `2022-08-10T22:38:27Z`: `eventTime`, `creationDate`.
pub(crate) struct Iso(pub(crate) SystemTime);

impl fmt::Display for Iso {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = at(seconds(self.0));
        let (date, clock) = (time.date(), time.time());
        let (month, day) = (u8::from(date.month()), date.day());
        let (hour, minute, second) = (clock.hour(), clock.minute(), clock.second());
        write!(f, "{:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z", date.year())
    }
}

/// `Aug 10, 2022, 10:38:27 PM`: times within `requestParameters` and `responseElements`.
pub(crate) fn in_words(seconds: i64) -> String {
    let time = at(seconds);
    let (month, hour) = (usize::from(u8::from(time.month())), time.hour());
    let (noon, half) = (if hour < 12 { "AM" } else { "PM" }, if hour % 12 == 0 { 12 } else { hour % 12 });
    format!(
        "{} {}, {}, {half}:{:02}:{:02} {noon}",
        MONTHS[month - 1],
        time.day(),
        time.year(),
        time.minute(),
        time.second()
    )
}

/// Seconds since 1970 of an ISO 8601 time.
pub(crate) fn parse_iso(text: &str) -> Option<i64> {
    OffsetDateTime::parse(text, &Rfc3339).ok().map(OffsetDateTime::unix_timestamp)
}

fn seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    i64::try_from(since).unwrap_or(i64::MAX)
}

fn at(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
