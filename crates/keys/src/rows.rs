//! Row keys of the tables that this crate owns. docs/formats/key-records.md draws them.

use meta::{Range, Table};
use uuid::Uuid;

use crate::grant::{GrantId, PARTY_HASH, PartyHash};
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
    /// How many keys an account had, when that was counted in a row. Read by nobody any more.
    pub(super) const COUNT: u8 = 2;
    pub(super) const DUE: u8 = 3;
    pub(super) const LAST_USE: u8 = 4;
    pub(super) const SERVICE_EVENT: u8 = 5;
    pub(super) const KEY_STORE: u8 = 0x10;
    pub(super) const CLAIM: u8 = 0x11;
    pub(super) const STORED_KEY: u8 = 0x12;
    pub(super) const DISCARD: u8 = 0x13;
    pub(super) const POLICY: u8 = 0x20;
    pub(super) const GRANT: u8 = 0x21;
    pub(super) const GRANTEE: u8 = 0x22;
    pub(super) const RETIRING: u8 = 0x23;
    pub(super) const GRANT_TERMS: u8 = 0x24;
    pub(super) const GRANT_COUNT: u8 = 0x25;

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
        (Table::Key, tag::SERVICE_EVENT) => "service event",
        (Table::Key, tag::POLICY) => "key policy",
        (Table::Key, tag::GRANT) => "grant",
        (Table::Key, tag::GRANTEE) => "grantee",
        (Table::Key, tag::RETIRING) => "retiring principal",
        (Table::Key, tag::GRANT_TERMS) => "grant terms",
        (Table::Key, tag::GRANT_COUNT) => "grant count",
        (Table::Key, tag::KEY_STORE) => "custom key store",
        (Table::Key, tag::CLAIM) => "claim",
        (Table::Key, tag::STORED_KEY) => "stored key",
        (Table::Key, tag::DISCARD) => "discarded material",
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

/// What a custom key store has for itself alone. Its row holds the store's id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Claim {
    /// A name in an account.
    StoreName(AccountId, String),
    /// An HSM, and those that are copies of it.
    Hsm(String),
    /// The place of a proxy in an account: endpoint and path.
    ProxyUri(AccountId, String),
    /// An external key, in the store of this id. Taken for a KMS key, as long as it stands.
    ExternalKey(String, String),
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

    /// Since when last uses are noted. It begins as the rows of [`Rows::last_use`] do, and ends where they name a key.
    pub(crate) fn tracking_start(&self) -> Place {
        self.place(Table::Key, "last use", tag::LAST_USE, &[])
    }

    /// What KMS did at a time, by itself, and nobody has recorded yet.
    pub(crate) fn service_event(&self, at: Timestamp, id: Uuid) -> Place {
        let at = at.as_millis().to_be_bytes();
        self.place(Table::Key, "service event", tag::SERVICE_EVENT, &[&at, id.as_bytes()])
    }

    /// All of them, oldest first.
    pub(crate) fn service_events(&self) -> Range {
        self.all(tag::SERVICE_EVENT, &[])
    }

    /// The parts of a [`Rows::service_event`] row key.
    pub(crate) fn parse_service_event(&self, row: &[u8]) -> Option<(Timestamp, Uuid)> {
        let (at, id) = self.tail(tag::SERVICE_EVENT, row)?.split_first_chunk()?;
        Some((Timestamp::from_millis(u64::from_be_bytes(*at)), Uuid::from_bytes(id.try_into().ok()?)))
    }

    /// A custom key store's record.
    pub(crate) fn key_store(&self, account: AccountId, id: &str) -> Place {
        self.place(Table::Key, "custom key store", tag::KEY_STORE, &[account.as_bytes(), id.as_bytes()])
    }

    /// All custom key stores of an account.
    pub(crate) fn key_stores_of(&self, account: AccountId) -> Range {
        self.all(tag::KEY_STORE, &[account.as_bytes()])
    }

    /// All custom key stores.
    pub(crate) fn key_stores(&self) -> Range {
        self.all(tag::KEY_STORE, &[])
    }

    /// The account and id of a [`Rows::key_store`] row.
    pub(crate) fn parse_key_store(&self, row: &[u8]) -> Option<(AccountId, String)> {
        let (account, id) = self.tail(tag::KEY_STORE, row)?.split_first_chunk()?;
        Some((AccountId::from_bytes(*account)?, String::from_utf8(id.to_vec()).ok()?))
    }

    /// What a custom key store has for itself alone.
    pub(crate) fn claim(&self, claim: &Claim) -> Place {
        let (kind, owner, text): (u8, &[u8], _) = match claim {
            Claim::StoreName(account, name) => (0, account.as_bytes(), name),
            Claim::Hsm(name) => (1, &[], name),
            Claim::ProxyUri(account, place) => (2, account.as_bytes(), place),
            // All ids of stores are of one length.
            Claim::ExternalKey(store, key) => (3, store.as_bytes(), key),
        };
        self.place(Table::Key, "claim", tag::CLAIM, &[&[kind], owner, text.as_bytes()])
    }

    /// That a key's material is in a custom key store.
    pub(crate) fn stored_key(&self, store: &str, key: KeyId) -> Place {
        self.place(Table::Key, "stored key", tag::STORED_KEY, &[store.as_bytes(), &[0], key.as_bytes()])
    }

    /// All keys of a custom key store.
    pub(crate) fn stored_keys_of(&self, store: &str) -> Range {
        self.all(tag::STORED_KEY, &[store.as_bytes(), &[0]])
    }

    /// That a custom key store shall destroy a key's material from a time on, unless the key stands.
    pub(crate) fn discard(&self, at: Timestamp, key: KeyId) -> Place {
        let at = at.as_millis().to_be_bytes();
        self.place(Table::Key, "discarded material", tag::DISCARD, &[&at, key.as_bytes()])
    }

    /// All material to be destroyed by `now`.
    pub(crate) fn discards_by(&self, now: Timestamp) -> Range {
        let after = now.as_millis().saturating_add(1);
        self.all(tag::DISCARD, &[]).before([&self.head(tag::DISCARD)[..], &after.to_be_bytes()].concat())
    }

    /// The parts of a [`Rows::discard`] row key.
    pub(crate) fn parse_discard(&self, row: &[u8]) -> Option<(Timestamp, KeyId)> {
        let (at, id) = self.tail(tag::DISCARD, row)?.split_first_chunk()?;
        Some((Timestamp::from_millis(u64::from_be_bytes(*at)), KeyId::from_bytes(id.try_into().ok()?)))
    }

    /// A key's policy, where it is not the default one.
    pub(crate) fn policy(&self, key: KeyId) -> Place {
        self.place(Table::Key, "key policy", tag::POLICY, &[key.as_bytes()])
    }

    /// A grant.
    pub(crate) fn grant(&self, key: KeyId, grant: GrantId) -> Place {
        self.place(Table::Key, "grant", tag::GRANT, &[key.as_bytes(), grant.as_bytes()])
    }

    /// All grants of a key.
    pub(crate) fn grants(&self, key: KeyId) -> Range {
        self.all(tag::GRANT, &[key.as_bytes()])
    }

    /// The grant at the end of a row of [`Rows::grant`], [`Rows::grantee`] or [`Rows::retiring`].
    pub(crate) fn last_grant(row: &[u8]) -> Option<GrantId> {
        row.last_chunk().map(|id| GrantId::from_bytes(*id))
    }

    /// That a grant of a key is to a principal: what every decision by grants walks.
    pub(crate) fn grantee(&self, key: KeyId, grantee: &PartyHash, grant: GrantId) -> Place {
        self.place(Table::Key, "grantee", tag::GRANTEE, &[key.as_bytes(), grantee, grant.as_bytes()])
    }

    /// All grants of a key to a principal.
    pub(crate) fn granted_to(&self, key: KeyId, grantee: &PartyHash) -> Range {
        self.all(tag::GRANTEE, &[key.as_bytes(), grantee])
    }

    /// That a principal may retire a grant: what ListRetirableGrants walks.
    pub(crate) fn retiring(&self, retiring: &PartyHash, key: KeyId, grant: GrantId) -> Place {
        self.place(Table::Key, "retiring principal", tag::RETIRING, &[retiring, key.as_bytes(), grant.as_bytes()])
    }

    /// All grants that a principal may retire.
    pub(crate) fn retirable_by(&self, retiring: &PartyHash) -> Range {
        self.all(tag::RETIRING, &[retiring])
    }

    /// Key and grant at the end of a [`Rows::retiring`] row key.
    pub(crate) fn retirable(&self, row: &[u8]) -> Option<(KeyId, GrantId)> {
        let rest = self.tail(tag::RETIRING, row)?.get(PARTY_HASH..)?;
        let (key, grant) = rest.split_first_chunk()?;
        Some((KeyId::from_bytes(*key), GrantId::from_bytes(grant.try_into().ok()?)))
    }

    /// The grant of a key that has a name and these terms: what makes CreateGrant idempotent.
    pub(crate) fn grant_terms(&self, key: KeyId, terms: &[u8; 32]) -> Place {
        self.place(Table::Key, "grant terms", tag::GRANT_TERMS, &[key.as_bytes(), terms])
    }

    /// How many grants a key has.
    pub(crate) fn grant_count(&self, key: KeyId) -> Place {
        self.place(Table::Key, "grant count", tag::GRANT_COUNT, &[key.as_bytes()])
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
                let (party, grant) = ([3; PARTY_HASH], GrantId::from_bytes([4; GrantId::LEN]));
                assert_eq!(two.grants(id).contains(&one.grant(id, grant).key), same);
                assert_eq!(two.granted_to(id, &party).contains(&one.grantee(id, &party, grant).key), same);
                let retiring = one.retiring(&party, id, grant).key;
                assert_eq!(two.retirable_by(&party).contains(&retiring), same);
                assert_eq!(two.retirable(&retiring) == Some((id, grant)), same);
                assert_eq!(two.due_by(at).contains(&one.due(at, Errand::Rotate, id).key), same);
                assert_eq!(two.parse_due(&one.due(at, Errand::Expire, id).key).is_some(), same);
                let event = one.service_event(at, Uuid::nil()).key;
                assert_eq!(two.service_events().contains(&event), same);
                assert_eq!(two.parse_service_event(&event) == Some((at, Uuid::nil())), same);
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
