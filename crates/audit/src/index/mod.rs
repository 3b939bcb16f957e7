//! The index: in which segments, and where in them, events have a term. Made of the log and nothing else: what is missing of it when the
//! log is opened is made again of the blocks, beside the requests.

mod segment;
mod term;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use keys::Keys;
use meta::{Order, Store};
use tokio::sync::{Notify, watch};

pub(crate) use segment::{SIZE, Times, segment_of, start_of};
pub(crate) use term::{MAX_RESOURCES, Term};

use crate::chain::Hash;
use crate::encoding::Encoded;
use crate::error::Error;
use crate::event::Stored;
use crate::read;
use crate::rows::{self, Kind};
use segment::{Open, TABLE};

/// The index of a log.
pub(crate) struct Index {
    store: Arc<dyn Store>,
    keys: Arc<Keys>,
    state: Mutex<State>,
    /// Whether everything that was in the log when it was opened is in the index, or why not.
    ready: watch::Sender<Option<Result<(), Error>>>,
    full: Notify,
}

#[derive(Default)]
struct State {
    /// Of the segments that are written.
    written: BTreeMap<u32, Times>,
    /// Those that are not: the newest one, and until they are written those before it.
    open: BTreeMap<u32, Open>,
    /// The newest number.
    newest: u64,
    /// Segments below this one lack nothing of what was recorded before the log was opened.
    merged: u32,
}

/// Where a term may be found, newest segment first.
pub(crate) enum Place {
    /// In memory, with the offsets found.
    Open(u32, Times, Vec<u16>),
    /// In the store.
    Written(u32, Times),
}

impl Index {
    pub(crate) fn new(store: Arc<dyn Store>, keys: Arc<Keys>) -> Index {
        Index { store, keys, state: Mutex::default(), ready: watch::Sender::new(None), full: Notify::new() }
    }

    /// Adds what was just committed.
    pub(crate) fn add(&self, first: u64, events: &[&Encoded]) {
        let mut state = self.lock();
        for (number, event) in (first..).zip(events) {
            state.add(number, event.time, &event.terms);
        }
        self.tell(&state);
    }

    /// The same, of a block that was read.
    pub(crate) fn add_stored(&self, events: &[(Stored, Hash)]) {
        let mut state = self.lock();
        for (stored, _) in events {
            state.add(stored.number, stored.event.time.as_millis(), &segment::terms_of(stored));
        }
        self.tell(&state);
    }

    fn tell(&self, state: &State) {
        if state.complete().is_some() {
            self.full.notify_one();
        }
    }

    /// The segments that may have this term, of events between the two times, newest first.
    pub(crate) async fn places(&self, term: Term, start: u64, end: u64, below: u64) -> Result<Vec<Place>, Error> {
        let mut ready = self.ready.subscribe();
        ready.wait_for(Option::is_some).await.map_err(|_| Error::Closed)?.clone().unwrap_or(Ok(()))?;
        let last = segment_of(below.saturating_sub(1));
        let state = self.lock();
        let open = state.open.range(..=last).rev().filter(|(_, open)| open.times().any_overlap(start, end));
        let mut places: Vec<Place> =
            open.map(|(number, open)| Place::Open(*number, *open.times(), open.find(term))).collect();
        let written = state.written.range(..=last).rev().filter(|(_, times)| times.any_overlap(start, end));
        places.extend(written.map(|(number, times)| Place::Written(*number, *times)));
        Ok(places)
    }

    /// The offsets of a written segment that have this term, ascending. None if the segment was pruned meanwhile.
    pub(crate) async fn find(&self, segment: u32, term: Term) -> Result<Vec<u16>, Error> {
        match segment::find(&*self.store, &self.keys, segment, term).await {
            Err(_) if !self.lock().written.contains_key(&segment) => Ok(Vec::new()),
            found => found,
        }
    }

    /// Makes what is missing of the index, for the events up to `newest`, then writes segments as they become full. Never ends.
    pub(crate) async fn run(self: Arc<Self>, oldest: u64, newest: u64) {
        let mut next = segment_of(oldest);
        while let Err(error) = self.rebuild(&mut next, oldest, newest).await {
            tracing::error!(%error, "the index of the audit log could not be made; it is tried again");
            self.ready.send_replace(Some(Err(error)));
            tokio::time::sleep(RETRY).await;
        }
        self.ready.send_replace(Some(Ok(())));
        loop {
            match self.write_complete().await {
                Ok(()) => self.full.notified().await,
                Err(error) => {
                    tracing::error!(%error, "the index of the audit log could not be written; it is tried again");
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }

    async fn rebuild(&self, next: &mut u32, oldest: u64, newest: u64) -> Result<(), Error> {
        for row in self.store.scan(TABLE, &segment::segments(), Order::Ascending, usize::MAX).await? {
            let number = row.key.last_chunk().map(|number| u32::from_be_bytes(*number)).unwrap_or_default();
            let plaintext = rows::get(&*self.store, &self.keys, Kind::Segment, TABLE, &row.key).await?;
            let times = plaintext.as_deref().and_then(|plaintext| segment::parse_summary(plaintext));
            self.lock().written.insert(number, times.ok_or_else(|| rows::damaged(Kind::Segment, &row.key))?);
        }
        while *next <= segment_of(newest) {
            let number = *next;
            if self.lock().written.contains_key(&number) {
                *next += 1;
                continue;
            }
            let mut gathered = Open::default();
            let mut from = start_of(number).max(oldest);
            let end = (start_of(number) + SIZE).min(newest + 1);
            while from < end {
                let Some(block) = read::block_at(&*self.store, &self.keys, from).await? else { break };
                for (stored, _) in block.events.iter().filter(|(stored, _)| (from..end).contains(&stored.number)) {
                    gathered.add(stored.number, stored.event.time.as_millis(), segment::terms_of(stored));
                }
                from = block.header.end();
                tokio::task::yield_now().await;
            }
            *next += 1;
            self.merge(number, gathered, newest);
            self.write_complete().await?;
        }
        self.lock().merged = u32::MAX;
        Ok(())
    }

    /// Puts what was in the log before in front of what is recorded meanwhile.
    fn merge(&self, number: u32, gathered: Open, newest: u64) {
        let mut state = self.lock();
        state.newest = state.newest.max(newest);
        let recent = state.open.remove(&number).unwrap_or_default();
        state.open.insert(number, gathered.and(recent));
        state.merged = number + 1;
    }

    async fn write_complete(&self) -> Result<(), Error> {
        loop {
            let next = {
                let state = self.lock();
                state.complete().and_then(|number| Some((number, state.open.get(&number)?.clone())))
            };
            let Some((number, open)) = next else { return Ok(()) };
            let keys = Arc::clone(&self.keys);
            // Sorting takes 10 ms, sealing one: too long for a thread that serves requests.
            let made = tokio::task::spawn_blocking(move || open.write(&keys, number)).await;
            let Ok((rows, times)) = made else { return Ok(()) };
            self.store.commit(rows).await?;
            let mut state = self.lock();
            state.open.remove(&number);
            state.written.insert(number, times);
        }
    }

    /// Removes the segments that end before `oldest`.
    pub(crate) async fn prune(&self, oldest: u64) -> Result<(), Error> {
        let gone: Vec<u32> = self.lock().written.range(..segment_of(oldest)).map(|(number, _)| *number).collect();
        for number in gone {
            self.lock().written.remove(&number);
            segment::remove(&*self.store, number).await?;
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn add(&mut self, number: u64, time: u64, terms: &[Term]) {
        self.open.entry(segment_of(number)).or_default().add(number, time, terms.iter().copied());
        self.newest = number;
    }

    /// An open segment that gets no more events.
    fn complete(&self) -> Option<u32> {
        let number = *self.open.keys().next()?;
        (number < self.merged && start_of(number) + SIZE <= self.newest + 1).then_some(number)
    }
}

/// After a failure.
const RETRY: Duration = Duration::from_secs(10);
