//! Row keys of the tables that this crate owns. docs/formats/key-records.md draws them.

use meta::{Range, Table};

use crate::identifier::{AliasName, KeyId};
use crate::principal::{AccountId, Region};
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
    pub(super) const LAST_USE: u8 = 4;

    pub(super) const NAME: u8 = 0;
    pub(super) const TARGET: u8 = 1;

    /// Set in the tag of a row that belongs to another Region than the store's home.
    pub(super) const ELSEWHERE: u8 = 0x80;
}

/// What the row of a material elsewhere begins with, where a row at home has its key's id. No id has a UUID version of 15.
const MATERIAL_ELSEWHERE: [u8; KeyId::LEN] = [0xff; KeyId::LEN];

/// The rows of one Region. Those of the home Region begin with their tag alone, as they did before there were others; those of
/// another begin with the tag, [`tag::ELSEWHERE`] set, and the Region's name behind its length.
#[derive(Clone, Debug)]
pub(crate) struct Rows {
    /// The length and name of a Region that is not the home.
    elsewhere: Option<Vec<u8>>,
}

/// The place of a row of [`Table::Key`] or [`Table::Alias`], by its first byte.
pub(crate) fn read_place(table: Table, key: &[u8]) -> Option<Place> {
    let kind = match (table, *key.first()? & !tag::ELSEWHERE) {
        (Table::Key, tag::RECORD) => "key",
        (Table::Key, tag::OWNED) => "owned key",
        (Table::Key, tag::COUNT) => "key count",
        (Table::Key, tag::DUE) => "errand",
        (Table::Key, tag::LAST_USE) => "last use",
        (Table::Alias, tag::NAME) => "alias",
        (Table::Alias, tag::TARGET) => "alias target",
        _ => return None,
    };
    Some(Place { table, key: key.to_vec(), kind })
}

/// Whether a row of [`Table::Material`] is of another Region than the home.
pub(crate) fn is_material_elsewhere(row: &[u8]) -> bool {
    row.starts_with(&MATERIAL_ELSEWHERE)
}

/// What `tick` has to do to a key, and when.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Errand {
    /// Destroy the key and its material.
    Destroy = 1,
    /// Give it new material.
    Rotate = 2,
    /// Destroy an imported material whose time is over.
    Expire = 3,
}

impl Rows {
    pub(crate) fn new(home: &Region, region: &Region) -> Self {
        let name = region.as_str().as_bytes();
        let len = u8::try_from(name.len()).expect("a Region name has at most 63 bytes");
        Self { elsewhere: (home != region).then(|| [&[len][..], name].concat()) }
    }

    fn place(&self, table: Table, kind: &'static str, tag: u8, parts: &[&[u8]]) -> Place {
        let mut key = self.head(tag);
        parts.iter().for_each(|part| key.extend_from_slice(part));
        Place { table, key, kind }
    }

    /// The start of every row of this Region with this tag.
    fn head(&self, tag: u8) -> Vec<u8> {
        match &self.elsewhere {
            None => vec![tag],
            Some(region) => [&[tag | tag::ELSEWHERE][..], region].concat(),
        }
    }

    /// What follows the head, if the row is one of this Region with this tag.
    fn tail<'a>(&self, tag: u8, row: &'a [u8]) -> Option<&'a [u8]> {
        row.strip_prefix(&self.head(tag)[..])
    }

    fn all(&self, tag: u8, parts: &[&[u8]]) -> Range {
        Range::prefix(self.place(Table::Key, "", tag, parts).key)
    }

    /// A key's record.
    pub(crate) fn key(&self, key: KeyId) -> Place {
        self.place(Table::Key, "key", tag::RECORD, &[key.as_bytes()])
    }

    /// The key of a [`Rows::key`] row.
    pub(crate) fn recorded_key(&self, row: &[u8]) -> Option<KeyId> {
        Some(KeyId::from_bytes(self.tail(tag::RECORD, row)?.try_into().ok()?))
    }

    /// That an account owns a key: what ListKeys walks.
    pub(crate) fn owned(&self, account: AccountId, key: KeyId) -> Place {
        self.place(Table::Key, "owned key", tag::OWNED, &[account.as_bytes(), key.as_bytes()])
    }

    /// All keys of an account.
    pub(crate) fn owned_by(&self, account: AccountId) -> Range {
        self.all(tag::OWNED, &[account.as_bytes()])
    }

    /// The key at the end of an [`Rows::owned`] row key.
    pub(crate) fn owned_key(&self, row: &[u8]) -> Option<KeyId> {
        let id = self.tail(tag::OWNED, row)?.get(AccountId::LEN..)?;
        Some(KeyId::from_bytes(id.try_into().ok()?))
    }

    /// How many customer keys an account has.
    pub(crate) fn count(&self, account: AccountId) -> Place {
        self.place(Table::Key, "key count", tag::COUNT, &[account.as_bytes()])
    }

    /// An errand of a key that is due at a time.
    pub(crate) fn due(&self, at: Timestamp, errand: Errand, key: KeyId) -> Place {
        self.place(Table::Key, "errand", tag::DUE, &[&at.as_millis().to_be_bytes(), &[errand as u8], key.as_bytes()])
    }

    /// Every errand due by `now`.
    pub(crate) fn due_by(&self, now: Timestamp) -> Range {
        let after = now.as_millis().saturating_add(1);
        self.all(tag::DUE, &[]).before([&self.head(tag::DUE)[..], &after.to_be_bytes()].concat())
    }

    /// The parts of a [`Rows::due`] row key.
    pub(crate) fn parse_due(&self, row: &[u8]) -> Option<(Timestamp, Errand, KeyId)> {
        let (at, rest) = self.tail(tag::DUE, row)?.split_first_chunk()?;
        let (&[errand], id) = rest.split_first_chunk()?;
        let known = [Errand::Destroy, Errand::Rotate, Errand::Expire];
        let errand = known.into_iter().find(|known| *known as u8 == errand)?;
        let id = KeyId::from_bytes(id.try_into().ok()?);
        Some((Timestamp::from_millis(u64::from_be_bytes(*at)), errand, id))
    }

    /// When and how a key was last used.
    pub(crate) fn last_use(&self, key: KeyId) -> Place {
        self.place(Table::Key, "last use", tag::LAST_USE, &[key.as_bytes()])
    }

    /// One material of a key.
    pub(crate) fn material(&self, key: KeyId, number: u32) -> Place {
        let key = [&self.materials_of(key)[..], &number.to_be_bytes()].concat();
        Place { table: Table::Material, key, kind: "material" }
    }

    /// All materials of a key.
    pub(crate) fn materials(&self, key: KeyId) -> Range {
        Range::prefix(self.materials_of(key))
    }

    fn materials_of(&self, key: KeyId) -> Vec<u8> {
        match &self.elsewhere {
            None => key.as_bytes().to_vec(),
            Some(region) => [&MATERIAL_ELSEWHERE[..], region, key.as_bytes()].concat(),
        }
    }

    /// Key and number of a [`Rows::material`] row.
    pub(crate) fn parse_material(&self, row: &[u8]) -> Option<(KeyId, u32)> {
        let row = match &self.elsewhere {
            None => row,
            Some(region) => row.strip_prefix(&MATERIAL_ELSEWHERE)?.strip_prefix(&region[..])?,
        };
        let (id, number) = row.split_first_chunk()?;
        Some((KeyId::from_bytes(*id), u32::from_be_bytes(number.try_into().ok()?)))
    }

    /// An alias.
    pub(crate) fn alias(&self, account: AccountId, name: &AliasName) -> Place {
        self.place(Table::Alias, "alias", tag::NAME, &[account.as_bytes(), name.as_str().as_bytes()])
    }

    /// All aliases of an account.
    pub(crate) fn aliases(&self, account: AccountId) -> Range {
        self.all(tag::NAME, &[account.as_bytes()])
    }

    /// The name at the end of an [`Rows::alias`] row key.
    pub(crate) fn alias_name(&self, row: &[u8]) -> Option<AliasName> {
        let name = self.tail(tag::NAME, row)?.get(AccountId::LEN..)?;
        AliasName::parse(std::str::from_utf8(name).ok()?)
    }

    /// That an alias points to a key: what a key's deletion and ListAliases with a key walk.
    pub(crate) fn target(&self, key: KeyId, name: &AliasName) -> Place {
        self.place(Table::Alias, "alias target", tag::TARGET, &[key.as_bytes(), name.as_str().as_bytes()])
    }

    /// All aliases of a key.
    pub(crate) fn targets(&self, key: KeyId) -> Range {
        self.all(tag::TARGET, &[key.as_bytes()])
    }

    /// The name at the end of a [`Rows::target`] row key.
    pub(crate) fn target_name(&self, row: &[u8]) -> Option<AliasName> {
        let name = self.tail(tag::TARGET, row)?.get(KeyId::LEN..)?;
        AliasName::parse(std::str::from_utf8(name).ok()?)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    fn regions() -> [Rows; 3] {
        let region = |name| Region::parse(name).unwrap();
        ["eu-west-1", "eu-west-2", "eu-west-10"].map(|name| Rows::new(&region("eu-west-1"), &region(name)))
    }

    #[test]
    fn rows_at_home_are_as_they_were_before_there_were_other_regions() {
        let [home, ..] = regions();
        let (id, account) = (KeyId::from_bytes([7; 16]), AccountId::parse("111122223333").unwrap());
        assert_eq!(home.key(id).key, [&[0][..], &[7; 16]].concat());
        assert_eq!(home.owned(account, id).key, [&[1][..], b"111122223333", &[7; 16]].concat());
        assert_eq!(home.material(id, 3).key, [&[7; 16][..], &[0, 0, 0, 3]].concat());
        let name = AliasName::parse("alias/a").unwrap();
        assert_eq!(home.alias(account, &name).key, b"\x00111122223333alias/a");
    }

    #[test]
    fn no_region_sees_rows_of_another() {
        let (id, account) = (KeyId::generate(), AccountId::parse("111122223333").unwrap());
        let name = AliasName::parse("alias/a").unwrap();
        let at = Timestamp::from_millis(5);
        for (own, one) in regions().iter().enumerate() {
            for (other, two) in regions().iter().enumerate() {
                let same = own == other;
                assert_eq!(two.recorded_key(&one.key(id).key).is_some(), same);
                assert_eq!(two.owned_key(&one.owned(account, id).key).is_some(), same);
                assert_eq!(two.owned_by(account).contains(&one.owned(account, id).key), same);
                assert_eq!(two.due_by(at).contains(&one.due(at, Errand::Rotate, id).key), same);
                assert_eq!(two.parse_due(&one.due(at, Errand::Expire, id).key).is_some(), same);
                assert_eq!(two.materials(id).contains(&one.material(id, 1).key), same);
                assert_eq!(two.parse_material(&one.material(id, 1).key) == Some((id, 1)), same);
                assert_eq!(two.alias_name(&one.alias(account, &name).key) == Some(name.clone()), same);
                assert_eq!(two.aliases(account).contains(&one.alias(account, &name).key), same);
                assert_eq!(two.target_name(&one.target(id, &name).key) == Some(name.clone()), same);
                assert_eq!(two.targets(id).contains(&one.target(id, &name).key), same);
            }
        }
    }
}
