//! RotateKeyOnDemand, ListKeyRotations, and rotation by age.

use meta::Transaction;
use serde::{Deserialize, Serialize};

use super::page::{Page, slice};
use crate::Keys;
use crate::access::Action;
use crate::error::Error;
use crate::identifier::KeyId;
use crate::limits::{DEFAULT_PAGE, MAX_ON_DEMAND_ROTATIONS};
use crate::managed::rotation_period;
use crate::model::requests;
use crate::principal::Principal;
use crate::record::{Cause, KeyRecord, Material};
use crate::rows::Errand;
use crate::vault::{Draft, gone};
use crate::wire::Timestamp;

requests!(RotateKeyOnDemandRequest, ListKeyRotationsRequest);

/// The request of RotateKeyOnDemand.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RotateKeyOnDemandRequest {
    /// `KeyId`.
    pub key_id: String,
}

/// The answer of RotateKeyOnDemand.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct RotateKeyOnDemandResponse {
    /// `KeyId`: the key's id.
    pub key_id: String,
}

/// The request of ListKeyRotations.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListKeyRotationsRequest {
    /// `KeyId`.
    pub key_id: String,
    /// `IncludeKeyMaterial`: `ROTATIONS_ONLY` (default) or `ALL_KEY_MATERIAL`.
    pub include_key_material: Option<String>,
    /// `Limit`.
    pub limit: Option<i64>,
    /// `Marker`.
    pub marker: Option<String>,
}

/// The answer of ListKeyRotations.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct ListKeyRotationsResponse {
    /// `Rotations`.
    pub rotations: Vec<RotationsListEntry>,
    /// `NextMarker`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_marker: Option<String>,
    /// `Truncated`.
    pub truncated: bool,
}

/// `RotationsListEntry` of the service model.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct RotationsListEntry {
    /// `KeyId`: the key's id.
    pub key_id: String,
    /// `KeyMaterialId`.
    pub key_material_id: String,
    /// `KeyMaterialState`.
    pub key_material_state: &'static str,
    /// `RotationDate`; none for the first material.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotation_date: Option<Timestamp>,
    /// `RotationType`; none for the first material.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotation_type: Option<&'static str>,
}

impl Keys {
    /// RotateKeyOnDemand. The new material seals from the moment that this returns; the old ones open for ever.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, RotateKeyOnDemand.
    pub async fn rotate_key_on_demand(
        &self,
        principal: &Principal,
        request: RotateKeyOnDemandRequest,
    ) -> Result<RotateKeyOnDemandResponse, Error> {
        let key = self.find_by_id(principal, &request.key_id, Action::RotateKeyOnDemand).await?;
        self.vault
            .change(key.id, |draft, transaction| {
                draft.record.require_enabled(&draft.arn)?;
                let done = draft.record.materials.iter().filter(|material| material.cause == Cause::OnDemand).count();
                if done >= MAX_ON_DEMAND_ROTATIONS {
                    let arn = &draft.arn;
                    let text = format!(
                        "The on-demand rotations limit of {MAX_ON_DEMAND_ROTATIONS} has been reached for the key {arn}."
                    );
                    return Err(Error::LimitExceeded(text));
                }
                let transaction = self.put_next_material(transaction, draft, Cause::OnDemand);
                Ok((RotateKeyOnDemandResponse { key_id: draft.id.to_string() }, transaction))
            })
            .await
    }

    /// ListKeyRotations, oldest first.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, ListKeyRotations.
    pub async fn list_key_rotations(
        &self,
        principal: &Principal,
        request: ListKeyRotationsRequest,
    ) -> Result<ListKeyRotationsResponse, Error> {
        let key = self.find_by_id(principal, &request.key_id, Action::ListKeyRotations).await?;
        let found = self.vault.draft(key.id).await?.ok_or_else(|| gone(key.id))?;
        let record = &found.value.record;
        let all = request.include_key_material.as_deref() == Some(ALL);
        let listed: Vec<_> =
            record.materials.iter().filter(|material| all || material.cause != Cause::Creation).cloned().collect();
        let page = Page::new(request.limit, request.marker.as_deref(), DEFAULT_PAGE)?;
        let (shown, next_marker) = slice(&listed, &page, |material| material.number.to_be_bytes().to_vec())?;
        let rotations = shown.iter().map(|material| entry(key.id, record, material)).collect();
        Ok(ListKeyRotationsResponse { rotations, truncated: next_marker.is_some(), next_marker })
    }

    /// Gives a key new material if the errand is due by the key's own record, and sets the next errand.
    pub(crate) async fn rotate_by_age(&self, id: KeyId, at: Timestamp, now: Timestamp) -> Result<(), Error> {
        self.vault
            .change(id, |draft, transaction| {
                let Some(period) = rotation_period(draft.record.owner) else {
                    return Err(Error::damaged("errand", id.as_bytes()));
                };
                let errand = self.vault.rows.due(at, Errand::Rotate, id);
                let transaction = transaction.delete(errand.table, &errand.key);
                // Unless another gateway was here first.
                let current = |draft: &Draft| {
                    draft.record.current().map(|it| it.created).ok_or_else(|| Error::damaged("key", id.as_bytes()))
                };
                let old = current(draft)?.after(period) <= now;
                let transaction =
                    if old { self.put_next_material(transaction, draft, Cause::Automatic) } else { transaction };
                // From the record alone, so that every gateway sets the same errand.
                let next = current(draft)?.after(period);
                Ok(((), self.put_rotation(transaction, id, next)))
            })
            .await
    }

    fn put_next_material(&self, transaction: Transaction, draft: &mut Draft, cause: Cause) -> Transaction {
        let number = draft.record.materials.last().map_or(1, |last| last.number + 1);
        let next = Material { number, id: seal::random_bytes(), created: self.now(), cause, import: None };
        let fresh = seal::SecretKey::generate();
        let transaction = self.vault.put_material(transaction, draft.id, &next, fresh.expose());
        draft.record.materials.push(next);
        transaction
    }
}

fn entry(key: KeyId, record: &KeyRecord, material: &Material) -> RotationsListEntry {
    RotationsListEntry {
        key_id: key.to_string(),
        key_material_id: material.id_text(),
        key_material_state: if Some(material) == record.current() { "CURRENT" } else { "NON_CURRENT" },
        rotation_date: (material.cause != Cause::Creation).then_some(material.created),
        rotation_type: match material.cause {
            Cause::Creation => None,
            Cause::Automatic => Some("AUTOMATIC"),
            Cause::OnDemand => Some("ON_DEMAND"),
            Cause::PendingRotation => None,
        },
    }
}

const ALL: &str = "ALL_KEY_MATERIAL";
