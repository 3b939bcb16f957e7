//! A download that was interrupted: the ciphertext that arrived, in a file, and which object it is of.
//!
//! ```text
//! strongroom partial download 1\n
//! <bucket>/<name, percent-encoded>\n
//! <ETag>\n
//! <length of the whole object in bytes>\n
//! <ciphertext, from its first byte>
//! ```

use super::{EncryptionClient, Remote};
use crate::aws::s3::encode;
use crate::error::Result;
use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Take, Write};
#[cfg(unix)]
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

const MAGIC: &str = "strongroom partial download 1";

/// The file in which a download that breaks off waits to be resumed: by its path, or in a folder that is open.
#[derive(Debug, Clone, Copy)]
pub struct PartialFile<'a> {
    #[cfg(unix)]
    folder: BorrowedFd<'a>,
    /// From the folder.
    name: &'a Path,
    /// For messages.
    path: &'a Path,
}

impl<'a> PartialFile<'a> {
    /// By its path.
    pub fn at(path: &'a (impl AsRef<Path> + ?Sized)) -> Self {
        Self {
            #[cfg(unix)]
            folder: rustix::fs::CWD,
            name: path.as_ref(),
            path: path.as_ref(),
        }
    }

    /// By its name in a folder that is open: whatever becomes of the way there, the file is in this folder. The path is for messages.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] for a path that ends with no name.
    #[cfg(unix)]
    pub fn within(folder: &'a impl AsFd, path: &'a Path) -> io::Result<Self> {
        let name = path.file_name().map(Path::new).ok_or(ErrorKind::InvalidInput)?;
        Ok(Self { folder: folder.as_fd(), name, path })
    }

    /// Whether anything is there.
    #[cfg(unix)]
    pub(super) fn exists(&self) -> io::Result<bool> {
        use rustix::fs::{AtFlags, statat};
        match statat(self.folder, self.name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Ok(true),
            Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => Ok(false),
            Err(error) => Err(self.named(&error.into())),
        }
    }

    #[cfg(not(unix))]
    pub(super) fn exists(&self) -> io::Result<bool> {
        self.name.try_exists()
    }

    /// While it is still locked, and only if it is still the file that was: what took its place is somebody else's. It is emptied first, so
    /// that one that cannot be removed is begun anew.
    #[cfg(unix)]
    pub(super) fn remove(&self, file: File) -> io::Result<()> {
        use rustix::fs::{AtFlags, fstat, statat, unlinkat};
        file.set_len(0)?;
        let (ours, found) = (fstat(&file)?, statat(self.folder, self.name, AtFlags::SYMLINK_NOFOLLOW)?);
        if (found.st_dev, found.st_ino) == (ours.st_dev, ours.st_ino) {
            unlinkat(self.folder, self.name, AtFlags::empty())?;
        }
        Ok(())
    }

    #[cfg(not(unix))]
    pub(super) fn remove(&self, file: File) -> io::Result<()> {
        file.set_len(0)?;
        drop(file);
        std::fs::remove_file(self.name)
    }

    /// For the owner alone, and for one download at once. The name can be guessed, so whoever else may write to the folder can have put
    /// anything there: it is not followed, not waited for, and not touched unless it is a file that this user alone writes.
    fn open(&self) -> io::Result<File> {
        let planted = || {
            let why = format!("{} is not what a download of this user left there: remove it", self.path.display());
            io::Error::new(ErrorKind::PermissionDenied, why)
        };
        let file =
            self.open_unseen().map_err(|error| if self.is_no_file() { planted() } else { self.named(&error) })?;
        if !is_own(&file.metadata()?) {
            return Err(planted());
        }
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(std::fs::TryLockError::WouldBlock) => {
                let why = format!("another download uses {}", self.path.display());
                Err(io::Error::new(ErrorKind::WouldBlock, why))
            }
            Err(std::fs::TryLockError::Error(error)) => Err(self.named(&error)),
        }
    }

    /// With the path: it is not one that anybody typed.
    fn named(&self, error: &io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("{}: {error}", self.path.display()))
    }

    #[cfg(unix)]
    fn open_unseen(&self) -> io::Result<File> {
        use rustix::fs::{Mode, OFlags, openat};
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC;
        let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        Ok(openat(self.folder, self.name, flags, Mode::RUSR | Mode::WUSR)?.into())
    }

    #[cfg(not(unix))]
    fn open_unseen(&self) -> io::Result<File> {
        File::options().read(true).write(true).create(true).truncate(false).open(self.name)
    }

    #[cfg(unix)]
    fn is_no_file(&self) -> bool {
        use rustix::fs::{AtFlags, FileType, statat};
        let found = statat(self.folder, self.name, AtFlags::SYMLINK_NOFOLLOW);
        found.is_ok_and(|found| FileType::from_raw_mode(found.st_mode) != FileType::RegularFile)
    }

    #[cfg(not(unix))]
    fn is_no_file(&self) -> bool {
        self.name.symlink_metadata().is_ok_and(|found| !found.is_file())
    }
}

impl EncryptionClient<'_> {
    /// Fetches what a file does not have yet of an object, whose first bytes may be here. What it gives is the whole of it, to be read from
    /// its first byte, and whether some of it was in the file.
    pub(super) fn fetch_into(
        &self,
        partial: PartialFile<'_>,
        remote: &Remote,
        first: Vec<u8>,
    ) -> Result<(Take<File>, bool)> {
        let head = head(remote);
        let mut file = partial.open()?;
        let mut there = there(&mut file, &head, remote.info.length)?;
        let resumed = there > 0;
        if !resumed {
            file.set_len(0)?;
            file.seek(SeekFrom::Start(0))?;
            file.write_all(head.as_bytes())?;
            file.write_all(&first)?;
            there = first.len() as u64;
        } else {
            file.seek(SeekFrom::Start(head.len() as u64 + there))?;
        }
        drop(first);
        if there < remote.info.length {
            self.with_rest(remote, there, |body| Ok(io::copy(body, &mut file)?))?;
        }
        file.seek(SeekFrom::Start(head.len() as u64))?;
        Ok((file.take(remote.info.length), resumed))
    }
}

fn head(remote: &Remote) -> String {
    let mut name = String::new();
    encode(&mut name, &remote.key, true);
    format!("{MAGIC}\n{}/{name}\n{}\n{}\n", remote.bucket, remote.info.etag, remote.info.length)
}

/// How many bytes of the object a file has; none if it is of another one.
fn there(file: &mut File, head: &str, length: u64) -> io::Result<u64> {
    let mut found = vec![0; head.len()];
    match file.read_exact(&mut found) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
        read => read?,
    }
    let there = file.metadata()?.len().saturating_sub(head.len() as u64);
    // One that has too much was not written by this.
    Ok(if found == head.as_bytes() && there <= length { there } else { 0 })
}

/// A file with one name, that nobody else may write.
fn is_own(found: &Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let alone = found.uid() == rustix::process::geteuid().as_raw() && found.mode() & 0o022 == 0;
        if !alone || found.nlink() != 1 {
            return false;
        }
    }
    found.is_file()
}
