//! Appending to a file, past the page cache where that is possible.
//!
//! A blob is written once and, as a rule, not read soon. Through the page cache its bytes are copied into memory that has to be found
//! first, which costs ten times as much as sealing them. Past the cache (`O_DIRECT`) the disk reads our memory. It then takes whole
//! pages only: what is left of a page waits for the next bytes, and the last piece goes through the cache.
//!
//! File systems without this (tmpfs, some overlays) say so when asked or at the first write, and get everything through the cache.

use std::fs::File;
use std::io::{self, Write};

use rustix::io::Errno;

use crate::Buffer;
use crate::buffer::PAGE;

/// A file with bytes that still wait to be written.
pub(super) struct Appender {
    file: File,
    /// Whether writes pass by the cache.
    direct: bool,
    /// What follows after the file's end: less than a page.
    carried: Vec<u8>,
}

impl Appender {
    /// Of an empty file that will begin with `header`.
    pub(super) fn new(file: File, header: &[u8]) -> Appender {
        Appender { file, direct: false, carried: header.to_vec() }
    }

    /// The file. What has not ended is not all in it.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Has writes pass by the cache; called before the first one. Whether they can.
    pub(super) fn pass_cache(&mut self) -> bool {
        self.direct = set_direct(&self.file, true).is_ok();
        self.direct
    }

    /// Appends the contents of `buffer`, and leaves nothing defined in it.
    pub(super) fn append(&mut self, buffer: &mut Buffer) -> io::Result<()> {
        let bytes = match self.carried.is_empty() && !self.direct {
            true => &buffer[..],
            false => buffer.prefixed(&self.carried),
        };
        let whole = if self.direct { bytes.len() / PAGE * PAGE } else { bytes.len() };
        put(&mut self.file, &mut self.direct, &bytes[..whole])?;
        self.carried.clear();
        self.carried.extend_from_slice(&bytes[whole..]);
        Ok(())
    }

    /// Writes what waits. Nothing is appended after it.
    pub(super) fn end(&mut self) -> io::Result<()> {
        if !self.carried.is_empty() {
            if self.direct {
                set_direct(&self.file, false)?;
                self.direct = false;
            }
            self.file.write_all(&self.carried)?;
            self.carried.clear();
        }
        Ok(())
    }
}

/// Writes all of `bytes`; when the file system turns out not to write past the cache, then through it.
fn put(file: &mut File, direct: &mut bool, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // Also after a write that was cut short in the middle of a block, as at the end of the room.
            Err(error) if *direct && Errno::from_io_error(&error) == Some(Errno::INVAL) => {
                set_direct(file, false)?;
                *direct = false;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Set on the open file and not when it is opened: an open that is refused for it leaves an empty file behind.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn set_direct(file: &File, direct: bool) -> io::Result<()> {
    use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

    let mut flags = fcntl_getfl(file)?;
    flags.set(OFlags::DIRECT, direct);
    Ok(fcntl_setfl(file, flags)?)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn set_direct(_: &File, direct: bool) -> io::Result<()> {
    if direct { Err(io::ErrorKind::Unsupported.into()) } else { Ok(()) }
}
