//! The one thread that writes. It takes everything that waits, and commits it with one sync.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::fault::{self, Fault};
use super::reserve::{self, Reserve};
use super::{schema, statement};
use crate::{Error, Statistics, Table, Transaction, Write};

/// Transactions that may wait. Beyond it [`Store::commit`](crate::Store::commit) waits for a place: with a group taken at
/// every sync this is a few groups, and more would only be memory.
pub(super) const QUEUE: usize = 256;

/// Most transactions of a group; a larger one would make its first wait too long for its last.
const GROUP: usize = 256;

/// A group takes no more once it carries this many bytes, so that it does not hold up its neighbours for long.
const GROUP_BYTES: usize = 8 * 1024 * 1024;

/// Frames (pages of 4 KiB) in the log at which the committer carries them over into the main file. The committer stands still
/// meanwhile, about 10 ms for these 4 MiB and in proportion for more; a log four times as long saves a tenth of the CPU time.
const CHECKPOINT: u32 = 1_024;

/// Syncs of a checkpoint that carries over the whole log: the log, then the main file.
const CHECKPOINT_SYNCS: u64 = 2;

/// What waits for the committer.
pub(super) enum Message {
    Commit(Request),
    Close,
}

/// A transaction and whom to tell.
pub(super) struct Request {
    pub(super) transaction: Transaction,
    pub(super) bytes: usize,
    pub(super) answer: oneshot::Sender<Result<(), Error>>,
}

/// What the committer shows to the others.
#[derive(Default)]
pub(super) struct Shared {
    pub(super) poisoned: AtomicBool,
    transactions: AtomicU64,
    conflicts: AtomicU64,
    groups: AtomicU64,
    syncs: AtomicU64,
    checkpoints: AtomicU64,
}

impl Shared {
    pub(super) fn statistics(&self) -> Statistics {
        Statistics {
            transactions: self.transactions.load(Ordering::Relaxed),
            conflicts: self.conflicts.load(Ordering::Relaxed),
            groups: self.groups.load(Ordering::Relaxed),
            syncs: self.syncs.load(Ordering::Relaxed),
            checkpoints: self.checkpoints.load(Ordering::Relaxed),
        }
    }
}

/// The writing connection and its queue.
pub(super) struct Committer {
    connection: Connection,
    queue: mpsc::Receiver<Message>,
    shared: Arc<Shared>,
    /// Frames in the log after the last commit, by SQLite's own count.
    frames: Arc<AtomicU32>,
    /// Frames at which the next checkpoint is due.
    due: u32,
    reserve: Reserve,
    /// Whether SQLite zeroes what it deletes just now.
    zeroing: bool,
    /// A shredded row may still stand in the log: a reader held on to an older state.
    lingering: bool,
}

impl Committer {
    pub(super) fn new(
        mut connection: Connection,
        queue: mpsc::Receiver<Message>,
        shared: Arc<Shared>,
        reserve: Reserve,
    ) -> Result<Committer, Error> {
        let frames = Arc::new(AtomicU32::new(0));
        let seen = Arc::clone(&frames);
        let hook = move |_: &mut rusqlite::hooks::Wal, pages: i32| {
            seen.store(u32::try_from(pages).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        };
        connection.wal_hook(Some(hook)).map_err(|error| fault::of_read(&error))?;
        Ok(Committer { connection, queue, shared, frames, due: CHECKPOINT, reserve, zeroing: false, lingering: false })
    }

    /// Commits groups until the queue is closed and empty.
    pub(super) fn run(mut self) {
        // A process that was killed may have left a log with rows that it was about to shred.
        self.empty_log();
        let mut group = Vec::with_capacity(GROUP);
        while let Some(first) = self.queue.blocking_recv() {
            self.take(first, &mut group);
            if !group.is_empty() {
                self.commit(&mut group);
                match self.lingering {
                    true => self.empty_log(),
                    false => self.checkpoint_if_due(),
                }
            }
        }
        if !self.is_poisoned() {
            // Leaves a stopped store in one file.
            self.checkpoint_as("PRAGMA wal_checkpoint(TRUNCATE)");
        }
    }

    /// Fills the group with `first` and all that waits behind it, up to the group's limits.
    fn take(&mut self, first: Message, group: &mut Vec<Request>) {
        let mut bytes = 0;
        let mut next = Some(first);
        while let Some(message) = next {
            match message {
                Message::Commit(request) => {
                    bytes += request.bytes;
                    group.push(request);
                }
                // What was queued before is still in the queue and will be served; nothing new comes in.
                Message::Close => self.queue.close(),
            }
            next = match group.len() < GROUP && bytes < GROUP_BYTES {
                true => self.queue.try_recv().ok(),
                false => None,
            };
        }
    }

    /// Commits the group and answers each of it. Nobody hears anything, not even of a conflict, before the commit has
    /// succeeded: until then a conflict may be one with a neighbour that comes to nothing.
    fn commit(&mut self, group: &mut Vec<Request>) {
        let outcome = if self.is_poisoned() {
            Err(Error::Poisoned)
        } else {
            self.try_commit(group).map_err(|fault| self.settle(fault))
        };
        match outcome {
            Ok(answers) => {
                for (request, answer) in group.drain(..).zip(answers) {
                    let counter = match answer {
                        Ok(()) => &self.shared.transactions,
                        Err(Error::Conflict { .. }) => &self.shared.conflicts,
                        Err(_) => {
                            let _ = request.answer.send(answer);
                            continue;
                        }
                    };
                    counter.fetch_add(1, Ordering::Relaxed);
                    let _ = request.answer.send(answer);
                }
            }
            Err(error) => {
                for request in group.drain(..) {
                    let _ = request.answer.send(Err(error.clone()));
                }
            }
        }
    }

    fn try_commit(&mut self, group: &[Request]) -> Result<Vec<Result<(), Error>>, Fault> {
        self.zero_what_is_deleted(group.iter().any(|request| keys_of(&request.transaction).next().is_some()))?;
        self.execute("BEGIN IMMEDIATE").map_err(|error| fault::of_statement(&error))?;
        let only_deletions = self.is_short_of_room()?;
        let mut answers = Vec::with_capacity(group.len());
        for request in group {
            answers.push(match only_deletions && puts(&request.transaction) {
                true => Err(Error::Full),
                false => self.apply(&request.transaction)?,
            });
        }
        if answers.iter().all(Result::is_err) {
            self.execute("ROLLBACK").map_err(|error| fault::of_statement(&error))?;
            return Ok(answers);
        }
        let shredded = self.shred(group, &answers)?;
        self.execute("COMMIT").map_err(|error| fault::of_commit(&error))?;
        self.shared.groups.fetch_add(1, Ordering::Relaxed);
        self.shared.syncs.fetch_add(1, Ordering::Relaxed);
        if shredded {
            self.empty_log();
        }
        Ok(answers)
    }

    /// Turns SQLite's `secure_delete` on for groups that write keys, and off for all others: it writes every page that it frees,
    /// and replacing an object with a body frees pages.
    fn zero_what_is_deleted(&mut self, wanted: bool) -> Result<(), Fault> {
        if self.zeroing != wanted {
            self.connection
                .pragma_update(None, "secure_delete", wanted)
                .map_err(|error| fault::of_statement(&error))?;
            self.zeroing = wanted;
        }
        Ok(())
    }

    /// Writes the tables anew that the group's transactions shred rows of. Returns whether there was one.
    fn shred(&self, group: &[Request], answers: &[Result<(), Error>]) -> Result<bool, Fault> {
        let made = group.iter().zip(answers).filter(|(request, answer)| request.transaction.shred && answer.is_ok());
        let mut tables: Vec<Table> = made.flat_map(|(request, _)| keys_of(&request.transaction)).collect();
        tables.sort_unstable();
        tables.dedup();
        for table in &tables {
            statement::rebuild(&self.connection, *table).map_err(|error| fault::of_statement(&error))?;
        }
        Ok(!tables.is_empty())
    }

    /// Runs one transaction of the group in its savepoint. The inner error is this transaction's alone; the outer one means
    /// that the group is lost.
    fn apply(&self, transaction: &Transaction) -> Result<Result<(), Error>, Fault> {
        match self.attempt(transaction) {
            Ok(answer) => Ok(answer),
            Err(error) => match fault::of_statement(&error) {
                // SQLite has rolled back everything (it does on I/O errors and a full disk), or could not take back this one.
                fault if self.connection.is_autocommit() => Err(fault),
                Fault::Refused(Error::Full) => Err(Fault::Refused(Error::Full)),
                Fault::Refused(refused) => {
                    self.execute("ROLLBACK TO one")
                        .and_then(|()| self.execute("RELEASE one"))
                        .map_err(|error| fault::of_statement(&error))?;
                    Ok(Err(refused))
                }
                poison @ Fault::Poison(_) => Err(poison),
            },
        }
    }

    fn attempt(&self, transaction: &Transaction) -> rusqlite::Result<Result<(), Error>> {
        self.execute("SAVEPOINT one")?;
        for (index, expect) in transaction.expects.iter().enumerate() {
            if !statement::holds(&self.connection, expect)? {
                // Nothing is written yet, so there is nothing to take back.
                self.execute("RELEASE one")?;
                return Ok(Err(Error::Conflict { expect: index }));
            }
        }
        for write in &transaction.writes {
            statement::write(&self.connection, write)?;
        }
        self.execute("RELEASE one")?;
        Ok(Ok(()))
    }

    /// After a fault that cost the whole group: makes sure that nothing of it is left, and poisons the store if that is
    /// not certain.
    fn settle(&mut self, fault: Fault) -> Error {
        let error = match fault {
            Fault::Poison(reason) => return self.poison(&reason),
            Fault::Refused(error) => error,
        };
        if !self.connection.is_autocommit()
            && let Err(error) = self.execute("ROLLBACK")
        {
            return self.poison(&format!("a rollback failed: {error}"));
        }
        tracing::error!(%error, "a group of metadata transactions was refused, nothing of it was written");
        if error == Error::Full && self.reserve.spend() {
            // Carrying the log over lets its room be used again, so that what frees room can be committed.
            self.checkpoint();
        }
        error
    }

    /// Whether what is left of the disk is kept for deletions. Pages that deletions have freed inside the database are
    /// room too, even if the disk has none: the file need not grow for them.
    fn is_short_of_room(&mut self) -> Result<bool, Fault> {
        if !self.reserve.is_spent() {
            return Ok(false);
        }
        let free = self.connection.pragma_query_value(None, "freelist_count", |row| row.get::<_, u32>(0));
        let free = free.map_err(|error| fault::of_statement(&error))?;
        Ok((free as usize) < reserve::SIZE / schema::PAGE as usize)
    }

    fn poison(&self, reason: &str) -> Error {
        self.shared.poisoned.store(true, Ordering::Release);
        tracing::error!(
            reason,
            "the metadata store takes no more writes: it is not known what reached the disk. Check the disk, then restart"
        );
        Error::Poisoned
    }

    fn is_poisoned(&self) -> bool {
        self.shared.poisoned.load(Ordering::Acquire)
    }

    fn checkpoint_if_due(&mut self) {
        if self.frames.load(Ordering::Relaxed) >= self.due && !self.is_poisoned() {
            self.checkpoint();
        }
    }

    /// Carries the log over into the main file. The next commit begins the log anew, unless a reader still needs it.
    fn checkpoint(&mut self) {
        self.checkpoint_as("PRAGMA wal_checkpoint(PASSIVE)");
    }

    fn checkpoint_as(&mut self, pragma: &str) {
        let counts = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?));
        let result = self.connection.query_row(pragma, [], counts);
        match result {
            // Somebody else has carried it over, or there is none.
            Ok((0 | -1, _)) => self.due = CHECKPOINT,
            Ok((logged, carried)) if logged == carried => {
                self.due = CHECKPOINT;
                self.shared.checkpoints.fetch_add(1, Ordering::Relaxed);
                // And one more when the next commit writes the header of the new log.
                let syncs = CHECKPOINT_SYNCS + 1;
                self.shared.syncs.fetch_add(syncs, Ordering::Relaxed);
            }
            // A reader held on to an older state.
            Ok(_) => self.postpone(),
            Err(error) => match fault::of_statement(&error) {
                // The log keeps what the main file has no room for.
                Fault::Refused(error) => {
                    tracing::warn!(%error, "a checkpoint of the metadata store failed, it will be tried again");
                    self.postpone();
                }
                Fault::Poison(reason) => {
                    self.poison(&format!("a checkpoint failed: {reason}"));
                }
            },
        }
    }

    /// Carries the log over and cuts it to nothing: it holds what pages were before. Waits for readers, whose reads take microseconds.
    fn empty_log(&mut self) {
        let left = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
        match self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], left) {
            Ok((0, _)) => {
                self.lingering = false;
                self.frames.store(0, Ordering::Relaxed);
                self.due = CHECKPOINT;
            }
            Ok(_) => {
                tracing::warn!(
                    "a reader holds the metadata store's log; it is emptied of shredded rows after the next commit"
                );
                self.lingering = true;
            }
            Err(error) => match fault::of_statement(&error) {
                Fault::Refused(error) => {
                    tracing::warn!(%error, "the metadata store's log could not be emptied, it will be tried again");
                    self.lingering = true;
                }
                Fault::Poison(reason) => {
                    self.poison(&format!("a checkpoint failed: {reason}"));
                }
            },
        }
    }

    /// Tries again when the log has grown by a quarter.
    fn postpone(&mut self) {
        self.due = self.frames.load(Ordering::Relaxed) + CHECKPOINT / 4;
    }

    fn execute(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(drop)
    }
}

/// The tables of keys that a transaction writes to.
fn keys_of(transaction: &Transaction) -> impl Iterator<Item = Table> {
    transaction.writes.iter().map(Write::table).filter(|table| table.holds_keys())
}

fn puts(transaction: &Transaction) -> bool {
    transaction.writes.iter().any(|write| matches!(write, Write::Put { .. }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    /// A committer whose database may not grow beyond `pages`: SQLite then answers as on a full disk.
    fn committer(folder: &tempfile::TempDir, pages: u32) -> (Committer, Arc<Shared>) {
        let path = folder.path().join("meta.db");
        let mut connection = schema::connect(&path, 1024 * 1024).unwrap();
        schema::prepare(&mut connection, &path).unwrap();
        connection.pragma_update(None, "max_page_count", pages).unwrap();
        let shared = Arc::new(Shared::default());
        let (_, queue) = mpsc::channel(1);
        (
            Committer::new(connection, queue, Arc::clone(&shared), Reserve::new(schema::beside(&path, "-reserve")))
                .unwrap(),
            shared,
        )
    }

    fn commit(committer: &mut Committer, transactions: Vec<Transaction>) -> Vec<Result<(), Error>> {
        let queue = |transaction| {
            let (answer, answered) = oneshot::channel();
            (Request { transaction, bytes: 0, answer }, answered)
        };
        let (mut group, mut answers): (Vec<_>, Vec<_>) = transactions.into_iter().map(queue).unzip();
        committer.commit(&mut group);
        answers.iter_mut().map(|answer| answer.try_recv().unwrap()).collect()
    }

    fn put(key: &str, length: usize) -> Transaction {
        Transaction::new().put_with_body(Table::Object, key, "v", vec![0; length])
    }

    fn there(committer: &Committer, key: &str) -> bool {
        statement::value(&committer.connection, Table::Object, key.as_bytes()).unwrap().is_some()
    }

    #[test]
    fn a_full_disk_refuses_the_group_and_the_store_goes_on_when_there_is_room() {
        let folder = tempfile::tempdir().unwrap();
        let (mut committer, shared) = committer(&folder, 60);
        assert_eq!(commit(&mut committer, vec![put("first", 100_000)]), [Ok(())]);
        let refused = commit(&mut committer, vec![put("small", 1), put("large", 200_000), put("other", 1)]);
        assert_eq!(refused, [Err(Error::Full), Err(Error::Full), Err(Error::Full)]);
        assert!(there(&committer, "first") && !there(&committer, "small") && !there(&committer, "large"));
        let room = Transaction::new().delete(Table::Object, "first");
        let refused = [Ok(()), Err(Error::Full)];
        assert_eq!(commit(&mut committer, vec![room, put("small", 1)]), refused, "only deletions, for a while");
        std::thread::sleep(std::time::Duration::from_millis(1_100));
        assert_eq!(commit(&mut committer, vec![put("small", 1)]), [Ok(())]);
        assert_eq!(commit(&mut committer, vec![put("next", 100_000)]), [Ok(())]);
        assert!(there(&committer, "next") && !shared.poisoned.load(Ordering::Relaxed));
    }

    #[test]
    fn a_group_is_one_commit_and_each_of_it_stands_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (mut committer, shared) = committer(&folder, 1_000);
        let create = |key: &str| Transaction::new().expect_absent(Table::Object, key).put(Table::Object, key, "v");
        let answers =
            commit(&mut committer, vec![create("a"), create("a"), put("c", 1), create("b").delete(Table::Object, "c")]);
        // The second sees the first of its own group.
        assert_eq!(answers, [Ok(()), Err(Error::Conflict { expect: 0 }), Ok(()), Ok(())]);
        assert!(there(&committer, "a") && there(&committer, "b") && !there(&committer, "c"));
        let counted = shared.statistics();
        assert_eq!((counted.transactions, counted.conflicts, counted.groups, counted.syncs), (3, 1, 1, 1));
    }

    #[test]
    fn a_group_of_conflicts_alone_is_no_commit() {
        let folder = tempfile::tempdir().unwrap();
        let (mut committer, shared) = committer(&folder, 1_000);
        let refused = || Transaction::new().expect_present(Table::Object, "missing").put(Table::Object, "k", "v");
        let conflict = Err(Error::Conflict { expect: 0 });
        assert_eq!(commit(&mut committer, vec![refused(), refused()]), [conflict.clone(), conflict]);
        assert_eq!((shared.statistics().groups, shared.statistics().syncs), (0, 0));
        assert_eq!(commit(&mut committer, vec![put("k", 1)]), [Ok(())]);
    }

    #[test]
    fn a_poisoned_store_refuses_everything() {
        let folder = tempfile::tempdir().unwrap();
        let (mut committer, _) = committer(&folder, 1_000);
        committer.poison("a test");
        assert_eq!(commit(&mut committer, vec![put("k", 1)]), [Err(Error::Poisoned)]);
        assert!(!there(&committer, "k"));
    }

    #[test]
    fn the_log_is_carried_over_and_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let (mut committer, shared) = committer(&folder, 100_000);
        for turn in 0..40 {
            assert_eq!(commit(&mut committer, vec![put(&turn.to_string(), 400_000)]), [Ok(())]);
            committer.checkpoint_if_due();
        }
        // 40 times 100 pages, carried over every 1,024.
        assert_eq!(shared.statistics().checkpoints, 3);
        let log = std::fs::metadata(folder.path().join("meta.db-wal")).unwrap().len();
        assert!(log < 3 * 1024 * 1024 * 2, "{log}");
    }
}
