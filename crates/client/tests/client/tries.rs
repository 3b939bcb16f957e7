//! The work that a stranger's message can cause.

use crate::kms::{Fake, KEY};
use crate::support::aes;
use client::message::{
    Decryptor, EncryptedDataKey, Encryptor, Keyring, KmsDiscovery, KmsKeyring, Multi, Request, TRIES, Wrapped,
};
use client::{DataKey, Error, Result};

/// Writes so many wrapped keys that do not open before that of its keyring.
struct Forger<K>(usize, K);

impl<K: Keyring> Keyring for Forger<K> {
    fn on_encrypt(&self, request: &Request<'_>, wrapped: &mut Wrapped) -> Result<()> {
        self.1.on_encrypt(request, wrapped)?;
        let forged = EncryptedDataKey { ciphertext: vec![7; 48], ..wrapped.keys[0].clone() };
        wrapped.keys.splice(0..0, vec![forged; self.0]);
        Ok(())
    }

    fn on_decrypt(&self, request: &Request<'_>, keys: &[EncryptedDataKey]) -> Result<DataKey> {
        self.1.on_decrypt(request, keys)
    }
}

#[test]
fn a_keyring_tries_so_many_wrapped_keys_and_no_more() {
    let service = Fake::default();
    let strict = || KmsKeyring::new(service.clone(), KEY).unwrap();
    let message = |forged| Encryptor::new(Forger(forged, strict())).encrypt(b"text").unwrap();
    let (enough, too_many) = (message(TRIES - 1), message(5000));
    let keyrings: [&dyn Keyring; 2] = [&strict(), &KmsDiscovery::new(service.clone())];
    for keyring in keyrings {
        service.calls();
        assert_eq!(Decryptor::new(keyring).decrypt(&enough).unwrap().plaintext[..], *b"text");
        assert_eq!(service.calls().len(), TRIES);
        let refused = Decryptor::new(keyring).decrypt(&too_many).unwrap_err();
        assert_eq!(service.calls().len(), TRIES);
        let words = refused.to_string();
        assert!(words.ends_with("and no more are; and 121 more") && words.len() < 1000, "{words}");
        let Error::NoKeyOpens(failures) = refused else { panic!("{words}") };
        assert_eq!((failures.len(), failures.count()), (8, TRIES + 1));
        assert!(failures.iter().any(|failure| matches!(failure, Error::Tries { limit: TRIES })));
    }
    // Another keyring has tries of its own.
    let raw = Encryptor::new(Forger(TRIES, aes())).encrypt(b"text").unwrap();
    assert!(matches!(Decryptor::new(aes()).decrypt(&raw), Err(Error::NoKeyOpens(_))));
    let both = Forger(0, Multi::new(strict()).with(aes()));
    let message = Encryptor::new(Forger(TRIES, both)).encrypt(b"text").unwrap();
    let opened = Decryptor::new(Multi::new(strict()).with(aes())).decrypt(&message).unwrap();
    assert_eq!(opened.plaintext[..], *b"text");
}
