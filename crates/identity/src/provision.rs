//! What the operator's files give: access keys that live in memory alone, and the users that they are of.

use std::sync::Arc;

use policy::AccountId;
use zeroize::Zeroizing;

use crate::Identity;
use crate::entity::Entity;
use crate::error::Error;
use crate::record::{Account, User};
use crate::resolve::Fixed;
use crate::rows;
use crate::store::change;

/// An access key of an operator's file.
pub struct StaticKey {
    /// The access key id.
    pub access_key_id: String,
    /// The secret access key, as the signature's key derivation takes it.
    pub secret: Zeroizing<Vec<u8>>,
}

impl Identity {
    /// Takes access keys that no row holds and no IAM operation sees: of the account's root user, or of `user`. An account that is not
    /// there is made; a user that is not there is made, and then, once, `policies` (ARNs) are attached to it. Root keys of the home
    /// account write nothing.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for the account of nobody; [`Error::NoSuchEntity`] for a policy that does not exist;
    /// [`Error::AccessDenied`] for an account that is being deleted; a failing store.
    pub async fn provision(
        &self,
        account: AccountId,
        user: Option<&str>,
        policies: &[String],
        keys: Vec<StaticKey>,
    ) -> Result<(), Error> {
        if account == AccountId::NOBODY {
            return Err(Error::InvalidInput(format!("No account has the id {account}.")));
        }
        if account != self.home {
            self.provision_account(account).await?;
        }
        let user = match user {
            Some(name) => Some(self.provision_user(account, name, policies).await?),
            None => None,
        };
        for key in keys {
            let fixed = Fixed { account, user: user.clone(), secret: Arc::new(key.secret) };
            self.credentials.fix(&key.access_key_id, fixed);
        }
        Ok(())
    }

    async fn provision_account(&self, account: AccountId) -> Result<(), Error> {
        change!(self, account, |work| {
            if work.read::<Account>(&rows::account(account)).await?.is_none() {
                work.put_account(&Account::new(account.as_str(), self.now()));
            }
            Ok(())
        })
    }

    async fn provision_user(&self, account: AccountId, name: &str, policies: &[String]) -> Result<String, Error> {
        change!(self, account, |work| {
            if let Some(user) = work.find::<User>(name).await? {
                return Ok(user.head.id);
            }
            let mut user = self.new_user(name, None);
            for arn in policies {
                work.attached(arn, &user.head.id).await?;
                user.policies.attached.push(arn.clone());
            }
            work.insert(&user).await?;
            tracing::info!(user = user.arn(account), "a user that the accounts file names was made");
            Ok(user.head.id)
        })
    }
}
