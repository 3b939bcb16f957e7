//! The life of a key whose material is in a custom key store: it is made there, and destroyed there when the key is no more.
//!
//! An HSM takes no part in our transactions. So before a key's material is made there, a row says that it shall be destroyed in
//! an hour; the commit that makes the key deletes that row, and the commit that destroys the key writes one that is due at once.
//! Whatever a crash or an HSM that is away leaves behind, `tick` finds by these rows, and tries until it is done.

use std::time::Duration;

use meta::{Table, Transaction};

use super::{Backing, KeyStore, StoreRecord};
use crate::Keys;
use crate::codec::{Decoder, Encoder};
use crate::error::Error;
use crate::identifier::KeyId;
use crate::principal::{AccountId, Principal};
use crate::record::Custody;
use crate::rows::{Claim, Place};
use crate::vault::{Draft, Key};
use crate::wire::Timestamp;

/// How long the making of a key may take at the very most, before what it made in an HSM is taken for left behind.
const MAKING: Duration = Duration::from_secs(3600);
/// How long an HSM that did not destroy a key's material is left alone.
const PAUSE: Duration = Duration::from_secs(600);
/// Most materials that one `tick` has destroyed.
const BATCH: usize = 256;

const VERSION: u8 = 1;

/// Where a material is that shall be destroyed.
struct Discarded {
    account: AccountId,
    store: String,
}

impl Discarded {
    fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::new(VERSION);
        out.array(self.account.as_bytes());
        out.text(&self.store);
        out.finish()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = Decoder::new(VERSION, bytes)?;
        let account = AccountId::from_bytes(fields.array()?)?;
        let store = fields.text()?;
        fields.finish()?;
        Some(Self { account, store })
    }
}

impl Key {
    /// That the key's material is here, for what custom key stores do not do.
    ///
    /// # Errors
    /// [`Error::UnsupportedOperation`].
    pub(crate) fn require_kept_here(&self) -> Result<(), Error> {
        if self.record.custody == Custody::Here {
            return Ok(());
        }
        let (arn, origin) = (&self.arn, self.record.origin.name());
        Err(Error::UnsupportedOperation(format!("{arn} origin is {origin} which is not valid for this operation.")))
    }
}

impl Keys {
    /// Prepares the place of a new key's material: its store must be connected and of the key's kind. In an HSM the material is
    /// made now; behind a proxy it must be there already. Nothing is done for keys whose material is kept here.
    ///
    /// # Errors
    /// Those of CreateKey.
    pub(crate) async fn place(&self, principal: &Principal, draft: &Draft) -> Result<(), Error> {
        let account = principal.account;
        let Some(id) = draft.record.custody.store() else { return Ok(()) };
        let store = self.key_store(account, id).await?.value;
        let fits = matches!(
            (&store.record.backing, &draft.record.custody),
            (Backing::Hsm(_), Custody::Hsm { .. }) | (Backing::Proxy(_), Custody::Proxy { .. })
        );
        if !fits {
            let (origin, kind) = (draft.record.origin.name(), store.record.backing.type_name());
            let text = format!("Origin {origin} is not valid for a custom key store of type {kind}.");
            return Err(Error::UnsupportedOperation(text));
        }
        if !store.is_connected() {
            return Err(store.wrong_state());
        }
        match &draft.record.custody {
            Custody::Proxy { key, .. } => {
                if self.is_claimed(&external_key(draft)).await? {
                    return Err(external_key_in_use(key));
                }
                self.require_external_key(principal, &store, key).await
            }
            _ => self.make_material(account, &store, draft).await,
        }
    }

    async fn make_material(&self, account: AccountId, store: &KeyStore, draft: &Draft) -> Result<(), Error> {
        let place = self.left_behind(draft);
        let left = Discarded { account, store: store.id.clone() };
        self.vault.commit(self.vault.put(Transaction::new(), &place, &left.encode())).await?;
        let made = self.make_in_hsm(account, store, draft.id, &draft.arn).await;
        // A call that was given up may be made yet: then `tick` looks when it is long over.
        if made.as_ref().is_err_and(|error| !matches!(error, Error::DependencyTimeout(_))) {
            self.unplace(draft).await;
        }
        made
    }

    /// Undoes [`Keys::place`] for a key that could not be committed. What cannot be undone now, `tick` undoes.
    pub(crate) async fn unplace(&self, draft: &Draft) {
        if let Custody::Hsm { .. } = draft.record.custody {
            let place = self.left_behind(draft);
            if let Err(error) = self.discard(&place, draft.id).await {
                tracing::debug!(key = %draft.arn, %error, "material that was made in vain is destroyed later");
            }
        }
    }

    /// The row that says that a new key's material was left behind.
    fn left_behind(&self, draft: &Draft) -> Place {
        self.vault.rows.discard(draft.record.created.after(MAKING), draft.id)
    }

    /// What the commit of a new key writes about its place.
    ///
    /// # Errors
    /// [`Error::XksKeyAlreadyInUse`].
    pub(crate) async fn put_place(&self, transaction: Transaction, draft: &Draft) -> Result<Transaction, Error> {
        let rows = &self.vault.rows;
        let (Some(store), Some(account)) = (draft.record.custody.store(), draft.record.owner.account()) else {
            return Ok(transaction);
        };
        let place = rows.key_store(account, store);
        let transaction = transaction.expect_present(place.table, &place.key);
        let transaction = self.vault.put(transaction, &rows.stored_key(store, draft.id), &[]);
        match &draft.record.custody {
            Custody::Hsm { .. } => {
                let left = self.left_behind(draft);
                Ok(transaction.delete(left.table, &left.key))
            }
            Custody::Proxy { key, .. } => {
                let claim = external_key(draft);
                if self.is_claimed(&claim).await? {
                    return Err(external_key_in_use(key));
                }
                let place = rows.claim(&claim);
                let transaction = transaction.expect_absent(place.table, &place.key);
                Ok(self.vault.put(transaction, &place, store.as_bytes()))
            }
            Custody::Here => Ok(transaction),
        }
    }

    /// What the commit that destroys a key writes about its place.
    pub(crate) fn delete_place(&self, transaction: Transaction, draft: &Draft, now: Timestamp) -> Transaction {
        let rows = &self.vault.rows;
        let (Some(store), Some(account)) = (draft.record.custody.store(), draft.record.owner.account()) else {
            return transaction;
        };
        let place = rows.stored_key(store, draft.id);
        let transaction = transaction.delete(place.table, &place.key);
        match &draft.record.custody {
            Custody::Hsm { .. } => {
                let discarded = Discarded { account, store: store.to_owned() };
                self.vault.put(transaction, &rows.discard(now, draft.id), &discarded.encode())
            }
            // The external key is its key manager's to destroy: KMS never does.
            Custody::Proxy { .. } => {
                let place = rows.claim(&external_key(draft));
                transaction.delete(place.table, &place.key)
            }
            Custody::Here => transaction,
        }
    }

    /// Destroys what was left to be destroyed in HSMs.
    ///
    /// # Errors
    /// The first failure, after everything else that was due has been tried.
    pub(crate) async fn run_discards(&self, now: Timestamp) -> Result<(), Error> {
        let mut outcome = Ok(());
        let due = self.vault.scan(Table::Key, &self.vault.rows.discards_by(now), BATCH).await?;
        for row in due {
            outcome = outcome.and(match self.vault.rows.parse_discard(&row.key) {
                Some((at, key)) => self.run_discard(&self.vault.rows.discard(at, key), key, now).await,
                None => Err(Error::damaged("discarded material", &row.key)),
            });
        }
        outcome
    }

    async fn run_discard(&self, place: &Place, key: KeyId, now: Timestamp) -> Result<(), Error> {
        match self.discard(place, key).await {
            Err(Error::KmsInvalidState(_)) => self.postpone(place, key, now).await,
            done => done,
        }
    }

    /// Destroys the material that a row tells of, and deletes the row.
    ///
    /// # Errors
    /// [`Error::KmsInvalidState`] if the HSM cannot be asked now.
    async fn discard(&self, place: &Place, key: KeyId) -> Result<(), Error> {
        let Some(found) = self.vault.read(place, Discarded::decode).await? else { return Ok(()) };
        let Discarded { account, store: id } = found.value;
        // The key was made after all: its record decides.
        if self.vault.draft(key).await?.is_none() {
            match self.key_store(account, &id).await {
                Ok(store) => self.destroy_in_hsm(account, &store.value, key).await?,
                Err(Error::CustomKeyStoreNotFound(_)) => tracing::error!(
                    store = id, key = %key,
                    "the material of a key stays in its HSM, for its custom key store was deleted"
                ),
                Err(error) => return Err(error),
            }
        }
        self.vault.commit(Transaction::new().delete(place.table, &place.key)).await?;
        Ok(())
    }

    /// Leaves a material that could not be destroyed for later, behind whatever else is due.
    async fn postpone(&self, place: &Place, key: KeyId, now: Timestamp) -> Result<(), Error> {
        let Some(found) = self.vault.read(place, Discarded::decode).await? else { return Ok(()) };
        let later = self.vault.rows.discard(now.after(PAUSE), key);
        let transaction =
            Transaction::new().expect_equals(place.table, &place.key, found.row).delete(place.table, &place.key);
        // Another gateway may have been faster: then there is nothing to do.
        self.vault.commit(self.vault.put(transaction, &later, &found.value.encode())).await.map(drop)
    }

    /// Makes this process's connections to the custom key stores what their records say: ends those that are over, and makes
    /// those of HSMs that are connected, so that the first use of a key need not.
    ///
    /// # Errors
    /// A failing store. An HSM that is away is none.
    pub(crate) async fn keep_connections(&self) -> Result<(), Error> {
        let mut connected = Vec::new();
        for region in self.regions() {
            let Some(keys) = self.in_region(region.as_str()) else { continue };
            for row in keys.vault.scan(Table::Key, &keys.vault.rows.key_stores(), usize::MAX).await? {
                let damaged = || Error::damaged("custom key store", &row.key);
                let (account, id) = keys.vault.rows.parse_key_store(&row.key).ok_or_else(damaged)?;
                let place = keys.vault.rows.key_store(account, &id);
                let record = keys.vault.decode(&place, &row.value, StoreRecord::decode)?;
                let store = KeyStore { id, record };
                if store.is_connected() {
                    if matches!(store.record.backing, Backing::Hsm(_)) {
                        let _ = keys.token(account, &store).await;
                    }
                    connected.push(store.id);
                }
            }
        }
        self.shared.connections.keep(&connected);
        Ok(())
    }
}

fn external_key(draft: &Draft) -> Claim {
    match &draft.record.custody {
        Custody::Proxy { store, key } => Claim::ExternalKey(store.clone(), key.clone()),
        Custody::Here | Custody::Hsm { .. } => unreachable!("only a key behind a proxy has an external key"),
    }
}

fn external_key_in_use(key: &str) -> Error {
    Error::XksKeyAlreadyInUse(format!(
        "The external key {key} is already another KMS key's in this external key store."
    ))
}
