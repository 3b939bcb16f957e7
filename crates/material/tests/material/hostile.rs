//! Bytes that strangers send: peers' public keys, signatures, ciphertexts, imported private keys. Whatever they are, the answer
//! is an error or a refusal, and no panic.
#[allow(dead_code, reason = "each test file uses a part")]
use crate::common::Case;
use material::{EncryptionAlgorithm, Error, Key, KeyAgreementAlgorithm, KeySpec, KeyUsage, MessageType};
use proptest::prelude::*;
use std::sync::LazyLock;

static CASES: LazyLock<Vec<(Case, Key)>> = LazyLock::new(|| {
    let cases = crate::common::openssl().1.into_iter();
    cases.map(|case| (Case::of(case.spec), case.key())).collect()
});

/// What a stranger does to bytes.
#[derive(Debug, Clone)]
enum Change {
    Set(prop::sample::Index, u8),
    Insert(prop::sample::Index, u8),
    Remove(prop::sample::Index),
    Truncate(prop::sample::Index),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = prop_oneof![
        4 => (any::<prop::sample::Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        1 => (any::<prop::sample::Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Insert(at, byte)),
        1 => any::<prop::sample::Index>().prop_map(Change::Remove),
        1 => any::<prop::sample::Index>().prop_map(Change::Truncate),
    ];
    prop::collection::vec(change, 1..4)
}

fn changed(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        if bytes.is_empty() {
            break;
        }
        let len = bytes.len();
        match change {
            Change::Set(at, byte) => bytes[at.index(len)] = *byte,
            Change::Insert(at, byte) => bytes.insert(at.index(len), *byte),
            Change::Remove(at) => drop(bytes.remove(at.index(len))),
            Change::Truncate(at) => bytes.truncate(at.index(len)),
        }
    }
    bytes
}

fn curves() -> impl Iterator<Item = &'static (Case, Key)> {
    CASES.iter().filter(|(case, _)| case.spec.usages().contains(&KeyUsage::KeyAgreement))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn random_bytes_are_no_peer(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for (case, key) in curves() {
            prop_assert_eq!(key.agree(KeyAgreementAlgorithm::Ecdh, &bytes).err(), Some(Error::PublicKey { spec: case.spec }));
        }
    }

    /// A changed public key is refused, or is another point of the curve, or was not changed at all.
    #[test]
    fn changed_peers_never_panic(changes in changes()) {
        for (case, key) in curves() {
            let peer = changed(case.bytes("peer"), &changes);
            match key.agree(KeyAgreementAlgorithm::Ecdh, &peer) {
                Err(error) => prop_assert_eq!(error, Error::PublicKey { spec: case.spec }),
                Ok(shared) => prop_assert_eq!(shared.equals(&case.bytes("shared")), peer == case.bytes("peer")),
            }
        }
    }

    #[test]
    fn random_bytes_are_no_material(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for spec in KeySpec::ALL.iter().filter(|spec| spec.is_data_key_pair() && !spec.name().starts_with("ML")) {
            prop_assert_eq!(Key::load(*spec, &bytes).err(), Some(Error::Material { spec: *spec }));
        }
    }

    #[test]
    fn changed_signatures_do_not_verify(changes in changes()) {
        for (case, key) in CASES.iter() {
            for (algorithm, signature) in case.by_algorithm("signatures") {
                let algorithm = material::SigningAlgorithm::named(&algorithm).unwrap();
                let hostile = changed(signature.clone(), &changes);
                let valid = key.verify(algorithm, MessageType::Raw, &crate::common::openssl().0, &hostile).unwrap();
                prop_assert_eq!(valid, hostile == signature);
            }
        }
    }

    #[test]
    fn random_ciphertexts_do_not_open(bytes in prop::collection::vec(any::<u8>(), 250..260)) {
        let (_, key) = &CASES[0];
        prop_assert_eq!(key.decrypt(EncryptionAlgorithm::RsaesOaepSha256, &bytes).err(), Some(Error::Ciphertext));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever loads can be used: its signatures verify.
    #[test]
    fn changed_material_is_refused_or_works(changes in changes()) {
        for (case, _) in CASES.iter() {
            let Ok(key) = Key::load(case.spec, &changed(case.bytes("private"), &changes)) else { continue };
            let algorithm = case.spec.signing_algorithms(KeyUsage::SignVerify)[0];
            let message_type = algorithm.message_types()[0];
            if let Ok(signature) = key.sign(algorithm, message_type, &vec![1; algorithm.digest_len()]) {
                prop_assert!(key.verify(algorithm, message_type, &vec![1; algorithm.digest_len()], &signature).unwrap());
            }
        }
    }
}
