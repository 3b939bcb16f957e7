//! The one secret that everything here is about.

use crate::error::{Error, Result};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A data key: the bytes that encrypt one message or object, or from which those are derived. Wiped when dropped, never printed.
#[derive(Clone)]
pub struct DataKey(Zeroizing<Vec<u8>>);

impl DataKey {
    /// A new one from the system's random generator.
    ///
    /// # Errors
    /// [`Error::Library`] when the system has no randomness to give.
    ///
    /// ```
    /// assert_eq!(client::DataKey::random(32)?.len(), 32);
    /// # Ok::<(), client::Error>(())
    /// ```
    pub fn random(bytes: usize) -> Result<Self> {
        let mut key = Zeroizing::new(vec![0; bytes]);
        SystemRandom::new().fill(&mut key).map_err(|_| Error::Library)?;
        Ok(Self(key))
    }

    /// What a key management service or an unwrapping gave.
    #[must_use]
    pub fn from_bytes(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }

    /// The secret itself.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Its length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it has no bytes at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl PartialEq for DataKey {
    /// In constant time for keys of the same length.
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for DataKey {}

/// Public random bytes: message ids, initialization vectors.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Error::Library)?;
    Ok(bytes)
}
