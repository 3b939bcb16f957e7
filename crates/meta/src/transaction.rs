//! Transactions: what they expect, what they write, and how large they may be.

use bytes::Bytes;

use crate::{Error, Range, Table};

/// Longest key in bytes: a bucket id (16), an S3 object name (1,024), a separator and an id (16), with room.
pub const MAX_KEY: usize = 2_048;

/// Longest value in bytes. Scans return values by the thousand, so what is larger belongs into the body.
pub const MAX_VALUE: usize = 65_536;

/// Longest body in bytes. Holds the manifest of an upload of 10,000 parts many times over.
pub const MAX_BODY: usize = 16_777_216;

/// Most expectations and writes together in a transaction: enough for an upload of 10,000 parts to become an object, with
/// several rows a part. The committer is busy for about 5 µs an operation.
pub const MAX_OPERATIONS: usize = 65_536;

/// Most bytes of keys, values and bodies in a transaction.
pub const MAX_TRANSACTION: usize = 33_554_432;

/// A set of writes that happens wholly or not at all, and only if every expectation holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transaction {
    /// Checked in order, all against the state before the transaction.
    pub expects: Vec<Expect>,
    /// Made in order; of two writes to one key the later stands.
    pub writes: Vec<Write>,
    /// See [`Transaction::shred`].
    pub shred: bool,
}

/// What a transaction expects to find.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// No record under the key.
    Absent {
        /// The table.
        table: Table,
        /// The key.
        key: Bytes,
    },
    /// Some record under the key.
    Present {
        /// The table.
        table: Table,
        /// The key.
        key: Bytes,
    },
    /// A record with exactly this value. Bodies are not compared.
    Equals {
        /// The table.
        table: Table,
        /// The key.
        key: Bytes,
        /// The value.
        value: Bytes,
    },
    /// No record in the whole range.
    Vacant {
        /// The table.
        table: Table,
        /// The range.
        range: Range,
    },
}

/// One write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// Puts a record in place of whatever is there, body included.
    Put {
        /// The table.
        table: Table,
        /// The key.
        key: Bytes,
        /// The value.
        value: Bytes,
        /// The body.
        body: Option<Bytes>,
    },
    /// Removes the record, if there is one.
    Delete {
        /// The table.
        table: Table,
        /// The key.
        key: Bytes,
    },
}

impl Transaction {
    /// A transaction that does nothing yet.
    #[must_use]
    pub fn new() -> Transaction {
        Transaction::default()
    }

    /// Expects no record under `key`.
    #[must_use]
    pub fn expect_absent(mut self, table: Table, key: impl AsRef<[u8]>) -> Transaction {
        let key = Bytes::copy_from_slice(key.as_ref());
        self.expects.push(Expect::Absent { table, key });
        self
    }

    /// Expects a record under `key`.
    #[must_use]
    pub fn expect_present(mut self, table: Table, key: impl AsRef<[u8]>) -> Transaction {
        let key = Bytes::copy_from_slice(key.as_ref());
        self.expects.push(Expect::Present { table, key });
        self
    }

    /// Expects a record under `key` with exactly this value.
    #[must_use]
    pub fn expect_equals(mut self, table: Table, key: impl AsRef<[u8]>, value: impl Into<Bytes>) -> Transaction {
        let key = Bytes::copy_from_slice(key.as_ref());
        let value = value.into();
        self.expects.push(Expect::Equals { table, key, value });
        self
    }

    /// Expects no record in `range`.
    #[must_use]
    pub fn expect_vacant(mut self, table: Table, range: Range) -> Transaction {
        self.expects.push(Expect::Vacant { table, range });
        self
    }

    /// Writes a record without a body.
    #[must_use]
    pub fn put(mut self, table: Table, key: impl AsRef<[u8]>, value: impl Into<Bytes>) -> Transaction {
        self.writes.push(Write::Put {
            table,
            key: Bytes::copy_from_slice(key.as_ref()),
            value: value.into(),
            body: None,
        });
        self
    }

    /// Writes a record with a body.
    #[must_use]
    pub fn put_with_body(
        mut self,
        table: Table,
        key: impl AsRef<[u8]>,
        value: impl Into<Bytes>,
        body: impl Into<Bytes>,
    ) -> Transaction {
        self.writes.push(Write::Put {
            table,
            key: Bytes::copy_from_slice(key.as_ref()),
            value: value.into(),
            body: Some(body.into()),
        });
        self
    }

    /// Removes the record under `key`, if there is one.
    #[must_use]
    pub fn delete(mut self, table: Table, key: impl AsRef<[u8]>) -> Transaction {
        let key = Bytes::copy_from_slice(key.as_ref());
        self.writes.push(Write::Delete { table, key });
        self
    }

    /// Shreds what it removes and replaces in the tables that hold keys ([`Table::holds_keys`]): once the commit has returned
    /// `Ok`, the old values are nowhere in the files of the store, neither in its tables nor in free room nor in a log. It costs
    /// a pass over those tables (a store of 100,000 keys: about a quarter of a second, in which nothing else is committed), so
    /// it is for destroying keys, many in one transaction if there are many.
    #[must_use]
    pub fn shred(mut self) -> Transaction {
        self.shred = true;
        self
    }

    /// Bytes of everything it carries, or [`Error::TooLarge`] if it or a part of it is over its limit.
    pub(crate) fn measure(&self) -> Result<usize, Error> {
        let operations = self.expects.len() + self.writes.len();
        within("the number of operations", operations, MAX_OPERATIONS)?;
        let mut total = 0;
        for expect in &self.expects {
            total += match expect {
                // A key or value over the limit is in no table, so expecting it is no error, only weight.
                Expect::Absent { key, .. } | Expect::Present { key, .. } => key.len(),
                Expect::Equals { key, value, .. } => key.len() + value.len(),
                Expect::Vacant { .. } => 0,
            };
        }
        for write in &self.writes {
            match write {
                Write::Put { key, value, body, .. } => {
                    let body = body.as_ref().map_or(0, Bytes::len);
                    within("a key", key.len(), MAX_KEY)?;
                    within("a value", value.len(), MAX_VALUE)?;
                    within("a body", body, MAX_BODY)?;
                    total += key.len() + value.len() + body;
                }
                Write::Delete { key, .. } => total += key.len(),
            }
        }
        within("a transaction", total, MAX_TRANSACTION)?;
        Ok(total)
    }
}

impl Write {
    /// The table that it writes to.
    pub(crate) fn table(&self) -> Table {
        match self {
            Write::Put { table, .. } | Write::Delete { table, .. } => *table,
        }
    }
}

fn within(what: &'static str, size: usize, limit: usize) -> Result<(), Error> {
    if size > limit {
        return Err(Error::TooLarge { what, size, limit });
    }
    Ok(())
}
