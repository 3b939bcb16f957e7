//! Folders: everything in one, in an order that is always the same, with no more in memory than the folders on the way down.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::output::{is_ours, is_temporary};

/// Folders within folders that are walked. A file system allows about 2,000 in a path; more is a loop.
const DEPTH: usize = 4096;

/// What is said of names that are ours, where something else has one.
pub(super) const OURS: &str = "its name is for files of this program that are not whole yet";

/// Something in a folder, by its path from there.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// A folder: what is in it follows.
    Folder(PathBuf),
    /// A regular file.
    File(PathBuf),
    /// What is neither: a link, a pipe, a device. It is told, not followed.
    Other(PathBuf, &'static str),
}

/// Walks a folder. Links are not followed, and files of ours that are not whole yet are left out.
pub(super) struct Tree {
    root: PathBuf,
    /// What is left of each folder on the way down, the next one last.
    open: Vec<(PathBuf, Vec<OsString>)>,
}

impl Tree {
    /// # Errors
    /// The folder cannot be read.
    pub(super) fn walk(root: &Path) -> io::Result<Self> {
        Ok(Self { root: root.to_owned(), open: vec![(PathBuf::new(), names(root)?)] })
    }

    /// What has this path; nothing for a file of ours.
    fn entry(&mut self, path: PathBuf) -> io::Result<Option<Entry>> {
        let full = self.root.join(&path);
        let kind = fs::symlink_metadata(&full)?.file_type();
        let other = |path, why| Ok(Some(Entry::Other(path, why)));
        if kind.is_file() && path.file_name().is_some_and(is_temporary) {
            return Ok(None);
        }
        if path.file_name().is_some_and(is_ours) {
            return other(path, OURS);
        }
        if kind.is_file() {
            return Ok(Some(Entry::File(path)));
        }
        if kind.is_symlink() {
            return other(path, "a symbolic link is not followed");
        }
        if !kind.is_dir() {
            return other(path, "neither a file nor a folder");
        }
        if self.open.len() >= DEPTH {
            return other(path, "too deep");
        }
        self.open.push((path.clone(), names(&full)?));
        Ok(Some(Entry::Folder(path)))
    }
}

impl Iterator for Tree {
    type Item = (PathBuf, io::Result<Entry>);

    /// The path, and what is there or why it could not be seen.
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (folder, left) = self.open.last_mut()?;
            let Some(name) = left.pop() else {
                self.open.pop();
                continue;
            };
            let path = folder.join(name);
            if let Some(entry) = self.entry(path.clone()).transpose() {
                return Some((path, entry));
            }
        }
    }
}

/// The names in a folder, the first one last.
fn names(folder: &Path) -> io::Result<Vec<OsString>> {
    let mut names = fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>()?;
    names.sort_unstable_by(|a, b| b.cmp(a));
    Ok(names)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn everything_comes_once_and_in_order_and_links_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("b/empty")).unwrap();
        let ours = ".strongroom-0123456789abcdef";
        fs::create_dir_all(root.join(format!("b/{ours}"))).unwrap();
        for file in
            ["a", "b/z", "b/c", "d", ours, ".strongroom-0123456789abcdef.partial", ".Strongroom-0123456789ABCDEF"]
        {
            fs::write(root.join(file), "").unwrap();
        }
        std::os::unix::fs::symlink(root, root.join("b/loop")).unwrap();
        let found: Vec<Entry> = Tree::walk(root).unwrap().map(|(_, entry)| entry.unwrap()).collect();
        let path = PathBuf::from;
        let expected = [
            Entry::Other(path(".Strongroom-0123456789ABCDEF"), OURS),
            Entry::File(path("a")),
            Entry::Folder(path("b")),
            Entry::Other(path("b").join(ours), OURS),
            Entry::File(path("b/c")),
            Entry::Folder(path("b/empty")),
            Entry::Other(path("b/loop"), "a symbolic link is not followed"),
            Entry::File(path("b/z")),
            Entry::File(path("d")),
        ];
        assert_eq!(found, expected);
    }
}
