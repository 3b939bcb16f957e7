//! Where bytes come from: a file or standard input, counted; and the head of it, which errors tell about.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use client::message::{Destination, HEADER_LIMIT, Header};

use super::failure::Failure;
use super::progress::Progress;
use super::spot::Spot;
use super::steady::{AsOpened, Steady};

/// Permissions of what is made from a pipe, before the umask.
const MODE: u32 = 0o666;

/// An input that is open.
pub(super) struct Input {
    pub(super) file: File,
    /// Its length in bytes from where it is read, if it is a regular file.
    pub(super) length: Option<u64>,
    /// Permissions for what is made of it.
    pub(super) mode: u32,
    opened: Option<AsOpened>,
}

impl Input {
    /// A file, or standard input for `-`.
    pub(super) fn open(spot: &Spot) -> Result<Self, Failure> {
        let failed = |error| Failure::file(&spot.path(), &error);
        if is_pipe(&spot.path()) {
            let mut file = File::from(io::stdin().as_fd().try_clone_to_owned().map_err(failed)?);
            // Who had it before may have read some of it.
            let opened = file.metadata().ok().and_then(|metadata| AsOpened::at(file.stream_position().ok()?, metadata));
            widen(&file);
            return Ok(Self { file, length: opened.as_ref().map(|opened| opened.length), mode: MODE, opened });
        }
        let file = spot.open()?;
        let metadata = file.metadata().map_err(failed)?;
        let mode = if metadata.is_file() { metadata.permissions().mode() } else { MODE };
        let opened = AsOpened::at(0, metadata);
        Ok(Self { file, length: opened.as_ref().map(|opened| opened.length), mode, opened })
    }

    /// Bytes that it has to give, if that is known.
    pub(super) fn announced(&self) -> Option<u64> {
        self.opened.as_ref().and_then(AsOpened::announced)
    }

    /// To be read as it was when it was opened, or not at all.
    pub(super) fn steady(self) -> Steady {
        Steady::new(self.file, self.opened)
    }
}

/// Makes a pipe take a mebibyte at once, where the system lets us: fewer changes between the processes at its ends.
pub(super) fn widen(pipe: &File) {
    #[cfg(target_os = "linux")]
    let _ = rustix::pipe::fcntl_setpipe_size(pipe, 1 << 20);
    #[cfg(not(target_os = "linux"))]
    let _ = pipe;
}

/// Whether standard input or output is meant.
pub(super) fn is_pipe(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Counts what passes, and shows it.
pub(super) struct Counted<'a, T> {
    inner: T,
    count: &'a Cell<u64>,
    progress: Option<&'a Progress>,
}

impl<'a, T> Counted<'a, T> {
    pub(super) fn new(inner: T, count: &'a Cell<u64>, progress: Option<&'a Progress>) -> Self {
        Self { inner, count, progress }
    }

    pub(super) fn into_inner(self) -> T {
        self.inner
    }

    fn passed(&self, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or_default();
        self.count.set(self.count.get() + bytes);
        if let Some(progress) = self.progress {
            progress.advance(bytes);
        }
    }
}

impl<T: Read> Read for Counted<'_, T> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.passed(read);
        Ok(read)
    }
}

impl<T: Write> Write for Counted<'_, T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.passed(written);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<T: Destination> Destination for Counted<'_, T> {
    fn keep(&mut self) -> io::Result<()> {
        self.inner.keep()
    }

    fn discard(&mut self) {
        self.inner.discard();
    }
}

/// What was read of a message's head, for errors to tell of it.
#[derive(Default)]
pub(super) struct Head(RefCell<Option<Vec<u8>>>);

impl Head {
    /// Keeps what is read from now on.
    pub(super) fn of<R: Read>(&self, inner: R) -> Heading<'_, R> {
        self.0.replace(Some(Vec::new()));
        Heading { inner, head: self }
    }

    /// Nothing is kept any more.
    pub(super) fn over(&self) {
        self.0.replace(None);
    }

    /// What the head says of the message, if it is one. Unverified.
    pub(super) fn header(&self) -> Option<Header> {
        Header::inspect(self.0.borrow().as_deref()?).ok()
    }
}

/// An input whose head is kept.
pub(super) struct Heading<'a, R> {
    inner: R,
    head: &'a Head,
}

impl<R: Read> Read for Heading<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        if let Some(kept) = self.head.0.borrow_mut().as_mut() {
            // The tag, too, for `Header::inspect` reads it.
            let room = (HEADER_LIMIT + 64).saturating_sub(kept.len());
            kept.extend_from_slice(&into[..read.min(room)]);
        }
        Ok(read)
    }
}
