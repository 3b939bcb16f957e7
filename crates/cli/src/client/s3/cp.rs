//! `strongroom cp`: files into objects, and objects into files.

use std::path::Path;

use clap::{ArgAction, Args};

use super::super::Outcome;
use super::super::args::{Keys, Objects, Service, Telling, Written};
use super::super::failure::{Failure, Kind};
use super::super::keys::Purpose;
use super::super::output;
use super::super::report::Report;
use super::super::spot::Spot;
use super::jobs::{self, Task};
use super::plan::Direction;
use super::remote::{Remote, Settings};
use super::url::{End, S3Url, is_ours, path_of};
use super::walk;

/// Copies files into encrypted objects, and encrypted objects into files
///
/// One side is s3://bucket/key; the other a file, a folder, or - for standard input or output. A file has its final name only once all of
/// the object is there and verified, and replaces another one as cp does.
#[derive(Debug, Args)]
pub(in crate::client) struct Cp {
    /// A file, - for standard input, or s3://bucket/key
    #[arg(value_name = "FROM", value_parser = End::parser())]
    source: End,

    /// s3://bucket/key (with a slash at the end: under the file's own name), a file, a folder, or - for standard output
    #[arg(value_name = "TO", value_parser = End::parser())]
    target: End,

    /// All files of a folder, or all objects under a prefix
    #[arg(short, long, action = ArgAction::SetTrue)]
    recursive: bool,

    #[command(flatten)]
    transfers: Transfers,
    #[command(flatten)]
    keys: Keys,
    #[command(flatten)]
    objects: Objects,
    #[command(flatten)]
    written: Written,
    #[command(flatten)]
    service: Service,
    #[command(flatten)]
    telling: Telling,
}

/// How many travel at a time unless something else is said: with parts of 7 MiB, memory stays below 32 MiB.
pub(super) const PARALLEL: u8 = 2;

/// How data travels.
#[derive(Debug, Args)]
#[command(next_help_heading = "Transfers")]
pub(super) struct Transfers {
    /// How many travel at a time: files where there are several, parts of one file otherwise. Each takes 7 MiB of memory
    #[arg(short, long, value_name = "COUNT", default_value_t = PARALLEL, value_parser = clap::value_parser!(u8).range(1..=64))]
    parallel: u8,

    /// Keep what came of a download that breaks off, still encrypted, beside the file, and go on from there the next time
    #[arg(long, action = ArgAction::SetTrue)]
    pub(super) resume: bool,
}

impl Transfers {
    pub(super) fn parallel(&self) -> usize {
        self.parallel.into()
    }
}

pub(in crate::client) fn run(command: &Cp) -> Outcome {
    let purpose = match (&command.source, &command.target) {
        (End::File(_) | End::Pipe, End::Object(_)) => Purpose::Encrypt,
        (End::Object(_), End::File(_) | End::Pipe) => Purpose::Decrypt,
        _ => return Err(Failure::usage("one side is s3://bucket/key, and the other is not")),
    };
    let settings = Settings {
        keys: &command.keys,
        objects: &command.objects,
        written: Some(&command.written),
        service: &command.service,
        purpose,
        resume: command.transfers.resume,
    };
    let to_pipe = command.target == End::Pipe;
    let label = command.source.to_string();
    let parts = if command.recursive { 1 } else { command.transfers.parallel() };
    let remote = Remote::new(&settings, &label, command.telling.quiet)?.parallel(parts);
    let report = Report::new("cp", command.telling.json, to_pipe);
    let (from, to) = (command.source.to_string(), command.target.to_string());
    match (&command.source, &command.target) {
        (End::File(folder), End::Object(url)) if command.recursive => up(command, &remote, &report, folder, url)?,
        (End::Object(url), End::File(folder)) if command.recursive => down(command, &remote, &report, url, folder)?,
        _ if command.recursive => return Err(Failure::usage("a pipe has one file")),
        (End::File(path), End::Object(url)) => {
            let url = object_for(path, url)?;
            jobs::run(&remote, &report, 1, [Task::Upload(Spot::Named(path.clone()), url)].into_iter());
        }
        (End::Object(url), End::File(path)) => {
            let spot = file_for(url, path)?;
            jobs::run(&remote, &report, 1, [Task::Download(object(url)?, spot)].into_iter());
        }
        (End::Pipe, End::Object(url)) => match remote.upload_pipe(&object(url)?) {
            Ok(facts) => report.did(&from, &to, "upload", facts),
            Err(failure) => report.failed(&from, &to, failure),
        },
        (End::Object(url), _) => match remote.pour(&object(url)?, &mut output::stdout()?, None) {
            Ok(facts) => report.did(&from, &to, "download", facts),
            Err(failure) => report.failed(&from, &to, failure),
        },
        _ => return Err(Failure::usage("one side is s3://bucket/key, and the other is not")),
    }
    Ok(report.end())
}

fn up(command: &Cp, remote: &Remote, report: &Report, folder: &Path, url: &S3Url) -> Result<(), Failure> {
    let prefix = url.prefix();
    let tasks = walk::files(folder)?.map(|file| match file {
        Ok((spot, rest)) => Task::Upload(spot, url.with_key(format!("{prefix}{rest}"))),
        Err(refused) => refused,
    });
    jobs::run(remote, report, command.transfers.parallel(), tasks);
    Ok(())
}

fn down(command: &Cp, remote: &Remote, report: &Report, url: &S3Url, folder: &Path) -> Result<(), Failure> {
    // All names first: an instruction file is one only where its object is.
    let sides = walk::Sides::objects(remote, url, Direction::Down)?;
    if sides.objects.is_empty() && sides.refused.is_empty() {
        return Err(Failure::new(Kind::Failed, format!("{url}: nothing is there")));
    }
    let tasks = sides.objects.into_keys().map(|rest| {
        let key = format!("{}{rest}", url.prefix());
        Task::Download(url.with_key(key), Spot::within(folder, rest))
    });
    jobs::run(remote, report, command.transfers.parallel(), sides.refused.into_iter().chain(tasks));
    Ok(())
}

/// The object that a file becomes.
fn object_for(path: &Path, url: &S3Url) -> Result<S3Url, Failure> {
    if path.is_dir() {
        return Err(Failure::usage(format!("{} is a folder: --recursive copies what is in it", path.display())));
    }
    if !url.is_folder() {
        return Ok(url.clone());
    }
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| Failure::usage(format!("{} has no name that S3 can have", path.display())))?;
    Ok(url.with_key(format!("{}{name}", url.key)))
}

fn object(url: &S3Url) -> Result<S3Url, Failure> {
    if url.is_folder() {
        return Err(Failure::usage(format!("{url} names no object")));
    }
    Ok(url.clone())
}

/// The file that an object becomes.
fn file_for(url: &S3Url, path: &Path) -> Result<Spot, Failure> {
    let text = path.to_string_lossy();
    if !path.is_dir() && !text.ends_with('/') {
        return Ok(Spot::Named(path.to_owned()));
    }
    let name = url.key.rsplit('/').next().and_then(path_of).filter(|name| !is_ours(name));
    let name =
        name.ok_or_else(|| Failure::new(Kind::Usage, format!("{url} has no name that a file can have: give one")))?;
    Ok(Spot::within(path, name))
}
