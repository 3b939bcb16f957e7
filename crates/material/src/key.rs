//! One type for a loaded key of any spec.

use crate::ecc::Ecc;
use crate::ed25519::Ed25519;
use crate::mac::Hmac;
use crate::ml_dsa::MlDsa;
use crate::ml_kem::MlKem;
use crate::rsa::Rsa;
use crate::spec::{
    EncapsulationAlgorithm, EncryptionAlgorithm, KeyAgreementAlgorithm, KeySpec, KeyUsage, MacAlgorithm, MessageType,
    SigningAlgorithm,
};
use crate::{Error, Secret, ecc, ed25519, mac, ml_dsa, ml_kem, rsa};

/// Makes the private key material of a spec, in its stored form ([`crate::spec`]).
///
/// RSA searches for primes: about 50 ms (`RSA_2048`) to some seconds (`RSA_4096`) of computing, so it belongs on a blocking
/// thread ([`KeySpec::is_slow_to_generate`]). Everything else takes microseconds.
///
/// # Errors
/// [`Error::Library`] if the library fails.
pub fn generate(spec: KeySpec) -> Result<Secret, Error> {
    match spec {
        KeySpec::SymmetricDefault => {
            let mut secret = Secret::new(vec![0; SYMMETRIC_LEN]).into_bytes();
            aws_lc_rs::rand::fill(&mut secret)?;
            Ok(secret.into())
        }
        KeySpec::Rsa2048 | KeySpec::Rsa3072 | KeySpec::Rsa4096 => rsa::generate(spec),
        KeySpec::EccNistP256 | KeySpec::EccNistP384 | KeySpec::EccNistP521 | KeySpec::EccSecgP256K1 => {
            ecc::generate(spec)
        }
        KeySpec::EccNistEdwards25519 => ed25519::generate(spec),
        KeySpec::Hmac224 | KeySpec::Hmac256 | KeySpec::Hmac384 | KeySpec::Hmac512 => mac::generate(spec),
        KeySpec::MlDsa44 | KeySpec::MlDsa65 | KeySpec::MlDsa87 => ml_dsa::generate(spec),
        KeySpec::MlKem512 | KeySpec::MlKem768 | KeySpec::MlKem1024 => ml_kem::generate(spec),
    }
}

/// A shared secret, and the ciphertext from which the private key's owner gets the same one.
pub struct Encapsulated {
    /// 32 bytes.
    pub shared_secret: Secret,
    /// 768, 1,088 or 1,568 bytes (FIPS 203, table 3).
    pub ciphertext: Vec<u8>,
}

/// A key ready for use: parsed once, used often, from many threads at a time.
///
/// `SYMMETRIC_DEFAULT` is not among them: its envelope is the KMS core's. A key does not know its usage; the caller settles that
/// before. There is no `Debug`.
pub struct Key {
    spec: KeySpec,
    kind: Kind,
}

enum Kind {
    Rsa(Box<Rsa>),
    Ecc(Box<Ecc>),
    Ed25519(Box<Ed25519>),
    Hmac(Box<Hmac>),
    MlDsa(Box<MlDsa>),
    MlKem(Box<MlKem>),
}

impl Key {
    /// Parses stored private key material and makes it ready.
    ///
    /// # Errors
    /// [`Error::Material`] if the bytes are not material of this spec, or the spec is `SYMMETRIC_DEFAULT`.
    pub fn load(spec: KeySpec, secret: &[u8]) -> Result<Key, Error> {
        let kind = match spec {
            KeySpec::SymmetricDefault => return Err(Error::Material { spec }),
            KeySpec::Rsa2048 | KeySpec::Rsa3072 | KeySpec::Rsa4096 => Kind::Rsa(Box::new(Rsa::load(spec, secret)?)),
            KeySpec::EccNistP256 | KeySpec::EccNistP384 | KeySpec::EccNistP521 | KeySpec::EccSecgP256K1 => {
                Kind::Ecc(Box::new(Ecc::load(spec, secret)?))
            }
            KeySpec::EccNistEdwards25519 => Kind::Ed25519(Box::new(Ed25519::load(spec, secret)?)),
            KeySpec::Hmac224 | KeySpec::Hmac256 | KeySpec::Hmac384 | KeySpec::Hmac512 => {
                Kind::Hmac(Box::new(Hmac::load(spec, secret)?))
            }
            KeySpec::MlDsa44 | KeySpec::MlDsa65 | KeySpec::MlDsa87 => Kind::MlDsa(Box::new(MlDsa::load(spec, secret)?)),
            KeySpec::MlKem512 | KeySpec::MlKem768 | KeySpec::MlKem1024 => {
                Kind::MlKem(Box::new(MlKem::load(spec, secret)?))
            }
        };
        Ok(Key { spec, kind })
    }

    /// The spec that it was loaded as.
    #[must_use]
    pub fn spec(&self) -> KeySpec {
        self.spec
    }

    /// The public key as a DER `SubjectPublicKeyInfo` (RFC 5280); `None` for HMAC keys.
    #[must_use]
    pub fn public_key_der(&self) -> Option<Vec<u8>> {
        match &self.kind {
            Kind::Rsa(key) => Some(key.public_key_der().to_vec()),
            Kind::Ecc(key) => Some(key.public_key_der().to_vec()),
            Kind::Ed25519(key) => Some(key.public_key_der().to_vec()),
            Kind::MlDsa(key) => Some(key.public_key_der().to_vec()),
            Kind::MlKem(key) => Some(key.public_key_der().to_vec()),
            Kind::Hmac(_) => None,
        }
    }

    /// The private key as a DER PKCS#8 `PrivateKeyInfo` (RFC 5958, version 1), as `GenerateDataKeyPair` gives it.
    ///
    /// # Errors
    /// [`Error::Algorithm`] if there are no data key pairs of the spec ([`KeySpec::is_data_key_pair`]).
    pub fn private_key_der(&self) -> Result<Secret, Error> {
        match &self.kind {
            Kind::Rsa(key) => key.private_key_der(),
            Kind::Ecc(key) => key.private_key_der(),
            Kind::Ed25519(key) => key.private_key_der(),
            Kind::MlKem(key) => key.private_key_der(),
            Kind::Hmac(_) | Kind::MlDsa(_) => Err(self.unfit("PKCS8")),
        }
    }

    /// Signs a message, or the digest of one, or ML-DSA's μ.
    ///
    /// The signature: RSA of the modulus's length; ECDSA in DER; Ed25519 64 bytes; ML-DSA 2,420, 3,309 or 4,627 bytes.
    ///
    /// # Errors
    /// [`Error::Algorithm`] if the spec has not this algorithm; [`Error::MessageType`] if the algorithm does not take this type;
    /// [`Error::DigestLength`] or [`Error::MuLength`] for a digest or μ of another length than the algorithm's.
    pub fn sign(
        &self,
        algorithm: SigningAlgorithm,
        message_type: MessageType,
        message: &[u8],
    ) -> Result<Vec<u8>, Error> {
        self.check_signing(algorithm, message_type, message)?;
        match &self.kind {
            Kind::Rsa(key) => key.sign(algorithm, message_type, message),
            Kind::Ecc(key) => key.sign(algorithm, message_type, message),
            Kind::Ed25519(key) => key.sign(algorithm, message_type, message),
            Kind::MlDsa(key) => key.sign(message_type, message),
            Kind::Hmac(_) | Kind::MlKem(_) => Err(self.unfit(algorithm.name())),
        }
    }

    /// Whether the signature is this key's for the message. A signature of any shape but the right one is simply not valid.
    ///
    /// # Errors
    /// As for [`Key::sign`].
    pub fn verify(
        &self,
        algorithm: SigningAlgorithm,
        message_type: MessageType,
        message: &[u8],
        signature: &[u8],
    ) -> Result<bool, Error> {
        self.check_signing(algorithm, message_type, message)?;
        match &self.kind {
            Kind::Rsa(key) => key.verify(algorithm, message_type, message, signature),
            Kind::Ecc(key) => key.verify(algorithm, message_type, message, signature),
            Kind::Ed25519(key) => key.verify(algorithm, message_type, message, signature),
            Kind::MlDsa(key) => key.verify(message_type, message, signature),
            Kind::Hmac(_) | Kind::MlKem(_) => Err(self.unfit(algorithm.name())),
        }
    }

    /// Encrypts under the public half with RSA-OAEP; the ciphertext has the modulus's length.
    ///
    /// # Errors
    /// [`Error::Algorithm`] if the key is not RSA or the algorithm not OAEP; [`Error::PlaintextLength`] beyond
    /// [`KeySpec::plaintext_limit`].
    pub fn encrypt(&self, algorithm: EncryptionAlgorithm, plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        match &self.kind {
            Kind::Rsa(key) => key.encrypt(algorithm, plaintext),
            _ => Err(self.unfit(algorithm.name())),
        }
    }

    /// Decrypts with RSA-OAEP.
    ///
    /// # Errors
    /// [`Error::Algorithm`] if the key is not RSA or the algorithm not OAEP; [`Error::Ciphertext`] if it does not open.
    pub fn decrypt(&self, algorithm: EncryptionAlgorithm, ciphertext: &[u8]) -> Result<Secret, Error> {
        match &self.kind {
            Kind::Rsa(key) => key.decrypt(algorithm, ciphertext),
            _ => Err(self.unfit(algorithm.name())),
        }
    }

    /// Agrees on a secret with a peer's public key, a DER `SubjectPublicKeyInfo` on the same curve (SP 800-56A, 5.7.1.2).
    ///
    /// The raw shared secret is the x coordinate, big-endian: 32, 48 or 66 bytes.
    ///
    /// # Errors
    /// [`Error::Algorithm`] if the key is not on a NIST curve; [`Error::PublicKey`] if the peer's key is not fit.
    pub fn agree(&self, algorithm: KeyAgreementAlgorithm, peer: &[u8]) -> Result<Secret, Error> {
        match &self.kind {
            Kind::Ecc(key) => key.agree(algorithm, peer),
            _ => Err(self.unfit(algorithm.name())),
        }
    }

    /// Makes a shared secret for the owner of this key, with its public half.
    ///
    /// # Errors
    /// [`Error::Algorithm`] if the key is not ML-KEM.
    pub fn encapsulate(&self, algorithm: EncapsulationAlgorithm) -> Result<Encapsulated, Error> {
        match &self.kind {
            Kind::MlKem(key) => key.encapsulate(),
            _ => Err(self.unfit(algorithm.name())),
        }
    }

    /// The shared secret of a ciphertext, 32 bytes. A changed ciphertext of the right length gives another secret, no error:
    /// that is ML-KEM's implicit rejection (FIPS 203, algorithm 18).
    ///
    /// # Errors
    /// [`Error::Algorithm`] if the key is not ML-KEM; [`Error::Ciphertext`] for a ciphertext of another length.
    pub fn decapsulate(&self, algorithm: EncapsulationAlgorithm, ciphertext: &[u8]) -> Result<Secret, Error> {
        match &self.kind {
            Kind::MlKem(key) => key.decapsulate(ciphertext),
            _ => Err(self.unfit(algorithm.name())),
        }
    }

    /// The HMAC of a message ([`MacAlgorithm::output_len`] bytes).
    ///
    /// # Errors
    /// [`Error::Algorithm`] if the spec has not this algorithm.
    pub fn mac(&self, algorithm: MacAlgorithm, message: &[u8]) -> Result<Vec<u8>, Error> {
        match &self.kind {
            Kind::Hmac(key) if self.has_mac(algorithm) => key.mac(algorithm, message),
            _ => Err(self.unfit(algorithm.name())),
        }
    }

    /// Whether the MAC is this key's for the message, compared in constant time.
    ///
    /// # Errors
    /// [`Error::Algorithm`] if the spec has not this algorithm.
    pub fn verify_mac(&self, algorithm: MacAlgorithm, message: &[u8], mac: &[u8]) -> Result<bool, Error> {
        match &self.kind {
            Kind::Hmac(key) if self.has_mac(algorithm) => key.verify(algorithm, message, mac),
            _ => Err(self.unfit(algorithm.name())),
        }
    }

    fn has_mac(&self, algorithm: MacAlgorithm) -> bool {
        self.spec.mac_algorithms(KeyUsage::GenerateVerifyMac).contains(&algorithm)
    }

    /// What [`Key::sign`] and [`Key::verify`] refuse before any cryptography, in this order. The modules below rely on it.
    fn check_signing(
        &self,
        algorithm: SigningAlgorithm,
        message_type: MessageType,
        message: &[u8],
    ) -> Result<(), Error> {
        if !self.spec.signing_algorithms(KeyUsage::SignVerify).contains(&algorithm) {
            return Err(self.unfit(algorithm.name()));
        }
        if !algorithm.message_types().contains(&message_type) {
            return Err(Error::MessageType { spec: self.spec, algorithm: algorithm.name(), message_type });
        }
        match message_type {
            MessageType::Digest if message.len() != algorithm.digest_len() => {
                Err(Error::DigestLength { algorithm: algorithm.name() })
            }
            MessageType::ExternalMu if message.len() != algorithm.digest_len() => {
                Err(Error::MuLength { algorithm: algorithm.name() })
            }
            _ => Ok(()),
        }
    }

    fn unfit(&self, algorithm: &'static str) -> Error {
        Error::Algorithm { spec: self.spec, algorithm }
    }
}

/// The length of `SYMMETRIC_DEFAULT` material in bytes: AES-256.
pub const SYMMETRIC_LEN: usize = 32;
