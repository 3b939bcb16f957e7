//! Row keys, and sealing what rows hold.
//!
//! Every value is sealed with its table and row key as authenticated data, so a row that is moved under another key does not
//! open.

use crate::bucket::Bucket;
use crate::error::Error;
use crate::multipart::{PartNumber, UploadId};
use crate::name::ObjectName;
use crate::objects::Objects;
use crate::record::{Malformed, ObjectRecord, Part, Parts, decode_manifest, encode_manifest};
use blob::BlobId;
use bytes::Bytes;
use data_encoding::HEXLOWER;
use meta::Table;
use zeroize::Zeroizing;

/// A stored object: its row as it stands, and what it says.
pub(crate) struct Row {
    /// The sealed value, for a transaction's expectation.
    pub(crate) value: Bytes,
    pub(crate) record: ObjectRecord,
    /// The body, if it was asked for and there is one.
    pub(crate) body: Option<Bytes>,
}

/// bucket id (16) ‖ name
pub(crate) fn object_key(bucket: &Bucket, name: &ObjectName) -> Bytes {
    [&bucket.id[..], name.as_bytes()].concat().into()
}

/// bucket id (16) ‖ name ‖ 0x00 ‖ upload id (16)
pub(crate) fn upload_key(bucket: &Bucket, name: &ObjectName, upload: &UploadId) -> Bytes {
    [&bucket.id[..], name.as_bytes(), &[0], upload.as_bytes()].concat().into()
}

/// upload id (16) ‖ number (2, big-endian)
pub(crate) fn part_key(upload: &UploadId, number: PartNumber) -> Bytes {
    [&upload.as_bytes()[..], &number.value().to_be_bytes()].concat().into()
}

/// Who a blob belongs to. Sealed as the value of the blob's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Owner {
    /// The object in that row, as long as it has this data: whether it names the blob shows without its manifest.
    Object { key: Bytes, data_id: [u8; 16] },
    /// The part in that row.
    Part { key: Bytes },
}

impl Owner {
    /// `01` ‖ data id (16) ‖ row key of the object; or `02` ‖ row key of the part.
    pub(crate) fn encode(&self) -> Vec<u8> {
        match self {
            Owner::Object { key, data_id } => [&[OWNER_OBJECT], &data_id[..], key].concat(),
            Owner::Part { key } => [&[OWNER_PART], &key[..]].concat(),
        }
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Owner, Malformed> {
        let malformed = Malformed("not a blob's owner");
        match bytes.split_first().ok_or(malformed)? {
            (&OWNER_OBJECT, rest) => {
                let (data_id, key) = rest.split_first_chunk().ok_or(malformed)?;
                Ok(Owner::Object { key: Bytes::copy_from_slice(key), data_id: *data_id })
            }
            (&OWNER_PART, key) => Ok(Owner::Part { key: Bytes::copy_from_slice(key) }),
            _ => Err(malformed),
        }
    }
}

impl Objects {
    /// Seals a row's value.
    pub(crate) fn seal_row(&self, table: Table, key: &[u8], plaintext: &[u8]) -> Bytes {
        self.keys.records().seal(table.name().as_bytes(), key, plaintext).into()
    }

    /// Opens a row's value. What does not open is logged and answered as [`Error::DamagedObject`].
    pub(crate) fn open_row(&self, table: Table, key: &[u8], value: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        self.keys.records().open(table.name().as_bytes(), key, value).map_err(|_| {
            tracing::error!(table = table.name(), row = %HEXLOWER.encode(key), "a record does not open: damaged or moved");
            Error::DamagedObject
        })
    }

    /// Opens and decodes an object's row.
    pub(crate) fn object_record(&self, key: &[u8], value: &[u8]) -> Result<ObjectRecord, Error> {
        let plaintext = self.open_row(Table::Object, key, value)?;
        ObjectRecord::decode(&plaintext).map_err(|error| malformed(Table::Object, key, error))
    }

    /// The row of an object without its body, or `None`.
    pub(crate) async fn object_row(&self, key: &[u8]) -> Result<Option<Row>, Error> {
        let Some(value) = self.store.get(Table::Object, key).await? else { return Ok(None) };
        let record = self.object_record(key, &value)?;
        Ok(Some(Row { value, record, body: None }))
    }

    /// The row of an object with its body, both of one moment, or `None`.
    pub(crate) async fn whole_row(&self, key: &[u8]) -> Result<Option<Row>, Error> {
        let Some(meta::Record { value, body }) = self.store.record(Table::Object, key).await? else { return Ok(None) };
        let record = self.object_record(key, &value)?;
        Ok(Some(Row { value, record, body }))
    }

    /// The parts of an object. `body` is its row's.
    pub(crate) fn parts(&self, key: &[u8], record: &ObjectRecord, body: Option<&Bytes>) -> Result<Vec<Part>, Error> {
        if let Parts::Single(part) = &record.parts {
            return Ok(vec![part.as_ref().clone()]);
        }
        let sealed = body.ok_or_else(|| malformed(Table::Object, key, Malformed("no manifest")))?;
        let plaintext = self.keys.records().open(MANIFEST, &manifest_place(key, record), sealed).map_err(|_| {
            tracing::error!(row = %HEXLOWER.encode(key), "a manifest does not open: damaged or of another object");
            Error::DamagedObject
        })?;
        decode_manifest(record, &plaintext).map_err(|error| malformed(Table::Object, key, error))
    }

    /// Seals the manifest of `record` for its row's body.
    pub(crate) fn seal_manifest(&self, key: &[u8], record: &ObjectRecord, parts: &[Part]) -> Bytes {
        self.keys.records().seal(MANIFEST, &manifest_place(key, record), &encode_manifest(parts)).into()
    }

    /// As [`blobs_of`](Self::blobs_of) for an object that is about to go: a damaged manifest holds nothing up, the sweep finds
    /// what it named.
    pub(crate) async fn blobs_or_sweep(&self, key: &[u8], row: &Row) -> Result<Vec<BlobId>, Error> {
        match self.blobs_of(key, row).await {
            Err(Error::DamagedObject) => Ok(Vec::new()),
            other => other,
        }
    }

    /// The blobs of an object. Reads the row again if they stand in its body; an object that changed meanwhile has none, as a
    /// commit that expects it will fail.
    pub(crate) async fn blobs_of(&self, key: &[u8], row: &Row) -> Result<Vec<BlobId>, Error> {
        if let Parts::Single(part) = &row.record.parts {
            return Ok(part.stored_blob().into_iter().collect());
        }
        let body = match &row.body {
            Some(body) => Some(body.clone()),
            None => match self.store.record(Table::Object, key).await? {
                Some(found) if found.value == row.value => found.body,
                _ => return Ok(Vec::new()),
            },
        };
        let parts = self.parts(key, &row.record, body.as_ref())?;
        Ok(parts.iter().filter_map(Part::stored_blob).collect())
    }
}

/// Logs what could not be decoded.
pub(crate) fn malformed(table: Table, key: &[u8], error: Malformed) -> Error {
    tracing::error!(table = table.name(), row = %HEXLOWER.encode(key), %error, "a record cannot be read");
    Error::DamagedObject
}

/// A manifest belongs to its row and to the version that the row's value names: one of an older version does not open.
fn manifest_place(key: &[u8], record: &ObjectRecord) -> Vec<u8> {
    [&record.version[..], key].concat()
}

const MANIFEST: &[u8] = b"manifest";
const OWNER_OBJECT: u8 = 1;
const OWNER_PART: u8 = 2;
