//! `strongroom sync`: a folder and a prefix, one as the other.

use std::path::{Path, PathBuf};

use clap::{ArgAction, Args};

use super::super::Outcome;
use super::super::args::{Keys, Objects, Service, Telling, Written};
use super::super::failure::{Failure, Kind};
use super::super::keys::Purpose;
use super::super::output::is_temporary;
use super::super::report::{Report, complain};
use super::super::spot::Spot;
use super::cp::Transfers;
use super::jobs::{self, Task};
use super::plan::{self, Direction, Step};
use super::remote::{Remote, Settings};
use super::url::{End, S3Url};
use super::walk::Sides;

/// Makes a prefix in S3 as a folder is, or a folder as a prefix is
///
/// What has another length goes over, and what is newer; the times of files go with their objects (metadata `mtime`), so what is the same
/// does not go again. Contents are not compared: a digest of the plaintext beside the ciphertext would tell who can guess it.
#[derive(Debug, Args)]
pub(in crate::client) struct Sync {
    /// A folder, or s3://bucket/prefix
    #[arg(value_name = "FROM", value_parser = End::parser())]
    source: End,

    /// s3://bucket/prefix, or a folder
    #[arg(value_name = "TO", value_parser = End::parser())]
    target: End,

    /// Delete what the source has not. Nothing is deleted when anything failed or could not be seen
    #[arg(long, action = ArgAction::SetTrue)]
    delete: bool,

    /// With --delete: an empty source, too, which deletes everything
    #[arg(long, action = ArgAction::SetTrue, requires = "delete")]
    delete_all: bool,

    /// Tell what would be done, and do nothing
    #[arg(long, action = ArgAction::SetTrue)]
    dry_run: bool,

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

pub(in crate::client) fn run(command: &Sync) -> Outcome {
    let (direction, folder, url) = ends(command)?;
    let purpose = if direction == Direction::Up { Purpose::Encrypt } else { Purpose::Decrypt };
    let settings = Settings {
        keys: &command.keys,
        objects: &command.objects,
        written: Some(&command.written),
        service: &command.service,
        purpose,
        resume: command.transfers.resume,
    };
    let remote = Remote::new(&settings, "sync", command.telling.quiet)?;
    let sides = Sides::read(&remote, &folder, &url, direction)?;
    let empty = match direction {
        Direction::Up => sides.files.is_empty(),
        Direction::Down => sides.objects.is_empty(),
    };
    if command.delete && !command.delete_all && empty && sides.refused.is_empty() {
        let text =
            format!("{} is empty, so all of {} would be deleted: --delete-all does so", command.source, command.target);
        return Err(Failure::new(Kind::Failed, text));
    }
    let report = Report::new("sync", command.telling.json, false);

    let steps = plan::steps(direction, &sides.files, &sides.objects);
    let whole = sides.refused.is_empty();
    // What is named as a file of ours that is not whole does not go up, so that it is missing here says nothing.
    let ours = |name: &str| direction == Direction::Up && Path::new(name).file_name().is_some_and(is_temporary);
    let steps = steps.into_iter().filter(|(name, step)| *step != Step::Extra || !ours(name));
    let (extra, over): (Vec<_>, Vec<_>) = steps.partition(|(_, step)| *step == Step::Extra);
    let file = |name: &str| Spot::within(&folder, name);
    let object = |name: &str| url.with_key(format!("{}{name}", url.prefix()));
    let task = |name: &str| match direction {
        Direction::Up => Task::Upload(file(name), object(name)),
        Direction::Down => Task::Download(object(name), file(name)),
    };
    let transfers = over.into_iter().filter_map(|(name, step)| match step {
        Step::TransferUnlessOf(modified) => match remote.is_of_time(&object(&name), modified) {
            Ok(true) => None,
            Ok(false) => Some(task(&name)),
            Err(failure) => Some(Task::Refused(object(&name).to_string(), failure)),
        },
        _ => Some(task(&name)),
    });
    let transfers = sides.refused.into_iter().chain(transfers);
    let deletions = extra.into_iter().map(|(name, _)| match direction {
        Direction::Up => Task::DeleteObject(object(&name)),
        Direction::Down => Task::DeleteFile(file(&name)),
    });
    if command.dry_run {
        jobs::pretend(&report, transfers);
        if command.delete && whole {
            jobs::pretend(&report, deletions);
        }
        return Ok(report.end());
    }
    jobs::run(&remote, &report, command.transfers.parallel(), transfers);
    if command.delete && report.all_well() {
        jobs::run(&remote, &report, command.transfers.parallel(), deletions);
    } else if command.delete {
        complain(&Failure::new(Kind::Failed, "nothing was deleted, since not everything went well"));
    }
    Ok(report.end())
}

fn ends(command: &Sync) -> Result<(Direction, PathBuf, S3Url), Failure> {
    match (&command.source, &command.target) {
        (End::File(folder), End::Object(url)) => {
            if !folder.is_dir() {
                return Err(Failure::new(Kind::Failed, format!("{} is no folder", folder.display())));
            }
            Ok((Direction::Up, folder.clone(), url.clone()))
        }
        (End::Object(url), End::File(folder)) => Ok((Direction::Down, folder.clone(), url.clone())),
        _ => Err(Failure::usage("a folder on one side, and s3://bucket/prefix on the other")),
    }
}
