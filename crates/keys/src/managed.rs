//! Keys that nobody creates: AWS managed keys, made when an account first needs them, and the service key of SSE-S3.

use std::sync::Arc;

use meta::Transaction;

use crate::error::Error;
use crate::identifier::{AliasName, KeyArn, KeyId};
use crate::limits::{MANAGED_KEY_PERIOD, MAX_ATTEMPTS, SERVICE_KEY_PERIOD};
use crate::principal::AccountId;
use crate::record::{AliasRecord, Cause, KeyDetails, KeyRecord, KeyState, Material, Owner};
use crate::rows::{self, Errand};
use crate::vault::{Draft, Key, busy};
use crate::{Keys, Timestamp};

/// The alias of the AWS managed key that S3 uses when a request names none.
pub const AWS_S3: &str = "alias/aws/s3";

/// The AWS managed keys of this server: alias and description, as AWS describes its own.
const MANAGED: [(&str, &str); 1] = [(AWS_S3, "Default key that protects my S3 objects when no other key is defined")];

impl Keys {
    /// The account's AWS managed key of this alias, made if this is its first use.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such kind of AWS managed key; a failing store.
    pub async fn aws_managed_key(&self, account: AccountId, alias: &str) -> Result<KeyArn, Error> {
        let name = AliasName::parse(alias).filter(|_| managed_description(alias).is_some());
        let Some(name) = name else { return Err(Error::NotFound(format!("Alias {alias} is not found."))) };
        let key = self.managed_key(account, &name).await?;
        Ok(KeyArn { region: self.settings.region.clone(), account, key })
    }

    /// As [`Keys::aws_managed_key`], for an alias that is known to be one of [`MANAGED`].
    pub(crate) async fn managed_key(&self, account: AccountId, name: &AliasName) -> Result<KeyId, Error> {
        for _ in 0..MAX_ATTEMPTS {
            if let Some(key) = self.vault.alias(account, name.clone()).await? {
                return Ok(key);
            }
            let _alone = self.vault.lock((account, name)).await;
            let now = self.now();
            let description = managed_description(name.as_str()).unwrap_or_default().to_owned();
            let details = KeyDetails { description, ..KeyDetails::default() };
            let draft = self.new_draft(KeyId::generate(), Owner::AwsManaged(account), details, now);
            let (place, record) =
                (rows::alias(account, name), AliasRecord { target: draft.id, created: now, updated: now });
            let transaction = Transaction::new().expect_absent(place.table, &place.key);
            let transaction = self.vault.put(transaction, &place, &record.encode());
            let transaction = self.vault.put(transaction, &rows::target(draft.id, name), &[]);
            let transaction = self.vault.put(transaction, &rows::owned(account, draft.id), &[]);
            let transaction = self.put_rotation(transaction, draft.id, now.after(MANAGED_KEY_PERIOD));
            // Whoever commits first makes the key; the others find it in the next round.
            self.vault.commit(self.put_new_key(transaction, &draft)).await?;
        }
        Err(busy())
    }

    /// The key of SSE-S3, made if this is its first use. No KMS operation reaches it.
    pub(crate) async fn service_key(&self) -> Result<Arc<Key>, Error> {
        for _ in 0..MAX_ATTEMPTS {
            if let Some(key) = self.vault.key(KeyId::SERVICE).await? {
                return Ok(key);
            }
            let now = self.now();
            let draft = self.new_draft(KeyId::SERVICE, Owner::Service, KeyDetails::default(), now);
            let transaction = self.put_rotation(Transaction::new(), draft.id, now.after(SERVICE_KEY_PERIOD));
            self.vault.commit(self.put_new_key(transaction, &draft)).await?;
        }
        Err(busy())
    }

    /// A new, enabled key with its first material.
    pub(crate) fn new_draft(&self, id: KeyId, owner: Owner, details: KeyDetails, now: Timestamp) -> Draft {
        let first = Material { number: 1, id: seal::random_bytes(), created: now, cause: Cause::Creation };
        let record = KeyRecord { owner, created: now, state: KeyState::Enabled, materials: vec![first] };
        Draft { id, arn: self.vault.arn(id, &record), record, details }
    }

    /// Writes a key that must not exist yet, and its first material.
    pub(crate) fn put_new_key(&self, transaction: Transaction, draft: &Draft) -> Transaction {
        let place = rows::key(draft.id);
        let transaction = transaction.expect_absent(place.table, &place.key);
        let transaction = self.vault.put_material(transaction, draft.id, draft.record.current());
        self.vault.put_key(transaction, draft)
    }

    pub(crate) fn put_rotation(&self, transaction: Transaction, key: KeyId, at: Timestamp) -> Transaction {
        self.vault.put(transaction, &rows::due(at, Errand::Rotate, key), &[])
    }
}

/// The description of a kind of AWS managed key, if this is one.
pub(crate) fn managed_description(alias: &str) -> Option<&'static str> {
    MANAGED.iter().find(|(known, _)| *known == alias).map(|(_, description)| *description)
}

/// How old the current material of a key may get before the server replaces it by itself. Customer keys: never, so far.
pub(crate) fn rotation_period(owner: Owner) -> Option<std::time::Duration> {
    match owner {
        Owner::Customer(_) => None,
        Owner::AwsManaged(_) => Some(MANAGED_KEY_PERIOD),
        Owner::Service => Some(SERVICE_KEY_PERIOD),
    }
}
