//! What forged messages learn of an RSA key.

use crate::object_support::{bytes, vectors};
use client::keys::{RsaPadding, RsaPrivateKey, RsaPublicKey};
use client::message::{Decryptor, EncryptedDataKey, Encryptor, Keyring, RawRsa, Request, Wrapped};
use client::{DataKey, Error, Result};

/// Writes these wrapped keys, whatever they are, and then those of the keyring.
struct Forger(Vec<Vec<u8>>, RawRsa);

impl Keyring for Forger {
    fn on_encrypt(&self, request: &Request<'_>, wrapped: &mut Wrapped) -> Result<()> {
        let forged = |ciphertext: &Vec<u8>| EncryptedDataKey {
            provider: "tests".to_owned(),
            info: b"rsa".to_vec(),
            ciphertext: ciphertext.clone(),
        };
        wrapped.keys.extend(self.0.iter().map(forged));
        self.1.on_encrypt(request, wrapped)
    }

    fn on_decrypt(&self, request: &Request<'_>, keys: &[EncryptedDataKey]) -> Result<DataKey> {
        self.1.on_decrypt(request, keys)
    }
}

#[test]
fn a_wrong_padding_and_a_wrong_length_are_one_error() {
    let key = &vectors()["keys"]["rsa-2048"];
    let public = || RsaPublicKey::from_der(&bytes(&key["rsaPublic"])).unwrap();
    for padding in [RsaPadding::Pkcs1, RsaPadding::OaepSha1, RsaPadding::OaepSha256] {
        let keyring = |name: &str| {
            let private = RsaPrivateKey::from_der(&bytes(&key["rsaPrivate"])).unwrap();
            RawRsa::new("tests", name, padding).unwrap().public_key(public()).private_key(private)
        };
        let mut forged = vec![vec![7; 256], vec![7; 3], vec![]];
        forged.extend([0, 1, 16, 31, 33, 48].map(|length| public().encrypt(padding, &vec![1; length]).unwrap()));
        let reader = Decryptor::new(keyring("rsa"));
        for ciphertext in &forged {
            let message = Encryptor::new(Forger(vec![ciphertext.clone()], keyring("another"))).encrypt(b"text");
            match reader.decrypt(&message.unwrap()) {
                Err(Error::NoKeyOpens(failures)) => assert!(matches!(failures[..], [Error::Unwrap]), "{failures:?}"),
                other => panic!("{padding:?}: {other:?}"),
            }
        }
        // None of them keeps the right one from being tried.
        let message = Encryptor::new(Forger(forged, keyring("rsa"))).encrypt(b"text").unwrap();
        assert_eq!(reader.decrypt(&message).unwrap().plaintext[..], *b"text");
    }
}
