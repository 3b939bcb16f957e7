//! What an error of SQLite means for the store.

use rusqlite::{ErrorCode, ffi};

use crate::Error;

/// How far an error of the writing connection reaches.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The transaction (or the group, if SQLite rolled it back) failed with this error; the next may succeed.
    Refused(Error),
    /// What is on the disk is no longer known.
    Poison(String),
}

/// Judges an error of BEGIN, of a statement or of ROLLBACK TO: nothing has been asked to be durable yet.
///
/// A full disk is safe to go on from. SQLite gives SQLITE_FULL only where a write of the write-ahead log (or of the main
/// file in a checkpoint) found no room. Frames that were written stand behind the last commit frame, carry no commit mark
/// and are overwritten by the next transaction; a frame cut short has a wrong checksum.
pub(super) fn of_statement(error: &rusqlite::Error) -> Fault {
    match error.sqlite_error() {
        Some(cause) if cause.code == ErrorCode::DiskFull => Fault::Refused(Error::Full),
        Some(cause) if cause.code == ErrorCode::SystemIoFailure && !is_read(cause) => Fault::Poison(error.to_string()),
        _ => Fault::Refused(of_read(error)),
    }
}

/// Judges an error of COMMIT. Only a full disk leaves no doubt: the commit frame is the last that is written, and the sync
/// comes after it, so when a write failed the log holds no commit. (A sync that fails for want of room is SQLITE_IOERR_FSYNC,
/// and after a failed sync nobody knows which pages the kernel kept.)
pub(super) fn of_commit(error: &rusqlite::Error) -> Fault {
    match error.sqlite_error() {
        Some(cause) if cause.code == ErrorCode::DiskFull => Fault::Refused(Error::Full),
        _ => Fault::Poison(error.to_string()),
    }
}

/// Names an error of a read.
pub(super) fn of_read(error: &rusqlite::Error) -> Error {
    let message = error.to_string();
    match error {
        rusqlite::Error::SqliteFailure(cause, _) => match cause.code {
            ErrorCode::DiskFull => Error::Full,
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Error::Corrupt(message),
            _ => Error::Io(format!("{message} (SQLite {})", cause.extended_code)),
        },
        // A column of another type than the schema's: STRICT tables do not hold such a thing.
        _ => Error::Corrupt(message),
    }
}

fn is_read(cause: &ffi::Error) -> bool {
    matches!(cause.extended_code, ffi::SQLITE_IOERR_READ | ffi::SQLITE_IOERR_SHORT_READ)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: i32) -> rusqlite::Error {
        rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)
    }

    #[test]
    fn a_failed_sync_poisons_wherever_it_is_seen() {
        let failed = error(ffi::SQLITE_IOERR_FSYNC);
        assert!(matches!(of_commit(&failed), Fault::Poison(_)));
        assert!(matches!(of_statement(&failed), Fault::Poison(_)));
    }

    #[test]
    fn a_full_disk_does_not_poison() {
        let full = error(ffi::SQLITE_FULL);
        assert_eq!(of_commit(&full), Fault::Refused(Error::Full));
        assert_eq!(of_statement(&full), Fault::Refused(Error::Full));
    }

    #[test]
    fn any_other_failure_of_a_commit_poisons() {
        for code in [
            ffi::SQLITE_IOERR_WRITE,
            ffi::SQLITE_IOERR_SHMSIZE,
            ffi::SQLITE_NOMEM,
            ffi::SQLITE_BUSY,
            ffi::SQLITE_CORRUPT,
        ] {
            assert!(matches!(of_commit(&error(code)), Fault::Poison(_)), "{code}");
        }
    }

    #[test]
    fn a_page_that_cannot_be_read_fails_its_transaction_alone() {
        for code in [ffi::SQLITE_IOERR_READ, ffi::SQLITE_IOERR_SHORT_READ, ffi::SQLITE_CORRUPT] {
            assert!(matches!(of_statement(&error(code)), Fault::Refused(_)), "{code}");
        }
    }
}
