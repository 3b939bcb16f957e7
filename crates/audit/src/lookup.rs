//! LookupEvents: the index proposes, the blocks decide.

use data_encoding::BASE64URL_NOPAD;
use meta::Table;

use crate::block::Block;
use crate::chain::Hash;
use crate::codec::{put_option, put_text};
use crate::encoding::cut;
use crate::error::Error;
use crate::event::Stored;
use crate::index::{Place, SIZE, Term, Times, start_of};
use crate::log::Audit;
use crate::query::{Attribute, MAX_PAGE, Page, Query};
use crate::read;
use crate::rows::{self, Kind};

impl Audit {
    /// LookupEvents: the newest management events that the query wants, newest first.
    ///
    /// # Errors
    /// [`Error::InvalidToken`]; a failing store; a damaged row on the way.
    pub async fn lookup(&self, query: &Query) -> Result<Page, Error> {
        let below = match &query.token {
            None => u64::MAX,
            Some(token) => self.open_token(query, token)?,
        };
        let limit = query.limit.clamp(1, MAX_PAGE);
        let mut search = Search { audit: self, query, below, block: None, found: Vec::new(), wanted: limit + 1 };
        if let Some(term) = Term::of_query(query) {
            search.run(term).await?;
        }
        let mut events = search.found;
        let more = events.len() > limit;
        events.truncate(limit);
        let token = events.last().filter(|_| more).map(|last| self.seal_token(query, last.number));
        Ok(Page { events, token })
    }

    fn seal_token(&self, query: &Query, below: u64) -> String {
        let sealed = rows::seal(self.keys.records(), Kind::Token, Table::Audit, &identity(query), &below.to_be_bytes());
        BASE64URL_NOPAD.encode(&sealed)
    }

    fn open_token(&self, query: &Query, token: &str) -> Result<u64, Error> {
        let sealed = BASE64URL_NOPAD.decode(token.as_bytes()).map_err(|_| Error::InvalidToken)?;
        let opened = rows::open(self.keys.records(), Kind::Token, Table::Audit, &identity(query), &sealed);
        let number = opened.map_err(|_| Error::InvalidToken)?;
        number.as_slice().try_into().map(u64::from_be_bytes).map_err(|_| Error::InvalidToken)
    }
}

/// What a token is bound to: everything of the query but the size of the page.
fn identity(query: &Query) -> [u8; Hash::LEN] {
    let mut text = Vec::new();
    put_text(&mut text, query.account.as_str());
    put_text(&mut text, query.region.as_str());
    let (key, value) = match &query.attribute {
        None => (None, ""),
        Some(Attribute::EventId(value)) => (Some("EventId"), &value[..]),
        Some(Attribute::EventName(value)) => (Some("EventName"), &value[..]),
        Some(Attribute::ReadOnly(value)) => (Some("ReadOnly"), &value[..]),
        Some(Attribute::Username(value)) => (Some("Username"), &value[..]),
        Some(Attribute::ResourceType(value)) => (Some("ResourceType"), &value[..]),
        Some(Attribute::ResourceName(value)) => (Some("ResourceName"), &value[..]),
        Some(Attribute::EventSource(value)) => (Some("EventSource"), &value[..]),
        Some(Attribute::AccessKeyId(value)) => (Some("AccessKeyId"), &value[..]),
    };
    put_option(&mut text, key);
    put_text(&mut text, cut(value));
    for time in [query.start, query.end] {
        put_option(&mut text, time.map(|time| time.as_millis().to_string()).as_deref());
    }
    Hash::of(&text).0
}

/// A lookup under way.
struct Search<'a> {
    audit: &'a Audit,
    query: &'a Query,
    /// Numbers from here on are not wanted.
    below: u64,
    /// The block that was read last: its neighbours are often wanted too.
    block: Option<Block>,
    found: Vec<Stored>,
    wanted: usize,
}

impl Search<'_> {
    async fn run(&mut self, term: Term) -> Result<(), Error> {
        let start = self.query.start.max(self.query.oldest).map_or(0, |time| time.as_millis());
        let end = self.query.end.map_or(u64::MAX, |time| time.as_millis());
        for (turn, place) in self.audit.index.places(term, start, end, self.below).await?.into_iter().enumerate() {
            if self.found.len() >= self.wanted {
                break;
            }
            if turn % YIELD == YIELD - 1 {
                tokio::task::yield_now().await;
            }
            let (segment, times, offsets): (u32, Times, Vec<u16>) = match place {
                Place::Open(segment, times, offsets) => (segment, times, offsets),
                Place::Written(segment, times) => (segment, times, self.audit.index.find(segment, term).await?),
            };
            let wanted = offsets.iter().rev().filter(|offset| times.overlap(**offset, start, end));
            for offset in wanted {
                let number = start_of(segment) + u64::from(*offset);
                debug_assert!(u64::from(*offset) < SIZE);
                if number < self.below {
                    self.look_at(number).await?;
                }
                if self.found.len() >= self.wanted {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn look_at(&mut self, number: u64) -> Result<(), Error> {
        let holds = |block: &Block| (block.header.first..block.header.end()).contains(&number);
        if !self.block.as_ref().is_some_and(holds) {
            self.block = read::block_at(&*self.audit.store, &self.audit.keys, number).await?;
            tokio::task::yield_now().await;
        }
        // It may have been pruned meanwhile.
        let Some(block) = self.block.as_ref().filter(|block| holds(block)) else { return Ok(()) };
        let index = usize::try_from(number - block.header.first).unwrap_or(usize::MAX);
        if let Some((stored, _)) = block.events.get(index)
            && self.query.wants(&stored.event)
        {
            self.found.push(stored.clone());
        }
        Ok(())
    }
}

/// Segments between two pauses in which other tasks run: some 100 µs.
const YIELD: usize = 32;
