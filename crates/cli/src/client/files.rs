//! What `encrypt` and `decrypt` have in common: from a file or pipe to a file or pipe, or a folder's files into a folder.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::Outcome;
use super::args::{Files, Telling};
use super::failure::{Failure, Kind};
use super::input::{Input, is_pipe};
use super::output::{self, Existing, NewFile};
use super::progress::Progress;
use super::report::{Report, shown};
use super::spot::Spot;
use super::tree::{Entry, Tree};

/// Where one result goes.
pub(super) enum Place {
    /// To a pipe: what is written has left.
    Pipe(fs::File),
    /// To a file that has no name yet.
    File(NewFile),
}

/// The facts of one result, for JSON.
pub(super) type Facts = Map<String, Value>;

/// One file's work.
pub(super) trait Work {
    /// The command's name.
    const NAME: &'static str;

    /// Whether its results are for programs alone, not for a terminal.
    const BINARY: bool;

    /// Does it. `progress` counts the input's bytes.
    fn work(&self, input: Input, place: Place, progress: &Progress) -> Result<Facts, Failure>;
}

/// Runs the work over whatever was named.
pub(super) fn each<W: Work>(work: &W, files: &Files, telling: &Telling) -> Outcome {
    let pipe = PathBuf::from("-");
    let target = files.output.as_deref().unwrap_or(&pipe);
    let folder = !is_pipe(&files.input) && fs::metadata(&files.input).is_ok_and(|metadata| metadata.is_dir());
    if folder {
        return Run { work, files, telling, report: Report::new(W::NAME, telling.json, false) }.folder(target);
    }
    if W::BINARY && files.output.is_none() && output::stdout_is_terminal() {
        return Err(Failure::usage("the result is not for a terminal: name a file with -o, or insist with -o -"));
    }
    let report = Report::new(W::NAME, telling.json, is_pipe(target));
    let run = Run { work, files, telling, report };
    run.one(&Spot::Named(files.input.clone()), &Spot::Named(target.to_owned()));
    Ok(run.report.end())
}

struct Run<'a, W> {
    work: &'a W,
    files: &'a Files,
    telling: &'a Telling,
    report: Report,
}

impl<W: Work> Run<'_, W> {
    fn folder(self, target: &Path) -> Outcome {
        if is_pipe(target) {
            return Err(Failure::usage("a folder's files go to a folder: name one with -o"));
        }
        let source = &self.files.input;
        let walk = Tree::walk(source).map_err(|error| Failure::file(source, &error))?;
        apart(source, target)?;
        let made = folder_mode(source).and_then(|mode| DirBuilder::new().recursive(true).mode(mode).create(target));
        made.map_err(|error| Failure::file(target, &error))?;
        // Once more, now that links and `..` on the way lead somewhere.
        apart(source, target)?;
        for (path, entry) in walk {
            let (from, to) = (Spot::within(source, &path), Spot::within(target, path));
            match entry {
                Ok(Entry::File(_)) => self.one(&from, &to),
                Ok(Entry::Folder(_)) => {
                    let mode = folder_mode(&from.path()).map_err(|error| Failure::file(&from.path(), &error));
                    if let Err(failure) = mode.and_then(|mode| to.make_folder(mode)) {
                        self.failed(&from, &to, failure);
                    }
                }
                Ok(Entry::Other(_, why)) => self.failed(&from, &to, Failure::new(Kind::Failed, why)),
                Err(error) => self.failed(&from, &to, Failure::new(Kind::Failed, error.to_string())),
            }
        }
        Ok(self.report.end())
    }

    fn one(&self, from: &Spot, to: &Spot) {
        match self.try_one(from, to) {
            Ok(facts) => self.report.done(&shown(&from.path()), &shown(&to.path()), facts),
            Err(failure) => self.failed(from, to, failure),
        }
    }

    fn try_one(&self, from: &Spot, to: &Spot) -> Result<Facts, Failure> {
        let input = Input::open(from)?;
        let place = match to {
            Spot::Named(path) if is_pipe(path) => Place::Pipe(output::stdout()?),
            to => {
                let existing =
                    if self.files.force { Existing::Replaced } else { Existing::Stays("; --force replaces it") };
                Place::File(NewFile::create(to, existing, input.mode)?)
            }
        };
        let progress = Progress::new(&shown(&from.path()), input.length, self.telling.quiet);
        self.work.work(input, place, &progress)
    }

    fn failed(&self, from: &Spot, to: &Spot, failure: Failure) {
        self.report.failed(&shown(&from.path()), &shown(&to.path()), failure);
    }
}

/// Permissions for a folder that lets in nobody whom this one keeps out. Its owner may always write there.
fn folder_mode(from: &Path) -> io::Result<u32> {
    Ok(fs::metadata(from)?.permissions().mode() & 0o777 | 0o700)
}

/// A folder's results do not go into the folder itself, whose files would then be both. Of a target that is not there yet, the nearest
/// folder above it counts.
fn apart(source: &Path, target: &Path) -> Result<(), Failure> {
    let real = fs::canonicalize(source).map_err(|error: io::Error| Failure::file(source, &error))?;
    let there = |path: &Path| fs::canonicalize(if path.as_os_str().is_empty() { Path::new(".") } else { path }).ok();
    if target.ancestors().find_map(there).is_some_and(|above| above.starts_with(&real)) {
        return Err(Failure::usage(format!("{} lies in {}", target.display(), source.display())));
    }
    Ok(())
}
