//! The root key RK: it wraps domain keys and nothing else. A provider decides where it lives: [`KeyFile`], [`Passphrase`],
//! [`Pkcs11`], [`RemoteKms`]. A store may be given several ([`RootKeys`]): the first wraps, all of them open, so that a server can be
//! moved from one to another.

mod key_file;
mod passphrase;
mod pkcs11;
mod remote;
mod set;

use std::fmt;
use std::path::PathBuf;

use async_trait::async_trait;
use seal::SecretKey;

pub use key_file::KeyFile;
pub use passphrase::Passphrase;
pub use pkcs11::{Pkcs11, Pkcs11Settings};
pub use remote::{RemoteKms, RemoteKmsSettings};
pub use set::RootKeys;

/// A provider of the root key. Asynchronous, because a provider may be an HSM or another key service; called when a store is
/// opened and when a domain key is made, never for a request.
#[async_trait]
pub trait RootKey: Send + Sync + 'static {
    /// What is stored beside a wrapped key, to say which provider opens it.
    fn identity(&self) -> RootKeyIdentity;

    /// Wraps `domain_key` so that it unwraps with the same `aad` alone.
    async fn wrap(&self, aad: &[u8], domain_key: &SecretKey) -> Result<Vec<u8>, RootKeyError>;

    /// Unwraps what [`RootKey::wrap`] gave.
    ///
    /// # Errors
    /// [`RootKeyError::WrongKey`] if anything differs: the root key, the `aad` or a byte of `wrapped`.
    async fn unwrap(&self, aad: &[u8], wrapped: &[u8]) -> Result<SecretKey, RootKeyError>;
}

/// The sort of a provider. The numbers are stored.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum RootKeyKind {
    /// A file: [`KeyFile`].
    KeyFile = 1,
    /// A passphrase: [`Passphrase`].
    Passphrase = 2,
    /// A key in an HSM: [`Pkcs11`].
    Pkcs11 = 3,
    /// A key of another KMS: [`RemoteKms`].
    Kms = 4,
}

impl RootKeyKind {
    /// Every kind.
    pub const ALL: [RootKeyKind; 4] = [Self::KeyFile, Self::Passphrase, Self::Pkcs11, Self::Kms];

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == code)
    }

    /// What a setting of this kind begins with.
    #[must_use]
    pub fn scheme(self) -> &'static str {
        match self {
            Self::KeyFile => "file",
            Self::Passphrase => "passphrase",
            Self::Pkcs11 => "pkcs11",
            Self::Kms => "kms",
        }
    }
}

/// Which root key wrapped a domain key. It stands in the clear and is not authenticated: a hint for people and for the order in which
/// providers are tried. What opens, opens.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct RootKeyIdentity {
    /// The sort of provider.
    pub kind: RootKeyKind,
    /// What tells it from others of its sort: a key file's fingerprint, an HSM key's token and id, a KMS key's ARN. A passphrase has
    /// nothing to show, and neither has a provider that was not yet reached.
    pub name: Option<String>,
}

impl RootKeyIdentity {
    /// Whether a provider of this identity may be the one that `wrapped` names.
    pub(crate) fn may_be(&self, wrapped: &RootKeyIdentity) -> bool {
        match (&self.name, &wrapped.name) {
            _ if self.kind != wrapped.kind => false,
            (None, _) | (_, None) => true,
            // What one replica of a multi-Region key wrapped, the others open: their ARNs end alike.
            (Some(own), Some(other)) if self.kind == RootKeyKind::Kms => {
                own.rsplit('/').next() == other.rsplit('/').next()
            }
            (own, other) => own == other,
        }
    }
}

impl fmt::Display for RootKeyIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.kind, &self.name) {
            (RootKeyKind::KeyFile, Some(fingerprint)) => write!(f, "the key file with fingerprint {fingerprint}"),
            (RootKeyKind::KeyFile, None) => f.write_str("a key file"),
            (RootKeyKind::Passphrase, _) => f.write_str("a passphrase"),
            (RootKeyKind::Pkcs11, Some(name)) => write!(f, "the PKCS#11 key {name}"),
            (RootKeyKind::Pkcs11, None) => f.write_str("a PKCS#11 key"),
            (RootKeyKind::Kms, Some(arn)) => write!(f, "the KMS key {arn}"),
            (RootKeyKind::Kms, None) => f.write_str("a key of another KMS"),
        }
    }
}

/// Why the root key could not be had or did not open.
#[derive(Debug, thiserror::Error)]
pub enum RootKeyError {
    /// The root key is not the one that wrapped this, or what was wrapped is damaged.
    #[error("this root key does not open it: it was wrapped under another one, or is damaged")]
    WrongKey,
    /// No root key that was given opens the store's domain keys.
    #[error(
        "no configured root key opens the domain keys of this store, which are wrapped under {expected}; configured is {configured}. \
         Give the root key that `strongroom root-key rotate` moved them to, or this store's own; a passphrase may be mistyped. \
         If it is the right one, the store is damaged"
    )]
    NoneOpens {
        /// The provider that the store names.
        expected: RootKeyIdentity,
        /// Those that were given, in words.
        configured: String,
    },
    /// The provider that should open the store's domain keys cannot be asked.
    #[error("the domain keys of this store are wrapped under {expected}, which does not answer: {reason}")]
    Unreachable {
        /// The provider that the store names.
        expected: RootKeyIdentity,
        /// What it says.
        reason: String,
    },
    /// The file is not a root key file.
    #[error("{} is not a root key file (one has {len} bytes and begins with SRROOTK)", .0.display(), len = KeyFile::LEN)]
    NotAKeyFile(PathBuf),
    /// Others than the owner may read or change the file.
    #[error("{} can be read or changed by others than its owner (mode {mode:04o}); make it 0600", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file exists already, so no new key was written there.
    #[error("{} exists already; a root key is never overwritten", .0.display())]
    Exists(PathBuf),
    /// The file could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The passphrase is too short to be one.
    #[error("a passphrase has at least {} characters; a few random words are a good one", Passphrase::MIN)]
    ShortPassphrase,
    /// Another provider's failure, in its words.
    #[error("the root key provider: {0}")]
    Provider(String),
}
