//! Whose store this is: the account of its root user and its Region, which stand in every ARN that it ever gave out.
//! docs/formats/store-identity.md.
//!
//! The account is random by default. A fixed one would make the ARNs of any two stores equal, and with them the encryption contexts
//! that S3 derives; a key of one store would seem to be a key of the other.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use keys::{AccountId, RecordSealer, Region, RootKeyError, RootKeyIdentity, RootKeyKind, RootKeys};
use serde::Deserialize;

use crate::config::Config;
use crate::error::Error;
use crate::files::{self, FileError};

/// What a store is called by the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoreIdentity {
    /// The root user's account.
    pub account: AccountId,
    /// The Region.
    pub region: Region,
}

impl StoreIdentity {
    /// A new store's, as far as the operator does not say otherwise.
    pub(crate) fn new(config: &Config) -> StoreIdentity {
        StoreIdentity {
            account: config.account_id.unwrap_or_else(random_account),
            region: config
                .region
                .clone()
                .unwrap_or_else(|| Region::parse(DEFAULT_REGION).expect("the default Region is one")),
        }
    }

    pub(crate) fn path(data_dir: &Path) -> PathBuf {
        data_dir.join("identity.toml")
    }

    /// Reads a store's identity; none if there is no file. It is not verified: see [`Sealed::settle`].
    pub(crate) fn load(data_dir: &Path) -> Result<Option<Sealed>, Error> {
        let path = StoreIdentity::path(data_dir);
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            other => other.map_err(|error| FileError::Io(path.clone(), error))?,
        };
        let malformed = |reason: String| Error::from(FileError::Malformed(path.clone(), reason));
        let file: IdentityFile = files::parse_toml(&text, &path)?;
        if file.format != FORMAT || !(1..=VERSION).contains(&file.version) {
            return Err(malformed(format!("it is not a file of {FORMAT}, version {VERSION}")));
        }
        let account = AccountId::parse(&file.account_id).map_err(|error| malformed(error.to_string()))?;
        let region = file.region.parse().map_err(|error: keys::InvalidIdentifier| malformed(error.to_string()))?;
        let seal = HEXLOWER.decode(file.seal.as_bytes()).map_err(|error| malformed(error.to_string()))?;
        Ok(Some(Sealed { identity: StoreIdentity { account, region }, version: file.version, seal, path }))
    }

    /// Writes a new store's identity.
    pub(crate) fn store(&self, data_dir: &Path, records: &RecordSealer) -> Result<(), Error> {
        Ok(files::write_new(&StoreIdentity::path(data_dir), self.text(records).as_bytes())?)
    }

    fn text(&self, records: &RecordSealer) -> String {
        let seal = records.seal(KIND, &self.aad(VERSION), &[]);
        format!(
            "# Whose store this is. Made by strongroom, sealed by the store's keys: not to be edited.\n\
             format = \"{FORMAT}\"\nversion = {VERSION}\naccount_id = \"{}\"\nregion = \"{}\"\nseal = \"{}\"\n",
            self.account,
            self.region,
            HEXLOWER.encode(&seal),
        )
    }

    /// Whether the settings want something else than what the store is.
    pub(crate) fn check(&self, config: &Config) -> Result<(), Error> {
        if let Some(region) = config.region.as_ref().filter(|region| **region != self.region) {
            return Err(Error::OtherRegion { store: self.region.clone(), setting: region.clone() });
        }
        if let Some(account) = config.account_id.filter(|account| *account != self.account) {
            return Err(Error::OtherAccount { store: self.account, setting: account });
        }
        Ok(())
    }

    /// What the seal covers. The first bytes keep it apart from everything else that is sealed with the same key.
    fn aad(&self, version: u32) -> Vec<u8> {
        let mut aad = format!("strongroom store identity {version}\0").into_bytes();
        aad.extend_from_slice(self.account.as_str().as_bytes());
        aad.extend_from_slice(self.region.as_str().as_bytes());
        aad
    }
}

/// An identity as it was read.
pub(crate) struct Sealed {
    identity: StoreIdentity,
    version: u32,
    seal: Vec<u8>,
    path: PathBuf,
}

impl Sealed {
    /// The identity as the file has it. One of version 1 is verified already: its key file sealed it.
    pub(crate) async fn claimed(&self, roots: &RootKeys) -> Result<StoreIdentity, Error> {
        if self.version == 1 {
            let by = RootKeyIdentity { kind: RootKeyKind::KeyFile, name: None };
            match roots.unwrap(&by, &self.identity.aad(1), &self.seal).await {
                Ok(_) => {}
                Err(RootKeyError::NoneOpens { .. }) => return Err(Error::OtherRootKey(self.path.clone())),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(self.identity.clone())
    }

    /// Verifies the identity by the store's keys, before anything is done in its name. A file of version 1 is written anew, so that
    /// nothing but the domain keys hangs on the root key.
    pub(crate) fn settle(self, data_dir: &Path, records: &RecordSealer) -> Result<(), Error> {
        if self.version == 1 {
            return Ok(files::replace(&StoreIdentity::path(data_dir), self.identity.text(records).as_bytes())?);
        }
        match records.open(KIND, &self.identity.aad(self.version), &self.seal) {
            Ok(_) => Ok(()),
            Err(_) => Err(Error::IdentityChanged(self.path)),
        }
    }

    /// The identity for a use where a wrong one does no harm.
    pub(crate) fn unverified(self) -> StoreIdentity {
        self.identity
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IdentityFile {
    format: String,
    version: u32,
    account_id: String,
    region: String,
    seal: String,
}

/// Twelve random digits of which the first is not 0, for programs that take the id for a number.
fn random_account() -> AccountId {
    let random = u64::from_be_bytes(seal::random_bytes::<8>());
    let digits = 100_000_000_000 + random % 900_000_000_000;
    digits.to_string().parse().expect("a number of twelve digits is an account id")
}

const FORMAT: &str = "strongroom store";
const VERSION: u32 = 2;
/// The kind that the seal is sealed as.
const KIND: &[u8] = b"store identity";
const DEFAULT_REGION: &str = "us-east-1";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;
    use std::sync::Arc;

    use keys::{KeyFile, Keys, RootKey};

    async fn keys(root: Arc<KeyFile>) -> Arc<Keys> {
        let clock: keys::Clock = Arc::new(std::time::SystemTime::now);
        let settings = keys::Settings { region: "eu-west-1".parse().unwrap(), other_regions: vec![], clock };
        Keys::open(Arc::new(meta::memory::Memory::new()), root, settings).await.unwrap()
    }

    fn load(folder: &Path) -> Sealed {
        StoreIdentity::load(folder).unwrap().unwrap()
    }

    #[tokio::test]
    async fn only_of_its_own_keys_and_unchanged() {
        let folder = tempfile::TempDir::new().unwrap();
        let root = Arc::new(KeyFile::create(&folder.path().join("root.key")).unwrap());
        let (own, other) = (keys(Arc::clone(&root)).await, keys(root).await);
        let identity = StoreIdentity { account: random_account(), region: "eu-west-1".parse().unwrap() };
        assert!(StoreIdentity::load(folder.path()).unwrap().is_none());
        identity.store(folder.path(), own.records()).unwrap();

        assert_eq!(load(folder.path()).identity, identity);
        load(folder.path()).settle(folder.path(), own.records()).unwrap();
        let changed = |result| matches!(result, Err(Error::IdentityChanged(_)));
        assert!(changed(load(folder.path()).settle(folder.path(), other.records())));
        let path = StoreIdentity::path(folder.path());
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("eu-west-1", "eu-west-2")).unwrap();
        assert!(changed(load(folder.path()).settle(folder.path(), own.records())));
    }

    #[tokio::test]
    async fn a_file_of_version_1_is_of_its_own_root_key_and_is_written_anew() {
        let folder = tempfile::TempDir::new().unwrap();
        let root = Arc::new(KeyFile::create(&folder.path().join("one")).unwrap());
        let other = Arc::new(KeyFile::create(&folder.path().join("other")).unwrap());
        let own = keys(Arc::clone(&root)).await;
        let aad = b"strongroom store identity 1\x00111122223333eu-west-1";
        let seal = HEXLOWER.encode(&root.wrap(aad, &seal::SecretKey::generate()).await.unwrap());
        let text = format!(
            "format = \"strongroom store\"\nversion = 1\naccount_id = \"111122223333\"\nregion = \"eu-west-1\"\nseal = \"{seal}\"\n"
        );
        let path = StoreIdentity::path(folder.path());
        fs::write(&path, text.replace("west", "east")).unwrap();
        assert!(load(folder.path()).claimed(&RootKeys::from(Arc::clone(&root))).await.is_err());
        fs::write(&path, text).unwrap();
        let refused = load(folder.path()).claimed(&RootKeys::from(other)).await;
        assert!(matches!(refused, Err(Error::OtherRootKey(_))));
        let claimed = load(folder.path()).claimed(&RootKeys::from(root)).await.unwrap();
        load(folder.path()).settle(folder.path(), own.records()).unwrap();
        assert_eq!((load(folder.path()).version, &load(folder.path()).identity), (2, &claimed));
        load(folder.path()).settle(folder.path(), own.records()).unwrap();
    }
}
