//! The two ends of the chain, each a sealed row: the newest link, and, once blocks were pruned, the one before the oldest block.

use keys::{Keys, Timestamp};
use meta::{Order, Store, Table, Transaction};

use crate::block::Block;
use crate::chain::{Hash, Link};
use crate::codec::Decoder;
use crate::error::Error;
use crate::rows::{self, Kind, anchor_key, head_key};

/// Puts the newest link. In the transaction that puts its block, so that neither is ever without the other.
pub(crate) fn put_head(to: Transaction, keys: &Keys, link: Link) -> Transaction {
    rows::put(to, keys, Kind::Head, Table::Audit, &head_key(), &encode(link, None))
}

/// The newest link, as its row says; `None` if nothing was ever recorded.
pub(crate) async fn head(store: &dyn Store, keys: &Keys) -> Result<Option<Link>, Error> {
    let key = head_key();
    match rows::get(store, keys, Kind::Head, Table::Audit, &key).await? {
        None => Ok(None),
        Some(row) => decode(&row).map(|(link, _)| Some(link)).ok_or_else(|| rows::damaged(Kind::Head, &key)),
    }
}

/// Puts the link before the oldest block that stays. In the transaction that removes those before it.
pub(crate) fn put_anchor(to: Transaction, keys: &Keys, link: Link, at: Timestamp) -> Transaction {
    rows::put(to, keys, Kind::Anchor, Table::Audit, &anchor_key(), &encode(link, Some(at)))
}

/// The link before the oldest block: what was pruned, or nothing.
pub(crate) async fn anchor(store: &dyn Store, keys: &Keys) -> Result<Link, Error> {
    let key = anchor_key();
    match rows::get(store, keys, Kind::Anchor, Table::Audit, &key).await? {
        None => Ok(Link::start()),
        Some(row) => decode(&row).map(|(link, _)| link).ok_or_else(|| rows::damaged(Kind::Anchor, &key)),
    }
}

/// The newest link, once it is known that the newest block ends with it. To go on from another one would hide that the end of the log
/// was removed.
pub(crate) async fn checked_head(store: &dyn Store, keys: &Keys) -> Result<Link, Error> {
    let head = head(store, keys).await?;
    let newest = store.scan(Table::Audit, &rows::blocks(), Order::Descending, 1).await?;
    let block = match newest.first() {
        None => None,
        Some(row) => Block::read(store, keys, &row.key).await?,
    };
    match (head, block) {
        (None, None) => Ok(Link::start()),
        (Some(head), Some(block)) if block.header.newest() == head => Ok(head),
        _ => Err(Error::Damaged(
            "its newest block is not the one that its head names; `strongroom audit verify` says more".into(),
        )),
    }
}

/// version (1) ‖ number (8) ‖ hash (32) ‖ time, ms (8; 0 in a head)
fn encode(link: Link, at: Option<Timestamp>) -> Vec<u8> {
    let time = at.map_or(0, Timestamp::as_millis);
    [&[VERSION], &link.number.to_be_bytes()[..], &link.hash.0, &time.to_be_bytes()].concat()
}

fn decode(row: &[u8]) -> Option<(Link, Timestamp)> {
    let mut from = Decoder(row.strip_prefix(&[VERSION])?);
    let link = Link { number: from.number()?, hash: Hash(from.array()?) };
    let at = from.time()?;
    from.finish().map(|()| (link, at))
}

const VERSION: u8 = 1;
