//! UploadPartCopy.

use super::part::NewPart;
use super::{PartNumber, StoredPart, UploadId};
use crate::bucket::Bucket;
use crate::copy::{CopySource, Source};
use crate::encryption::CustomerKey;
use crate::error::Error;
use crate::get::GetObject;
use crate::name::ObjectName;
use crate::objects::Objects;
use crate::rows::object_key;
use crate::window::{RangeSpec, Window};
use crate::write::PUT_LIMIT;
use keys::Principal;

/// An UploadPartCopy.
#[derive(Debug)]
pub struct CopyPart {
    /// What is read.
    pub source: CopySource,
    /// `x-amz-copy-source-range`: first and last byte, both inclusive and both within the source.
    pub range: Option<(u64, u64)>,
    /// The upload's SSE-C key.
    pub customer_key: Option<CustomerKey>,
}

impl Objects {
    /// Stores a part from another object's bytes, whatever the modes of the two.
    #[allow(clippy::too_many_arguments, reason = "who, where and which part; the rest is one struct")]
    pub async fn upload_part_copy(
        &self,
        principal: &Principal,
        bucket: &Bucket,
        name: &ObjectName,
        upload: &UploadId,
        number: PartNumber,
        request: CopyPart,
    ) -> Result<StoredPart, Error> {
        let CopyPart { mut source, range, customer_key } = request;
        let open = self.open_upload(principal, bucket, name, upload, customer_key.as_ref()).await?;
        let read = GetObject {
            customer_key: source.customer_key.take(),
            window: range.map_or(Window::All, |(first, last)| Window::Range(RangeSpec::FirstLast(first, last))),
            ..GetObject::default()
        };
        // A source that is refused is not read: open_record verifies its first mebibyte.
        let row = self.object_row(&object_key(&source.bucket, &source.name)).await?.ok_or(Error::NoSuchKey)?;
        row.record.key.check_customer(read.customer_key.as_ref())?;
        source.conditions.check_source(&row.record.etag, row.record.modified)?;
        let (row, reader) = self.open_record(principal, &source.bucket, &source.name, &read).await?;
        source.conditions.check_source(&row.record.etag, row.record.modified)?;
        // A Range header may reach beyond the end; this one may not.
        if range.is_some_and(|(first, last)| first > last || last >= row.record.size) {
            return Err(Error::InvalidRange { size: row.record.size });
        }
        let length = reader.content_length();
        if length > PUT_LIMIT {
            return Err(TOO_LARGE);
        }
        let new = NewPart { number, checksum: None, content_md5: None, length: Some(length) };
        let mut stored = self.store_part(&open, new, &mut Source(reader)).await?;
        stored.applied.customer_key_md5 = customer_key.map(|key| key.md5());
        Ok(stored)
    }
}

/// AWS's text.
const TOO_LARGE: Error = Error::InvalidRequest(
    "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120",
);
