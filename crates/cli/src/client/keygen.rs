//! `strongroom keygen`: a key of one's own.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgAction, Args};
use client::keys::KeyFile;
use client::message::Destination;
use serde_json::json;

use super::Outcome;
use super::failure::Failure;
use super::input::is_pipe;
use super::output::{self, Existing, NewFile};
use super::report::shown;
use super::spot::Spot;

/// Makes a key file for encrypt and decrypt
///
/// The file is text (docs/formats/client-key-file.md), readable by you alone, and never replaces another one: what was sealed with a
/// key that is lost stays sealed.
#[derive(Debug, Args)]
pub(super) struct Keygen {
    /// The file to make, or - for standard output
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,

    /// Print a JSON object with the key's id
    #[arg(long, action = ArgAction::SetTrue)]
    json: bool,
}

pub(super) fn run(command: &Keygen) -> Outcome {
    let key = KeyFile::generate()?;
    let failed = |error| Failure::file(&command.output, &error);
    let text = key.to_text();
    if is_pipe(&command.output) {
        output::stdout()?.write_all(text.as_bytes()).map_err(failed)?;
    } else {
        let mut file = NewFile::create(&Spot::Named(command.output.clone()), Existing::Stays(""), 0o600)?;
        file.write_all(text.as_bytes()).and_then(|()| file.keep()).map_err(failed)?;
    }
    let output = shown(&command.output);
    let line = match command.json {
        true => json!({ "command": "keygen", "output": output, "status": "done", "id": key.id() }).to_string(),
        false => format!("key {} in {output}", key.id()),
    };
    // The key is there: nobody has to hear of it.
    let _ = match is_pipe(&command.output) {
        true => writeln!(io::stderr(), "{line}"),
        false => writeln!(io::stdout(), "{line}"),
    };
    Ok(ExitCode::SUCCESS)
}
