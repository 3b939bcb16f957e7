//! `strongroom env`: what a shell evaluates to point AWS clients at the server.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command};
use server::environment::{Endpoint, Variable, variables};

use crate::{Outcome, config, settings};

pub(crate) fn command() -> Command {
    let plain =
        Arg::new("plain").long("plain").action(ArgAction::SetTrue).help("Name the HTTP endpoint, also if HTTPS is on");
    settings::add(
        Command::new("env")
            .about("Prints what AWS clients need: eval \"$(strongroom env)\"")
            .after_help("The server may be running or not; it must have been started once."),
    )
    .arg(plain)
}

pub(crate) fn run(matches: &ArgMatches) -> Outcome {
    let config = config(matches)?;
    let endpoint = if matches.get_flag("plain") { Endpoint::Http } else { Endpoint::Best };
    let mut output = io::stdout().lock();
    for variable in variables(&config, endpoint)? {
        write_line(&mut output, &variable)?;
    }
    output.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// A line for a POSIX shell. Within single quotes nothing has a meaning but the quote itself (POSIX.1-2024, XCU 2.2.2).
fn write_line(output: &mut impl Write, variable: &Variable) -> io::Result<()> {
    let name = variable.name;
    match &variable.value {
        None => writeln!(output, "unset {name}"),
        Some(value) => writeln!(output, "export {name}='{}'", value.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    fn line(value: Option<&str>) -> String {
        let value = value.map(|value| value.to_owned().into());
        let mut output = Vec::new();
        write_line(&mut output, &Variable { name: "NAME", value }).unwrap();
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn lines_set_and_unset() {
        assert_eq!(line(Some("a/b+c=")), "export NAME='a/b+c='\n");
        assert_eq!(line(None), "unset NAME\n");
    }

    #[test]
    fn a_shell_reads_every_value_as_it_is() {
        for value in ["", "plain", "it's", "'", "''\\'", "$HOME `id` $(id) \"x\" \\n !", "two\nlines", "ümläut"] {
            let script = format!("{}printf %s \"$NAME\"", line(Some(value)));
            let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), value);
        }
    }
}
