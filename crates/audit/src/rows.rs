//! Row keys, and sealing what rows hold. docs/formats/audit-log.md.
//!
//! Keys of `Table::Audit`, after a letter for the kind: the number of the log (4 bytes), then numbers, big-endian. All rows lie in the
//! body, sealed, with table and row key as authenticated data; values are empty, so that scans for keys are cheap.

use bytes::Bytes;
use keys::{Keys, RecordSealer};
use meta::{Range, Store, Table, Transaction};
use zeroize::Zeroizing;

use crate::error::Error;

/// The number of the log. A server writes one of its own: writers of one database never wait for each other's blocks, as they would over
/// one sequence that each had to claim. There is one server a database so far, and its log is 0. That nobody else writes to it is a
/// precondition of every block.
pub(crate) const LOG: u32 = 0;

/// A block, by the number of its first event.
pub(crate) fn block_key(first: u64) -> [u8; 13] {
    let mut key = [0; 13];
    key[0] = b'b';
    key[1..5].copy_from_slice(&LOG.to_be_bytes());
    key[5..].copy_from_slice(&first.to_be_bytes());
    key
}

/// The number in a block's key.
pub(crate) fn first_of(key: &[u8]) -> Option<u64> {
    let number = key.strip_prefix(b"b")?.strip_prefix(&LOG.to_be_bytes())?;
    number.try_into().ok().map(u64::from_be_bytes)
}

/// All blocks.
pub(crate) fn blocks() -> Range {
    Range::prefix([&b"b"[..], &LOG.to_be_bytes()].concat())
}

/// The newest link of the chain.
pub(crate) fn head_key() -> [u8; 5] {
    single(b'h')
}

/// Where the chain begins, once blocks were pruned.
pub(crate) fn anchor_key() -> [u8; 5] {
    single(b'a')
}

/// Where a reader has come to.
pub(crate) fn cursor_key(reader: &str) -> Vec<u8> {
    [&single(b'c')[..], reader.as_bytes()].concat()
}

fn single(kind: u8) -> [u8; 5] {
    let [a, b, c, d] = LOG.to_be_bytes();
    [kind, a, b, c, d]
}

/// What a row is. Rows of one kind never open as another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Block,
    Head,
    Anchor,
    Cursor,
    Segment,
    Bucket,
    Postings,
    Token,
}

impl Kind {
    fn label(self) -> &'static [u8] {
        match self {
            Kind::Block => b"audit block",
            Kind::Head => b"audit head",
            Kind::Anchor => b"audit anchor",
            Kind::Cursor => b"audit cursor",
            Kind::Segment => b"audit segment",
            Kind::Bucket => b"audit bucket",
            Kind::Postings => b"audit postings",
            Kind::Token => b"audit lookup token",
        }
    }

    /// The kind, in words.
    pub(crate) fn describe(self) -> &'static str {
        std::str::from_utf8(self.label()).unwrap_or("audit row")
    }
}

pub(crate) fn seal(sealer: &RecordSealer, kind: Kind, table: Table, key: &[u8], plaintext: &[u8]) -> Vec<u8> {
    sealer.seal(kind.label(), &place(table, key), plaintext)
}

/// Seals a row and puts it.
pub(crate) fn put(to: Transaction, keys: &Keys, kind: Kind, table: Table, key: &[u8], plaintext: &[u8]) -> Transaction {
    to.put_with_body(table, key, Bytes::new(), seal(keys.records(), kind, table, key, plaintext))
}

pub(crate) fn open(
    sealer: &RecordSealer,
    kind: Kind,
    table: Table,
    key: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Error> {
    sealer.open(kind.label(), &place(table, key), sealed).map_err(|_| damaged(kind, key))
}

/// Reads and opens a row.
pub(crate) async fn get(
    store: &dyn Store,
    keys: &Keys,
    kind: Kind,
    table: Table,
    key: &[u8],
) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
    match store.record(table, key).await? {
        None => Ok(None),
        Some(record) => open(keys.records(), kind, table, key, &record.body.unwrap_or_default()).map(Some),
    }
}

pub(crate) fn damaged(kind: Kind, key: &[u8]) -> Error {
    Error::Damaged(format!("{} {}", kind.describe(), name(key)))
}

/// A row's key for people: the number of a block, else its bytes.
fn name(key: &[u8]) -> String {
    match first_of(key) {
        Some(first) => format!("from event {first} on"),
        None => data_encoding::HEXLOWER.encode(key),
    }
}

fn place(table: Table, key: &[u8]) -> Vec<u8> {
    [table.name().as_bytes(), &[0], key].concat()
}
