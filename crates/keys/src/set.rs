//! Changes that the members of a multi-Region key share: key material and its rotation, who is primary, who is a replica.
//!
//! Every member has its own record and its own material rows, sealed for their own places, whole: a use of a key never looks
//! beyond its Region. What they share is therefore written for all of them in one transaction, which expects all of them to be
//! as they were read. A key of a single Region is a set of one, so that rotation and import need not tell the two apart:
//!
//! ```text
//! self.change_set(key.id, |set, transaction| {
//!     set.require_primary()?;                                             // a replica refuses; a single-Region key passes
//!     let transaction = set.add_material(transaction, &next, Some(bytes));   // the same id and bytes for every member
//!     set.each(|record| record.rotation = Some(rotation));                // what is not Region's own; the errand follows from it
//!     Ok((answer, transaction))
//! })
//! ```

use std::sync::Arc;

use bytes::Bytes;
use meta::Transaction;
use tokio::sync::MutexGuard;

use crate::Keys;
use crate::errands::Errands;
use crate::error::Error;
use crate::identifier::KeyId;
use crate::limits::MAX_ATTEMPTS;
use crate::record::{KeyRecord, Material};
use crate::vault::{Draft, Opened, Vault, busy, gone};

/// All members of a multi-Region key as a change of them needs them, or the one of a single-Region key.
pub(crate) struct Set {
    /// The one that the change was asked of first. Never empty.
    members: Vec<Member>,
}

/// One Region's key of a set.
pub(crate) struct Member {
    pub(crate) vault: Arc<Vault>,
    pub(crate) draft: Draft,
    /// As it was read.
    row: Bytes,
    /// Those of the record as it was read.
    errands: Errands,
}

impl Member {
    fn new(vault: &Arc<Vault>, draft: Draft, row: Bytes) -> Self {
        let errands = draft.record.errands(vault.region());
        Self { vault: Arc::clone(vault), draft, row, errands }
    }
}

impl Set {
    /// The key of the Region that was asked.
    pub(crate) fn own(&self) -> &Draft {
        &self.members[0].draft
    }

    /// The key of the Region that was asked: what only it has (state, description, tags) is changed here.
    pub(crate) fn own_mut(&mut self) -> &mut Draft {
        &mut self.members[0].draft
    }

    /// All members, that of the Region that was asked first.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.iter()
    }

    /// As [`Set::members`], to be changed.
    pub(crate) fn members_mut(&mut self) -> impl Iterator<Item = &mut Member> {
        self.members.iter_mut()
    }

    /// That what is asked of this key may be: not of a replica, whose primary decides for all.
    ///
    /// # Errors
    /// [`Error::UnsupportedOperation`] of a replica.
    pub(crate) fn require_primary(&self) -> Result<(), Error> {
        let own = &self.members[0];
        own.draft.record.require_primary(own.vault.region(), &own.draft.arn)
    }

    /// Changes what the members have in common, in each of their records.
    pub(crate) fn each(&mut self, mut change: impl FnMut(&mut KeyRecord)) {
        self.members.iter_mut().for_each(|member| change(&mut member.draft.record));
    }

    /// Gives every member the same new material, with its bytes where they are here: wrapped anew for each member's row.
    pub(crate) fn add_material(
        &mut self,
        transaction: Transaction,
        material: &Material,
        secret: Option<&[u8]>,
    ) -> Transaction {
        self.members.iter_mut().fold(transaction, |transaction, Member { vault, draft, .. }| {
            draft.record.materials.push(material.clone());
            match secret {
                Some(secret) => vault.put_material(transaction, draft.id, material, secret),
                None => transaction,
            }
        })
    }

    /// Takes the own key out of the set, which loses it. Gives the key and its row.
    pub(crate) fn leave(&mut self) -> (Draft, Bytes) {
        let Member { draft, row, vault, .. } = self.members.remove(0);
        self.each(|record| {
            if let Some(set) = &mut record.multi_region {
                set.replicas.retain(|replica| replica != vault.region());
            }
        });
        (draft, row)
    }
}

impl Keys {
    /// As [`Vault::change`], of a key together with all its other Regions' members if it is a multi-Region key: reads them all,
    /// lets `edit` change them and add to the transaction, and commits if all of them still were as read.
    ///
    /// # Errors
    /// As [`Vault::change`].
    pub(crate) async fn change_set<T>(
        &self,
        id: KeyId,
        mut edit: impl FnMut(&mut Set, Transaction) -> Result<(T, Transaction), Error>,
    ) -> Result<T, Error> {
        for _ in 0..MAX_ATTEMPTS {
            let Some(vaults) = self.vaults_of(id).await? else { return Err(gone(id)) };
            let _alone = Self::lock_set(id, &vaults).await;
            let Some(mut set) = self.read_set(id, &vaults).await? else { continue };
            let (answer, transaction) = edit(&mut set, Transaction::new())?;
            if self.commit_set(set, transaction).await? {
                return Ok(answer);
            }
        }
        Err(busy())
    }

    /// Where the members of a key's set are, in the order of their Regions' names; `None` if there is no such key.
    pub(crate) async fn vaults_of(&self, id: KeyId) -> Result<Option<Vec<Arc<Vault>>>, Error> {
        let found = self.vault.draft(id).await?;
        Ok(found.map(|found| self.vaults_in(&found.value.record)))
    }

    fn vaults_in(&self, record: &KeyRecord) -> Vec<Arc<Vault>> {
        let Some(set) = &record.multi_region else { return vec![Arc::clone(&self.vault)] };
        let mut regions: Vec<_> = set.regions().collect();
        regions.sort();
        regions.into_iter().map(|region| self.shared.vault(region)).collect()
    }

    /// Waits until no other change of any of the members runs in this process. `vaults` are in the order of their Regions'
    /// names, so that two changes never wait for each other.
    pub(crate) async fn lock_set(id: KeyId, vaults: &[Arc<Vault>]) -> Vec<MutexGuard<'_, ()>> {
        let mut locks = Vec::with_capacity(vaults.len());
        for vault in vaults {
            locks.push(vault.lock(id).await);
        }
        locks
    }

    /// A key and the other members of its set, from the store; `None` if its set is no longer in these Regions.
    ///
    /// # Errors
    /// [`Error::Internal`] if a member is gone that the key's own record names; a failing store.
    pub(crate) async fn read_set(&self, id: KeyId, vaults: &[Arc<Vault>]) -> Result<Option<Set>, Error> {
        let Some(Opened { row, value: draft }) = self.vault.draft(id).await? else { return Ok(None) };
        let same =
            |now: &Vec<Arc<Vault>>| now.iter().map(|vault| vault.region()).eq(vaults.iter().map(|it| it.region()));
        if !same(&self.vaults_in(&draft.record)) {
            return Ok(None);
        }
        let mut members = vec![Member::new(&self.vault, draft, row)];
        for vault in vaults.iter().filter(|vault| *vault.region() != self.region) {
            let Some(Opened { row, value: draft }) = vault.draft(id).await? else {
                let unchanged = self.vault.draft(id).await?.is_some_and(|now| now.row == members[0].row);
                let place = vault.rows.key(id);
                return if unchanged { Err(Error::damaged(place.kind, &place.key)) } else { Ok(None) };
            };
            members.push(Member::new(vault, draft, row));
        }
        Ok(Some(Set { members }))
    }

    /// Commits changed members with whatever else the transaction writes, if all of them still are as they were read.
    pub(crate) async fn commit_set(&self, set: Set, transaction: Transaction) -> Result<bool, Error> {
        let mut transaction = transaction;
        for Member { vault, draft, row, errands } in &set.members {
            let place = vault.rows.key(draft.id);
            transaction = transaction.expect_equals(place.table, &place.key, row.clone());
            transaction = vault.put_errands(transaction, draft.id, errands, &draft.record.errands(vault.region()));
            transaction = vault.put_key(transaction, draft);
        }
        let committed = self.vault.commit(transaction).await;
        set.members.iter().for_each(|member| member.vault.forget_record(member.draft.id));
        committed
    }
}
