//! EnableKeyRotation, DisableKeyRotation, GetKeyRotationStatus, RotateKeyOnDemand, ListKeyRotations, and rotation by age.
//!
//! A rotation adds a material, which seals from then on; all earlier ones stay and open what they sealed. It is done when the
//! operation answers, so no on-demand rotation is ever in progress (`OnDemandRotationStartDate` does not appear). Of a multi-Region
//! key the primary rotates, for all members in one transaction.

use material::KeySpec;
use meta::Transaction;
use serde::{Deserialize, Serialize};

use super::Done;
use super::page::{Page, slice};
use crate::Keys;
use crate::access::Action;
use crate::decide::Use;
use crate::error::Error;
use crate::identifier::KeyId;
use crate::limits::{DAY, DEFAULT_PAGE, DEFAULT_ROTATION_DAYS, MAX_ON_DEMAND_ROTATIONS, ROTATION_MARGIN};
use crate::managed::rotation_period;
use crate::principal::Principal;
use crate::record::{Cause, KeyRecord, KeyState, Material, Origin, Rotation};
use crate::set::Set;
use crate::vault::gone;
use crate::wire::Timestamp;

model::requests!(
    kms:
    EnableKeyRotationRequest,
    DisableKeyRotationRequest,
    GetKeyRotationStatusRequest,
    RotateKeyOnDemandRequest,
    ListKeyRotationsRequest
);

/// The request of EnableKeyRotation.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct EnableKeyRotationRequest {
    /// `KeyId`.
    pub key_id: String,
    /// `RotationPeriodInDays`, 90 to 2,560.
    pub rotation_period_in_days: Option<u32>,
}

/// The request of DisableKeyRotation.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DisableKeyRotationRequest {
    /// `KeyId`.
    pub key_id: String,
}

/// The request of GetKeyRotationStatus.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetKeyRotationStatusRequest {
    /// `KeyId`.
    pub key_id: String,
}

/// The answer of GetKeyRotationStatus.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct GetKeyRotationStatusResponse {
    /// `KeyRotationEnabled`.
    pub key_rotation_enabled: bool,
    /// `KeyId`: the key's id.
    pub key_id: String,
    /// `RotationPeriodInDays`, while rotation is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotation_period_in_days: Option<u32>,
    /// `NextRotationDate`, while rotation is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_rotation_date: Option<Timestamp>,
}

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
    /// `KeyMaterialDescription`, of imported material.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_material_description: Option<String>,
    /// `ImportState`, of imported material.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub import_state: Option<&'static str>,
    /// `KeyMaterialState`.
    pub key_material_state: &'static str,
    /// `ExpirationModel`, of imported material that is here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiration_model: Option<&'static str>,
    /// `ValidTo`, of imported material that expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<Timestamp>,
    /// `RotationDate`; none for the first material and for one that waits for its rotation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotation_date: Option<Timestamp>,
    /// `RotationType`; none for the first material and for one that waits for its rotation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotation_type: Option<&'static str>,
}

impl Keys {
    /// EnableKeyRotation. The first rotation is one period from now; naming the period that is set already moves nothing.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, EnableKeyRotation.
    pub async fn enable_key_rotation(
        &self,
        principal: &Principal,
        request: EnableKeyRotationRequest,
    ) -> Result<Done, Error> {
        let days = request.rotation_period_in_days.unwrap_or(DEFAULT_ROTATION_DAYS);
        let facts = [("kms:rotationperiodindays", days.to_string().into())];
        let key = self.find_by_id(principal, &request.key_id, Use::of(Action::EnableKeyRotation).facts(&facts)).await?;
        self.set_rotation(key.id, Some(days)).await
    }

    /// DisableKeyRotation. A key of a spec that does not rotate has nothing to disable.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, DisableKeyRotation.
    pub async fn disable_key_rotation(
        &self,
        principal: &Principal,
        request: DisableKeyRotationRequest,
    ) -> Result<Done, Error> {
        let key = self.find_by_id(principal, &request.key_id, Action::DisableKeyRotation).await?;
        self.set_rotation(key.id, None).await
    }

    async fn set_rotation(&self, id: KeyId, days: Option<u32>) -> Result<Done, Error> {
        self.change_set(id, |set, transaction| {
            let own = set.own();
            // In AWS's order: the state, the key's spec, its origin, though a key without material is told of its origin.
            if own.record.state != KeyState::PendingImport {
                own.record.require_enabled(&own.arn)?;
            }
            if days.is_none() && own.record.spec != KeySpec::SymmetricDefault {
                return Ok((Done, transaction));
            }
            own.record.require_automatic_rotation(&own.arn)?;
            set.require_primary()?;
            let unchanged = own.record.rotation.filter(|rotation| Some(rotation.days) == days);
            let rotation = unchanged.or_else(|| days.map(|days| Rotation { days, next: self.now().after(DAY * days) }));
            set.each(|record| record.rotation = rotation);
            Ok((Done, transaction))
        })
        .await
    }

    /// GetKeyRotationStatus.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, GetKeyRotationStatus.
    pub async fn get_key_rotation_status(
        &self,
        principal: &Principal,
        request: GetKeyRotationStatusRequest,
    ) -> Result<GetKeyRotationStatusResponse, Error> {
        let key = self.find_by_id(principal, &request.key_id, Action::GetKeyRotationStatus).await?;
        let found = self.vault.draft(key.id).await?.ok_or_else(|| gone(key.id))?;
        let record = &found.value.record;
        record.require_automatic_rotation(&key.arn)?;
        let rotation = record.schedule().filter(|_| matches!(record.state, KeyState::Enabled | KeyState::Disabled));
        Ok(GetKeyRotationStatusResponse {
            key_rotation_enabled: rotation.is_some(),
            key_id: key.id.to_string(),
            rotation_period_in_days: rotation.map(|rotation| rotation.days),
            next_rotation_date: rotation.map(|rotation| rotation.next),
        })
    }

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
        let rotated = self.change_set(key.id, |set, transaction| {
            self.require_on_demand(set)?;
            let answer = RotateKeyOnDemandResponse { key_id: key.id.to_string() };
            let transaction = match set.own().record.origin {
                Origin::External => self.promote_imported(transaction, set)?,
                _ => self.put_next_material(transaction, set, Cause::OnDemand),
            };
            Ok((answer, transaction))
        });
        let rotated = rotated.await;
        self.told();
        rotated
    }

    /// That a key may be rotated on demand now.
    fn require_on_demand(&self, set: &Set) -> Result<(), Error> {
        let own = set.own();
        let (record, arn) = (&own.record, &own.arn);
        record.require_enabled(arn)?;
        record.require_rotation(arn)?;
        set.require_primary()?;
        let done = record.materials.iter().filter(|material| material.cause == Cause::OnDemand).count();
        if done >= MAX_ON_DEMAND_ROTATIONS {
            let text = format!(
                "The on-demand rotations limit of {MAX_ON_DEMAND_ROTATIONS} has been reached for the key {arn}."
            );
            return Err(Error::LimitExceeded(text));
        }
        if record.rotation.is_some_and(|rotation| rotation.next <= self.now().after(ROTATION_MARGIN)) {
            let text = format!("An automatic rotation of {arn} is in progress or begins within the next 20 minutes.");
            return Err(Error::Conflict(text));
        }
        Ok(())
    }

    /// Lets the imported material that waits for it take over, in every member of the set.
    fn promote_imported(&self, transaction: Transaction, set: &mut Set) -> Result<Transaction, Error> {
        let waiting = set.own().record.pending().map(|material| material.number);
        let imported = |number: &u32| {
            set.members().all(|member| member.draft.record.material(*number).is_some_and(Material::is_present))
        };
        let Some(number) = waiting.filter(imported) else {
            let text = format!("No available key material pending rotation for the key: {}.", set.own().arn);
            return Err(Error::KmsInvalidState(text));
        };
        let now = self.now();
        let previous = set.own().record.current().cloned();
        set.each(|record| {
            for material in record.materials.iter_mut().filter(|material| material.number == number) {
                (material.cause, material.created) = (Cause::OnDemand, now);
            }
        });
        Ok(self.tell_rotation(transaction, set.own(), previous.as_ref()))
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
        let all = request.include_key_material.as_deref() == Some("ALL_KEY_MATERIAL");
        if all {
            record.require_rotation(&key.arn)?;
        }
        let rotated = |material: &&Material| matches!(material.cause, Cause::Automatic | Cause::OnDemand);
        let listed: Vec<_> = record.materials.iter().filter(|material| all || rotated(material)).cloned().collect();
        let page = Page::new(request.limit, request.marker.as_deref(), DEFAULT_PAGE)?;
        let (shown, next_marker) = slice(&listed, &page, |material| material.number.to_be_bytes().to_vec())?;
        let waiting = self.state_of_pending(key.id, record).await?;
        let rotations = shown.iter().map(|material| entry(key.id, record, material, waiting)).collect();
        Ok(ListKeyRotationsResponse { rotations, truncated: next_marker.is_some(), next_marker })
    }

    /// `KeyMaterialState` of an imported material that waits for its rotation.
    async fn state_of_pending(&self, id: KeyId, record: &KeyRecord) -> Result<&'static str, Error> {
        let (Some(pending), Some(set)) = (record.pending(), &record.multi_region) else {
            return Ok("PENDING_ROTATION");
        };
        for region in set.regions() {
            let member = self.shared.vault(region).draft(id).await?;
            let material = member.as_ref().and_then(|member| member.value.record.material(pending.number));
            if !material.is_some_and(Material::is_present) {
                return Ok("PENDING_MULTI_REGION_IMPORT_AND_ROTATION");
            }
        }
        Ok("PENDING_ROTATION")
    }

    /// Gives a key new material if that is due by the key's own record: the record decides, not the errand.
    pub(crate) async fn rotate_by_age(&self, id: KeyId, now: Timestamp) -> Result<(), Error> {
        let due = |record: &KeyRecord| record.next_rotation(&self.region).is_some_and(|at| at <= now);
        // Unless another gateway was here first.
        if !self.vault.draft(id).await?.is_some_and(|found| due(&found.value.record)) {
            return Ok(());
        }
        let rotated = self.change_set(id, |set, transaction| {
            if !due(&set.own().record) {
                return Ok(((), transaction));
            }
            let rotation = set.own().record.rotation.map(|rotation| rotation.following(now));
            set.each(|record| record.rotation = rotation);
            Ok(((), self.put_next_material(transaction, set, Cause::Automatic)))
        });
        let rotated = rotated.await;
        self.told();
        rotated
    }

    fn put_next_material(&self, transaction: Transaction, set: &mut Set, cause: Cause) -> Transaction {
        let number = set.own().record.next_number();
        let next = Material { number, id: seal::random_bytes(), created: self.now(), cause, import: None };
        let fresh = seal::SecretKey::generate();
        let previous = set.own().record.current().cloned();
        let transaction = set.add_material(transaction, &next, Some(fresh.expose()));
        self.tell_rotation(transaction, set.own(), previous.as_ref())
    }
}

impl KeyRecord {
    /// The material that was imported for the next rotation.
    pub(super) fn pending(&self) -> Option<&Material> {
        self.materials.iter().find(|material| material.cause == Cause::PendingRotation)
    }

    /// The number of the next material.
    pub(super) fn next_number(&self) -> u32 {
        self.materials.last().map_or(1, |last| last.number + 1)
    }

    /// Automatic rotation of this key, by its own record or because nobody manages it.
    fn schedule(&self) -> Option<Rotation> {
        let Some(period) = rotation_period(self.owner) else { return self.rotation };
        let days = u32::try_from(period.as_secs() / DAY.as_secs()).unwrap_or(u32::MAX);
        self.current().map(|current| Rotation { days, next: current.created.after(period) })
    }

    /// That keys of this kind rotate at all: symmetric ones whose material is here.
    fn require_rotation(&self, arn: &str) -> Result<(), Error> {
        let (spec, origin) = (self.spec, self.origin);
        if spec != KeySpec::SymmetricDefault {
            // AWS says no more.
            return Err(Error::UnsupportedOperation(String::new()));
        }
        match origin {
            Origin::AwsKms | Origin::External => Ok(()),
            Origin::CloudHsm | Origin::ExternalKeyStore => Err(not_valid(arn, "origin", origin.name())),
        }
    }

    /// That keys of this kind rotate by age: those whose material is made here.
    fn require_automatic_rotation(&self, arn: &str) -> Result<(), Error> {
        self.require_rotation(arn)?;
        match self.origin {
            Origin::AwsKms => Ok(()),
            origin => Err(not_valid(arn, "origin", origin.name())),
        }
    }
}

impl Rotation {
    /// After a rotation at `now`: the schedule goes on, and if it is more than a period behind (the key was disabled, the server
    /// was down) it begins anew, so that one rotation makes up for all that were missed.
    fn following(self, now: Timestamp) -> Self {
        let next = self.next.after(DAY * self.days);
        Self { days: self.days, next: if next > now { next } else { now.after(DAY * self.days) } }
    }
}

/// AWS's words for a key of a kind that an operation is not for.
pub(super) fn not_valid(arn: &str, what: &str, value: &str) -> Error {
    Error::UnsupportedOperation(format!("{arn} {what} is {value} which is not valid for this operation."))
}

fn entry(key: KeyId, record: &KeyRecord, material: &Material, waiting: &'static str) -> RotationsListEntry {
    let import = material.import.as_ref();
    let (rotation_type, seals_or_opens) = match material.cause {
        Cause::Creation => (None, true),
        Cause::Automatic => (Some("AUTOMATIC"), true),
        Cause::OnDemand => (Some("ON_DEMAND"), true),
        Cause::PendingRotation => (None, false),
    };
    RotationsListEntry {
        key_id: key.to_string(),
        key_material_id: material.id_text(),
        key_material_description: import.and_then(|import| import.description.clone()),
        import_state: import.map(|import| if import.present { "IMPORTED" } else { "PENDING_IMPORT" }),
        key_material_state: match seals_or_opens {
            true if Some(material) == record.current() => "CURRENT",
            true => "NON_CURRENT",
            false => waiting,
        },
        expiration_model: import.filter(|import| import.present).map(|import| import.expiration_model()),
        valid_to: import.filter(|import| import.present).and_then(|import| import.valid_to),
        rotation_date: rotation_type.map(|_| material.created),
        rotation_type,
    }
}
