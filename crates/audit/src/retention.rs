//! Retention: whole old blocks go, and an anchor says where the chain begins from then on.

use meta::{Order, Table, Transaction};

use crate::block::Block;
use crate::error::Error;
use crate::head;
use crate::log::Audit;
use crate::rows;

impl Audit {
    /// Removes the blocks whose events are all older than the retention. The newest block stays, so that the head always has its block.
    /// Returns how many events went.
    ///
    /// # Errors
    /// A failing store; a damaged block: nothing is removed that did not open.
    pub async fn prune(&self) -> Result<u64, Error> {
        let _pruning = self.pruning.lock().await;
        let keep = u64::try_from(self.settings.retention.as_millis()).unwrap_or(u64::MAX);
        let before = self.now().as_millis().saturating_sub(keep);
        let mut events = 0;
        loop {
            let rows = self.store.scan(Table::Audit, &rows::blocks(), Order::Ascending, STEP + 1).await?;
            let mut to = Transaction::new();
            let mut last = None;
            // The last of them is not looked at: it may be the newest of all.
            for row in rows.iter().take(rows.len().saturating_sub(1)) {
                let Some(block) = Block::read(&*self.store, &self.keys, &row.key).await? else { break };
                if block.header.latest >= before {
                    break;
                }
                events += u64::from(block.header.count);
                last = Some(block.header.newest());
                to = to.delete(Table::Audit, &row.key);
                tokio::task::yield_now().await;
            }
            let Some(last) = last else { break };
            let removed = to.writes.len();
            self.store.commit(head::put_anchor(to, &self.keys, last, self.now())).await?;
            self.index.prune(last.number + 1).await?;
            if removed < STEP {
                break;
            }
        }
        if events > 0 {
            tracing::info!(events, "old events were removed from the audit log");
        }
        Ok(events)
    }
}

/// Blocks of one commit.
const STEP: usize = 256;
