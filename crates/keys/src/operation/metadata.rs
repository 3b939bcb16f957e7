//! `KeyMetadata`: what the API says of a key.

use material::KeySpec;
use serde::Serialize;

use crate::Keys;
use crate::custody::Backing;
use crate::error::Error;
use crate::identifier::KeyArn;
use crate::principal::Region;
use crate::record::{Cause, Custody, Import, KeyRecord, KeyState, Material, Owner};
use crate::vault::Draft;
use crate::wire::Timestamp;

/// `KeyMetadata` of the service model.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct KeyMetadata {
    /// `AWSAccountId`.
    #[serde(rename = "AWSAccountId")]
    pub aws_account_id: String,
    /// `KeyId`.
    pub key_id: String,
    /// `Arn`.
    pub arn: String,
    /// `CreationDate`.
    pub creation_date: Timestamp,
    /// `Enabled`.
    pub enabled: bool,
    /// `Description`.
    pub description: String,
    /// `KeyUsage`.
    pub key_usage: &'static str,
    /// `KeyState`.
    pub key_state: &'static str,
    /// `DeletionDate`, while the deletion is pending.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_date: Option<Timestamp>,
    /// `Origin`.
    pub origin: &'static str,
    /// `KeyManager`.
    pub key_manager: &'static str,
    /// `CustomerMasterKeySpec`.
    pub customer_master_key_spec: &'static str,
    /// `KeySpec`.
    pub key_spec: &'static str,
    /// `EncryptionAlgorithms`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub encryption_algorithms: Vec<&'static str>,
    /// `SigningAlgorithms`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub signing_algorithms: Vec<&'static str>,
    /// `MacAlgorithms`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mac_algorithms: Vec<&'static str>,
    /// `KeyAgreementAlgorithms`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub key_agreement_algorithms: Vec<&'static str>,
    /// `EncapsulationAlgorithms`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub encapsulation_algorithms: Vec<&'static str>,
    /// `MultiRegion`.
    pub multi_region: bool,
    /// `MultiRegionConfiguration`, of multi-Region keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub multi_region_configuration: Option<MultiRegionConfiguration>,
    /// `PendingDeletionWindowInDays`, while the deletion waits for replicas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending_deletion_window_in_days: Option<u32>,
    /// `ExpirationModel`, of imported material.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiration_model: Option<&'static str>,
    /// `ValidTo`: when the first of its imported materials expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<Timestamp>,
    /// `CustomKeyStoreId`, of keys in a custom key store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_key_store_id: Option<String>,
    /// `CloudHsmClusterId`, of keys in an HSM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloud_hsm_cluster_id: Option<String>,
    /// `XksKeyConfiguration`, of keys in an external key store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xks_key_configuration: Option<XksKeyConfiguration>,
    /// `CurrentKeyMaterialId`, of symmetric encryption keys with material.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_key_material_id: Option<String>,
}

/// `MultiRegionConfiguration` of the service model.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct MultiRegionConfiguration {
    /// `MultiRegionKeyType`: `PRIMARY` or `REPLICA`.
    pub multi_region_key_type: &'static str,
    /// `PrimaryKey`.
    pub primary_key: MultiRegionKey,
    /// `ReplicaKeys`.
    pub replica_keys: Vec<MultiRegionKey>,
}

/// `MultiRegionKey` of the service model.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct MultiRegionKey {
    /// `Arn`.
    pub arn: String,
    /// `Region`.
    pub region: String,
}

/// `XksKeyConfigurationType` of the service model.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct XksKeyConfiguration {
    /// `Id`: the external key's.
    pub id: String,
}

impl Keys {
    /// What DescribeKey and CreateKey say of a key, with what its custom key store makes of it.
    pub(crate) async fn shown(&self, draft: &Draft) -> Result<KeyMetadata, Error> {
        let mut metadata = self.metadata(draft);
        if let Some(store) = self.store_of(&draft.record).await? {
            if store.hides(draft.record.state) {
                (metadata.key_state, metadata.enabled) = ("Unavailable", false);
            }
            if let Backing::Hsm(hsm) = store.record.backing {
                metadata.cloud_hsm_cluster_id = Some(hsm.cluster);
            }
        }
        Ok(metadata)
    }

    /// What the record alone says of a key.
    pub(crate) fn metadata(&self, draft: &Draft) -> KeyMetadata {
        let KeyRecord { owner, created, spec, usage, origin, custody, state, .. } = &draft.record;
        // One that waits for its rotation may yet be replaced by another.
        let lasting = draft.record.materials.iter().filter(|material| material.cause != Cause::PendingRotation);
        let imports = lasting.filter_map(|material| material.import.as_ref()).filter(|import| import.present);
        let first_to_expire = imports.min_by_key(|import| import.valid_to.map_or(u64::MAX, Timestamp::as_millis));
        KeyMetadata {
            aws_account_id: owner.account().map(|account| account.to_string()).unwrap_or_default(),
            key_id: draft.id.to_string(),
            arn: draft.arn.clone(),
            creation_date: *created,
            enabled: *state == KeyState::Enabled,
            description: draft.details.description.clone(),
            key_usage: usage.name(),
            key_state: state.name(),
            deletion_date: match state {
                KeyState::PendingDeletion { at } => Some(*at),
                _ => None,
            },
            origin: origin.name(),
            key_manager: match owner {
                Owner::Customer(_) => "CUSTOMER",
                Owner::AwsManaged(_) | Owner::Service => "AWS",
            },
            customer_master_key_spec: spec.name(),
            key_spec: spec.name(),
            encryption_algorithms: spec.encryption_algorithms(*usage).iter().map(|it| it.name()).collect(),
            signing_algorithms: spec.signing_algorithms(*usage).iter().map(|it| it.name()).collect(),
            mac_algorithms: spec.mac_algorithms(*usage).iter().map(|it| it.name()).collect(),
            key_agreement_algorithms: spec.key_agreement_algorithms(*usage).iter().map(|it| it.name()).collect(),
            encapsulation_algorithms: spec.encapsulation_algorithms(*usage).iter().map(|it| it.name()).collect(),
            multi_region: draft.record.multi_region.is_some(),
            multi_region_configuration: self.multi_region_configuration(draft),
            pending_deletion_window_in_days: match state {
                KeyState::PendingReplicaDeletion { days } => Some(*days),
                _ => None,
            },
            expiration_model: first_to_expire.map(Import::expiration_model),
            valid_to: first_to_expire.and_then(|import| import.valid_to),
            custom_key_store_id: match custody {
                Custody::Here => None,
                Custody::Hsm { store } | Custody::Proxy { store, .. } => Some(store.clone()),
            },
            cloud_hsm_cluster_id: None,
            xks_key_configuration: match custody {
                Custody::Proxy { key, .. } => Some(XksKeyConfiguration { id: key.clone() }),
                Custody::Here | Custody::Hsm { .. } => None,
            },
            current_key_material_id: match (spec, custody) {
                (KeySpec::SymmetricDefault, Custody::Here) => draft.record.current().map(Material::id_text),
                _ => None,
            },
        }
    }

    fn multi_region_configuration(&self, draft: &Draft) -> Option<MultiRegionConfiguration> {
        let (set, account) = (draft.record.multi_region.as_ref()?, draft.record.owner.account()?);
        let member = |region: &Region| MultiRegionKey {
            arn: KeyArn { region: region.clone(), account, key: draft.id }.to_string(),
            region: region.to_string(),
        };
        Some(MultiRegionConfiguration {
            multi_region_key_type: if set.primary == self.region { "PRIMARY" } else { "REPLICA" },
            primary_key: member(&set.primary),
            replica_keys: set.replicas.iter().map(member).collect(),
        })
    }
}
