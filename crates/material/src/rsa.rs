//! Rsa.

use crate::{Error, KeySpec, MessageType, Secret, SigningAlgorithm};

/// A loaded Rsa key.
pub(crate) struct Rsa;

pub(crate) fn generate(spec: KeySpec) -> Result<Secret, Error> {
    Err(Error::Material { spec })
}

impl Rsa {
    pub(crate) fn load(spec: KeySpec, _pkcs8: &[u8]) -> Result<Rsa, Error> {
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

    pub(crate) fn encrypt(&self, _: crate::EncryptionAlgorithm, _: &[u8]) -> Result<Vec<u8>, Error> {
        Err(Error::Library)
    }

    pub(crate) fn decrypt(&self, _: crate::EncryptionAlgorithm, _: &[u8]) -> Result<Secret, Error> {
        Err(Error::Library)
    }
}
