//! What the store keeps of a key and of an alias. The bytes: [`encoding`].

mod encoding;

use std::collections::BTreeMap;

use material::{KeySpec, KeyUsage};

use crate::error::Error;
use crate::identifier::KeyId;
use crate::principal::{AccountId, Region};
use crate::wire::Timestamp;

/// Who owns and manages a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Owner {
    /// A customer managed key.
    Customer(AccountId),
    /// An AWS managed key of the account (`alias/aws/...`).
    AwsManaged(AccountId),
    /// The server itself: no KMS operation sees the key.
    Service,
}

impl Owner {
    /// The account in the key's ARN; none for the service key, which has no ARN.
    pub(crate) fn account(self) -> Option<AccountId> {
        match self {
            Self::Customer(account) | Self::AwsManaged(account) => Some(account),
            Self::Service => None,
        }
    }
}

/// The key state. Creating and Updating last no longer than a transaction here; Unavailable is not stored: it is what a key is
/// while its custom key store is out of reach.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum KeyState {
    Enabled,
    Disabled,
    /// Waits for its first material, or for one that was deleted or has expired.
    PendingImport,
    PendingDeletion {
        at: Timestamp,
    },
    /// A primary key whose waiting period of `days` begins when its last replica is gone.
    PendingReplicaDeletion {
        days: u32,
    },
}

impl KeyState {
    /// The name in the service model.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Enabled => "Enabled",
            Self::Disabled => "Disabled",
            Self::PendingImport => "PendingImport",
            Self::PendingDeletion { .. } => "PendingDeletion",
            Self::PendingReplicaDeletion { .. } => "PendingReplicaDeletion",
        }
    }
}

/// Where a key's material comes from: `Origin`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Origin {
    /// Made here.
    AwsKms,
    /// Imported.
    External,
    /// Made in the HSM of a custom key store.
    CloudHsm,
    /// Kept by the key manager behind an XKS proxy.
    ExternalKeyStore,
}

impl Origin {
    pub(crate) const ALL: [Self; 4] = [Self::AwsKms, Self::External, Self::CloudHsm, Self::ExternalKeyStore];

    /// The name in the service model.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::AwsKms => "AWS_KMS",
            Self::External => "EXTERNAL",
            Self::CloudHsm => "AWS_CLOUDHSM",
            Self::ExternalKeyStore => "EXTERNAL_KEY_STORE",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|origin| origin.name() == name)
    }
}

/// Who holds a key's material.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Custody {
    /// This server, wrapped under a domain key.
    Here,
    /// The HSM of a custom key store, under the key's id.
    Hsm {
        /// `CustomKeyStoreId`.
        store: String,
    },
    /// An external key manager; this server's own material is the inner one of two layers.
    Proxy {
        /// `CustomKeyStoreId`.
        store: String,
        /// `XksKeyId`.
        key: String,
    },
}

/// How a material came to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cause {
    Creation,
    Automatic,
    OnDemand,
    /// Imported as new material: it seals from the next on-demand rotation on.
    PendingRotation,
}

/// What is known of an imported material besides its bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Import {
    /// `KeyMaterialDescription`.
    pub(crate) description: Option<String>,
    /// When it expires; none: never.
    pub(crate) valid_to: Option<Timestamp>,
    /// Whether its bytes are here. Deleted and expired materials are listed still, and may be imported again.
    pub(crate) present: bool,
}

impl Import {
    /// `ExpirationModel`.
    pub(crate) fn expiration_model(&self) -> &'static str {
        if self.valid_to.is_some() { "KEY_MATERIAL_EXPIRES" } else { "KEY_MATERIAL_DOES_NOT_EXPIRE" }
    }
}

/// One material of a key, without its bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Material {
    /// Counts from 1 in each key. Ciphertext names it.
    pub(crate) number: u32,
    /// `KeyMaterialId`.
    pub(crate) id: [u8; 32],
    /// When it was made, or took over.
    pub(crate) created: Timestamp,
    pub(crate) cause: Cause,
    /// Of keys of origin EXTERNAL alone.
    pub(crate) import: Option<Import>,
}

impl Material {
    /// `KeyMaterialId` as the API gives it.
    pub(crate) fn id_text(&self) -> String {
        data_encoding::HEXLOWER.encode(&self.id)
    }

    /// Whether its bytes are here and should not be any more.
    pub(crate) fn has_expired(&self, now: Timestamp) -> bool {
        let import = self.import.as_ref().filter(|import| import.present);
        import.and_then(|import| import.valid_to).is_some_and(|at| at <= now)
    }

    /// Whether its bytes are at hand (or in the custody of somebody who has them).
    pub(crate) fn is_present(&self) -> bool {
        self.import.as_ref().is_none_or(|import| import.present)
    }
}

/// Automatic rotation of a customer key, while it is on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Rotation {
    /// `RotationPeriodInDays`, 90 to 2,560.
    pub(crate) days: u32,
    /// When the next material takes over.
    pub(crate) next: Timestamp,
}

/// What the members of a set of multi-Region keys know of each other. Every member has it whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct MultiRegion {
    pub(crate) primary: Region,
    /// In the order of their names.
    pub(crate) replicas: Vec<Region>,
}

impl MultiRegion {
    /// Where the members are.
    pub(crate) fn regions(&self) -> impl Iterator<Item = &Region> {
        std::iter::once(&self.primary).chain(&self.replicas)
    }

    /// Adds a replica.
    pub(crate) fn add(&mut self, region: &Region) {
        self.replicas.push(region.clone());
        self.replicas.sort();
    }

    /// The replica in a Region becomes the primary, and the primary a replica.
    pub(crate) fn promote(&mut self, region: &Region) {
        let former = std::mem::replace(&mut self.primary, region.clone());
        self.replicas.retain(|replica| replica != region);
        self.add(&former);
    }
}

/// What every use of a key reads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct KeyRecord {
    pub(crate) owner: Owner,
    pub(crate) created: Timestamp,
    pub(crate) spec: KeySpec,
    pub(crate) usage: KeyUsage,
    pub(crate) origin: Origin,
    pub(crate) custody: Custody,
    pub(crate) state: KeyState,
    pub(crate) rotation: Option<Rotation>,
    pub(crate) multi_region: Option<MultiRegion>,
    /// Whether a row holds the key's policy; else it is the default one. So deleting the row gives nobody more than it said.
    pub(crate) own_policy: bool,
    /// In the order of their numbers. Empty only until the first import of a key of origin EXTERNAL.
    pub(crate) materials: Vec<Material>,
}

impl KeyRecord {
    /// A new, enabled key whose material is made and kept here.
    pub(crate) fn new(owner: Owner, spec: KeySpec, usage: KeyUsage, now: Timestamp) -> Self {
        let first =
            Material { number: 1, id: seal::random_bytes(), created: now, cause: Cause::Creation, import: None };
        Self {
            owner,
            created: now,
            spec,
            usage,
            origin: Origin::AwsKms,
            custody: Custody::Here,
            state: KeyState::Enabled,
            rotation: None,
            multi_region: None,
            own_policy: false,
            materials: vec![first],
        }
    }

    /// The material that seals; none until the first import.
    pub(crate) fn current(&self) -> Option<&Material> {
        self.materials.iter().rev().find(|material| material.cause != Cause::PendingRotation)
    }

    /// The material that seals, of a key that is in use.
    ///
    /// # Errors
    /// [`Error::KmsInvalidState`] if there is none yet.
    pub(crate) fn sealing(&self, arn: &str) -> Result<&Material, Error> {
        self.current().ok_or_else(|| pending_import(arn))
    }

    pub(crate) fn material(&self, number: u32) -> Option<&Material> {
        let index = self.materials.binary_search_by_key(&number, |material| material.number).ok()?;
        self.materials.get(index)
    }

    /// Brings the state in line with the imported materials that are here. A key is in use only while all those are that it has
    /// ever sealed with; one that waits for its rotation does not count.
    pub(crate) fn settle(&mut self) {
        let mut needed = self.materials.iter().filter(|material| material.cause != Cause::PendingRotation);
        let whole = self.current().is_some() && needed.all(Material::is_present);
        self.state = match self.state {
            KeyState::Enabled | KeyState::Disabled if !whole => KeyState::PendingImport,
            KeyState::PendingImport if whole => KeyState::Enabled,
            state => state,
        };
    }

    /// That the key of this Region is no replica: what its set shares is changed through the primary alone.
    ///
    /// # Errors
    /// [`Error::UnsupportedOperation`].
    pub(crate) fn require_primary(&self, region: &Region, arn: &str) -> Result<(), Error> {
        match &self.multi_region {
            Some(set) if set.primary != *region => {
                Err(Error::UnsupportedOperation(format!("{arn} is not a multi-Region primary key.")))
            }
            _ => Ok(()),
        }
    }

    /// That a cryptographic operation may use the key.
    pub(crate) fn require_enabled(&self, arn: &str) -> Result<(), Error> {
        match self.state {
            KeyState::Enabled => Ok(()),
            KeyState::Disabled => Err(Error::Disabled(format!("{arn} is disabled."))),
            _ => self.require_imported(arn),
        }
    }

    /// That the key is not on its way out: what changes of a key need, that a key without material allows too.
    pub(crate) fn require_not_pending(&self, arn: &str) -> Result<(), Error> {
        match self.state {
            KeyState::Enabled | KeyState::Disabled | KeyState::PendingImport => Ok(()),
            KeyState::PendingDeletion { .. } => Err(Error::KmsInvalidState(format!("{arn} is pending deletion."))),
            KeyState::PendingReplicaDeletion { .. } => {
                Err(Error::KmsInvalidState(format!("{arn} is pending replica deletion.")))
            }
        }
    }

    /// That the key is neither on its way out nor without material.
    pub(crate) fn require_imported(&self, arn: &str) -> Result<(), Error> {
        match self.state {
            KeyState::PendingImport => Err(pending_import(arn)),
            _ => self.require_not_pending(arn),
        }
    }
}

fn pending_import(arn: &str) -> Error {
    Error::KmsInvalidState(format!("{arn} is pending import."))
}

/// What only management operations read: it lives in the row's body, so that a use of the key never fetches it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct KeyDetails {
    pub(crate) description: String,
    pub(crate) tags: BTreeMap<String, String>,
}

/// An alias.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct AliasRecord {
    pub(crate) target: KeyId,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn a_material_is_found_by_its_number() {
        let all = encoding::tests::record();
        assert_eq!(all.material(5).unwrap().cause, Cause::Automatic);
        assert!(all.material(3).is_none() && all.material(0).is_none());
    }

    #[test]
    fn a_material_that_waits_for_its_rotation_does_not_seal() {
        let all = encoding::tests::record();
        assert_eq!(all.materials.last().unwrap().cause, Cause::PendingRotation);
        assert_eq!(all.current().unwrap().number, 5);
        assert!(KeyRecord { materials: vec![], ..all }.current().is_none());
    }
}
