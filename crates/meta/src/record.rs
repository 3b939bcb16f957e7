//! Tables, records and ranges of keys.

use std::ops::Bound;

use bytes::Bytes;

/// The tables of a store. What their keys and values mean is their users' business.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    /// Buckets.
    Bucket,
    /// Current object versions.
    Object,
    /// Who owns which blob.
    Blob,
    /// Multipart uploads under way.
    Upload,
    /// Parts of those uploads.
    Part,
    /// KMS keys.
    Key,
    /// Key material.
    Material,
    /// Aliases of keys.
    Alias,
    /// Domain keys.
    DomainKey,
    /// Settings of the installation.
    Setting,
    /// Accounts, users, groups, roles, policies, access keys.
    Identity,
    /// The audit log, block by block.
    Audit,
    /// Where in the audit log what is found.
    AuditIndex,
}

impl Table {
    /// Every table.
    pub const ALL: [Table; 13] = [
        Table::Bucket,
        Table::Object,
        Table::Blob,
        Table::Upload,
        Table::Part,
        Table::Key,
        Table::Material,
        Table::Alias,
        Table::DomainKey,
        Table::Setting,
        Table::Identity,
        Table::Audit,
        Table::AuditIndex,
    ];

    /// The table's name in a database and in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Table::Bucket => "bucket",
            Table::Object => "object",
            Table::Blob => "blob",
            Table::Upload => "upload",
            Table::Part => "part",
            Table::Key => "key",
            Table::Material => "material",
            Table::Alias => "alias",
            Table::DomainKey => "domain_key",
            Table::Setting => "setting",
            Table::Identity => "identity",
            Table::Audit => "audit",
            Table::AuditIndex => "audit_index",
        }
    }

    /// Whether its records are wrapped keys: what is removed from such a table shall be gone, and what
    /// [`Transaction::shred`](crate::Transaction::shred) promises holds for these tables.
    #[must_use]
    pub const fn holds_keys(self) -> bool {
        matches!(self, Table::Material | Table::DomainKey)
    }

    /// Its place in [`Table::ALL`].
    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}

/// A value and its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The value, at most [`MAX_VALUE`](crate::MAX_VALUE) bytes.
    pub value: Bytes,
    /// An attachment that scans never read, at most [`MAX_BODY`](crate::MAX_BODY) bytes. Empty is not the same as none.
    pub body: Option<Bytes>,
}

/// A row as scans return it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The key.
    pub key: Bytes,
    /// The value.
    pub value: Bytes,
}

/// Which end of a range a scan starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Smallest key first.
    Ascending,
    /// Largest key first.
    Descending,
}

/// Keys from `start` to `end`, compared as bytes. A range whose start is beyond its end holds nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// The lower bound.
    pub start: Bound<Vec<u8>>,
    /// The upper bound.
    pub end: Bound<Vec<u8>>,
}

impl Range {
    /// Every key.
    #[must_use]
    pub const fn all() -> Range {
        Range { start: Bound::Unbounded, end: Bound::Unbounded }
    }

    /// The keys that begin with `prefix`.
    #[must_use]
    pub fn prefix(prefix: impl AsRef<[u8]>) -> Range {
        let prefix = prefix.as_ref();
        // The first key after all with this prefix: drop trailing 0xFF, then add one to the last byte. If nothing is
        // left there is no such key, and the range runs to the end.
        let end = match prefix.iter().rposition(|&byte| byte != 0xFF) {
            Some(last) => {
                let mut end = prefix[..=last].to_vec();
                end[last] += 1;
                Bound::Excluded(end)
            }
            None => Bound::Unbounded,
        };
        Range { start: Bound::Included(prefix.to_vec()), end }
    }

    /// The part of this range that lies after `key`.
    #[must_use]
    pub fn after(mut self, key: impl AsRef<[u8]>) -> Range {
        let key = key.as_ref();
        let already = match &self.start {
            Bound::Unbounded => false,
            Bound::Included(start) => start.as_slice() > key,
            Bound::Excluded(start) => start.as_slice() >= key,
        };
        if !already {
            self.start = Bound::Excluded(key.to_vec());
        }
        self
    }

    /// The part of this range that begins at `key`, which is in it.
    #[must_use]
    pub fn starting_at(mut self, key: impl AsRef<[u8]>) -> Range {
        let key = key.as_ref();
        let already = match &self.start {
            Bound::Unbounded => false,
            Bound::Included(start) | Bound::Excluded(start) => start.as_slice() >= key,
        };
        if !already {
            self.start = Bound::Included(key.to_vec());
        }
        self
    }

    /// The part of this range that lies before `key`.
    #[must_use]
    pub fn before(mut self, key: impl AsRef<[u8]>) -> Range {
        let key = key.as_ref();
        let already = match &self.end {
            Bound::Unbounded => false,
            Bound::Included(end) => end.as_slice() < key,
            Bound::Excluded(end) => end.as_slice() <= key,
        };
        if !already {
            self.end = Bound::Excluded(key.to_vec());
        }
        self
    }

    /// Whether `key` is in the range.
    #[must_use]
    pub fn contains(&self, key: &[u8]) -> bool {
        let after_start = match &self.start {
            Bound::Unbounded => true,
            Bound::Included(start) => key >= start.as_slice(),
            Bound::Excluded(start) => key > start.as_slice(),
        };
        let before_end = match &self.end {
            Bound::Unbounded => true,
            Bound::Included(end) => key <= end.as_slice(),
            Bound::Excluded(end) => key < end.as_slice(),
        };
        after_start && before_end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_is_the_place_in_all() {
        for (index, table) in Table::ALL.into_iter().enumerate() {
            assert_eq!(table.index(), index);
        }
    }

    #[test]
    fn a_prefix_of_0xff_has_no_end() {
        assert_eq!(Range::prefix([0xFF, 0xFF]).end, Bound::Unbounded);
        assert_eq!(Range::prefix([]).end, Bound::Unbounded);
        assert_eq!(
            Range::prefix([1, 0xFF]).end,
            Bound::Excluded(vec![2]),
            "trailing 0xFF is dropped, or the range would hold keys without the prefix"
        );
    }

    #[test]
    fn narrowing_never_widens() {
        let range = Range::prefix("b");
        assert_eq!(range.clone().after("a"), range);
        assert_eq!(range.clone().starting_at("a"), range);
        assert_eq!(range.clone().before("z"), range);
        let narrow = range.after("b1").starting_at("b1").before("b3");
        assert!(!narrow.contains(b"b1") && narrow.contains(b"b10") && narrow.contains(b"b2"));
        assert!(!narrow.contains(b"b3"));
    }
}
