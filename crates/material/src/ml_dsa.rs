//! ML-DSA (FIPS 204), the pure variant with an empty context. There is no pre-hash variant: AWS has none.
//!
//! ```text
//! μ         = SHAKE256(SHAKE256(pk, 64) ‖ 0 ‖ 0 ‖ message, 64)      message type RAW: AWS-LC computes it
//! signature = Sign_internal(sk, μ, 32 random bytes)                 message type EXTERNAL_MU: the caller computed it
//! ```
//!
//! Both give the same signatures: what one signs, the other verifies. AWS-LC signs and verifies whole messages; its Rust binding
//! takes no μ, so that of the caller goes through the `ml-dsa` crate, whose key is expanded from the seed at its first use.
//! Signatures are hedged (FIPS 204, section 3.4): each takes fresh randomness, so faults and side channels of one do not add up.

use std::sync::OnceLock;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::signature::{
    KeyPair, ML_DSA_44, ML_DSA_44_SIGNING, ML_DSA_65, ML_DSA_65_SIGNING, ML_DSA_87, ML_DSA_87_SIGNING, ParsedPublicKey,
    PqdsaKeyPair, PqdsaSigningAlgorithm, PqdsaVerificationAlgorithm,
};
use ml_dsa::signature::rand_core::{TryCryptoRng, TryRng};
use ml_dsa::{MlDsa44, MlDsa65, MlDsa87, MlDsaParams, Signature, SigningKey};
use zeroize::Zeroizing;

use crate::{Error, KeySpec, MessageType, Secret, SigningAlgorithm, der};

/// The length in bytes of the seed ξ, the stored form of every parameter set.
const SEED_LEN: usize = 32;

/// The length in bytes of μ.
const MU_LEN: usize = 64;

/// A random seed.
pub(crate) fn generate(spec: KeySpec) -> Result<Secret, Error> {
    algorithms(spec)?;
    let mut seed = Zeroizing::new(vec![0; SEED_LEN]);
    aws_lc_rs::rand::fill(&mut seed)?;
    Ok(seed.into())
}

/// The seed of a PKCS#8 `PrivateKeyInfo` (RFC 9881, section 6), in its seed form or with both seed and expanded key, which
/// must agree. The expanded form alone has lost the seed, and is refused.
///
/// # Errors
/// [`Error::Material`] if it is anything else.
pub(crate) fn seed_of_pkcs8(spec: KeySpec, pkcs8: &[u8]) -> Result<Secret, Error> {
    let refused = Error::Material { spec };
    let (signing, _) = algorithms(spec)?;
    if !der::is_one_sequence(pkcs8) {
        return Err(refused);
    }
    let pair = PqdsaKeyPair::from_pkcs8(signing, pkcs8).map_err(|_| refused)?;
    // AWS-LC writes the seed form, which ends in the seed, or fails if it has none.
    let canonical = Zeroizing::new(pair.to_pkcs8v1().map_err(|_| refused)?.as_ref().to_vec());
    let seed = Secret::from(canonical.last_chunk::<SEED_LEN>().ok_or(refused)?.as_slice());
    let again = PqdsaKeyPair::from_seed(signing, seed.expose()).map_err(|_| refused)?;
    if again.public_key().as_ref() == pair.public_key().as_ref() { Ok(seed) } else { Err(refused) }
}

/// A loaded ML-DSA key.
pub(crate) struct MlDsa {
    spec: KeySpec,
    seed: Secret,
    signing: &'static PqdsaSigningAlgorithm,
    pair: PqdsaKeyPair,
    public: ParsedPublicKey,
    public_der: Vec<u8>,
    by_mu: OnceLock<Box<dyn ByMu>>,
}

impl MlDsa {
    /// Expands the seed.
    ///
    /// # Errors
    /// [`Error::Material`] if it has another length than 32 bytes.
    pub(crate) fn load(spec: KeySpec, seed: &[u8]) -> Result<MlDsa, Error> {
        let (signing, verification) = algorithms(spec)?;
        let pair = PqdsaKeyPair::from_seed(signing, seed).map_err(|_| Error::Material { spec })?;
        let public_der = pair.public_key().as_der()?.as_ref().to_vec();
        let public = ParsedPublicKey::new(verification, pair.public_key()).map_err(|_| Error::Library)?;
        Ok(MlDsa { spec, seed: Secret::from(seed), signing, pair, public, public_der, by_mu: OnceLock::new() })
    }

    /// # Errors
    /// [`Error::MuLength`] if μ is not of 64 bytes; [`Error::MessageType`] for `DIGEST`.
    pub(crate) fn sign(&self, message_type: MessageType, message: &[u8]) -> Result<Vec<u8>, Error> {
        match message_type {
            MessageType::Raw => {
                let mut signature = vec![0; self.signing.signature_len()];
                let written = self.pair.sign(message, &mut signature)?;
                signature.truncate(written);
                Ok(signature)
            }
            MessageType::ExternalMu => self.by_mu()?.sign(mu(message)?),
            MessageType::Digest => Err(self.no_digest()),
        }
    }

    /// Whether the signature is this key's. One of another length is not.
    ///
    /// # Errors
    /// As for [`MlDsa::sign`].
    pub(crate) fn verify(&self, message_type: MessageType, message: &[u8], signature: &[u8]) -> Result<bool, Error> {
        match message_type {
            MessageType::Raw => Ok(self.public.verify_sig(message, signature).is_ok()),
            MessageType::ExternalMu => {
                let mu = mu(message)?;
                Ok(self.by_mu()?.verify(mu, signature))
            }
            MessageType::Digest => Err(self.no_digest()),
        }
    }

    /// The public key as `SubjectPublicKeyInfo` (RFC 9881).
    pub(crate) fn public_key_der(&self) -> &[u8] {
        &self.public_der
    }

    fn no_digest(&self) -> Error {
        let algorithm = SigningAlgorithm::MlDsaShake256.name();
        Error::MessageType { spec: self.spec, algorithm, message_type: MessageType::Digest }
    }

    fn by_mu(&self) -> Result<&dyn ByMu, Error> {
        if let Some(key) = self.by_mu.get() {
            return Ok(key.as_ref());
        }
        let seed: &[u8; SEED_LEN] = self.seed.expose().try_into().map_err(|_| Error::Material { spec: self.spec })?;
        let key = expand(self.spec, seed)?;
        Ok(self.by_mu.get_or_init(|| key).as_ref())
    }
}

/// Signing and verifying of a μ, whatever the parameter set.
trait ByMu: Send + Sync {
    fn sign(&self, mu: &[u8; MU_LEN]) -> Result<Vec<u8>, Error>;
    fn verify(&self, mu: &[u8; MU_LEN], signature: &[u8]) -> bool;
}

impl<P> ByMu for SigningKey<P>
where
    P: MlDsaParams,
    SigningKey<P>: Send + Sync,
{
    fn sign(&self, mu: &[u8; MU_LEN]) -> Result<Vec<u8>, Error> {
        let signature =
            self.expanded_key().sign_mu_randomized(mu.into(), &mut SystemRandom).map_err(|_| Error::Library)?;
        Ok(signature.encode().to_vec())
    }

    fn verify(&self, mu: &[u8; MU_LEN], signature: &[u8]) -> bool {
        let key: &ml_dsa::VerifyingKey<P> = self.as_ref();
        Signature::<P>::try_from(signature).is_ok_and(|signature| key.verify_mu(mu.into(), &signature))
    }
}

fn expand(spec: KeySpec, seed: &[u8; SEED_LEN]) -> Result<Box<dyn ByMu>, Error> {
    match spec {
        KeySpec::MlDsa44 => Ok(Box::new(SigningKey::<MlDsa44>::from_seed(seed.into()))),
        KeySpec::MlDsa65 => Ok(Box::new(SigningKey::<MlDsa65>::from_seed(seed.into()))),
        KeySpec::MlDsa87 => Ok(Box::new(SigningKey::<MlDsa87>::from_seed(seed.into()))),
        _ => Err(Error::Material { spec }),
    }
}

type Algorithms = (&'static PqdsaSigningAlgorithm, &'static PqdsaVerificationAlgorithm);

fn algorithms(spec: KeySpec) -> Result<Algorithms, Error> {
    match spec {
        KeySpec::MlDsa44 => Ok((&ML_DSA_44_SIGNING, &ML_DSA_44)),
        KeySpec::MlDsa65 => Ok((&ML_DSA_65_SIGNING, &ML_DSA_65)),
        KeySpec::MlDsa87 => Ok((&ML_DSA_87_SIGNING, &ML_DSA_87)),
        _ => Err(Error::Material { spec }),
    }
}

fn mu(message: &[u8]) -> Result<&[u8; MU_LEN], Error> {
    message.try_into().map_err(|_| Error::MuLength { algorithm: SigningAlgorithm::MlDsaShake256.name() })
}

/// AWS-LC's random generator in the form that `ml-dsa` asks for, so that all randomness has one source.
struct SystemRandom;

/// The system's random generator failed.
#[derive(Debug, thiserror::Error)]
#[error("no randomness")]
struct NoRandomness;

impl TryRng for SystemRandom {
    type Error = NoRandomness;

    fn try_next_u32(&mut self) -> Result<u32, NoRandomness> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, NoRandomness> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        aws_lc_rs::rand::fill(bytes).map_err(|_| NoRandomness)
    }
}

impl TryCryptoRng for SystemRandom {}

#[cfg(test)]
pub(crate) mod tests;
