//! Pages of lists: `Marker`, `MaxItems`, `IsTruncated`.

use data_encoding::BASE64URL_NOPAD;
use meta::Range;
use policy::AccountId;

use crate::Identity;
use crate::entity::Entity;
use crate::error::Error;
use crate::limits::{DEFAULT_PAGE, SCAN};
use crate::record::Head;
use crate::rows::{self, Kind, Place};

/// A page of a list, and the marker of the next.
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) marker: Option<String>,
}

impl<T> Page<T> {
    pub(crate) fn is_truncated(&self) -> bool {
        self.marker.is_some()
    }

    pub(crate) fn map<U>(self, to: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(to).collect(), marker: self.marker }
    }
}

/// Where a page begins and how long it is, from checked parameters.
pub(crate) struct Paging {
    /// The key of the last entry of the page before.
    after: Option<Vec<u8>>,
    limit: usize,
}

impl Paging {
    /// # Errors
    /// [`Error::Validation`] for a marker that no page gave.
    pub(crate) fn new(marker: Option<&str>, max_items: Option<i64>) -> Result<Self, Error> {
        let limit = max_items.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(DEFAULT_PAGE);
        let after = marker.map(|marker| BASE64URL_NOPAD.decode(marker.as_bytes())).transpose();
        Ok(Self { after: after.map_err(|_| invalid_marker())?, limit })
    }

    /// A page of a list that is at hand, in the order of what `key` gives, which is different for each entry.
    pub(crate) fn slice<T>(&self, mut entries: Vec<T>, key: impl Fn(&T) -> Vec<u8>) -> Page<T> {
        entries.sort_by_cached_key(&key);
        if let Some(after) = &self.after {
            entries.retain(|entry| key(entry) > *after);
        }
        let more = entries.len() > self.limit;
        entries.truncate(self.limit);
        let marker = if more { entries.last().map(|last| BASE64URL_NOPAD.encode(&key(last))) } else { None };
        Page { items: entries, marker }
    }

    /// A page of a list that is at hand and in the order that it shall have.
    pub(crate) fn in_order<T>(&self, entries: Vec<T>) -> Page<T> {
        let numbered: Vec<(u32, T)> = (0..).zip(entries).collect();
        self.slice(numbered, |(number, _)| number.to_be_bytes().to_vec()).map(|(_, entry)| entry)
    }

    /// A page of the rows of a range, of those that `pick` makes something of. Markers are what row keys have after `skip` bytes.
    ///
    /// # Errors
    /// A failing store, and those of `pick`.
    pub(crate) async fn rows<T>(
        &self,
        identity: &Identity,
        range: Range,
        skip: usize,
        mut pick: impl FnMut(&meta::Row) -> Result<Option<T>, Error> + Send,
    ) -> Result<Page<T>, Error> {
        let mut range = range;
        if let (Some(after), std::ops::Bound::Included(start)) = (&self.after, &range.start) {
            let key = [&start[..], after].concat();
            range = range.after(key);
        }
        let mut items = Vec::new();
        let mut last = Vec::new();
        loop {
            let step = identity.rows.scan(&range, SCAN.min(self.limit + 1)).await?;
            let more = step.len() == SCAN.min(self.limit + 1);
            for row in &step {
                let Some(item) = pick(row)? else { continue };
                if items.len() == self.limit {
                    return Ok(Page { items, marker: Some(BASE64URL_NOPAD.encode(&last)) });
                }
                items.push(item);
                last = row.key.get(skip..).unwrap_or_default().to_vec();
            }
            match step.last() {
                Some(row) if more => range = range.after(&row.key),
                _ => return Ok(Page { items, marker: None }),
            }
        }
    }

    /// A page of the entities of a kind whose path begins with `prefix`, in the order of their names.
    ///
    /// # Errors
    /// A failing store; a damaged row.
    pub(crate) async fn heads(
        &self,
        identity: &Identity,
        account: AccountId,
        kind: Kind,
        prefix: Option<&str>,
    ) -> Result<Page<Head>, Error> {
        let range = rows::names(account, kind);
        let skip = rows::name(account, kind, "").key.len();
        let prefix = prefix.unwrap_or("/");
        self.rows(identity, range, skip, |row| {
            let head: Head = identity.rows.small(&Place { key: row.key.to_vec(), kind: "name" }, &row.value)?;
            Ok(head.path.starts_with(prefix).then_some(head))
        })
        .await
    }
}

/// All entities of a page's heads that are still there.
///
/// # Errors
/// A failing store; a damaged row.
pub(crate) async fn load<E: Entity>(
    identity: &Identity,
    account: AccountId,
    page: Page<Head>,
) -> Result<Page<E>, Error> {
    let mut items = Vec::with_capacity(page.items.len());
    for head in page.items {
        items.extend(identity.rows.read::<E>(&E::place(account, &head.id)).await?);
    }
    Ok(Page { items, marker: page.marker })
}

fn invalid_marker() -> Error {
    Error::Validation("Invalid Marker.".to_owned())
}
