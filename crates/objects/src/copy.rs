//! CopyObject.

use crate::bucket::Bucket;
use crate::checksum::Algorithm;
use crate::condition::{ReadConditions, WriteCondition};
use crate::encryption::{CustomerKey, EncryptionRequest};
use crate::error::Error;
use crate::info::Stored;
use crate::metadata::Metadata;
use crate::name::ObjectName;
use crate::objects::Objects;
use keys::Principal;
use std::sync::Arc;

/// The object that a copy reads.
#[derive(Debug)]
pub struct CopySource {
    /// Its bucket.
    pub bucket: Arc<Bucket>,
    /// Its name.
    pub name: ObjectName,
    /// Its SSE-C key (`x-amz-copy-source-server-side-encryption-customer-*`).
    pub customer_key: Option<CustomerKey>,
    /// `x-amz-copy-source-if-*`.
    pub conditions: ReadConditions,
}

/// A CopyObject; the destination's bucket and name stand beside it.
#[derive(Debug)]
pub struct CopyObject {
    /// What is read.
    pub source: CopySource,
    /// How the copy is encrypted. A copy does not inherit its source's mode.
    pub encryption: EncryptionRequest,
    /// Which metadata it has.
    pub metadata: MetadataDirective,
    /// Its checksum algorithm; the source's if absent.
    pub checksum: Option<Algorithm>,
    /// What must hold of the object that is replaced.
    pub condition: WriteCondition,
}

/// `x-amz-metadata-directive`.
#[derive(Debug, Clone, Default)]
pub enum MetadataDirective {
    /// The source's.
    #[default]
    Copy,
    /// The request's.
    Replace(Metadata),
}

impl Objects {
    /// Copies an object, between any two modes. A copy onto itself between SSE-S3 and SSE-KMS moves no data.
    pub async fn copy_object(
        &self,
        principal: &Principal,
        bucket: &Bucket,
        name: &ObjectName,
        request: CopyObject,
    ) -> Result<Stored, Error> {
        todo!()
    }
}
