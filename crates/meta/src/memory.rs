//! The store's contract over maps in memory: the naive model of the property tests, and a store for tests of other crates.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

use crate::{Error, Expect, Order, Range, Record, Row, Statistics, Store, Table, Transaction, Write};

/// A store that forgets everything when the last handle goes.
#[derive(Debug, Default)]
pub struct Memory {
    records: Arc<Mutex<BTreeMap<(Table, Bytes), Record>>>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    closed: bool,
    statistics: Statistics,
}

type Records = BTreeMap<(Table, Bytes), Record>;

impl Memory {
    /// An empty store.
    #[must_use]
    pub fn new() -> Memory {
        Memory::default()
    }

    /// Another handle on the same records, open even if this one is closed: what opening files anew is to other backends.
    #[must_use]
    pub fn reopen(&self) -> Memory {
        Memory { records: Arc::clone(&self.records), state: Mutex::default() }
    }

    fn records(&self) -> Result<MutexGuard<'_, Records>, Error> {
        if lock(&self.state).closed {
            return Err(Error::Closed);
        }
        Ok(lock(&self.records))
    }
}

#[async_trait]
impl Store for Memory {
    async fn get(&self, table: Table, key: &[u8]) -> Result<Option<Bytes>, Error> {
        let record = self.record(table, key).await?;
        Ok(record.map(|record| record.value))
    }

    async fn record(&self, table: Table, key: &[u8]) -> Result<Option<Record>, Error> {
        Ok(find(&*self.records()?, table, key).cloned())
    }

    async fn scan(&self, table: Table, range: &Range, order: Order, limit: usize) -> Result<Vec<Row>, Error> {
        let records = self.records()?;
        let rows = records
            .iter()
            .filter(|((of, key), _)| *of == table && range.contains(key))
            .map(|((_, key), record)| Row { key: key.clone(), value: record.value.clone() });
        Ok(match order {
            Order::Ascending => rows.take(limit).collect(),
            Order::Descending => rows.rev().take(limit).collect(),
        })
    }

    async fn commit(&self, transaction: Transaction) -> Result<(), Error> {
        transaction.measure()?;
        let mut records = self.records()?;
        let fails = |expect: &Expect| !holds(&records, expect);
        if let Some(expect) = transaction.expects.iter().position(fails) {
            lock(&self.state).statistics.conflicts += 1;
            return Err(Error::Conflict { expect });
        }
        for write in transaction.writes {
            match write {
                Write::Put { table, key, value, body } => records.insert((table, key), Record { value, body }),
                Write::Delete { table, key } => records.remove(&(table, key)),
            };
        }
        let statistics = &mut lock(&self.state).statistics;
        statistics.transactions += 1;
        statistics.groups += 1;
        Ok(())
    }

    fn statistics(&self) -> Statistics {
        lock(&self.state).statistics
    }

    async fn close(&self) {
        lock(&self.state).closed = true;
    }
}

fn holds(records: &Records, expect: &Expect) -> bool {
    match expect {
        Expect::Absent { table, key } => find(records, *table, key).is_none(),
        Expect::Present { table, key } => find(records, *table, key).is_some(),
        Expect::Equals { table, key, value } => find(records, *table, key).is_some_and(|record| record.value == value),
        Expect::Vacant { table, range } => !records.keys().any(|(of, key)| of == table && range.contains(key)),
    }
}

fn find<'a>(records: &'a Records, table: Table, key: &[u8]) -> Option<&'a Record> {
    records.get(&(table, Bytes::copy_from_slice(key)))
}

// A panic inside a lock leaves whole records behind; go on with them.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
