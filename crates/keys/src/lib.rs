//! The KMS domain: keys and their states, material and its rotation, aliases, tags, and every cryptographic operation.
//!
//! Knows no HTTP. Each operation of the KMS API is a method of [`Keys`] from a typed request to a typed response, whose serde
//! forms are AWS's JSON. Beside them stand the calls that the object store makes: [`Keys::data_key`] and
//! [`Keys::decrypt_data_key`] (as the caller, through S3), [`Keys::service_data_key`] (under the key of SSE-S3, which no KMS
//! operation sees), and the [`RecordSealer`], which seals every metadata record.
//!
//! The hierarchy, as formulas:
//!
//! ```text
//! RK       root key, 32 B, from a RootKey provider           docs/formats/root-key-file.md
//! DK_i     domain key i  = 32 random B, stored wrapped under RK      Table::DomainKey
//! M_{k,j}  material j of key k = 32 random B, stored wrapped under the newest DK      Table::Material
//! Encrypt  blob = header(key id, j, N) ‖ AES-256-GCM(KBKDF(M_{k,j}, N), plaintext),  aad = header ‖ canonical(context)
//! record   blob = header(i, N) ‖ AES-256-GCM(KBKDF(DK_i, N), record),  aad = header ‖ kind ‖ table and row key
//! ```
//!
//! The rows and blobs byte by byte: docs/formats/key-records.md.

mod access;
mod cache;
mod cipher;
mod codec;
mod domain;
mod error;
mod identifier;
pub mod limits;
mod managed;
pub mod operation;
mod principal;
mod record;
mod root;
mod rows;
mod service;
mod tick;
mod validate;
mod vault;
mod verify;
mod wire;

use std::sync::Arc;
use std::time::SystemTime;

pub use domain::{RecordError, RecordSealer};
pub use error::{Damage, Error, Internal, InvalidIdentifier};
pub use identifier::{AliasName, KeyArn, KeyId};
pub use managed::AWS_S3;
pub use principal::{AccountId, Principal, Region};
pub use root::{KeyFile, RootKey, RootKeyError};
pub use service::{DataKey, ServiceDataKey};
pub use wire::{Blob, Plaintext, Timestamp, parse};

/// What a [`Keys`] needs to know besides its store.
#[derive(Clone)]
pub struct Settings {
    /// The Region that every ARN names. It belongs to the store: with another one, the ARNs given so far no longer resolve.
    pub region: Region,
    /// The time of day. Creation and deletion dates and rotation by age follow it; caches do not.
    pub clock: Clock,
}

/// The time of day, as the process sees it.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// The keys of one store.
pub struct Keys {
    settings: Settings,
    vault: vault::Vault,
}

impl Keys {
    /// Opens the keys of `store`. The first time this makes domain key 0 under `root`.
    ///
    /// # Errors
    /// [`RootKeyError::WrongKey`] if the store's domain keys were wrapped under another root key; [`Internal::Damaged`] if the
    /// domain keys are gone while records under them stand; a failing store.
    pub async fn open(
        store: Arc<dyn meta::Store>,
        root: Arc<dyn RootKey>,
        settings: Settings,
    ) -> Result<Arc<Self>, Error> {
        let vault = vault::Vault::open(store, root, &settings).await?;
        Ok(Arc::new(Self { settings, vault }))
    }

    /// Seals and opens the metadata records of other crates under the domain key.
    pub fn records(&self) -> &RecordSealer {
        self.vault.records()
    }

    fn now(&self) -> Timestamp {
        Timestamp::from((self.settings.clock)())
    }
}
