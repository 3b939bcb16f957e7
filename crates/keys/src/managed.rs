//! Keys that nobody creates: AWS managed keys, made when an account first needs them, and the service key of SSE-S3.

use std::sync::Arc;

use material::{KeySpec, KeyUsage, Secret};
use meta::Transaction;

use crate::errands::Errands;
use crate::error::Error;
use crate::identifier::{AliasName, KeyArn, KeyId};
use crate::limits::{MANAGED_KEY_PERIOD, MAX_ATTEMPTS, SERVICE_KEY_PERIOD};
use crate::principal::AccountId;
use crate::record::{AliasRecord, KeyDetails, KeyRecord, Owner};
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
        Ok(KeyArn { region: self.region.clone(), account, key })
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
            let (draft, secret) = self.unasked(KeyId::generate(), Owner::AwsManaged(account), details, now);
            let (place, record) =
                (self.vault.rows.alias(account, name), AliasRecord { target: draft.id, created: now, updated: now });
            let transaction = Transaction::new().expect_absent(place.table, &place.key);
            let transaction = self.vault.put(transaction, &place, &record.encode());
            let transaction = self.vault.put(transaction, &self.vault.rows.target(draft.id, name), &[]);
            let transaction = self.vault.put(transaction, &self.vault.rows.owned(account, draft.id), &[]);
            // Whoever commits first makes the key; the others find it in the next round.
            self.vault.commit(self.put_new_key(transaction, &draft, Some(&secret))).await?;
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
            let (draft, secret) = self.unasked(KeyId::SERVICE, Owner::Service, KeyDetails::default(), now);
            self.vault.commit(self.put_new_key(Transaction::new(), &draft, Some(&secret))).await?;
        }
        Err(busy())
    }

    /// A symmetric key that nobody asked for by CreateKey, and its first material.
    fn unasked(&self, id: KeyId, owner: Owner, details: KeyDetails, now: Timestamp) -> (Draft, Secret) {
        let record = KeyRecord::new(owner, KeySpec::SymmetricDefault, KeyUsage::EncryptDecrypt, now);
        let draft = Draft { id, arn: self.vault.arn(id, &record), record, details };
        (draft, Secret::from(&seal::SecretKey::generate().expose()[..]))
    }

    /// Writes a key that must not exist yet, and its first material if it has one here.
    pub(crate) fn put_new_key(&self, transaction: Transaction, draft: &Draft, secret: Option<&Secret>) -> Transaction {
        let place = self.vault.rows.key(draft.id);
        let mut transaction = transaction.expect_absent(place.table, &place.key);
        if let (Some(secret), Some(first)) = (secret, draft.record.current()) {
            transaction = self.vault.put_material(transaction, draft.id, first, secret.expose());
        }
        let errands = draft.record.errands(self.vault.region());
        let transaction = self.vault.put_errands(transaction, draft.id, &Errands::new(), &errands);
        self.vault.put_key(transaction, draft)
    }
}

/// The description of a kind of AWS managed key, if this is one.
pub(crate) fn managed_description(alias: &str) -> Option<&'static str> {
    MANAGED.iter().find(|(known, _)| *known == alias).map(|(_, description)| *description)
}

/// How old the current material of a key that nobody manages may get before the server replaces it. None: of customer keys
/// the record says.
pub(crate) fn rotation_period(owner: Owner) -> Option<std::time::Duration> {
    match owner {
        Owner::Customer(_) => None,
        Owner::AwsManaged(_) => Some(MANAGED_KEY_PERIOD),
        Owner::Service => Some(SERVICE_KEY_PERIOD),
    }
}
