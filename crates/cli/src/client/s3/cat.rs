//! `strongroom cat`: objects to standard output.

use std::ops::RangeInclusive;

use clap::{ArgAction, Args};

use super::super::Outcome;
use super::super::args::{Keys, Objects, Service, Telling};
use super::super::failure::Failure;
use super::super::keys::Purpose;
use super::super::output;
use super::super::report::Report;
use super::cp::PARALLEL;
use super::remote::{Remote, Settings};
use super::url::S3Url;

/// Writes encrypted objects to standard output
///
/// An object has one tag for all of it, at its end: it is held in memory until that is verified, up to 16 MiB. For a longer one, have it in
/// a file (cp), or take it unverified.
#[derive(Debug, Args)]
pub(in crate::client) struct Cat {
    /// s3://bucket/key; may be given again
    #[arg(value_name = "URL", required = true)]
    urls: Vec<S3Url>,

    /// Bytes of the plaintext, from 0: first-last, first-, or -count for the last ones
    #[arg(long, value_name = "RANGE", requires = "unauthenticated_range", allow_hyphen_values = true)]
    range: Option<ByteRange>,

    /// Allow --range, of which nothing can be authenticated: whoever can write the object can change it bit by bit
    #[arg(long, action = ArgAction::SetTrue, requires = "range")]
    unauthenticated_range: bool,

    /// Write plaintext before it is verified. If the exit code is not 0, what came must be undone
    #[arg(long, action = ArgAction::SetTrue, conflicts_with = "range")]
    release_unverified: bool,

    #[command(flatten)]
    keys: Keys,
    #[command(flatten)]
    objects: Objects,
    #[command(flatten)]
    service: Service,
    #[command(flatten)]
    telling: Telling,
}

/// A range as HTTP has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ByteRange {
    /// From one byte to another, or to the end.
    From(u64, Option<u64>),
    /// So many at the end.
    Last(u64),
}

impl ByteRange {
    /// Within so many bytes.
    pub(super) fn of(self, length: u64) -> RangeInclusive<u64> {
        match self {
            ByteRange::From(first, last) => first..=last.unwrap_or(u64::MAX - 1),
            ByteRange::Last(count) => length.saturating_sub(count)..=u64::MAX - 1,
        }
    }
}

impl std::str::FromStr for ByteRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "first-last, first-, or -count".to_owned();
        let number = |text: &str| text.parse::<u64>().map_err(|_| wrong());
        match text.split_once('-').ok_or_else(wrong)? {
            ("", count) => Ok(ByteRange::Last(number(count)?).checked(count != "0").ok_or_else(wrong)?),
            (first, "") => Ok(ByteRange::From(number(first)?, None)),
            (first, last) => {
                let (first, last) = (number(first)?, number(last)?);
                ByteRange::From(first, Some(last)).checked(first <= last).ok_or_else(wrong)
            }
        }
    }
}

impl ByteRange {
    fn checked(self, is_right: bool) -> Option<Self> {
        is_right.then_some(self)
    }
}

pub(in crate::client) fn run(command: &Cat) -> Outcome {
    let settings = Settings {
        keys: &command.keys,
        objects: &command.objects,
        written: None,
        service: &command.service,
        purpose: Purpose::Decrypt,
        resume: false,
    };
    let remote = Remote::new(&settings, "cat", command.telling.quiet)?
        .released(command.release_unverified, command.unauthenticated_range)
        .parallel(PARALLEL.into());
    let report = Report::new("cat", command.telling.json, true);
    let mut pipe = output::stdout()?;
    for url in &command.urls {
        if url.is_folder() {
            return Err(Failure::usage(format!("{url} names no object")));
        }
        match remote.pour(url, &mut pipe, command.range) {
            Ok(facts) => report.did(&url.to_string(), "-", "download", facts),
            // What follows would stand in its place.
            Err(failure) => {
                report.failed(&url.to_string(), "-", failure);
                break;
            }
        }
    }
    Ok(report.end())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn ranges_are_those_of_http() {
        let range = |text: &str| text.parse::<ByteRange>();
        assert_eq!(range("0-9").unwrap().of(100), 0..=9);
        assert_eq!(range("5-").unwrap().of(100), 5..=u64::MAX - 1);
        assert_eq!(range("-7").unwrap().of(100), 93..=u64::MAX - 1);
        assert_eq!(range("-700").unwrap().of(100), 0..=u64::MAX - 1);
        for text in ["", "-", "5", "9-5", "a-b", "-0", "1-2-3", "--1"] {
            assert!(range(text).is_err(), "{text}");
        }
    }
}
