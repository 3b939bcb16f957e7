//! Records of KMS: what each operation shows of its request and answer.
//!
//! KMS Developer Guide, "Logging AWS KMS API calls with AWS CloudTrail" and its example of each operation. "For security reasons, some
//! fields are omitted from AWS KMS log entries, such as the Plaintext parameter of an Encrypt request, and the response to
//! GetKeyPolicy or any cryptographic operation."

use keys::{AccountId, KeyUse, Region, ServiceUse};

use super::event::Resource;
use super::json::Object;
use super::transcode::{Rules, transcode};

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
};

/// Whether an operation changes nothing. Cryptography does not.
pub(crate) fn is_read_only(operation: &str) -> bool {
    WRITES.binary_search(&operation).is_err()
}

/// What is shown of an answer.
pub(crate) fn elements(operation: &str, answer: &[u8], uses: &[KeyUse], out: &mut Vec<u8>) {
    if TELLING.contains(&operation) {
        transcode(answer, &RULES, out);
    } else if let (false, Some(key)) = (is_read_only(operation), uses.iter().find(|used| used.by_service.is_none())) {
        // "log entries ... include the key ARN of the affected KMS key in the responseElements.keyId value, even though this
        // operation does not return the key ARN."
        Object::write(out, |elements| elements.text("keyId", &key.key_arn));
    }
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
        resources.push(Resource { account: Some(account), kind: KEY, arn, prefix: false });
    }
}

/// The parameters of what S3 asked of KMS in a caller's name.
pub(crate) fn forwarded(used: &KeyUse, by: &ServiceUse, out: &mut Vec<u8>) {
    Object::write(out, |parameters| {
        if used.operation == "GenerateDataKey" {
            parameters.text("keyId", &used.key_arn);
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
}
