//! Why the server does not start, or a command does not run.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use keys::{AccountId, Region, RootKeyError};

use crate::config::ConfigError;
use crate::files::FileError;

/// What an operator has to know. Written for people; holds no secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file of ours, or of the operator.
    #[error(transparent)]
    File(#[from] FileError),
    /// A path that leads nowhere.
    #[error("{path}: {1}", path = .0.display())]
    Path(PathBuf, #[source] io::Error),
    /// No folder for secrets is known.
    #[error(
        "neither XDG_CONFIG_HOME nor HOME is set; say with --secrets-dir where the root key and credentials are to be kept"
    )]
    NoSecretsFolder,
    /// Secrets beside the data that they open, or settings.
    #[error("{} is inside the data directory; what opens the data, and what says who may, has to be kept apart from it", .0.display())]
    SecretsInside(PathBuf),
    /// The trails could not be read.
    #[error("the trails: {0}")]
    Trails(#[source] audit::trail::Error),
    /// There is no store yet.
    #[error("there is no store in {}; `strongroom serve` makes one", .0.display())]
    NoStore(PathBuf),
    /// The root credentials were not made, or are gone.
    #[error(
        "there are no root credentials in {}; give them as STRONGROOM_ROOT_ACCESS_KEY_ID and STRONGROOM_ROOT_SECRET_ACCESS_KEY, as the \
         server got them",
        .0.display()
    )]
    NoCredentials(PathBuf),
    /// Another process has the store.
    #[error("the store in {} is in use by another process; stop the server first", .0.display())]
    InUse(PathBuf),
    /// The data is there, its root key is not.
    #[error(
        "the root key {} is missing, and {} holds data that only it can open. No new key is made. Has the data directory \
         moved? Then name its secrets folder with --secrets-dir, which has the credentials too. Else put the key file back from its \
         backup, or name it with --root-key file:PATH",
        key.display(), data_dir.display()
    )]
    RootKeyMissing {
        /// Where it was looked for.
        key: PathBuf,
        /// The store.
        data_dir: PathBuf,
    },
    /// The data is there, the file that says whose it is is not.
    #[error(
        "{} is missing. Put it back from a backup, or give both --account-id and --region as they always were",
        .0.display()
    )]
    IdentityMissing(PathBuf),
    /// The blobs are there, the metadata are not.
    #[error(
        "{} is missing or empty, and {} has been in use. Put it back from a backup: without it nothing here can be read. No new one \
         is made, since an empty store would have all blobs deleted",
        metadata.display(), data_dir.display()
    )]
    MetadataMissing {
        /// The database.
        metadata: PathBuf,
        /// The store.
        data_dir: PathBuf,
    },
    /// Another root key sealed the identity, in a store of the first version.
    #[error("{} was not sealed by this root key: it is another store's root key, or the file was changed", .0.display())]
    OtherRootKey(PathBuf),
    /// The store's keys did not seal the identity.
    #[error("{} is another store's, or was changed: put it back from a backup", .0.display())]
    IdentityChanged(PathBuf),
    /// A root key that is named in no known way.
    #[error("{0}")]
    RootKeySource(String),
    /// A variable that a root key needs.
    #[error("the root key needs the variable {0}, which is not set")]
    NoVariable(String),
    /// Nobody to ask for a passphrase.
    #[error(
        "there is no terminal to ask for the passphrase at ({0}); name a file or a variable with passphrase:PATH or passphrase-env:NAME"
    )]
    NoTerminal(#[source] io::Error),
    /// A new passphrase was typed in two ways.
    #[error("the two passphrases are not the same")]
    PassphrasesDiffer,
    /// A root key of a kind that is not made here.
    #[error("there is nothing to make: {0}")]
    NotMade(&'static str),
    /// What the running server said.
    #[error("the server: {0}")]
    Refused(String),
    /// The Region cannot change.
    #[error("this store belongs to Region {store}, which is in all its ARNs; it cannot be served as {setting}")]
    OtherRegion {
        /// The store's.
        store: Region,
        /// The operator's.
        setting: Region,
    },
    /// The account cannot change.
    #[error("this store belongs to account {store}, which is in all its ARNs; it cannot be served as {setting}")]
    OtherAccount {
        /// The store's.
        store: AccountId,
        /// The operator's.
        setting: AccountId,
    },
    /// The root key.
    #[error(transparent)]
    RootKey(#[from] RootKeyError),
    /// The metadata store.
    #[error("the metadata store: {0}")]
    Meta(#[from] meta::Error),
    /// The blob store.
    #[error(transparent)]
    Blob(#[from] blob::Error),
    /// The keys.
    #[error("the keys: {0}")]
    Keys(#[from] keys::Error),
    /// The objects.
    #[error("the objects: {0}")]
    Objects(#[from] objects::Error),
    /// Two principals with one access key.
    #[error("the access key id {0} is given twice")]
    DuplicateAccessKey(String),
    /// What an accounts file asks for cannot be, or the accounts cannot be read.
    #[error("accounts: {0}")]
    Accounts(#[from] identity::Error),
    /// The audit log cannot be opened.
    #[error("the audit log: {0}")]
    Audit(#[from] audit::Error),
    /// A place in the audit log's chain that is none.
    #[error("the expected end of the audit log: {0}")]
    Link(audit::InvalidLink),
    /// A certificate or its key.
    #[error("TLS: {0}")]
    Tls(String),
    /// An address that cannot be listened on.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, #[source] io::Error),
    /// The system.
    #[error("{0}: {1}")]
    System(&'static str, #[source] io::Error),
}
