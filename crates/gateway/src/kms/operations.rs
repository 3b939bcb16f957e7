//! Every operation of the service model `kms-2014-11-01`, as data: its name, the action of policies, and who answers it.

use std::pin::Pin;

use bytes::Bytes;
use keys::{Error, Keys};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::auth::Authenticated;

/// One operation.
pub struct Operation {
    /// Its name in the service model.
    pub name: &'static str,
    /// The action that policies name.
    pub action: &'static str,
    /// Who answers it.
    pub(super) handler: Handler,
}

impl Operation {
    /// The operation of this name; names are case-sensitive.
    pub fn named(name: &str) -> Option<&'static Operation> {
        OPERATIONS.binary_search_by(|operation| operation.name.cmp(name)).ok().map(|at| &OPERATIONS[at])
    }
}

/// From the body of a request to the body of its answer. Whether the caller may, `keys` decides: of every key when it is looked up,
/// and there is no other way to one; of what is about no key, first of all.
pub(super) type Handler = for<'a> fn(&'a Keys, &'a Authenticated, &'a [u8]) -> Answer<'a>;

pub(super) type Answer<'a> = Pin<Box<dyn Future<Output = Result<Bytes, Error>> + Send + 'a>>;

/// A row: `Name: method => shape of the answer`.
macro_rules! operations {
    ($( $name:ident : $method:ident => $render:ident ; )+) => {
        /// Sorted by name.
        pub static OPERATIONS: &[Operation] = &[ $( Operation {
            name: stringify!($name),
            action: concat!("kms:", stringify!($name)),
            handler: |keys, caller, body| {
                Box::pin(async move {
                    let answer = keys.$method(caller.principal(), keys::parse(body)?).await?;
                    Ok($render(&answer, body.len()))
                })
            },
        }, )+ ];
    };
}

operations! {
    CancelKeyDeletion: cancel_key_deletion => document;
    ConnectCustomKeyStore: connect_custom_key_store => document;
    CreateAlias: create_alias => nothing;
    CreateCustomKeyStore: create_custom_key_store => document;
    CreateGrant: create_grant => document;
    CreateKey: create_key => document;
    Decapsulate: decapsulate => secret;
    Decrypt: decrypt => secret;
    DeleteAlias: delete_alias => nothing;
    DeleteCustomKeyStore: delete_custom_key_store => document;
    DeleteImportedKeyMaterial: delete_imported_key_material => document;
    DeriveSharedSecret: derive_shared_secret => secret;
    DescribeCustomKeyStores: describe_custom_key_stores => document;
    DescribeKey: describe_key => document;
    DisableKey: disable_key => nothing;
    DisableKeyRotation: disable_key_rotation => nothing;
    DisconnectCustomKeyStore: disconnect_custom_key_store => document;
    EnableKey: enable_key => nothing;
    EnableKeyRotation: enable_key_rotation => nothing;
    Encapsulate: encapsulate => secret;
    Encrypt: encrypt => document;
    GenerateDataKey: generate_data_key => secret;
    GenerateDataKeyPair: generate_data_key_pair => key_pair;
    GenerateDataKeyPairWithoutPlaintext: generate_data_key_pair_without_plaintext => document;
    GenerateDataKeyWithoutPlaintext: generate_data_key_without_plaintext => document;
    GenerateMac: generate_mac => document;
    GenerateRandom: generate_random => secret;
    GetKeyLastUsage: get_key_last_usage => document;
    GetKeyPolicy: get_key_policy => document;
    GetKeyRotationStatus: get_key_rotation_status => document;
    GetParametersForImport: get_parameters_for_import => document;
    GetPublicKey: get_public_key => document;
    ImportKeyMaterial: import_key_material => document;
    ListAliases: list_aliases => document;
    ListGrants: list_grants => document;
    ListKeyPolicies: list_key_policies => document;
    ListKeyRotations: list_key_rotations => document;
    ListKeys: list_keys => document;
    ListResourceTags: list_resource_tags => document;
    ListRetirableGrants: list_retirable_grants => document;
    PutKeyPolicy: put_key_policy => nothing;
    ReEncrypt: re_encrypt => document;
    ReplicateKey: replicate_key => document;
    RetireGrant: retire_grant => nothing;
    RevokeGrant: revoke_grant => nothing;
    RotateKeyOnDemand: rotate_key_on_demand => document;
    ScheduleKeyDeletion: schedule_key_deletion => document;
    Sign: sign => document;
    TagResource: tag_resource => nothing;
    UntagResource: untag_resource => nothing;
    UpdateAlias: update_alias => nothing;
    UpdateCustomKeyStore: update_custom_key_store => document;
    UpdateKeyDescription: update_key_description => nothing;
    UpdatePrimaryRegion: update_primary_region => nothing;
    Verify: verify_signature => document;
    VerifyMac: verify_mac => document;
}

/// AWS answers an operation without output with no body at all.
fn nothing(_: &keys::operation::Done, _: usize) -> Bytes {
    Bytes::new()
}

fn document<T: Serialize>(answer: &T, _: usize) -> Bytes {
    serde_json::to_vec(answer).expect("an answer has string keys and no failing members").into()
}

/// An answer with plaintext or a key in it: written without growing, so that no copy is left behind, and wiped when it was sent.
fn secret<T: Serialize>(answer: &T, request_bytes: usize) -> Bytes {
    // What is decrypted is shorter than its ciphertext was. The rest is the largest that can be asked for.
    wiped(answer, request_bytes + SECRET_ROOM)
}

/// An answer with a data key pair in it, which is wiped as [`secret`] does.
fn key_pair<T: Serialize>(answer: &T, _: usize) -> Bytes {
    wiped(answer, KEY_PAIR_ROOM)
}

fn wiped<T: Serialize>(answer: &T, room: usize) -> Bytes {
    let mut text = Zeroizing::new(Vec::with_capacity(room));
    serde_json::to_writer(&mut *text, answer).expect("an answer has string keys and no failing members");
    debug_assert!(text.capacity() == room, "a secret answer outgrew its {room} bytes");
    Bytes::from_owner(text)
}

/// Bytes of an answer besides what was in the request: a data key of 1,024 bytes plain (1,368 in base64) and sealed (1,460),
/// which is more than a secret with its ML-KEM-1024 ciphertext (2,136), and names, an ARN and ids (about 400).
const SECRET_ROOM: usize = 3584;
/// Bytes of an answer with a data key pair: of RSA-4096 the private key (about 2,380) plain and sealed in base64, and the
/// public one (about 550) in base64, are 7,400; names, an ARN and ids.
const KEY_PAIR_ROOM: usize = 8192;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_whole() {
        assert_eq!(OPERATIONS.len(), 56);
        assert!(OPERATIONS.is_sorted_by(|a, b| a.name < b.name));
        for operation in OPERATIONS {
            assert!(Operation::named(operation.name).is_some_and(|found| std::ptr::eq(found, operation)));
        }
        assert!(Operation::named("encrypt").is_none());
    }
}
