//! Which keys CreateKey makes, and how it refuses the others.

use super::encrypt::SYMMETRIC;
use super::lifecycle::CreateKeyRequest;
use crate::error::Error;
use crate::limits::MAX_DESCRIPTION;
use crate::validate::Checks;

/// Checks everything in the request but its tags, and gives the description.
pub(super) fn check_kind(request: &CreateKeyRequest) -> Result<String, Error> {
    let mut checks = Checks::new();
    let description = request.description.clone().unwrap_or_default();
    checks.length("description", &description, 0..=MAX_DESCRIPTION);
    checks.one_of("keyUsage", request.key_usage.as_ref(), &USAGES);
    checks.one_of("keySpec", request.key_spec.as_ref(), &SPECS);
    checks.one_of("customerMasterKeySpec", request.customer_master_key_spec.as_ref(), &SPECS);
    checks.one_of("origin", request.origin.as_ref(), &ORIGINS);
    checks.finish()?;

    if request.key_spec.is_some() && request.customer_master_key_spec.is_some() {
        let text = "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is deprecated.";
        return Err(Error::Validation(text.to_owned()));
    }
    let spec = request.key_spec.as_deref().or(request.customer_master_key_spec.as_deref()).unwrap_or(SYMMETRIC);
    if spec != SYMMETRIC {
        return Err(unsupported(&format!("KeySpec {spec}")));
    }
    match request.key_usage.as_deref() {
        None | Some("ENCRYPT_DECRYPT") => {}
        Some(usage) => {
            return Err(Error::Validation(format!("KeyUsage {usage} is not compatible with KeySpec {SYMMETRIC}")));
        }
    }
    if let Some(id) = &request.custom_key_store_id {
        return Err(Error::CustomKeyStoreNotFound(format!("Custom key store {id} does not exist.")));
    }
    match request.origin.as_deref() {
        None | Some("AWS_KMS") => {}
        Some(origin) => return Err(unsupported(&format!("Origin {origin}"))),
    }
    if request.xks_key_id.is_some() {
        return Err(unsupported("XksKeyId"));
    }
    if request.multi_region == Some(true) {
        return Err(unsupported("MultiRegion"));
    }
    // A policy that is stored and not enforced would be a lie about who can use the key.
    if request.policy.is_some() {
        return Err(unsupported("Policy"));
    }
    if request.bypass_policy_lockout_safety_check == Some(true) {
        return Err(unsupported("BypassPolicyLockoutSafetyCheck"));
    }
    Ok(description)
}

fn unsupported(what: &str) -> Error {
    Error::UnsupportedOperation(format!("{what} is not supported by this server."))
}

const USAGES: [&str; 5] =
    ["SIGN_VERIFY", "ENCRYPT_DECRYPT", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT", "ENCAPSULATE_DECAPSULATE"];
const ORIGINS: [&str; 4] = ["AWS_KMS", "EXTERNAL", "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"];
/// `KeySpec` of the service model, in its order.
const SPECS: [&str; 20] = [
    "RSA_2048",
    "RSA_3072",
    "RSA_4096",
    "ECC_NIST_P256",
    "ECC_NIST_P384",
    "ECC_NIST_P521",
    "ECC_SECG_P256K1",
    SYMMETRIC,
    "HMAC_224",
    "HMAC_256",
    "HMAC_384",
    "HMAC_512",
    "SM2",
    "ML_DSA_44",
    "ML_DSA_65",
    "ML_DSA_87",
    "ECC_NIST_EDWARDS25519",
    "ML_KEM_512",
    "ML_KEM_768",
    "ML_KEM_1024",
];
