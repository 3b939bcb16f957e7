//! `strongroom version`.

use std::process::ExitCode;

use clap::{ArgMatches, Command};

use crate::Outcome;

pub(crate) fn command() -> Command {
    Command::new("version").about("Prints the version")
}

pub(crate) fn run(_: &ArgMatches) -> Outcome {
    println!("strongroom {}", env!("CARGO_PKG_VERSION"));
    Ok(ExitCode::SUCCESS)
}
