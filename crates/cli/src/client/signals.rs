//! Ctrl-C and terminations: what is not whole yet is removed, and uploads are aborted, before the process ends by the signal.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, Once, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{AtFlags, unlinkat};
use rustix::io::Errno;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use super::failure::{Failure, Kind};
use super::report::complain;

/// Files that have no final name yet, by the one that they have, with their folder. The names are random, so each is there once.
static UNFINISHED: Mutex<BTreeMap<String, Arc<File>>> = Mutex::new(BTreeMap::new());

/// Whether a signal came. Set within its handler, and by who hears of it.
static STOPPING: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// Uploads on their way.
static UPLOADS: AtomicUsize = AtomicUsize::new(0);

/// How long uploads may take to be aborted: their parts on the way end first. Service managers often kill after 10 s.
const GRACE: Duration = Duration::from_secs(8);

/// Between two looks at them.
const LOOK: Duration = Duration::from_millis(20);

/// A pipe that ends may do so because the same Ctrl-C ended who wrote there: time for our own signal to come, so that a part is not taken for
/// the whole.
const END_OF_PIPE: Duration = Duration::from_millis(50);

/// Between two looks for a signal while a pipe stands still: 100 ms.
const STANDSTILL: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// Makes a file that goes when a signal comes, until it is let go of.
pub(super) fn watched<T>(folder: &Arc<File>, name: &str, make: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    listen();
    // Held while it is made: a signal comes before that, or after.
    let mut unfinished = unfinished();
    let made = make()?;
    unfinished.insert(name.to_owned(), folder.clone());
    Ok(made)
}

/// The file has its final name, or is gone.
pub(super) fn forget(name: &str) {
    unfinished().remove(name);
}

/// An upload: until it is dropped, a signal waits for it to be aborted.
pub(super) struct Uploading(());

impl Uploading {
    pub(super) fn begin() -> Self {
        listen();
        rest_if_stopping();
        UPLOADS.fetch_add(1, Ordering::SeqCst);
        Self(())
    }

    /// What is uploaded. Reading fails once a signal came, so that the upload does and is aborted.
    pub(super) fn input<R: Read + AsFd>(&self, inner: R, is_pipe: bool) -> impl Read {
        Stoppable { inner, is_pipe }
    }
}

impl Drop for Uploading {
    fn drop(&mut self) {
        UPLOADS.fetch_sub(1, Ordering::SeqCst);
        rest_if_stopping();
    }
}

struct Stoppable<R> {
    inner: R,
    is_pipe: bool,
}

impl<R: Read + AsFd> Stoppable<R> {
    /// Until there is something to read, or a signal came: a pipe may stand still for ever.
    fn wait(&self) {
        while self.is_pipe && !STOPPING.load(Ordering::SeqCst) {
            match poll(&mut [PollFd::new(&self.inner, PollFlags::IN)], Some(&STANDSTILL)) {
                Ok(0) | Err(Errno::INTR) => {}
                // What is wrong shows when it is read.
                Ok(_) | Err(_) => return,
            }
        }
    }
}

impl<R: Read + AsFd> Read for Stoppable<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.wait();
        go_on()?;
        let read = self.inner.read(into)?;
        if read == 0 && self.is_pipe {
            thread::sleep(END_OF_PIPE);
        }
        go_on()?;
        Ok(read)
    }
}

/// Unless a signal came.
fn go_on() -> io::Result<()> {
    if STOPPING.load(Ordering::SeqCst) { Err(io::Error::other("stopped by a signal")) } else { Ok(()) }
}

/// The process ends by the signal, and by nothing that would come before.
fn rest_if_stopping() {
    while STOPPING.load(Ordering::SeqCst) {
        thread::park();
    }
}

fn listen() {
    static LISTENER: Once = Once::new();
    LISTENER.call_once(start);
}

fn start() {
    // Without a listener the signals do what they always do, and a temporary file may stay.
    let Ok(mut signals) = Signals::new(heard()) else { return };
    let _ = thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in heard() {
            let _ = signal_hook::flag::register(signal, STOPPING.clone());
        }
        while let Some(signal) = signals.forever().next() {
            STOPPING.store(true, Ordering::SeqCst);
            wait_for_uploads(&mut signals);
            // Held to the end: nothing is renamed or made any more.
            let unfinished = unfinished();
            for (name, folder) in unfinished.iter() {
                let _ = unlinkat(folder, name, AtFlags::empty());
            }
            let _ = emulate_default_handler(signal);
        }
    });
}

/// Those that end a process, but for what whoever started it had it ignore, as nohup does.
fn heard() -> impl Iterator<Item = i32> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    [SIGHUP, SIGINT, SIGTERM].into_iter().filter(move |signal| ignored >> (signal - 1) & 1 == 0)
}

/// Until all are aborted, or another signal says that it takes too long.
fn wait_for_uploads(signals: &mut Signals) {
    let until = Instant::now() + GRACE;
    if UPLOADS.load(Ordering::SeqCst) > 0 {
        complain(&Failure::new(Kind::Failed, "the upload is being aborted; another signal does not wait for that"));
    }
    while UPLOADS.load(Ordering::SeqCst) > 0 && Instant::now() < until && signals.pending().next().is_none() {
        thread::sleep(LOOK);
    }
}

fn unfinished() -> MutexGuard<'static, BTreeMap<String, Arc<File>>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}
