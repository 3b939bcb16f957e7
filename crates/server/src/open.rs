//! Opening a store: its root key, its identity, and the crates above them. A first start makes what is not there.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use keys::{KeyFile, Keys, RootKeyError};
use objects::{Dependencies, Objects};

use crate::config::Config;
use crate::error::Error;
use crate::files;
use crate::identity::Identity;
use crate::secrets::Secrets;

/// An open store. Nobody else can open it meanwhile.
pub(crate) struct Store {
    pub(crate) data_dir: PathBuf,
    pub(crate) secrets: Secrets,
    pub(crate) identity: Identity,
    /// The root key file, if it was made just now.
    pub(crate) made_root_key: Option<PathBuf>,
    pub(crate) meta: Arc<dyn meta::Store>,
    pub(crate) blobs: Arc<dyn blob::Blobs>,
    pub(crate) keys: Arc<Keys>,
    pub(crate) objects: Arc<Objects>,
    _lock: File,
}

/// Whether a store may be made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    Make,
    Refuse,
}

impl Store {
    pub(crate) async fn open(config: &Config, missing: Missing) -> Result<Store, Error> {
        if missing == Missing::Make {
            files::make_folder(&config.data_dir)?;
        }
        let data_dir = locate(config)?;
        let lock = lock(&data_dir)?;
        let secrets = Secrets::of(config, &data_dir)?;
        let has_data = has_data(&data_dir);
        if !has_data && missing == Missing::Refuse {
            return Err(Error::NoStore(data_dir));
        }
        let (root, made_root_key) = root_key(config, &secrets, &data_dir, has_data)?;
        let identity = identity(config, &data_dir, &root).await?;
        identity.check(config)?;
        let metadata = data_dir.join(METADATA);
        if is_lost(&metadata, &data_dir.join(BLOBS)) {
            return Err(Error::MetadataMissing { metadata, data_dir });
        }

        let meta: Arc<dyn meta::Store> =
            Arc::new(meta::sqlite::Sqlite::open(&metadata, meta::sqlite::Options::default())?);
        let blobs: Arc<dyn blob::Blobs> =
            Arc::new(blob::local::LocalBlobs::open(&data_dir.join(BLOBS), &blob::local::Options::default())?);
        let settings = keys::Settings { region: identity.region.clone(), other_regions: vec![], clock: Arc::new(SystemTime::now) };
        let keys = Keys::open(Arc::clone(&meta), Arc::new(root), settings).await?;
        let dependencies =
            Dependencies { store: Arc::clone(&meta), blobs: Arc::clone(&blobs), keys: Arc::clone(&keys) };
        let settings = objects::Settings {
            inline_limit: config.inline_limit,
            blocked_by_default: config.blocked,
            region: identity.region.clone(),
            clock: objects::system_clock(),
        };
        let objects = Objects::open(dependencies, settings)?;
        Ok(Store { data_dir, secrets, identity, made_root_key, meta, blobs, keys, objects, _lock: lock })
    }

    /// Ends what runs beside the requests and closes the files.
    pub(crate) async fn close(self) {
        self.objects.close().await;
        self.meta.close().await;
    }
}

/// The data directory as a canonical path.
pub(crate) fn locate(config: &Config) -> Result<PathBuf, Error> {
    match config.data_dir.canonicalize() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(Error::NoStore(config.data_dir.clone())),
        other => other.map_err(|error| Error::Path(config.data_dir.clone(), error)),
    }
}

/// Keeps two first starts from making two root keys. The kernel lets go of it when the process ends, however it ends.
fn lock(data_dir: &Path) -> Result<File, Error> {
    let path = data_dir.join(LOCK);
    let failed = |error| Error::Path(path.clone(), error);
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::InUse(data_dir.to_owned())),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

fn has_data(data_dir: &Path) -> bool {
    // What cannot be looked at counts as there: to make a new key where there is data is the one thing never to do.
    [Identity::path(data_dir), data_dir.join(METADATA), data_dir.join(BLOBS)]
        .iter()
        .any(|path| path.try_exists().unwrap_or(true))
}

/// Whether the metadata were there once: they are made before the folder of blobs. In their place an empty store would open,
/// whose first sweep deletes every blob, and a backup of the metadata would come too late.
fn is_lost(metadata: &Path, blobs: &Path) -> bool {
    // SQLite takes an empty file for a new database.
    let gone = match metadata.metadata() {
        Ok(file) => file.len() == 0,
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    };
    gone && blobs.try_exists().unwrap_or(true)
}

fn root_key(
    config: &Config,
    secrets: &Secrets,
    data_dir: &Path,
    has_data: bool,
) -> Result<(KeyFile, Option<PathBuf>), Error> {
    let path = secrets.root_key(config)?;
    match KeyFile::load(&path) {
        Err(RootKeyError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {}
        other => return Ok((other?, None)),
    }
    if has_data {
        return Err(Error::RootKeyMissing { key: path, data_dir: data_dir.to_owned() });
    }
    if let Some(folder) = path.parent() {
        files::make_folder(folder)?;
    }
    let root = KeyFile::create(&path)?;
    tracing::warn!(path = %path.display(), "made a new root key: back it up; without it, nobody opens the data again");
    Ok((root, Some(path)))
}

async fn identity(config: &Config, data_dir: &Path, root: &KeyFile) -> Result<Identity, Error> {
    if let Some(sealed) = Identity::load(data_dir)? {
        return sealed.verify(root).await;
    }
    let lost = data_dir.join(METADATA).try_exists().unwrap_or(true);
    if lost && (config.account_id.is_none() || config.region.is_none()) {
        return Err(Error::IdentityMissing(Identity::path(data_dir)));
    }
    let identity = Identity::new(config);
    identity.store(data_dir, root).await?;
    Ok(identity)
}

const METADATA: &str = "metadata.db";
const BLOBS: &str = "blobs";
const LOCK: &str = "lock";
