//! Rows between the store and memory: sealed there, opened here. Every change goes through a [`Work`], which remembers what it has
//! read, and commits in one transaction that expects every row to be as it was read. Nothing else in the crate writes.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use meta::{Order, Range, Row, Store, Transaction};
use policy::AccountId;
use zeroize::Zeroizing;

use crate::Identity;
use crate::error::{Error, Internal};
use crate::limits::SCAN;
use crate::rows::{Place, TABLE};

/// What a row holds. Its encoding begins with a version byte.
pub(crate) trait Record: Sized {
    /// The bytes, which may be secret.
    fn encode(&self) -> Zeroizing<Vec<u8>>;

    /// From [`Record::encode`]'s bytes; `None` if they are none of any version.
    fn decode(bytes: &[u8]) -> Option<Self>;
}

/// Seals and opens rows.
#[derive(Clone)]
pub(crate) struct Rows {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) keys: Arc<keys::Keys>,
}

/// The first byte of an opened value: the record follows, or it lies in the row's body.
const HERE: u8 = 0;
const IN_BODY: u8 = 1;
/// The longest record that lies in a row's value, in bytes.
const MAX_HERE: usize = 16_384;
/// Bytes that tie a body to its value.
const TIE: usize = 16;

impl Rows {
    /// One row as it is now, with its value's bytes for a precondition.
    async fn load(&self, place: &Place) -> Result<Option<(Bytes, Zeroizing<Vec<u8>>)>, Error> {
        let Some(found) = self.store.record(TABLE, &place.key).await? else { return Ok(None) };
        let opened = self.open(place, &found.value, found.body.as_deref())?;
        Ok(Some((found.value, opened)))
    }

    /// What a row holds.
    pub(crate) async fn read<T: Record>(&self, place: &Place) -> Result<Option<T>, Error> {
        self.load(place).await?.map(|(_, bytes)| decode(place, &bytes)).transpose()
    }

    /// The rows of a range, in order, at most `limit`, without opening them.
    pub(crate) async fn scan(&self, range: &Range, limit: usize) -> Result<Vec<Row>, Error> {
        Ok(self.store.scan(TABLE, range, Order::Ascending, limit).await?)
    }

    /// All rows of a range, in order.
    pub(crate) async fn all(&self, range: &Range) -> Result<Vec<Row>, Error> {
        let (mut rows, mut range) = (Vec::new(), range.clone());
        loop {
            let step = self.scan(&range, SCAN).await?;
            let more = step.len() == SCAN;
            rows.extend(step);
            match rows.last() {
                Some(last) if more => range = range.after(&last.key),
                _ => return Ok(rows),
            }
        }
    }

    /// What a scanned row holds, if its record lies in its value, as records of small kinds always do.
    pub(crate) fn small<T: Record>(&self, place: &Place, value: &[u8]) -> Result<T, Error> {
        decode(place, &self.open(place, value, None)?)
    }

    /// Adds the writing of a row.
    pub(crate) fn put(&self, transaction: Transaction, place: &Place, record: &[u8]) -> Transaction {
        let sealer = self.keys.records();
        let (kind, aad) = (place.kind.as_bytes(), aad(place));
        let mut value = Zeroizing::new(Vec::with_capacity(1 + record.len().min(MAX_HERE)));
        if record.len() <= MAX_HERE {
            value.push(HERE);
            value.extend_from_slice(record);
            return transaction.put(TABLE, &place.key, sealer.seal(kind, &aad, &value));
        }
        let tie = seal::random_bytes::<TIE>();
        value.push(IN_BODY);
        value.extend_from_slice(&tie);
        let body = sealer.seal(kind, &[&aad[..], &tie].concat(), record);
        transaction.put_with_body(TABLE, &place.key, sealer.seal(kind, &aad, &value), body)
    }

    fn open(&self, place: &Place, value: &[u8], body: Option<&[u8]>) -> Result<Zeroizing<Vec<u8>>, Error> {
        let damaged = || Error::damaged(place.kind, &place.key);
        let sealer = self.keys.records();
        let (kind, aad) = (place.kind.as_bytes(), aad(place));
        let opened = sealer.open(kind, &aad, value).map_err(|_| damaged())?;
        match opened.split_first() {
            Some((&HERE, record)) => Ok(Zeroizing::new(record.to_vec())),
            Some((&IN_BODY, tie)) if tie.len() == TIE => {
                let body = body.ok_or_else(damaged)?;
                sealer.open(kind, &[&aad[..], tie].concat(), body).map_err(|_| damaged())
            }
            _ => Err(damaged()),
        }
    }
}

fn decode<T: Record>(place: &Place, bytes: &[u8]) -> Result<T, Error> {
    T::decode(bytes).ok_or_else(|| Error::damaged(place.kind, &place.key))
}

/// A value is bound to its table and row key.
fn aad(place: &Place) -> Vec<u8> {
    [TABLE.name().as_bytes(), &[0], &place.key].concat()
}

/// A record's bytes, not sealed yet.
type Encoded = Zeroizing<Vec<u8>>;

/// A change under way, or a look at several rows. Reads see the writes before them.
pub(crate) struct Work<'a> {
    pub(crate) identity: &'a Identity,
    /// The account whose credentials forget what they knew.
    pub(crate) account: AccountId,
    seen: BTreeMap<Vec<u8>, Option<Bytes>>,
    /// Rows to be written, or removed.
    pending: BTreeMap<Vec<u8>, (Place, Option<Encoded>)>,
    vacant: Vec<Range>,
    /// Whether it changes nothing that a credential is made of.
    quiet: bool,
}

impl<'a> Work<'a> {
    pub(crate) fn new(identity: &'a Identity, account: AccountId) -> Self {
        Self { identity, account, seen: BTreeMap::new(), pending: BTreeMap::new(), vacant: Vec::new(), quiet: false }
    }

    /// A change of nothing that a credential is made of.
    pub(crate) fn quiet(identity: &'a Identity) -> Self {
        Self { quiet: true, ..Self::new(identity, identity.home) }
    }

    /// What a row holds. A commit will expect it to be so still.
    pub(crate) async fn read<T: Record>(&mut self, place: &Place) -> Result<Option<T>, Error> {
        if let Some((_, pending)) = self.pending.get(&place.key) {
            return pending.as_ref().map(|bytes| decode(place, bytes)).transpose();
        }
        let found = self.identity.rows.load(place).await?;
        let value = found.as_ref().map(|(value, _)| value.clone());
        // Of two readings the first is what decisions were made by: if they differ, the commit shall fail.
        self.seen.entry(place.key.clone()).or_insert(value);
        found.map(|(_, bytes)| decode(place, &bytes)).transpose()
    }

    /// Writes a row.
    pub(crate) fn write<T: Record>(&mut self, place: &Place, record: &T) {
        self.pending.insert(place.key.clone(), (place.clone(), Some(record.encode())));
    }

    /// Removes a row.
    pub(crate) fn remove(&mut self, place: &Place) {
        self.pending.insert(place.key.clone(), (place.clone(), None));
    }

    /// Whether a range has no rows. If it has none, a commit will expect that still.
    pub(crate) async fn is_vacant(&mut self, range: Range) -> Result<bool, Error> {
        let vacant = self.identity.rows.scan(&range, 1).await?.is_empty();
        if vacant {
            self.vacant.push(range);
        }
        Ok(vacant)
    }

    /// Commits everything, durably. `false`: something that was read is no longer so, and nothing happened.
    pub(crate) async fn commit(self) -> Result<bool, Error> {
        if self.pending.is_empty() {
            return Ok(true);
        }
        let mut transaction = Transaction::new();
        for (key, value) in self.seen {
            transaction = match value {
                Some(value) => transaction.expect_equals(TABLE, key, value),
                None => transaction.expect_absent(TABLE, key),
            };
        }
        for range in self.vacant {
            transaction = transaction.expect_vacant(TABLE, range);
        }
        for (place, record) in self.pending.into_values() {
            transaction = match record {
                Some(record) => self.identity.rows.put(transaction, &place, &record),
                None => transaction.delete(TABLE, &place.key),
            };
        }
        let (store, account, quiet) = (Arc::clone(&self.identity.rows.store), self.account, self.quiet);
        let credentials = Arc::clone(&self.identity.credentials);
        // In a task of its own: a client that hangs up meanwhile must not keep the credentials in memory from hearing of the change.
        let committing = tokio::spawn(async move {
            let committed = store.commit(transaction).await;
            if !quiet {
                credentials.forget(account);
            }
            committed
        });
        match committing.await.map_err(|_| Internal::Stopped)? {
            Ok(()) => Ok(true),
            Err(meta::Error::Conflict { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// Makes a change: runs the body with a fresh [`Work`] and commits, again and again while others are faster. Within one process the
/// changes of an account wait for each other.
///
/// `change!(identity, account, |work| { ... Ok(answer) })` is a `Result<_, Error>`, in a function that gives one too: an error of the body, or `?`
/// in it, ends the change, and nothing is written.
macro_rules! change {
    ($identity:expr, $account:expr, |$work:ident| $body:expr) => {{
        let _alone = $identity.lock($account).await;
        let mut attempts = 0;
        loop {
            let mut $work = $crate::store::Work::new($identity, $account);
            match $body {
                Ok(answer) => {
                    if $work.commit().await? {
                        break Ok::<_, $crate::Error>(answer);
                    }
                }
                // Whatever it was about to write, it has not.
                Err(error) => break Err(error),
            }
            attempts += 1;
            if attempts == $crate::limits::MAX_ATTEMPTS {
                return Err($crate::store::busy());
            }
        }
    }};
}
pub(crate) use change;

/// The answer when others won every attempt.
pub(crate) fn busy() -> Error {
    let text = "The request was rejected because multiple requests to change this object were submitted simultaneously. Wait a few \
                minutes and submit your request again.";
    Error::ConcurrentModification(text.to_owned())
}
