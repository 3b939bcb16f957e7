//! The random bytes that keys, salts and nonces are made of.

use aws_lc_rs::rand;

/// Fills `buffer` from the library's generator (SP 800-90A CTR_DRBG, seeded by the system).
///
/// # Panics
/// If the system has no entropy to give. Nothing may be sealed then.
pub fn fill_random(buffer: &mut [u8]) {
    rand::fill(buffer).expect("the system's random generator answers");
}

/// `N` random bytes, for salts, nonces and identities. For a key use [`SecretKey::generate`](crate::SecretKey::generate).
///
/// # Panics
/// As [`fill_random`].
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    fill_random(&mut bytes);
    bytes
}
