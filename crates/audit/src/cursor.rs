//! Where readers of the log have come to.

use meta::{Table, Transaction};

use crate::error::Error;
use crate::log::Audit;
use crate::rows::{self, Kind, cursor_key};

impl Audit {
    /// Where the reader of this name (at most 1,024 bytes) has come to ([`Batch::next`](crate::Batch::next)), if it ever said.
    ///
    /// # Errors
    /// A failing store; a damaged row.
    pub async fn cursor(&self, reader: &str) -> Result<Option<u64>, Error> {
        let key = cursor_key(reader);
        let Some(row) = rows::get(&*self.store, &self.keys, Kind::Cursor, Table::Audit, &key).await? else {
            return Ok(None);
        };
        let number = row.strip_prefix(&[VERSION]).and_then(|number| number.try_into().ok());
        number.map(|number| Some(u64::from_be_bytes(number))).ok_or_else(|| rows::damaged(Kind::Cursor, &key))
    }

    /// Remembers, durably, where the reader of this name has come to.
    ///
    /// # Errors
    /// A failing store.
    pub async fn set_cursor(&self, reader: &str, next: u64) -> Result<(), Error> {
        Ok(self.store.commit(self.put_cursor(Transaction::new(), reader, next)).await?)
    }

    /// The same as part of a transaction: with what the reader has made of the events, or not at all.
    #[must_use]
    pub fn put_cursor(&self, to: Transaction, reader: &str, next: u64) -> Transaction {
        let row = [&[VERSION], &next.to_be_bytes()[..]].concat();
        rows::put(to, &self.keys, Kind::Cursor, Table::Audit, &cursor_key(reader), &row)
    }

    /// Forgets a reader.
    ///
    /// # Errors
    /// A failing store.
    pub async fn remove_cursor(&self, reader: &str) -> Result<(), Error> {
        Ok(self.store.commit(Transaction::new().delete(Table::Audit, cursor_key(reader))).await?)
    }
}

const VERSION: u8 = 1;
