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
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;

const MAGIC: &str = "strongroom partial download 1";

impl EncryptionClient<'_> {
    /// Fetches what a file does not have yet of an object, whose first bytes may be here. What it gives is the whole of it, to be read from
    /// its first byte.
    pub(super) fn fetch_into(&self, path: &Path, remote: &Remote, first: Vec<u8>) -> Result<impl Read + use<>> {
        let head = head(remote);
        let mut file = open(path)?;
        let mut there = there(&mut file, &head, remote.info.length)?;
        if there == 0 {
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
        Ok(file.take(remote.info.length))
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

/// For the owner alone, and for one download at once. The name can be guessed, so whoever else may write to the folder can have put anything
/// there: it is not followed, not waited for, and not touched unless it is a file that this user alone writes.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        options.mode(0o600).custom_flags(i32::try_from(flags.bits()).map_err(io::Error::other)?);
    }
    let planted = || {
        let why = format!("{} is not what a download of this user left there: remove it", path.display());
        io::Error::new(ErrorKind::PermissionDenied, why)
    };
    let is_link = || path.symlink_metadata().is_ok_and(|found| found.is_symlink());
    let file = options.open(path).map_err(|error| if is_link() { planted() } else { error })?;
    if !is_own(&file.metadata()?) {
        return Err(planted());
    }
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => {
            Err(io::Error::new(ErrorKind::WouldBlock, format!("another download uses {}", path.display())))
        }
        Err(std::fs::TryLockError::Error(error)) => Err(error),
    }
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
