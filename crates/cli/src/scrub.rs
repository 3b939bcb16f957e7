//! `strongroom scrub`: verifies every byte at rest.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;
use server::scrub::{Finding, Report, scrub};

use crate::{Outcome, config, settings};

pub(crate) fn command() -> Command {
    let json = Arg::new("json")
        .long("json")
        .action(ArgAction::SetTrue)
        .help("Print a JSON object a line: one for each finding, then the report");
    settings::find(
        Command::new("scrub").about("Reads and verifies everything in the store of a stopped server").after_help(
            "Ends with 0 if all is well, with 1 if something is damaged, with 2 if the store could not be read.",
        ),
    )
    .arg(json)
}

pub(crate) fn run(matches: &ArgMatches) -> Outcome {
    let config = config(matches)?;
    server::log::start(&config);
    let json = matches.get_flag("json");
    let mut written = Ok(());
    let report = scrub(&config, |finding| {
        let line = if json { json!({ "finding": finding }).to_string() } else { describe(finding) };
        // The scrub goes on without a reader: its exit code counts.
        if written.is_ok() {
            written = writeln!(io::stdout(), "{line}");
        }
    })?;
    let line = if json { json!({ "report": report }).to_string() } else { summarize(&report) };
    let code = if report.findings == 0 { ExitCode::SUCCESS } else { ExitCode::from(DAMAGED) };
    match written.and_then(|()| writeln!(io::stdout(), "{line}")) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(code),
    }
}

fn describe(finding: &Finding) -> String {
    if let Some(record) = &finding.record {
        return format!("{record}: {}", finding.description);
    }
    let bucket = finding.bucket.as_deref().unwrap_or("(an unknown bucket)");
    // Quoted: a key may hold anything, also what a terminal obeys.
    let mut line = match &finding.key {
        Some(key) => format!("{bucket} {key:?}"),
        None => bucket.to_owned(),
    };
    if let Some(part) = finding.part {
        line += &format!(" part {part}");
    }
    if let Some(blob) = &finding.blob {
        line += &format!(" blob {blob}");
    }
    format!("{line}: {}", finding.description)
}

fn summarize(report: &Report) -> String {
    let Report { objects, blobs, bytes, keys, orphans, findings } = report;
    let end = match findings {
        0 => "nothing is damaged".to_owned(),
        1 => "1 finding".to_owned(),
        many => format!("{many} findings"),
    };
    let orphans = match orphans {
        0 => String::new(),
        some => format!(" ({some} files that no record names, left for the server's next start)"),
    };
    format!(
        "verified {objects} objects and parts, {blobs} blobs, {bytes} sealed bytes, {keys} key records: {end}{orphans}"
    )
}

/// The scrub ran and found something.
const DAMAGED: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_one_line_whatever_the_key() {
        let finding = Finding {
            bucket: Some("bucket".to_owned()),
            key: Some("a\n\u{1b}[31m".to_owned()),
            part: Some(3),
            blob: Some("ab".to_owned()),
            record: None,
            damage: "tag",
            description: "wrong",
        };
        assert_eq!(describe(&finding), "bucket \"a\\n\\u{1b}[31m\" part 3 blob ab: wrong");
        let nothing = Finding { bucket: None, key: None, part: None, blob: None, ..finding };
        assert_eq!(describe(&nothing), "(an unknown bucket): wrong");
    }
}
