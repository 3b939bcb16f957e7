//! Where results go: a file that gets its name only when it is complete and verified, or a pipe.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, Permissions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use client::DataKey;
use client::message::Destination;
use data_encoding::HEXLOWER;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use super::failure::{Failure, Kind};
use super::input::widen;
use super::signals;

/// What temporary names begin with.
const PREFIX: &str = ".strongroom-";

/// Links that lead to one another before it is a loop: as Linux has it.
const LINKS: usize = 40;

/// A new file beside its final name. Dropped before [`Destination::keep`], it is gone.
pub(super) struct NewFile {
    target: PathBuf,
    temporary: PathBuf,
    file: File,
    replace: bool,
    kept: bool,
}

impl NewFile {
    /// Begins one. Of a file that is replaced it takes the permissions; a new one has `mode`, as far as the umask lets it.
    pub(super) fn create(target: &Path, replace: bool, mode: u32) -> Result<Self, Failure> {
        let failed = |error: &io::Error| Failure::file(target, error);
        check_place(target)?;
        let mut permissions: Option<Permissions> = None;
        let mut target = target.to_owned();
        match fs::symlink_metadata(&target) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(&error)),
            Ok(_) if !replace => return Err(Failure::new(Kind::Failed, format!("{} exists", target.display()))),
            Ok(_) => {
                // A link stays one: what it names is replaced.
                target = fs::canonicalize(&target).map_err(|error| failed(&error))?;
                let metadata = fs::metadata(&target).map_err(|error| failed(&error))?;
                if metadata.is_dir() {
                    return Err(Failure::usage(format!("{} is a folder: name a file in it", target.display())));
                }
                if !metadata.is_file() {
                    let text = format!("{} is no regular file; a pipe is written with -", target.display());
                    return Err(Failure::usage(text));
                }
                permissions = Some(metadata.permissions());
            }
        }
        let name = HEXLOWER.encode(DataKey::random(8)?.as_bytes());
        let temporary = target.with_file_name(format!("{PREFIX}{name}"));
        let make = || OpenOptions::new().write(true).create_new(true).mode(mode & 0o777).open(&temporary);
        let file = signals::watched(&temporary, make).map_err(|error| failed(&error))?;
        let new = Self { target, temporary, file, replace, kept: false };
        if let Some(permissions) = permissions {
            new.file.set_permissions(permissions).map_err(|error| Failure::file(&new.target, &error))?;
        }
        Ok(new)
    }

    /// Where it will be.
    pub(super) fn target(&self) -> &Path {
        &self.target
    }

    /// When it was last changed, for those who look.
    pub(super) fn set_modified(&self, time: SystemTime) -> io::Result<()> {
        self.file.set_modified(time)
    }

    fn rename(&self) -> io::Result<()> {
        if self.replace {
            return fs::rename(&self.temporary, &self.target);
        }
        match renameat_with(CWD, &self.temporary, CWD, &self.target, RenameFlags::NOREPLACE) {
            // A file system that cannot say "unless it is there".
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                if fs::symlink_metadata(&self.target).is_ok() {
                    return Err(io::ErrorKind::AlreadyExists.into());
                }
                fs::rename(&self.temporary, &self.target)
            }
            renamed => Ok(renamed?),
        }
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Destination for NewFile {
    /// On disk, then under its name, then the folder on disk.
    fn keep(&mut self) -> io::Result<()> {
        self.file.sync_all()?;
        self.rename()?;
        self.kept = true;
        signals::forget(&self.temporary);
        let folder = self.target.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }

    fn discard(&mut self) {
        if !self.kept {
            let _ = fs::remove_file(&self.temporary);
            signals::forget(&self.temporary);
        }
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        self.discard();
    }
}

/// Refuses a name that lies, or leads by a link, to where devices and processes are: `/dev/stdout` would name the file that standard output
/// goes to, and that would be replaced. `/dev/shm` is for files.
pub(super) fn check_place(target: &Path) -> Result<(), Failure> {
    let mut path = target.to_owned();
    for _ in 0..LINKS {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let Ok(folder) = fs::canonicalize(folder) else { break };
        if ["/dev", "/proc"].iter().any(|place| folder.starts_with(place)) && !folder.starts_with("/dev/shm") {
            let text = format!("{} is no place for a file; to write to standard output, name it -", target.display());
            return Err(Failure::usage(text));
        }
        let Ok(next) = fs::read_link(&path) else { break };
        path = folder.join(next);
    }
    Ok(())
}

/// Whether a name is that of a file that never got its own.
pub(super) fn is_temporary(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(PREFIX.as_bytes())
}

/// The name of the file in which a download of this object waits to be resumed.
pub(super) fn partial_name(of: &str) -> String {
    // Two objects with one name would only fetch anew: the file says which object it is of.
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    format!("{PREFIX}{:016x}.partial", hasher.finish())
}

/// Standard output, as it is: what is written has left.
pub(super) fn stdout() -> Result<File, Failure> {
    let owned = io::stdout().as_fd().try_clone_to_owned();
    let pipe = owned.map(File::from).map_err(|error| Failure::file(Path::new("standard output"), &error))?;
    widen(&pipe);
    Ok(pipe)
}

/// Whether bytes would go to somebody's screen.
pub(super) fn stdout_is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Text to standard output. A reader that is gone has read enough.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::file(Path::new("standard output"), &error))
        }
        _ => Ok(()),
    }
}
