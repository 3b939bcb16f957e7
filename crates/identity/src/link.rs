//! Rows that say which entities a managed policy is attached to, and whose boundary it is: by them a policy that is in use is known
//! as such.

use crate::error::Error;
use crate::managed::{is_policy_arn, not_attachable, require_policy_arn};
use crate::rows;
use crate::store::Work;

impl Work<'_> {
    /// Notes that a policy is an entity's boundary. A commit will expect the policy to be there still.
    ///
    /// # Errors
    /// [`Error::NoSuchEntity`]; [`Error::InvalidInput`] for what is no policy's ARN.
    pub(crate) async fn bound(&mut self, arn: &str, entity: &str) -> Result<(), Error> {
        if !is_policy_arn(arn) {
            return Err(Error::InvalidInput(format!("ARN {arn} is not valid.")));
        }
        if self.managed(arn).await?.is_none() {
            return Err(Error::NoSuchEntity(format!("Scope ARN: {arn} does not exist or is not attachable.")));
        }
        self.write(&rows::boundary(self.account, arn, entity), &());
        Ok(())
    }

    /// Notes that it is no more.
    pub(crate) fn unbound(&mut self, arn: &str, entity: &str) {
        self.remove(&rows::boundary(self.account, arn, entity));
    }

    /// Notes that a policy is attached to an entity. A commit will expect the policy to be there still.
    ///
    /// # Errors
    /// [`Error::NoSuchEntity`]; [`Error::Validation`] for what is no policy's ARN.
    pub(crate) async fn attached(&mut self, arn: &str, entity: &str) -> Result<(), Error> {
        require_policy_arn(arn)?;
        if self.managed(arn).await?.is_none() {
            return Err(not_attachable(arn));
        }
        self.write(&rows::attachment(self.account, arn, entity), &());
        Ok(())
    }

    /// Notes that it is no more.
    pub(crate) fn detached(&mut self, arn: &str, entity: &str) {
        self.remove(&rows::attachment(self.account, arn, entity));
    }
}
