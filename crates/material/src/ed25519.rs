//! Ed25519.

use crate::{Error, KeySpec, MessageType, Secret, SigningAlgorithm};

/// A loaded Ed25519 key.
pub(crate) struct Ed25519;

pub(crate) fn generate(spec: KeySpec) -> Result<Secret, Error> {
    Err(Error::Material { spec })
}

impl Ed25519 {
    pub(crate) fn load(spec: KeySpec, _pkcs8: &[u8]) -> Result<Ed25519, Error> {
        Err(Error::Material { spec })
    }

    pub(crate) fn sign(&self, _: SigningAlgorithm, _: MessageType, _: &[u8]) -> Result<Vec<u8>, Error> {
        Err(Error::Library)
    }

    pub(crate) fn verify(&self, _: SigningAlgorithm, _: MessageType, _: &[u8], _: &[u8]) -> Result<bool, Error> {
        Err(Error::Library)
    }

    pub(crate) fn public_key_der(&self) -> &[u8] {
        &[]
    }

    pub(crate) fn private_key_der(&self) -> Result<Secret, Error> {
        Err(Error::Library)
    }
}
