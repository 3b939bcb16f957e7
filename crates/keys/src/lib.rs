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
//! RK       root key, 32 B, from a RootKey provider           docs/formats/root-key-file.md and its neighbours
//! DK_i     domain key i  = 32 random B, stored wrapped under RK      Table::DomainKey
//! M_{k,j}  material j of key k (of a symmetric one 32 random B), wrapped under the newest DK      Table::Material
//! Encrypt  blob = header(key id, j, N) ‖ AES-256-GCM(KBKDF(M_{k,j}, N), plaintext),  aad = header ‖ canonical(context)
//! record   blob = header(i, N) ‖ AES-256-GCM(KBKDF(DK_i, N), record),  aad = header ‖ kind ‖ table and row key
//! ```
//!
//! Of a key in an HSM the token computes KBKDF(M, N), and M never leaves it; under a key in an external key store lie two layers.
//! The rows and blobs byte by byte: docs/formats/key-records.md.

mod access;
mod cache;
mod cipher;
mod circumstances;
mod codec;
mod custody;
mod decide;
mod domain;
mod errands;
mod error;
mod generation;
mod grant;
mod grant_rows;
mod identifier;
mod labels;
mod last_use;
pub mod limits;
mod managed;
pub mod operation;
mod principal;
mod principals;
mod protection;
mod quota;
mod record;
mod request;
mod request_quota;
mod rewrap;
mod root;
mod rows;
mod service;
mod service_event;
mod set;
mod tick;
mod vault;
mod verify;
mod who_can;
mod wire;

use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use generation::Generator;
use vault::Vault;

pub use custody::xks::XksNetwork;
pub use custody::{HsmCluster, KeyStores, certificate};
pub use domain::{DomainKeyStatus, RecordError, RecordSealer};
pub use error::{Damage, Error, Internal, InvalidIdentifier};
/// Which token of a PKCS#11 module is meant.
pub use hsm::Selector as TokenSelector;
pub use identifier::{AliasName, KeyArn, KeyId};
pub use managed::AWS_S3;
pub use model::{Request, Shape};
pub use principal::{AccountId, Principal, Region};
pub use principals::{Principals, PrincipalsFailure};
pub use protection::Protection;
pub use request::{Incoming, KeyUse, ServiceUse, in_request};
pub use rewrap::Progress;
pub use root::{
    KeyFile, Passphrase, Pkcs11, Pkcs11Settings, RemoteKms, RemoteKmsSettings, RootKey, RootKeyError, RootKeyIdentity,
    RootKeyKind, RootKeys,
};
pub use service::{DataKey, ServiceDataKey};
pub use service_event::{Deed, ServiceEvent};
pub use who_can::{KeyAccess, LettingGrant};
pub use wire::{Blob, Plaintext, Timestamp, parse};

/// What a [`Keys`] needs to know besides its store.
#[derive(Clone)]
pub struct Settings {
    /// The store's home Region: the one of its buckets, and of every key that is not elsewhere. It belongs to the store: with
    /// another one, the ARNs given so far no longer resolve.
    pub region: Region,
    /// The other Regions that are served. Keys of a Region that is left out stay in the store, out of reach.
    pub other_regions: Vec<Region>,
    /// The time of day. Creation and deletion dates and rotation by age follow it; caches do not.
    pub clock: Clock,
}

/// The time of day, as the process sees it.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// The keys of one Region of a store. What the Regions share is shared behind it.
pub struct Keys {
    /// The Region that every ARN names.
    region: Region,
    clock: Clock,
    vault: Arc<Vault>,
    shared: Arc<Shared>,
}

/// What all Regions of a store have in common.
struct Shared {
    store: Arc<dyn meta::Store>,
    roots: RootKeys,
    sealer: Arc<RecordSealer>,
    rewrapping: rewrap::State,
    /// Every Region that is served, the home first.
    vaults: Vec<Arc<Vault>>,
    generator: Generator,
    /// To the custom key stores.
    connections: custody::Connections,
    /// Set once, if request quotas hold.
    quotas: OnceLock<request_quota::RequestQuotas>,
    /// There is something in [`Keys::service_events`].
    service_events: tokio::sync::Notify,
    principals: principals::Directory,
}

impl Shared {
    /// Where a Region's keys are. That of a Region that is no longer served is made anew, so that what its keys share with
    /// those of others still reaches them.
    fn vault(&self, region: &Region) -> Arc<Vault> {
        let served = self.vaults.iter().find(|vault| vault.region() == region);
        served.map(Arc::clone).unwrap_or_else(|| {
            let (store, sealer) = (Arc::clone(&self.store), Arc::clone(&self.sealer));
            Arc::new(Vault::new(store, sealer, self.vaults[0].region(), region.clone()))
        })
    }
}

impl Keys {
    /// Opens the keys of `store` and gives those of its home Region. The first time this makes domain key 0 under the first of
    /// `roots`.
    ///
    /// # Errors
    /// [`RootKeyError::NoneOpens`] if the store's domain keys were wrapped under another root key; [`Internal::Damaged`] if the
    /// domain keys are gone while records under them stand; a failing store.
    pub async fn open(
        store: Arc<dyn meta::Store>,
        roots: impl Into<RootKeys>,
        settings: Settings,
    ) -> Result<Arc<Self>, Error> {
        Self::open_with(store, roots, settings, KeyStores::default()).await
    }

    /// The same, with what the operator has set up for custom key stores.
    ///
    /// # Errors
    /// As [`Keys::open`].
    pub async fn open_with(
        store: Arc<dyn meta::Store>,
        roots: impl Into<RootKeys>,
        settings: Settings,
        key_stores: KeyStores,
    ) -> Result<Arc<Self>, Error> {
        let Settings { region: home, other_regions, clock } = settings;
        let roots = roots.into();
        let sealer = Arc::new(RecordSealer::open_store(&*store, &roots, Timestamp::from(clock())).await?);
        let mut vaults: Vec<Arc<Vault>> = Vec::new();
        for region in std::iter::once(&home).chain(&other_regions) {
            if !vaults.iter().any(|vault| vault.region() == region) {
                vaults.push(Arc::new(Vault::new(Arc::clone(&store), Arc::clone(&sealer), &home, region.clone())));
            }
        }
        let vault = Arc::clone(&vaults[0]);
        let shared = Arc::new(Shared {
            store,
            roots,
            sealer,
            rewrapping: rewrap::State::default(),
            vaults,
            generator: Generator::new(),
            connections: custody::Connections::new(key_stores),
            quotas: OnceLock::new(),
            service_events: tokio::sync::Notify::new(),
            principals: principals::Directory::default(),
        });
        Ok(Arc::new(Self { region: home, clock, vault, shared }))
    }

    /// The keys of another Region of the same store; `None` if it is not served.
    pub fn in_region(&self, region: &str) -> Option<Arc<Self>> {
        let vault = self.shared.vaults.iter().find(|vault| vault.region().as_str() == region)?;
        Some(Arc::new(Self {
            region: vault.region().clone(),
            clock: Arc::clone(&self.clock),
            vault: Arc::clone(vault),
            shared: Arc::clone(&self.shared),
        }))
    }

    /// The Region of these keys.
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// Every Region that is served, the home first.
    pub fn regions(&self) -> impl Iterator<Item = &Region> {
        self.shared.vaults.iter().map(|vault| vault.region())
    }

    /// Seals and opens the metadata records of other crates under the domain key.
    pub fn records(&self) -> &RecordSealer {
        &self.shared.sealer
    }

    fn now(&self) -> Timestamp {
        Timestamp::from((self.clock)())
    }
}
