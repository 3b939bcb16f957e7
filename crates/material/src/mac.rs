//! HMAC (RFC 2104, FIPS 198-1).

use crate::{Error, KeySpec, MacAlgorithm, Secret};

/// A loaded HMAC key. The algorithm is settled by the spec; [`crate::Key`] checks that it is the one asked for.
pub(crate) struct Hmac;

pub(crate) fn generate(spec: KeySpec) -> Result<Secret, Error> {
    Err(Error::Material { spec })
}

impl Hmac {
    pub(crate) fn load(spec: KeySpec, _secret: &[u8]) -> Result<Hmac, Error> {
        Err(Error::Material { spec })
    }

    pub(crate) fn mac(&self, _algorithm: MacAlgorithm, _message: &[u8]) -> Result<Vec<u8>, Error> {
        Err(Error::Library)
    }

    pub(crate) fn verify(&self, _algorithm: MacAlgorithm, _message: &[u8], _mac: &[u8]) -> Result<bool, Error> {
        Err(Error::Library)
    }
}
