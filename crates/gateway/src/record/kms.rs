//! Records of KMS: what each operation shows of its request and answer.
//!
//! KMS Developer Guide, "Logging AWS KMS API calls with AWS CloudTrail" and its example of each operation. "For security reasons, some
//! fields are omitted from AWS KMS log entries, such as the Plaintext parameter of an Encrypt request, and the response to
//! GetKeyPolicy or any cryptographic operation."

use keys::{AccountId, KeyUse, Region, ServiceUse};

use super::event::Resource;
use super::json::Object;
use super::transcode::{LeftOut, Rules, transcode};

/// `eventSource`
pub(crate) const SOURCE: &str = "kms.amazonaws.com";
/// `resources.type`
pub(crate) const KEY: &str = "AWS::KMS::Key";
/// What S3 calls KMS in a caller's name as: `invokedBy`, `sourceIPAddress` and `userAgent` of such an event.
pub(crate) const S3_FORWARD: &str = "fas.s3.amazonaws.com";

/// What is shown of KMS's JSON. Every blob and every secret of the service model is left out; a test holds this against the model.
pub(crate) const RULES: Rules = Rules {
    secret: &[
        "AccessKeyId",
        "AttestationDocument",
        "Ciphertext",
        "CiphertextBlob",
        "CiphertextForRecipient",
        "EncryptedKeyMaterial",
        "GrantToken",
        "GrantTokens",
        "ImportToken",
        "KeyStorePassword",
        "Mac",
        "Message",
        "Plaintext",
        "PrivateKeyCiphertextBlob",
        "PrivateKeyPlaintext",
        "PublicKey",
        "RawSecretAccessKey",
        "Recipient",
        "SharedSecret",
        "SharedSecretCiphertextBlob",
        "Signature",
        "TrustAnchorCertificate",
        "XksProxyAuthenticationCredential",
    ],
    maps: &[
        "DestinationEncryptionContext",
        "EncryptionContext",
        "EncryptionContextEquals",
        "EncryptionContextSubset",
        "SourceEncryptionContext",
    ],
    times: &["ConnectionDate", "CreationDate", "DeletionDate", "ValidTo"],
    // As the examples of these operations have them.
    left_out: &[
        (
            "CreateKey",
            &[
                left_out("Description", r#""""#),
                left_out("Origin", r#""AWS_KMS""#),
                left_out("BypassPolicyLockoutSafetyCheck", "false"),
                LeftOut { member: "CustomerMasterKeySpec", other_name: Some("KeySpec"), value: SYMMETRIC_DEFAULT },
                LeftOut { member: "KeySpec", other_name: Some("CustomerMasterKeySpec"), value: SYMMETRIC_DEFAULT },
                left_out("KeyUsage", r#""ENCRYPT_DECRYPT""#),
            ],
        ),
        ("Decrypt", &[left_out("EncryptionAlgorithm", SYMMETRIC_DEFAULT)]),
        ("Encrypt", &[left_out("EncryptionAlgorithm", SYMMETRIC_DEFAULT)]),
        (
            "ReEncrypt",
            &[
                left_out("SourceEncryptionAlgorithm", SYMMETRIC_DEFAULT),
                left_out("DestinationEncryptionAlgorithm", SYMMETRIC_DEFAULT),
            ],
        ),
        ("ReplicateKey", &[left_out("BypassPolicyLockoutSafetyCheck", "false"), left_out("Description", r#""""#)]),
    ],
};

/// As JSON.
const SYMMETRIC_DEFAULT: &str = r#""SYMMETRIC_DEFAULT""#;

const fn left_out(member: &'static str, value: &'static str) -> LeftOut {
    LeftOut { member, other_name: None, value }
}

/// Whether an operation changes nothing. Cryptography does not.
pub(crate) fn is_read_only(operation: &str) -> bool {
    WRITES.binary_search(&operation).is_err()
}

/// What is shown of an answer.
pub(crate) fn elements(operation: &str, answer: &[u8], uses: &[KeyUse], out: &mut Vec<u8>) {
    if TELLING.contains(&operation) {
        transcode(answer, &RULES, out);
    } else if let (false, Some(key)) = (is_silent(operation), uses.iter().find(|used| used.by_service.is_none())) {
        // "log entries ... include the key ARN of the affected KMS key in the responseElements.keyId value, even though this
        // operation does not return the key ARN."
        Object::write(out, |elements| elements.text("keyId", &key.key_arn));
    }
}

/// What the CreateKey in the other Region that is part of a ReplicateKey would have answered.
pub(crate) fn replica_made(answer: &[u8]) -> Vec<u8> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Replicated<'a> {
        #[serde(borrow)]
        replica_key_metadata: &'a serde_json::value::RawValue,
    }
    let mut made = Vec::new();
    if let Ok(Replicated { replica_key_metadata }) = serde_json::from_slice(answer) {
        Object::write(&mut made, |made| made.raw("KeyMetadata", replica_key_metadata.get().as_bytes()));
    }
    made
}

/// The Region of a key that was used.
pub(crate) fn region(used: &KeyUse) -> Option<&str> {
    used.key_arn.strip_prefix("arn:aws:kms:")?.split(':').next()
}

/// `additionalEventData`: which materials were used, by what was done with the keys in this order, in which key store a key is, and which
/// grant was retired.
pub(crate) fn additional(operation: &str, uses: &[KeyUse], out: &mut Vec<u8>) {
    let materials = || uses.iter().filter_map(|used| used.material_id.as_deref());
    let store = uses.iter().find_map(|used| used.key_store_id.as_deref()).filter(|_| is_cryptographic(operation));
    let grant = uses.iter().find_map(|used| used.grant_id.as_deref());
    if materials().next().is_none() && store.is_none() && grant.is_none() {
        return;
    }
    Object::write(out, |data| {
        if let ("ReEncrypt", [source, destination]) = (operation, uses) {
            data.maybe("sourceKeyMaterialId", source.material_id.as_deref());
            data.maybe("destinationKeyMaterialId", destination.material_id.as_deref());
        } else {
            data.maybe("keyMaterialId", materials().next());
        }
        data.maybe("customKeyStoreId", store);
        data.maybe("grantId", grant);
    });
}

/// The uses of keys in the order in which records tell of them: ReEncrypt's source, then its destination, which is looked for first.
pub(crate) fn in_order(operation: &str, mut uses: Vec<KeyUse>) -> Vec<KeyUse> {
    if operation == "ReEncrypt" {
        uses.reverse();
    }
    uses
}

/// Whether nothing at all is shown of its answer.
fn is_silent(operation: &str) -> bool {
    is_read_only(operation) || SILENT.contains(&operation)
}

/// What uses a key's material, of keys that may be in a custom key store.
fn is_cryptographic(operation: &str) -> bool {
    matches!(operation, "Encrypt" | "Decrypt" | "ReEncrypt") || operation.starts_with("GenerateDataKey")
}

/// The keys that were used, each once.
pub(crate) fn resources(uses: &[KeyUse]) -> Vec<Resource> {
    let mut resources: Vec<Resource> = Vec::new();
    for used in uses {
        // Where there is no such key, the use has what the request named.
        if used.key_arn.starts_with("arn:") && resources.iter().all(|known| known.arn != used.key_arn) {
            resources.push(Resource { account: used.owner, kind: KEY, arn: used.key_arn.clone(), prefix: false });
        }
    }
    resources
}

/// The ARNs of keys that a request names, as its record shows them.
pub(crate) fn named(parameters: &[u8]) -> Vec<String> {
    #[derive(serde::Deserialize, Default)]
    #[serde(rename_all = "camelCase", default)]
    struct Named {
        key_id: Option<String>,
        source_key_id: Option<String>,
        destination_key_id: Option<String>,
        target_key_id: Option<String>,
    }
    let named: Named = serde_json::from_slice(parameters).unwrap_or_default();
    [named.key_id, named.source_key_id, named.destination_key_id, named.target_key_id].into_iter().flatten().collect()
}

/// The resources of a call that was refused: of other accounts only the ARNs that the request itself has, whether there are such keys
/// or not. Who reads their own log must not learn there what the answer did not tell: which key stands behind an alias, or that there
/// is one.
pub(crate) fn keep_what_was_named<'a>(
    caller: AccountId,
    named: impl IntoIterator<Item = &'a str>,
    resources: &mut Vec<Resource>,
) {
    resources.retain(|resource| resource.account == Some(caller));
    for arn in named {
        let account = arn.strip_prefix("arn:aws:kms:").and_then(|rest| rest.split(':').nth(1));
        let account = account.and_then(|account| AccountId::parse(account).ok());
        // The caller's own stand there already if they are keys.
        if account.is_some_and(|account| account != caller) && resources.iter().all(|known| known.arn != arn) {
            resources.push(Resource { account, kind: KEY, arn: arn.to_owned(), prefix: false });
        }
    }
}

/// The alias that an operation on aliases is about.
pub(crate) fn add_alias(
    operation: &str,
    body: &[u8],
    account: AccountId,
    region: &Region,
    resources: &mut Vec<Resource>,
) {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Named {
        alias_name: String,
    }
    if let ("CreateAlias" | "UpdateAlias" | "DeleteAlias", Ok(Named { alias_name })) =
        (operation, serde_json::from_slice(body))
    {
        let arn = format!("arn:aws:kms:{region}:{account}:{alias_name}");
        // It stands before the key that it loses or gets, but for a new one.
        let place = if operation == "CreateAlias" { resources.len() } else { 0 };
        resources.insert(place, Resource { account: Some(account), kind: KEY, arn, prefix: false });
    }
}

/// The parameters of what S3 asked of KMS in a caller's name, of the key that it calls `key`.
pub(crate) fn forwarded(used: &KeyUse, by: &ServiceUse, key: Option<&str>, out: &mut Vec<u8>) {
    Object::write(out, |parameters| {
        if used.operation == "GenerateDataKey" {
            parameters.maybe("keyId", key);
            parameters.text("keySpec", "AES_256");
        }
        parameters.object("encryptionContext", |context| {
            for (name, value) in by.encryption_context.pairs() {
                context.text(name, value);
            }
        });
        if used.operation == "Decrypt" {
            parameters.text("encryptionAlgorithm", "SYMMETRIC_DEFAULT");
        }
    });
}

/// Whose answers are shown.
const TELLING: [&str; 7] = [
    "CancelKeyDeletion",
    "CreateCustomKeyStore",
    "CreateGrant",
    "CreateKey",
    "ReplicateKey",
    "RotateKeyOnDemand",
    "ScheduleKeyDeletion",
];

/// What changes something and is shown without the key that it was done with.
const SILENT: [&str; 2] = ["RetireGrant", "RevokeGrant"];

/// What changes something, sorted.
const WRITES: [&str; 27] = [
    "CancelKeyDeletion",
    "ConnectCustomKeyStore",
    "CreateAlias",
    "CreateCustomKeyStore",
    "CreateGrant",
    "CreateKey",
    "DeleteAlias",
    "DeleteCustomKeyStore",
    "DeleteImportedKeyMaterial",
    "DisableKey",
    "DisableKeyRotation",
    "DisconnectCustomKeyStore",
    "EnableKey",
    "EnableKeyRotation",
    "ImportKeyMaterial",
    "PutKeyPolicy",
    "ReplicateKey",
    "RetireGrant",
    "RevokeGrant",
    "RotateKeyOnDemand",
    "ScheduleKeyDeletion",
    "TagResource",
    "UntagResource",
    "UpdateAlias",
    "UpdateCustomKeyStore",
    "UpdateKeyDescription",
    "UpdatePrimaryRegion",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted() {
        assert!(WRITES.is_sorted());
        assert!(RULES.secret.is_sorted());
        assert!(is_read_only("Encrypt") && is_read_only("DescribeKey") && !is_read_only("CreateGrant"));
    }

    #[test]
    fn a_key_in_a_custom_key_store_has_the_stores_id_in_place_of_a_material() {
        let used = |material: Option<&str>, store: Option<&str>| KeyUse {
            event: uuid::Uuid::nil(),
            operation: "Encrypt",
            key_arn: String::new(),
            owner: None,
            material_id: material.map(str::to_owned),
            key_store_id: store.map(str::to_owned),
            grant_id: None,
            by_service: None,
        };
        let shown = |operation: &str, uses: &[KeyUse]| {
            let mut out = Vec::new();
            additional(operation, uses, &mut out);
            String::from_utf8(out).expect("JSON is UTF-8")
        };
        let (here, there) = (used(Some("m"), None), used(None, Some("cks-1")));
        assert_eq!(shown("Encrypt", std::slice::from_ref(&here)), r#"{"keyMaterialId":"m"}"#);
        assert_eq!(shown("GenerateDataKey", std::slice::from_ref(&there)), r#"{"customKeyStoreId":"cks-1"}"#);
        assert_eq!(shown("DescribeKey", std::slice::from_ref(&there)), "");
        let both = in_order("ReEncrypt", vec![there, here]);
        assert_eq!(shown("ReEncrypt", &both), r#"{"sourceKeyMaterialId":"m","customKeyStoreId":"cks-1"}"#);
    }

    #[test]
    fn whoever_is_refused_sees_what_they_named() {
        let (own, other) = ("111122223333", "444455556666");
        let caller = AccountId::parse(own).expect("twelve digits");
        let key = |account: &str, id: &str| format!("arn:aws:kms:us-east-1:{account}:{id}");
        let used = |account: &str| Resource {
            account: AccountId::parse(account).ok(),
            kind: KEY,
            arn: key(account, "key/1"),
            prefix: false,
        };
        let shown = |parameters: &str, mut resources: Vec<Resource>| {
            let named = named(parameters.as_bytes());
            keep_what_was_named(caller, named.iter().map(String::as_str), &mut resources);
            resources.into_iter().map(|resource| resource.arn).collect::<Vec<_>>()
        };
        let alias = format!(r#"{{"keyId":"{}"}}"#, key(other, "alias/a"));
        // The same, whether there is such an alias or not.
        assert_eq!(shown(&alias, vec![used(other)]), [key(other, "alias/a")]);
        assert_eq!(shown(&alias, vec![]), [key(other, "alias/a")]);
        let itself = format!(r#"{{"keyId":"{}"}}"#, key(other, "key/1"));
        assert_eq!(shown(&itself, vec![used(other)]), [key(other, "key/1")]);
        assert_eq!(shown(&itself, vec![]), [key(other, "key/1")]);
        // A ciphertext names nobody.
        assert_eq!(shown("", vec![used(other), used(own)]), [key(own, "key/1")]);
    }
}
