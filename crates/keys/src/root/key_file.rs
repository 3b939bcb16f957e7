//! The root key in a file.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use async_trait::async_trait;
use data_encoding::HEXLOWER;
use seal::SecretKey;
use seal::envelope::{Envelope, Label};
use seal::kdf::Kbkdf;
use zeroize::Zeroizing;

use super::{RootKey, RootKeyError, RootKeyIdentity, RootKeyKind};

/// A root key in a file: docs/formats/root-key-file.md.
pub struct KeyFile {
    master: Envelope,
    fingerprint: String,
}

impl KeyFile {
    /// Bytes of a root key file.
    pub const LEN: usize = 40;

    /// Seven bytes of magic, then the version.
    const MAGIC: &'static [u8; 7] = b"SRROOTK";
    const VERSION: u8 = 1;
    /// Nobody but the owner may do anything with the file.
    const FORBIDDEN: u32 = 0o077;

    /// Reads a root key file.
    ///
    /// # Errors
    /// [`RootKeyError::Exposed`] unless the mode gives group and others nothing; [`RootKeyError::NotAKeyFile`];
    /// [`RootKeyError::Io`], with `NotFound` inside if there is no such file.
    pub fn load(path: &Path) -> Result<Self, RootKeyError> {
        let mut file = File::open(path).map_err(|source| io(path, source))?;
        // Of the open file, not of the name: nobody can put another one there in between.
        let metadata = file.metadata().map_err(|source| io(path, source))?;
        let mode = metadata.permissions().mode() & 0o7777;
        if !metadata.is_file() {
            return Err(RootKeyError::NotAKeyFile(path.to_owned()));
        }
        if mode & Self::FORBIDDEN != 0 {
            return Err(RootKeyError::Exposed { path: path.to_owned(), mode });
        }
        // One byte more than a key file has, so that a longer file shows.
        let mut bytes = Zeroizing::new([0; Self::LEN + 1]);
        let mut len = 0;
        while len < bytes.len() {
            match file.read(&mut bytes[len..]) {
                Ok(0) => break,
                Ok(more) => len += more,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(source) => return Err(io(path, source)),
            }
        }
        Self::parse(&bytes[..len]).ok_or_else(|| RootKeyError::NotAKeyFile(path.to_owned()))
    }

    /// Makes a new root key and writes it to `path`, readable by its owner alone. The key is on disk, whole and synced, before
    /// the name appears, and an existing file is never replaced.
    ///
    /// # Errors
    /// [`RootKeyError::Exists`], [`RootKeyError::Io`].
    pub fn create(path: &Path) -> Result<Self, RootKeyError> {
        let key = SecretKey::generate();
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let draft = folder.join(format!(".root-key-{}.new", uuid::Uuid::new_v4().as_simple()));
        let written = write_draft(&draft, &key).and_then(|()| fs::hard_link(&draft, path));
        let removed = fs::remove_file(&draft);
        match written {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                return Err(RootKeyError::Exists(path.to_owned()));
            }
            result => {
                result.and(removed).and_then(|()| File::open(folder)?.sync_all()).map_err(|source| io(path, source))?
            }
        }
        Ok(Self::new(&key))
    }

    /// Parses the bytes of a root key file.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(Self::MAGIC)?;
        let (&version, key) = rest.split_first()?;
        let key: &[u8; SecretKey::LEN] = key.try_into().ok()?;
        // A file of zeros is a disk's accident, not a key.
        if version != Self::VERSION || key.iter().all(|&byte| byte == 0) {
            return None;
        }
        Some(Self::new(&SecretKey::from_bytes(*key)))
    }

    fn new(key: &SecretKey) -> Self {
        let mut fingerprint = [0; FINGERPRINT];
        Kbkdf::new(key.expose()).derive(b"strongroom root key fingerprint", &[], &mut fingerprint);
        Self { master: Envelope::new(key), fingerprint: HEXLOWER.encode(&fingerprint) }
    }

    /// What tells this key from others and gives nothing of it away: 16 hexadecimal digits.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }
}

/// Bytes of a fingerprint: two keys of one operator never share it.
const FINGERPRINT: usize = 8;

fn write_draft(draft: &Path, key: &SecretKey) -> std::io::Result<()> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(KeyFile::LEN));
    bytes.extend_from_slice(KeyFile::MAGIC);
    bytes.push(KeyFile::VERSION);
    bytes.extend_from_slice(key.expose());
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
    file.write_all(&bytes)?;
    file.sync_all()
}

fn io(path: &Path, source: std::io::Error) -> RootKeyError {
    RootKeyError::Io { path: path.to_owned(), source }
}

#[async_trait]
impl RootKey for KeyFile {
    fn identity(&self) -> RootKeyIdentity {
        RootKeyIdentity { kind: RootKeyKind::KeyFile, name: Some(self.fingerprint.clone()) }
    }

    async fn wrap(&self, aad: &[u8], domain_key: &SecretKey) -> Result<Vec<u8>, RootKeyError> {
        Ok(self.master.seal(Label::DomainKey, &[], aad, domain_key.expose()))
    }

    async fn unwrap(&self, aad: &[u8], wrapped: &[u8]) -> Result<SecretKey, RootKeyError> {
        let opened = self.master.open(Label::DomainKey, aad, wrapped).map_err(|_| RootKeyError::WrongKey)?;
        SecretKey::from_slice(&opened).map_err(|_| RootKeyError::WrongKey)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    /// The error of a call whose success has no Debug.
    fn error<T>(result: Result<T, RootKeyError>) -> RootKeyError {
        result.err().unwrap()
    }

    #[tokio::test]
    async fn a_created_key_is_loaded_again_and_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root-key");
        let made = KeyFile::create(&path).unwrap();
        let metadata = fs::metadata(&path).unwrap();
        assert_eq!((metadata.len(), metadata.permissions().mode() & 0o7777), (40, 0o600));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft stays behind");
        let domain_key = SecretKey::generate();
        let wrapped = made.wrap(b"aad", &domain_key).await.unwrap();
        assert!(KeyFile::load(&path).unwrap().unwrap(b"aad", &wrapped).await.unwrap() == domain_key);
    }

    #[tokio::test]
    async fn another_aad_or_byte_or_root_key_does_not_unwrap() {
        let key = KeyFile::new(&SecretKey::generate());
        let wrapped = key.wrap(b"aad", &SecretKey::generate()).await.unwrap();
        assert!(matches!(error(key.unwrap(b"other", &wrapped).await), RootKeyError::WrongKey));
        let other = KeyFile::new(&SecretKey::generate());
        assert!(matches!(error(other.unwrap(b"aad", &wrapped).await), RootKeyError::WrongKey));
        for index in 0..wrapped.len() {
            let mut changed = wrapped.clone();
            changed[index] ^= 1;
            assert!(key.unwrap(b"aad", &changed).await.is_err(), "byte {index}");
        }
    }

    #[test]
    fn an_existing_file_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root-key");
        fs::write(&path, b"precious").unwrap();
        assert!(matches!(error(KeyFile::create(&path)), RootKeyError::Exists(_)));
        assert_eq!(fs::read(&path).unwrap(), b"precious");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft stays behind");
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root-key");
        KeyFile::create(&path).unwrap();
        for (mode, good) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o620, false)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(KeyFile::load(&path).is_ok(), good, "{mode:o}");
        }
        assert!(error(KeyFile::load(&path)).to_string().ends_with("(mode 0620); make it 0600"));
    }

    #[test]
    fn what_is_no_key_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root-key");
        KeyFile::create(&path).unwrap();
        let good = fs::read(&path).unwrap();
        let mut newer = good.clone();
        newer[7] = 2;
        let zeros = [&good[..8], &[0; 32]].concat();
        for bad in [&good[..39], &[&good[..], &[1]].concat(), &newer, &zeros, b""] {
            fs::write(&path, bad).unwrap();
            assert!(matches!(error(KeyFile::load(&path)), RootKeyError::NotAKeyFile(_)), "{} bytes", bad.len());
        }
        assert!(matches!(error(KeyFile::load(folder.path())), RootKeyError::NotAKeyFile(_)));
        assert!(matches!(error(KeyFile::load(&folder.path().join("none"))), RootKeyError::Io { .. }));
    }
}
