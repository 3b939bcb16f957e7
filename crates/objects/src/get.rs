//! GetObject and HeadObject.

use crate::bucket::Bucket;
use crate::condition::ReadConditions;
use crate::encryption::CustomerKey;
use crate::error::Error;
use crate::info::ObjectInfo;
use crate::name::ObjectName;
use crate::objects::Objects;
use crate::read::ObjectReader;
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
        todo!()
    }

    /// What [`open_object`](Self::open_object) would answer, without bytes and without a KMS call.
    pub async fn head_object(
        &self,
        principal: &Principal,
        bucket: &Bucket,
        name: &ObjectName,
        request: GetObject,
    ) -> Result<ObjectHead, Error> {
        todo!()
    }
}
