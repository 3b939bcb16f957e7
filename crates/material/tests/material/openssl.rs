//! Keys of the stored form load, are given out as they came, and agree with what OpenSSL made of them.
#[allow(dead_code, reason = "each test file uses a part")]
use material::{EncryptionAlgorithm, KeyAgreementAlgorithm, KeyUsage, MessageType, SigningAlgorithm};

#[test]
fn private_and_public_keys_have_the_same_der() {
    for case in crate::common::openssl().1 {
        let key = case.key();
        assert!(key.private_key_der().unwrap().equals(&case.bytes("private")), "{}", case.spec);
        assert_eq!(key.public_key_der().unwrap(), case.bytes("public"), "{}", case.spec);
    }
}

#[test]
fn signatures_of_openssl_verify() {
    let (message, cases) = crate::common::openssl();
    for case in cases {
        let key = case.key();
        let signatures = case.by_algorithm("signatures");
        for (algorithm, signature) in &signatures {
            let algorithm = SigningAlgorithm::named(algorithm).unwrap();
            assert!(key.verify(algorithm, MessageType::Raw, &message, signature).unwrap(), "{} {algorithm}", case.spec);
            assert!(!key.verify(algorithm, MessageType::Raw, &message[1..], signature).unwrap());
        }
        let offered = case.spec.signing_algorithms(KeyUsage::SignVerify).iter();
        // OpenSSL has no Ed25519ph before 3.2; RFC 8032's vector stands in.
        let offered = offered.filter(|algorithm| **algorithm != SigningAlgorithm::Ed25519PhSha512).count();
        assert_eq!(signatures.len(), offered, "{}", case.spec);
    }
}

#[test]
fn deterministic_signatures_are_those_of_openssl() {
    let (message, cases) = crate::common::openssl();
    for case in cases {
        for (algorithm, signature) in case.by_algorithm("signatures") {
            if algorithm.contains("PKCS1") || algorithm.starts_with("ED25519") {
                let algorithm = SigningAlgorithm::named(&algorithm).unwrap();
                assert_eq!(case.key().sign(algorithm, MessageType::Raw, &message).unwrap(), signature);
            }
        }
    }
}

#[test]
fn ciphertexts_of_openssl_open() {
    let (message, cases) = crate::common::openssl();
    for case in cases {
        for (algorithm, ciphertext) in case.by_algorithm("ciphertexts") {
            let algorithm = EncryptionAlgorithm::named(&algorithm).unwrap();
            assert!(case.key().decrypt(algorithm, &ciphertext).unwrap().equals(&message), "{} {algorithm}", case.spec);
        }
    }
}

#[test]
fn shared_secrets_are_those_of_openssl() {
    let mut agreed = 0;
    for case in crate::common::openssl().1 {
        if case.spec.usages().contains(&KeyUsage::KeyAgreement) {
            let shared = case.key().agree(KeyAgreementAlgorithm::Ecdh, &case.bytes("peer")).unwrap();
            assert!(shared.equals(&case.bytes("shared")), "{}", case.spec);
            agreed += 1;
        }
    }
    assert_eq!(agreed, 3);
}
