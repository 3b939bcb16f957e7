//! The commands of client-side encryption: files, folders and pipes here, objects in any S3. None of them needs a server of ours.

mod args;
mod decrypt;
mod encrypt;
mod failure;
mod files;
mod header;
mod input;
mod inspect;
mod keygen;
mod keys;
mod output;
mod progress;
mod report;
mod s3;
mod signals;
mod spot;
mod steady;
mod tree;

use std::process::ExitCode;

use clap::{ArgMatches, Args, Command, FromArgMatches};
use failure::Failure;

/// A command: its exit code when it ran, or why it could not.
type Outcome = Result<ExitCode, Failure>;

/// What the help of every command ends with.
const EXIT_CODES: &str = "Exit codes: 0 done; 1 failed (files, network, service); 2 usage; 3 the input is not what was sealed; \
                          4 no key opens it, or access is denied; 5 the encryption context or a policy refuses. With several \
                          files: the code of the first that failed.";

/// All of them.
pub(crate) fn commands() -> [Command; 9] {
    [
        one::<keygen::Keygen>("keygen"),
        one::<encrypt::Encrypt>("encrypt"),
        one::<decrypt::Decrypt>("decrypt"),
        one::<inspect::Inspect>("inspect"),
        one::<s3::cp::Cp>("cp"),
        one::<s3::cat::Cat>("cat"),
        one::<s3::ls::Ls>("ls"),
        one::<s3::sync::Sync>("sync"),
        one::<s3::rewrap::Rewrap>("rewrap"),
    ]
}

fn one<A: Args>(name: &'static str) -> Command {
    A::augment_args(Command::new(name)).after_help(EXIT_CODES)
}

/// Runs one of them; `None` when there is none of that name.
pub(crate) fn run(name: &str, matches: &ArgMatches) -> Option<ExitCode> {
    server::leave_no_dump();
    // Before there are threads.
    output::umask();
    let outcome = match name {
        "keygen" => parsed(matches).and_then(|command| keygen::run(&command)),
        "encrypt" => parsed(matches).and_then(|command| encrypt::run(&command)),
        "decrypt" => parsed(matches).and_then(|command| decrypt::run(&command)),
        "inspect" => parsed(matches).and_then(|command| inspect::run(&command)),
        "cp" => parsed(matches).and_then(|command| s3::cp::run(&command)),
        "cat" => parsed(matches).and_then(|command| s3::cat::run(&command)),
        "ls" => parsed(matches).and_then(|command| s3::ls::run(&command)),
        "rewrap" => parsed(matches).and_then(|command| s3::rewrap::run(&command)),
        "sync" => parsed(matches).and_then(|command| s3::sync::run(&command)),
        _ => return None,
    };
    Some(outcome.unwrap_or_else(|failure| {
        report::complain(&failure);
        failure.code().into()
    }))
}

fn parsed<A: FromArgMatches>(matches: &ArgMatches) -> Result<A, Failure> {
    A::from_arg_matches(matches).map_err(|error| Failure::usage(error.to_string()))
}
