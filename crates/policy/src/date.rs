//! Dates as conditions write them: the W3C profile of ISO 8601 (<https://www.w3.org/TR/NOTE-datetime>), or seconds since 1970.

/// A moment, in nanoseconds since 1970 began (UTC).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Moment(i128);

const NANOS: i128 = 1_000_000_000;

impl Moment {
    /// Parses `YYYY`, `YYYY-MM`, `YYYY-MM-DD`, `YYYY-MM-DDThh:mm[:ss[.s+]](Z|±hh:mm)`, or digits that are not four: seconds.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.len() != 4 && !text.is_empty() && text.len() <= 15 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(Self(text.parse::<i128>().ok()? * NANOS));
        }
        let (year, rest) = digits(text, 4)?;
        let Some(rest) = rest.strip_prefix('-') else { return begin(rest, year, 1, 1) };
        let (month, rest) = digits(rest, 2)?;
        let Some(rest) = rest.strip_prefix('-') else { return begin(rest, year, month, 1) };
        let (day, rest) = digits(rest, 2)?;
        let Some(rest) = rest.strip_prefix('T') else { return begin(rest, year, month, day) };
        let (hour, rest) = digits(rest, 2)?;
        let (minute, mut rest) = digits(rest.strip_prefix(':')?, 2)?;
        let mut nanos = 0;
        if let Some(seconds) = rest.strip_prefix(':') {
            let (second, after) = digits(seconds, 2)?;
            nanos = i128::from(second) * NANOS;
            rest = after;
            if let Some(fraction) = rest.strip_prefix('.') {
                let len = fraction.bytes().take_while(u8::is_ascii_digit).count();
                let (digits, after) = fraction.split_at(len);
                let padded = format!("{digits:0<9}");
                nanos += padded.get(..9).filter(|_| len > 0)?.parse::<i128>().ok()?;
                rest = after;
            }
        }
        let offset = offset_minutes(rest)?;
        if hour > 23 || minute > 59 || nanos >= 60 * NANOS {
            return None;
        }
        let Self(midnight) = begin("", year, month, day)?;
        Some(Self(midnight + i128::from(i64::from(hour) * 60 + i64::from(minute) - offset) * 60 * NANOS + nanos))
    }
}

/// So many digits, and what follows.
fn digits(text: &str, len: usize) -> Option<(u32, &str)> {
    let (digits, rest) = text.split_at_checked(len)?;
    let number = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?;
    Some((number?, rest))
}

fn offset_minutes(text: &str) -> Option<i64> {
    if text == "Z" {
        return Some(0);
    }
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, rest) = digits(text.get(1..)?, 2)?;
    let (minutes, rest) = digits(rest.strip_prefix(':')?, 2)?;
    (rest.is_empty() && hours <= 23 && minutes <= 59).then(|| sign * (i64::from(hours) * 60 + i64::from(minutes)))
}

/// Midnight of a date, if nothing follows it.
fn begin(rest: &str, year: u32, month: u32, day: u32) -> Option<Moment> {
    let leap = (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400);
    let days_in_month = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    if !rest.is_empty() || day == 0 || day > days_in_month {
        return None;
    }
    // Days from a civil date: years begin in March, so that the leap day is the last (Hinnant, "chrono-compatible algorithms").
    let (year, month) = (i64::from(year) - i64::from(month <= 2), (i64::from(month) + 9) % 12);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * month + 2) / 5 + i64::from(day) - 1;
    let days = era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468;
    Some(Moment(i128::from(days) * 86_400 * NANOS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_the_w3c_profile_are_read() {
        let seconds = |text| Moment::parse(text).map(|Moment(nanos)| nanos / NANOS);
        for (text, want) in [
            ("1970", 0),
            ("1970-01", 0),
            ("1970-01-01", 0),
            ("1970-01-01T00:00Z", 0),
            ("1970-01-01T01:00:00+01:00", 0),
            ("1969-12-31T23:00:00-01:00", 0),
            ("2000-02-29T12:34:56Z", 951_827_696),
            ("2013-08-16T12:00:00.999Z", 1_376_654_400),
            ("1376654400", 1_376_654_400),
            ("0", 0),
            ("2100-03-01", 4_107_542_400),
        ] {
            assert_eq!(seconds(text), Some(want), "{text}");
        }
        assert!(Moment::parse("2013-08-16T12:00:00.5Z") > Moment::parse("2013-08-16T12:00:00.49Z"));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for bad in [
            "",
            "-1",
            "20",
            "2013-13",
            "2013-02-29",
            "2013-1-1",
            "2013-01-01T00:00",
            "2013-01-01T24:00Z",
            "2013-01-01T00:00:60Z",
            "2013-01-01T00:00:00.Z",
            "2013-01-01 00:00Z",
            "2013-01-01Z",
            "1970-01-01T01:00:00+1:00",
            "２０１３",
        ] {
            // Two digits are seconds, like any number of digits but four.
            assert_eq!(Moment::parse(bad).is_some(), bad == "20", "{bad}");
        }
    }
}
