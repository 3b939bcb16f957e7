//! What `encrypt` and `decrypt` have in common: from a file or pipe to a file or pipe, or a folder's files into a folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::Outcome;
use super::args::{Files, Telling};
use super::failure::{Failure, Kind};
use super::input::{Input, is_pipe};
use super::output::{self, NewFile};
use super::progress::Progress;
use super::report::{Report, shown};
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
    run.one(&files.input, target);
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
        fs::create_dir_all(target).map_err(|error| Failure::file(target, &error))?;
        apart(source, target)?;
        for (path, entry) in walk {
            let (from, to) = (source.join(&path), target.join(&path));
            match entry {
                Ok(Entry::File(_)) => self.one(&from, &to),
                Ok(Entry::Folder(_)) => {
                    let made = fs::create_dir(&to).or_else(|error| if to.is_dir() { Ok(()) } else { Err(error) });
                    if let Err(error) = made {
                        self.failed(&from, &to, Failure::file(&to, &error));
                    }
                }
                Ok(Entry::Other(_, why)) => self.failed(&from, &to, Failure::new(Kind::Failed, why)),
                Err(error) => self.failed(&from, &to, Failure::new(Kind::Failed, error.to_string())),
            }
        }
        Ok(self.report.end())
    }

    fn one(&self, from: &Path, to: &Path) {
        match self.try_one(from, to) {
            Ok(facts) => self.report.done(&shown(from), &shown(to), facts),
            Err(failure) => self.failed(from, to, failure),
        }
    }

    fn try_one(&self, from: &Path, to: &Path) -> Result<Facts, Failure> {
        let input = Input::open(from)?;
        let place = if is_pipe(to) {
            Place::Pipe(output::stdout()?)
        } else {
            if to.is_dir() {
                return Err(Failure::usage(format!("{} is a folder: name a file in it", to.display())));
            }
            if !self.files.force && fs::symlink_metadata(to).is_ok() {
                return Err(Failure::new(Kind::Failed, format!("{} exists; --force replaces it", to.display())));
            }
            Place::File(NewFile::create(to, self.files.force, input.mode)?)
        };
        let progress = Progress::new(&shown(from), input.length, self.telling.quiet);
        self.work.work(input, place, &progress)
    }

    fn failed(&self, from: &Path, to: &Path, failure: Failure) {
        self.report.failed(&shown(from), &shown(to), failure);
    }
}

/// A folder's results do not go into the folder itself, whose files would then be both.
fn apart(source: &Path, target: &Path) -> Result<(), Failure> {
    let real = |path: &Path| -> Result<PathBuf, Failure> {
        fs::canonicalize(path).map_err(|error: io::Error| Failure::file(path, &error))
    };
    let (source, target) = (real(source)?, real(target)?);
    if target.starts_with(&source) {
        return Err(Failure::usage(format!("{} lies in {}", target.display(), source.display())));
    }
    Ok(())
}
