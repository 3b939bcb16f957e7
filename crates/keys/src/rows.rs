//! Row keys of the tables that this crate owns. docs/formats/key-records.md draws them.

use meta::{Range, Table};

use crate::identifier::{AliasName, KeyId};
use crate::principal::AccountId;
use crate::wire::Timestamp;

/// A place in the store, and the kind that its value is sealed as.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Place {
    pub(crate) table: Table,
    pub(crate) key: Vec<u8>,
    pub(crate) kind: &'static str,
}

/// The first byte of a row key in [`Table::Key`] and [`Table::Alias`].
mod tag {
    pub(super) const RECORD: u8 = 0;
    pub(super) const OWNED: u8 = 1;
    pub(super) const COUNT: u8 = 2;
    pub(super) const DUE: u8 = 3;

    pub(super) const NAME: u8 = 0;
    pub(super) const TARGET: u8 = 1;
}

/// The place of a row of [`Table::Key`] or [`Table::Alias`], by its first byte.
pub(crate) fn read_place(table: Table, key: &[u8]) -> Option<Place> {
    let kind = match (table, *key.first()?) {
        (Table::Key, tag::RECORD) => "key",
        (Table::Key, tag::OWNED) => "owned key",
        (Table::Key, tag::COUNT) => "key count",
        (Table::Key, tag::DUE) => "errand",
        (Table::Alias, tag::NAME) => "alias",
        (Table::Alias, tag::TARGET) => "alias target",
        _ => return None,
    };
    Some(Place { table, key: key.to_vec(), kind })
}

/// The key of a [`key`] row.
pub(crate) fn recorded_key(row: &[u8]) -> Option<KeyId> {
    Some(KeyId::from_bytes(row.strip_prefix(&[tag::RECORD])?.try_into().ok()?))
}

/// Key and number of a [`material`] row.
pub(crate) fn parse_material(row: &[u8]) -> Option<(KeyId, u32)> {
    let (id, number) = row.split_first_chunk()?;
    Some((KeyId::from_bytes(*id), u32::from_be_bytes(number.try_into().ok()?)))
}

fn place(table: Table, kind: &'static str, parts: &[&[u8]]) -> Place {
    Place { table, key: parts.concat(), kind }
}

/// A key's record.
pub(crate) fn key(key: KeyId) -> Place {
    place(Table::Key, "key", &[&[tag::RECORD], key.as_bytes()])
}

/// That an account owns a key: what ListKeys walks.
pub(crate) fn owned(account: AccountId, key: KeyId) -> Place {
    place(Table::Key, "owned key", &[&[tag::OWNED], account.as_bytes(), key.as_bytes()])
}

/// All keys of an account.
pub(crate) fn owned_by(account: AccountId) -> Range {
    Range::prefix([&[tag::OWNED][..], account.as_bytes()].concat())
}

/// The key at the end of an [`owned`] row key.
pub(crate) fn owned_key(row: &[u8]) -> Option<KeyId> {
    let id = row.get(1 + AccountId::LEN..)?;
    Some(KeyId::from_bytes(id.try_into().ok()?))
}

/// How many customer keys an account has.
pub(crate) fn count(account: AccountId) -> Place {
    place(Table::Key, "key count", &[&[tag::COUNT], account.as_bytes()])
}

/// What `tick` has to do to a key, and when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Errand {
    /// Destroy the key and its material.
    Destroy = 1,
    /// Give it new material.
    Rotate = 2,
}

/// An errand of a key that is due at a time.
pub(crate) fn due(at: Timestamp, errand: Errand, key: KeyId) -> Place {
    place(Table::Key, "errand", &[&[tag::DUE], &at.as_millis().to_be_bytes(), &[errand as u8], key.as_bytes()])
}

/// Every errand due by `now`.
pub(crate) fn due_by(now: Timestamp) -> Range {
    let after = now.as_millis().saturating_add(1);
    Range::prefix([tag::DUE]).before([&[tag::DUE][..], &after.to_be_bytes()].concat())
}

/// The parts of a [`due`] row key.
pub(crate) fn parse_due(row: &[u8]) -> Option<(Timestamp, Errand, KeyId)> {
    let (&[first], rest) = row.split_first_chunk()?;
    let (at, rest) = rest.split_first_chunk()?;
    let (&[errand], id) = rest.split_first_chunk()?;
    let errand = [Errand::Destroy, Errand::Rotate].into_iter().find(|known| *known as u8 == errand)?;
    let id = KeyId::from_bytes(id.try_into().ok()?);
    (first == tag::DUE).then_some((Timestamp::from_millis(u64::from_be_bytes(*at)), errand, id))
}

/// One material of a key.
pub(crate) fn material(key: KeyId, number: u32) -> Place {
    place(Table::Material, "material", &[key.as_bytes(), &number.to_be_bytes()])
}

/// All materials of a key.
pub(crate) fn materials(key: KeyId) -> Range {
    Range::prefix(key.as_bytes())
}

/// An alias.
pub(crate) fn alias(account: AccountId, name: &AliasName) -> Place {
    place(Table::Alias, "alias", &[&[tag::NAME], account.as_bytes(), name.as_str().as_bytes()])
}

/// All aliases of an account.
pub(crate) fn aliases(account: AccountId) -> Range {
    Range::prefix([&[tag::NAME][..], account.as_bytes()].concat())
}

/// The name at the end of an [`alias`] row key.
pub(crate) fn alias_name(row: &[u8]) -> Option<AliasName> {
    AliasName::parse(std::str::from_utf8(row.get(1 + AccountId::LEN..)?).ok()?)
}

/// That an alias points to a key: what a key's deletion and ListAliases with a key walk.
pub(crate) fn target(key: KeyId, name: &AliasName) -> Place {
    place(Table::Alias, "alias target", &[&[tag::TARGET], key.as_bytes(), name.as_str().as_bytes()])
}

/// All aliases of a key.
pub(crate) fn targets(key: KeyId) -> Range {
    Range::prefix([&[tag::TARGET][..], key.as_bytes()].concat())
}

/// The name at the end of a [`target`] row key.
pub(crate) fn target_name(row: &[u8]) -> Option<AliasName> {
    AliasName::parse(std::str::from_utf8(row.get(1 + KeyId::LEN..)?).ok()?)
}
