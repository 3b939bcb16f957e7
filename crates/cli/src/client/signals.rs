//! Ctrl-C and terminations: what is not whole yet is removed before the process ends by the signal.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

/// Files that have no final name yet.
static UNFINISHED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Makes a file that goes when a signal comes, until it is let go of.
pub(super) fn watched<T>(path: &Path, make: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    static LISTENER: Once = Once::new();
    LISTENER.call_once(listen);
    // Held while it is made: a signal comes before that, or after.
    let mut unfinished = unfinished();
    let made = make()?;
    unfinished.insert(path.to_owned());
    Ok(made)
}

/// The file has its final name, or is gone.
pub(super) fn forget(path: &Path) {
    unfinished().remove(path);
}

fn listen() {
    // Without a listener the signals do what they always do, and a temporary file may stay.
    let Ok(mut signals) = Signals::new([SIGHUP, SIGINT, SIGTERM]) else { return };
    let _ = thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in signals.forever() {
            // Held to the end: nothing is renamed or made any more.
            let unfinished = unfinished();
            for path in unfinished.iter() {
                let _ = fs::remove_file(path);
            }
            let _ = emulate_default_handler(signal);
        }
    });
}

fn unfinished() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}
