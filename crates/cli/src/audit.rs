//! `strongroom audit`: proof that nobody has edited the audit log, and its records.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;
use server::event_log::{self, Link, Verification};

use crate::{Outcome, config, settings};

pub(crate) fn command() -> Command {
    let expect = Arg::new("expect")
        .long("expect")
        .value_name("NUMBER:HASH")
        .value_parser(clap::value_parser!(Link))
        .help("An end of the log that was noted earlier: the log has to have it still");
    let json = Arg::new("json").long("json").action(ArgAction::SetTrue).help("Print one JSON object");
    let time = |name: &'static str, parse: fn(&str) -> Result<u64, String>, help: &'static str| {
        Arg::new(name).long(name).value_name("TIME").value_parser(parse).help(help)
    };
    Command::new("audit")
        .about("Verifies and exports the audit log of a store, whether its server runs or not")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            settings::find(
                Command::new("verify")
                    .about("Holds every record of the audit log against the hash chain, from the first to the last")
                    .after_help(
                        "Prints the end of the chain. Note it elsewhere, and give it as --expect the next time: an end that was \
                         removed together with the row that names it is found in no other way.\n\
                         Ends with 0 if all is well, with 1 if the log was tampered with or is damaged, with 2 if it could not be read.",
                    ),
            )
            .arg(expect)
            .arg(json),
        )
        .subcommand(
            settings::find(
                Command::new("export").about("Prints the CloudTrail records of the audit log, one a line, oldest first"),
            )
            .arg(time(
                "start",
                event_log::parse_start,
                "Of this moment or later: 2026-01-31T08:00:00Z, 2026-01-31T08:00, or 2026-01-31 for the whole day. UTC, unless it has an offset",
            ))
            .arg(time("end", event_log::parse_end, "Of this moment or earlier, in the same forms")),
        )
}

pub(crate) fn run(matches: &ArgMatches) -> Outcome {
    let (name, matches) = matches.subcommand().expect("clap asks for a subcommand");
    let config = config(matches)?;
    server::log::start(&config);
    if name == "export" {
        let time = |name| matches.get_one::<u64>(name).copied();
        let mut output = BufWriter::new(io::stdout().lock());
        let mut written = Ok(());
        event_log::export(&config, time("start"), time("end"), |record| {
            written = writeln!(output, "{record}");
            written.is_ok()
        })?;
        written.and_then(|()| output.flush())?;
        return Ok(ExitCode::SUCCESS);
    }
    let found = event_log::verify(&config, matches.get_one::<Link>("expect").copied())?;
    let mut output = io::stdout();
    match matches.get_flag("json") {
        true => writeln!(output, "{}", json!(found))?,
        false => describe(&mut output, &found)?,
    }
    Ok(if found.findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(TAMPERED) })
}

fn describe(output: &mut impl Write, found: &Verification) -> io::Result<()> {
    let Verification { events, blocks, first, last, head, findings } = found;
    for finding in findings {
        writeln!(output, "{finding}")?;
    }
    match events {
        0 => writeln!(output, "the audit log holds no event"),
        _ => writeln!(output, "verified {events} events, {first} to {last}, in {blocks} blocks"),
    }?;
    writeln!(output, "the chain ends with {head}")?;
    match findings.len() {
        0 => writeln!(output, "nothing was changed, moved or removed"),
        1 => writeln!(output, "1 finding"),
        many => writeln!(output, "{many} findings"),
    }
}

/// The log was verified, and is not as it was recorded.
const TAMPERED: u8 = 1;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn what_is_expected_is_a_place_in_the_chain() {
        let parsed = |expect: &str| command().try_get_matches_from(["audit", "verify", "--expect", expect]);
        assert!(parsed(&format!("17:{}", "ab".repeat(32))).is_ok());
        assert!(parsed("17").is_err() && parsed("17:ab").is_err());
    }

    #[test]
    fn the_answer_is_for_people() {
        let mut found =
            Verification { events: 3, blocks: 2, first: 5, last: 7, head: "7:00".to_owned(), findings: Vec::new() };
        let text = |found: &Verification| {
            let mut text = Vec::new();
            describe(&mut text, found).unwrap();
            String::from_utf8(text).unwrap()
        };
        let good =
            "verified 3 events, 5 to 7, in 2 blocks\nthe chain ends with 7:00\nnothing was changed, moved or removed\n";
        assert_eq!(text(&found), good);
        found.findings.push("events 1 to 4: missing".to_owned());
        assert!(text(&found).starts_with("events 1 to 4: missing\n") && text(&found).ends_with("1 finding\n"));
    }
}
