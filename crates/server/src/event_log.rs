//! The audit log for an operator or an auditor: through the running server, or in its absence on the store itself.

use keys::Keys;
use serde::{Deserialize, Serialize};

pub use audit::Link;

use crate::config::Config;
use crate::control::{Answer, Request};
use crate::error::Error;
use crate::protection::{asked, offline, unexpected};

/// What verification found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// Events whose bytes and place in the chain are as they were recorded.
    pub events: u64,
    /// The blocks that they are in.
    pub blocks: u64,
    /// The number of the oldest event that is kept.
    pub first: u64,
    /// The number of the newest.
    pub last: u64,
    /// The end of the chain, `NUMBER:HASH`, to be noted elsewhere.
    pub head: String,
    /// What is wrong, in words.
    pub findings: Vec<String>,
}

impl From<audit::Report> for Verification {
    fn from(report: audit::Report) -> Verification {
        let audit::Report { events, blocks, start, head, findings } = report;
        Verification {
            events,
            blocks,
            first: start.number + 1,
            last: head.number,
            head: head.to_string(),
            findings: findings.iter().map(ToString::to_string).collect(),
        }
    }
}

/// Verifies the log from its first event to its last, and against an end that was noted earlier.
///
/// # Errors
/// [`Error::NoStore`]; what keeps the store from opening. Damage is not an error.
pub fn verify(config: &Config, expect: Option<Link>) -> Result<Verification, Error> {
    let request = Request::VerifyAudit { expect: expect.map(|link| link.to_string()) };
    match asked(config, &request)? {
        Some(Answer::VerifiedAudit(found)) => Ok(found),
        Some(_) => Err(unexpected()),
        None => offline(config, async |store| Ok(audit::verify(&*store.meta, &store.keys, expect).await?.into())),
    }
}

/// Hands over the records from `start` to `end` (milliseconds since 1970), oldest first, until `sink` says that it has enough.
///
/// # Errors
/// [`Error::NoStore`]; what keeps the store from opening; a damaged block.
pub fn export(
    config: &Config,
    start: Option<u64>,
    end: Option<u64>,
    mut sink: impl FnMut(&str) -> bool,
) -> Result<(), Error> {
    let mut from = 1;
    loop {
        let (records, next) = match asked(config, &Request::ExportAudit { from, start, end })? {
            Some(Answer::Audit { records, next }) => (records, next),
            Some(_) => return Err(unexpected()),
            None => break,
        };
        match next {
            _ if !records.iter().all(|record| sink(record)) => return Ok(()),
            None => return Ok(()),
            Some(next) => from = next,
        }
    }
    offline(config, async |store| {
        loop {
            let (records, next) = page(&*store.meta, &store.keys, from, start, end).await?;
            match next {
                _ if !records.iter().all(|record| sink(record)) => return Ok(()),
                None => return Ok(()),
                Some(next) => from = next,
            }
        }
    })
}

/// Records from the number `from` on, of events between the two times, and where to read on. Looks at a bounded number of blocks.
pub(crate) async fn page(
    store: &dyn meta::Store,
    keys: &Keys,
    mut from: u64,
    start: Option<u64>,
    end: Option<u64>,
) -> Result<(Vec<String>, Option<u64>), Error> {
    let (mut records, mut bytes) = (Vec::new(), 0);
    for _ in 0..PAGE_BLOCKS {
        let Some((events, next)) = audit::events_from(store, keys, from).await? else { return Ok((records, None)) };
        for stored in events {
            if bytes + stored.event.record.len() > PAGE_BYTES && !records.is_empty() {
                return Ok((records, Some(stored.number)));
            }
            let time = stored.event.time.as_millis();
            if start.is_none_or(|start| time >= start) && end.is_none_or(|end| time <= end) {
                bytes += stored.event.record.len();
                records.push(String::from_utf8_lossy(&stored.event.record).into_owned());
            }
        }
        from = next;
        tokio::task::yield_now().await;
    }
    Ok((records, Some(from)))
}

/// The first moment that a time names, in milliseconds since 1970: a moment as RFC 3339 has it (`2026-01-31T08:00:00Z`), or a part of
/// one. Of a date alone it is the day's beginning; seconds may be left out; without an offset it is UTC.
///
/// # Errors
/// What is wrong with it, in words.
pub fn parse_start(text: &str) -> Result<u64, String> {
    moment(text).map(|(millis, _)| millis)
}

/// The last moment that a time names, as [`parse_start`] takes it: of a date alone it is the day's end.
///
/// # Errors
/// What is wrong with it, in words.
pub fn parse_end(text: &str) -> Result<u64, String> {
    moment(text).map(|(millis, is_day)| if is_day { millis + DAY_MILLIS - 1 } else { millis })
}

/// A moment in milliseconds since 1970, and whether it is a whole day.
fn moment(text: &str) -> Result<(u64, bool), String> {
    let (date, clock) = match text.split_once(['T', 't', ' ']) {
        None => (text, None),
        Some((date, clock)) => (date, Some(clock)),
    };
    let whole = match clock {
        None => format!("{date}T00:00:00Z"),
        Some(clock) => {
            let (clock, offset) = match clock.find(['Z', 'z', '+', '-']) {
                Some(at) => clock.split_at(at),
                None => (clock, "Z"),
            };
            let seconds = if clock.len() == "08:00".len() { ":00" } else { "" };
            format!("{date}T{clock}{seconds}{offset}")
        }
    };
    let parsed = time::OffsetDateTime::parse(&whole, &time::format_description::well_known::Rfc3339);
    let millis = parsed.ok().and_then(|time| u64::try_from(time.unix_timestamp_nanos() / 1_000_000).ok());
    let millis = millis
        .ok_or_else(|| format!("{text:?} is neither a time like 2026-01-31T08:00:00Z nor a date like 2026-01-31"));
    Ok((millis?, clock.is_none()))
}

const DAY_MILLIS: u64 = 24 * 60 * 60 * 1_000;
/// Blocks that a page looks at: some 100 ms.
const PAGE_BLOCKS: usize = 1_024;
/// Bytes of records in a page. In JSON they may take twice as many, and an answer has a mebibyte.
const PAGE_BYTES: usize = 384 * 1024;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn a_time_is_of_rfc_3339_or_the_beginning_of_one() {
        assert_eq!(parse_start("1970-01-01T00:00:01.5Z"), Ok(1_500));
        assert_eq!(parse_start("1970-01-02"), Ok(DAY_MILLIS));
        assert_eq!(parse_start("2026-01-31"), parse_start("2026-01-31T00:00:00Z"));
        for same in [
            "2026-01-31T09:00:00+01:00",
            "2026-01-31T08:00",
            "2026-01-31T08:00:00",
            "2026-01-31T09:00+01:00",
            "2026-01-31 08:00Z",
        ] {
            assert_eq!(parse_start(same), parse_start("2026-01-31T08:00:00Z"), "{same}");
            assert_eq!(parse_end(same), parse_start(same), "{same}");
        }
        for no in [
            "yesterday",
            "1969-12-31T23:59:59Z",
            "2026-13-01",
            "2026-02-30",
            "2026-01-31T",
            "2026-01-31T8",
            "2026-01",
            "",
            "T08:00",
        ] {
            assert!(parse_start(no).is_err_and(|error| error.contains("2026-01-31T08:00:00Z")), "{no}");
        }
    }

    #[test]
    fn a_day_ends_before_the_next_begins() {
        assert_eq!(parse_end("2026-01-31").map(|end| end + 1), parse_start("2026-02-01"));
    }
}
