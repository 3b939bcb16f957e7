//! The tables of the service model and of AWS's developer guide, written down.

use super::*;

fn names<T: Copy>(all: &[T], name: fn(T) -> &'static str) -> Vec<&'static str> {
    all.iter().map(|one| name(*one)).collect()
}

/// The enums of the KMS service model (botocore 1.44.5) in its order, SM2 and what belongs to it left out.
#[test]
fn all_names_agree_with_the_model() {
    assert_eq!(
        names(KeySpec::ALL, KeySpec::name),
        [
            "RSA_2048",
            "RSA_3072",
            "RSA_4096",
            "ECC_NIST_P256",
            "ECC_NIST_P384",
            "ECC_NIST_P521",
            "ECC_SECG_P256K1",
            "SYMMETRIC_DEFAULT",
            "HMAC_224",
            "HMAC_256",
            "HMAC_384",
            "HMAC_512",
            "ML_DSA_44",
            "ML_DSA_65",
            "ML_DSA_87",
            "ECC_NIST_EDWARDS25519",
            "ML_KEM_512",
            "ML_KEM_768",
            "ML_KEM_1024",
        ]
    );
    assert_eq!(
        names(KeyUsage::ALL, KeyUsage::name),
        ["SIGN_VERIFY", "ENCRYPT_DECRYPT", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT", "ENCAPSULATE_DECAPSULATE"]
    );
    assert_eq!(
        names(EncryptionAlgorithm::ALL, EncryptionAlgorithm::name),
        ["SYMMETRIC_DEFAULT", "RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"]
    );
    assert_eq!(
        names(SigningAlgorithm::ALL, SigningAlgorithm::name),
        [
            "RSASSA_PSS_SHA_256",
            "RSASSA_PSS_SHA_384",
            "RSASSA_PSS_SHA_512",
            "RSASSA_PKCS1_V1_5_SHA_256",
            "RSASSA_PKCS1_V1_5_SHA_384",
            "RSASSA_PKCS1_V1_5_SHA_512",
            "ECDSA_SHA_256",
            "ECDSA_SHA_384",
            "ECDSA_SHA_512",
            "ML_DSA_SHAKE_256",
            "ED25519_SHA_512",
            "ED25519_PH_SHA_512",
        ]
    );
    assert_eq!(
        names(MacAlgorithm::ALL, MacAlgorithm::name),
        ["HMAC_SHA_224", "HMAC_SHA_256", "HMAC_SHA_384", "HMAC_SHA_512"]
    );
    assert_eq!(names(KeyAgreementAlgorithm::ALL, KeyAgreementAlgorithm::name), ["ECDH"]);
    assert_eq!(names(EncapsulationAlgorithm::ALL, EncapsulationAlgorithm::name), ["ML_KEM"]);
    assert_eq!(names(MessageType::ALL, MessageType::name), ["RAW", "DIGEST", "EXTERNAL_MU"]);
}

#[test]
fn names_are_read_back_and_no_others() {
    for spec in KeySpec::ALL {
        assert_eq!(KeySpec::named(spec.name()), Some(*spec));
    }
    for algorithm in SigningAlgorithm::ALL {
        assert_eq!(SigningAlgorithm::named(algorithm.name()), Some(*algorithm));
    }
    assert_eq!(KeySpec::named("SM2"), None);
    assert_eq!(KeySpec::named("rsa_2048"), None);
    assert_eq!(EncryptionAlgorithm::named("SM2PKE"), None);
    assert_eq!(SigningAlgorithm::named("SM2DSA"), None);
}

/// Stored in records: a change here loses keys.
#[test]
fn stored_codes_never_change() {
    let specs: Vec<(u8, &str)> =
        (0..=u8::MAX).filter_map(|code| Some((code, KeySpec::from_code(code)?.name()))).collect();
    assert_eq!(
        specs,
        [
            (1, "SYMMETRIC_DEFAULT"),
            (2, "RSA_2048"),
            (3, "RSA_3072"),
            (4, "RSA_4096"),
            (5, "ECC_NIST_P256"),
            (6, "ECC_NIST_P384"),
            (7, "ECC_NIST_P521"),
            (8, "ECC_SECG_P256K1"),
            (9, "ECC_NIST_EDWARDS25519"),
            (10, "HMAC_224"),
            (11, "HMAC_256"),
            (12, "HMAC_384"),
            (13, "HMAC_512"),
            (14, "ML_DSA_44"),
            (15, "ML_DSA_65"),
            (16, "ML_DSA_87"),
            (17, "ML_KEM_512"),
            (18, "ML_KEM_768"),
            (19, "ML_KEM_1024"),
        ]
    );
    let usages: Vec<(u8, &str)> =
        (0..=u8::MAX).filter_map(|code| Some((code, KeyUsage::from_code(code)?.name()))).collect();
    assert_eq!(
        usages,
        [
            (1, "ENCRYPT_DECRYPT"),
            (2, "SIGN_VERIFY"),
            (3, "GENERATE_VERIFY_MAC"),
            (4, "KEY_AGREEMENT"),
            (5, "ENCAPSULATE_DECAPSULATE"),
        ]
    );
}

const RSA_SIGNING: &[&str] = &[
    "RSASSA_PKCS1_V1_5_SHA_256",
    "RSASSA_PKCS1_V1_5_SHA_384",
    "RSASSA_PKCS1_V1_5_SHA_512",
    "RSASSA_PSS_SHA_256",
    "RSASSA_PSS_SHA_384",
    "RSASSA_PSS_SHA_512",
];
const OAEP: &[&str] = &["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"];

/// The key spec reference of AWS's developer guide: spec, usage, algorithms.
const OFFERED: &[(&str, &str, &[&str])] = &[
    ("RSA_2048", "ENCRYPT_DECRYPT", OAEP),
    ("RSA_2048", "SIGN_VERIFY", RSA_SIGNING),
    ("RSA_3072", "ENCRYPT_DECRYPT", OAEP),
    ("RSA_3072", "SIGN_VERIFY", RSA_SIGNING),
    ("RSA_4096", "ENCRYPT_DECRYPT", OAEP),
    ("RSA_4096", "SIGN_VERIFY", RSA_SIGNING),
    ("ECC_NIST_P256", "SIGN_VERIFY", &["ECDSA_SHA_256"]),
    ("ECC_NIST_P256", "KEY_AGREEMENT", &["ECDH"]),
    ("ECC_NIST_P384", "SIGN_VERIFY", &["ECDSA_SHA_384"]),
    ("ECC_NIST_P384", "KEY_AGREEMENT", &["ECDH"]),
    ("ECC_NIST_P521", "SIGN_VERIFY", &["ECDSA_SHA_512"]),
    ("ECC_NIST_P521", "KEY_AGREEMENT", &["ECDH"]),
    ("ECC_SECG_P256K1", "SIGN_VERIFY", &["ECDSA_SHA_256"]),
    ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", &["SYMMETRIC_DEFAULT"]),
    ("HMAC_224", "GENERATE_VERIFY_MAC", &["HMAC_SHA_224"]),
    ("HMAC_256", "GENERATE_VERIFY_MAC", &["HMAC_SHA_256"]),
    ("HMAC_384", "GENERATE_VERIFY_MAC", &["HMAC_SHA_384"]),
    ("HMAC_512", "GENERATE_VERIFY_MAC", &["HMAC_SHA_512"]),
    ("ML_DSA_44", "SIGN_VERIFY", &["ML_DSA_SHAKE_256"]),
    ("ML_DSA_65", "SIGN_VERIFY", &["ML_DSA_SHAKE_256"]),
    ("ML_DSA_87", "SIGN_VERIFY", &["ML_DSA_SHAKE_256"]),
    ("ECC_NIST_EDWARDS25519", "SIGN_VERIFY", &["ED25519_PH_SHA_512", "ED25519_SHA_512"]),
    ("ML_KEM_512", "ENCAPSULATE_DECAPSULATE", &["ML_KEM"]),
    ("ML_KEM_768", "ENCAPSULATE_DECAPSULATE", &["ML_KEM"]),
    ("ML_KEM_1024", "ENCAPSULATE_DECAPSULATE", &["ML_KEM"]),
];

#[test]
fn every_spec_offers_what_aws_documents_and_no_more() {
    let mut found = Vec::new();
    for spec in KeySpec::ALL {
        for usage in KeyUsage::ALL {
            let mut algorithms = names(spec.encryption_algorithms(*usage), EncryptionAlgorithm::name);
            algorithms.extend(names(spec.signing_algorithms(*usage), SigningAlgorithm::name));
            algorithms.extend(names(spec.mac_algorithms(*usage), MacAlgorithm::name));
            algorithms.extend(names(spec.key_agreement_algorithms(*usage), KeyAgreementAlgorithm::name));
            algorithms.extend(names(spec.encapsulation_algorithms(*usage), EncapsulationAlgorithm::name));
            assert_eq!(spec.usages().contains(usage), !algorithms.is_empty(), "{spec} {usage}");
            if !algorithms.is_empty() {
                found.push((spec.name(), usage.name(), algorithms));
            }
        }
    }
    let mut offered: Vec<_> = OFFERED.iter().map(|(spec, usage, list)| (*spec, *usage, list.to_vec())).collect();
    found.sort_unstable();
    offered.sort_unstable();
    assert_eq!(found, offered);
}

/// The table in the model's documentation of `Encrypt`.
#[test]
fn plaintext_limits() {
    use EncryptionAlgorithm::{RsaesOaepSha1, RsaesOaepSha256, SymmetricDefault};
    for (spec, sha1, sha256) in
        [(KeySpec::Rsa2048, 214, 190), (KeySpec::Rsa3072, 342, 318), (KeySpec::Rsa4096, 470, 446)]
    {
        assert_eq!(spec.plaintext_limit(RsaesOaepSha1), Some(sha1));
        assert_eq!(spec.plaintext_limit(RsaesOaepSha256), Some(sha256));
        assert_eq!(spec.plaintext_limit(SymmetricDefault), None);
    }
    assert_eq!(KeySpec::EccNistP256.plaintext_limit(RsaesOaepSha1), None);
}

/// The model's `DataKeyPairSpec` without SM2.
#[test]
fn data_key_pairs() {
    let pairs: Vec<_> = KeySpec::ALL.iter().filter(|spec| spec.is_data_key_pair()).map(|spec| spec.name()).collect();
    assert_eq!(
        pairs,
        [
            "RSA_2048",
            "RSA_3072",
            "RSA_4096",
            "ECC_NIST_P256",
            "ECC_NIST_P384",
            "ECC_NIST_P521",
            "ECC_SECG_P256K1",
            "ECC_NIST_EDWARDS25519",
            "ML_KEM_512",
            "ML_KEM_768",
            "ML_KEM_1024",
        ]
    );
}
