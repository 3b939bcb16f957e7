//! `strongroom serve`: the server.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{ArgMatches, Command};

use crate::{Outcome, config, settings};

pub(crate) fn command() -> Command {
    settings::add(Command::new("serve").about("Runs the server, and makes a store if there is none").after_help(
        "Secrets are taken from the environment alone: STRONGROOM_ROOT_ACCESS_KEY_ID and \
         STRONGROOM_ROOT_SECRET_ACCESS_KEY.",
    ))
}

pub(crate) fn run(matches: &ArgMatches) -> Outcome {
    let config = config(matches)?;
    server::log::start(&config);
    server::run(&config, |welcome| {
        // A server whose standard output is closed serves as well.
        let _ = write!(io::stdout(), "\n{welcome}\n").and_then(|()| io::stdout().flush());
    })?;
    Ok(ExitCode::SUCCESS)
}
