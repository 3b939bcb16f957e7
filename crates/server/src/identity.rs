//! Whose store this is: the account of its root user and its Region, which stand in every ARN that it ever gave out.
//! docs/formats/store-identity.md.
//!
//! The account is random by default. A fixed one would make the ARNs of any two stores equal, and with them the encryption contexts
//! that S3 derives; a key of one store would seem to be a key of the other.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use keys::{AccountId, Region, RootKey};
use serde::Deserialize;

use crate::config::Config;
use crate::error::Error;
use crate::files::{self, FileError};

/// What a store is called by the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The root user's account.
    pub account: AccountId,
    /// The Region.
    pub region: Region,
}

impl Identity {
    /// A new store's, as far as the operator does not say otherwise.
    pub(crate) fn new(config: &Config) -> Identity {
        Identity {
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

    /// Reads a store's identity; none if there is no file. It is not verified: see [`Sealed::verify`].
    pub(crate) fn load(data_dir: &Path) -> Result<Option<Sealed>, Error> {
        let path = Identity::path(data_dir);
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            other => other.map_err(|error| FileError::Io(path.clone(), error))?,
        };
        let malformed = |reason: String| Error::from(FileError::Malformed(path.clone(), reason));
        let file: IdentityFile = files::parse_toml(&text, &path)?;
        if file.format != FORMAT || file.version != VERSION {
            return Err(malformed(format!("it is not a file of {FORMAT}, version {VERSION}")));
        }
        let account = file.account_id.parse().map_err(|error: keys::InvalidIdentifier| malformed(error.to_string()))?;
        let region = file.region.parse().map_err(|error: keys::InvalidIdentifier| malformed(error.to_string()))?;
        let seal = HEXLOWER.decode(file.seal.as_bytes()).map_err(|error| malformed(error.to_string()))?;
        Ok(Some(Sealed { identity: Identity { account, region }, seal, path }))
    }

    /// Writes a new store's identity.
    pub(crate) async fn store(&self, data_dir: &Path, root: &dyn RootKey) -> Result<(), Error> {
        let seal = root.wrap(&self.aad(), &seal::SecretKey::generate()).await?;
        let text = format!(
            "# Whose store this is. Made by strongroom, sealed by the root key: not to be edited.\n\
             format = \"{FORMAT}\"\nversion = {VERSION}\naccount_id = \"{}\"\nregion = \"{}\"\nseal = \"{}\"\n",
            self.account,
            self.region,
            HEXLOWER.encode(&seal),
        );
        Ok(files::write_new(&Identity::path(data_dir), text.as_bytes())?)
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

    /// What the seal covers. The first bytes keep it apart from everything else that the root key wraps.
    fn aad(&self) -> Vec<u8> {
        let mut aad = Vec::from(*b"strongroom store identity 1\0");
        aad.extend_from_slice(self.account.as_str().as_bytes());
        aad.extend_from_slice(self.region.as_str().as_bytes());
        aad
    }
}

/// An identity as it was read.
pub(crate) struct Sealed {
    identity: Identity,
    seal: Vec<u8>,
    path: PathBuf,
}

impl Sealed {
    /// The identity, if this root key sealed it.
    pub(crate) async fn verify(self, root: &dyn RootKey) -> Result<Identity, Error> {
        match root.unwrap(&self.identity.aad(), &self.seal).await {
            Ok(_) => Ok(self.identity),
            Err(keys::RootKeyError::WrongKey) => Err(Error::OtherRootKey(self.path)),
            Err(error) => Err(error.into()),
        }
    }

    /// The identity for a use where a wrong one does no harm.
    pub(crate) fn unverified(self) -> Identity {
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
const VERSION: u32 = 1;
const DEFAULT_REGION: &str = "us-east-1";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;
    use keys::KeyFile;

    #[tokio::test]
    async fn only_its_own_root_key_and_unchanged() {
        let folder = tempfile::TempDir::new().unwrap();
        let root = KeyFile::create(&folder.path().join("one")).unwrap();
        let other = KeyFile::create(&folder.path().join("other")).unwrap();
        let identity = Identity { account: random_account(), region: "eu-west-1".parse().unwrap() };
        assert!(Identity::load(folder.path()).unwrap().is_none());
        identity.store(folder.path(), &root).await.unwrap();

        let load = || Identity::load(folder.path()).unwrap().unwrap();
        assert_eq!(load().verify(&root).await.unwrap(), identity);
        assert!(matches!(load().verify(&other).await, Err(Error::OtherRootKey(_))));
        let path = Identity::path(folder.path());
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("eu-west-1", "eu-west-2")).unwrap();
        assert!(matches!(load().verify(&root).await, Err(Error::OtherRootKey(_))));
    }
}
