//! From a data key to the key and the commitment of one message
//! ([specification](https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/framework/transitive-requirements.md#hkdf-encryption-key)).
//!
//! ```text
//! version 1   key        = HKDF(salt: zeros, info: suite ‖ message id)
//! version 2   key        = HKDF(salt: message id, info: suite ‖ "DERIVEKEY")
//!             commitment = HKDF(salt: message id, info: "COMMITKEY")
//! ```

use super::suite::{Derivation, Suite};
use crate::error::Result;
use crate::hkdf::hkdf;
use crate::secret::DataKey;
use aws_lc_rs::hkdf::{HKDF_SHA256, HKDF_SHA384, HKDF_SHA512};
use zeroize::Zeroizing;

/// Length of a commitment in bytes.
pub(super) const COMMITMENT: usize = 32;

/// The AES key of the message.
pub(super) fn message_key(suite: Suite, data_key: &DataKey, message_id: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    key(suite, data_key, message_id, message_id)
}

/// As version 4.0.0 of the .NET client derived it: in version 1 of the format without the message id.
pub(super) fn net_4_0_0_key(suite: Suite, data_key: &DataKey, message_id: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    key(suite, data_key, message_id, b"")
}

fn key(suite: Suite, data_key: &DataKey, message_id: &[u8], v1_info: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let id = suite.id().to_be_bytes();
    let mut key = Zeroizing::new(vec![0; suite.key_length()]);
    match suite.derivation() {
        Derivation::Identity => key.copy_from_slice(data_key.as_bytes()),
        Derivation::Sha256 => hkdf(HKDF_SHA256, &[0; 32], data_key, &[&id, v1_info], &mut key)?,
        Derivation::Sha384 => hkdf(HKDF_SHA384, &[0; 48], data_key, &[&id, v1_info], &mut key)?,
        Derivation::Commit => hkdf(HKDF_SHA512, message_id, data_key, &[&id, b"DERIVEKEY"], &mut key)?,
    }
    Ok(key)
}

/// What a message of a committing suite says of its data key.
pub(super) fn commitment(data_key: &DataKey, message_id: &[u8]) -> Result<[u8; COMMITMENT]> {
    let mut commitment = [0; COMMITMENT];
    hkdf(HKDF_SHA512, message_id, data_key, &[b"COMMITKEY"], &mut commitment)?;
    Ok(commitment)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use crate::message::Header;
    use crate::tell::tell;
    use data_encoding::BASE64;

    /// The derivations themselves, by the vectors that lie beside the project: key and commitment of each message.
    #[test]
    fn keys_and_commitments_are_those_of_the_vectors() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors/commitment-test-vectors.json");
        let Ok(file) = std::fs::read(path) else {
            tell(&format!("\n*** NOT TESTED: {path} is missing ***\n"));
            return;
        };
        let vectors: serde_json::Value = serde_json::from_slice(&file).unwrap();
        let (mut keys, mut commitments, mut others) = (0, 0, 0);
        for test in vectors["tests"].as_array().unwrap() {
            let bytes = |name: &str| BASE64.decode(test[name].as_str().unwrap().as_bytes()).unwrap();
            let (data_key, id) = (DataKey::from_bytes(bytes("decrypted-dek").into()), bytes("message-id"));
            let header = Header::inspect(&bytes("ciphertext")[..]).unwrap();
            let derived = commitment(&data_key, &id).unwrap();
            // Where a message commits to another key, the vector names that one's.
            if test["status"] == true {
                if test["content-encryption-key"].is_string() {
                    assert_eq!(*message_key(header.suite, &data_key, &id).unwrap(), bytes("content-encryption-key"));
                    keys += 1;
                }
                assert_eq!(derived, bytes("commitment")[..]);
                assert_eq!(header.commitment, Some(derived));
                commitments += 1;
            } else {
                assert_ne!(header.commitment, Some(derived), "{}", test["comment"]);
                others += 1;
            }
        }
        tell(&format!("derivation: {keys} keys, {commitments} commitments, {others} commitments of another key"));
        assert_eq!((keys, commitments, others), (16, 41, 5));
    }
}
