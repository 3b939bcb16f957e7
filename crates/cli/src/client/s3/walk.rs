//! What is in a folder or under a prefix, as tasks or as a list.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use client::aws::{ListOptions, Listed, Pages};
use client::object::INSTRUCTION_SUFFIX;

use super::super::failure::{Failure, Kind};
use super::super::output::is_temporary;
use super::super::report::shown;
use super::super::spot::Spot;
use super::super::tree::{Entry, Tree};
use super::jobs::{Task, refused};
use super::plan::{LocalFile, RemoteObject};
use super::remote::Remote;
use super::time;
use super::url::{S3Url, key_of, path_of};

/// The files of a folder that can be objects, each with what stands behind the prefix in its key; and what cannot.
pub(super) fn files(folder: &Path) -> Result<impl Iterator<Item = Result<(Spot, String), Task>> + Send, Failure> {
    let walk = Tree::walk(folder).map_err(|error| Failure::file(folder, &error))?;
    let folder = folder.to_owned();
    Ok(walk.filter_map(move |(path, entry)| {
        let full = folder.join(&path);
        match entry {
            Ok(Entry::Folder(_)) => None,
            Ok(Entry::File(path)) if path.file_name().is_some_and(is_temporary) => None,
            Ok(Entry::File(path)) => Some(match key_of(&path) {
                None => Err(refused(shown(&full), "a name that is no UTF-8 cannot be one of S3")),
                Some(rest) if rest.ends_with(INSTRUCTION_SUFFIX) => {
                    Err(refused(shown(&full), "a name that ends in .instruction is that of an instruction file"))
                }
                Some(rest) => Ok((Spot::within(&folder, path), rest)),
            }),
            Ok(Entry::Other(_, why)) => Some(Err(refused(shown(&full), why))),
            Err(error) => Some(Err(refused(shown(&full), error.to_string()))),
        }
    }))
}

/// What begins with a prefix, object by object.
pub(super) struct Objects<'a> {
    pages: Pages<'a>,
    page: std::vec::IntoIter<Listed>,
}

impl<'a> Objects<'a> {
    pub(super) fn of(remote: &'a Remote, url: &S3Url) -> Self {
        let options = ListOptions::new().prefix(url.prefix());
        Self { pages: remote.s3().list(&url.bucket, options), page: Vec::new().into_iter() }
    }
}

impl Iterator for Objects<'_> {
    type Item = Result<Listed, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(object) = self.page.next() {
                return Some(Ok(object));
            }
            match self.pages.next()? {
                Ok(page) => self.page = page.objects.into_iter(),
                Err(error) => return Some(Err(error.into())),
            }
        }
    }
}

/// The file of an object under the prefix, or why it can have none. Nothing for what stands for a folder, which is empty.
pub(super) fn file_of(url: &S3Url, object: &Listed, folder: &Path) -> Option<Result<(PathBuf, String), Task>> {
    let key = &object.key;
    let rest = key.strip_prefix(&url.prefix())?;
    if object.length == 0 && (rest.is_empty() || rest.ends_with('/')) {
        return None;
    }
    Some(match path_of(rest) {
        Some(path) => Ok((folder.join(path), rest.to_owned())),
        None => Err(refused(url.with_key(key).to_string(), "its name is no path within a folder")),
    })
}

/// Both sides of a synchronization, by what stands behind the prefix, and what cannot take part.
pub(super) struct Sides {
    pub(super) files: BTreeMap<String, LocalFile>,
    pub(super) objects: BTreeMap<String, RemoteObject>,
    pub(super) refused: Vec<Task>,
}

impl Sides {
    /// What is under the prefix.
    ///
    /// # Errors
    /// It cannot be listed whole.
    pub(super) fn objects(remote: &Remote, folder: &Path, url: &S3Url) -> Result<Self, Failure> {
        let mut sides = Self { files: BTreeMap::new(), objects: BTreeMap::new(), refused: Vec::new() };
        for object in Objects::of(remote, url) {
            let object = object?;
            match file_of(url, &object, folder) {
                None => {}
                Some(Ok((_, rest))) => {
                    let stored = time::of_service(&object.last_modified).ok_or_else(|| {
                        Failure::new(Kind::Failed, format!("{}: {:?} is no time", object.key, object.last_modified))
                    })?;
                    sides.objects.insert(rest, RemoteObject { sealed_length: object.length, stored });
                }
                Some(Err(task)) => sides.refused.push(task),
            }
        }
        sides.without_instruction_files();
        Ok(sides)
    }

    /// What is in the folder, too.
    ///
    /// # Errors
    /// Either cannot be listed whole.
    pub(super) fn read(remote: &Remote, folder: &Path, url: &S3Url, folder_is_target: bool) -> Result<Self, Failure> {
        let mut sides = Self::objects(remote, folder, url)?;
        if folder_is_target && fs::symlink_metadata(folder).is_err() {
            return Ok(sides);
        }
        for file in files(folder)? {
            match file {
                Ok((spot, rest)) => {
                    let path = spot.path();
                    let metadata = fs::symlink_metadata(&path).map_err(|error| Failure::file(&path, &error))?;
                    let modified = metadata.modified().map_err(|error| Failure::file(&path, &error))?;
                    let file = LocalFile { length: metadata.len(), modified: time::of_file(modified) };
                    sides.files.insert(rest, file);
                }
                // What no object can be is of no matter where objects come from.
                Err(_) if folder_is_target => {}
                Err(task) => sides.refused.push(task),
            }
        }
        Ok(sides)
    }

    /// They belong to their objects.
    fn without_instruction_files(&mut self) {
        let names: BTreeSet<String> = self.objects.keys().cloned().collect();
        self.objects.retain(|name, _| name.strip_suffix(INSTRUCTION_SUFFIX).is_none_or(|of| !names.contains(of)));
    }
}
