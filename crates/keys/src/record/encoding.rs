//! The bytes of the records. docs/formats/key-records.md draws them; version 1 of a key's record knew symmetric keys made here
//! and nothing else, and opens for ever.

use material::{KeySpec, KeyUsage};

use super::{
    AliasRecord, Cause, Custody, Import, KeyDetails, KeyRecord, KeyState, Material, MultiRegion, Origin, Owner,
    Rotation,
};
use crate::codec::{Decoder, Encoder};
use crate::identifier::KeyId;
use crate::principal::{AccountId, Region};

/// Of details and aliases.
const VERSION: u8 = 1;
/// Of key records.
const KEY_VERSION: u8 = 2;

impl KeyRecord {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::new(KEY_VERSION);
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
        out.byte(self.spec.code());
        out.byte(self.usage.code());
        out.byte(self.origin as u8);
        self.custody.encode(&mut out);
        match self.state {
            KeyState::Enabled => out.byte(1),
            KeyState::Disabled => out.byte(2),
            KeyState::PendingDeletion { at } => {
                out.byte(3);
                out.time(at);
            }
            KeyState::PendingImport => out.byte(4),
            KeyState::PendingReplicaDeletion { days } => {
                out.byte(5);
                out.number(days);
            }
        }
        out.option(self.rotation.as_ref(), |out, rotation| {
            out.number(rotation.days);
            out.time(rotation.next);
        });
        out.option(self.multi_region.as_ref(), |out, set| {
            out.text(set.primary.as_str());
            out.count(set.replicas.len());
            set.replicas.iter().for_each(|replica| out.text(replica.as_str()));
        });
        out.byte(u8::from(self.own_policy));
        out.count(self.materials.len());
        for material in &self.materials {
            material.encode(&mut out);
        }
        out.finish()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut record = match *bytes.first()? {
            KEY_VERSION => Self::decode_newest(bytes)?,
            1 => Self::decode_first(bytes)?,
            _ => return None,
        };
        let ordered = record.materials.is_sorted_by(|one, next| one.number < next.number);
        let may_be_empty = record.origin == Origin::External;
        record.materials.shrink_to_fit();
        (ordered && (may_be_empty || !record.materials.is_empty())).then_some(record)
    }

    fn decode_newest(bytes: &[u8]) -> Option<Self> {
        let mut fields = Decoder::new(KEY_VERSION, bytes)?;
        let record = Self {
            owner: owner(&mut fields)?,
            created: fields.time()?,
            spec: KeySpec::from_code(fields.byte()?)?,
            usage: KeyUsage::from_code(fields.byte()?)?,
            origin: {
                let code = fields.byte()?;
                Origin::ALL.into_iter().find(|origin| *origin as u8 == code)?
            },
            custody: Custody::decode(&mut fields)?,
            state: match fields.byte()? {
                1 => KeyState::Enabled,
                2 => KeyState::Disabled,
                3 => KeyState::PendingDeletion { at: fields.time()? },
                4 => KeyState::PendingImport,
                5 => KeyState::PendingReplicaDeletion { days: fields.number()? },
                _ => return None,
            },
            rotation: fields.option(|fields| Some(Rotation { days: fields.number()?, next: fields.time()? }))?,
            multi_region: fields
                .option(|fields| Some(MultiRegion { primary: region(fields)?, replicas: fields.list(region)? }))?,
            own_policy: fields.flag()?,
            materials: fields.list(Material::decode)?,
        };
        fields.finish()?;
        Some(record)
    }

    /// Version 1: owner, created, state, and materials without imports.
    fn decode_first(bytes: &[u8]) -> Option<Self> {
        let mut fields = Decoder::new(1, bytes)?;
        let owner = owner(&mut fields)?;
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
                cause: cause(fields.byte()?).filter(|cause| *cause != Cause::PendingRotation)?,
                import: None,
            })
        })?;
        fields.finish()?;
        let new = Self::new(owner, KeySpec::SymmetricDefault, KeyUsage::EncryptDecrypt, created);
        Some(Self { state, materials, ..new })
    }
}

impl Material {
    fn encode(&self, out: &mut Encoder) {
        out.number(self.number);
        out.array(&self.id);
        out.time(self.created);
        out.byte(match self.cause {
            Cause::Creation => 0,
            Cause::Automatic => 1,
            Cause::OnDemand => 2,
            Cause::PendingRotation => 3,
        });
        out.option(self.import.as_ref(), |out, import| {
            out.option(import.description.as_ref(), |out, text| out.text(text));
            out.option(import.valid_to.as_ref(), |out, at| out.time(*at));
            out.byte(u8::from(import.present));
        });
    }

    fn decode(fields: &mut Decoder<'_>) -> Option<Self> {
        Some(Self {
            number: fields.number()?,
            id: fields.array()?,
            created: fields.time()?,
            cause: cause(fields.byte()?)?,
            import: fields.option(|fields| {
                Some(Import {
                    description: fields.option(Decoder::text)?,
                    valid_to: fields.option(Decoder::time)?,
                    present: fields.flag()?,
                })
            })?,
        })
    }
}

impl Custody {
    fn encode(&self, out: &mut Encoder) {
        match self {
            Self::Here => out.byte(0),
            Self::Hsm { store } => {
                out.byte(1);
                out.text(store);
            }
            Self::Proxy { store, key } => {
                out.byte(2);
                out.text(store);
                out.text(key);
            }
        }
    }

    fn decode(fields: &mut Decoder<'_>) -> Option<Self> {
        Some(match fields.byte()? {
            0 => Self::Here,
            1 => Self::Hsm { store: fields.text()? },
            2 => Self::Proxy { store: fields.text()?, key: fields.text()? },
            _ => return None,
        })
    }
}

fn owner(fields: &mut Decoder<'_>) -> Option<Owner> {
    Some(match fields.byte()? {
        0 => Owner::Service,
        1 => Owner::Customer(AccountId::from_bytes(fields.array()?)?),
        2 => Owner::AwsManaged(AccountId::from_bytes(fields.array()?)?),
        _ => return None,
    })
}

fn cause(code: u8) -> Option<Cause> {
    [Cause::Creation, Cause::Automatic, Cause::OnDemand, Cause::PendingRotation].get(usize::from(code)).copied()
}

fn region(fields: &mut Decoder<'_>) -> Option<Region> {
    Region::parse(&fields.text()?).ok()
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
pub(super) mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use crate::wire::Timestamp;

    use super::*;

    pub(in crate::record) fn record() -> KeyRecord {
        let at = Timestamp::from_millis;
        let material = |number, cause| Material { number, id: [9; 32], created: at(5), cause, import: None };
        let import = Import { description: Some("d".to_owned()), valid_to: Some(at(6)), present: true };
        let owner = Owner::Customer(AccountId::parse("111122223333").unwrap());
        KeyRecord {
            origin: Origin::External,
            custody: Custody::Proxy { store: "cks-1".to_owned(), key: "k".to_owned() },
            state: KeyState::PendingDeletion { at: at(4) },
            rotation: Some(Rotation { days: 90, next: at(8) }),
            multi_region: Some(MultiRegion {
                primary: Region::parse("eu-west-1").unwrap(),
                replicas: vec![Region::parse("us-east-1").unwrap()],
            }),
            own_policy: true,
            materials: vec![
                material(1, Cause::Creation),
                material(2, Cause::OnDemand),
                material(5, Cause::Automatic),
                Material { import: Some(import), ..material(6, Cause::PendingRotation) },
            ],
            ..KeyRecord::new(owner, KeySpec::Rsa2048, KeyUsage::SignVerify, at(3))
        }
    }

    #[test]
    fn records_come_back_as_they_were() {
        let all = record();
        assert_eq!(KeyRecord::decode(&all.encode()).unwrap(), all);
        for state in [
            KeyState::Enabled,
            KeyState::Disabled,
            KeyState::PendingImport,
            KeyState::PendingReplicaDeletion { days: 7 },
        ] {
            let service = KeyRecord { owner: Owner::Service, state, ..all.clone() };
            assert_eq!(KeyRecord::decode(&service.encode()).unwrap(), service);
        }
        for origin in Origin::ALL {
            let custody = Custody::Hsm { store: "cks-2".to_owned() };
            let managed = Owner::AwsManaged(all.owner.account().unwrap());
            let other =
                KeyRecord { owner: managed, origin, custody, rotation: None, multi_region: None, ..all.clone() };
            assert_eq!(KeyRecord::decode(&other.encode()).unwrap(), other);
            let bare = KeyRecord { materials: vec![], ..other };
            assert_eq!(KeyRecord::decode(&bare.encode()).is_some(), origin == Origin::External);
        }
        let details = KeyDetails { description: "d".to_owned(), tags: [("k".to_owned(), "v".to_owned())].into() };
        assert_eq!(KeyDetails::decode(&details.encode()).unwrap(), details);
    }

    #[test]
    fn a_record_of_version_1_opens() {
        let mut bytes = vec![1, 1];
        bytes.extend(b"111122223333");
        bytes.extend(3_u64.to_be_bytes());
        bytes.push(2);
        bytes.extend(1_u32.to_be_bytes());
        bytes.extend(1_u32.to_be_bytes());
        bytes.extend([9; 32]);
        bytes.extend(5_u64.to_be_bytes());
        bytes.push(0);
        let opened = KeyRecord::decode(&bytes).unwrap();
        assert_eq!((opened.spec, opened.usage), (KeySpec::SymmetricDefault, KeyUsage::EncryptDecrypt));
        assert_eq!((opened.state, opened.custody, opened.origin), (KeyState::Disabled, Custody::Here, Origin::AwsKms));
        assert_eq!(opened.materials.len(), 1);
        *bytes.last_mut().unwrap() = 3;
        assert!(KeyRecord::decode(&bytes).is_none(), "version 1 had no imported material");
    }

    #[test]
    fn bytes_that_are_no_record_are_refused() {
        let bytes = record().encode();
        for len in 0..bytes.len() {
            assert!(KeyRecord::decode(&bytes[..len]).is_none(), "{len} bytes");
        }
        assert!(KeyRecord::decode(&[&bytes[..], &[0]].concat()).is_none());
        let mut newer = bytes;
        newer[0] = 3;
        assert!(KeyRecord::decode(&newer).is_none());
        let disordered = KeyRecord { materials: record().materials.into_iter().rev().collect(), ..record() };
        assert!(KeyRecord::decode(&disordered.encode()).is_none());
        // A forged count of four billion ends with the record.
        let mut count = KeyDetails::default().encode();
        let at = count.len() - 4;
        count[at..].fill(0xff);
        assert!(KeyDetails::decode(&count).is_none());
    }
}
