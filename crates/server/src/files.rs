//! Files that hold secrets: made whole or not at all, and for their owner alone.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use zeroize::Zeroizing;

/// A file could not be read or made.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The system said no.
    #[error("{path}: {1}", path = .0.display())]
    Io(PathBuf, #[source] io::Error),
    /// Others than the owner may read or change a file with secrets.
    #[error("{path} can be read or changed by others than its owner (mode {1:04o}); make it 0600", path = .0.display())]
    Exposed(PathBuf, u32),
    /// It is larger than such a file can be.
    #[error("{path} has more than {1} bytes", path = .0.display())]
    TooLarge(PathBuf, u64),
    /// It does not hold what such a file holds.
    #[error("{path}: {1}", path = .0.display())]
    Malformed(PathBuf, String),
}

impl FileError {
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, FileError::Io(_, error) if error.kind() == ErrorKind::NotFound)
    }
}

/// Makes a folder that only its owner may enter, and its parents. What is there already stays as it is.
pub(crate) fn make_folder(path: &Path) -> Result<(), FileError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|error| FileError::Io(path.to_owned(), error))
}

/// Writes a new file of mode 0600. It is on the disk, whole, before its name appears; one that is there is never replaced
/// ([`ErrorKind::AlreadyExists`]).
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let failed = |error| FileError::Io(path.to_owned(), error);
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Random, so that what another attempt left behind is in nobody's way.
    let draft = folder.join(format!(".draft-{}", data_encoding::HEXLOWER.encode(&seal::random_bytes::<8>())));
    let written = write_draft(&draft, bytes).and_then(|()| fs::hard_link(&draft, path));
    let removed = fs::remove_file(&draft);
    written.map_err(failed)?;
    removed.map_err(failed)?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}

/// Writes a file of mode 0600 in place of another. At any moment the one or the other is there, whole.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let failed = |error| FileError::Io(path.to_owned(), error);
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let draft = folder.join(format!(".draft-{}", data_encoding::HEXLOWER.encode(&seal::random_bytes::<8>())));
    write_draft(&draft, bytes).and_then(|()| fs::rename(&draft, path)).map_err(failed)?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}

fn write_draft(draft: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Reads a text with secrets, if its owner alone may.
pub(crate) fn read_private(path: &Path) -> Result<Zeroizing<String>, FileError> {
    let failed = |error| FileError::Io(path.to_owned(), error);
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    // Of the open file, not of the name: nobody can put another one there in between.
    let mode = metadata.mode() & 0o7777;
    if mode & OTHERS != 0 {
        return Err(FileError::Exposed(path.to_owned(), mode));
    }
    if metadata.len() > MAX_BYTES {
        return Err(FileError::TooLarge(path.to_owned(), MAX_BYTES));
    }
    // Room for all of it at once: a String that grows would leave copies behind.
    let mut text = Zeroizing::new(String::with_capacity(usize::try_from(metadata.len()).unwrap_or(0) + 1));
    file.take(MAX_BYTES).read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}

/// Parses TOML without ever quoting it in an error.
pub(crate) fn parse_toml<T: serde::de::DeserializeOwned>(text: &str, path: &Path) -> Result<T, FileError> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(0, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        // A value of the wrong type would be quoted in the message.
        let message = error.message();
        let message = if message.starts_with("invalid") { "a value of the wrong type" } else { message };
        FileError::Malformed(path.to_owned(), format!("line {line}: {message}"))
    })
}

/// Deserializes a text that is a secret.
pub(crate) fn secret<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Zeroizing<String>, D::Error> {
    String::deserialize(deserializer).map(Zeroizing::new)
}

/// Group and others: read, write, execute.
const OTHERS: u32 = 0o077;
/// Thousands of access keys.
const MAX_BYTES: u64 = 1024 * 1024;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_new_file_is_its_owners_alone() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("secret");
        write_new(&path, b"text").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
        assert_eq!(read_private(&path).unwrap().as_str(), "text");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left");
    }

    #[test]
    fn a_file_is_never_replaced() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("secret");
        write_new(&path, b"first").unwrap();
        let again = write_new(&path, b"second");
        assert!(matches!(again, Err(FileError::Io(_, error)) if error.kind() == ErrorKind::AlreadyExists));
        assert_eq!(read_private(&path).unwrap().as_str(), "first");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left");
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("secret");
        write_new(&path, b"text").unwrap();
        for mode in [0o640, 0o604, 0o602] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert!(matches!(read_private(&path), Err(FileError::Exposed(..))), "{mode:o}");
        }
    }

    #[test]
    fn an_error_in_a_file_does_not_quote_it() {
        #[derive(Debug, serde::Deserialize)]
        #[expect(dead_code, reason = "it is not read")]
        struct File {
            number: u32,
        }
        for text in ["name = \"a\"\nsecret hunter2", "\nnumber = \"hunter2\""] {
            let error = parse_toml::<File>(text, Path::new("f")).unwrap_err().to_string();
            assert!(error.starts_with("f: line 2") && !error.contains("hunter2"), "{error}");
        }
    }
}
