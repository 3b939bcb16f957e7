//! GetParametersForImport, ImportKeyMaterial, DeleteImportedKeyMaterial, and the expiry of imported material.
//!
//! The first material of a key of origin EXTERNAL is its own for ever; for a symmetric key others may follow, each of which waits
//! for RotateKeyOnDemand. What was deleted or has expired can be imported again, and nothing else in its place. Its id tells
//! whether it is the same: a [fingerprint](crate::RecordSealer) of the bytes, keyed, so that what is left of a destroyed material
//! does not even serve to try guesses of it.
//!
//! Each member of a multi-Region key has its imports to itself. What is imported anew into the primary is listed by all members,
//! and each waits for its own import of the same bytes.

use material::import::{WrappingAlgorithm, WrappingKeySpec, accept, is_importable};
use material::{KeySpec, Secret};
use meta::Transaction;
use serde::{Deserialize, Serialize};

use super::import_token::ImportToken;
use super::ready::named;
use super::rotation::not_valid;
use crate::Keys;
use crate::access::Action;
use crate::decide::{Fact, Use};
use crate::error::{Error, Internal};
use crate::identifier::KeyId;
use crate::limits::{IMPORT_TOKEN_LIFETIME, MAX_IMPORT_LIFETIME};
use crate::principal::Principal;
use crate::record::{Cause, Import, KeyRecord, Material, Origin};
use crate::service_event::Deed;
use crate::set::Set;
use crate::vault::Key;
use crate::wire::{Blob, Timestamp};

model::requests!(kms: GetParametersForImportRequest, ImportKeyMaterialRequest, DeleteImportedKeyMaterialRequest);

/// The request of GetParametersForImport.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetParametersForImportRequest {
    /// `KeyId`.
    pub key_id: String,
    /// `WrappingAlgorithm`.
    pub wrapping_algorithm: String,
    /// `WrappingKeySpec`.
    pub wrapping_key_spec: String,
}

/// The answer of GetParametersForImport.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct GetParametersForImportResponse {
    /// `KeyId`: the key's ARN.
    pub key_id: String,
    /// `ImportToken`.
    pub import_token: Blob,
    /// `PublicKey`: a DER `SubjectPublicKeyInfo`.
    pub public_key: Blob,
    /// `ParametersValidTo`.
    pub parameters_valid_to: Timestamp,
}

/// The request of ImportKeyMaterial.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ImportKeyMaterialRequest {
    /// `KeyId`.
    pub key_id: String,
    /// `ImportToken`.
    pub import_token: Blob,
    /// `EncryptedKeyMaterial`.
    pub encrypted_key_material: Blob,
    /// `ValidTo`.
    pub valid_to: Option<Timestamp>,
    /// `ExpirationModel`: `KEY_MATERIAL_EXPIRES` (default) or `KEY_MATERIAL_DOES_NOT_EXPIRE`.
    pub expiration_model: Option<String>,
    /// `ImportType`: `NEW_KEY_MATERIAL` or `EXISTING_KEY_MATERIAL`.
    pub import_type: Option<String>,
    /// `KeyMaterialDescription`.
    pub key_material_description: Option<String>,
    /// `KeyMaterialId`.
    pub key_material_id: Option<String>,
}

/// The answer of ImportKeyMaterial.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct ImportKeyMaterialResponse {
    /// `KeyId`: the key's ARN.
    pub key_id: String,
    /// `KeyMaterialId`, of symmetric encryption keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_material_id: Option<String>,
}

/// The request of DeleteImportedKeyMaterial.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteImportedKeyMaterialRequest {
    /// `KeyId`.
    pub key_id: String,
    /// `KeyMaterialId`; the current material if it is not named.
    pub key_material_id: Option<String>,
}

/// The answer of DeleteImportedKeyMaterial.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteImportedKeyMaterialResponse {
    /// `KeyId`: the key's ARN.
    pub key_id: String,
    /// `KeyMaterialId`, of symmetric encryption keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_material_id: Option<String>,
}

/// A material that has been unwrapped, and how the request wants it.
struct Arrival {
    secret: Secret,
    id: [u8; 32],
    kind: Option<ImportType>,
    description: Option<String>,
    valid_to: Option<Timestamp>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ImportType {
    New,
    Existing,
}

/// What policies may ask of ImportKeyMaterial.
fn facts(request: &ImportKeyMaterialRequest, valid_to: Option<Timestamp>) -> Vec<Fact<'_>> {
    let model = request.expiration_model.as_deref().unwrap_or("KEY_MATERIAL_EXPIRES");
    let mut facts = vec![("kms:expirationmodel", model.into())];
    facts.extend(valid_to.map(|at| ("kms:validto", (at.as_millis() / 1000).to_string().into())));
    facts
}

impl Keys {
    /// GetParametersForImport. Makes an RSA key pair, which the token carries: nothing is kept.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, GetParametersForImport; [`Error::LimitExceeded`] if too many RSA keys are being
    /// made.
    pub async fn get_parameters_for_import(
        &self,
        principal: &Principal,
        request: GetParametersForImportRequest,
    ) -> Result<GetParametersForImportResponse, Error> {
        let facts = [
            ("kms:wrappingalgorithm", request.wrapping_algorithm.as_str().into()),
            ("kms:wrappingkeyspec", request.wrapping_key_spec.as_str().into()),
        ];
        let wish = Use::of(Action::GetParametersForImport).facts(&facts);
        let key = self.find_by_id(principal, &request.key_id, wish).await?;
        let algorithm = named(&request.wrapping_algorithm, WrappingAlgorithm::named)?;
        let size = named(&request.wrapping_key_spec, WrappingKeySpec::named)?;
        key.record.require_external(&key.arn)?;
        key.record.require_not_pending(&key.arn)?;
        let spec = key.record.spec;
        if !algorithm.wraps(spec, size) {
            let text = format!("Wrapping algorithm {algorithm} with {size} is incompatible with key spec {spec}.");
            return Err(Error::UnsupportedOperation(text));
        }
        let wrapping = self.shared.generator.generate_wrapping(size).await?;
        let failed = |error| Error::from(Internal::Cryptography(error));
        let valid_to = self.now().after(IMPORT_TOKEN_LIFETIME);
        let token = ImportToken { algorithm, valid_to, private: wrapping.to_stored().map_err(failed)? };
        Ok(GetParametersForImportResponse {
            key_id: key.arn.clone(),
            import_token: Blob(token.seal(self.records(), &key.arn)),
            public_key: Blob(wrapping.public_key_der().map_err(failed)?),
            parameters_valid_to: valid_to,
        })
    }

    /// ImportKeyMaterial.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, ImportKeyMaterial.
    pub async fn import_key_material(
        &self,
        principal: &Principal,
        request: ImportKeyMaterialRequest,
    ) -> Result<ImportKeyMaterialResponse, Error> {
        let valid_to = self.expiry(&request)?;
        let facts = facts(&request, valid_to);
        let key = self.find_by_id(principal, &request.key_id, Use::of(Action::ImportKeyMaterial).facts(&facts)).await?;
        key.record.require_external(&key.arn)?;
        key.record.require_not_pending(&key.arn)?;
        let kind = import_type(&key, &request)?;
        let secret = self.unwrap(&key, request.import_token, request.encrypted_key_material).await?;
        let id = self.records().fingerprint(key.id.as_bytes(), secret.expose());
        let id_text = data_encoding::HEXLOWER.encode(&id);
        if request.key_material_id.is_some_and(|named| named != id_text) {
            return Err(Error::IncorrectKeyMaterial(
                "The key material is not the one that KeyMaterialId names.".to_owned(),
            ));
        }
        let arrival = Arrival { secret, id, kind, description: request.key_material_description, valid_to };
        self.change_set(key.id, |set, transaction| Ok(((), self.put_arrival(set, transaction, &arrival)?))).await?;
        let key_material_id = key.is_symmetric().then_some(id_text);
        Ok(ImportKeyMaterialResponse { key_id: key.arn.clone(), key_material_id })
    }

    /// When the material of a request expires.
    fn expiry(&self, request: &ImportKeyMaterialRequest) -> Result<Option<Timestamp>, Error> {
        let refused = |text: &str| Err(Error::Validation(text.to_owned()));
        let expires = request.expiration_model.as_deref() != Some("KEY_MATERIAL_DOES_NOT_EXPIRE");
        match request.valid_to {
            None if expires => refused("A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES"),
            None => Ok(None),
            Some(_) if !expires => {
                refused("A validTo date must not be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE")
            }
            Some(at) if at <= self.now() => refused("The validTo date must be in the future"),
            Some(at) if at > self.now().after(MAX_IMPORT_LIFETIME) => {
                refused("The validTo date must be no later than 365 days from now")
            }
            at => Ok(at),
        }
    }

    /// The material that a request carries, checked for the key's spec. RSA takes milliseconds: not in the way of requests.
    async fn unwrap(&self, key: &Key, token: Blob, wrapped: Blob) -> Result<Secret, Error> {
        let token = ImportToken::open(self.records(), &key.arn, &token.0, self.now())?;
        let spec = key.record.spec;
        let work = move || {
            let plain = token.unwrap(&wrapped.0)?;
            let refused = |_| {
                let text = format!("The key material is not valid for a key of spec {spec}.");
                Error::IncorrectKeyMaterial(text)
            };
            accept(spec, plain.expose()).map_err(refused)
        };
        let done = tokio::task::spawn_blocking(work).await;
        done.unwrap_or_else(|_| Err(Internal::Cryptography(material::Error::Library).into()))
    }

    /// Gives a key the material that has arrived for it: one that it lists, or a new one.
    fn put_arrival(&self, set: &mut Set, transaction: Transaction, arrival: &Arrival) -> Result<Transaction, Error> {
        let own = set.own();
        own.record.require_external(&own.arn)?;
        own.record.require_not_pending(&own.arn)?;
        let first = own.record.materials.is_empty();
        let kind = arrival.kind.unwrap_or(if first { ImportType::New } else { ImportType::Existing });
        let listed = own.record.materials.iter().any(|material| material.id == arrival.id);
        match (kind, listed) {
            (ImportType::New, false) => self.list_arrival(set, arrival)?,
            (ImportType::Existing, true) => {}
            (ImportType::New, true) => {
                let text = "The key material is already associated with the KMS key.";
                return Err(Error::IncorrectKeyMaterial(text.to_owned()));
            }
            (ImportType::Existing, false) => {
                let text = "The key material is not one that was imported into the KMS key before.";
                return Err(Error::IncorrectKeyMaterial(text.to_owned()));
            }
        }
        let vault = &self.vault;
        let own = set.own_mut();
        let found = own.record.materials.iter_mut().find(|material| material.id == arrival.id);
        let material = found.ok_or_else(|| Error::damaged("key", own.id.as_bytes()))?;
        let before = material.import.take();
        let was_present = before.as_ref().is_some_and(|import| import.present);
        let description = arrival.description.clone().or(before.and_then(|import| import.description));
        material.import = Some(Import { description, valid_to: arrival.valid_to, present: true });
        let transaction = match was_present {
            true => transaction,
            false => vault.put_material(transaction, own.id, material, arrival.secret.expose()),
        };
        own.record.settle();
        Ok(transaction)
    }

    /// Lists a material that no member of the set has, in all of them.
    fn list_arrival(&self, set: &mut Set, arrival: &Arrival) -> Result<(), Error> {
        set.require_primary()?;
        let own = set.own();
        let first = own.record.materials.is_empty();
        let arn = &own.arn;
        if !first && own.record.spec != KeySpec::SymmetricDefault {
            let text = format!("The key material of {arn} cannot be changed after its first import.");
            return Err(Error::IncorrectKeyMaterial(text));
        }
        if let Some(pending) = own.record.pending() {
            let (id, pending) = (data_encoding::HEXLOWER.encode(&arrival.id), pending.id_text());
            return Err(Error::KmsInvalidState(format!(
                "New key material (id: {id}) cannot be imported into KMS key {arn}, because another key material \
                 (id: {pending}) is pending rotation."
            )));
        }
        let material = Material {
            number: own.record.next_number(),
            id: arrival.id,
            created: self.now(),
            cause: if first { Cause::Creation } else { Cause::PendingRotation },
            import: Some(Import { description: arrival.description.clone(), valid_to: None, present: false }),
        };
        set.each(|record| record.materials.push(material.clone()));
        Ok(())
    }

    /// DeleteImportedKeyMaterial. The bytes are gone from every file of the store when this returns.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, DeleteImportedKeyMaterial.
    pub async fn delete_imported_key_material(
        &self,
        principal: &Principal,
        request: DeleteImportedKeyMaterialRequest,
    ) -> Result<DeleteImportedKeyMaterialResponse, Error> {
        let key = self.find_by_id(principal, &request.key_id, Action::DeleteImportedKeyMaterial).await?;
        key.record.require_external(&key.arn)?;
        let named = request.key_material_id.as_deref();
        if named.is_some() {
            require_symmetric(&key, "KeyMaterialId")?;
        }
        let deleted = self.change_set(key.id, |set, transaction| {
            let record = &set.own().record;
            let found = match named {
                Some(id) => record.materials.iter().find(|material| material.id_text() == id),
                None => record.current(),
            };
            match found.map(|material| (material.number, material.id_text())) {
                Some((number, id)) => Ok((Some(id), set.destroy_import(transaction, number))),
                None if named.is_none() => Ok((None, transaction)),
                None => Err(Error::NotFound(format!("No key material of {} has this id.", key.arn))),
            }
        });
        let deleted = deleted.await;
        self.forget_imports(key.id);
        let key_material_id = deleted?.filter(|_| key.is_symmetric());
        Ok(DeleteImportedKeyMaterialResponse { key_id: key.arn.clone(), key_material_id })
    }

    /// Destroys the imported materials of a key whose time is over. The record decides, not the errand: a material may have been
    /// imported again meanwhile, for longer.
    pub(crate) async fn expire(&self, id: KeyId, now: Timestamp) -> Result<(), Error> {
        if !self.vault.draft(id).await?.is_some_and(|found| found.value.record.has_expired(now)) {
            return Ok(());
        }
        let expired = self.change_set(id, |set, transaction| {
            let record = &set.own().record;
            let over = record.materials.iter().filter(|material| material.has_expired(now));
            let over: Vec<_> = over.map(|material| (material.number, material.id_text())).collect();
            let symmetric = record.spec == KeySpec::SymmetricDefault;
            let transaction = over.iter().fold(transaction, |done, (number, material)| {
                let material = symmetric.then(|| material.clone());
                let done = self.tell(done, id, &set.own().record, Deed::DeleteExpiredKeyMaterial { material });
                set.destroy_import(done, *number)
            });
            Ok((over.len(), transaction))
        });
        let expired = expired.await;
        self.forget_imports(id);
        self.told();
        match expired? {
            // Somebody else has come first.
            0 => {}
            materials => tracing::info!(key = %id, materials, "imported key material destroyed, its time is over"),
        }
        Ok(())
    }

    /// A key as it is now: without material whose time is over, whether or not [`Keys::tick`] has come by.
    pub(crate) async fn key(&self, id: KeyId) -> Result<Option<std::sync::Arc<Key>>, Error> {
        let found = self.vault.key(id).await?;
        let now = self.now();
        match found {
            Some(key) if key.record.has_expired(now) => {
                self.expire(id, now).await?;
                self.vault.reread(id).await
            }
            found => Ok(found),
        }
    }

    fn forget_imports(&self, id: KeyId) {
        self.shared.vaults.iter().for_each(|vault| vault.forget_materials(id));
    }
}

impl Set {
    /// Destroys the bytes of an imported material of the own key. One that waits for its rotation was not the key's for good: in a
    /// primary (or a key of one Region) it is no longer listed, and is gone from the replicas too.
    fn destroy_import(&mut self, transaction: Transaction, number: u32) -> Transaction {
        let pending = self.own().record.material(number).is_some_and(|it| it.cause == Cause::PendingRotation);
        let for_all = pending && self.require_primary().is_ok();
        let members = if for_all { usize::MAX } else { 1 };
        let mut transaction = transaction.shred();
        for member in self.members_mut().take(members) {
            let place = member.vault.rows.material(member.draft.id, number);
            transaction = transaction.delete(place.table, &place.key);
            let record = &mut member.draft.record;
            if for_all {
                record.materials.retain(|material| material.number != number);
            }
            for material in record.materials.iter_mut().filter(|material| material.number == number) {
                if let Some(import) = &mut material.import {
                    (import.present, import.valid_to) = (false, None);
                }
            }
            record.settle();
        }
        transaction
    }
}

impl KeyRecord {
    /// That the key's material is imported.
    pub(super) fn require_external(&self, arn: &str) -> Result<(), Error> {
        match self.origin {
            Origin::External => Ok(()),
            origin => Err(not_valid(arn, "origin", origin.name())),
        }
    }
}

/// That keys of a spec may have imported material.
pub(super) fn require_importable(spec: KeySpec) -> Result<(), Error> {
    if is_importable(spec) {
        return Ok(());
    }
    Err(Error::UnsupportedOperation(format!("KeySpec {spec} is not supported for Origin EXTERNAL.")))
}

fn require_symmetric(key: &Key, member: &str) -> Result<(), Error> {
    if key.is_symmetric() {
        return Ok(());
    }
    Err(Error::UnsupportedOperation(format!("{member} is supported for symmetric encryption keys alone.")))
}

/// `ImportType`, if the members that go with it agree with it.
fn import_type(key: &Key, request: &ImportKeyMaterialRequest) -> Result<Option<ImportType>, Error> {
    let members = [
        ("ImportType", &request.import_type),
        ("KeyMaterialDescription", &request.key_material_description),
        ("KeyMaterialId", &request.key_material_id),
    ];
    for (name, _) in members.into_iter().filter(|(_, value)| value.is_some()) {
        require_symmetric(key, name)?;
    }
    let kind = match request.import_type.as_deref() {
        Some("NEW_KEY_MATERIAL") => Some(ImportType::New),
        Some(_) => Some(ImportType::Existing),
        None => None,
    };
    if kind == Some(ImportType::New) && request.key_material_id.is_some() {
        let text = "You cannot specify a KeyMaterialId with ImportType set to NEW_KEY_MATERIAL.";
        return Err(Error::Validation(text.to_owned()));
    }
    Ok(kind)
}
