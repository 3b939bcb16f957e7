//! `strongroom root-key`: what the root key is, another one, and a new domain key.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Command};
use server::root_key::Source;
use server::{Status, protection};

use crate::{Outcome, config, settings};

pub(crate) fn command() -> Command {
    let json = Arg::new("json").long("json").action(ArgAction::SetTrue).help("Print one JSON object");
    let to = Arg::new("to")
        .long("to")
        .value_name("PROVIDER")
        .value_parser(parse)
        .help("Wrap all domain keys under this root key, which has to exist");
    let domain_key = Arg::new("domain-key")
        .long("domain-key")
        .action(ArgAction::SetTrue)
        .help("Make a new domain key under the root key, and bring all key material under it");
    let provider = Arg::new("provider").value_name("PROVIDER").value_parser(parse).required(true);
    let about = "A PROVIDER is file:PATH, passphrase:PATH, passphrase-env:NAME, passphrase-prompt, pkcs11:URI or kms:https://HOST/KEY: \
                 docs/configuration.md has their forms.";
    Command::new("root-key")
        .about("Shows and changes the root key of a store, whether its server runs or not")
        .after_help(about)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            settings::find(
                Command::new("status").about("Shows root keys, domain keys, and what waits to be re-wrapped"),
            )
            .arg(json),
        )
        .subcommand(
            settings::find(
                Command::new("rotate")
                    .about("Changes the root key, or the domain key, without touching data")
                    .after_help(about),
            )
            .arg(to)
            .arg(domain_key)
            .group(ArgGroup::new("what").args(["to", "domain-key"]).required(true)),
        )
        .subcommand(
            settings::find(
                Command::new("create").about("Makes a root key: a file, or a key in an HSM").after_help(about),
            )
            .arg(provider),
        )
}

pub(crate) fn run(matches: &ArgMatches) -> Outcome {
    let (name, matches) = matches.subcommand().expect("clap asks for a subcommand");
    let config = config(matches)?;
    server::log::start(&config);
    let mut output = io::stdout();
    match name {
        "status" if matches.get_flag("json") => {
            writeln!(output, "{}", serde_json::json!(protection::status(&config)?))?;
        }
        "status" => describe(&mut output, &protection::status(&config)?)?,
        "rotate" => match matches.get_one::<Source>("to") {
            Some(to) => {
                let count = protection::change_root_key(&config, to)?;
                writeln!(
                    output,
                    "{count} domain keys are wrapped under the new root key. No other one opens the store now."
                )?;
                writeln!(output, "Before the next start of the server, put this into its configuration:\n")?;
                writeln!(output, "  root_key = {:?}", to.to_string())?;
            }
            None => {
                let mut waiting = None;
                let number = protection::change_domain_key(&config, |status| {
                    if status.pending > 0 && waiting != Some(status.pending) {
                        waiting = Some(status.pending);
                        let _ = writeln!(io::stderr(), "{} materials wait to be re-wrapped", status.pending);
                    }
                })?;
                writeln!(output, "Domain key {number} seals from now on, and all key material is under it.")?;
            }
        },
        _ => {
            let source = matches.get_one::<Source>("provider").expect("clap asks for it");
            writeln!(output, "made {}", protection::create_root_key(&config, source)?)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// With absolute paths: the server has another working directory.
fn parse(text: &str) -> Result<Source, String> {
    text.parse::<Source>()?.absolute().map_err(|error| format!("the working directory: {error}"))
}

fn describe(output: &mut impl Write, status: &Status) -> io::Result<()> {
    for (index, root_key) in status.root_keys.iter().enumerate() {
        let role = if index == 0 { "root key" } else { "also opens" };
        writeln!(output, "{role:12}{root_key}")?;
    }
    for key in &status.domain_keys {
        let (days, seals) = (key.age / 86_400, if key.seals { ", seals" } else { "" });
        writeln!(
            output,
            "{:12}{days} days old, {} materials{seals}, wrapped under {}",
            format!("domain {}", key.number),
            key.materials,
            key.under
        )?;
    }
    match status.pending {
        0 => writeln!(output, "{:12}all key material is under the domain key that seals", "re-wrapping"),
        pending => writeln!(output, "{:12}{pending} materials wait", "re-wrapping"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<ArgMatches, clap::Error> {
        command().try_get_matches_from([&["root-key"], arguments].concat())
    }

    #[test]
    fn one_thing_is_rotated_at_a_time() {
        assert!(parsed(&["rotate"]).is_err());
        assert!(parsed(&["rotate", "--to", "file:/a", "--domain-key"]).is_err());
        assert!(parsed(&["rotate", "--to", "/a"]).is_err());
        assert!(parsed(&["rotate", "--domain-key"]).is_ok());
    }

    #[test]
    fn paths_are_those_of_the_caller() {
        let matches = parsed(&["rotate", "--to", "file:root.key"]).unwrap();
        let source = matches.subcommand().unwrap().1.get_one::<Source>("to").unwrap();
        assert!(source.to_string().starts_with("file:/"), "{source}");
    }

    #[test]
    fn the_status_is_for_people() {
        let key = server::DomainKey {
            number: 1,
            created: 0,
            age: 90_000,
            under: "a passphrase".to_owned(),
            seals: true,
            materials: 3,
        };
        let status = Status { root_keys: vec!["a passphrase".to_owned()], domain_keys: vec![key], pending: 0 };
        let mut text = Vec::new();
        describe(&mut text, &status).unwrap();
        assert_eq!(
            String::from_utf8(text).unwrap(),
            "root key    a passphrase\ndomain 1    1 days old, 3 materials, seals, wrapped under a passphrase\n\
             re-wrapping all key material is under the domain key that seals\n"
        );
    }
}
