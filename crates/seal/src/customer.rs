//! SSE-C: the client brings the key with each request, and the server keeps only what tells a wrong one.
//!
//! ```text
//! salt  ← 32 random bytes, for each object or upload
//! value = HKDF-SHA256(customer key, salt, "strongroom customer check v1")
//! KEK   = HKDF-SHA256(customer key, salt, "strongroom customer kek v1" ‖ object binding)
//! ```

use crate::{ObjectBinding, OpenError, SecretKey, kdf, random_bytes};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

const MAGIC: &[u8; 4] = b"SRCC";
const VERSION: u8 = 1;
const SALT: usize = 32;
const VALUE: usize = 32;
const CHECK_INFO: &[u8] = b"strongroom customer check v1";
const KEK_INFO: &[u8] = b"strongroom customer kek v1";

/// A salted check value: it tells whether a key is the one that was used before, and nothing of what the key is.
#[derive(Debug, Clone, Copy)]
pub struct CustomerCheck {
    salt: [u8; SALT],
    value: [u8; VALUE],
}

impl CustomerCheck {
    /// Bytes of a stored check.
    pub const LEN: usize = MAGIC.len() + 1 + SALT + VALUE;

    /// A check of `key` under a fresh salt.
    ///
    /// # Panics
    /// As [`fill_random`](crate::fill_random).
    pub fn new(key: &SecretKey) -> CustomerCheck {
        CustomerCheck::with_salt(key, random_bytes())
    }

    pub(crate) fn with_salt(key: &SecretKey, salt: [u8; SALT]) -> CustomerCheck {
        let value = *check_value(key, &salt);
        CustomerCheck { salt, value }
    }

    /// Whether `key` is the key that this check was made of, in constant time.
    ///
    /// # Errors
    /// If it is another.
    pub fn verify(&self, key: &SecretKey) -> Result<(), OpenError> {
        let value = check_value(key, &self.salt);
        if bool::from(value.ct_eq(&self.value)) { Ok(()) } else { Err(OpenError) }
    }

    /// The key that wraps the object key of `binding`; the customer's key is checked first.
    ///
    /// # Errors
    /// If `key` is not the key that this check was made of.
    pub fn kek(&self, key: &SecretKey, binding: &ObjectBinding<'_>) -> Result<SecretKey, OpenError> {
        self.verify(key)?;
        let info: [&[u8]; 2] = [KEK_INFO, &binding.to_bytes()];
        Ok(SecretKey::filled(|kek| {
            kdf::hkdf(key.expose(), &self.salt, &info, kek);
        }))
    }

    /// The bytes to store: magic, version, salt, value.
    pub fn to_bytes(&self) -> [u8; CustomerCheck::LEN] {
        let mut bytes = [0; CustomerCheck::LEN];
        bytes[..4].copy_from_slice(MAGIC);
        bytes[4] = VERSION;
        bytes[5..37].copy_from_slice(&self.salt);
        bytes[37..].copy_from_slice(&self.value);
        bytes
    }

    /// Reads what [`to_bytes`](CustomerCheck::to_bytes) wrote.
    ///
    /// # Errors
    /// If it is not a check, or of an unknown version.
    pub fn from_bytes(bytes: &[u8]) -> Result<CustomerCheck, OpenError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(OpenError)?;
        let rest = rest.strip_prefix(&[VERSION]).ok_or(OpenError)?;
        let (salt, rest) = rest.split_first_chunk().ok_or(OpenError)?;
        let value = rest.try_into().map_err(|_| OpenError)?;
        Ok(CustomerCheck { salt: *salt, value })
    }
}

fn check_value(key: &SecretKey, salt: &[u8; SALT]) -> Zeroizing<[u8; VALUE]> {
    let mut value = Zeroizing::new([0; VALUE]);
    kdf::hkdf(key.expose(), salt, &[CHECK_INFO], &mut value[..]);
    value
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    const BINDING: ObjectBinding<'static> = ObjectBinding {
        bucket_id: &[1; 16],
        key: b"name",
        version: &[2; 16],
        data_id: &[3; 16],
        mode: 4,
        layer: ObjectBinding::ONLY,
    };

    #[test]
    fn the_right_key_alone_passes() {
        let key = SecretKey::generate();
        let check = CustomerCheck::from_bytes(&CustomerCheck::new(&key).to_bytes()).unwrap();
        assert_eq!(check.verify(&key), Ok(()));
        assert_eq!(check.verify(&SecretKey::generate()), Err(OpenError));
        assert!(check.kek(&SecretKey::generate(), &BINDING).is_err());
    }

    #[test]
    fn a_wrapping_key_is_of_one_object_and_one_salt() {
        let key = SecretKey::generate();
        let check = CustomerCheck::new(&key);
        let kek = check.kek(&key, &BINDING).unwrap();
        assert!(kek == check.kek(&key, &BINDING).unwrap());
        assert!(kek != check.kek(&key, &ObjectBinding { key: b"other", ..BINDING }).unwrap());
        assert!(kek != CustomerCheck::new(&key).kek(&key, &BINDING).unwrap());
        assert!(kek.expose() != &check.value && kek != key);
    }

    #[test]
    fn any_changed_or_missing_byte_is_refused() {
        let key = SecretKey::generate();
        let bytes = CustomerCheck::new(&key).to_bytes();
        for position in 0..bytes.len() {
            let mut changed = bytes;
            changed[position] ^= 1;
            assert!(CustomerCheck::from_bytes(&changed).and_then(|check| check.verify(&key)).is_err());
            assert!(CustomerCheck::from_bytes(&bytes[..position]).is_err());
        }
        assert!(CustomerCheck::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
    }
}
