//! Keyrings over a key management service that lives in memory, and records what it is asked.

use crate::support::{aes, named};
use crate::support::{decryptor, encryptor};
use client::kms::{DecryptedKey, EncryptedKey, GeneratedKey, KeyRequest, Kms, KmsError};
use client::message::{Decryptor, Encryptor, KmsDiscovery, KmsKeyring, Multi, Suite};
use client::{DataKey, EncryptionContext, Error};
use std::sync::{Arc, Mutex};

pub(crate) const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234";
pub(crate) const OTHER: &str = "arn:aws:kms:eu-west-1:444455556666:key/5678";
const MRK_WEST: &str = "arn:aws:kms:eu-west-1:111122223333:key/mrk-abcd";
const MRK_EAST: &str = "arn:aws:kms:us-east-1:111122223333:key/mrk-abcd";

/// A service of one Region. Its ciphertexts are `key id ‖ context ‖ data key`, so that what is bound can be looked at.
#[derive(Clone, Default)]
pub(crate) struct Fake(Arc<Mutex<Asked>>);

#[derive(Default)]
pub(crate) struct Asked {
    calls: Vec<String>,
    tokens: Vec<String>,
    /// Answers for this key instead of the one that was asked.
    pub(crate) answers_for: Option<String>,
    /// Answers with a data key of so many bytes.
    pub(crate) answers_length: Option<usize>,
    pub(crate) refuses: Vec<String>,
}

impl Fake {
    pub(crate) fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().calls)
    }

    pub(crate) fn set(self, change: impl FnOnce(&mut Asked)) -> Self {
        change(&mut self.0.lock().unwrap());
        self
    }

    /// The ARN of the answer.
    fn called(&self, operation: &str, key: &KeyRequest<'_>) -> Result<String, KmsError> {
        let mut asked = self.0.lock().unwrap();
        asked.calls.push(format!("{operation} {}", key.key_id));
        asked.tokens = key.grant_tokens.to_vec();
        if asked.refuses.iter().any(|refused| refused == key.key_id) {
            return Err(KmsError::new("AccessDeniedException", "not you"));
        }
        let arn = if key.key_id == "alias/a" { KEY } else { key.key_id };
        Ok(asked.answers_for.clone().unwrap_or(arn.to_owned()))
    }

    /// Replicas have the same material.
    fn material(arn: &str) -> &str {
        arn.rsplit('/').next().unwrap()
    }

    fn seal(arn: &str, context: &EncryptionContext, plaintext: &[u8]) -> Vec<u8> {
        format!("{}|{:?}|", Self::material(arn), context)
            .into_bytes()
            .into_iter()
            .chain(plaintext.iter().copied())
            .collect()
    }
}

impl Kms for Fake {
    fn generate_data_key(&self, key: &KeyRequest<'_>, bytes: usize) -> Result<GeneratedKey, KmsError> {
        let key_arn = self.called("GenerateDataKey", key)?;
        let bytes = self.0.lock().unwrap().answers_length.unwrap_or(bytes);
        let plaintext = DataKey::random(bytes).unwrap();
        let ciphertext = Self::seal(&key_arn, key.context, plaintext.as_bytes());
        Ok(GeneratedKey { plaintext, ciphertext, key_arn })
    }

    fn encrypt(&self, key: &KeyRequest<'_>, plaintext: &DataKey) -> Result<EncryptedKey, KmsError> {
        let key_arn = self.called("Encrypt", key)?;
        Ok(EncryptedKey { ciphertext: Self::seal(&key_arn, key.context, plaintext.as_bytes()), key_arn })
    }

    fn decrypt(&self, key: &KeyRequest<'_>, ciphertext: &[u8]) -> Result<DecryptedKey, KmsError> {
        let key_arn = self.called("Decrypt", key)?;
        let begin = Self::seal(key.key_id, key.context, b"");
        let Some(plaintext) = ciphertext.strip_prefix(&begin[..]) else {
            return Err(KmsError::new("InvalidCiphertextException", ""));
        };
        let length = self.0.lock().unwrap().answers_length.unwrap_or(plaintext.len());
        Ok(DecryptedKey { plaintext: DataKey::from_bytes(plaintext[..length].to_vec().into()), key_arn })
    }
}

fn strict(kms: &Fake, key: &str) -> KmsKeyring<Fake> {
    KmsKeyring::new(kms.clone(), key).unwrap()
}

fn sealed(key: &str) -> Vec<u8> {
    Encryptor::new(strict(&Fake::default(), key)).context([("a", "b")]).encrypt(b"text").unwrap()
}

#[test]
fn one_call_each_way_with_the_suites_length_and_the_whole_context() {
    for suite in Suite::all() {
        let kms = Fake::default();
        let keyring = strict(&kms, KEY).grant_tokens(["token"]);
        let message = encryptor(suite, &keyring).context([("a", "b")]).encrypt(b"text").unwrap();
        assert_eq!(kms.calls(), [format!("GenerateDataKey {KEY}")]);
        let opened = decryptor(&keyring).decrypt(&message).unwrap();
        assert_eq!(kms.calls(), [format!("Decrypt {KEY}")]);
        assert_eq!(kms.0.lock().unwrap().tokens, ["token"]);
        let key = &opened.header.keys()[0];
        assert_eq!((key.provider.as_str(), &key.info[..]), ("aws-kms", KEY.as_bytes()));
        let bound = Fake::seal(KEY, &opened.context, b"");
        assert!(
            key.ciphertext.starts_with(&bound) && key.ciphertext.len() == bound.len() + suite.key_length(),
            "{suite}"
        );
    }
}

#[test]
fn an_alias_wraps_under_its_keys_arn_and_opens_nothing() {
    let kms = Fake::default();
    let message = Encryptor::new(strict(&kms, "alias/a")).encrypt(b"text").unwrap();
    assert!(Decryptor::new(strict(&kms, KEY)).decrypt(&message).is_ok());
    kms.calls();
    let refused = Decryptor::new(strict(&kms, "alias/a")).decrypt(&message);
    assert!(matches!(refused, Err(Error::NoKeyOpens(failures)) if failures.is_empty()));
    assert!(kms.calls().is_empty(), "it is not even asked");
}

#[test]
fn a_strict_keyring_asks_for_its_own_key_alone() {
    let kms = Fake::default();
    assert!(matches!(Decryptor::new(strict(&kms, OTHER)).decrypt(&sealed(KEY)), Err(Error::NoKeyOpens(_))));
    assert!(matches!(Decryptor::new(strict(&kms, MRK_EAST)).decrypt(&sealed(MRK_WEST)), Err(Error::NoKeyOpens(_))));
    assert!(kms.calls().is_empty());
}

#[test]
fn a_multi_region_keyring_asks_for_its_own_regions_replica() {
    let kms = Fake::default();
    let east = |key| KmsKeyring::multi_region(kms.clone(), key).unwrap();
    assert!(Decryptor::new(east(MRK_EAST)).decrypt(&sealed(MRK_WEST)).is_ok());
    assert_eq!(kms.calls(), [format!("Decrypt {MRK_EAST}")]);
    assert!(matches!(Decryptor::new(east(OTHER)).decrypt(&sealed(KEY)), Err(Error::NoKeyOpens(_))));
    assert!(kms.calls().is_empty());
}

#[test]
fn discovery_asks_for_what_is_named_within_its_filter() {
    let kms = Fake::default();
    let discovery = || KmsDiscovery::new(kms.clone());
    let ours = || discovery().only("aws", ["111122223333", "777788889999"]);
    assert!(Decryptor::new(discovery()).decrypt(&sealed(OTHER)).is_ok());
    assert!(Decryptor::new(ours()).decrypt(&sealed(KEY)).is_ok());
    assert_eq!(kms.calls(), [format!("Decrypt {OTHER}"), format!("Decrypt {KEY}")]);
    assert!(matches!(Decryptor::new(ours()).decrypt(&sealed(OTHER)), Err(Error::NoKeyOpens(_))));
    let china = discovery().only("aws-cn", ["111122223333"]);
    assert!(matches!(Decryptor::new(china).decrypt(&sealed(KEY)), Err(Error::NoKeyOpens(_))));
    let nobody = discovery().only("aws", Vec::<String>::new());
    assert!(matches!(Decryptor::new(nobody).decrypt(&sealed(KEY)), Err(Error::NoKeyOpens(_))));
    assert!(kms.calls().is_empty(), "others are not asked for");
    assert!(matches!(Encryptor::new(discovery()).encrypt(b""), Err(Error::KeyringCannot(_))));
}

#[test]
fn multi_region_discovery_asks_in_its_own_region() {
    let kms = Fake::default();
    let east = || KmsDiscovery::multi_region(kms.clone(), "us-east-1");
    assert!(Decryptor::new(east()).decrypt(&sealed(MRK_WEST)).is_ok());
    assert_eq!(kms.calls(), [format!("Decrypt {MRK_EAST}")]);
    assert!(
        matches!(Decryptor::new(east()).decrypt(&sealed(KEY)), Err(Error::NoKeyOpens(_))),
        "a key of another Region"
    );
    assert!(kms.calls().is_empty());
    let west = KmsDiscovery::multi_region(kms.clone(), "eu-west-1").only("aws", ["111122223333"]);
    assert!(Decryptor::new(west).decrypt(&sealed(KEY)).is_ok());
}

#[test]
fn answers_for_another_key_or_of_another_length_are_refused() {
    let message = sealed(KEY);
    let failure = |kms: &Fake| match Decryptor::new(strict(kms, KEY)).decrypt(&message) {
        Err(Error::NoKeyOpens(failures)) => failures.into_iter().map(|failure| failure.to_string()).collect::<String>(),
        other => panic!("{other:?}"),
    };
    let kms = Fake::default().set(|asked| asked.answers_for = Some(OTHER.to_owned()));
    assert!(failure(&kms).contains("answered for"));
    let kms = Fake::default().set(|asked| asked.answers_length = Some(16));
    assert!(failure(&kms).contains("16 bytes"));
    assert!(matches!(
        Encryptor::new(strict(&kms, KEY)).encrypt(b""),
        Err(Error::DataKeyLength { expected: 32, found: 16 })
    ));
    let kms = Fake::default().set(|asked| asked.answers_for = Some("alias/a".to_owned()));
    assert!(matches!(Encryptor::new(strict(&kms, KEY)).encrypt(b""), Err(Error::KeyArn(_))));
    let kms = Fake::default().set(|asked| asked.refuses.push(KEY.to_owned()));
    assert!(failure(&kms).contains("AccessDeniedException"));
    assert!(matches!(Encryptor::new(strict(&kms, KEY)).encrypt(b""), Err(Error::Kms(_))));
}

#[test]
fn the_next_wrapped_key_is_tried_after_a_failure() {
    let kms = Fake::default();
    let all = Multi::new(strict(&kms, KEY)).with(strict(&kms, OTHER)).with(aes());
    let message = Encryptor::new(all).encrypt(b"text").unwrap();
    assert_eq!(kms.calls(), [format!("GenerateDataKey {KEY}"), format!("Encrypt {OTHER}")]);
    let kms = Fake::default().set(|asked| asked.refuses.push(KEY.to_owned()));
    assert!(Decryptor::new(KmsDiscovery::new(kms.clone())).decrypt(&message).is_ok());
    assert_eq!(kms.calls(), [format!("Decrypt {KEY}"), format!("Decrypt {OTHER}")]);
    let offline = Multi::without_generator().with(strict(&kms, KEY)).with(aes());
    assert!(Decryptor::new(offline).decrypt(&message).is_ok());
    let neither = Decryptor::new(Multi::new(strict(&kms, KEY)).with(named("key 1", 9))).decrypt(&message);
    assert!(matches!(neither, Err(Error::NoKeyOpens(failures)) if failures.len() == 2));
}

#[test]
fn names_that_are_no_keys_are_refused() {
    for name in ["", "arn:aws:kms", "arn:aws:s3:::bucket/key"] {
        assert!(matches!(KmsKeyring::new(Fake::default(), name), Err(Error::KeyArn(_))), "{name}");
    }
}
