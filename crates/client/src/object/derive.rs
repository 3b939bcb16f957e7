//! From a data key to the key and the commitment of one object of version 3
//! ([specification](https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/s3-encryption/key-derivation.md)).
//!
//! ```text
//! commitment = HKDF-SHA512(salt: message id, info: 00 73 ‖ "COMMITKEY", 28 bytes)
//! key        = HKDF-SHA512(salt: message id, info: 00 73 ‖ "DERIVEKEY", 32 bytes)
//! content    = AES-256-GCM(key, IV: 12 × 01, aad: 00 73)
//! ```

use crate::error::Result;
use crate::hkdf::hkdf;
use crate::secret::DataKey;
use aws_lc_rs::hkdf::HKDF_SHA512;
use zeroize::Zeroizing;

/// The algorithm suite, as bytes.
pub(super) const SUITE: [u8; 2] = [0x00, 0x73];

/// The IV. One key encrypts one object, since a message id makes it: no IV comes twice.
pub(super) const IV: [u8; 12] = [1; 12];

/// Length of a message id in bytes.
pub(super) const MESSAGE_ID: usize = 28;

/// Length of a commitment in bytes.
pub(super) const COMMITMENT: usize = 28;

/// What the object says of its data key. To be compared before [`content_key`] is derived.
pub(super) fn commitment(data_key: &DataKey, message_id: &[u8; MESSAGE_ID]) -> Result<[u8; COMMITMENT]> {
    let mut commitment = [0; COMMITMENT];
    hkdf(HKDF_SHA512, message_id, data_key, &[&SUITE, b"COMMITKEY"], &mut commitment)?;
    Ok(commitment)
}

/// The AES key of the content.
pub(super) fn content_key(data_key: &DataKey, message_id: &[u8; MESSAGE_ID]) -> Result<Zeroizing<Vec<u8>>> {
    let mut key = Zeroizing::new(vec![0; 32]);
    hkdf(HKDF_SHA512, message_id, data_key, &[&SUITE, b"DERIVEKEY"], &mut key)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use data_encoding::HEXLOWER;

    /// Made with the code of AWS's Python client.
    #[test]
    fn the_known_answer_holds() {
        let counting: Vec<u8> = (0..32).collect();
        let message_id = counting[..28].try_into().unwrap();
        let data_key = DataKey::from_bytes(counting.clone().into());
        let hex = |bytes: &[u8]| HEXLOWER.encode(bytes);
        let key = content_key(&data_key, &message_id).unwrap();
        assert_eq!(hex(&key), "b699fb913d315fcb40c49dd1396896300d8a76d8124b0f8f5caa76b8c5a9ef81");
        assert_eq!(
            hex(&commitment(&data_key, &message_id).unwrap()),
            "72c414785a3ae361534ad9e461a83756fccc15dc0f85353601554428"
        );
        let mut content = *b"hello world";
        let mut sealing = evp::Sealing::new(&key, &IV, &SUITE).unwrap();
        sealing.update(&mut content).unwrap();
        let sealed = [&content[..], &sealing.finish().unwrap()].concat();
        assert_eq!(hex(&sealed), "dd314902ed522ac4085bec0f2ec5e3009208023d7361a870a875c7");
    }
}
