//! Reading the log in order: for trails, exports and the index.

use keys::Keys;
use meta::{Order, Store, Table};

use crate::block::Block;
use crate::error::Error;
use crate::event::{Event, Stored};
use crate::log::Audit;
use crate::rows::{self, block_key};

/// A piece of the log, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The events that were wanted.
    pub events: Vec<Stored>,
    /// Where to read on: one more than the last number that was looked at.
    pub next: u64,
    /// Whether this was the end of the log, for now.
    pub end: bool,
}

impl Audit {
    /// Reads events from `from` on (or from the oldest that is kept), oldest first: at most `limit` that are `wanted`. Looks at a
    /// bounded number, so a batch may be empty before the end.
    ///
    /// # Errors
    /// A failing store; a damaged block.
    pub async fn read(&self, from: u64, limit: usize, wanted: impl Fn(&Event) -> bool + Send) -> Result<Batch, Error> {
        // What is durable is in the store; what comes while this reads waits for the next batch.
        let newest = *self.newest.borrow();
        let mut batch = Batch { events: Vec::new(), next: from.max(1), end: false };
        let mut looked = 0;
        while batch.next <= newest && looked < LOOK_AT && batch.events.len() < limit {
            let Some(block) = block_at(&*self.store, &self.keys, batch.next).await? else { break };
            for (stored, _) in block.events {
                if stored.number < batch.next {
                    continue;
                }
                if batch.events.len() == limit {
                    break;
                }
                batch.next = stored.number + 1;
                looked += 1;
                if wanted(&stored.event) {
                    batch.events.push(stored);
                }
            }
            tokio::task::yield_now().await;
        }
        batch.end = batch.next > newest;
        Ok(batch)
    }
}

/// The events of the block that has the number `from`, or of the first one after it, from that number on, and where to read on. None at
/// the end. For whoever reads a store's log without opening it.
///
/// # Errors
/// A failing store; a damaged block.
pub async fn events_from(store: &dyn Store, keys: &Keys, from: u64) -> Result<Option<(Vec<Stored>, u64)>, Error> {
    let Some(block) = block_at(store, keys, from.max(1)).await? else { return Ok(None) };
    let events = block.events.into_iter().map(|(stored, _)| stored).filter(|stored| stored.number >= from);
    Ok(Some((events.collect(), block.header.end())))
}

/// The block that has this number, or the first one after it.
pub(crate) async fn block_at(store: &dyn Store, keys: &Keys, number: u64) -> Result<Option<Block>, Error> {
    let before = rows::blocks().before(block_key(number + 1));
    for row in store.scan(Table::Audit, &before, Order::Descending, 1).await? {
        if let Some(block) = Block::read(store, keys, &row.key).await?
            && block.header.end() > number
        {
            return Ok(Some(block));
        }
    }
    let after = rows::blocks().starting_at(block_key(number));
    match store.scan(Table::Audit, &after, Order::Ascending, 1).await?.first() {
        None => Ok(None),
        Some(row) => Block::read(store, keys, &row.key).await,
    }
}

/// Events that one call looks at.
const LOOK_AT: usize = 16_384;
