//! What has to be done to a key by itself, and when: all of it follows from the key's record.
//!
//! The rows of errands are an index of the records, for `tick` to find what is due without reading every key. Every change of a
//! key goes through [`Vault::change`] or `Keys::change_set`, which write the rows that its record now asks for and delete those
//! that it asks for no more, in the same transaction: none is left behind, and none is there twice.

use std::collections::BTreeSet;

use meta::Transaction;

use crate::identifier::KeyId;
use crate::managed::rotation_period;
use crate::principal::Region;
use crate::record::{KeyRecord, KeyState};
use crate::rows::Errand;
use crate::vault::Vault;
use crate::wire::Timestamp;

/// The errands of one key.
pub(crate) type Errands = BTreeSet<(Timestamp, Errand)>;

impl KeyRecord {
    /// Everything that is to be done to this key in this Region.
    pub(crate) fn errands(&self, region: &Region) -> Errands {
        let mut errands: Errands = self.expiries().map(|at| (at, Errand::Expire)).collect();
        errands.extend(self.next_rotation(region).map(|at| (at, Errand::Rotate)));
        if let KeyState::PendingDeletion { at } = self.state {
            errands.insert((at, Errand::Destroy));
        }
        errands
    }

    /// When the server gives the key new material. Not while the key is disabled or on its way out ("KMS does not rotate the key
    /// material"): a rotation that falls due meanwhile happens once the key is enabled again. Of the members of a multi-Region
    /// key the primary alone rotates, for all.
    pub(crate) fn next_rotation(&self, region: &Region) -> Option<Timestamp> {
        let decides = self.multi_region.as_ref().is_none_or(|set| set.primary == *region);
        if self.state != KeyState::Enabled || !decides {
            return None;
        }
        match rotation_period(self.owner) {
            Some(period) => self.current().map(|current| current.created.after(period)),
            None => self.rotation.map(|rotation| rotation.next),
        }
    }

    /// When imported materials that are here expire.
    fn expiries(&self) -> impl Iterator<Item = Timestamp> {
        let imports = self.materials.iter().filter_map(|material| material.import.as_ref());
        imports.filter(|import| import.present).filter_map(|import| import.valid_to)
    }

    /// Whether the time of a material that is here is over, and nobody has destroyed it yet.
    pub(crate) fn has_expired(&self, now: Timestamp) -> bool {
        self.materials.iter().any(|material| material.has_expired(now))
    }
}

impl Vault {
    /// Turns the rows of a key's errands `before` into those `after`.
    pub(crate) fn put_errands(
        &self,
        mut transaction: Transaction,
        key: KeyId,
        before: &Errands,
        after: &Errands,
    ) -> Transaction {
        for &(at, errand) in before.difference(after) {
            let place = self.rows.due(at, errand, key);
            transaction = transaction.delete(place.table, &place.key);
        }
        for &(at, errand) in after.difference(before) {
            transaction = self.put(transaction, &self.rows.due(at, errand, key), &[]);
        }
        transaction
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use material::{KeySpec, KeyUsage};

    use super::*;
    use crate::principal::AccountId;
    use crate::record::{Import, MultiRegion, Origin, Owner, Rotation};

    #[test]
    fn a_record_says_what_is_to_be_done_and_when() {
        let at = Timestamp::from_millis;
        let region = |name| Region::parse(name).unwrap();
        let (home, other) = (region("eu-west-1"), region("us-east-1"));
        let owner = Owner::Customer(AccountId::parse("111122223333").unwrap());
        let plain = KeyRecord::new(owner, KeySpec::SymmetricDefault, KeyUsage::EncryptDecrypt, at(1));
        assert!(plain.errands(&home).is_empty());
        let rotating = KeyRecord { rotation: Some(Rotation { days: 90, next: at(8) }), ..plain.clone() };
        assert_eq!(rotating.errands(&home), [(at(8), Errand::Rotate)].into());
        let disabled = KeyRecord { state: KeyState::Disabled, ..rotating.clone() };
        assert!(disabled.errands(&home).is_empty());
        let going = KeyRecord { state: KeyState::PendingDeletion { at: at(9) }, ..rotating.clone() };
        assert_eq!(going.errands(&home), [(at(9), Errand::Destroy)].into());
        let set = MultiRegion { primary: home.clone(), replicas: vec![other.clone()] };
        let member = KeyRecord { multi_region: Some(set), ..rotating };
        assert!(!member.errands(&home).is_empty() && member.errands(&other).is_empty());
        let mut imported = KeyRecord { origin: Origin::External, ..plain };
        let import = Import { description: None, valid_to: Some(at(6)), present: true };
        imported.materials[0].import = Some(import.clone());
        assert_eq!(imported.errands(&other), [(at(6), Errand::Expire)].into());
        assert!(imported.has_expired(at(6)) && !imported.has_expired(at(5)));
        imported.materials[0].import = Some(Import { present: false, ..import });
        assert!(imported.errands(&home).is_empty() && !imported.has_expired(at(6)));
    }
}
