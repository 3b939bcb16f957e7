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
