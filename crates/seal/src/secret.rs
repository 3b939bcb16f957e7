//! A 256-bit key that leaves no trace: not in memory after its drop, not in a log, not in an error.

use crate::{OpenError, fill_random};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// 32 secret bytes.
///
/// They are overwritten on drop, and live on the heap so that moving the value leaves no copy on the stack. There is no
/// `Debug`, no `Clone`, and comparison takes the same time whatever the bytes are.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SecretKey(Box<[u8; SecretKey::LEN]>);

impl SecretKey {
    /// Bytes in a key.
    pub const LEN: usize = 32;

    /// A fresh random key.
    ///
    /// # Panics
    /// As [`fill_random`].
    pub fn generate() -> SecretKey {
        SecretKey::filled(fill_random)
    }

    /// Takes the bytes. The caller's own copy is the caller's to overwrite.
    pub fn from_bytes(bytes: [u8; SecretKey::LEN]) -> SecretKey {
        let bytes = Zeroizing::new(bytes);
        SecretKey::filled(|key| key.copy_from_slice(&*bytes))
    }

    /// Copies the key out of a longer-lived buffer.
    ///
    /// # Errors
    /// If it is not 32 bytes long.
    pub fn from_slice(bytes: &[u8]) -> Result<SecretKey, OpenError> {
        if bytes.len() != SecretKey::LEN {
            return Err(OpenError);
        }
        Ok(SecretKey::filled(|key| key.copy_from_slice(bytes)))
    }

    /// The bytes, for a cipher or to be wrapped; never to be logged or stored as they are.
    pub fn expose(&self) -> &[u8; SecretKey::LEN] {
        &self.0
    }

    /// A second copy, asked for by name so that none is made by accident.
    pub fn duplicate(&self) -> SecretKey {
        SecretKey::filled(|key| key.copy_from_slice(self.expose()))
    }

    /// A key written in place by `fill`, which gets zeroes.
    pub(crate) fn filled(fill: impl FnOnce(&mut [u8])) -> SecretKey {
        let mut key = SecretKey(Box::new([0; SecretKey::LEN]));
        fill(&mut key.0[..]);
        key
    }
}

impl PartialEq for SecretKey {
    fn eq(&self, other: &SecretKey) -> bool {
        self.expose().ct_eq(other.expose()).into()
    }
}

impl Eq for SecretKey {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn generated_keys_differ_and_duplicates_do_not() {
        let key = SecretKey::generate();
        assert!(key != SecretKey::generate());
        assert!(key == key.duplicate());
    }

    #[test]
    fn only_32_bytes_are_a_key() {
        assert!(SecretKey::from_slice(&[7; 31]).is_err());
        assert!(SecretKey::from_slice(&[7; 33]).is_err());
        assert!(SecretKey::from_slice(&[7; 32]).unwrap() == SecretKey::from_bytes([7; 32]));
    }

    #[test]
    fn zeroizing_overwrites_the_bytes() {
        let mut key = SecretKey::from_bytes([7; 32]);
        key.zeroize();
        assert!(key.expose() == &[0; 32]);
    }
}
