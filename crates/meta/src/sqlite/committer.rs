//! The one thread that writes. It takes everything that waits, and commits it with one sync.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::fault::{self, Fault};
use super::statement;
use crate::{Error, Statistics, Transaction};

/// Transactions that may wait. Beyond it [`Store::commit`](crate::Store::commit) waits for a place: with a group taken at
/// every sync this is a few groups, and more would only be memory.
pub(super) const QUEUE: usize = 256;

/// Most transactions of a group; a larger one would make its first wait too long for its last.
const GROUP: usize = 256;

/// A group takes no more once it carries this many bytes: 8 MiB are half of the log between checkpoints.
const GROUP_BYTES: usize = 8 * 1024 * 1024;

/// Frames (pages) in the log at which the committer carries them over into the main file: 16 MiB.
const CHECKPOINT: u32 = 4_096;

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
}

impl Committer {
    pub(super) fn new(
        mut connection: Connection,
        queue: mpsc::Receiver<Message>,
        shared: Arc<Shared>,
    ) -> Result<Committer, Error> {
        let frames = Arc::new(AtomicU32::new(0));
        let seen = Arc::clone(&frames);
        let hook = move |_: &mut rusqlite::hooks::Wal, pages: i32| {
            seen.store(u32::try_from(pages).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        };
        connection.wal_hook(Some(hook)).map_err(|error| fault::of_read(&error))?;
        Ok(Committer { connection, queue, shared, frames, due: CHECKPOINT })
    }

    /// Commits groups until the queue is closed and empty.
    pub(super) fn run(mut self) {
        let mut group = Vec::with_capacity(GROUP);
        while let Some(first) = self.queue.blocking_recv() {
            self.take(first, &mut group);
            if !group.is_empty() {
                self.commit(&mut group);
                self.checkpoint_if_due();
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

    fn try_commit(&self, group: &[Request]) -> Result<Vec<Result<(), Error>>, Fault> {
        self.execute("BEGIN IMMEDIATE").map_err(|error| fault::of_statement(&error))?;
        let mut answers = Vec::with_capacity(group.len());
        for request in group {
            answers.push(self.apply(&request.transaction)?);
        }
        if answers.iter().all(Result::is_err) {
            self.execute("ROLLBACK").map_err(|error| fault::of_statement(&error))?;
            return Ok(answers);
        }
        self.execute("COMMIT").map_err(|error| fault::of_commit(&error))?;
        self.shared.groups.fetch_add(1, Ordering::Relaxed);
        self.shared.syncs.fetch_add(1, Ordering::Relaxed);
        Ok(answers)
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
        if error == Error::Full {
            // Carrying the log over lets its room be used again, so that what frees room can be committed.
            self.checkpoint();
        }
        error
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

    /// Tries again when the log has grown by a quarter.
    fn postpone(&mut self) {
        self.due = self.frames.load(Ordering::Relaxed) + CHECKPOINT / 4;
    }

    fn execute(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(drop)
    }
}
