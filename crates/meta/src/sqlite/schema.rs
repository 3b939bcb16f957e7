//! The database file: how a connection is set up, what marks the file as ours, and its tables.

use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::fault;
use crate::{Error, Table};

/// `application_id` of the file (bytes 68 to 71 of its header): "SRmd".
pub(super) const MAGIC: i32 = 0x5352_6D64;

/// `user_version` of the file (bytes 60 to 63 of its header).
pub(super) const VERSION: i32 = 1;

/// Bytes of a database page. Set when the file is made.
pub(super) const PAGE: u32 = 4_096;

/// Prepared statements a connection keeps: all there are, see `statement.rs`.
const STATEMENTS: usize = 128;

/// How long SQLite waits for a lock. Nobody holds one for longer than a checkpoint's end.
const BUSY: Duration = Duration::from_secs(10);

/// Takes the lock that keeps a second opener out, for as long as the file is held.
///
/// The lock is on a file of its own: closing any descriptor of the database itself would drop SQLite's POSIX locks on it.
pub(super) fn lock(database: &Path) -> Result<File, Error> {
    let path = beside(database, "-lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|error| Error::Io(format!("{}: {error}", path.display())))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::InUse(database.display().to_string())),
        Err(TryLockError::Error(error)) => Err(Error::Io(format!("{}: {error}", path.display()))),
    }
}

/// Opens a connection. `cache` is in bytes.
pub(super) fn connect(database: &Path, cache: u32) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_PRIVATE_CACHE;
    let connection = Connection::open_with_flags(database, flags).map_err(|e| fault::of_read(&e))?;
    configure(&connection, cache).map_err(|error| fault::of_read(&error))?;
    Ok(connection)
}

fn configure(connection: &Connection, cache: u32) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "page_size", PAGE)?;
    // Negative: KiB instead of pages.
    connection.pragma_update(None, "cache_size", -i64::from(cache / 1024))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // Savepoints keep their undo pages in memory, not in a file.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // The committer turns it on where keys are written, see `committer.rs`: everywhere it would write each freed page.
    connection.pragma_update(None, "secure_delete", false)?;
    // The committer checkpoints, see `committer.rs`.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    // The last connection to close would carry the log over by itself, even after a failed sync.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.pragma_update(None, "trusted_schema", false)
}

/// Makes the tables in a new file, and refuses a file that is not ours or newer than we are.
pub(super) fn prepare(connection: &mut Connection, database: &Path) -> Result<(), Error> {
    let (magic, version, tables) = marks(connection).map_err(|error| fault::of_read(&error))?;
    match (magic, version, tables) {
        (0, 0, 0) => {
            create(connection).map_err(|error| fault::of_read(&error))?;
            sync_directory(database)
        }
        // What an earlier release has made lacks the tables that came later.
        (MAGIC, VERSION, _) => create_tables(connection).map_err(|error| fault::of_read(&error)),
        (MAGIC, found, _) => Err(Error::UnknownVersion { found, newest: VERSION }),
        _ => Err(Error::Corrupt(format!(
            "{} is a database, but not a metadata store (application_id {magic:#x})",
            database.display()
        ))),
    }
}

fn marks(connection: &Connection) -> rusqlite::Result<(i32, i32, i64)> {
    let magic = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let version = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let count = "SELECT count(*) FROM sqlite_schema";
    let tables = connection.query_row(count, [], |row| row.get(0))?;
    Ok((magic, version, tables))
}

/// Rows lie in order of insertion and an index finds them by key: a new row under a random key then dirties one dense page of
/// the index instead of a leaf full of values, which halves what a commit costs (docs/formats/metadata-store.md).
fn create(connection: &mut Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // The marks and the tables appear in one commit, so a crash leaves an empty file or a whole one.
    let transaction = connection.transaction()?;
    create_tables(&transaction)?;
    transaction.pragma_update(None, "application_id", MAGIC)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}

fn create_tables(connection: &Connection) -> rusqlite::Result<()> {
    for table in Table::ALL {
        connection.execute_batch(&format!(
            "CREATE TABLE IF NOT EXISTS {} (k BLOB NOT NULL UNIQUE, v BLOB NOT NULL, b BLOB) STRICT",
            table_name(table)
        ))?;
    }
    Ok(())
}

/// A table's name, quoted: KEY is a word of SQL.
pub(super) fn table_name(table: Table) -> String {
    format!("\"{}\"", table.name())
}

/// Makes the names of new files durable. SQLite syncs the directory for its log, but not for the database itself.
fn sync_directory(database: &Path) -> Result<(), Error> {
    let directory = match database.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(|error| Error::Io(format!("{}: {error}", directory.display())))
}

/// The path of a file that belongs to the database: SQLite's own are `-wal` and `-shm`.
pub(super) fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(database);
    name.push(suffix);
    PathBuf::from(name)
}
