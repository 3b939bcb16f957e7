//! DeleteObject and DeleteObjects.

use crate::bucket::Bucket;
use crate::condition::DeleteCondition;
use crate::error::Error;
use crate::name::ObjectName;
use crate::objects::Objects;
use keys::Principal;

/// One object of a DeleteObjects.
#[derive(Debug, Clone)]
pub struct DeleteEntry {
    /// Its name.
    pub name: ObjectName,
    /// What must hold of it.
    pub condition: DeleteCondition,
}

impl Objects {
    /// Deletes an object. One that does not exist is deleted already, whatever the condition.
    pub async fn delete_object(
        &self,
        principal: &Principal,
        bucket: &Bucket,
        name: &ObjectName,
        condition: &DeleteCondition,
    ) -> Result<(), Error> {
        todo!()
    }

    /// Deletes up to [`DELETE_BATCH`] objects in one commit. A result for each entry, in order; the outer error is the whole
    /// request's.
    pub async fn delete_objects(
        &self,
        principal: &Principal,
        bucket: &Bucket,
        entries: &[DeleteEntry],
    ) -> Result<Vec<Result<(), Error>>, Error> {
        todo!()
    }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>
pub const DELETE_BATCH: usize = 1_000;
