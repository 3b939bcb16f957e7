//! How many requests a second an account may make in a Region, by AWS's numbers, if the operator wants them kept.
//!
//! Source: KMS Developer Guide, "Request quotas" (<https://docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html>).

use std::time::Instant;

use material::KeySpec;
use throttle::{Buckets, Rate};

use crate::Keys;
use crate::access::Action;
use crate::error::Error;
use crate::principal::{AccountId, Principal};
use crate::record::{Custody, KeyRecord};

/// The quotas of a store's accounts.
pub(crate) struct RequestQuotas {
    /// What AWS's numbers are multiplied by.
    factor: f64,
    buckets: Buckets,
}

/// Whose quota, and which.
#[derive(Hash)]
enum Bucket<'a> {
    /// An account's in a Region, by the quota's name.
    Account(AccountId, &'a str, &'static str),
    /// A custom key store's, by its id.
    KeyStore(&'a str),
}

impl Keys {
    /// From now on AWS's request quotas hold, `factor` times each, in every Region. Before, none does. Once for a process.
    pub fn limit_requests(&self, factor: f64) {
        let quotas = RequestQuotas { factor, buckets: Buckets::new(ROOM) };
        // The first stays.
        let _ = self.shared.quotas.set(quotas);
    }

    /// Counts a request against the quota of its operation. Those whose quota depends on a key are counted when the key is known.
    ///
    /// # Errors
    /// [`Error::Throttling`].
    pub fn admit(&self, principal: &Principal, operation: &str) -> Result<(), Error> {
        if self.shared.quotas.get().is_none() {
            return Ok(());
        }
        match OPERATIONS.iter().find(|(name, _)| *name == operation) {
            Some((name, rate)) => self.count(principal, name, *rate, WHOLE),
            None if operation == "GenerateRandom" => self.count(principal, SYMMETRIC, self.symmetric_rate(), WHOLE),
            None => Ok(()),
        }
    }

    /// Counts a cryptographic operation with a key, asked for at KMS itself or by S3 in a caller's name ("API requests made on your
    /// behalf"). Across accounts the caller's counts.
    pub(crate) fn admit_use(&self, principal: &Principal, key: &KeyRecord, action: Action) -> Result<(), Error> {
        if self.shared.quotas.get().is_none() {
            return Ok(());
        }
        let halves = match action {
            Action::Decrypt
            | Action::Encrypt
            | Action::GenerateDataKey
            | Action::GenerateDataKeyWithoutPlaintext
            | Action::GenerateMac
            | Action::VerifyMac
            | Action::Sign
            | Action::Verify
            | Action::DeriveSharedSecret
            | Action::Encapsulate
            | Action::Decapsulate => WHOLE,
            // One request, of perhaps two types of keys.
            Action::ReEncryptFrom | Action::ReEncryptTo => WHOLE / 2,
            _ => return Ok(()),
        };
        let (name, rate) = match key.spec {
            KeySpec::SymmetricDefault | KeySpec::Hmac224 | KeySpec::Hmac256 | KeySpec::Hmac384 | KeySpec::Hmac512 => {
                (SYMMETRIC, self.symmetric_rate())
            }
            KeySpec::Rsa2048 | KeySpec::Rsa3072 | KeySpec::Rsa4096 => ("RSA", ASYMMETRIC),
            KeySpec::MlDsa44 | KeySpec::MlDsa65 | KeySpec::MlDsa87 => ("ML-DSA", ASYMMETRIC),
            // Not documented yet; as the other asymmetric ones.
            KeySpec::MlKem512 | KeySpec::MlKem768 | KeySpec::MlKem1024 => ("ML-KEM", ASYMMETRIC),
            KeySpec::EccNistP256
            | KeySpec::EccNistP384
            | KeySpec::EccNistP521
            | KeySpec::EccSecgP256K1
            | KeySpec::EccNistEdwards25519 => ("ECC", ASYMMETRIC),
        };
        self.count(principal, name, rate, halves)?;
        match &key.custody {
            Custody::Here => Ok(()),
            Custody::Hsm { store } | Custody::Proxy { store, .. } => {
                self.take_token(&Bucket::KeyStore(store), KEY_STORE, halves)
            }
        }
    }

    /// Counts a data key pair.
    pub(crate) fn admit_pair(&self, principal: &Principal, spec: KeySpec) -> Result<(), Error> {
        let (name, rate) = match spec {
            KeySpec::Rsa2048 => ("GenerateDataKeyPair (RSA_2048)", 20.0),
            KeySpec::Rsa3072 => ("GenerateDataKeyPair (RSA_3072)", 4.0),
            KeySpec::Rsa4096 => ("GenerateDataKeyPair (RSA_4096)", 1.0),
            KeySpec::EccNistP256 => ("GenerateDataKeyPair (ECC_NIST_P256)", 100.0),
            KeySpec::EccNistP384 => ("GenerateDataKeyPair (ECC_NIST_P384)", 100.0),
            KeySpec::EccNistP521 => ("GenerateDataKeyPair (ECC_NIST_P521)", 100.0),
            KeySpec::EccSecgP256K1 => ("GenerateDataKeyPair (ECC_SECG_P256K1)", 100.0),
            KeySpec::EccNistEdwards25519 => ("GenerateDataKeyPair (ECC_NIST_EDWARDS25519)", 100.0),
            _ => ("GenerateDataKeyPair (others)", 100.0),
        };
        self.count(principal, name, rate, WHOLE)
    }

    /// The two CreateKey requests that a ReplicateKey counts as in the replica's Region.
    pub(crate) fn admit_replica(&self, principal: &Principal, region: &str) -> Result<(), Error> {
        let bucket = Bucket::Account(principal.account, region, "CreateKey");
        self.take_token(&bucket, CREATE_KEY, 2 * WHOLE)
    }

    fn count(&self, principal: &Principal, name: &'static str, rate: f64, halves: u32) -> Result<(), Error> {
        match principal.account {
            // A service by itself.
            AccountId::NOBODY => Ok(()),
            account => self.take_token(&Bucket::Account(account, self.region.as_str(), name), rate, halves),
        }
    }

    fn take_token(&self, bucket: &Bucket<'_>, rate: f64, halves: u32) -> Result<(), Error> {
        let Some(quotas) = self.shared.quotas.get() else { return Ok(()) };
        let rate = Rate::per_second(rate * quotas.factor);
        quotas.buckets.take_halves(bucket, rate, halves, Instant::now()).map_err(|_| throttled())
    }

    fn symmetric_rate(&self) -> f64 {
        match self.region.as_str() {
            "us-east-1" | "us-west-2" | "eu-west-1" => 100_000.0,
            "us-east-2" | "ap-southeast-1" | "ap-southeast-2" | "ap-northeast-1" | "eu-central-1" | "eu-west-2" => {
                20_000.0
            }
            _ => 10_000.0,
        }
    }
}

/// AWS's words.
pub(crate) fn throttled() -> Error {
    let text = "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.";
    Error::Throttling(text.to_owned())
}

const SYMMETRIC: &str = "symmetric";
/// RSA, elliptic curves and ML-DSA, each by itself.
const ASYMMETRIC: f64 = 1_000.0;
const KEY_STORE: f64 = 1_800.0;
const CREATE_KEY: f64 = 5.0;

/// Requests a second of each operation that has a quota of its own. Sorted by name.
const OPERATIONS: &[(&str, f64)] = &[
    ("CancelKeyDeletion", 5.0),
    ("ConnectCustomKeyStore", 5.0),
    ("CreateAlias", 5.0),
    ("CreateCustomKeyStore", 5.0),
    ("CreateGrant", 50.0),
    ("CreateKey", CREATE_KEY),
    ("DeleteAlias", 15.0),
    ("DeleteCustomKeyStore", 5.0),
    ("DeleteImportedKeyMaterial", 15.0),
    ("DescribeCustomKeyStores", 5.0),
    ("DescribeKey", 2_000.0),
    ("DisableKey", 5.0),
    ("DisableKeyRotation", 5.0),
    ("DisconnectCustomKeyStore", 5.0),
    ("EnableKey", 5.0),
    ("EnableKeyRotation", 15.0),
    ("GetKeyLastUsage", 5.0),
    ("GetKeyPolicy", 1_000.0),
    ("GetKeyRotationStatus", 1_000.0),
    ("GetParametersForImport", 1.0),
    ("GetPublicKey", 2_000.0),
    ("ImportKeyMaterial", 15.0),
    ("ListAliases", 500.0),
    ("ListGrants", 100.0),
    ("ListKeyPolicies", 100.0),
    ("ListKeyRotations", 100.0),
    ("ListKeys", 500.0),
    ("ListResourceTags", 2_000.0),
    ("ListRetirableGrants", 100.0),
    ("PutKeyPolicy", 15.0),
    ("ReplicateKey", 5.0),
    ("RetireGrant", 50.0),
    ("RevokeGrant", 50.0),
    ("RotateKeyOnDemand", 5.0),
    ("ScheduleKeyDeletion", 15.0),
    ("TagResource", 10.0),
    ("UntagResource", 5.0),
    ("UpdateAlias", 5.0),
    ("UpdateCustomKeyStore", 5.0),
    ("UpdateKeyDescription", 5.0),
    ("UpdatePrimaryRegion", 5.0),
];

/// Half tokens in a request.
const WHOLE: u32 = 2;
/// Buckets: of 1,000 accounts that use everything in a Region.
const ROOM: usize = 64 * 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_of_the_service_model() {
        assert!(OPERATIONS.is_sorted_by(|one, next| one.0 < next.0));
        for (name, rate) in OPERATIONS {
            assert!(model::kms::OPERATIONS.iter().any(|operation| operation.name == *name), "{name}");
            assert!(*rate >= 1.0);
        }
        // What is not in it is counted by its key.
        let others: Vec<_> = model::kms::OPERATIONS.iter().map(|operation| operation.name).collect();
        let others: Vec<_> = others.into_iter().filter(|name| !OPERATIONS.iter().any(|(own, _)| own == name)).collect();
        let cryptographic = [
            "Decapsulate",
            "Decrypt",
            "DeriveSharedSecret",
            "Encapsulate",
            "Encrypt",
            "GenerateDataKey",
            "GenerateDataKeyPair",
            "GenerateDataKeyPairWithoutPlaintext",
            "GenerateDataKeyWithoutPlaintext",
            "GenerateMac",
            "GenerateRandom",
            "ReEncrypt",
            "Sign",
            "Verify",
            "VerifyMac",
        ];
        assert_eq!(others, cryptographic);
    }
}
