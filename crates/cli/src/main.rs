//! The `strongroom` command. Thin: a file for each subcommand, over the `server` library.
#![allow(clippy::print_stdout, reason = "a command's answer goes to standard output; logs go to standard error")]

mod account;
mod audit;
mod client;
mod env;
mod root_key;
mod scrub;
mod serve;
mod settings;
mod version;
mod who_can;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{ArgMatches, Command};

fn main() -> ExitCode {
    let matches = command().get_matches();
    let (name, matches) = matches.subcommand().expect("clap asks for a subcommand");
    let result = match name {
        "serve" => serve::run(matches),
        "env" => env::run(matches),
        "scrub" => scrub::run(matches),
        "root-key" => root_key::run(matches),
        "audit" => audit::run(matches),
        "account" => account::run(matches),
        "who-can" => who_can::run(matches),
        "version" => version::run(matches),
        name => Ok(client::run(name, matches).expect("every subcommand has its arm")),
    };
    match result {
        Ok(code) => code,
        // Whoever reads our answer has read enough.
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(failure) => {
            // Nothing can be said if standard error is closed.
            let _ = writeln!(io::stderr(), "strongroom: {failure}");
            ExitCode::from(FAILED)
        }
    }
}

fn command() -> Command {
    Command::new("strongroom")
        .about("An encrypted object store with its own KMS, for AWS clients; and client-side encryption, for any S3 and KMS")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(serve::command())
        .subcommand(env::command())
        .subcommand(scrub::command())
        .subcommand(root_key::command())
        .subcommand(audit::command())
        .subcommand(account::command())
        .subcommand(who_can::command())
        .subcommands(client::commands())
        .subcommand(version::command())
}

/// A subcommand: its exit code, or why it could not run.
type Outcome = Result<ExitCode, Failure>;

#[derive(Debug)]
enum Failure {
    Server(server::Error),
    Output(io::Error),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failure::Server(error) => error.fmt(f),
            Failure::Output(error) => error.fmt(f),
        }
    }
}

impl From<server::Error> for Failure {
    fn from(error: server::Error) -> Failure {
        Failure::Server(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::Output(error)
    }
}

/// The settings of a subcommand that takes them.
fn config(matches: &ArgMatches) -> Result<server::Config, server::Error> {
    Ok(server::Config::load(&settings::sources(matches, std::env::vars_os().collect()))?)
}

/// A command that could not run. 1 is for a scrub that ran and found damage; clap too ends with 2.
const FAILED: u8 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        command().debug_assert();
    }
}
