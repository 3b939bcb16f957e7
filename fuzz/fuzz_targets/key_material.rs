//! Strangers' key material: what loads, can be used and stored again; what a peer sends is a key or is refused; nothing panics.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use material::import::{WrappingAlgorithm, WrappingKey, WrappingKeySpec, accept};
use material::{EncapsulationAlgorithm, Key, KeyAgreementAlgorithm, KeySpec, MessageType};

static WRAPPING: LazyLock<WrappingKey> =
    LazyLock::new(|| WrappingKey::generate(WrappingKeySpec::Rsa2048).expect("a wrapping key"));
static OWN: LazyLock<Vec<Key>> = LazyLock::new(|| {
    let specs = [KeySpec::EccNistP256, KeySpec::EccNistP384, KeySpec::EccNistP521, KeySpec::MlKem768, KeySpec::MlDsa65];
    specs.map(|spec| Key::load(spec, material::generate(spec).expect("material").expose()).expect("a key")).into()
});

fuzz_target!(|data: &[u8]| {
    let Some((&choice, data)) = data.split_first() else { return };
    let spec = KeySpec::ALL[usize::from(choice) % KeySpec::ALL.len()];
    if let Ok(secret) = accept(spec, data) {
        let again = accept(spec, secret.expose());
        assert!(spec == KeySpec::MlDsa44 || spec == KeySpec::MlDsa65 || spec == KeySpec::MlDsa87 || again.is_ok());
        if spec != KeySpec::SymmetricDefault {
            let key = Key::load(spec, secret.expose()).expect("what was accepted loads");
            assert_eq!(key.public_key_der().is_some(), spec.is_asymmetric());
        }
    }
    for own in OWN.iter() {
        let _ = own.agree(KeyAgreementAlgorithm::Ecdh, data);
        let _ = own.decapsulate(EncapsulationAlgorithm::MlKem, data);
        for algorithm in own.spec().signing_algorithms(material::KeyUsage::SignVerify) {
            assert!(!own.verify(*algorithm, MessageType::Raw, b"a message", data).unwrap_or(false));
        }
    }
    let algorithm = WrappingAlgorithm::ALL[usize::from(choice) % WrappingAlgorithm::ALL.len()];
    let _ = WRAPPING.unwrap(algorithm, data);
    let _ = WrappingKey::from_stored(data);
});
