//! Where a file is, or is to be. In a path that a person gave, links are followed; below a folder that was given, names come from others, and none
//! is.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, mkdirat, open, openat, statat, unlinkat};
use rustix::io::Errno;

use super::failure::{Failure, Kind};

/// What is said of a link below the folder.
const LINK: &str = "a symbolic link, which is not followed below the folder that was named";

/// What is said of what is there now, where a file was to be read.
const NO_FILE: &str = "no regular file any more";

/// How folders are opened: to make files in them, and to have that on disk.
const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// A file that is there, or is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Spot {
    /// By its own path, as a person gave it.
    Named(PathBuf),
    /// In the folder that a person gave, by the path from there, which is somebody else's.
    Within { root: PathBuf, rest: PathBuf },
}

impl Spot {
    pub(super) fn within(root: &Path, rest: impl Into<PathBuf>) -> Self {
        Self::Within { root: root.to_owned(), rest: rest.into() }
    }

    /// For messages, and for what opens by path.
    pub(super) fn path(&self) -> PathBuf {
        match self {
            Spot::Named(path) => path.clone(),
            Spot::Within { root, rest } => root.join(rest),
        }
    }

    /// The file's folder, open, and its name there. Folders that are missing are made if `make` says so: below the root, which is there.
    pub(super) fn folder(&self, make: bool) -> Result<(OwnedFd, OsString), Failure> {
        let (root, rest) = match self {
            Spot::Named(path) => {
                let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
                (folder, path.file_name().map(Path::new))
            }
            Spot::Within { root, rest } => (&**root, Some(&**rest)),
        };
        let odd = || Failure::usage(format!("{} names no file", self.path().display()));
        let rest = rest.ok_or_else(odd)?;
        let mut folder = open(root, FOLDER, Mode::empty()).map_err(|error| Failure::file(root, &error.into()))?;
        let mut names = rest.components().map(|part| match part {
            Component::Normal(name) => Ok(name),
            _ => Err(odd()),
        });
        let mut name = names.next().ok_or_else(odd)??;
        let mut path = root.to_owned();
        for next in names {
            path.push(name);
            folder = step(&folder, name, make.then_some(0o777)).map_err(|error| Failure::file(&path, &error))?;
            name = next?;
        }
        Ok((folder, name.to_owned()))
    }

    /// Makes a folder of it, if none is there, with `mode` as far as the umask lets it.
    pub(super) fn make_folder(&self, mode: u32) -> Result<(), Failure> {
        let (folder, name) = self.folder(false)?;
        step(&folder, &name, Some(mode)).map(drop).map_err(|error| Failure::file(&self.path(), &error))
    }

    /// Opens the file to read it. Below a folder that was named it is a regular one, however it came there: nothing else is followed or
    /// waited for.
    pub(super) fn open(&self) -> Result<File, Failure> {
        let failed = |error| Failure::file(&self.path(), &error);
        if let Spot::Named(path) = self {
            return File::open(path).map_err(failed);
        }
        let (folder, name) = self.folder(false)?;
        self.found(&folder, &name)?;
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = openat(&folder, &name, flags, Mode::empty()).map_err(|error| failed(error.into()))?;
        let file = File::from(file);
        if file.metadata().map_err(failed)?.is_file() { Ok(file) } else { Err(failed(io::Error::other(NO_FILE))) }
    }

    /// What has this name in its folder, if anything has. A link below a folder that was named is refused.
    pub(super) fn found(&self, folder: &OwnedFd, name: &OsStr) -> Result<Option<Stat>, Failure> {
        match statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(Failure::file(&self.path(), &error.into())),
            Ok(found) => match (self, FileType::from_raw_mode(found.st_mode)) {
                (Spot::Within { .. }, FileType::Symlink) => {
                    Err(Failure::new(Kind::Failed, format!("{}: {LINK}", self.path().display())))
                }
                _ => Ok(Some(found)),
            },
        }
    }

    /// Removes the file; a link that took its place goes itself.
    pub(super) fn remove(&self) -> Result<(), Failure> {
        let (folder, name) = self.folder(false)?;
        unlinkat(&folder, name, AtFlags::empty()).map_err(|error| Failure::file(&self.path(), &error.into()))
    }
}

/// A folder in a folder, which is no link.
fn step(folder: &OwnedFd, name: &OsStr, make: Option<u32>) -> io::Result<OwnedFd> {
    if let Some(mode) = make {
        match mkdirat(folder, name, Mode::from_raw_mode(mode)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
    }
    openat(folder, name, FOLDER | OFlags::NOFOLLOW, Mode::empty()).map_err(|error| {
        let found = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW);
        match found.map(|found| FileType::from_raw_mode(found.st_mode)) {
            Ok(FileType::Symlink) => io::Error::other(LINK),
            _ => error.into(),
        }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn below_the_folder_only_regular_files_are_read() {
        let (inside, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(outside.path().join("secret"), "root:secret").unwrap();
        fs::create_dir(inside.path().join("folder")).unwrap();
        fs::write(inside.path().join("folder/file"), "text").unwrap();
        symlink(outside.path(), inside.path().join("out")).unwrap();
        symlink(outside.path().join("secret"), inside.path().join("link")).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, inside.path().join("pipe"), Mode::RUSR | Mode::WUSR).unwrap();
        let open = |rest: &str| Spot::within(inside.path(), rest).open();
        assert_eq!(io::read_to_string(open("folder/file").unwrap()).unwrap(), "text");
        for (rest, why) in [("link", LINK), ("out/secret", LINK), ("pipe", NO_FILE), ("folder", NO_FILE)] {
            assert!(open(rest).unwrap_err().to_string().ends_with(why), "{rest}");
        }
        assert!(open("nothing").is_err());
        assert!(Spot::Named(inside.path().join("link")).open().is_ok(), "a person named it");
    }

    #[test]
    fn below_the_folder_no_link_is_followed() {
        let (inside, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(outside.path().join("victim"), "precious").unwrap();
        symlink(outside.path(), inside.path().join("out")).unwrap();
        symlink(outside.path().join("victim"), inside.path().join("link")).unwrap();
        let spot = |rest: &str| Spot::within(inside.path(), rest);
        for rest in ["out/new", "out/deep/new"] {
            assert!(spot(rest).folder(true).unwrap_err().to_string().ends_with(LINK), "{rest}");
        }
        assert!(spot("out").make_folder(0o700).unwrap_err().to_string().ends_with(LINK));
        assert!(spot("out/victim").remove().unwrap_err().to_string().ends_with(LINK));
        let found = |rest: &str| {
            let (folder, name) = spot(rest).folder(false).unwrap();
            spot(rest).found(&folder, &name)
        };
        assert!(found("link").unwrap_err().to_string().ends_with(LINK));
        assert!(spot("../x").folder(true).is_err() && spot("/etc/x").folder(true).is_err());
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);

        spot("a/b/c").folder(true).unwrap();
        assert!(inside.path().join("a/b").is_dir() && !inside.path().join("a/b/c").exists());
        spot("link").remove().unwrap();
        assert!(outside.path().join("victim").exists() && found("link").unwrap().is_none());
        // The folder itself was named by a person.
        symlink(inside.path(), outside.path().join("way")).unwrap();
        assert!(Spot::within(&outside.path().join("way"), "a/x").folder(false).is_ok());
        assert!(Spot::Named(outside.path().join("way/x")).folder(false).is_ok());
    }
}
