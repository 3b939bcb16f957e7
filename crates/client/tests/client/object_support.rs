//! Keys, writers and readers of objects that the tests share.

use crate::kms::{Fake, KEY};
use client::keys::{AesKey, RsaPrivateKey, RsaPublicKey};
use client::object::{
    AesKeyring, CommitmentPolicy, KmsKeyring, ObjectDecryptor, ObjectEncryptor, ObjectKeyring, RsaKeyring,
    SealedObject, Version,
};
use client::{Destination, Result};
use data_encoding::BASE64;
use serde_json::Value;
use std::io::{self, Write};

/// The vectors, and the keys in them.
pub(crate) fn vectors() -> Value {
    serde_json::from_str(include_str!("../vectors/objects.json")).unwrap()
}

pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    BASE64.decode(value.as_str().unwrap().as_bytes()).unwrap()
}

pub(crate) fn strings(value: &Value) -> Vec<(String, String)> {
    value.as_object().unwrap().iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
}

pub(crate) fn aes(byte: u8) -> AesKeyring {
    AesKeyring::new(AesKey::new(&[byte; 32]).unwrap())
}

/// Of the vectors' RSA keys, whole or in half.
pub(crate) fn rsa(name: &str, public: bool, private: bool) -> RsaKeyring {
    let key = &vectors()["keys"][name];
    let public = public.then(|| RsaPublicKey::from_der(&bytes(&key["rsaPublic"])).unwrap());
    let private = private.then(|| RsaPrivateKey::from_der(&bytes(&key["rsaPrivate"])).unwrap());
    RsaKeyring::new(public, private).unwrap()
}

pub(crate) fn kms(service: &Fake) -> KmsKeyring<Fake> {
    KmsKeyring::new(service.clone(), KEY).unwrap()
}

/// One of each kind.
pub(crate) fn keyrings() -> Vec<(&'static str, Box<dyn ObjectKeyring>)> {
    vec![
        ("aes", Box::new(aes(1).material_description([("key", "of 2026")]))),
        ("rsa", Box::new(rsa("rsa-2048", true, true))),
        ("kms", Box::new(kms(&Fake::default()))),
    ]
}

/// The policy under which a version may be written.
pub(crate) fn policy(version: Version) -> CommitmentPolicy {
    if version == Version::V3 {
        CommitmentPolicy::RequireEncryptRequireDecrypt
    } else {
        CommitmentPolicy::ForbidEncryptAllowDecrypt
    }
}

pub(crate) fn encryptor<K: ObjectKeyring>(version: Version, keyring: K) -> ObjectEncryptor<K> {
    ObjectEncryptor::new(keyring).version(version).commitment(policy(version))
}

/// One that allows everything.
pub(crate) fn decryptor<K: ObjectKeyring>(keyring: K) -> ObjectDecryptor<K> {
    ObjectDecryptor::new(keyring).commitment(CommitmentPolicy::RequireEncryptAllowDecrypt).legacy(true).ranges(true)
}

pub(crate) fn open<K: ObjectKeyring>(decryptor: &ObjectDecryptor<K>, object: &SealedObject) -> Result<Vec<u8>> {
    let instruction = object.instruction.as_ref().map(|(body, _)| &body[..]);
    Ok(decryptor.decrypt(&object.metadata, instruction, &object.body)?.to_vec())
}

/// An object of AES-CBC as the oldest clients wrote it, under [`aes`]`(1)`.
pub(crate) fn v1(plaintext: &[u8]) -> SealedObject {
    use aws_lc_rs::cipher::{
        AES_256, DecryptionContext, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey,
    };
    let key = |bytes: &[u8; 32]| UnboundCipherKey::new(&AES_256, bytes).unwrap();
    let mut wrapped = vec![7; 32];
    PaddedBlockEncryptingKey::ecb_pkcs7(key(&[1; 32])).unwrap().encrypt(&mut wrapped).unwrap();
    let mut body = plaintext.to_vec();
    let cbc = PaddedBlockEncryptingKey::cbc_pkcs7(key(&[7; 32])).unwrap();
    let started = cbc.less_safe_encrypt(&mut body, EncryptionContext::Iv128([9; 16].into())).unwrap();
    assert!(matches!(started, DecryptionContext::Iv128(_)));
    let metadata = [
        ("x-amz-key", BASE64.encode(&wrapped)),
        ("x-amz-iv", BASE64.encode(&[9; 16])),
        ("x-amz-matdesc", "{}".to_owned()),
    ];
    SealedObject { metadata: metadata.into(), instruction: None, body }
}

/// Records what becomes of it.
#[derive(Default)]
pub(crate) struct Place {
    pub(crate) written: Vec<u8>,
    pub(crate) fate: Vec<&'static str>,
    pub(crate) refuses: bool,
    /// The longest piece that was written at once.
    pub(crate) longest: usize,
}

impl Write for Place {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.longest = self.longest.max(bytes.len());
        self.written.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Destination for Place {
    fn keep(&mut self) -> io::Result<()> {
        self.fate.push("kept");
        if self.refuses { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn discard(&mut self) {
        self.fate.push("discarded");
    }
}
