//! Where results go: a file that gets its name only when it is complete and verified, or a pipe.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use aws_lc_rs::digest::{SHA256, digest};
use client::DataKey;
use client::message::Destination;
use data_encoding::HEXLOWER;
use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, RenameFlags, fchmod, openat, renameat, renameat_with, stat, statat, unlinkat,
};
use rustix::io::Errno;
use rustix::process::{self, geteuid};

use super::failure::{Failure, Kind};
use super::input::widen;
use super::signals;
use super::spot::Spot;

/// What temporary names begin with.
const PREFIX: &str = ".strongroom-";

/// What those of downloads that wait to be resumed end with.
const PARTIAL: &str = ".partial";

/// Links that lead to one another before it is a loop: as Linux has it.
const LINKS: usize = 40;

/// What becomes of a file that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Existing {
    /// The new one takes its place.
    Replaced,
    /// It stays, and this is said behind that it exists.
    Stays(&'static str),
}

/// A new file beside its final name. Dropped before [`Destination::keep`], it is gone.
pub(super) struct NewFile {
    /// As it was named, or where the link leads that was.
    target: PathBuf,
    folder: Arc<File>,
    name: OsString,
    temporary: String,
    file: File,
    /// Permissions once it is complete. Until then it is its owner's alone.
    mode: u32,
    existing: Existing,
    kept: bool,
}

impl NewFile {
    /// Begins one. A new one has `mode`, as far as the umask lets it; one that replaces another has that one's permissions, without
    /// set-user-id and its like, and as far as the umask lets it where the other was somebody else's.
    pub(super) fn create(spot: &Spot, existing: Existing, mode: u32) -> Result<Self, Failure> {
        let path = spot.path();
        let failed = |error: &io::Error| Failure::file(&path, error);
        check_place(&path)?;
        let mut spot = spot.clone();
        let mut mode = mode & 0o777 & !umask();
        let (mut folder, mut name) = spot.folder(false)?;
        if let Some(mut found) = spot.found(&folder, &name)? {
            if FileType::from_raw_mode(found.st_mode) == FileType::Symlink {
                if existing == Existing::Replaced {
                    // A link stays one: what it names is replaced.
                    spot = Spot::Named(fs::canonicalize(&path).map_err(|error| failed(&error))?);
                    (folder, name) = spot.folder(false)?;
                }
                found = stat(&path).unwrap_or(found);
            }
            let kind = FileType::from_raw_mode(found.st_mode);
            if kind == FileType::Directory {
                return Err(Failure::usage(format!("{} is a folder: name a file in it", path.display())));
            }
            if let Existing::Stays(hint) = existing {
                return Err(Failure::new(Kind::Failed, format!("{} exists{hint}", path.display())));
            }
            if kind != FileType::RegularFile {
                let text = format!("{} is no regular file; a pipe is written with -", path.display());
                return Err(Failure::usage(text));
            }
            let is_own = found.st_uid == geteuid().as_raw();
            mode = found.st_mode & 0o777 & if is_own { 0o777 } else { !umask() };
        }
        if is_temporary(&name) {
            let text = format!("{}: such names are for files that are not whole yet: take another", path.display());
            return Err(Failure::usage(text));
        }
        let folder = Arc::new(File::from(folder));
        let temporary = format!("{PREFIX}{}", HEXLOWER.encode(DataKey::random(8)?.as_bytes()));
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let make = || Ok(File::from(openat(&folder, &*temporary, flags, Mode::RUSR | Mode::WUSR)?));
        let file = signals::watched(&folder, &temporary, make).map_err(|error| failed(&error))?;
        Ok(Self { target: spot.path(), folder, name, temporary, file, mode, existing, kept: false })
    }

    /// Where it will be.
    pub(super) fn target(&self) -> &Path {
        &self.target
    }

    /// The folder in which it is.
    pub(super) fn folder(&self) -> Arc<File> {
        self.folder.clone()
    }

    /// When it was last changed, for those who look.
    pub(super) fn set_modified(&self, time: SystemTime) -> io::Result<()> {
        self.file.set_modified(time)
    }

    fn rename(&self) -> io::Result<()> {
        let (folder, from, to) = (&*self.folder, &*self.temporary, &*self.name);
        if self.existing == Existing::Replaced {
            return Ok(renameat(folder, from, folder, to)?);
        }
        match renameat_with(folder, from, folder, to, RenameFlags::NOREPLACE) {
            // A file system that cannot say "unless it is there".
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                if statat(folder, to, AtFlags::SYMLINK_NOFOLLOW).is_ok() {
                    return Err(io::ErrorKind::AlreadyExists.into());
                }
                Ok(renameat(folder, from, folder, to)?)
            }
            renamed => Ok(renamed?),
        }
    }
}

/// Permissions that new files do not get. First asked before there is a second thread, for it is the process's: while it is read, what
/// others make would be their owner's alone.
pub(super) fn umask() -> u32 {
    static UMASK: OnceLock<u32> = OnceLock::new();
    *UMASK.get_or_init(|| {
        let mask = process::umask(Mode::RWXG | Mode::RWXO);
        process::umask(mask);
        mask.as_raw_mode()
    })
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
        fchmod(&self.file, Mode::from_raw_mode(self.mode))?;
        self.file.sync_all()?;
        self.rename()?;
        self.kept = true;
        signals::forget(&self.temporary);
        self.folder.sync_all()
    }

    fn discard(&mut self) {
        if !self.kept {
            let _ = unlinkat(&self.folder, &*self.temporary, AtFlags::empty());
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

/// Whether a name is that of a file that never got its own: exactly of the form that is made here, for people's files may begin so, too.
pub(super) fn is_temporary(name: &OsStr) -> bool {
    let digits = name.as_encoded_bytes().strip_prefix(PREFIX.as_bytes());
    let digits = digits.map(|rest| rest.strip_suffix(PARTIAL.as_bytes()).unwrap_or(rest));
    digits.is_some_and(|digits| {
        digits.len() == 16 && digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// Whether a name may be one of those: there are file systems for which capital and small letters are the same.
pub(super) fn is_ours(name: &OsStr) -> bool {
    is_temporary(&name.to_ascii_lowercase())
}

/// The name of the file in which a download of this object waits to be resumed. docs/formats/partial-download.md has it.
pub(super) fn partial_name(of: &str) -> String {
    // Two objects with one name would only fetch anew: the file says which object it is of.
    let digits = HEXLOWER.encode(&digest(&SHA256, of.as_bytes()).as_ref()[..8]);
    format!("{PREFIX}{digits}{PARTIAL}")
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn only_names_of_ours_are_temporary() {
        for name in [".strongroom-0123456789abcdef", ".strongroom-0123456789abcdef.partial", &partial_name("x")] {
            assert!(is_temporary(OsStr::new(name)), "{name}");
        }
        for name in [
            ".strongroom-notes",
            ".strongroom-",
            ".strongroom-0123456789ABCDEF",
            ".strongroom-0123456789abcdef.txt",
            "x",
        ] {
            assert!(!is_temporary(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn another_build_finds_what_waits_to_be_resumed() {
        // printf s3://bucket/key | sha256sum
        assert_eq!(partial_name("s3://bucket/key"), ".strongroom-558ca1533e03aaea.partial");
    }

    #[test]
    fn no_file_gets_a_name_that_is_for_what_is_not_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(partial_name("s3://bucket/key"));
        fs::write(&path, "kept").unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        for named in [&path, &link] {
            assert!(NewFile::create(&Spot::Named(named.clone()), Existing::Replaced, 0o600).is_err());
        }
        assert_eq!(fs::read(&path).unwrap(), b"kept");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_file_is_its_owners_alone_until_it_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let mode = |path: &Path| fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777;
        let path = folder.path().join("file");
        for (old, after) in
            [(None, 0o755 & !umask()), (Some(0o6777), 0o777), (Some(0o640), 0o640), (Some(0o400), 0o400)]
        {
            let _ = fs::remove_file(&path);
            if let Some(old) = old {
                fs::write(&path, "old").unwrap();
                fs::set_permissions(&path, Permissions::from_mode(old)).unwrap();
            }
            let mut new = NewFile::create(&Spot::Named(path.clone()), Existing::Replaced, 0o4755).unwrap();
            assert_eq!(mode(&folder.path().join(&new.temporary)), 0o600);
            new.keep().unwrap();
            assert_eq!(mode(&path), after, "{old:?}");
        }
    }
}
