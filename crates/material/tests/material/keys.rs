//! What every key does, spec by spec, with keys made here.
use crate::common::Case;
#[allow(dead_code, reason = "each test file uses a part")]
use aws_lc_rs::digest::{SHA256, SHA384, SHA512, digest};
use material::{
    EncryptionAlgorithm, Error, Key, KeyAgreementAlgorithm, KeySpec, KeyUsage, MacAlgorithm, MessageType,
    SigningAlgorithm, generate,
};

/// A key to test with. RSA's come from the vectors, since making them takes long.
fn key(spec: KeySpec) -> Key {
    if spec.is_slow_to_generate() {
        Case::of(spec).key()
    } else {
        Key::load(spec, generate(spec).unwrap().expose()).unwrap()
    }
}

/// Each spec of RSA and elliptic curves with each of its signing algorithms.
fn signing() -> impl Iterator<Item = (KeySpec, SigningAlgorithm)> {
    let specs = crate::common::openssl().1.into_iter().map(|case| case.spec);
    specs.flat_map(|spec| spec.signing_algorithms(KeyUsage::SignVerify).iter().map(move |algorithm| (spec, *algorithm)))
}

fn hashed(algorithm: SigningAlgorithm, message: &[u8]) -> Vec<u8> {
    let hash = match algorithm.digest_len() {
        32 => &SHA256,
        48 => &SHA384,
        _ => &SHA512,
    };
    digest(hash, message).as_ref().to_vec()
}

fn is_edwards(algorithm: SigningAlgorithm) -> bool {
    matches!(algorithm, SigningAlgorithm::Ed25519Sha512 | SigningAlgorithm::Ed25519PhSha512)
}

#[test]
fn keys_are_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Key>();
}

#[test]
fn a_signature_verifies_for_every_message_type() {
    for (spec, algorithm) in signing() {
        let key = key(spec);
        for message_type in algorithm.message_types() {
            for length in [1_usize, 64, 4096] {
                let mut message = vec![length.to_le_bytes()[0]; length];
                if *message_type == MessageType::Digest {
                    message = hashed(algorithm, &message);
                }
                let signature = key.sign(algorithm, *message_type, &message).unwrap();
                assert!(key.verify(algorithm, *message_type, &message, &signature).unwrap(), "{spec} {algorithm}");
            }
        }
    }
}

/// "A message and its hash digest are considered to be the same message" (AWS, `Verify`), Ed25519 apart.
#[test]
fn a_message_and_its_digest_are_the_same_message() {
    for (spec, algorithm) in signing().filter(|(_, algorithm)| !is_edwards(*algorithm)) {
        let key = key(spec);
        let digest = hashed(algorithm, b"message");
        let of_message = key.sign(algorithm, MessageType::Raw, b"message").unwrap();
        let of_digest = key.sign(algorithm, MessageType::Digest, &digest).unwrap();
        assert!(key.verify(algorithm, MessageType::Digest, &digest, &of_message).unwrap(), "{spec} {algorithm}");
        assert!(key.verify(algorithm, MessageType::Raw, b"message", &of_digest).unwrap(), "{spec} {algorithm}");
    }
}

#[test]
fn a_changed_signature_message_or_key_does_not_verify() {
    for (spec, algorithm) in signing() {
        let (key, message_type) = (key(spec), *algorithm.message_types().last().unwrap());
        let mut message = hashed(algorithm, b"message");
        let mut signature = key.sign(algorithm, message_type, &message).unwrap();
        let valid = |key: &Key, message: &[u8], signature: &[u8]| {
            key.verify(algorithm, message_type, message, signature).unwrap()
        };
        for bit in 0..signature.len() * 8 {
            signature[bit / 8] ^= 1 << (bit % 8);
            assert!(!valid(&key, &message, &signature), "{spec} {algorithm}: bit {bit}");
            signature[bit / 8] ^= 1 << (bit % 8);
        }
        for wrong in [&[][..], &signature[1..], &signature[..signature.len() - 1], &[&signature[..], &[0]].concat()] {
            assert!(!valid(&key, &message, wrong), "{spec} {algorithm}: {} bytes", wrong.len());
        }
        if !spec.is_slow_to_generate() {
            assert!(!valid(&self::key(spec), &message, &signature), "{spec} {algorithm}: another key");
        }
        message[0] ^= 1;
        assert!(!valid(&key, &message, &signature), "{spec} {algorithm}: another message");
    }
}

/// A signature is of one algorithm; another of the same key does not verify it.
#[test]
fn another_algorithm_does_not_verify() {
    for (spec, algorithm) in signing() {
        let key = key(spec);
        let message_type = algorithm.message_types()[0];
        let message = hashed(algorithm, b"message");
        let signature = key.sign(algorithm, message_type, &message).unwrap();
        for other in spec.signing_algorithms(KeyUsage::SignVerify).iter().filter(|other| **other != algorithm) {
            let message_type = other.message_types()[0];
            assert!(!key.verify(*other, message_type, &message, &signature).unwrap(), "{spec} {algorithm} {other}");
        }
    }
}

#[test]
fn a_digest_of_another_length_is_refused() {
    for (spec, algorithm) in signing().filter(|(_, algorithm)| algorithm.message_types().contains(&MessageType::Digest))
    {
        let key = key(spec);
        for length in [1, 20, 31, 32, 33, 48, 63, 64, 65] {
            let signed = key.sign(algorithm, MessageType::Digest, &vec![1; length]);
            let verified = key.verify(algorithm, MessageType::Digest, &vec![1; length], &[0; 64]);
            if length == algorithm.digest_len() {
                assert!(signed.is_ok() && verified.is_ok(), "{spec} {algorithm}");
            } else {
                let error = signed.unwrap_err();
                assert_eq!(error.to_string(), format!("Digest is invalid length for algorithm {algorithm}."));
                assert_eq!(verified.unwrap_err(), error);
            }
        }
    }
}

#[test]
fn a_message_type_that_the_algorithm_has_not_is_refused() {
    for (spec, algorithm, message_type, text) in [
        ("ECC_NIST_EDWARDS25519", "ED25519_SHA_512", "DIGEST", "algorithm ED25519_SHA_512"),
        ("ECC_NIST_EDWARDS25519", "ED25519_PH_SHA_512", "RAW", "algorithm ED25519_PH_SHA_512"),
        ("RSA_2048", "RSASSA_PSS_SHA_256", "EXTERNAL_MU", "key spec RSA_2048"),
        ("ECC_NIST_P256", "ECDSA_SHA_256", "EXTERNAL_MU", "key spec ECC_NIST_P256"),
    ] {
        let algorithm = SigningAlgorithm::named(algorithm).unwrap();
        let message_type = MessageType::named(message_type).unwrap();
        let error = key(KeySpec::named(spec).unwrap()).sign(algorithm, message_type, &[0; 64]).unwrap_err();
        assert_eq!(error.to_string(), format!("Message type {message_type} is incompatible with {text}."));
    }
}

#[test]
fn an_algorithm_of_another_spec_is_refused() {
    let key = key(KeySpec::EccNistP256);
    let spec = KeySpec::EccNistP256;
    let refused = |algorithm| Some(Error::Algorithm { spec, algorithm });
    for algorithm in SigningAlgorithm::ALL.iter().filter(|algorithm| **algorithm != SigningAlgorithm::EcdsaSha256) {
        assert_eq!(key.sign(*algorithm, MessageType::Raw, b"m").err(), refused(algorithm.name()));
        assert_eq!(key.verify(*algorithm, MessageType::Raw, b"m", b"s").err(), refused(algorithm.name()));
    }
    for algorithm in EncryptionAlgorithm::ALL {
        assert_eq!(key.encrypt(*algorithm, b"p").err(), refused(algorithm.name()));
        assert_eq!(key.decrypt(*algorithm, b"c").err(), refused(algorithm.name()));
    }
    assert_eq!(key.mac(MacAlgorithm::HmacSha256, b"m").err(), refused("HMAC_SHA_256"));
    let text = "Algorithm HMAC_SHA_256 is incompatible with key spec ECC_NIST_P256.";
    assert_eq!(key.mac(MacAlgorithm::HmacSha256, b"m").unwrap_err().to_string(), text);
}

#[test]
fn oaep_takes_what_aws_says_and_no_more() {
    for spec in [KeySpec::Rsa2048, KeySpec::Rsa3072, KeySpec::Rsa4096] {
        let key = key(spec);
        for algorithm in spec.encryption_algorithms(KeyUsage::EncryptDecrypt) {
            let limit = spec.plaintext_limit(*algorithm).unwrap();
            for length in [1, 32, limit] {
                let plaintext = vec![5; length];
                let ciphertext = key.encrypt(*algorithm, &plaintext).unwrap();
                assert!(key.decrypt(*algorithm, &ciphertext).unwrap().equals(&plaintext));
                assert_ne!(key.encrypt(*algorithm, &plaintext).unwrap(), ciphertext, "it is randomized");
            }
            let algorithm = *algorithm;
            let error = Error::PlaintextLength { spec, algorithm: algorithm.name(), limit };
            assert_eq!(key.encrypt(algorithm, &vec![5; limit + 1]).err(), Some(error));
        }
    }
}

#[test]
fn a_changed_ciphertext_does_not_open() {
    let key = key(KeySpec::Rsa2048);
    for (algorithm, other) in [
        (EncryptionAlgorithm::RsaesOaepSha1, EncryptionAlgorithm::RsaesOaepSha256),
        (EncryptionAlgorithm::RsaesOaepSha256, EncryptionAlgorithm::RsaesOaepSha1),
    ] {
        let mut ciphertext = key.encrypt(algorithm, b"plaintext").unwrap();
        assert_eq!(key.decrypt(other, &ciphertext).err(), Some(Error::Ciphertext));
        for bit in (0..ciphertext.len() * 8).step_by(7) {
            ciphertext[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(key.decrypt(algorithm, &ciphertext).err(), Some(Error::Ciphertext), "bit {bit}");
            ciphertext[bit / 8] ^= 1 << (bit % 8);
        }
        for wrong in [&[][..], &ciphertext[1..], &[&ciphertext[..], &[0]].concat(), &[0; 256], &[255; 256]] {
            assert_eq!(key.decrypt(algorithm, wrong).err(), Some(Error::Ciphertext));
        }
    }
}

#[test]
fn two_sides_agree_and_only_on_their_curve() {
    let specs = [KeySpec::EccNistP256, KeySpec::EccNistP384, KeySpec::EccNistP521];
    for (spec, length) in specs.into_iter().zip([32, 48, 66]) {
        let (ours, theirs) = (key(spec), key(spec));
        let shared = ours.agree(KeyAgreementAlgorithm::Ecdh, &theirs.public_key_der().unwrap()).unwrap();
        assert_eq!(shared.len(), length);
        assert!(
            theirs.agree(KeyAgreementAlgorithm::Ecdh, &ours.public_key_der().unwrap()).unwrap().equals(shared.expose())
        );
        for other in KeySpec::ALL.iter().filter(|other| other.is_asymmetric() && **other != spec) {
            let peer = key(*other).public_key_der().unwrap();
            assert_eq!(
                ours.agree(KeyAgreementAlgorithm::Ecdh, &peer).err(),
                Some(Error::PublicKey { spec }),
                "{other}"
            );
        }
    }
    let bitcoin = key(KeySpec::EccSecgP256K1);
    let refused = Error::Algorithm { spec: KeySpec::EccSecgP256K1, algorithm: "ECDH" };
    assert_eq!(bitcoin.agree(KeyAgreementAlgorithm::Ecdh, &bitcoin.public_key_der().unwrap()).err(), Some(refused));
}

#[test]
fn material_loads_only_as_what_it_is() {
    for case in crate::common::openssl().1 {
        let mut private = case.bytes("private");
        for other in KeySpec::ALL.iter().filter(|other| **other != case.spec && other.is_asymmetric()) {
            assert_eq!(
                Key::load(*other, &private).err(),
                Some(Error::Material { spec: *other }),
                "{} as {other}",
                case.spec
            );
        }
        private.push(0);
        assert_eq!(Key::load(case.spec, &private).err(), Some(Error::Material { spec: case.spec }), "{}", case.spec);
        assert!(Key::load(case.spec, &case.bytes("public")).is_err());
    }
    assert!(Key::load(KeySpec::SymmetricDefault, &[0; 32]).is_err());
}

#[test]
fn made_material_loads_and_differs_each_time() {
    for spec in KeySpec::ALL.iter().filter(|spec| !matches!(spec, KeySpec::Rsa3072 | KeySpec::Rsa4096)) {
        let (one, other) = (generate(*spec).unwrap(), generate(*spec).unwrap());
        assert!(!one.equals(other.expose()), "{spec}");
        if *spec != KeySpec::SymmetricDefault {
            assert_eq!(Key::load(*spec, one.expose()).unwrap().public_key_der().is_some(), spec.is_asymmetric());
        }
    }
}

#[test]
fn made_pairs_are_given_out_in_their_stored_form() {
    for spec in [KeySpec::Rsa2048, KeySpec::EccNistP384, KeySpec::EccSecgP256K1, KeySpec::EccNistEdwards25519] {
        let secret = generate(spec).unwrap();
        assert!(Key::load(spec, secret.expose()).unwrap().private_key_der().unwrap().equals(secret.expose()), "{spec}");
    }
}
