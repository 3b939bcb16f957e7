//! The walk behind every listing: names in the order of their bytes, rolled up to common prefixes at a delimiter.
//!
//! A common prefix costs one seek, however many names it holds: the walk goes on behind it.

use crate::error::Error;
use crate::name::ObjectName;
use crate::objects::Objects;
use meta::{Order, Range, Row, Table};
use std::ops::Bound;

/// What to walk over.
pub(crate) struct Walk<'a> {
    pub(crate) table: Table,
    /// Row keys begin with it, before the name: the bucket's id.
    pub(crate) base: &'a [u8],
    pub(crate) prefix: &'a str,
    pub(crate) delimiter: Option<&'a str>,
    /// Bytes of a row key behind the name.
    pub(crate) suffix: usize,
    /// Where to begin, from [`Walk::whole`] or [`Walk::after_name`].
    pub(crate) range: Range,
}

/// One thing that a listing shows.
pub(crate) enum Shown {
    Row(ObjectName, Row),
    Prefix(String),
}

impl<'a> Walk<'a> {
    /// A walk over all names with the prefix.
    pub(crate) fn whole(table: Table, base: &'a [u8], prefix: &'a str, delimiter: Option<&'a str>) -> Walk<'a> {
        let delimiter = delimiter.filter(|delimiter| !delimiter.is_empty());
        let range = Range::prefix([base, prefix.as_bytes()].concat());
        Walk { table, base, prefix, delimiter, suffix: 0, range }
    }

    /// The part of the walk that shows what comes after `name`. A common prefix that holds `name` is behind it as a whole.
    pub(crate) fn after_name(self, name: &str) -> Walk<'a> {
        self.after_row(name, &[])
    }

    /// As [`after_name`](Self::after_name) for rows with `suffix` behind their name.
    pub(crate) fn after_row(mut self, name: &str, suffix: &[u8]) -> Walk<'a> {
        self.range = match self.rolled(name) {
            Some(common) => behind(self.range, &[self.base, common.as_bytes()].concat()),
            None => self.range.after([self.base, name.as_bytes(), suffix].concat()),
        };
        self
    }

    /// The common prefix that `name` is rolled up to.
    fn rolled<'n>(&self, name: &'n str) -> Option<&'n str> {
        let delimiter = self.delimiter?;
        let found = name.strip_prefix(self.prefix)?.find(delimiter)?;
        Some(&name[..self.prefix.len() + found + delimiter.len()])
    }

    fn name<'k>(&self, key: &'k [u8]) -> Option<&'k str> {
        let end = key.len().checked_sub(self.suffix)?;
        std::str::from_utf8(key.get(self.base.len()..end)?).ok()
    }
}

impl Objects {
    /// At most `limit` things, and whether there are more.
    pub(crate) async fn walk(&self, mut walk: Walk<'_>, limit: usize) -> Result<(Vec<Shown>, bool), Error> {
        let mut shown: Vec<Shown> = Vec::new();
        loop {
            // One more than is shown tells whether there is more.
            let wanted = (limit + 1 - shown.len()).min(BATCH);
            let rows = self.store.scan(walk.table, &walk.range, Order::Ascending, wanted).await?;
            let exhausted = rows.len() < wanted;
            let mut common: Option<Vec<u8>> = None;
            for row in rows {
                if common.as_ref().is_some_and(|common| row.key.starts_with(common)) {
                    continue;
                }
                if shown.len() == limit {
                    return Ok((shown, true));
                }
                let name = walk.name(&row.key).ok_or_else(|| {
                    tracing::error!(table = walk.table.name(), "a row key without a name");
                    Error::DamagedObject
                })?;
                if let Some(prefix) = walk.rolled(name) {
                    common = Some([walk.base, prefix.as_bytes()].concat());
                    shown.push(Shown::Prefix(prefix.to_owned()));
                } else {
                    walk.range = walk.range.after(&row.key);
                    shown.push(Shown::Row(ObjectName::parse(name)?, row));
                }
            }
            match common {
                Some(common) => walk.range = behind(walk.range, &common),
                None if exhausted => return Ok((shown, false)),
                None => {}
            }
        }
    }
}

/// The part of `range` behind all keys that begin with `prefix`.
fn behind(range: Range, prefix: &[u8]) -> Range {
    match Range::prefix(prefix).end {
        Bound::Excluded(end) => range.starting_at(end),
        // Names are UTF-8 and bases are followed by them: a prefix of 0xFF alone does not occur, and has nothing behind it.
        _ => Range { start: Bound::Excluded(prefix.to_vec()), end: Bound::Excluded(prefix.to_vec()) },
    }
}

/// Rows in one read of the store: enough to make the seek worth it, few enough not to hold a thread.
const BATCH: usize = 256;
