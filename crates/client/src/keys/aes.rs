//! AES keys of 128, 192 and 256 bits.

use crate::error::{Error, Result};
use crate::secret::{DataKey, random};
use aws_lc_rs::aead::{AES_128_GCM, AES_192_GCM, AES_256_GCM, Aad, Algorithm, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroizing;

/// An AES key that wraps data keys. Wiped when dropped, never printed.
///
/// It has no name: a keyring of the Encryption SDK gives it one, an S3 Encryption Client needs none.
#[derive(Clone)]
pub struct AesKey(Zeroizing<Vec<u8>>);

impl AesKey {
    /// From 16, 24 or 32 bytes.
    ///
    /// # Errors
    /// [`Error::Key`].
    ///
    /// ```
    /// assert!(client::keys::AesKey::new(&[7; 32]).is_ok());
    /// assert!(client::keys::AesKey::new(&[7; 31]).is_err());
    /// ```
    pub fn new(bytes: &[u8]) -> Result<Self> {
        if algorithm(bytes.len()).is_none() {
            return Err(evp::Error::KeyLength.into());
        }
        Ok(Self(Zeroizing::new(bytes.to_vec())))
    }

    /// A new one of 256 bits from the system's random generator.
    ///
    /// # Errors
    /// [`Error::Library`] when the system has no randomness to give.
    pub fn generate() -> Result<Self> {
        Self::new(DataKey::random(32)?.as_bytes())
    }

    /// The secret itself.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// AES-GCM over a few bytes, under a new random IV: the IV, then ciphertext with a tag of 16 bytes.
    ///
    /// # Errors
    /// [`Error::Library`].
    pub fn seal(&self, aad: &[u8], plaintext: &[u8]) -> Result<([u8; 12], Vec<u8>)> {
        let iv = random()?;
        let mut sealed = with_room_for_tag(plaintext);
        self.cipher()?
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(iv), Aad::from(aad), &mut *sealed)
            .map_err(|_| Error::Library)?;
        Ok((iv, std::mem::take(&mut *sealed)))
    }

    /// Opens what [`AesKey::seal`] made.
    ///
    /// # Errors
    /// [`Error::Unwrap`].
    pub fn open(&self, iv: &[u8; 12], aad: &[u8], sealed: &[u8]) -> Result<DataKey> {
        let mut opened = Zeroizing::new(sealed.to_vec());
        let length = self
            .cipher()?
            .open_in_place(Nonce::assume_unique_for_key(*iv), Aad::from(aad), &mut opened)
            .map_err(|_| Error::Unwrap)?
            .len();
        opened.truncate(length);
        Ok(DataKey::from_bytes(opened))
    }

    fn cipher(&self) -> Result<LessSafeKey> {
        cipher(&self.0)
    }
}

/// What a tag adds to a ciphertext, in bytes.
const TAG: usize = 16;

/// A plaintext that is encrypted where it lies. It does not move when its tag is appended, which would leave a copy in clear behind.
fn with_room_for_tag(plaintext: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut room = Zeroizing::new(Vec::with_capacity(plaintext.len() + TAG));
    room.extend_from_slice(plaintext);
    room
}

/// AES-GCM with a key of 16, 24 or 32 bytes.
pub(crate) fn cipher(key: &[u8]) -> Result<LessSafeKey> {
    let unbound = algorithm(key.len()).and_then(|algorithm| UnboundKey::new(algorithm, key).ok());
    unbound.map(LessSafeKey::new).ok_or_else(|| evp::Error::KeyLength.into())
}

fn algorithm(bytes: usize) -> Option<&'static Algorithm> {
    Some(match bytes {
        16 => &AES_128_GCM,
        24 => &AES_192_GCM,
        32 => &AES_256_GCM,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn a_data_key_does_not_move_while_it_is_sealed() {
        for length in [0, 16, 24, 32, 100] {
            let mut data_key = with_room_for_tag(&vec![7; length]);
            let place = data_key.as_ptr();
            let cipher = cipher(&[1; 32]).unwrap();
            let nonce = Nonce::assume_unique_for_key([0; 12]);
            cipher.seal_in_place_append_tag(nonce, Aad::empty(), &mut *data_key).unwrap();
            assert_eq!((data_key.len(), data_key.as_ptr()), (length + TAG, place));
        }
    }

    #[test]
    fn what_one_key_sealed_no_other_opens() {
        for length in [16, 24, 32] {
            let (key, other) = (AesKey::new(&vec![1; length]).unwrap(), AesKey::new(&vec![2; length]).unwrap());
            let (iv, sealed) = key.seal(b"aad", b"a data key").unwrap();
            assert_eq!(key.open(&iv, b"aad", &sealed).unwrap().as_bytes(), b"a data key");
            for wrong in [
                other.open(&iv, b"aad", &sealed),
                key.open(&[4; 12], b"aad", &sealed),
                key.open(&iv, b"", &sealed),
                key.open(&iv, b"aad", &sealed[1..]),
                key.open(&iv, b"aad", &[0; 15]),
            ] {
                assert!(matches!(wrong, Err(Error::Unwrap)));
            }
        }
    }
}
