//! What the store keeps of a key and of an alias, and their bytes.

use std::collections::BTreeMap;

use crate::codec::{Decoder, Encoder};
use crate::error::Error;
use crate::identifier::KeyId;
use crate::principal::AccountId;
use crate::wire::Timestamp;

const VERSION: u8 = 1;

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

/// The key state. PendingImport, Creating and the others belong to kinds of key that this server does not make.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum KeyState {
    Enabled,
    Disabled,
    PendingDeletion { at: Timestamp },
}

impl KeyState {
    /// The name in the service model.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Enabled => "Enabled",
            Self::Disabled => "Disabled",
            Self::PendingDeletion { .. } => "PendingDeletion",
        }
    }
}

/// How a material came to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cause {
    Creation,
    Automatic,
    OnDemand,
}

/// One material of a key, without its bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Material {
    /// Counts from 1 in each key. Ciphertext names it.
    pub(crate) number: u32,
    /// `KeyMaterialId`.
    pub(crate) id: [u8; 32],
    pub(crate) created: Timestamp,
    pub(crate) cause: Cause,
}

impl Material {
    /// `KeyMaterialId` as the API gives it.
    pub(crate) fn id_text(&self) -> String {
        data_encoding::HEXLOWER.encode(&self.id)
    }
}

/// What every use of a key reads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct KeyRecord {
    pub(crate) owner: Owner,
    pub(crate) created: Timestamp,
    pub(crate) state: KeyState,
    /// Never empty, in the order of their numbers; the last is the current one.
    pub(crate) materials: Vec<Material>,
}

impl KeyRecord {
    pub(crate) fn current(&self) -> &Material {
        self.materials.last().expect("a key record holds at least one material")
    }

    pub(crate) fn material(&self, number: u32) -> Option<&Material> {
        let index = self.materials.binary_search_by_key(&number, |material| material.number).ok()?;
        self.materials.get(index)
    }

    /// That a cryptographic operation may use the key.
    pub(crate) fn require_enabled(&self, arn: &str) -> Result<(), Error> {
        match self.state {
            KeyState::Enabled => Ok(()),
            KeyState::Disabled => Err(Error::Disabled(format!("{arn} is disabled."))),
            KeyState::PendingDeletion { .. } => self.require_not_pending(arn),
        }
    }

    /// That a management operation may change the key.
    pub(crate) fn require_not_pending(&self, arn: &str) -> Result<(), Error> {
        match self.state {
            KeyState::Enabled | KeyState::Disabled => Ok(()),
            KeyState::PendingDeletion { .. } => Err(Error::KmsInvalidState(format!("{arn} is pending deletion."))),
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::new(VERSION);
        let (kind, account) = match self.owner {
            Owner::Service => (0, None),
            Owner::Customer(account) => (1, Some(account)),
            Owner::AwsManaged(account) => (2, Some(account)),
        };
        out.byte(kind);
        if let Some(account) = account {
            out.array(account.as_bytes());
        }
        out.time(self.created);
        match self.state {
            KeyState::Enabled => out.byte(1),
            KeyState::Disabled => out.byte(2),
            KeyState::PendingDeletion { at } => {
                out.byte(3);
                out.time(at);
            }
        }
        out.count(self.materials.len());
        for material in &self.materials {
            out.number(material.number);
            out.array(&material.id);
            out.time(material.created);
            out.byte(match material.cause {
                Cause::Creation => 0,
                Cause::Automatic => 1,
                Cause::OnDemand => 2,
            });
        }
        out.finish()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = Decoder::new(VERSION, bytes)?;
        let owner = match fields.byte()? {
            0 => Owner::Service,
            1 => Owner::Customer(account(&mut fields)?),
            2 => Owner::AwsManaged(account(&mut fields)?),
            _ => return None,
        };
        let created = fields.time()?;
        let state = match fields.byte()? {
            1 => KeyState::Enabled,
            2 => KeyState::Disabled,
            3 => KeyState::PendingDeletion { at: fields.time()? },
            _ => return None,
        };
        let materials = fields.list(|fields| {
            Some(Material {
                number: fields.number()?,
                id: fields.array()?,
                created: fields.time()?,
                cause: match fields.byte()? {
                    0 => Cause::Creation,
                    1 => Cause::Automatic,
                    2 => Cause::OnDemand,
                    _ => return None,
                },
            })
        })?;
        fields.finish()?;
        let ordered = materials.is_sorted_by(|one, next| one.number < next.number);
        (ordered && !materials.is_empty()).then_some(Self { owner, created, state, materials })
    }
}

fn account(fields: &mut Decoder<'_>) -> Option<AccountId> {
    let digits: [u8; AccountId::LEN] = fields.array()?;
    AccountId::parse(std::str::from_utf8(&digits).ok()?).ok()
}

/// What only management operations read: it lives in the row's body, so that a use of the key never fetches it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct KeyDetails {
    pub(crate) description: String,
    pub(crate) tags: BTreeMap<String, String>,
}

impl KeyDetails {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::new(VERSION);
        out.text(&self.description);
        out.count(self.tags.len());
        for (key, value) in &self.tags {
            out.text(key);
            out.text(value);
        }
        out.finish()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = Decoder::new(VERSION, bytes)?;
        let description = fields.text()?;
        let tags = fields.list(|fields| Some((fields.text()?, fields.text()?)))?;
        fields.finish()?;
        Some(Self { description, tags: tags.into_iter().collect() })
    }
}

/// An alias.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct AliasRecord {
    pub(crate) target: KeyId,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
}

impl AliasRecord {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::new(VERSION);
        out.array(self.target.as_bytes());
        out.time(self.created);
        out.time(self.updated);
        out.finish()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = Decoder::new(VERSION, bytes)?;
        let target = KeyId::from_bytes(fields.array()?);
        let (created, updated) = (fields.time()?, fields.time()?);
        fields.finish()?;
        Some(Self { target, created, updated })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    fn record() -> KeyRecord {
        let material = |number, cause| Material { number, id: [9; 32], created: Timestamp::from_millis(5), cause };
        KeyRecord {
            owner: Owner::Customer(AccountId::parse("111122223333").unwrap()),
            created: Timestamp::from_millis(3),
            state: KeyState::PendingDeletion { at: Timestamp::from_millis(4) },
            materials: vec![material(1, Cause::Creation), material(2, Cause::OnDemand), material(5, Cause::Automatic)],
        }
    }

    #[test]
    fn records_come_back_as_they_were() {
        let all = record();
        assert_eq!(KeyRecord::decode(&all.encode()).unwrap(), all);
        let service = KeyRecord { owner: Owner::Service, state: KeyState::Disabled, ..all.clone() };
        assert_eq!(KeyRecord::decode(&service.encode()).unwrap(), service);
        let managed = KeyRecord { owner: Owner::AwsManaged(all.owner.account().unwrap()), ..all };
        assert_eq!(KeyRecord::decode(&managed.encode()).unwrap(), managed);
        let details = KeyDetails { description: "d".to_owned(), tags: [("k".to_owned(), "v".to_owned())].into() };
        assert_eq!(KeyDetails::decode(&details.encode()).unwrap(), details);
    }

    #[test]
    fn a_material_is_found_by_its_number() {
        assert_eq!(record().material(5).unwrap().cause, Cause::Automatic);
        assert_eq!(record().current().number, 5);
        assert!(record().material(3).is_none() && record().material(0).is_none());
    }

    #[test]
    fn bytes_that_are_no_record_are_refused() {
        let bytes = record().encode();
        for len in 0..bytes.len() {
            assert!(KeyRecord::decode(&bytes[..len]).is_none(), "{len} bytes");
        }
        assert!(KeyRecord::decode(&[&bytes[..], &[0]].concat()).is_none());
        let mut newer = bytes;
        newer[0] = 2;
        assert!(KeyRecord::decode(&newer).is_none());
        let disordered = KeyRecord { materials: record().materials.into_iter().rev().collect(), ..record() };
        assert!(KeyRecord::decode(&disordered.encode()).is_none());
        assert!(KeyRecord::decode(&KeyRecord { materials: vec![], ..record() }.encode()).is_none());
        // A forged count of four billion ends with the record.
        let mut count = KeyDetails::default().encode();
        let at = count.len() - 4;
        count[at..].fill(0xff);
        assert!(KeyDetails::decode(&count).is_none());
    }
}
