//! The one task that writes blocks: it takes all events that wait, makes one block of them, and commits it. While that commit is under
//! way the next block gathers.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use keys::Keys;
use meta::{Store, Table, Transaction};
use tokio::sync::{Notify, oneshot, watch};

use crate::block;
use crate::chain::Link;
use crate::encoding::Encoded;
use crate::error::Error;
use crate::head;
use crate::index::Index;
use crate::log::Mode;
use crate::rows::{Kind, seal};

/// What waits for the committer.
#[derive(Default)]
pub(crate) struct Queue {
    state: Mutex<Waiting>,
    /// Something waits, or the queue was closed.
    some: Notify,
    /// A whole block waits, or somebody waits for the answer.
    urgent: Notify,
}

#[derive(Default)]
struct Waiting {
    calls: VecDeque<Call>,
    bytes: usize,
    /// Calls that somebody waits for.
    waiters: usize,
    closed: bool,
}

/// When the next block is to be written.
enum Due {
    /// Somebody waits for it, or it is full.
    Now,
    /// Nobody waits for what there is.
    Soon,
    /// Nothing is there.
    Later,
    /// Nothing is there, and nothing comes.
    Never,
}

/// The events of one call of [`Audit::record`](crate::Audit::record): they lie in one block.
struct Call {
    events: Vec<Encoded>,
    bytes: usize,
    /// None if nobody waits.
    answer: Option<oneshot::Sender<Result<(), Error>>>,
}

impl Queue {
    /// Queues events. In strict mode, and when too many wait already, the answer comes when they are durable.
    pub(crate) fn push(
        &self,
        events: Vec<Encoded>,
        mode: Mode,
    ) -> Result<Option<oneshot::Receiver<Result<(), Error>>>, Error> {
        let bytes: usize = events.iter().map(|event| event.bytes.len()).sum();
        if bytes > CALL_BYTES {
            return Err(Error::TooLarge { size: bytes, limit: CALL_BYTES });
        }
        let mut state = self.lock();
        if state.closed {
            return Err(Error::Closed);
        }
        let waits = mode == Mode::Strict || state.bytes + bytes > RELAXED_BYTES;
        let (answer, answered) = if waits { Some(oneshot::channel()).unzip() } else { (None, None) };
        state.bytes += bytes;
        let (was_empty, is_block) = (state.calls.is_empty(), state.bytes >= BLOCK_BYTES);
        state.waiters += usize::from(waits);
        state.calls.push_back(Call { events, bytes, answer });
        drop(state);
        if was_empty {
            self.some.notify_one();
        }
        if waits || is_block {
            self.urgent.notify_one();
        }
        Ok(answered)
    }

    /// What is queued is still written, nothing new is taken.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.some.notify_one();
        self.urgent.notify_one();
    }

    fn is_closed(&self) -> bool {
        self.lock().closed
    }

    fn due(&self) -> Due {
        let state = self.lock();
        match (state.calls.is_empty(), state.closed) {
            (true, true) => Due::Never,
            (true, false) => Due::Later,
            _ if state.closed || state.waiters > 0 || state.bytes >= BLOCK_BYTES => Due::Now,
            _ => Due::Soon,
        }
    }

    /// The calls of the next block.
    fn take(&self) -> Vec<Call> {
        let mut state = self.lock();
        let (mut bytes, mut events, mut count) = (0, 0, 0);
        for call in &state.calls {
            let next = (bytes + call.bytes, events + call.events.len());
            if count > 0 && (next.0 > BLOCK_BYTES || next.1 > BLOCK_EVENTS) {
                break;
            }
            (bytes, events) = next;
            count += 1;
        }
        state.bytes -= bytes;
        let calls: Vec<Call> = state.calls.drain(..count).collect();
        state.waiters -= calls.iter().filter(|call| call.answer.is_some()).count();
        calls
    }

    /// Puts calls that nobody waits for in front again.
    fn put_back(&self, calls: Vec<Call>) {
        let mut state = self.lock();
        for call in calls.into_iter().rev() {
            state.bytes += call.bytes;
            state.calls.push_front(call);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end of the chain, and what moves it.
pub(crate) struct Committer {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) keys: Arc<Keys>,
    pub(crate) index: Arc<Index>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) newest: watch::Sender<u64>,
    pub(crate) head: Link,
    /// A commit whose end is not known: the chain after it.
    pub(crate) pending: Option<Link>,
}

impl Committer {
    /// Writes until the queue is closed and empty.
    pub(crate) async fn run(mut self) {
        loop {
            match self.queue.due() {
                Due::Never => return,
                Due::Later => {
                    self.queue.some.notified().await;
                    continue;
                }
                Due::Soon => {
                    // Whatever comes within this time shares a block.
                    let _ = tokio::time::timeout(FLUSH, self.queue.urgent.notified()).await;
                }
                Due::Now => {}
            }
            // Whoever is ready to record does so before the block is closed.
            tokio::task::yield_now().await;
            let calls = self.queue.take();
            let events: Vec<&Encoded> = calls.iter().flat_map(|call| &call.events).collect();
            match self.commit(&events).await {
                Ok(()) => answer(calls, &Ok(())),
                Err(error) => self.fail(calls, error).await,
            }
        }
    }

    async fn commit(&mut self, events: &[&Encoded]) -> Result<(), Error> {
        self.settle().await?;
        let made = block::make(self.head, events);
        let sealed = seal(self.keys.records(), Kind::Block, Table::Audit, &made.key, &made.plaintext);
        let put = Transaction::new()
            // Two writers would fork the chain.
            .expect_absent(Table::Audit, made.key)
            .put_with_body(Table::Audit, made.key, "", sealed);
        match self.store.commit(head::put_head(put, &self.keys, made.last)).await {
            Ok(()) => {}
            Err(meta::Error::Conflict { .. }) => return Err(Error::AnotherWriter),
            Err(error @ (meta::Error::Full | meta::Error::TooLarge { .. } | meta::Error::Closed)) => {
                return Err(error.into());
            }
            Err(error) => {
                self.pending = Some(made.last);
                return Err(error.into());
            }
        }
        self.index.add(self.head.number + 1, events);
        self.head = made.last;
        self.newest.send_replace(self.head.number);
        Ok(())
    }

    /// After a commit that may have happened or not: looks which.
    async fn settle(&mut self) -> Result<(), Error> {
        let Some(pending) = self.pending else { return Ok(()) };
        let found = head::head(&*self.store, &self.keys).await?.unwrap_or(Link::start());
        if found == self.head {
            self.pending = None;
            return Ok(());
        }
        if found != pending {
            return Err(Error::AnotherWriter);
        }
        // It is in the log after all, though whoever waited was told of a failure.
        let mut next = self.head.number + 1;
        while let Some(block) = crate::read::block_at(&*self.store, &self.keys, next).await? {
            self.index.add_stored(&block.events);
            next = block.header.end();
        }
        (self.head, self.pending) = (pending, None);
        self.newest.send_replace(self.head.number);
        Ok(())
    }

    /// Tells those who wait, and keeps what nobody waits for, to try again.
    async fn fail(&self, calls: Vec<Call>, error: Error) {
        tracing::error!(%error, calls = calls.len(), "events could not be recorded; whoever waits for them is told");
        let (answered, kept): (Vec<Call>, Vec<Call>) = calls.into_iter().partition(|call| call.answer.is_some());
        answer(answered, &Err(error));
        if kept.is_empty() {
            return;
        }
        if self.queue.is_closed() {
            tracing::error!(calls = kept.len(), "events are lost: the log was closed and they could not be written");
            return;
        }
        self.queue.put_back(kept);
        tokio::time::sleep(RETRY).await;
    }
}

fn answer(calls: Vec<Call>, result: &Result<(), Error>) {
    for call in calls {
        if let Some(answer) = call.answer {
            // Whoever has gone does not need it.
            let _ = answer.send(result.clone());
        }
    }
}

/// A block takes no more once it has as many events: a lookup of one of them reads all of it.
const BLOCK_EVENTS: usize = 256;
/// Or as many bytes before they are compressed.
const BLOCK_BYTES: usize = 256 * 1024;
/// Most bytes of one call: a batch of a thousand operations has one.
const CALL_BYTES: usize = 4 * 1024 * 1024;
/// Bytes that wait in relaxed mode before recording waits too.
const RELAXED_BYTES: usize = 8 * 1024 * 1024;
/// In relaxed mode, the longest that an event waits before it is written.
pub(crate) const FLUSH: Duration = Duration::from_millis(500);
/// Between two attempts to write what nobody waits for.
const RETRY: Duration = Duration::from_secs(1);
