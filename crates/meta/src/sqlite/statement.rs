//! Every SQL statement of the store.

use std::ops::Bound;
use std::sync::LazyLock;

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, params};

use super::schema::table_name;
use crate::{Expect, Order, Range, Record, Row, Table, Write};

/// The texts of one table's statements; a connection finds the prepared statement by its text.
struct Texts {
    value: String,
    record: String,
    put: String,
    delete: String,
    /// By order (ascending, descending), then by whether the range has an end.
    scan: [[String; 2]; 2],
}

static TEXTS: LazyLock<[Texts; Table::ALL.len()]> = LazyLock::new(|| Table::ALL.map(texts));

fn texts(table: Table) -> Texts {
    let name = table_name(table);
    let scan = |order| {
        ["", " AND k < ?3"].map(|end| format!("SELECT k, v FROM {name} WHERE k >= ?1{end} ORDER BY k {order} LIMIT ?2"))
    };
    Texts {
        value: format!("SELECT v FROM {name} WHERE k = ?1"),
        record: format!("SELECT v, b FROM {name} WHERE k = ?1"),
        // Unlike REPLACE, this leaves an overwritten row where it is and does not touch the index.
        put: format!(
            "INSERT INTO {name} (k, v, b) VALUES (?1, ?2, ?3) \
             ON CONFLICT (k) DO UPDATE SET v = excluded.v, b = excluded.b"
        ),
        delete: format!("DELETE FROM {name} WHERE k = ?1"),
        scan: [scan("ASC"), scan("DESC")],
    }
}

fn of(table: Table) -> &'static Texts {
    &TEXTS[table.index()]
}

/// The value under a key.
pub(super) fn value(connection: &Connection, table: Table, key: &[u8]) -> rusqlite::Result<Option<Bytes>> {
    let mut statement = connection.prepare_cached(&of(table).value)?;
    statement.query_row([key], |row| blob(row, 0)).optional()
}

/// The value and body under a key.
pub(super) fn record(connection: &Connection, table: Table, key: &[u8]) -> rusqlite::Result<Option<Record>> {
    let mut statement = connection.prepare_cached(&of(table).record)?;
    let read = |row: &rusqlite::Row<'_>| {
        let body = row.get_ref(1)?.as_blob_or_null()?;
        Ok(Record { value: blob(row, 0)?, body: body.map(Bytes::copy_from_slice) })
    };
    statement.query_row([key], read).optional()
}

/// Appends at most `limit` rows to `rows`, and stops early once they weigh `bytes`. Returns whether the range is exhausted.
pub(super) fn scan(
    connection: &Connection,
    table: Table,
    range: &Range,
    order: Order,
    limit: usize,
    bytes: usize,
    rows: &mut Vec<Row>,
) -> rusqlite::Result<bool> {
    // The first key after k is k followed by a zero byte, so every bound can be brought to "from this key" and "below that".
    let start = match &range.start {
        Bound::Unbounded => Vec::new(),
        Bound::Included(key) => key.clone(),
        Bound::Excluded(key) => successor(key),
    };
    let end = match &range.end {
        Bound::Unbounded => None,
        Bound::Included(key) => Some(successor(key)),
        Bound::Excluded(key) => Some(key.clone()),
    };
    let direction = match order {
        Order::Ascending => 0,
        Order::Descending => 1,
    };
    let text = &of(table).scan[direction][usize::from(end.is_some())];
    let mut statement = connection.prepare_cached(text)?;
    let most = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut found = match &end {
        None => statement.query(params![start, most])?,
        Some(end) => statement.query(params![start, most, end])?,
    };
    let (mut count, mut weight) = (0, 0);
    while let Some(row) = found.next()? {
        let row = Row { key: blob(row, 0)?, value: blob(row, 1)? };
        weight += row.key.len() + row.value.len();
        rows.push(row);
        count += 1;
        if weight >= bytes {
            return Ok(false);
        }
    }
    Ok(count < limit)
}

/// Whether an expectation holds.
pub(super) fn holds(connection: &Connection, expect: &Expect) -> rusqlite::Result<bool> {
    match expect {
        Expect::Absent { table, key } => Ok(!exists(connection, *table, key)?),
        Expect::Present { table, key } => exists(connection, *table, key),
        Expect::Equals { table, key, value } => {
            let mut statement = connection.prepare_cached(&of(*table).value)?;
            let same = |row: &rusqlite::Row<'_>| Ok(row.get_ref(0)?.as_blob()? == value);
            Ok(statement.query_row([&key[..]], same).optional()? == Some(true))
        }
        Expect::Vacant { table, range } => {
            let mut rows = Vec::new();
            scan(connection, *table, range, Order::Ascending, 1, 1, &mut rows)?;
            Ok(rows.is_empty())
        }
    }
}

fn exists(connection: &Connection, table: Table, key: &[u8]) -> rusqlite::Result<bool> {
    connection.prepare_cached(&of(table).value)?.exists([key])
}

/// Makes one write.
pub(super) fn write(connection: &Connection, write: &Write) -> rusqlite::Result<()> {
    match write {
        Write::Put { table, key, value, body } => {
            let mut statement = connection.prepare_cached(&of(*table).put)?;
            statement.execute(params![&key[..], &value[..], body.as_deref()])?;
        }
        Write::Delete { table, key } => {
            connection.prepare_cached(&of(*table).delete)?.execute([&key[..]])?;
        }
    }
    Ok(())
}

/// Writes a table anew, so that its pages hold what its rows are and nothing else. SQLite zeroes what it deletes (`secure_delete`), but
/// when it moves rows between pages it leaves copies of them in the unused middle of a page. Emptying the table zeroes all of its
/// pages. Within a transaction, under `secure_delete`; the rows wait in memory (`temp_store`).
pub(super) fn rebuild(connection: &Connection, table: Table) -> rusqlite::Result<()> {
    let name = table_name(table);
    connection.execute_batch(&format!(
        "CREATE TEMP TABLE moving AS SELECT k, v, b FROM {name} ORDER BY rowid;
         DELETE FROM {name};
         INSERT INTO {name} (k, v, b) SELECT k, v, b FROM temp.moving ORDER BY rowid;
         DROP TABLE temp.moving"
    ))
}

fn blob(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Bytes> {
    Ok(Bytes::copy_from_slice(row.get_ref(column)?.as_blob()?))
}

fn successor(key: &[u8]) -> Vec<u8> {
    let mut after = Vec::with_capacity(key.len() + 1);
    after.extend_from_slice(key);
    after.push(0);
    after
}
