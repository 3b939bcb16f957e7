//! The embedded backend: one SQLite database, one committer, a few readers.

use std::path::Path;

use async_trait::async_trait;
use bytes::Bytes;

use crate::{Error, Order, Range, Record, Row, Statistics, Store, Table, Transaction};

/// How to open a store. The defaults are what the measurements in docs/formats/metadata-store.md chose.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {}

/// A store in a SQLite database.
pub struct Sqlite {}

impl Sqlite {
    /// Opens the database at `path`, or makes it. Blocks on the disk.
    pub fn open(path: &Path, options: Options) -> Result<Sqlite, Error> {
        todo!("{path:?} {options:?}")
    }
}

#[async_trait]
impl Store for Sqlite {
    async fn get(&self, _table: Table, _key: &[u8]) -> Result<Option<Bytes>, Error> {
        todo!()
    }
    async fn record(&self, _table: Table, _key: &[u8]) -> Result<Option<Record>, Error> {
        todo!()
    }
    async fn scan(&self, _table: Table, _range: &Range, _order: Order, _limit: usize) -> Result<Vec<Row>, Error> {
        todo!()
    }
    async fn commit(&self, _transaction: Transaction) -> Result<(), Error> {
        todo!()
    }
    fn statistics(&self) -> Statistics {
        todo!()
    }
    async fn close(&self) {
        todo!()
    }
}
