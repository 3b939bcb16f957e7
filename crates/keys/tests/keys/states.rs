//! The table of key states and operations, cell by cell (KMS developer guide, "Key states of KMS keys").

use keys::Blob;
use keys::operation::alias::{DeleteAliasRequest, ListAliasesRequest, UpdateAliasRequest};
use keys::operation::data_key::{GenerateDataKeyRequest, GenerateDataKeyWithoutPlaintextRequest};
use keys::operation::deletion::CancelKeyDeletionRequest;
use keys::operation::encrypt::ReEncryptRequest;
use keys::operation::lifecycle::UpdateKeyDescriptionRequest;
use keys::operation::rotation::ListKeyRotationsRequest;
use keys::operation::tag::{ListResourceTagsRequest, Tag, TagResourceRequest, UntagResourceRequest};

use crate::fixture::{Fixture, code};

const DISABLED: &str = "DisabledException";
const INVALID: &str = "KMSInvalidStateException";
const OK: &str = "ok";

/// Operation, and what it answers for an enabled key, a disabled one and one pending deletion.
const TABLE: [(&str, &str, &str, &str); 23] = [
    ("Encrypt", OK, DISABLED, INVALID),
    ("Decrypt", OK, DISABLED, INVALID),
    ("ReEncrypt from", OK, DISABLED, INVALID),
    ("ReEncrypt to", OK, DISABLED, INVALID),
    ("GenerateDataKey", OK, DISABLED, INVALID),
    ("GenerateDataKeyWithoutPlaintext", OK, DISABLED, INVALID),
    ("EnableKey", OK, OK, INVALID),
    ("DisableKey", OK, OK, INVALID),
    ("ScheduleKeyDeletion", OK, OK, INVALID),
    ("CancelKeyDeletion", INVALID, INVALID, OK),
    ("CreateAlias", OK, OK, INVALID),
    ("UpdateAlias to", OK, OK, INVALID),
    ("UpdateAlias from", OK, OK, OK),
    ("DeleteAlias", OK, OK, OK),
    ("ListAliases", OK, OK, OK),
    ("TagResource", OK, OK, INVALID),
    ("UntagResource", OK, OK, INVALID),
    ("ListResourceTags", OK, OK, OK),
    ("UpdateKeyDescription", OK, OK, INVALID),
    ("DescribeKey", OK, OK, OK),
    ("RotateKeyOnDemand", OK, DISABLED, INVALID),
    ("ListKeyRotations", OK, OK, OK),
    ("data key for S3", OK, DISABLED, INVALID),
];

#[tokio::test]
async fn every_operation_in_every_state() {
    for (operation, enabled, disabled, pending) in TABLE {
        for (state, expected) in [("Enabled", enabled), ("Disabled", disabled), ("PendingDeletion", pending)] {
            let f = Fixture::new().await;
            let (key, other) = (f.key().await, f.key().await);
            f.alias("alias/key", &key).await.unwrap();
            let blob = f.encrypt(&key, "x").await.unwrap();
            match state {
                "Disabled" => f.disable(&key).await.unwrap(),
                "PendingDeletion" => f.schedule(&key, 7).await.unwrap(),
                _ => {}
            }
            assert_eq!(run(&f, operation, &key, &other, blob).await, expected, "{operation} of a key {state}");
        }
    }
}

async fn run(f: &Fixture, operation: &str, key: &str, other: &str, blob: Blob) -> &'static str {
    let (keys, me, key_id) = (&f.keys, &f.me, key.to_owned());
    let alias =
        |target: &str| UpdateAliasRequest { alias_name: "alias/key".to_owned(), target_key_id: target.to_owned() };
    let reencrypt = |to: &str, blob: Blob| ReEncryptRequest {
        ciphertext_blob: Some(blob),
        destination_key_id: to.to_owned(),
        ..Default::default()
    };
    let key_spec = Some("AES_256".to_owned());
    match operation {
        "Encrypt" => code(f.encrypt(key, "x").await),
        "Decrypt" => code(f.decrypt(&blob).await),
        "ReEncrypt from" => code(keys.re_encrypt(me, reencrypt(other, blob)).await),
        "ReEncrypt to" => {
            let blob = f.encrypt(other, "x").await.unwrap();
            code(keys.re_encrypt(me, reencrypt(key, blob)).await)
        }
        "GenerateDataKey" => {
            code(keys.generate_data_key(me, GenerateDataKeyRequest { key_id, key_spec, ..Default::default() }).await)
        }
        "GenerateDataKeyWithoutPlaintext" => {
            let request = GenerateDataKeyWithoutPlaintextRequest { key_id, key_spec, ..Default::default() };
            code(keys.generate_data_key_without_plaintext(me, request).await)
        }
        "EnableKey" => code(f.enable(key).await),
        "DisableKey" => code(f.disable(key).await),
        "ScheduleKeyDeletion" => code(f.schedule(key, 7).await),
        "CancelKeyDeletion" => code(keys.cancel_key_deletion(me, CancelKeyDeletionRequest { key_id }).await),
        "CreateAlias" => code(f.alias("alias/new", key).await),
        "UpdateAlias to" => {
            f.alias("alias/other", other).await.unwrap();
            let request = UpdateAliasRequest { alias_name: "alias/other".to_owned(), ..alias(key) };
            code(keys.update_alias(me, request).await)
        }
        "UpdateAlias from" => code(keys.update_alias(me, alias(other)).await),
        "DeleteAlias" => code(keys.delete_alias(me, DeleteAliasRequest { alias_name: "alias/key".to_owned() }).await),
        "ListAliases" => {
            code(keys.list_aliases(me, ListAliasesRequest { key_id: Some(key_id), ..Default::default() }).await)
        }
        "TagResource" => {
            let tags = vec![Tag { tag_key: "a".to_owned(), tag_value: String::new() }];
            code(keys.tag_resource(me, TagResourceRequest { key_id, tags }).await)
        }
        "UntagResource" => {
            let tag_keys = vec!["a".to_owned()];
            code(keys.untag_resource(me, UntagResourceRequest { key_id, tag_keys }).await)
        }
        "ListResourceTags" => {
            code(keys.list_resource_tags(me, ListResourceTagsRequest { key_id, ..Default::default() }).await)
        }
        "UpdateKeyDescription" => {
            let request = UpdateKeyDescriptionRequest { key_id, description: String::new() };
            code(keys.update_key_description(me, request).await)
        }
        "DescribeKey" => code(f.describe(key).await),
        "RotateKeyOnDemand" => code(f.rotate(key).await),
        "ListKeyRotations" => {
            code(keys.list_key_rotations(me, ListKeyRotationsRequest { key_id, ..Default::default() }).await)
        }
        "data key for S3" => code(keys.data_key(me, key, &seal::EncryptionContext::new()).await),
        other => panic!("no such row: {other}"),
    }
}
