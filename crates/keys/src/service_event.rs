//! What KMS did to a key by itself, kept for the audit: the events that CloudTrail calls service events.
//!
//! Nobody asked, so no answer waits for the record. Instead the commit that changes the key writes a row with what is to be told, and
//! whoever keeps the audit takes the rows and deletes them once they are on record: a change without its row does not exist, and a row
//! outlives every crash. Told twice, an event has the same identifier both times.

use meta::Transaction;
use uuid::Uuid;

use crate::Keys;
use crate::codec::{Decoder, Encoder};
use crate::error::Error;
use crate::identifier::{KeyArn, KeyId};
use crate::principal::AccountId;
use crate::record::{Cause, KeyRecord, Material, Origin};
use crate::vault::Draft;
use crate::wire::Timestamp;

/// Something that KMS did to a key without being asked, or finished after it was.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServiceEvent {
    /// The identifier of its event in the audit log.
    pub id: Uuid,
    /// When.
    pub time: Timestamp,
    /// The key, in its account and Region.
    pub key: KeyArn,
    /// What.
    pub deed: Deed,
}

/// What KMS did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Deed {
    /// The waiting period of a key is over, and the key is gone.
    DeleteKey,
    /// The key has another material.
    RotateKey {
        /// `AUTOMATIC` or `ON_DEMAND`.
        rotation: &'static str,
        /// `AWS_KMS` or `EXTERNAL`.
        origin: &'static str,
        /// `KeyMaterialId` of what sealed before.
        previous: Option<String>,
        /// `KeyMaterialId` of what seals now.
        current: String,
    },
    /// The time of an imported material is over, and it is gone.
    DeleteExpiredKeyMaterial {
        /// Its `KeyMaterialId`; none of a key that is not a symmetric encryption key.
        material: Option<String>,
    },
    /// The replicas of a multi-Region key have what their primary, this key, has.
    SynchronizeMultiRegionKey,
}

impl Deed {
    /// `eventName`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::DeleteKey => "DeleteKey",
            Self::RotateKey { .. } => "RotateKey",
            Self::DeleteExpiredKeyMaterial { .. } => "DeleteExpiredKeyMaterial",
            Self::SynchronizeMultiRegionKey => "SynchronizeMultiRegionKey",
        }
    }
}

impl Keys {
    /// What KMS did in this Region and nobody has recorded yet, oldest first, `limit` at most.
    ///
    /// # Errors
    /// A failing store; a damaged row.
    pub async fn service_events(&self, limit: usize) -> Result<Vec<ServiceEvent>, Error> {
        let vault = &self.vault;
        let rows = vault.scan(meta::Table::Key, &vault.rows.service_events(), limit).await?;
        let read = |row: &meta::Row| {
            let damaged = || Error::damaged("service event", &row.key);
            let (time, id) = vault.rows.parse_service_event(&row.key).ok_or_else(damaged)?;
            let told = vault.decode(&vault.rows.service_event(time, id), &row.value, Told::decode)?;
            let key = KeyArn { region: self.region.clone(), account: told.account, key: told.key };
            Ok(ServiceEvent { id, time, key, deed: told.deed })
        };
        rows.iter().map(read).collect()
    }

    /// Forgets an event of this Region, which is on record now.
    ///
    /// # Errors
    /// A failing store.
    pub async fn forget_service_event(&self, event: &ServiceEvent) -> Result<(), Error> {
        let place = self.vault.rows.service_event(event.time, event.id);
        self.vault.commit(Transaction::new().delete(place.table, &place.key)).await.map(drop)
    }

    /// Ends when something was done in any Region that [`Keys::service_events`] tells of; at once, if that was so since it last ended.
    /// For one task.
    pub async fn service_event(&self) {
        self.shared.service_events.notified().await;
    }

    /// Notes what is done to a key in the transaction that does it. Of the service key nobody is told.
    pub(crate) fn tell(&self, transaction: Transaction, key: KeyId, record: &KeyRecord, deed: Deed) -> Transaction {
        let Some(account) = record.owner.account() else { return transaction };
        let place = self.vault.rows.service_event(self.now(), Uuid::new_v4());
        self.vault.put(transaction, &place, &Told { account, key, deed }.encode())
    }

    /// Wakes whoever waits in [`Keys::service_event`], once the transaction is committed.
    pub(crate) fn told(&self) {
        self.shared.service_events.notify_one();
    }

    /// As [`Keys::tell`], of a rotation that has just given the key, and its replicas, another material than `previous`.
    pub(crate) fn tell_rotation(
        &self,
        transaction: Transaction,
        key: &Draft,
        previous: Option<&Material>,
    ) -> Transaction {
        let record = &key.record;
        let Some(current) = record.current() else { return transaction };
        let deed = Deed::RotateKey {
            rotation: if current.cause == Cause::OnDemand { ON_DEMAND } else { AUTOMATIC },
            origin: record.origin.name(),
            previous: previous.map(Material::id_text),
            current: current.id_text(),
        };
        let transaction = self.tell(transaction, key.id, record, deed);
        match &record.multi_region {
            Some(set) if !set.replicas.is_empty() => {
                self.tell(transaction, key.id, record, Deed::SynchronizeMultiRegionKey)
            }
            _ => transaction,
        }
    }
}

/// The value of a row: version ‖ account ‖ key ‖ deed.
struct Told {
    account: AccountId,
    key: KeyId,
    deed: Deed,
}

impl Told {
    fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::new(VERSION);
        out.array(self.account.as_bytes());
        out.array(self.key.as_bytes());
        match &self.deed {
            Deed::DeleteKey => out.byte(1),
            Deed::RotateKey { rotation, origin, previous, current } => {
                out.byte(2);
                out.byte(u8::from(*rotation == ON_DEMAND));
                out.text(origin);
                out.option(previous.as_deref(), Encoder::text);
                out.text(current);
            }
            Deed::DeleteExpiredKeyMaterial { material } => {
                out.byte(3);
                out.option(material.as_deref(), Encoder::text);
            }
            Deed::SynchronizeMultiRegionKey => out.byte(4),
        }
        out.finish()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = Decoder::new(VERSION, bytes)?;
        let account = AccountId::from_bytes(fields.array()?)?;
        let key = KeyId::from_bytes(fields.array()?);
        let deed = match fields.byte()? {
            1 => Deed::DeleteKey,
            2 => Deed::RotateKey {
                rotation: if fields.flag()? { ON_DEMAND } else { AUTOMATIC },
                origin: Origin::named(&fields.text()?)?.name(),
                previous: fields.option(Decoder::text)?,
                current: fields.text()?,
            },
            3 => Deed::DeleteExpiredKeyMaterial { material: fields.option(Decoder::text)? },
            4 => Deed::SynchronizeMultiRegionKey,
            _ => return None,
        };
        fields.finish()?;
        Some(Self { account, key, deed })
    }
}

const VERSION: u8 = 1;

/// `rotationType`, as ListKeyRotations has it too.
const AUTOMATIC: &str = "AUTOMATIC";
/// See above.
const ON_DEMAND: &str = "ON_DEMAND";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn rows_are_read_as_they_were_written() {
        let (account, key) = (AccountId::parse("111122223333").unwrap(), KeyId::generate());
        let material = || Some("ab".repeat(32));
        let rotated =
            |rotation, previous| Deed::RotateKey { rotation, origin: "EXTERNAL", previous, current: "cd".repeat(32) };
        let deeds = [
            Deed::DeleteKey,
            rotated(AUTOMATIC, material()),
            rotated(ON_DEMAND, None),
            Deed::DeleteExpiredKeyMaterial { material: material() },
            Deed::DeleteExpiredKeyMaterial { material: None },
            Deed::SynchronizeMultiRegionKey,
        ];
        for deed in deeds {
            let bytes = Told { account, key, deed: deed.clone() }.encode();
            let read = Told::decode(&bytes).unwrap();
            assert_eq!((read.account, read.key, read.deed), (account, key, deed));
            assert!(Told::decode(&bytes[..bytes.len() - 1]).is_none());
            assert!(Told::decode(&[&bytes[..], &[0]].concat()).is_none());
        }
    }
}
