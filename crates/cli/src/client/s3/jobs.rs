//! Several files at a time.

use std::sync::{Mutex, PoisonError};
use std::thread;

use super::super::failure::{Failure, Kind};
use super::super::files::Facts;
use super::super::report::{Report, shown};
use super::super::spot::Spot;
use super::remote::Remote;
use super::url::S3Url;

/// What is to be done with one file or object, or why nothing can be.
#[derive(Debug)]
pub(super) enum Task {
    Upload(Spot, S3Url),
    Download(S3Url, Spot),
    DeleteFile(Spot),
    DeleteObject(S3Url),
    /// By its name, from where it would have gone.
    Refused(String, Failure),
}

impl Task {
    /// From where, to where, and the word for it in JSON.
    fn names(&self) -> (String, String, &'static str) {
        match self {
            Task::Upload(spot, url) => (shown(&spot.path()), url.to_string(), "upload"),
            Task::Download(url, spot) => (url.to_string(), shown(&spot.path()), "download"),
            Task::DeleteFile(spot) => (String::new(), shown(&spot.path()), "delete"),
            Task::DeleteObject(url) => (String::new(), url.to_string(), "delete"),
            Task::Refused(name, _) => (name.clone(), String::new(), "none"),
        }
    }
}

/// Does them all, `jobs` at a time. What fails is told, and the rest goes on.
pub(super) fn run(remote: &Remote, report: &Report, jobs: usize, tasks: impl Iterator<Item = Task> + Send) {
    let tasks = Mutex::new(tasks);
    let next = || tasks.lock().unwrap_or_else(PoisonError::into_inner).next();
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while let Some(task) = next() {
                    one(remote, report, task);
                }
            });
        }
    });
}

/// Tells what would be done.
pub(super) fn pretend(report: &Report, tasks: impl Iterator<Item = Task>) {
    for task in tasks {
        let (from, to, action) = task.names();
        match task {
            Task::Refused(name, failure) => report.failed(&name, &to, failure),
            _ => report.planned(&from, &to, action),
        }
    }
}

fn one(remote: &Remote, report: &Report, task: Task) {
    let (from, to, action) = task.names();
    let done = match task {
        Task::Upload(spot, url) => remote.upload_file(&spot, &url),
        Task::Download(url, spot) => remote.download_file(&url, &spot),
        Task::DeleteFile(spot) => spot.remove().map(|()| Facts::new()),
        Task::DeleteObject(url) => remote.delete(&url),
        Task::Refused(_, failure) => Err(failure),
    };
    match done {
        Ok(facts) => report.did(&from, &to, action, facts),
        Err(failure) => report.failed(if from.is_empty() { &to } else { &from }, &to, failure),
    }
}

/// What cannot be done with a name.
pub(super) fn refused(name: impl Into<String>, why: impl Into<String>) -> Task {
    Task::Refused(name.into(), Failure::new(Kind::Failed, why))
}
