//! `strongroom cat`: objects to standard output.

use clap::{ArgAction, Args};
use client::object::ByteRange;

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

    /// Bytes of the plaintext, from 0: first-last, first-, or -count for the last ones (not of AES-CBC)
    #[arg(long, value_name = "RANGE", requires = "unauthenticated_range", allow_hyphen_values = true, value_parser = byte_range)]
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
fn byte_range(text: &str) -> Result<ByteRange, String> {
    let wrong = || "first-last, first-, or -count".to_owned();
    let number = |text: &str| text.parse::<u64>().map_err(|_| wrong());
    let range = match text.split_once('-').ok_or_else(wrong)? {
        ("", count) => ByteRange::Last(number(count)?),
        (first, "") => ByteRange::Within(number(first)?..=u64::MAX),
        (first, last) => ByteRange::Within(number(first)?..=number(last)?),
    };
    let is_empty = match &range {
        ByteRange::Within(range) => range.is_empty(),
        ByteRange::Last(count) => *count == 0,
    };
    if is_empty { Err(wrong()) } else { Ok(range) }
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
        match remote.pour(url, &mut pipe, command.range.clone()) {
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
        assert_eq!(byte_range("0-9").unwrap(), ByteRange::Within(0..=9));
        assert_eq!(byte_range("5-").unwrap(), ByteRange::Within(5..=u64::MAX));
        assert_eq!(byte_range("-7").unwrap(), ByteRange::Last(7));
        for text in ["", "-", "5", "9-5", "a-b", "-0", "-00", "1-2-3", "--1"] {
            assert!(byte_range(text).is_err(), "{text}");
        }
    }
}
