//! Blocks: events that were committed together, one row.
//!
//! ```text
//! version (1) ‖ first number (8) ‖ count (4) ‖ H before (32) ‖ H of the last (32) ‖ earliest, latest time, ms (8, 8)
//! ‖ method (1) ‖ bytes when plain (4) ‖ events                                                                sealed
//! ```

use bytes::Bytes;
use keys::Keys;
use meta::{Store, Table};

use crate::chain::{Hash, Link};
use crate::codec::Decoder;
use crate::encoding::{Encoded, take};
use crate::error::Error;
use crate::event::Stored;
use crate::rows::{self, Kind, block_key};

/// A block as it is sealed.
pub(crate) struct Made {
    pub(crate) key: [u8; 13],
    pub(crate) plaintext: Vec<u8>,
    /// The chain after it.
    pub(crate) last: Link,
}

/// Chains events to `previous`.
pub(crate) fn make(previous: Link, events: &[&Encoded]) -> Made {
    let last = events.iter().fold(previous, |link, event| link.then(&event.hash));
    let first = previous.number + 1;
    let plain: usize = events.iter().map(|event| event.bytes.len()).sum();
    let mut payload = Vec::with_capacity(plain);
    for event in events {
        payload.extend_from_slice(&event.bytes);
    }
    let times = || events.iter().map(|event| event.time);
    let mut block = Vec::with_capacity(HEADER + plain / 2);
    block.push(VERSION);
    block.extend_from_slice(&first.to_be_bytes());
    block.extend_from_slice(&u32::try_from(events.len()).expect("a block is bounded").to_be_bytes());
    block.extend_from_slice(&previous.hash.0);
    block.extend_from_slice(&last.hash.0);
    block.extend_from_slice(&times().min().unwrap_or(0).to_be_bytes());
    block.extend_from_slice(&times().max().unwrap_or(0).to_be_bytes());
    block.push(LZ4);
    block.extend_from_slice(&u32::try_from(plain).expect("a block is bounded").to_be_bytes());
    block.extend_from_slice(&lz4_flex::block::compress(&payload));
    Made { key: block_key(first), plaintext: block, last }
}

/// What a block says of itself. Authentic, as the block was sealed; whether it belongs into the chain is another question.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header {
    pub(crate) first: u64,
    pub(crate) count: u32,
    pub(crate) before: Hash,
    pub(crate) last: Hash,
    pub(crate) latest: u64,
}

impl Header {
    /// The number after its last.
    pub(crate) fn end(&self) -> u64 {
        self.first + u64::from(self.count)
    }

    /// The chain before it.
    pub(crate) fn previous(&self) -> Link {
        Link { number: self.first.wrapping_sub(1), hash: self.before }
    }

    /// The chain after it.
    pub(crate) fn newest(&self) -> Link {
        Link { number: self.end() - 1, hash: self.last }
    }
}

/// A block, opened.
pub(crate) struct Block {
    pub(crate) header: Header,
    /// Its events, and the hash of each.
    pub(crate) events: Vec<(Stored, Hash)>,
}

impl Block {
    /// Reads the block of this key; `None` if there is none.
    pub(crate) async fn read(store: &dyn Store, keys: &Keys, key: &[u8]) -> Result<Option<Block>, Error> {
        match rows::get(store, keys, Kind::Block, Table::Audit, key).await? {
            None => Ok(None),
            Some(plaintext) => Block::parse(key, &plaintext).map(Some).ok_or_else(|| rows::damaged(Kind::Block, key)),
        }
    }

    /// Parses an opened block. `None` if it is not of this form, or does not hold as many events as it says.
    pub(crate) fn parse(key: &[u8], plaintext: &[u8]) -> Option<Block> {
        let (header, mut payload) = unpack(plaintext).filter(|(header, _)| key == block_key(header.first))?;
        let mut events = Vec::with_capacity(payload.len() / 1024);
        for number in header.first..header.end() {
            let (event, hash) = take(&mut payload)?;
            events.push((Stored { number, event }, hash));
        }
        payload.is_empty().then_some(Block { header, events })
    }
}

fn unpack(plaintext: &[u8]) -> Option<(Header, Bytes)> {
    let mut from = Decoder(plaintext);
    from.byte().filter(|version| *version == VERSION)?;
    let first = from.number().filter(|first| (1..=MAX_NUMBER).contains(first))?;
    let count = from.word().filter(|count| *count > 0)?;
    let (before, last) = (Hash(from.array()?), Hash(from.array()?));
    let (_earliest, latest) = (from.number()?, from.number()?);
    from.byte().filter(|method| *method == LZ4)?;
    let plain = usize::try_from(from.word()?).ok().filter(|plain| *plain <= MAX_PLAIN)?;
    let payload = lz4_flex::block::decompress(from.0, plain).ok().filter(|payload| payload.len() == plain)?;
    Some((Header { first, count, before, last, latest }, payload.into()))
}

const VERSION: u8 = 1;
/// The method of compression: the block format of LZ4. The only one so far.
const LZ4: u8 = 1;
/// Bytes before the events.
const HEADER: usize = 98;
/// No log ever has as many; numbers do not overflow.
const MAX_NUMBER: u64 = 1 << 62;
/// More than any block that is made here holds, so that no row makes us allocate more.
const MAX_PLAIN: usize = 8 * 1024 * 1024;
