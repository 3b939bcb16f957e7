//! What is said of each file: an object of JSON for scripts, a line for people when something is wrong.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::OnceLock;

use serde_json::{Map, Value, json};

use super::failure::{Failure, clean};

/// Where results go: standard output, or standard error when that is where the data goes.
pub(super) struct Report {
    command: &'static str,
    json: bool,
    data_on_stdout: bool,
    first: OnceLock<u8>,
}

impl Report {
    pub(super) fn new(command: &'static str, json: bool, data_on_stdout: bool) -> Self {
        Self { command, json, data_on_stdout, first: OnceLock::new() }
    }

    /// One is done; `facts` are the members of its object beside the names.
    pub(super) fn done(&self, input: &str, output: &str, facts: Map<String, Value>) {
        if self.json {
            let mut object = self.object(input, output, "done");
            object.extend(facts);
            self.write(&object);
        }
    }

    /// The same, with what was done.
    pub(super) fn did(&self, input: &str, output: &str, action: &str, mut facts: Map<String, Value>) {
        facts.insert("action".to_owned(), json!(action));
        self.done(input, output, facts);
    }

    /// What would be done.
    pub(super) fn planned(&self, input: &str, output: &str, action: &str) {
        if self.json {
            let mut object = self.object(input, output, "planned");
            object.insert("action".to_owned(), json!(action));
            self.write(&object);
        } else {
            let arrow = if input.is_empty() { "" } else { " -> " };
            let line = clean(&format!("{action} {input}{arrow}{output}"));
            let _ = writeln!(io::stdout(), "{line}");
        }
    }

    /// Whether nothing has failed.
    pub(super) fn all_well(&self) -> bool {
        self.first.get().is_none()
    }

    /// One failed.
    pub(super) fn failed(&self, input: &str, output: &str, failure: Failure) {
        self.first.get_or_init(|| failure.number());
        if self.json {
            let mut object = self.object(input, output, "failed");
            object.insert("code".to_owned(), json!(failure.number()));
            object.insert("error".to_owned(), json!(failure.to_string()));
            object.extend(failure.facts().clone());
            self.write(&object);
        }
        complain(&failure.within(input));
    }

    /// The code of the first that failed.
    pub(super) fn end(self) -> ExitCode {
        self.first.get().map_or(ExitCode::SUCCESS, |code| ExitCode::from(*code))
    }

    fn object(&self, input: &str, output: &str, status: &str) -> Map<String, Value> {
        let pairs = [("command", self.command), ("input", input), ("output", output), ("status", status)];
        pairs.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect()
    }

    fn write(&self, object: &Map<String, Value>) {
        let line = Value::Object(object.clone()).to_string();
        // A reader that is gone has read enough: the exit code stays.
        let _ = if self.data_on_stdout { writeln!(io::stderr(), "{line}") } else { writeln!(io::stdout(), "{line}") };
    }
}

/// Tells a person.
pub(super) fn complain(failure: &Failure) {
    // Nothing can be said if standard error is closed.
    let _ = writeln!(io::stderr(), "strongroom: {failure}");
}

/// A path in JSON and in messages.
pub(super) fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
