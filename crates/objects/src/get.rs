//! GetObject and HeadObject.

use crate::acquire::Identity;
use crate::bucket::Bucket;
use crate::commit::ATTEMPTS;
use crate::condition::ReadConditions;
use crate::encryption::CustomerKey;
use crate::error::Error;
use crate::info::ObjectInfo;
use crate::name::ObjectName;
use crate::objects::Objects;
use crate::read::{ObjectReader, OpenFailure};
use crate::record::{ObjectRecord, Part, Parts};
use crate::rows::{Row, object_key};
use crate::tagging::check_seen;
use crate::tags::Tags;
use crate::window::{Span, Window};
use keys::Principal;

/// A GetObject or HeadObject.
#[derive(Debug, Default)]
pub struct GetObject {
    /// The SSE-C key.
    pub customer_key: Option<CustomerKey>,
    /// Conditions.
    pub conditions: ReadConditions,
    /// Which bytes.
    pub window: Window,
    /// The tags that it must still have, if somebody decided by them.
    pub seen: Option<Tags>,
    /// Of HeadObject: whether the checksum shall be told.
    pub checksum: bool,
}

/// What HEAD answers.
#[derive(Debug, Clone)]
pub struct ObjectHead {
    /// The object.
    pub info: ObjectInfo,
    /// The bytes that a GET with the same window would send; `None`: the whole object (200, not 206).
    pub span: Option<Span>,
}

impl Objects {
    /// Opens an object for reading. What can fail before the first byte fails here: the first segments have been read and
    /// verified when this returns.
    pub async fn open_object(
        &self,
        principal: &Principal,
        bucket: &Bucket,
        name: &ObjectName,
        request: GetObject,
    ) -> Result<ObjectReader, Error> {
        let (_, reader) = self.open_record(principal, bucket, name, &request).await?;
        Ok(reader)
    }

    /// What [`open_object`](Self::open_object) would answer, without bytes. No KMS call but for the checksum, for which "you must have
    /// permission to use the kms:Decrypt action" (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html>).
    pub async fn head_object(
        &self,
        principal: &Principal,
        bucket: &Bucket,
        name: &ObjectName,
        request: GetObject,
    ) -> Result<ObjectHead, Error> {
        let key = object_key(bucket, name);
        let mut row = self.object_row(&key).await?.ok_or(Error::NoSuchKey)?;
        if matches!((&row.record.parts, request.window), (Parts::Manifest(_), Window::Part(_))) {
            row = self.whole_row(&key).await?.ok_or(Error::NoSuchKey)?;
        }
        check(&row.record, &request)?;
        if request.checksum && row.record.checksum.is_some() {
            let record = &row.record;
            let identity = Identity { bucket, name, version: &record.version, data_id: &record.data_id };
            self.require_kms(principal, identity, &record.key).await?;
        }
        let parts = match request.window {
            Window::Part(_) => self.parts(&key, &row.record, row.body.as_ref())?,
            _ => Vec::new(),
        };
        let span = resolve(request.window, &row.record, &parts)?;
        let info = row.record.info(request.customer_key.map(|key| key.md5())).seen_through(request.window, &parts);
        Ok(ObjectHead { info, span })
    }

    /// Opens an object and tells the row that it was read from.
    pub(crate) async fn open_record(
        &self,
        principal: &Principal,
        bucket: &Bucket,
        name: &ObjectName,
        request: &GetObject,
    ) -> Result<(Row, ObjectReader), Error> {
        let mut seen = None;
        for _ in 0..ATTEMPTS {
            let row = self.whole_row(&object_key(bucket, name)).await?.ok_or(Error::NoSuchKey)?;
            let value = row.value.clone();
            match self.try_open(principal, bucket, name, request, row).await {
                // Replaced, and its blob deleted, between our reading of the row and of the blob: the row that is there now has
                // its own. The same row again means that the blob is lost.
                Err(OpenFailure::Vanished(_)) if seen.as_ref() != Some(&value) => seen = Some(value),
                result => return result.map_err(OpenFailure::into_error),
            }
        }
        Err(Error::OperationAborted)
    }

    async fn try_open(
        &self,
        principal: &Principal,
        bucket: &Bucket,
        name: &ObjectName,
        request: &GetObject,
        mut row: Row,
    ) -> Result<(Row, ObjectReader), OpenFailure> {
        let key = object_key(bucket, name);
        let customer = request.customer_key.as_ref();
        check(&row.record, request)?;
        let body = row.body.take();
        let parts = self.parts(&key, &row.record, body.as_ref())?;
        let span = resolve(request.window, &row.record, &parts)?;
        let keys = self.keys_of(principal, bucket, name, &row.record, customer).await?;
        let info = row.record.info(customer.map(CustomerKey::md5)).seen_through(request.window, &parts);
        let reader = ObjectReader::open(info, span, parts, body, keys, &self.blobs).await?;
        Ok((row, reader))
    }
}

/// The SSE-C key and the conditions.
fn check(record: &ObjectRecord, request: &GetObject) -> Result<(), Error> {
    check_seen(&record.tags, request.seen.as_ref())?;
    record.key.check_customer(request.customer_key.as_ref())?;
    request.conditions.check(&record.etag, record.modified)
}

/// The bytes of a window. `parts` is looked at for [`Window::Part`] alone.
pub(crate) fn resolve(window: Window, record: &ObjectRecord, parts: &[Part]) -> Result<Option<Span>, Error> {
    let requested = match window {
        Window::All => return Ok(None),
        Window::Range(range) => return range.resolve(record.size).map(Some),
        Window::Part(number) => number,
    };
    // Parts count from 1 in the order of the object, whatever their numbers were at upload.
    let index = usize::from(requested).checked_sub(1).filter(|index| *index < parts.len());
    let Some(index) = index else {
        let count = u16::try_from(parts.len()).unwrap_or(u16::MAX);
        return Err(Error::InvalidPartNumber { requested, count });
    };
    let first: u64 = parts[..index].iter().map(|part| part.size).sum();
    Ok((parts[index].size > 0).then(|| Span { first, last: first + parts[index].size - 1 }))
}
