//! The process itself: what it may leave behind, and how many files it may open.

use rustix::fs::Mode;
use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit, umask};
use rustix::thread::{CapabilitySet, capabilities};

/// What the server needs: [`leave_no_dump`]; and what it makes is for its owner alone, SQLite's files too, in whatever folder: they
/// hold names in the clear.
pub(crate) fn harden() {
    umask(Mode::RWXG | Mode::RWXO);
    leave_no_dump();
}

/// Keys are in this process's memory: no core dump is written, and no other process of the user may attach to it or read it.
pub fn leave_no_dump() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    if let Err(error) = setrlimit(Resource::Core, none) {
        tracing::warn!(%error, "core dumps could not be limited");
    }
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::warn!(%error, "core dumps could not be turned off");
    }
}

/// Keeps what the process holds in memory off the swap, where the system allows it without a limit.
///
/// Pages are locked as they are first touched, so that memory that is only reserved takes none. Under a limit it is left alone: a
/// process that reaches it gets no more memory at all, and dies.
pub(crate) fn lock_memory() {
    let limit = getrlimit(Resource::Memlock);
    if limit.current != limit.maximum {
        // Without success it stays as it is.
        let _ = setrlimit(Resource::Memlock, Rlimit { current: limit.maximum, ..limit });
    }
    let unlimited = getrlimit(Resource::Memlock).current.is_none();
    let privileged = capabilities(None).is_ok_and(|held| held.effective.contains(CapabilitySet::IPC_LOCK));
    if !unlimited && !privileged {
        tracing::info!(
            "memory is not locked, so keys may reach the swap: allow it with LimitMEMLOCK=infinity, or encrypt the swap"
        );
        return;
    }
    if let Err(error) = mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT) {
        tracing::warn!(%error, "memory could not be locked, so keys may reach the swap");
    }
}

/// Takes all files that the system allows: the soft limit is often 1,024, and a connection may need two.
pub(crate) fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })
    {
        tracing::warn!(%error, "the limit of open files could not be raised");
    }
}
