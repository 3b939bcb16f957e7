//! Ctrl-C and terminations: what is not whole yet is removed before the process ends by the signal.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::thread;

use rustix::fs::{AtFlags, unlinkat};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

/// Files that have no final name yet, by the one that they have, with their folder. The names are random, so each is there once.
static UNFINISHED: Mutex<BTreeMap<String, Arc<File>>> = Mutex::new(BTreeMap::new());

/// Makes a file that goes when a signal comes, until it is let go of.
pub(super) fn watched<T>(folder: &Arc<File>, name: &str, make: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    static LISTENER: Once = Once::new();
    LISTENER.call_once(listen);
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

fn listen() {
    // Without a listener the signals do what they always do, and a temporary file may stay.
    let Ok(mut signals) = Signals::new([SIGHUP, SIGINT, SIGTERM]) else { return };
    let _ = thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in signals.forever() {
            // Held to the end: nothing is renamed or made any more.
            let unfinished = unfinished();
            for (name, folder) in unfinished.iter() {
                let _ = unlinkat(folder, name, AtFlags::empty());
            }
            let _ = emulate_default_handler(signal);
        }
    });
}

fn unfinished() -> MutexGuard<'static, BTreeMap<String, Arc<File>>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}
