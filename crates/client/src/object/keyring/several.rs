//! Several keyrings, of which the stored description chooses.

use super::{Fit, ObjectKeyring, UnwrapRequest, WrapRequest, WrappedKey};
use crate::error::{Error, Result};
use crate::secret::DataKey;

/// Several keyrings: the first one wraps. What is read is opened by the one whose material description is stored with it; if none has
/// that description, by the first that can.
///
/// ```
/// use client::keys::AesKey;
/// use client::object::{AesKeyring, Keyrings, ObjectDecryptor, ObjectEncryptor};
///
/// let keyring = |year: &str, key: &AesKey| AesKeyring::new(key.clone()).material_description([("year", year)]);
/// let (old, new) = (AesKey::generate()?, AesKey::generate()?);
/// let object = ObjectEncryptor::new(keyring("2025", &old)).encrypt(b"attack at dawn")?;
///
/// let both = Keyrings::new(keyring("2026", &new)).with(keyring("2025", &old));
/// assert_eq!(*ObjectDecryptor::new(both).decrypt(&object.metadata, None, &object.body)?, *b"attack at dawn");
/// # Ok::<(), client::Error>(())
/// ```
pub struct Keyrings(Vec<Box<dyn ObjectKeyring>>);

impl Keyrings {
    /// With the one that wraps.
    #[must_use]
    pub fn new(first: impl ObjectKeyring + 'static) -> Self {
        Self(vec![Box::new(first)])
    }

    /// And another one, which opens.
    #[must_use]
    pub fn with(mut self, keyring: impl ObjectKeyring + 'static) -> Self {
        self.0.push(Box::new(keyring));
        self
    }
}

impl ObjectKeyring for Keyrings {
    fn wrap(&self, request: &WrapRequest<'_>) -> Result<WrappedKey> {
        self.0.first().ok_or(Error::NoDataKey)?.wrap(request)
    }

    fn unwrap(&self, request: &UnwrapRequest<'_>) -> Result<DataKey> {
        let best = self.fit(request);
        let mut failures = Vec::new();
        for keyring in self.0.iter().filter(|keyring| best > Fit::No && keyring.fit(request) == best) {
            match keyring.unwrap(request) {
                Ok(data_key) => return Ok(data_key),
                Err(Error::NoKeyOpens(more)) => failures.extend(more),
                Err(failure) => failures.push(failure),
            }
        }
        Err(Error::NoKeyOpens(failures.into()))
    }

    fn fit(&self, request: &UnwrapRequest<'_>) -> Fit {
        self.0.iter().map(|keyring| keyring.fit(request)).max().unwrap_or(Fit::No)
    }
}
