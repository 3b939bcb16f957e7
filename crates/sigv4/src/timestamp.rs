use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

/// A second in UTC, shown as SigV4 writes it: `20130524T000000Z` (ISO 8601 basic format).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(u64);

/// 9999-12-31T23:59:59Z, the last second that the format can write.
const LAST: u64 = 253_402_300_799;

impl Timestamp {
    /// From seconds since 1970-01-01T00:00:00Z; what lies beyond the year 9999 becomes its last second.
    #[must_use]
    pub fn from_unix(seconds: u64) -> Timestamp {
        Timestamp(seconds.min(LAST))
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn unix(self) -> u64 {
        self.0
    }

    /// Parses `YYYYMMDD'T'HHMMSS'Z'`; nothing else is taken. Dates before 1970 are not dates here.
    #[must_use]
    pub fn parse(text: &str) -> Option<Timestamp> {
        let bytes: &[u8; 16] = text.as_bytes().try_into().ok()?;
        if bytes[8] != b'T' || bytes[15] != b'Z' {
            return None;
        }
        let (year, month, day) = (number(&bytes[0..4])?, number(&bytes[4..6])?, number(&bytes[6..8])?);
        let (hour, minute, second) = (number(&bytes[9..11])?, number(&bytes[11..13])?, number(&bytes[13..15])?);
        if year < 1970 || !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) {
            return None;
        }
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        Some(Timestamp(days_since_1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second))
    }

    /// Parses the value of a `Date` header (RFC 9110 section 5.6.7, the preferred form), or the form of [`Timestamp::parse`].
    #[must_use]
    pub fn parse_http(text: &str) -> Option<Timestamp> {
        Timestamp::parse(text).or_else(|| {
            let parsed = OffsetDateTime::parse(text, &Rfc2822).ok()?;
            Some(Timestamp::from_unix(u64::try_from(parsed.unix_timestamp()).ok()?))
        })
    }

    /// This much earlier, not before 1970.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Timestamp {
        Timestamp(self.0.saturating_sub(duration.as_secs()))
    }

    /// This much later, not after 9999.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Timestamp {
        Timestamp::from_unix(self.0.saturating_add(duration.as_secs()))
    }

    /// The 16 characters of the display form; the first eight are the date of a credential scope.
    #[must_use]
    pub fn text(self) -> [u8; 16] {
        let (year, month, day) = civil(self.0 / 86_400);
        let second = self.0 % 86_400;
        let mut out = *b"00000000T000000Z";
        digits(&mut out[0..4], year);
        digits(&mut out[4..6], month);
        digits(&mut out[6..8], day);
        digits(&mut out[9..11], second / 3_600);
        digits(&mut out[11..13], second / 60 % 60);
        digits(&mut out[13..15], second % 60);
        out
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Timestamp {
        Timestamp::from_unix(time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().iter().try_for_each(|byte| fmt::Write::write_char(f, char::from(*byte)))
    }
}

fn number(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u64::from(byte - b'0')))
}

fn digits(out: &mut [u8], mut value: u64) {
    for slot in out.iter_mut().rev() {
        *slot = b"0123456789"[(value % 10) as usize];
        value /= 10;
    }
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_in(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": days_from_civil and civil_from_days, for years from 1970.
fn days_since_1970(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year / 400, year % 400);
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_seconds() {
        for (text, unix) in
            [("19700101T000000Z", 0), ("20130524T000000Z", 1_369_353_600), ("20240229T235959Z", 1_709_251_199)]
        {
            assert_eq!(Timestamp::parse(text).unwrap().unix(), unix);
            assert_eq!(Timestamp::from_unix(unix).to_string(), text);
        }
        assert_eq!(Timestamp::from_unix(u64::MAX).to_string(), "99991231T235959Z");
    }

    #[test]
    fn what_is_not_a_time() {
        for text in [
            "",
            "20130524T000000",
            "20130524t000000Z",
            "20130229T000000Z",
            "20131324T000000Z",
            "20130524T240000Z",
            "20130524T006000Z",
            "19691231T235959Z",
            "2013-05-24T00:00Z",
            "+0130524T000000Z",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }

    #[test]
    fn http_dates() {
        let parsed = Timestamp::parse_http("Fri, 24 May 2013 00:00:00 GMT").unwrap();
        assert_eq!(parsed.to_string(), "20130524T000000Z");
        assert_eq!(Timestamp::parse_http("yesterday"), None);
    }

    proptest! {
        #[test]
        fn text_and_back(seconds in 0..=LAST) {
            let time = Timestamp::from_unix(seconds);
            prop_assert_eq!(Timestamp::parse(&time.to_string()), Some(time));
            let slow = OffsetDateTime::from_unix_timestamp(i64::try_from(seconds).unwrap()).unwrap();
            prop_assert_eq!(&time.to_string()[..8], format!("{:04}{:02}{:02}", slow.year(), u8::from(slow.month()), slow.day()));
        }
    }
}
