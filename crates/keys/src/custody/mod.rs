//! Custom key stores: keys whose material somebody else keeps. What the operator has set up for them, what the store remembers
//! of them, and the connections of this process.
//!
//! A store's record decides whether it is connected; every use of a key reads it, so that all gateways over one database agree.
//! The connection itself is each process's own, and is made when it is first needed.
//!
//! The two types of custom key stores meet in two places: [`Backing`], what a record says of where the material is, and the
//! [`Custody`](crate::record::Custody) of a key's record.

pub(crate) mod hsm;
mod hsm_store;
mod placement;
pub(crate) mod store;
pub(crate) mod xks;
mod xks_store;

use crate::Keys;
use crate::error::Error;
use crate::principal::AccountId;
use crate::record::{Custody, KeyRecord, KeyState};
use crate::vault::{Key, Opened};
use store::{Connection, StoreRecord};
use xks::{Proxies, XksNetwork};

pub use self::hsm::{HsmCluster, certificate};
pub(crate) use store::Backing;

/// What the operator has set up for custom key stores. It never comes from the data directory.
#[derive(Clone, Debug, Default)]
pub struct KeyStores {
    /// The HSMs that may become key stores of type `AWS_CLOUDHSM`.
    pub clusters: Vec<HsmCluster>,
    /// How the proxies of key stores of type `EXTERNAL_KEY_STORE` are reached.
    pub proxies: XksNetwork,
}

/// The open connections of this process.
pub(crate) struct Connections {
    pub(crate) hsms: hsm::Hsms,
    pub(crate) proxies: Proxies,
}

impl Connections {
    pub(crate) fn new(settings: KeyStores) -> Self {
        Self { hsms: hsm::Hsms::new(settings.clusters), proxies: Proxies::new(settings.proxies) }
    }

    /// Ends this process's connection to a store.
    pub(crate) fn forget(&self, id: &str) {
        self.hsms.forget(id);
        self.proxies.forget(id);
    }

    /// Ends this process's connections to all stores but these.
    pub(crate) fn keep(&self, ids: &[String]) {
        self.hsms.keep(ids);
        self.proxies.keep(ids);
    }
}

/// A custom key store that was read.
pub(crate) struct KeyStore {
    /// `CustomKeyStoreId`.
    pub(crate) id: String,
    pub(crate) record: StoreRecord,
}

impl Keys {
    /// A custom key store of an account, with its row for a precondition.
    ///
    /// # Errors
    /// [`Error::CustomKeyStoreNotFound`].
    pub(crate) async fn key_store(&self, account: AccountId, id: &str) -> Result<Opened<KeyStore>, Error> {
        let found = self.vault.read(&self.vault.rows.key_store(account, id), StoreRecord::decode).await?;
        let Opened { row, value: record } = found.ok_or_else(|| no_such_store(id))?;
        Ok(Opened { row, value: KeyStore { id: id.to_owned(), record } })
    }

    /// That a cryptographic operation may use a key now. Beyond [`KeyRecord::require_enabled`] it knows that
    /// a key in a custom key store is unavailable while the store is not connected, be it enabled or not. For keys whose material
    /// is here it costs nothing more.
    ///
    /// # Errors
    /// [`Error::Disabled`], [`Error::KmsInvalidState`].
    pub(crate) async fn require_usable(&self, key: &Key) -> Result<(), Error> {
        let elsewhere = key.record.custody != Custody::Here;
        if elsewhere && matches!(key.record.state, KeyState::Enabled | KeyState::Disabled) {
            self.connected_store(key).await?;
        }
        key.record.require_enabled(&key.arn)
    }

    /// The store of a key whose material is elsewhere, if it is connected.
    ///
    /// # Errors
    /// [`Error::KmsInvalidState`].
    pub(crate) async fn connected_store(&self, key: &Key) -> Result<KeyStore, Error> {
        let unavailable = || {
            Error::KmsInvalidState(match &key.record.custody {
                Custody::Proxy { .. } => xks::NOT_CONNECTED.to_owned(),
                Custody::Here | Custody::Hsm { .. } => format!("{} is unavailable.", key.arn),
            })
        };
        let (Some(id), Some(account)) = (key.record.custody.store(), key.record.owner.account()) else {
            return Err(unavailable());
        };
        match self.key_store(account, id).await {
            Ok(found) if found.value.record.connection == Connection::Connected => Ok(found.value),
            Ok(_) | Err(Error::CustomKeyStoreNotFound(_)) => Err(unavailable()),
            Err(error) => Err(error),
        }
    }

    /// The store that holds a key's material, if it is elsewhere, for what DescribeKey says.
    pub(crate) async fn store_of(&self, record: &KeyRecord) -> Result<Option<KeyStore>, Error> {
        let (Some(id), Some(account)) = (record.custody.store(), record.owner.account()) else { return Ok(None) };
        match self.key_store(account, id).await {
            Ok(found) => Ok(Some(found.value)),
            Err(Error::CustomKeyStoreNotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl KeyStore {
    pub(crate) fn is_connected(&self) -> bool {
        self.record.connection == Connection::Connected
    }

    /// That what a request sets may be set now: everything while the store is disconnected, and what is not `offline` while it is
    /// connected.
    ///
    /// # Errors
    /// [`Error::CustomKeyStoreInvalidState`].
    fn require_changeable(&self, offline: bool) -> Result<(), Error> {
        match self.record.connection {
            Connection::Disconnected => Ok(()),
            Connection::Connected if !offline => Ok(()),
            Connection::Connected | Connection::Failed(_) => Err(self.wrong_state()),
        }
    }

    /// That the connection does not allow an operation.
    pub(crate) fn wrong_state(&self) -> Error {
        let (id, state) = (&self.id, self.record.connection.name());
        Error::CustomKeyStoreInvalidState(format!(
            "Custom key store {id} is in the state {state}, which is not valid for this operation."
        ))
    }

    /// Whether a key in this state is shown as `Unavailable`: one that is pending deletion is not, so that it can be cancelled
    /// (KMS developer guide, Key states).
    pub(crate) fn hides(&self, state: KeyState) -> bool {
        !self.is_connected() && matches!(state, KeyState::Enabled | KeyState::Disabled)
    }
}

impl Custody {
    /// `CustomKeyStoreId`, of keys whose material is elsewhere.
    pub(crate) fn store(&self) -> Option<&str> {
        match self {
            Self::Here => None,
            Self::Hsm { store } | Self::Proxy { store, .. } => Some(store),
        }
    }
}

fn nothing_to_update() -> Error {
    Error::Validation("At least one property to update must be specified.".to_owned())
}

pub(crate) fn no_such_store(id: &str) -> Error {
    Error::CustomKeyStoreNotFound(format!("Custom key store {id} does not exist."))
}

/// What cryptographic operations answer while a connected HSM does not (KMS developer guide, Troubleshooting a custom key store).
pub(crate) fn no_answer() -> Error {
    Error::KmsInvalidState("KMS cannot communicate with your CloudHSM cluster".to_owned())
}
