//! ScheduleKeyDeletion, CancelKeyDeletion, and the destruction of a key when its waiting period is over.

use std::time::Duration;

use meta::{Table, Transaction};
use serde::{Deserialize, Serialize};

use crate::Keys;
use crate::access::Action;
use crate::decide::Use;
use crate::errands::Errands;
use crate::error::Error;
use crate::identifier::KeyId;
use crate::limits::{DEFAULT_DELETION_WINDOW_DAYS, DELETION_WINDOW_DAYS, MAX_ALIASES_PER_KEY, MAX_ATTEMPTS};
use crate::principal::Principal;
use crate::record::{KeyState, Owner};
use crate::service_event::Deed;
use crate::set::Set;
use crate::vault::{Draft, busy};
use crate::wire::Timestamp;

model::requests!(kms: ScheduleKeyDeletionRequest, CancelKeyDeletionRequest);

/// The request of ScheduleKeyDeletion.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ScheduleKeyDeletionRequest {
    /// `KeyId`.
    pub key_id: String,
    /// `PendingWindowInDays`, 7 to 30.
    pub pending_window_in_days: Option<i64>,
}

/// The answer of ScheduleKeyDeletion.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct ScheduleKeyDeletionResponse {
    /// `KeyId`: the key's ARN.
    pub key_id: String,
    /// `DeletionDate`; none of a primary key whose waiting period begins when its last replica is deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_date: Option<Timestamp>,
    /// `KeyState`.
    pub key_state: &'static str,
    /// `PendingWindowInDays`.
    pub pending_window_in_days: i64,
}

/// The request of CancelKeyDeletion.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CancelKeyDeletionRequest {
    /// `KeyId`.
    pub key_id: String,
}

/// The answer of CancelKeyDeletion.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct CancelKeyDeletionResponse {
    /// `KeyId`: the key's ARN.
    pub key_id: String,
}

impl Keys {
    /// ScheduleKeyDeletion. [`Keys::tick`] destroys the key once the waiting period is over.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, ScheduleKeyDeletion.
    pub async fn schedule_key_deletion(
        &self,
        principal: &Principal,
        request: ScheduleKeyDeletionRequest,
    ) -> Result<ScheduleKeyDeletionResponse, Error> {
        let days = request.pending_window_in_days.unwrap_or(DEFAULT_DELETION_WINDOW_DAYS);
        // The service model says 1 to 365, the API reference 7 to 30; AWS tells the two apart.
        if !DELETION_WINDOW_DAYS.contains(&days) {
            let text = format!("PendingWindowInDays should be between 7 and 30, but it is {days}");
            return Err(Error::Validation(text));
        }
        let facts = [("kms:schedulekeydeletionpendingwindowindays", days.to_string().into())];
        let wish = Use::of(Action::ScheduleKeyDeletion).facts(&facts);
        let key = self.find_by_id(principal, &request.key_id, wish).await?;
        let days = u32::try_from(days).expect("7 to 30");
        self.vault
            .change(key.id, |draft, transaction| {
                draft.record.require_not_pending(&draft.arn)?;
                let set = draft.record.multi_region.as_ref();
                let waits = set.is_some_and(|set| set.primary == self.region && !set.replicas.is_empty());
                let at = self.now().after(window(days));
                draft.record.state =
                    if waits { KeyState::PendingReplicaDeletion { days } } else { KeyState::PendingDeletion { at } };
                let answer = ScheduleKeyDeletionResponse {
                    key_id: draft.arn.clone(),
                    deletion_date: (!waits).then_some(at),
                    key_state: draft.record.state.name(),
                    pending_window_in_days: i64::from(days),
                };
                Ok((answer, transaction))
            })
            .await
    }

    /// CancelKeyDeletion. The key is disabled afterwards.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, CancelKeyDeletion.
    pub async fn cancel_key_deletion(
        &self,
        principal: &Principal,
        request: CancelKeyDeletionRequest,
    ) -> Result<CancelKeyDeletionResponse, Error> {
        let key = self.find_by_id(principal, &request.key_id, Action::CancelKeyDeletion).await?;
        self.vault
            .change(key.id, |draft, transaction| {
                if draft.record.require_not_pending(&draft.arn).is_ok() {
                    return Err(Error::KmsInvalidState(format!("{} is not pending deletion.", draft.arn)));
                }
                draft.record.state = KeyState::Disabled;
                // Imported material may have been deleted or have expired meanwhile.
                draft.record.settle();
                Ok((CancelKeyDeletionResponse { key_id: draft.arn.clone() }, transaction))
            })
            .await
    }

    /// Destroys a key that is past its deletion date: record, materials, aliases and every row about it, in one transaction.
    /// A key whose own record says otherwise stays: the record decides, not the errand (its deletion may just have been cancelled).
    ///
    /// A replica's place in the records of its set goes in the same transaction. The last one's end begins the waiting period
    /// of a primary that waits for it.
    pub(crate) async fn destroy(&self, id: KeyId, now: Timestamp) -> Result<(), Error> {
        for _ in 0..MAX_ATTEMPTS {
            let Some(vaults) = self.vaults_of(id).await? else { return Ok(()) };
            let _alone = Self::lock_set(id, &vaults).await;
            let Some(mut set) = self.read_set(id, &vaults).await? else { continue };
            let record = &set.own().record;
            let (KeyState::PendingDeletion { at }, Owner::Customer(account)) = (record.state, record.owner) else {
                return Ok(());
            };
            if at > now {
                return Ok(());
            }
            self.delete_grants(id).await?;
            let (draft, row) = set.leave();
            begin_waiting(&mut set, now);
            let key = self.vault.rows.key(id);
            let mut transaction =
                Transaction::new().shred().expect_equals(key.table, &key.key, row).delete(key.table, &key.key);
            transaction = self.vault.put_errands(transaction, id, &draft.record.errands(&self.region), &Errands::new());
            let last_use = self.vault.rows.last_use(id);
            transaction = transaction.delete(last_use.table, &last_use.key);
            for place in [self.vault.rows.policy(id), self.vault.rows.grant_count(id)] {
                transaction = transaction.delete(place.table, &place.key);
            }
            let owned = self.vault.rows.owned(account, id);
            transaction = transaction.delete(owned.table, &owned.key);
            transaction = self.delete_materials(transaction, &draft).await?;
            transaction = self.delete_place(transaction, &draft, now);
            transaction = self.tell(transaction, id, &draft.record, Deed::DeleteKey);
            let names = self.vault.scan(Table::Alias, &self.vault.rows.targets(id), MAX_ALIASES_PER_KEY + 1).await?;
            let names: Vec<_> = names.iter().filter_map(|row| self.vault.rows.target_name(&row.key)).collect();
            for name in &names {
                let (alias, target) = (self.vault.rows.alias(account, name), self.vault.rows.target(id, name));
                // It may just be pointed to another key, which it is not to be taken from.
                transaction = transaction.expect_present(target.table, &target.key);
                transaction = transaction.delete(alias.table, &alias.key).delete(target.table, &target.key);
            }
            let committed = self.commit_set(set, transaction).await;
            self.vault.forget_key(id);
            names.into_iter().for_each(|name| self.vault.forget_alias(account, name));
            if committed? {
                self.vault.uncount(account);
                self.told();
                tracing::info!(key = %draft.arn, "key destroyed, its waiting period is over");
                return Ok(());
            }
        }
        Err(busy())
    }

    async fn delete_materials(&self, transaction: Transaction, draft: &Draft) -> Result<Transaction, Error> {
        // All rows, not only those that the record names: none may outlive the key.
        let limit = draft.record.materials.len() + 1;
        let rows = self.vault.scan(Table::Material, &self.vault.rows.materials(draft.id), limit).await?;
        Ok(rows.iter().fold(transaction, |transaction, row| transaction.delete(Table::Material, &row.key)))
    }
}

/// Begins the waiting period of a primary that waited for replicas, if the last one is gone.
fn begin_waiting(set: &mut Set, now: Timestamp) {
    set.each(|record| {
        if let KeyState::PendingReplicaDeletion { days } = record.state
            && record.multi_region.as_ref().is_none_or(|set| set.replicas.is_empty())
        {
            record.state = KeyState::PendingDeletion { at: now.after(window(days)) };
        }
    });
}

fn window(days: u32) -> Duration {
    Duration::from_secs(u64::from(days) * 24 * 3600)
}
