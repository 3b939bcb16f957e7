//! Opening a store: its root key, its identity, and the crates above them. A first start makes what is not there.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use keys::{Keys, RootKeys};
use objects::{Dependencies, Objects};

use crate::config::Config;
use crate::error::Error;
use crate::files;
use crate::key_stores;
use crate::root_key;
use crate::secrets::Secrets;
use crate::store_identity::{Sealed, StoreIdentity};

/// An open store. Nobody else can open it meanwhile.
pub(crate) struct Store {
    pub(crate) data_dir: PathBuf,
    pub(crate) secrets: Secrets,
    pub(crate) identity: StoreIdentity,
    /// The root key, in words, if the store was made just now.
    pub(crate) made: Option<String>,
    pub(crate) meta: Arc<dyn meta::Store>,
    pub(crate) blobs: Arc<dyn blob::Blobs>,
    pub(crate) keys: Arc<Keys>,
    pub(crate) objects: Arc<Objects>,
    pub(crate) iam: Arc<identity::Identity>,
    /// The event log; none for a tool that does not serve, which a damaged log does not concern.
    pub(crate) audit: Option<Arc<audit::Audit>>,
    pub(crate) trails: Arc<audit::trail::Trails>,
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
        let sources = secrets.root_keys(config)?;
        let (root, made_root_key) = root_key::made_or_opened(&sources[0], &data_dir, has_data).await?;
        let roots = root_key::others(&sources[1..]).await.into_iter().fold(RootKeys::new(root), RootKeys::and);
        let sealed = StoreIdentity::load(&data_dir)?;
        let identity = match &sealed {
            Some(sealed) => sealed.claimed(&roots).await?,
            None => StoreIdentity::new(config),
        };
        identity.check(config)?;
        let metadata = data_dir.join(METADATA);
        if is_lost(&metadata, &data_dir.join(BLOBS)) {
            return Err(Error::MetadataMissing { metadata, data_dir });
        }

        let meta: Arc<dyn meta::Store> =
            Arc::new(meta::sqlite::Sqlite::open(&metadata, meta::sqlite::Options::default())?);
        let blobs: Arc<dyn blob::Blobs> =
            Arc::new(blob::local::LocalBlobs::open(&data_dir.join(BLOBS), &blob::local::Options::default())?);
        let settings = keys::Settings {
            region: identity.region.clone(),
            other_regions: config.regions.clone(),
            clock: Arc::new(SystemTime::now),
        };
        let keys =
            Keys::open_with(Arc::clone(&meta), roots, settings, key_stores::open(config, identity.account)?).await?;
        settle(sealed, &identity, config, &data_dir, &keys).await?;
        warn_of_another_root_key(&keys, &sources[0].to_string()).await?;
        let dependencies =
            Dependencies { store: Arc::clone(&meta), blobs: Arc::clone(&blobs), keys: Arc::clone(&keys) };
        let settings = objects::Settings {
            inline_limit: config.inline_limit,
            blocked_by_default: config.blocked,
            public_access_by_default: config.block_public_access.then_some(objects::PublicAccessBlock::ALL),
            region: identity.region.clone(),
            clock: objects::system_clock(),
        };
        let objects = Objects::open(dependencies, settings)?;
        let clock: keys::Clock = Arc::new(SystemTime::now);
        let iam = identity::Identity::open(Arc::clone(&meta), Arc::clone(&keys), Arc::clone(&clock), identity.account);
        if missing == Missing::Make {
            iam.settle().await?;
        }
        let trails = audit::trail::Trails::open(Arc::clone(&meta), Arc::clone(&keys), Arc::clone(&clock))
            .await
            .map_err(Error::Trails)?;
        let settings = audit::Settings { mode: config.audit, retention: config.audit_retention, clock };
        let audit = match missing {
            Missing::Make => Some(audit::Audit::open(Arc::clone(&meta), Arc::clone(&keys), settings).await?),
            Missing::Refuse => None,
        };
        let made = (!has_data).then(|| describe(&sources[0], made_root_key));
        Ok(Store { data_dir, secrets, identity, made, meta, blobs, keys, objects, iam, audit, trails, _lock: lock })
    }

    /// The event log of a server.
    pub(crate) fn audit(&self) -> &Arc<audit::Audit> {
        self.audit.as_ref().expect("a store that may be made is a server's, and has its log open")
    }

    /// Ends what runs beside the requests and closes the files.
    pub(crate) async fn close(self) {
        self.objects.close().await;
        if let Err(error) = self.keys.flush().await {
            tracing::warn!(%error, "the last uses of keys could not be written");
        }
        if let Err(error) = self.iam.flush().await {
            tracing::warn!(%error, "the last uses of access keys could not be written");
        }
        if let Some(audit) = &self.audit {
            audit.close().await;
        }
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
    [StoreIdentity::path(data_dir), data_dir.join(METADATA), data_dir.join(BLOBS)]
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

/// Makes sure of the identity that the store was opened with, now that its keys are there: the file has to be theirs, and a file that is
/// missing is made, but only where there is nothing yet that could have another identity.
async fn settle(
    sealed: Option<Sealed>,
    identity: &StoreIdentity,
    config: &Config,
    data_dir: &Path,
    keys: &Keys,
) -> Result<(), Error> {
    match sealed {
        Some(sealed) => sealed.settle(data_dir, keys.records()),
        None if (config.account_id.is_none() || config.region.is_none()) && !keys.is_unused().await? => {
            Err(Error::IdentityMissing(StoreIdentity::path(data_dir)))
        }
        None => identity.store(data_dir, keys.records()),
    }
}

/// After a change of the root key the settings have to follow, or the next domain key comes under the old one again.
async fn warn_of_another_root_key(keys: &Keys, named: &str) -> Result<(), Error> {
    if let Some(other) = keys.under_another_root_key().await? {
        tracing::warn!(
            setting = %named,
            "domain keys of this store are wrapped under {other}, and the first root key of the settings is another one: new domain \
             keys come under that. Name the right one first, or run `strongroom root-key rotate`"
        );
    }
    Ok(())
}

fn describe(source: &root_key::Source, made: bool) -> String {
    match source {
        root_key::Source::File(path) if made => format!("{}   back this up!", path.display()),
        source => source.to_string(),
    }
}

const METADATA: &str = "metadata.db";
const BLOBS: &str = "blobs";
const LOCK: &str = "lock";
