//! The project's own commands. `cargo xtask test` is the whole of what a change must pass.

mod architecture;
mod fuzz;
mod java;
mod python;
mod run;
mod test;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  test           format, lints, architecture, unit and property tests, then real clients against the real binary
  architecture   the crate arrows against the table of the design
  fuzz [SECONDS] every fuzz target for SECONDS (default 600)
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["test"] => test::everything(),
        ["architecture"] => architecture::check(),
        ["fuzz"] => fuzz::every_target(fuzz::DEFAULT_SECONDS),
        ["fuzz", seconds] => match seconds.parse() {
            Ok(seconds) => fuzz::every_target(seconds),
            Err(_) => Err(format!("{seconds} is not a number of seconds")),
        },
        _ => Err(USAGE.to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
