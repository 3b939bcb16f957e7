//! The vectors of AWS's own clients that need no account. Each test says how many it held.

use crate::archive::{tell, unzip, vectors};
use client::keys::{AesKey, RsaPadding, RsaPrivateKey, RsaPublicKey};
use client::message::{
    CommitmentPolicy, Decryptor, EncryptedDataKey, Keyring, Multi, Opened, RawAes, RawRsa, Request, Wrapped,
};
use client::{DataKey, EncryptionContext, Error};
use data_encoding::BASE64;
use serde_json::Value;
use std::collections::BTreeMap;

/// An archive of decryption tests.
struct Archive {
    files: BTreeMap<String, Vec<u8>>,
    manifest: Value,
    keys: Value,
}

struct Case<'a> {
    name: &'a str,
    message: &'a [u8],
    plaintext: &'a [u8],
    context: EncryptionContext,
    required: bool,
    keyring: Option<Box<dyn Keyring>>,
}

impl Archive {
    fn open(name: &str) -> Option<Self> {
        let files = unzip(&vectors(name)?);
        let json = |name: &str| serde_json::from_slice(&files[name]).unwrap();
        let (manifest, keys) = (json("manifest.json"), json("keys.json"));
        Some(Self { files, manifest, keys })
    }

    fn file(&self, uri: &Value) -> &[u8] {
        &self.files[uri.as_str().unwrap().strip_prefix("file://").unwrap()]
    }

    fn cases(&self) -> impl Iterator<Item = Case<'_>> {
        self.manifest["tests"].as_object().unwrap().iter().map(|(name, test)| {
            let pairs = test["encryption-context"].as_object().unwrap();
            Case {
                name,
                message: self.file(&test["ciphertext"]),
                plaintext: self.file(&test["result"]["output"]["plaintext"]),
                context: pairs.iter().map(|(name, value)| (name, value.as_str().unwrap())).collect(),
                required: test["cmm"] == "RequiredEncryptionContext",
                keyring: self.multi(test["master-keys"].as_array().unwrap()),
            }
        })
    }

    /// All keys of a test, any of which opens it.
    fn multi(&self, keys: &[Value]) -> Option<Box<dyn Keyring>> {
        let keyrings = keys.iter().filter_map(|key| self.keyring(key)).collect::<Vec<_>>();
        if keyrings.is_empty() {
            return None;
        }
        Some(Box::new(keyrings.into_iter().fold(Multi::without_generator(), Multi::with)))
    }

    /// None where it takes an account at AWS.
    fn keyring(&self, key: &Value) -> Option<Box<dyn Keyring>> {
        let text = |name: &str| key[name].as_str().unwrap();
        if text("type") == "aws-kms" {
            return None;
        }
        let material = &self.keys["keys"][text("key")];
        let (id, bytes) = (material["key-id"].as_str().unwrap(), material["material"].as_str().unwrap());
        if text("encryption-algorithm") == "aes" {
            let bytes = AesKey::new(&BASE64.decode(bytes.as_bytes()).unwrap()).unwrap();
            return Some(Box::new(RawAes::new(text("provider-id"), id, bytes).unwrap()));
        }
        let padding = match (text("padding-algorithm"), text("padding-hash")) {
            ("oaep-mgf1", "sha256") => RsaPadding::OaepSha256,
            ("oaep-mgf1", "sha512") => RsaPadding::OaepSha512,
            other => panic!("{other:?}"),
        };
        let keyring = RawRsa::new(text("provider-id"), id, padding).unwrap();
        Some(Box::new(if material["type"] == "public" {
            keyring.public_key(RsaPublicKey::from_pem(bytes).unwrap())
        } else {
            keyring.private_key(RsaPrivateKey::from_pem(bytes).unwrap())
        }))
    }
}

impl Case<'_> {
    fn decryptor(&self) -> Decryptor<&dyn Keyring> {
        Decryptor::new(&**self.keyring.as_ref().unwrap())
            .commitment(CommitmentPolicy::RequireEncryptAllowDecrypt)
            .context(self.context.clone())
    }

    fn open(&self) -> Result<Opened, Error> {
        self.decryptor().decrypt(self.message)
    }
}

/// Opens all that raw keys open; how many of how many.
fn all_open(archive: &str) -> Option<(usize, usize)> {
    let archive = Archive::open(archive)?;
    let (mut opened, mut all) = (0, 0);
    for case in archive.cases() {
        all += 1;
        if case.keyring.is_none() {
            continue;
        }
        let found = case.open().unwrap_or_else(|error| panic!("{}: {error}", case.name));
        assert_eq!(found.plaintext[..], *case.plaintext, "{}", case.name);
        assert_eq!(case.required, found.header.context().len() < found.context.len(), "{}", case.name);
        opened += 1;
    }
    Some((opened, all))
}

#[test]
fn what_the_net_client_4_0_1_wrote_opens() {
    let Some((opened, all)) = all_open("v4-Net-4.0.1.zip") else { return };
    tell(&format!("v4-Net-4.0.1: {opened} of {all} opened, the rest takes KMS"));
    assert_eq!((opened, all), (99, 132));
}

#[test]
fn what_the_net_client_4_0_0_wrote_well_opens() {
    let Some((opened, all)) = all_open("valid-Net-4.0.0.zip") else { return };
    tell(&format!("valid-Net-4.0.0: {opened} of {all} opened"));
    assert_eq!((opened, all), (5, 5));
}

/// All 28 have a header's tag that the format does not know: that of version 4.0.0 of the .NET client. It put two zero bytes (the
/// length of an empty context) behind the header, and in suites of version 1 with HKDF it left the message id out of the derivation;
/// those with required context have the second fault alone. So all are refused, and all open once asked to be taken.
#[test]
fn what_the_net_client_4_0_0_wrote_wrongly_opens_on_request_alone() {
    let Some(archive) = Archive::open("invalid-Net-4.0.0.zip") else { return };
    let (mut refused, mut opened) = (0, 0);
    for case in archive.cases() {
        assert!(matches!(case.open(), Err(Error::HeaderTag)), "{}", case.name);
        refused += 1;
        let found = case.decryptor().accept_net_4_0_0().decrypt(case.message).unwrap();
        assert_eq!(found.plaintext[..], *case.plaintext, "{}", case.name);
        assert!(!case.required || found.header.suite().id() >> 8 != 0, "{}: its tag would be right", case.name);
        opened += 1;
    }
    tell(&format!("invalid-Net-4.0.0: {refused} refused for their header's tag, {opened} of them opened as 4.0.0's"));
    assert_eq!((refused, opened), (28, 28));
}

/// Opens with the data key that the vector names, whatever is wrapped.
struct Static(Vec<u8>);

impl Keyring for Static {
    fn on_encrypt(&self, _: &Request<'_>, _: &mut Wrapped) -> Result<(), Error> {
        Err(Error::KeyringCannot("encrypt"))
    }

    fn on_decrypt(&self, _: &Request<'_>, _: &[EncryptedDataKey]) -> Result<DataKey, Error> {
        Ok(DataKey::from_bytes(self.0.clone().into()))
    }
}

#[test]
fn the_commitment_vectors_hold() {
    let Some(file) = vectors("commitment-test-vectors.json") else { return };
    let vectors: Value = serde_json::from_slice(&file).unwrap();
    let (mut opened, mut refused) = (0, 0);
    for test in vectors["tests"].as_array().unwrap() {
        let bytes = |value: &Value| BASE64.decode(value.as_str().unwrap().as_bytes()).unwrap();
        let (message, comment) = (bytes(&test["ciphertext"]), test["comment"].as_str().unwrap());
        let keyring = Static(bytes(&test["decrypted-dek"]));
        let found = Decryptor::new(&keyring).decrypt(&message);
        if test["status"] == true {
            let found = found.unwrap_or_else(|error| panic!("{comment}: {error}"));
            let frames: Vec<&str> =
                test["plaintext-frames"].as_array().unwrap().iter().map(|frame| frame.as_str().unwrap()).collect();
            assert_eq!(found.plaintext[..], *frames.concat().as_bytes(), "{comment}");
            assert_eq!(found.header.message_id(), bytes(&test["message-id"]), "{comment}");
            for (name, value) in test["encryption-context"].as_object().unwrap() {
                assert_eq!(found.context.get(name), value.as_str(), "{comment}");
            }
            opened += 1;
        } else {
            assert!(matches!(found, Err(Error::Commitment)), "{comment}");
            refused += 1;
        }
    }
    tell(&format!("commitment-test-vectors: {opened} opened, {refused} refused for their commitment"));
    assert_eq!((opened, refused), (41, 5));
}
