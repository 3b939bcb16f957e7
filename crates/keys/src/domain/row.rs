//! A row of the table of domain keys: the key as a root key wrapped it, and which root key that was. docs/formats/key-records.md.

use meta::{Order, Range, Row, Store, Table, Transaction};
use seal::SecretKey;

use super::{MAX_DOMAIN_KEYS, NUMBER};
use crate::codec::{Decoder, Encoder};
use crate::error::Error;
use crate::limits::DOMAIN_KEY_SETTLING;
use crate::root::{RootKey, RootKeyError, RootKeyIdentity, RootKeyKind, RootKeys};
use crate::wire::Timestamp;

const MAGIC: &[u8] = b"SRDK";
/// Version 1 names no provider: it was always a key file.
const VERSION_1: u8 = 1;
const VERSION_2: u8 = 2;

/// What a row says, its key still wrapped.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Wrapped {
    version: u8,
    pub(super) number: [u8; NUMBER],
    pub(super) created: Timestamp,
    /// From when on it seals; until then it only opens.
    pub(super) seals_from: Timestamp,
    pub(super) by: RootKeyIdentity,
    bytes: Vec<u8>,
}

/// All rows, in the order of their numbers, which count from 0 without gaps.
pub(super) async fn all(store: &dyn Store) -> Result<Vec<(Row, Wrapped)>, Error> {
    let rows = store.scan(Table::DomainKey, &Range::all(), Order::Ascending, MAX_DOMAIN_KEYS).await?;
    let mut all = Vec::with_capacity(rows.len());
    for (index, row) in rows.into_iter().enumerate() {
        let wrapped = Wrapped::parse(&row).filter(|wrapped| wrapped.number == number(index));
        let wrapped = wrapped.ok_or_else(|| Error::damaged("domain key", &row.key))?;
        all.push((row, wrapped));
    }
    Ok(all)
}

/// Domain key `index` as its row key and as sealed values name it.
pub(super) fn number(index: usize) -> [u8; NUMBER] {
    u32::try_from(index).expect("a store has at most 4,096 domain keys").to_be_bytes()
}

impl Wrapped {
    /// Wraps a domain key under `root`.
    pub(super) async fn under(
        root: &dyn RootKey,
        index: usize,
        created: Timestamp,
        seals_from: Timestamp,
        key: &SecretKey,
    ) -> Result<Self, RootKeyError> {
        let number = number(index);
        let bytes = root.wrap(&aad(VERSION_2, number, created, seals_from), key).await?;
        // After wrapping: some providers learn their name by it.
        Ok(Self { version: VERSION_2, number, created, seals_from, by: root.identity(), bytes })
    }

    /// The domain key, by whichever root key it takes.
    pub(super) async fn unwrap(&self, roots: &RootKeys) -> Result<SecretKey, RootKeyError> {
        roots.unwrap(&self.by, &self.aad(), &self.bytes).await
    }

    /// The domain key, by this root key.
    pub(super) async fn unwrap_with(&self, root: &dyn RootKey) -> Result<SecretKey, RootKeyError> {
        root.unwrap(&self.aad(), &self.bytes).await
    }

    /// Adds the row's write to a transaction.
    pub(super) fn put(&self, transaction: Transaction) -> Transaction {
        transaction.put(Table::DomainKey, self.number, self.encode())
    }

    fn aad(&self) -> Vec<u8> {
        aad(self.version, self.number, self.created, self.seals_from)
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::new(VERSION_2);
        out.time(self.created);
        out.time(self.seals_from);
        out.byte(self.by.kind as u8);
        out.text(self.by.name.as_deref().unwrap_or(""));
        [MAGIC, &out.finish(), &self.bytes].concat()
    }

    fn parse(row: &Row) -> Option<Self> {
        let value = row.value.strip_prefix(MAGIC)?;
        let number = row.key[..].try_into().ok()?;
        if let Some(mut fields) = Decoder::new(VERSION_1, value) {
            let created = fields.time()?;
            let seals_from = created.after(DOMAIN_KEY_SETTLING);
            let by = RootKeyIdentity { kind: RootKeyKind::KeyFile, name: None };
            return Some(Self { version: VERSION_1, number, created, seals_from, by, bytes: fields.rest().to_vec() });
        }
        let mut fields = Decoder::new(VERSION_2, value)?;
        let (created, seals_from) = (fields.time()?, fields.time()?);
        let kind = RootKeyKind::from_code(fields.byte()?)?;
        let name = Some(fields.text()?).filter(|name| !name.is_empty());
        let by = RootKeyIdentity { kind, name };
        Some(Self { version: VERSION_2, number, created, seals_from, by, bytes: fields.rest().to_vec() })
    }
}

/// What a wrapped key is bound to: all of its row that matters.
fn aad(version: u8, number: [u8; NUMBER], created: Timestamp, seals_from: Timestamp) -> Vec<u8> {
    let mut aad = [MAGIC, &[version], &number, &created.as_millis().to_be_bytes()].concat();
    if version >= VERSION_2 {
        aad.extend_from_slice(&seals_from.as_millis().to_be_bytes());
    }
    aad
}
