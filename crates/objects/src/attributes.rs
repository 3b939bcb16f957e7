//! GetObjectAttributes.

use crate::bucket::Bucket;
use crate::checksum::ChecksumValue;
use crate::encryption::CustomerKey;
use crate::error::Error;
use crate::info::ObjectInfo;
use crate::name::ObjectName;
use crate::objects::Objects;
use crate::record::Parts;
use crate::rows::object_key;
use crate::tagging::check_seen;
use crate::tags::Tags;
use keys::Principal;

/// What GetObjectAttributes answers from.
#[derive(Debug, Clone)]
pub struct ObjectAttributes {
    /// The object.
    pub info: ObjectInfo,
    /// Its parts in order, if it came from a multipart upload. The gateway pages through them.
    pub parts: Vec<PartAttributes>,
}

/// One part of a completed multipart object.
#[derive(Debug, Clone)]
pub struct PartAttributes {
    /// As uploaded, from 1.
    pub number: u16,
    /// Plaintext bytes.
    pub size: u64,
    /// Its own checksum, if the upload had one.
    pub checksum: Option<ChecksumValue>,
}

impl Objects {
    /// An object's attributes. SSE-C objects need their key. `seen`: the tags that it must still have, if somebody decided by them.
    pub async fn object_attributes(
        &self,
        _principal: &Principal,
        bucket: &Bucket,
        name: &ObjectName,
        customer_key: Option<CustomerKey>,
        seen: Option<&Tags>,
    ) -> Result<ObjectAttributes, Error> {
        let key = object_key(bucket, name);
        let mut row = self.object_row(&key).await?.ok_or(Error::NoSuchKey)?;
        if matches!(row.record.parts, Parts::Manifest(_)) {
            row = self.whole_row(&key).await?.ok_or(Error::NoSuchKey)?;
        }
        check_seen(&row.record.tags, seen)?;
        row.record.key.check_customer(customer_key.as_ref())?;
        let parts = match row.record.parts {
            Parts::Single(_) => Vec::new(),
            Parts::Manifest(_) => self.parts(&key, &row.record, row.body.as_ref())?,
        };
        let parts = parts
            .into_iter()
            .map(|part| PartAttributes { number: part.number, size: part.size, checksum: part.checksum })
            .collect();
        Ok(ObjectAttributes { info: row.record.info(customer_key.map(|key| key.md5())), parts })
    }
}
