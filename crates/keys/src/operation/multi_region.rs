//! ReplicateKey and UpdatePrimaryRegion. What the members of a multi-Region key share, and how it is changed: [`crate::set`].

use meta::Transaction;
use serde::{Deserialize, Serialize};

use super::Done;
use super::metadata::KeyMetadata;
use super::tag::{Tag, checked_tags};
use crate::Keys;
use crate::access::{Action, note_made};
use crate::decide::{Fact, Use};
use crate::error::Error;
use crate::identifier::KeyId;
use crate::limits::MAX_ATTEMPTS;
use crate::principal::{Principal, Region};
use crate::principals::KeyPolicy;
use crate::record::{Import, KeyDetails, KeyRecord, KeyState, Origin};
use crate::vault::{Draft, busy, gone};

model::requests!(kms: ReplicateKeyRequest, UpdatePrimaryRegionRequest);

/// The request of ReplicateKey.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReplicateKeyRequest {
    /// `KeyId`: the primary key.
    pub key_id: String,
    /// `ReplicaRegion`.
    pub replica_region: String,
    /// `Policy`: the replica's.
    pub policy: Option<String>,
    /// `BypassPolicyLockoutSafetyCheck`.
    pub bypass_policy_lockout_safety_check: Option<bool>,
    /// `Description`: the replica's.
    pub description: Option<String>,
    /// `Tags`: the replica's.
    pub tags: Option<Vec<Tag>>,
}

/// The answer of ReplicateKey.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct ReplicateKeyResponse {
    /// `ReplicaKeyMetadata`.
    pub replica_key_metadata: KeyMetadata,
    /// `ReplicaPolicy`.
    pub replica_policy: String,
    /// `ReplicaTags`.
    pub replica_tags: Vec<Tag>,
}

/// The request of UpdatePrimaryRegion.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdatePrimaryRegionRequest {
    /// `KeyId`: the primary key as it is.
    pub key_id: String,
    /// `PrimaryRegion`: where the new primary key is.
    pub primary_region: String,
}

impl Keys {
    /// ReplicateKey. The replica may be used from the moment that this returns, so that no key is ever `Creating`.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, ReplicateKey; [`Error::UnsupportedOperation`] for a Region that is not served.
    pub async fn replicate_key(
        &self,
        principal: &Principal,
        request: ReplicateKeyRequest,
    ) -> Result<ReplicateKeyResponse, Error> {
        let tags = checked_tags(request.tags.unwrap_or_default())?;
        let facts = [("kms:replicaregion", request.replica_region.as_str().into())];
        let key = self.find_by_id(principal, &request.key_id, Use::of(Action::ReplicateKey).facts(&facts)).await?;
        let Some(other) = self.in_region(&request.replica_region) else {
            let text = format!("{} is not a Region of this server.", request.replica_region);
            return Err(Error::UnsupportedOperation(text));
        };
        let bypass = request.bypass_policy_lockout_safety_check == Some(true);
        let facts = replica_facts(&key.record, bypass);
        other.allow_tagged(principal, Action::CreateKey, &facts, &tags)?;
        if !tags.is_empty() {
            other.allow_tagged(principal, Action::TagResource, &[], &tags)?;
        }
        self.admit_replica(principal, other.region.as_str())?;
        let own = Own {
            details: KeyDetails { description: request.description.unwrap_or_default(), tags },
            policy: match &request.policy {
                Some(text) => Some(self.key_policy(text).await?),
                None => None,
            },
            bypass: request.bypass_policy_lockout_safety_check,
        };
        let replica = self.replicate(principal, key.id, &other, &own).await?;
        note_made(&replica, Action::CreateKey);
        let tags = replica.details.tags.iter();
        Ok(ReplicateKeyResponse {
            replica_key_metadata: other.metadata(&replica),
            replica_policy: other.policy_text(key.id, key.record.owner).await?.unwrap_or_default(),
            replica_tags: tags.map(|(key, value)| Tag { tag_key: key.clone(), tag_value: value.clone() }).collect(),
        })
    }

    /// Writes a replica of one of this Region's keys: record, materials and the rows about them there, and its place in the
    /// record of every member.
    async fn replicate(&self, principal: &Principal, id: KeyId, other: &Keys, own: &Own) -> Result<Draft, Error> {
        let room = other.vault.reserve(principal.account).await?;
        for _ in 0..MAX_ATTEMPTS {
            let Some(vaults) = self.vaults_of(id).await? else { return Err(gone(id)) };
            let _alone = Self::lock_set(id, &vaults).await;
            let Some(mut set) = self.read_set(id, &vaults).await? else { continue };
            require_replicable(&set.own().record, &self.region, &other.region, &set.own().arn)?;
            set.each(|record| {
                if let Some(set) = &mut record.multi_region {
                    set.add(&other.region);
                }
            });
            let replica = replica(other, set.own(), own);
            let transaction = other.vault.put(Transaction::new(), &other.vault.rows.owned(principal.account, id), &[]);
            let mut transaction = other.put_new_key(transaction, &replica, None);
            if let Some(policy) = &own.policy {
                other.check_first_policy(principal, &replica, policy, own.bypass)?;
                transaction = other.vault.put_policy(transaction, &replica, policy);
            }
            for material in replica.record.materials.iter().filter(|material| material.is_present()) {
                let secret = self.vault.stored_material(id, material).await?;
                transaction = other.vault.put_material(transaction, id, material, &secret);
            }
            if self.commit_set(set, transaction).await? {
                other.vault.forget_key(id);
                room.keep();
                return Ok(replica);
            }
        }
        Err(busy())
    }

    /// UpdatePrimaryRegion. Both keys are what they shall be when this returns, so that no key is ever `Updating`.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, UpdatePrimaryRegion; [`Error::UnsupportedOperation`] for a Region that is not
    /// served.
    pub async fn update_primary_region(
        &self,
        principal: &Principal,
        request: UpdatePrimaryRegionRequest,
    ) -> Result<Done, Error> {
        let facts = [("kms:primaryregion", request.primary_region.as_str().into())];
        let key =
            self.find_by_id(principal, &request.key_id, Use::of(Action::UpdatePrimaryRegion).facts(&facts)).await?;
        require_multi_region_primary(&key.record, &self.region, &key.arn)?;
        let Some(other) = self.in_region(&request.primary_region) else {
            let text = format!("{} is not a Region of this server.", request.primary_region);
            return Err(Error::UnsupportedOperation(text));
        };
        // It counts in both Regions.
        other.admit(principal, Action::UpdatePrimaryRegion.operation())?;
        // The caller needs the permission on both keys.
        other.find_by_id(principal, &key.id.to_string(), Use::of(Action::UpdatePrimaryRegion).facts(&facts)).await?;
        self.change_set(key.id, |set, transaction| {
            let own = set.own();
            require_multi_region_primary(&own.record, &self.region, &own.arn)?;
            own.record.require_enabled(&own.arn)?;
            if other.region == self.region {
                let text = format!("{} is the multi-Region primary key already.", own.arn);
                return Err(Error::UnsupportedOperation(text));
            }
            let Some(replica) = set.members().find(|member| *member.vault.region() == other.region) else {
                return Err(other.no_such_key(principal.account, key.id));
            };
            replica.draft.record.require_enabled(&replica.draft.arn)?;
            set.each(|record| {
                if let Some(set) = &mut record.multi_region {
                    set.promote(&other.region);
                }
            });
            Ok((Done, transaction))
        })
        .await
    }
}

/// What a replica does not share with its set.
struct Own {
    details: KeyDetails,
    policy: Option<KeyPolicy>,
    /// `BypassPolicyLockoutSafetyCheck`
    bypass: Option<bool>,
}

/// What policies may ask of the CreateKey that a ReplicateKey is in the other Region.
fn replica_facts(record: &KeyRecord, bypass: bool) -> [Fact<'static>; 6] {
    [
        ("kms:keyspec", record.spec.name().into()),
        ("kms:keyusage", record.usage.name().into()),
        ("kms:keyorigin", record.origin.name().into()),
        ("kms:multiregion", "true".into()),
        ("kms:multiregionkeytype", "REPLICA".into()),
        ("kms:bypasspolicylockoutsafetycheck", if bypass { "true" } else { "false" }.into()),
    ]
}

/// That a key may get a replica in a Region.
fn require_replicable(record: &KeyRecord, own: &Region, other: &Region, arn: &str) -> Result<(), Error> {
    require_multi_region_primary(record, own, arn)?;
    record.require_enabled(arn)?;
    if record.multi_region.iter().flat_map(|set| set.regions()).any(|region| region == other) {
        return Err(Error::AlreadyExists(format!("{arn} has a related multi-Region key in {other} already.")));
    }
    Ok(())
}

fn require_multi_region_primary(record: &KeyRecord, region: &Region, arn: &str) -> Result<(), Error> {
    match &record.multi_region {
        Some(set) if set.primary == *region => Ok(()),
        _ => Err(Error::UnsupportedOperation(format!("{arn} is not a multi-Region primary key."))),
    }
}

/// A replica of `primary`, whose set has it already: everything that the set shares, and what is its own.
fn replica(other: &Keys, primary: &Draft, own: &Own) -> Draft {
    let (created, own_policy, details) = (other.now(), own.policy.is_some(), own.details.clone());
    let mut record = KeyRecord { created, own_policy, ..primary.record.clone() };
    if record.origin == Origin::External {
        // "The replica key is created with no key material. You must import the same key material that you imported into the
        // primary key."
        record.state = KeyState::PendingImport;
        for material in &mut record.materials {
            material.import = Some(Import { description: None, valid_to: None, present: false });
        }
    }
    Draft { id: primary.id, arn: other.vault.arn(primary.id, &record), record, details }
}
