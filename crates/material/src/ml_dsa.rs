//! ML-DSA (FIPS 204).

use crate::{Error, KeySpec, MessageType, Secret};

/// A loaded ML-DSA key.
pub(crate) struct MlDsa;

pub(crate) fn generate(spec: KeySpec) -> Result<Secret, Error> {
    Err(Error::Material { spec })
}

impl MlDsa {
    pub(crate) fn load(spec: KeySpec, _seed: &[u8]) -> Result<MlDsa, Error> {
        Err(Error::Material { spec })
    }

    pub(crate) fn sign(&self, _message_type: MessageType, _message: &[u8]) -> Result<Vec<u8>, Error> {
        Err(Error::Library)
    }

    pub(crate) fn verify(&self, _message_type: MessageType, _message: &[u8], _signature: &[u8]) -> Result<bool, Error> {
        Err(Error::Library)
    }

    pub(crate) fn public_key_der(&self) -> &[u8] {
        &[]
    }
}
