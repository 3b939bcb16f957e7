//! ML-KEM (FIPS 203).

use crate::{Encapsulated, Error, KeySpec, Secret};

/// A loaded ML-KEM key.
pub(crate) struct MlKem;

pub(crate) fn generate(spec: KeySpec) -> Result<Secret, Error> {
    Err(Error::Material { spec })
}

impl MlKem {
    pub(crate) fn load(spec: KeySpec, _seed: &[u8]) -> Result<MlKem, Error> {
        Err(Error::Material { spec })
    }

    pub(crate) fn encapsulate(&self) -> Result<Encapsulated, Error> {
        Err(Error::Library)
    }

    pub(crate) fn decapsulate(&self, _ciphertext: &[u8]) -> Result<Secret, Error> {
        Err(Error::Ciphertext)
    }

    pub(crate) fn public_key_der(&self) -> &[u8] {
        &[]
    }

    pub(crate) fn private_key_der(&self) -> Result<Secret, Error> {
        Err(Error::Library)
    }
}
