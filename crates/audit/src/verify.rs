//! Verification: every stored byte of the log against the chain.

use keys::Keys;
use meta::{Order, Store, Table};

use crate::block::Block;
use crate::chain::Link;
use crate::error::Error;
use crate::head;
use crate::log::Audit;
use crate::rows;

/// What was verified, and what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Events whose bytes and place in the chain are as they were recorded.
    pub events: u64,
    /// Blocks that were read.
    pub blocks: u64,
    /// Where the chain begins: number 0, or the last event that retention has removed.
    pub start: Link,
    /// Where it ends. To be noted elsewhere: whoever can take away the end of the log together with the row that names it leaves no
    /// trace here.
    pub head: Link,
    /// What is wrong, at most [`MAX_FINDINGS`]; empty if all is well.
    pub findings: Vec<Finding>,
}

/// Something that is not as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// A row was changed, or comes from another place, another store, another time.
    Damaged(String),
    /// Numbers from..=to are in no block.
    Missing(u64, u64),
    /// The block that begins with this number has numbers that another block has too.
    Overlap(u64),
    /// The block that begins with this number does not continue the chain: it is not the one that was recorded here.
    Broken(u64),
    /// The chain ends with this number, and the head names another end.
    End(u64),
    /// The head's row is gone.
    NoHead,
    /// The chain has another hash at the number that was expected: this is not the log that it was noted of.
    Expected(u64),
    /// The number that was expected is beyond the end: the end of the log was removed.
    ExpectedBeyond(u64),
    /// The number that was expected is older than all that is kept: it cannot be held against anything.
    ExpectedPruned(u64),
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Finding::Damaged(row) => write!(f, "{row}: does not open, or says what cannot be"),
            Finding::Missing(from, to) if from == to => write!(f, "event {from}: missing"),
            Finding::Missing(from, to) => write!(f, "events {from} to {to}: missing"),
            Finding::Overlap(first) => write!(f, "the block from event {first} on: has numbers that another block has"),
            Finding::Broken(first) => write!(f, "the block from event {first} on: does not continue the chain"),
            Finding::End(last) => {
                write!(f, "the chain ends with event {last}, which is not the end that its head names")
            }
            Finding::NoHead => write!(f, "the row that names the end of the chain is missing"),
            Finding::Expected(number) => write!(f, "event {number}: the chain has another hash there than expected"),
            Finding::ExpectedBeyond(number) => write!(f, "event {number}: expected, but the log ends before it"),
            Finding::ExpectedPruned(number) => write!(f, "event {number}: expected, but no longer kept"),
        }
    }
}

impl Audit {
    /// Verifies the log up to its newest event of now, while more are recorded.
    ///
    /// # Errors
    /// A failing store. Damage is not an error.
    pub async fn verify(&self, expected: Option<Link>) -> Result<Report, Error> {
        let _stays = self.pruning.lock().await;
        verify(&*self.store, &self.keys, expected).await
    }
}

/// Verifies the log of a store that nobody else has open, without opening the log.
///
/// # Errors
/// A failing store. Damage is not an error.
pub async fn verify(store: &dyn Store, keys: &Keys, expected: Option<Link>) -> Result<Report, Error> {
    let mut findings = Findings::default();
    let head = findings.of(head::head(store, keys).await)?.flatten();
    let anchor = findings.of(head::anchor(store, keys).await)?;
    let start = anchor.unwrap_or(Link::start());
    let mut walk = Walk { findings, link: anchor, head, expected, met_head: head.is_none(), events: 0, blocks: 0 };
    walk.begin(start);
    let mut range = rows::blocks();
    loop {
        let rows = store.scan(Table::Audit, &range, Order::Ascending, STEP).await?;
        for row in &rows {
            walk.block(store, keys, &row.key).await?;
            tokio::task::yield_now().await;
        }
        match rows.last() {
            Some(last) if rows.len() == STEP => range = range.after(&last.key),
            _ => break,
        }
    }
    // More may have been recorded meanwhile, so that the head has moved on.
    let now = walk.findings.of(head::head(store, keys).await)?.flatten();
    Ok(walk.finish(start, now))
}

/// Reads all blocks in order.
struct Walk {
    findings: Findings,
    /// The chain so far; none behind a block that does not open.
    link: Option<Link>,
    /// The head as it was at the beginning.
    head: Option<Link>,
    met_head: bool,
    expected: Option<Link>,
    events: u64,
    blocks: u64,
}

impl Walk {
    fn begin(&mut self, start: Link) {
        self.met_head |= self.head == Some(start);
        match self.expected {
            Some(expected) if expected.number < start.number => {
                self.findings.add(Finding::ExpectedPruned(expected.number));
                self.expected = None;
            }
            _ => self.hold_against(start),
        }
    }

    async fn block(&mut self, store: &dyn Store, keys: &Keys, key: &[u8]) -> Result<(), Error> {
        self.blocks += 1;
        let before = self.link.take();
        let block = match self.findings.of(Block::read(store, keys, key).await)? {
            // It was not there any more, which retention alone may bring about: and that waits for us.
            Some(None) | None => return Ok(()),
            Some(Some(block)) => block,
        };
        let header = block.header;
        match before {
            Some(link) if header.first > link.number + 1 => {
                self.findings.add(Finding::Missing(link.number + 1, header.first - 1));
            }
            Some(link) if header.first <= link.number => self.findings.add(Finding::Overlap(header.first)),
            Some(link) if header.before != link.hash => self.findings.add(Finding::Broken(header.first)),
            _ => {}
        }
        let mut link = header.previous();
        for (_, hash) in &block.events {
            link = link.then(hash);
            self.hold_against(link);
        }
        self.met_head |= Some(link) == self.head;
        if link != header.newest() {
            self.findings.add(Finding::Broken(header.first));
        }
        self.events += u64::from(header.count);
        self.link = Some(header.newest());
        Ok(())
    }

    fn hold_against(&mut self, link: Link) {
        if let Some(expected) = self.expected.filter(|expected| expected.number == link.number) {
            self.expected = None;
            if expected != link {
                self.findings.add(Finding::Expected(link.number));
            }
        }
    }

    fn finish(mut self, start: Link, now: Option<Link>) -> Report {
        let last = self.link.unwrap_or(start);
        match now {
            None if last.number > 0 => self.findings.add(Finding::NoHead),
            Some(now) if !self.met_head || last.number > now.number => self.findings.add(Finding::End(last.number)),
            _ => {}
        }
        if let Some(expected) = self.expected {
            self.findings.add(Finding::ExpectedBeyond(expected.number));
        }
        let Walk { findings: Findings(findings), events, blocks, .. } = self;
        Report { events, blocks, start, head: last, findings }
    }
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, finding: Finding) {
        if self.0.len() < MAX_FINDINGS {
            self.0.push(finding);
        }
    }

    /// Damage is a finding, everything else an error.
    fn of<T>(&mut self, result: Result<T, Error>) -> Result<Option<T>, Error> {
        match result {
            Ok(found) => Ok(Some(found)),
            Err(Error::Damaged(row)) => {
                self.add(Finding::Damaged(row));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// Findings that a report has at most.
pub const MAX_FINDINGS: usize = 100;
/// Keys of one scan.
const STEP: usize = 4_096;
