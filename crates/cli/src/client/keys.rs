//! Keys from files, and the keyring over them.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;

use client::EncryptionContext;
use client::aws::{Config, KmsClient};
use client::keys::{AesKey, KEY_FILE_LIMIT, KeyFile, RsaPrivateKey, RsaPublicKey};
use client::kms::KeyArn;
use client::message::{Keyring, KmsDiscovery, KmsKeyring, Multi, RawAes, RawRsa};
use client::object::{self, AesKeyring, Keyrings, ObjectKeyring, RsaKeyring};
use rustix::process::geteuid;
use zeroize::Zeroizing;

use super::args::{Keys, KmsService, Padding};
use super::failure::{Failure, Kind};

/// In the material description of objects: the id of the key file.
const KEY_ID: &str = "strongroom-key";

/// What a keyring is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Encrypt,
    Decrypt,
}

impl Keys {
    /// One keyring over all keys that were named.
    pub(super) fn keyring(&self, purpose: Purpose, service: &KmsService) -> Result<Multi, Failure> {
        self.without_use(false)?;
        let mut keyrings = self.of_kms(purpose, service)?;
        for path in &self.key_file {
            keyrings.push(Box::new(key_file(path)?.keyring()?));
        }
        if let Some(path) = &self.raw_key {
            let (namespace, name) = self.names()?;
            keyrings.push(Box::new(RawAes::new(namespace, name, raw_key(path)?)?));
        }
        if let Some(keyring) = self.rsa(purpose)? {
            keyrings.push(Box::new(keyring));
        }
        let mut keyrings = keyrings.into_iter();
        let first = keyrings.next().ok_or_else(|| {
            Failure::usage(
                "no key: give --kms-key, --key-file (`strongroom keygen` makes one), --raw-key, --rsa-public-key to encrypt, or \
                 --rsa-private-key or --discovery to decrypt",
            )
        })?;
        Ok(keyrings.fold(Multi::new(first), Multi::with))
    }

    /// How many wrapped data keys a message for them has.
    pub(super) fn count(&self) -> usize {
        let single = [&self.raw_key, &self.rsa_public_key];
        self.kms_key.len() + self.key_file.len() + single.into_iter().flatten().count()
    }

    fn of_kms(&self, purpose: Purpose, service: &KmsService) -> Result<Vec<Box<dyn Keyring>>, Failure> {
        let mut keyrings: Vec<Box<dyn Keyring>> = Vec::new();
        if self.kms_key.is_empty() && !self.discovery {
            return Ok(keyrings);
        }
        let kms = Arc::new(KmsClient::new(&service.config()?)?);
        for key in &self.kms_key {
            if purpose == Purpose::Decrypt && !key.parse::<KeyArn>().is_ok_and(|arn| arn.is_key()) {
                return Err(Failure::usage(format!(
                    "{key:?}: to decrypt a message, name a KMS key by its ARN (`strongroom inspect` shows those that would open it), or \
                     take --discovery"
                )));
            }
            let keyring =
                KmsKeyring::multi_region(kms.clone(), key).map_err(|error| Failure::usage(error.to_string()))?;
            keyrings.push(Box::new(keyring.grant_tokens(&self.grant_token)));
        }
        if self.discovery {
            if purpose == Purpose::Encrypt {
                return Err(Failure::usage("--discovery only decrypts"));
            }
            let mut keyring = match &self.discovery_region {
                Some(region) => KmsDiscovery::multi_region(kms, region),
                None => KmsDiscovery::new(kms),
            };
            if !self.discovery_account.is_empty() {
                keyring = keyring.only(&self.discovery_partition, &self.discovery_account);
            }
            keyrings.push(Box::new(keyring.grant_tokens(&self.grant_token)));
        }
        Ok(keyrings)
    }

    fn rsa(&self, purpose: Purpose) -> Result<Option<RawRsa>, Failure> {
        let needed = match purpose {
            Purpose::Encrypt => (&self.rsa_public_key, "--rsa-public-key encrypts"),
            Purpose::Decrypt => (&self.rsa_private_key, "--rsa-private-key decrypts"),
        };
        let (Some(path), _) = needed else {
            return if self.has_rsa() { Err(Failure::usage(needed.1)) } else { Ok(None) };
        };
        let (namespace, name) = self.names()?;
        let keyring = RawRsa::new(namespace, name, self.rsa_padding.unwrap_or(Padding::OaepSha256).into())?;
        Ok(Some(match purpose {
            Purpose::Encrypt => keyring.public_key(public_key(path)?),
            Purpose::Decrypt => keyring.private_key(private_key(path)?),
        }))
    }

    fn has_rsa(&self) -> bool {
        self.rsa_public_key.is_some() || self.rsa_private_key.is_some()
    }

    /// An option that would say nothing is a mistake.
    fn without_use(&self, objects: bool) -> Result<(), Failure> {
        let named = self.key_namespace.is_some() || self.key_name.is_some();
        let why = if objects && (named || self.rsa_padding.is_some()) {
            "--key-namespace, --key-name and --rsa-padding are for messages: objects have none"
        } else if named && self.raw_key.is_none() && !self.has_rsa() {
            "--key-namespace and --key-name are those of --raw-key or of an RSA key"
        } else if self.rsa_padding.is_some() && !self.has_rsa() {
            "--rsa-padding is that of an RSA key"
        } else if !self.grant_token.is_empty() && self.kms_key.is_empty() && !self.discovery {
            "--grant-token is for a KMS key"
        } else {
            return Ok(());
        };
        Err(Failure::usage(why))
    }

    fn names(&self) -> Result<(&str, &str), Failure> {
        match (&self.key_namespace, &self.key_name) {
            (Some(namespace), Some(name)) => Ok((namespace, name)),
            _ => Err(Failure::usage(
                "a raw AES or RSA key needs --key-namespace and --key-name, which stand in messages",
            )),
        }
    }

    /// The keys for objects. One of them writes; of several, the stored description chooses which opens.
    pub(super) fn of_objects(
        &self,
        purpose: Purpose,
        service: &Config,
        description: &EncryptionContext,
    ) -> Result<Keyrings, Failure> {
        let mut keyrings: Vec<Box<dyn ObjectKeyring>> = Vec::new();
        self.without_use(true)?;
        if self.discovery {
            return Err(Failure::usage("--discovery is for messages: an object does not name its KMS key"));
        }
        let of_kms_alone = self.key_file.is_empty() && self.raw_key.is_none() && !self.has_rsa();
        if of_kms_alone && !description.is_empty() {
            return Err(Failure::usage(
                "--material-description is that of a raw AES or RSA key; a KMS key has --context",
            ));
        }
        if !self.kms_key.is_empty() {
            let kms = Arc::new(KmsClient::new(service)?);
            for key in &self.kms_key {
                let keyring =
                    object::KmsKeyring::new(kms.clone(), key).map_err(|error| Failure::usage(error.to_string()))?;
                keyrings.push(Box::new(keyring.grant_tokens(&self.grant_token)));
            }
        }
        for path in &self.key_file {
            let file = key_file(path)?;
            let mut description = description.clone();
            description.insert(KEY_ID, file.id());
            keyrings.push(Box::new(AesKeyring::new(file.key().clone()).material_description(description)));
        }
        if let Some(path) = &self.raw_key {
            keyrings.push(Box::new(AesKeyring::new(raw_key(path)?).material_description(description.clone())));
        }
        let public = self.rsa_public_key.as_deref().map(public_key).transpose()?;
        let private = self.rsa_private_key.as_deref().map(private_key).transpose()?;
        if public.is_some() || private.is_some() {
            keyrings.push(Box::new(RsaKeyring::new(public, private)?.material_description(description.clone())));
        }
        if purpose == Purpose::Encrypt && keyrings.len() > 1 {
            return Err(Failure::usage("an object has room for one wrapped key: give one key to write with"));
        }
        let mut keyrings = keyrings.into_iter();
        let first = keyrings.next().ok_or_else(|| {
            Failure::usage("no key: give --kms-key, --key-file (`strongroom keygen` makes one), --raw-key, or RSA keys")
        })?;
        Ok(keyrings.fold(Keyrings::new(first), Keyrings::with))
    }
}

/// A key file, which nobody else may read.
pub(super) fn key_file(path: &Path) -> Result<KeyFile, Failure> {
    let bytes = secret(path)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| wrong(path, "not a key file of strongroom"))?;
    KeyFile::parse(text).map_err(|error| Failure::from(error).within(path.display()))
}

fn raw_key(path: &Path) -> Result<AesKey, Failure> {
    AesKey::new(&secret(path)?).map_err(|error| Failure::from(error).within(path.display()))
}

fn public_key(path: &Path) -> Result<RsaPublicKey, Failure> {
    let bytes = read(path, &File::open(path).map_err(|error| Failure::file(path, &error))?)?;
    let key = match std::str::from_utf8(&bytes) {
        Ok(text) => RsaPublicKey::from_pem(text),
        Err(_) => RsaPublicKey::from_der(&bytes),
    };
    key.map_err(|error| Failure::from(error).within(path.display()))
}

fn private_key(path: &Path) -> Result<RsaPrivateKey, Failure> {
    let bytes = secret(path)?;
    let key = match std::str::from_utf8(&bytes) {
        Ok(text) => RsaPrivateKey::from_pem(text),
        Err(_) => RsaPrivateKey::from_der(&bytes),
    };
    key.map_err(|error| Failure::from(error).within(path.display()))
}

/// A file that others can neither read nor change; refused otherwise, as ssh does with its keys. A pipe (`<(command)`) has no others.
fn secret(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let failed = |error| Failure::file(path, &error);
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if metadata.is_file() && !trusts(metadata.uid(), geteuid().as_raw()) {
        return Err(Failure::new(
            Kind::Failed,
            format!("{} belongs to somebody else, who may know and change it", path.display()),
        ));
    }
    let mode = metadata.permissions().mode() & 0o7777;
    if metadata.is_file() && mode & 0o077 != 0 {
        let text = format!(
            "{} can be read or changed by others than its owner (mode {mode:04o}); make it 0600",
            path.display()
        );
        return Err(Failure::new(Kind::Failed, text));
    }
    read(path, &file)
}

/// Whether a key of this owner is one's own: root, who can read everything, may have put it there.
fn trusts(owner: u32, user: u32) -> bool {
    owner == user || owner == 0
}

/// All of a short file, into memory that does not move.
fn read(path: &Path, mut file: &File) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut bytes = Zeroizing::new(vec![0; KEY_FILE_LIMIT + 1]);
    let mut length = 0;
    loop {
        match file.read(&mut bytes[length..]).map_err(|error| Failure::file(path, &error))? {
            0 => break,
            read => length += read,
        }
        if length > KEY_FILE_LIMIT {
            return Err(wrong(path, "too long for a key"));
        }
    }
    bytes.truncate(length);
    Ok(bytes)
}

fn wrong(path: &Path, text: &str) -> Failure {
    Failure::usage(format!("{}: {text}", path.display()))
}
