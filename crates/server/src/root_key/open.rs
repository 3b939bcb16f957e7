//! Opening and making root keys.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use keys::{
    KeyFile, Pkcs11, Pkcs11Settings, RemoteKms, RemoteKmsSettings, RootKey, RootKeyError, RootKeyIdentity, RootKeyKind,
};
use seal::SecretKey;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::prompt;
use super::source::{Kms, Passphrase, Source, Token};
use crate::error::Error;
use crate::files::{self, FileError};

/// Secrets that only the asking process has: its environment's, or what somebody typed.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// The passphrase, of `passphrase-env` and `passphrase-prompt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passphrase: Option<Zeroizing<String>>,
    /// The access key, of `kms` without a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms: Option<KmsCredentials>,
}

/// An access key for another KMS.
#[derive(Serialize, Deserialize)]
pub struct KmsCredentials {
    access_key_id: String,
    secret_access_key: Zeroizing<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session_token: Option<Zeroizing<String>>,
}

impl Given {
    /// What this process has that `source` needs and another process might not have. `twice`: somebody types a passphrase for the
    /// first time.
    ///
    /// # Errors
    /// A variable that is not set; no terminal.
    pub fn here(source: &Source, twice: bool) -> Result<Given, Error> {
        let mut given = Given::default();
        match source {
            Source::Passphrase(Passphrase::Variable(name)) => given.passphrase = Some(variable(name)?),
            Source::Passphrase(Passphrase::Prompt) => given.passphrase = Some(prompt::passphrase(twice)?),
            Source::Kms(Kms { credentials: None, .. }) => given.kms = KmsCredentials::of_environment().ok(),
            _ => {}
        }
        Ok(given)
    }
}

impl KmsCredentials {
    fn of_environment() -> Result<KmsCredentials, Error> {
        Ok(KmsCredentials {
            access_key_id: variable("AWS_ACCESS_KEY_ID")?.to_string(),
            secret_access_key: variable("AWS_SECRET_ACCESS_KEY")?,
            session_token: variable("AWS_SESSION_TOKEN").ok(),
        })
    }

    fn of_file(path: &Path) -> Result<KmsCredentials, FileError> {
        let text = files::read_private(path)?;
        files::parse_toml(&text, path)
    }
}

fn variable(name: &str) -> Result<Zeroizing<String>, Error> {
    let value = std::env::var(name).map(Zeroizing::new);
    value.ok().filter(|value| !value.is_empty()).ok_or_else(|| Error::NoVariable(name.to_owned()))
}

/// Opens a root key that is there.
pub(crate) async fn open(source: &Source, given: Given) -> Result<Arc<dyn RootKey>, Error> {
    Ok(match source {
        Source::File(path) => Arc::new(KeyFile::load(path)?),
        Source::Passphrase(from) => {
            let text = match (given.passphrase, from) {
                (Some(text), _) => text,
                (None, Passphrase::File(path)) => first_line(path)?,
                (None, Passphrase::Variable(name)) => variable(name)?,
                (None, Passphrase::Prompt) => prompt::passphrase(false)?,
            };
            Arc::new(keys::Passphrase::new(text)?)
        }
        Source::Pkcs11(token) => Arc::new(Pkcs11::open(settings(token)?).await?),
        Source::Kms(kms) => Arc::new(remote(kms, given)?),
    })
}

/// Makes a root key where nobody else makes it.
///
/// # Errors
/// [`Error::NotMade`] for kinds that are not made here.
pub(crate) async fn create(source: &Source) -> Result<Arc<dyn RootKey>, Error> {
    match source {
        Source::File(path) => {
            if let Some(folder) = path.parent() {
                files::make_folder(folder)?;
            }
            Ok(Arc::new(KeyFile::create(path)?))
        }
        Source::Pkcs11(token) => Ok(Arc::new(Pkcs11::create(settings(token)?, &token.label).await?)),
        Source::Passphrase(_) => Err(Error::NotMade("a passphrase is chosen, not made")),
        Source::Kms(_) => Err(Error::NotMade("make the key in that KMS: `aws kms create-key`")),
    }
}

/// The root key that wraps. A key file is made if the store is new. Tells whether it was.
pub(crate) async fn made_or_opened(
    source: &Source,
    data_dir: &Path,
    has_data: bool,
) -> Result<(Arc<dyn RootKey>, bool), Error> {
    let missing = match open(source, Given::default()).await {
        Err(Error::RootKey(RootKeyError::Io { source, path })) if source.kind() == std::io::ErrorKind::NotFound => path,
        opened => return opened.map(|key| (key, false)),
    };
    if has_data {
        return Err(Error::RootKeyMissing { key: missing, data_dir: data_dir.to_owned() });
    }
    let made = create(source).await?;
    tracing::warn!(path = %missing.display(), "made a new root key: back it up; without it, nobody opens the data again");
    Ok((made, true))
}

/// The root keys that only open. One that cannot be had is no reason not to start, unless it turns out to be needed: then its error
/// is told.
pub(crate) async fn others(sources: &[Source]) -> Vec<Arc<dyn RootKey>> {
    let mut list: Vec<Arc<dyn RootKey>> = Vec::new();
    for source in sources {
        list.push(match open(source, Given::default()).await {
            Ok(key) => key,
            Err(error) => {
                tracing::warn!(root_key = %source, %error, "a root key that is only to open with cannot be had");
                Arc::new(Absent { kind: source.kind(), reason: error.to_string() })
            }
        });
    }
    list
}

fn first_line(path: &Path) -> Result<Zeroizing<String>, FileError> {
    let text = files::read_private(path)?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.contains('\n') {
        return Err(FileError::Malformed(path.to_owned(), "a passphrase is one line".to_owned()));
    }
    Ok(Zeroizing::new(line.to_owned()))
}

fn settings(token: &Token) -> Result<Pkcs11Settings, Error> {
    Ok(Pkcs11Settings {
        module: token.module.clone(),
        token: token.token.clone(),
        key: token.id,
        pin: first_line(&token.pin)?,
    })
}

fn remote(kms: &Kms, given: Given) -> Result<RemoteKms, Error> {
    let credentials = match (&kms.credentials, given.kms) {
        (Some(path), _) => KmsCredentials::of_file(path)?,
        (None, Some(given)) => given,
        (None, None) => KmsCredentials::of_environment()?,
    };
    let read = |path: &PathBuf| std::fs::read(path).map_err(|error| Error::Path(path.clone(), error));
    Ok(RemoteKms::new(RemoteKmsSettings {
        endpoint: kms.endpoint.clone(),
        key: kms.key.clone(),
        region: kms.region.clone(),
        access_key_id: credentials.access_key_id,
        secret_access_key: credentials.secret_access_key,
        session_token: credentials.session_token,
        authorities: kms.authorities.as_ref().map(read).transpose()?,
    })?)
}

/// A root key that could not be had.
struct Absent {
    kind: RootKeyKind,
    reason: String,
}

impl Absent {
    fn error(&self) -> RootKeyError {
        RootKeyError::Provider(self.reason.clone())
    }
}

#[async_trait]
impl RootKey for Absent {
    fn identity(&self) -> RootKeyIdentity {
        RootKeyIdentity { kind: self.kind, name: None }
    }

    async fn wrap(&self, _: &[u8], _: &SecretKey) -> Result<Vec<u8>, RootKeyError> {
        Err(self.error())
    }

    async fn unwrap(&self, _: &[u8], _: &[u8]) -> Result<SecretKey, RootKeyError> {
        Err(self.error())
    }
}
