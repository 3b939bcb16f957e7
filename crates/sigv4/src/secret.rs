use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A secret access key. Wiped when dropped, never printed.
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the secret access key as its bytes (AWS makes 40 characters of base64; any length will do).
    #[must_use]
    pub fn new(secret: &[u8]) -> Secret {
        Secret(Zeroizing::new(secret.to_vec()))
    }

    /// A second copy, for whoever must keep one. Not `Clone`, so that no copy is made by accident.
    #[must_use]
    pub fn duplicate(&self) -> Secret {
        Secret::new(self.expose())
    }

    /// The bytes of the secret.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Whether both are the same secret, in a time that does not depend on where they differ.
    #[must_use]
    pub fn same(&self, other: &Secret) -> bool {
        self.expose().ct_eq(other.expose()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}
