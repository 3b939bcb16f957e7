//! Which keys CreateKey makes, and how it refuses the others.

use material::{KeySpec, KeyUsage};
use policy::Value;

use super::import::require_importable;
use super::lifecycle::CreateKeyRequest;
use super::ready::named;
use crate::Keys;
use crate::decide::Fact;
use crate::error::Error;
use crate::identifier::KeyId;
use crate::principal::AccountId;
use crate::record::{Custody, KeyDetails, KeyRecord, KeyState, MultiRegion, Origin, Owner};
use crate::vault::Draft;

/// A kind of key that can be made.
pub(super) struct Kind {
    pub(super) spec: KeySpec,
    pub(super) usage: KeyUsage,
    pub(super) origin: Origin,
    pub(super) multi_region: bool,
    pub(super) custody: Custody,
}

impl Kind {
    /// What policies may ask of CreateKey.
    pub(super) fn facts(&self, bypass: bool) -> Vec<Fact<'static>> {
        let flag = |value: bool| Value::from(if value { "true" } else { "false" });
        let mut facts = vec![
            ("kms:keyspec", self.spec.name().into()),
            ("kms:customermasterkeyspec", self.spec.name().into()),
            ("kms:keyusage", self.usage.name().into()),
            ("kms:customermasterkeyusage", self.usage.name().into()),
            ("kms:keyorigin", self.origin.name().into()),
            ("kms:multiregion", flag(self.multi_region)),
            ("kms:bypasspolicylockoutsafetycheck", flag(bypass)),
        ];
        if self.multi_region {
            facts.push(("kms:multiregionkeytype", "PRIMARY".into()));
        }
        facts
    }

    /// What a request asks for, if the members go together.
    pub(super) fn of(request: &CreateKeyRequest) -> Result<Self, Error> {
        if request.key_spec.is_some() && request.customer_master_key_spec.is_some() {
            let text = "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is deprecated.";
            return Err(Error::Validation(text.to_owned()));
        }
        let spec = request.key_spec.as_deref().or(request.customer_master_key_spec.as_deref());
        let spec = spec.unwrap_or(KeySpec::SymmetricDefault.name());
        // SM2 alone has a name and is no key spec here: AWS has it in its China Regions.
        let spec = named(spec, KeySpec::named)?;
        let usage = usage(spec, request.key_usage.as_deref())?;
        let origin = request.origin.as_deref().and_then(Origin::named).unwrap_or(Origin::AwsKms);
        let multi_region = request.multi_region == Some(true);
        if origin == Origin::External {
            require_importable(spec)?;
        }
        let custody = match origin {
            Origin::AwsKms | Origin::External => {
                if request.custom_key_store_id.is_some() {
                    let text =
                        "CustomKeyStoreId is valid for keys of origin AWS_CLOUDHSM and EXTERNAL_KEY_STORE alone.";
                    return Err(Error::Validation(text.to_owned()));
                }
                if request.xks_key_id.is_some() {
                    return Err(xks_key_id());
                }
                Custody::Here
            }
            Origin::CloudHsm | Origin::ExternalKeyStore => {
                if spec != KeySpec::SymmetricDefault {
                    return Err(unsupported(&format!("KeySpec {spec} in a custom key store")));
                }
                if multi_region {
                    return Err(unsupported("MultiRegion in a custom key store"));
                }
                let Some(id) = &request.custom_key_store_id else {
                    let text = format!("Origin {} needs a CustomKeyStoreId.", origin.name());
                    return Err(Error::Validation(text));
                };
                match (origin, &request.xks_key_id) {
                    (Origin::CloudHsm, None) => Custody::Hsm { store: id.clone() },
                    (Origin::CloudHsm, Some(_)) => return Err(xks_key_id()),
                    (_, Some(key)) => Custody::Proxy { store: id.clone(), key: key.clone() },
                    (_, None) => {
                        let text = "Origin EXTERNAL_KEY_STORE needs an XksKeyId.";
                        return Err(Error::Validation(text.to_owned()));
                    }
                }
            }
        };
        Ok(Self { spec, usage, origin, multi_region, custody })
    }
}

impl Keys {
    /// A new customer key, not stored yet.
    pub(super) fn customer_draft(&self, account: AccountId, kind: Kind, details: KeyDetails) -> Draft {
        let Kind { spec, usage, origin, multi_region, custody } = kind;
        let mut record = KeyRecord::new(Owner::Customer(account), spec, usage, self.now());
        record.origin = origin;
        record.custody = custody;
        if origin == Origin::External {
            record.state = KeyState::PendingImport;
            record.materials.clear();
        }
        let id = if multi_region {
            record.multi_region = Some(MultiRegion { primary: self.region.clone(), replicas: vec![] });
            KeyId::generate_multi_region()
        } else {
            KeyId::generate()
        };
        Draft { id, arn: self.vault.arn(id, &record), record, details }
    }
}

/// A symmetric encryption key needs no usage named; every other key does, even where there is one alone.
fn usage(spec: KeySpec, named: Option<&str>) -> Result<KeyUsage, Error> {
    match named.and_then(KeyUsage::named) {
        None if spec == KeySpec::SymmetricDefault => Ok(KeyUsage::EncryptDecrypt),
        None => {
            let text = "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.";
            Err(Error::Validation(text.to_owned()))
        }
        Some(usage) if spec.usages().contains(&usage) => Ok(usage),
        Some(usage) => Err(Error::Validation(format!("KeyUsage {usage} is not compatible with KeySpec {spec}"))),
    }
}

fn xks_key_id() -> Error {
    Error::Validation("XksKeyId needs the origin EXTERNAL_KEY_STORE.".to_owned())
}

fn unsupported(what: &str) -> Error {
    Error::UnsupportedOperation(format!("{what} is not supported by this server."))
}
