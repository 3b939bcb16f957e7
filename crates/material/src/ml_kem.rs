//! ML-KEM (FIPS 203).
//!
//! The stored form is the seed d ‖ z, 64 bytes: it is the same for all parameter sets, and what `GenerateDataKeyPair` gives out
//! (RFC 9935). AWS-LC's Rust binding knows the expanded key alone, so the `ml-kem` crate expands the seed when a key is loaded;
//! AWS-LC does what strangers can observe: it encapsulates and decapsulates.

use aws_lc_rs::kem::{
    AlgorithmId, Ciphertext, DecapsulationKey, EncapsulationKey, ML_KEM_512, ML_KEM_768, ML_KEM_1024,
};
use ml_kem::kem::Decapsulator;
use ml_kem::{Kem, KeyExport, MlKem512, MlKem768, MlKem1024};
use zeroize::{Zeroize, Zeroizing};

use crate::{Encapsulated, Error, KeySpec, Secret};

/// The length in bytes of the seed d ‖ z.
const SEED_LEN: usize = 64;

/// A random seed.
pub(crate) fn generate(spec: KeySpec) -> Result<Secret, Error> {
    parameters(spec)?;
    let mut seed = Zeroizing::new(vec![0; SEED_LEN]);
    aws_lc_rs::rand::fill(&mut seed)?;
    Ok(seed.into())
}

/// A loaded ML-KEM key.
pub(crate) struct MlKem {
    seed: Secret,
    parameters: Parameters,
    decapsulation: DecapsulationKey<AlgorithmId>,
    encapsulation: EncapsulationKey<AlgorithmId>,
    public_der: Vec<u8>,
}

impl MlKem {
    /// Expands the seed.
    ///
    /// # Errors
    /// [`Error::Material`] if it has another length than 64 bytes.
    pub(crate) fn load(spec: KeySpec, seed: &[u8]) -> Result<MlKem, Error> {
        let parameters = parameters(spec)?;
        let whole: &[u8; SEED_LEN] = seed.try_into().map_err(|_| Error::Material { spec })?;
        let Expanded { private, public } = (parameters.expand)(whole);
        let refused = |_| Error::Library;
        Ok(MlKem {
            decapsulation: DecapsulationKey::new(parameters.algorithm, &private).map_err(refused)?,
            encapsulation: EncapsulationKey::new(parameters.algorithm, &public).map_err(refused)?,
            public_der: spki(parameters.oid_end, &public),
            seed: Secret::from(seed),
            parameters,
        })
    }

    /// A fresh shared secret and its ciphertext.
    pub(crate) fn encapsulate(&self) -> Result<Encapsulated, Error> {
        let (ciphertext, shared_secret) = self.encapsulation.encapsulate()?;
        Ok(Encapsulated {
            shared_secret: Secret::from(shared_secret.as_ref()),
            ciphertext: ciphertext.as_ref().to_vec(),
        })
    }

    /// The shared secret of a ciphertext; a pseudo-random one if the ciphertext is not for this key (FIPS 203, algorithm 18).
    ///
    /// # Errors
    /// [`Error::Ciphertext`] if it has another length than the parameter set's.
    pub(crate) fn decapsulate(&self, ciphertext: &[u8]) -> Result<Secret, Error> {
        if ciphertext.len() != self.parameters.ciphertext_len {
            return Err(Error::Ciphertext);
        }
        let shared_secret = self.decapsulation.decapsulate(Ciphertext::from(ciphertext))?;
        Ok(Secret::from(shared_secret.as_ref()))
    }

    /// The public key as `SubjectPublicKeyInfo` (RFC 9935).
    pub(crate) fn public_key_der(&self) -> &[u8] {
        &self.public_der
    }

    /// The private key as PKCS#8 in the seed form (RFC 9935, section 6), as AWS documents it: 86 bytes, whatever the spec.
    ///
    /// ```text
    /// SEQUENCE { INTEGER 0, SEQUENCE { OID }, OCTET STRING { [0] IMPLICIT OCTET STRING d ‖ z } }
    /// ```
    pub(crate) fn private_key_der(&self) -> Result<Secret, Error> {
        let mut der = Zeroizing::new(Vec::with_capacity(86));
        der.extend_from_slice(&[0x30, 0x54, 0x02, 0x01, 0x00]);
        der.extend_from_slice(&algorithm_identifier(self.parameters.oid_end));
        der.extend_from_slice(&[0x04, 0x42, 0x80, 0x40]);
        der.extend_from_slice(self.seed.expose());
        Ok(der.into())
    }
}

/// What differs between the parameter sets.
#[derive(Clone, Copy)]
struct Parameters {
    algorithm: &'static aws_lc_rs::kem::Algorithm<AlgorithmId>,
    expand: fn(&[u8; SEED_LEN]) -> Expanded,
    /// In bytes (FIPS 203, table 3).
    ciphertext_len: usize,
    /// The last arc of id-alg-ml-kem-*.
    oid_end: u8,
}

fn parameters(spec: KeySpec) -> Result<Parameters, Error> {
    match spec {
        KeySpec::MlKem512 => {
            Ok(Parameters { algorithm: &ML_KEM_512, expand: expand::<MlKem512>, ciphertext_len: 768, oid_end: 1 })
        }
        KeySpec::MlKem768 => {
            Ok(Parameters { algorithm: &ML_KEM_768, expand: expand::<MlKem768>, ciphertext_len: 1088, oid_end: 2 })
        }
        KeySpec::MlKem1024 => {
            Ok(Parameters { algorithm: &ML_KEM_1024, expand: expand::<MlKem1024>, ciphertext_len: 1568, oid_end: 3 })
        }
        _ => Err(Error::Material { spec }),
    }
}

/// A key pair in FIPS 203's encodings.
struct Expanded {
    /// dk: 1,632, 2,400 or 3,168 bytes.
    private: Zeroizing<Vec<u8>>,
    /// ek: 800, 1,184 or 1,568 bytes.
    public: Vec<u8>,
}

/// ML-KEM.KeyGen_internal (FIPS 203, algorithm 16).
#[expect(deprecated, reason = "the expanded key is no storage form here, but what AWS-LC takes")]
fn expand<P>(seed: &[u8; SEED_LEN]) -> Expanded
where
    P: Kem,
    P::DecapsulationKey: From<ml_kem::Seed> + ml_kem::ExpandedKeyEncoding,
    P::EncapsulationKey: KeyExport,
{
    let key = P::DecapsulationKey::from((*seed).into());
    let mut private = ml_kem::ExpandedKeyEncoding::to_expanded_bytes(&key);
    let public = key.encapsulation_key().to_bytes().to_vec();
    let copy = Zeroizing::new(private.to_vec());
    private.as_mut_slice().zeroize();
    Expanded { private: copy, public }
}

/// `SEQUENCE { OID 2.16.840.1.101.3.4.4.n }`: id-alg-ml-kem-512, -768 and -1024, without parameters (RFC 9935, section 3).
fn algorithm_identifier(oid_end: u8) -> [u8; 13] {
    [0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x04, oid_end]
}

/// `SEQUENCE { AlgorithmIdentifier, BIT STRING ek }`. Every ek takes two bytes of length.
fn spki(oid_end: u8, public: &[u8]) -> Vec<u8> {
    let length = |len: usize| u16::try_from(len).expect("the longest ek is 1,568 bytes").to_be_bytes();
    let bits = public.len() + 1;
    let mut der = Vec::with_capacity(bits + 21);
    der.extend_from_slice(&[0x30, 0x82]);
    der.extend_from_slice(&length(13 + 4 + bits));
    der.extend_from_slice(&algorithm_identifier(oid_end));
    der.extend_from_slice(&[0x03, 0x82]);
    der.extend_from_slice(&length(bits));
    der.push(0);
    der.extend_from_slice(public);
    der
}

#[cfg(test)]
mod tests;
