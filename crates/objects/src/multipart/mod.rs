//! Multipart uploads: a record for the upload, a blob and a record for each part, a manifest at the end. Nothing is copied.

mod abort;
mod complete;
mod copy;
mod create;
mod list;
mod part;
#[cfg(test)]
mod tests;

pub use complete::{CompleteUpload, CompletedPart};
pub use copy::CopyPart;
pub use create::{CreateUpload, CreatedUpload, UploadCreation};
pub use list::{ListParts, ListUploads, PartEntry, PartPage, UploadEntry, UploadPage};
pub use part::{StoredPart, UploadPart};

use crate::bucket::Bucket;
use crate::encryption::CustomerKey;
use crate::error::Error;
use crate::name::ObjectName;
use crate::objects::Objects;
use crate::record::{KeySource, PartRecord, UploadRecord, milliseconds};
use crate::rows::{malformed, upload_key};
use bytes::Bytes;
use meta::{Order, Range, Table, Transaction};
use std::fmt;
use std::ops::Bound;
use std::time::SystemTime;

/// A multipart upload's id: when it began, 6 bytes of milliseconds since 1970, big-endian, so that a name's uploads are listed
/// in that order, and 10 random bytes. 32 hexadecimal digits as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UploadId(pub(crate) [u8; 16]);

/// A part's number, 1 to 10,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartNumber(u16);

impl UploadId {
    fn generate(now: SystemTime) -> UploadId {
        let random: [u8; 10] = seal::random_bytes();
        let mut id = [0; 16];
        id[..6].copy_from_slice(&milliseconds(now).to_be_bytes()[2..]);
        id[6..].copy_from_slice(&random);
        UploadId(id)
    }

    /// Reads an id; anything else names no upload.
    pub fn parse(text: &str) -> Result<UploadId, Error> {
        let bytes = data_encoding::HEXLOWER.decode(text.as_bytes()).map_err(|_| Error::NoSuchUpload)?;
        bytes.try_into().map(UploadId).map_err(|_| Error::NoSuchUpload)
    }

    /// The id at the end of an upload's row key.
    pub(crate) fn of_row(key: &[u8]) -> Result<UploadId, Error> {
        key.last_chunk().map(|id| UploadId(*id)).ok_or(Error::DamagedObject)
    }

    /// The id's bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for UploadId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl PartNumber {
    /// 1 to [`PART_LIMIT`], or `InvalidArgument`.
    pub fn new(number: u64) -> Result<PartNumber, Error> {
        match u16::try_from(number) {
            Ok(number @ 1..=PART_LIMIT) => Ok(PartNumber(number)),
            _ => Err(Error::InvalidArgument("Part number must be an integer between 1 and 10000, inclusive")),
        }
    }

    /// The number at the end of a part's row key.
    fn of_row(key: &[u8]) -> Option<PartNumber> {
        let number = u16::from_be_bytes(*key.last_chunk()?);
        PartNumber::new(u64::from(number)).ok()
    }

    /// The number.
    pub fn value(self) -> u16 {
        self.0
    }
}

/// A row of table `Part`, open.
struct PartRow {
    key: Bytes,
    value: Bytes,
    number: PartNumber,
    /// `None`: the row is damaged.
    record: Option<PartRecord>,
}

impl Objects {
    /// An open upload, or `NoSuchUpload`.
    async fn upload(&self, bucket: &Bucket, name: &ObjectName, upload: &UploadId) -> Result<UploadRecord, Error> {
        let key = upload_key(bucket, name, upload);
        let value = self.store.get(Table::Upload, &key).await?.ok_or(Error::NoSuchUpload)?;
        self.upload_record(&key, &value)
    }

    /// Opens and decodes an upload's row.
    pub(crate) fn upload_record(&self, key: &[u8], value: &[u8]) -> Result<UploadRecord, Error> {
        let plaintext = self.open_row(Table::Upload, key, value)?;
        UploadRecord::decode(&plaintext).map_err(|error| malformed(Table::Upload, key, error))
    }

    /// Opens and decodes a part's row.
    pub(crate) fn part_record(&self, key: &[u8], value: &[u8]) -> Result<PartRecord, Error> {
        let plaintext = self.open_row(Table::Part, key, value)?;
        PartRecord::decode(&plaintext).map_err(|error| malformed(Table::Part, key, error))
    }

    /// At most `limit` parts with numbers above `after`, in order.
    async fn part_rows(&self, upload: &UploadId, after: u16, limit: usize) -> Result<Vec<PartRow>, Error> {
        let range = Range::prefix(upload.as_bytes()).after([&upload.as_bytes()[..], &after.to_be_bytes()].concat());
        let rows = self.store.scan(Table::Part, &range, Order::Ascending, limit).await?;
        let mut parts = Vec::with_capacity(rows.len());
        for meta::Row { key, value } in rows {
            let number = PartNumber::of_row(&key).ok_or(Error::DamagedObject)?;
            let record = self.part_record(&key, &value).ok();
            parts.push(PartRow { key, value, number, record });
        }
        Ok(parts)
    }
}

impl PartRow {
    /// Deletes the row, if it still is as it was read.
    fn delete(&self, transaction: Transaction) -> Transaction {
        transaction.expect_equals(Table::Part, &self.key, self.value.clone()).delete(Table::Part, &self.key)
    }
}

/// Expects that an upload has no parts but these. Beside the parts' own expectations, so whoever ends an upload ends it whole.
fn expect_no_others(mut transaction: Transaction, upload: &UploadId, parts: &[PartRow]) -> Transaction {
    let key = |number: u16| [&upload.as_bytes()[..], &number.to_be_bytes()].concat();
    let mut next = 0;
    for part in parts {
        let number = part.number.value();
        if number > next {
            let range = Range { start: Bound::Included(key(next)), end: Bound::Excluded(key(number)) };
            transaction = transaction.expect_vacant(Table::Part, range);
        }
        next = number + 1;
    }
    transaction.expect_vacant(Table::Part, Range::prefix(upload.as_bytes()).starting_at(key(next)))
}

impl UploadRecord {
    /// That the SSE-C key is the upload's, in the words that AWS has for parts.
    fn check_part_key(&self, customer: Option<&CustomerKey>) -> Result<(), Error> {
        match (&self.key.source, customer) {
            (KeySource::Customer { .. }, None) => Err(MISSING_PART_KEY),
            (KeySource::Customer { .. }, Some(_)) => self.key.check_customer(customer).map_err(|error| match error {
                Error::AccessDenied(_) => WRONG_PART_KEY,
                other => other,
            }),
            (_, Some(_)) => Err(NEEDLESS_PART_KEY),
            (_, None) => Ok(()),
        }
    }
}

const MISSING_PART_KEY: Error = Error::InvalidRequest(
    "The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters.",
);
const WRONG_PART_KEY: Error = Error::InvalidRequest(
    "The provided encryption parameters did not match the ones used originally to initiate the multipart upload.",
);
const NEEDLESS_PART_KEY: Error = Error::InvalidRequest(
    "The multipart upload initiate did not request encryption with a customer-provided key. Please resend the request without such a key.",
);

/// The highest part number (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>).
pub const PART_LIMIT: u16 = 10_000;
/// The smallest part but the last, in bytes (same page).
pub const MINIMUM_PART: u64 = 5 * 1024 * 1024;
