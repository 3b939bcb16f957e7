//! GetObjectAttributes.

use crate::bucket::Bucket;
use crate::checksum::ChecksumValue;
use crate::encryption::CustomerKey;
use crate::error::Error;
use crate::info::ObjectInfo;
use crate::name::ObjectName;
use crate::objects::Objects;
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
    /// From 1.
    pub number: u16,
    /// Plaintext bytes.
    pub size: u64,
    /// Its own checksum, if the upload had one.
    pub checksum: Option<ChecksumValue>,
}

impl Objects {
    /// An object's attributes. SSE-C objects need their key.
    pub async fn object_attributes(
        &self,
        principal: &Principal,
        bucket: &Bucket,
        name: &ObjectName,
        customer_key: Option<CustomerKey>,
    ) -> Result<ObjectAttributes, Error> {
        todo!()
    }
}
