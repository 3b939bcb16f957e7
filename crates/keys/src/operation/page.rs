//! Pages of lists: `Limit`, `Marker`, `NextMarker`, `Truncated`.

use data_encoding::BASE64URL_NOPAD;
use meta::{Range, Row, Table};

use crate::error::Error;
use crate::vault::Vault;

/// Where a page begins and how long it is.
pub(super) struct Page {
    /// The last row key (or entry) of the page before.
    pub(super) after: Option<Vec<u8>>,
    pub(super) limit: usize,
}

impl Page {
    /// From checked parameters.
    ///
    /// # Errors
    /// [`Error::InvalidMarker`] for a marker that no page gave.
    pub(super) fn new(limit: Option<i64>, marker: Option<&str>, default: usize) -> Result<Self, Error> {
        let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(default);
        let after = marker.map(|marker| BASE64URL_NOPAD.decode(marker.as_bytes())).transpose();
        let after = after.map_err(|_| invalid_marker())?;
        Ok(Self { after, limit })
    }
}

/// The marker that the page after `last` begins behind.
pub(super) fn marker(last: &[u8]) -> String {
    BASE64URL_NOPAD.encode(last)
}

pub(super) fn invalid_marker() -> Error {
    Error::InvalidMarker("The marker is not valid.".to_owned())
}

/// A page of the rows of `range`, and the next page's marker if there is more.
///
/// # Errors
/// [`Error::InvalidMarker`] if the marker is of another list.
pub(super) async fn list(
    vault: &Vault,
    table: Table,
    range: Range,
    page: Page,
) -> Result<(Vec<Row>, Option<String>), Error> {
    list_all(vault, table, vec![range], page).await
}

/// The same of the rows of several ranges, one after the other.
///
/// # Errors
/// [`Error::InvalidMarker`] if the marker is of another list.
pub(super) async fn list_all(
    vault: &Vault,
    table: Table,
    mut ranges: Vec<Range>,
    page: Page,
) -> Result<(Vec<Row>, Option<String>), Error> {
    if let Some(after) = page.after {
        let at = ranges.iter().position(|range| range.contains(&after)).ok_or_else(invalid_marker)?;
        ranges.drain(..at);
        ranges[0] = ranges[0].clone().after(after);
    }
    let mut rows = Vec::new();
    for range in &ranges {
        rows.extend(vault.scan(table, range, page.limit + 1 - rows.len()).await?);
        if rows.len() > page.limit {
            break;
        }
    }
    if rows.len() <= page.limit {
        return Ok((rows, None));
    }
    rows.truncate(page.limit);
    let next = rows.last().map(|row| marker(&row.key));
    Ok((rows, next))
}

/// A page of a list that is at hand.
pub(super) fn slice<T: Clone>(
    entries: &[T],
    page: &Page,
    name: impl Fn(&T) -> Vec<u8>,
) -> Result<(Vec<T>, Option<String>), Error> {
    let start = match &page.after {
        Some(after) => entries.iter().position(|entry| name(entry) == *after).ok_or_else(invalid_marker)? + 1,
        None => 0,
    };
    let end = entries.len().min(start + page.limit);
    let next = (end < entries.len()).then(|| marker(&name(&entries[end - 1])));
    Ok((entries[start..end].to_vec(), next))
}
