//! A regular file that is read as one state of it, or not at all.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::MetadataExt;

/// What is said of a file that is not any more what it was when it was opened.
pub(super) const CHANGED: &str = "the file changed while it was read";

/// An input that fails where it would give something that the file never was: with the first byte too many, and at its end if length or
/// times are others. What is no regular file is read as it comes.
pub(super) struct Steady {
    file: File,
    /// What it was when it was opened, if it is a regular file.
    opened: Option<AsOpened>,
    read: u64,
}

/// A regular file as it was opened.
pub(super) struct AsOpened {
    metadata: Metadata,
    /// Bytes behind the place from where it is read.
    pub(super) length: u64,
}

impl AsOpened {
    /// Of a regular file, which others may have read up to `position`.
    pub(super) fn at(position: u64, metadata: Metadata) -> Option<Self> {
        let length = metadata.len().saturating_sub(position);
        metadata.is_file().then_some(Self { metadata, length })
    }

    /// Bytes that it has to give, if that is known. What takes no room on a disk does not tell: a file of /proc says that it has none, and one
    /// of /sys a page.
    pub(super) fn announced(&self) -> Option<u64> {
        (self.length > 0 && self.metadata.blocks() > 0).then_some(self.length)
    }

    /// Whether the file is still what it was. A time that was set back shows in that of the inode, which nobody sets.
    fn is_still(&self, file: &File) -> io::Result<bool> {
        let state = |of: &Metadata| (of.len(), of.mtime(), of.mtime_nsec(), of.ctime(), of.ctime_nsec());
        Ok(state(&self.metadata) == state(&file.metadata()?))
    }
}

impl Steady {
    pub(super) fn new(file: File, opened: Option<AsOpened>) -> Self {
        Self { file, opened, read: 0 }
    }
}

impl Read for Steady {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(into)?;
        self.read = self.read.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        let Some(opened) = self.opened.as_ref().filter(|_| !into.is_empty()) else { return Ok(read) };
        // A file that grows as fast as it is read has no end. Those of /proc have more than they say, and stay as they are.
        let is_right = match read {
            0 => opened.announced().is_none_or(|length| self.read >= length) && opened.is_still(&self.file)?,
            _ => self.read <= opened.length || opened.length == 0 && opened.is_still(&self.file)?,
        };
        if is_right { Ok(read) } else { Err(io::Error::other(CHANGED)) }
    }
}

impl AsFd for Steady {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use std::io::{Seek, SeekFrom, Write};
    use std::path::Path;

    fn open(path: &Path) -> Steady {
        let file = File::open(path).unwrap();
        let opened = AsOpened::at(0, file.metadata().unwrap());
        Steady::new(file, opened)
    }

    fn rest(mut input: Steady) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        input.read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        Ok(bytes)
    }

    /// Changes a file of this content after `before` bytes of it were read.
    fn after(content: &[u8], before: usize, change: impl FnOnce(&mut File)) -> Result<Vec<u8>, String> {
        let mut written = tempfile::NamedTempFile::new().unwrap();
        written.write_all(content).unwrap();
        let mut input = open(written.path());
        input.read_exact(&mut vec![0; before]).unwrap();
        // Times of files go on with the system's clock, every 10 ms at most.
        std::thread::sleep(std::time::Duration::from_millis(20));
        change(written.as_file_mut());
        rest(input)
    }

    #[test]
    fn a_file_that_stays_is_read_and_one_that_changes_is_not() {
        let changed = Err(CHANGED.to_owned());
        assert_eq!(after(b"0123", 2, |_| ()), Ok(b"23".to_vec()));
        assert_eq!(after(b"", 0, |_| ()), Ok(Vec::new()));
        assert_eq!(after(b"0123", 2, |file| file.write_all(b"4").unwrap()), changed);
        assert_eq!(after(b"0123", 2, |file| file.set_len(3).unwrap()), changed);
        assert_eq!(after(b"0123", 2, |file| file.set_len(0).unwrap()), changed);
        assert_eq!(after(b"", 0, |file| file.write_all(b"0").unwrap()), changed, "empty when it was opened");
        let over = |file: &mut File| {
            file.seek(SeekFrom::Start(0)).unwrap();
            file.write_all(b"4").unwrap();
        };
        assert_eq!(after(b"0123", 2, over), changed, "the length is the same");
        let secretly = |file: &mut File| {
            let modified = file.metadata().unwrap().modified().unwrap();
            over(file);
            file.set_modified(modified).unwrap();
        };
        assert_eq!(after(b"0123", 2, secretly), changed, "and its time was set back");
    }

    #[test]
    fn a_file_that_grows_as_fast_as_it_is_read_has_an_end() {
        for content in [&b"0123"[..], b""] {
            let mut written = tempfile::NamedTempFile::new().unwrap();
            written.write_all(content).unwrap();
            let mut input = open(written.path());
            std::thread::sleep(std::time::Duration::from_millis(20));
            let mut pieces = (0..100).map(|_| {
                written.write_all(b"4567").unwrap();
                input.read_exact(&mut [0; 4])
            });
            let failed = pieces.position(|piece| piece.is_err_and(|error| error.to_string() == CHANGED));
            assert_eq!(failed, Some(content.len() / 4));
        }
    }

    #[test]
    fn what_says_nothing_of_its_length_is_read_to_its_end() {
        let version = Path::new("/proc/version");
        assert_eq!(rest(open(version)), Ok(std::fs::read(version).unwrap()));
        let sparse = tempfile::NamedTempFile::new().unwrap();
        sparse.as_file().set_len(5000).unwrap();
        assert_eq!(rest(open(sparse.path())), Ok(vec![0; 5000]));
    }
}
