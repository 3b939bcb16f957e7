//! What is in a folder or under a prefix, as tasks or as a list.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use client::aws::{ListOptions, Listed, Pages};
use client::object::INSTRUCTION_SUFFIX;

use super::super::failure::{Failure, Kind};
use super::super::report::shown;
use super::super::spot::Spot;
use super::super::tree::{Entry, OURS, Tree};
use super::jobs::{Task, refused};
use super::plan::{Direction, LocalFile, RemoteObject};
use super::remote::Remote;
use super::time;
use super::url::{S3Url, is_ours, key_of, path_of};

/// How much of a listing is taken, in bytes of its names and of [`BESIDE`]: of a service that lists without end, no more. These are ten million
/// names of 60 bytes and more, which come in ten thousand pages. A plan made of them holds them once more.
const NAMES: usize = 2 << 30;

/// What goes with each name, in bytes: its times and lengths, and its place among the others.
const BESIDE: usize = 128;

/// The files of a folder that can be objects, each with what stands behind the prefix in its key; and what cannot.
pub(super) fn files(folder: &Path) -> Result<impl Iterator<Item = Result<(Spot, String), Task>> + Send, Failure> {
    let walk = Tree::walk(folder).map_err(|error| Failure::file(folder, &error))?;
    let folder = folder.to_owned();
    Ok(walk.filter_map(move |(path, entry)| {
        let full = folder.join(&path);
        match entry {
            Ok(Entry::Folder(_)) => None,
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

/// The path of an object's file from the folder on, or why it can have none. Nothing for what stands for a folder, which is empty.
fn file_of(url: &S3Url, object: &Listed, direction: Direction) -> Option<Result<String, Task>> {
    let key = &object.key;
    let rest = key.strip_prefix(&url.prefix())?;
    if object.length == 0 && (rest.is_empty() || rest.ends_with('/')) {
        return None;
    }
    let refused = |why: &str| refused(url.with_key(key).to_string(), why);
    Some(match path_of(rest) {
        Some(path) if direction == Direction::Down && is_ours(&path) => Err(refused(OURS)),
        Some(_) => Ok(rest.to_owned()),
        None => Err(refused("its name is no path within a folder")),
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
    /// It cannot be listed whole, or has more names than are held.
    pub(super) fn objects(remote: &Remote, url: &S3Url, direction: Direction) -> Result<Self, Failure> {
        Self::listed(Objects::of(remote, url), url, direction, NAMES)
    }

    fn listed(
        objects: impl Iterator<Item = Result<Listed, Failure>>,
        url: &S3Url,
        direction: Direction,
        mut room: usize,
    ) -> Result<Self, Failure> {
        let mut sides = Self { files: BTreeMap::new(), objects: BTreeMap::new(), refused: Vec::new() };
        for object in objects {
            let object = object?;
            let file = file_of(url, &object, direction);
            let length = object.key.len() + BESIDE;
            room = room.checked_sub(if file.is_some() { length } else { 0 }).ok_or_else(|| {
                let text = format!("{url} has more names than are held at once: take what is below it one by one");
                Failure::new(Kind::Failed, text)
            })?;
            match file {
                None => {}
                Some(Ok(rest)) => {
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
    pub(super) fn read(remote: &Remote, folder: &Path, url: &S3Url, direction: Direction) -> Result<Self, Failure> {
        let mut sides = Self::objects(remote, url, direction)?;
        let folder_is_target = direction == Direction::Down;
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
        let of_others =
            |name: &&String| name.strip_suffix(INSTRUCTION_SUFFIX).is_some_and(|of| self.objects.contains_key(of));
        let instructions: Vec<String> = self.objects.keys().filter(of_others).cloned().collect();
        for name in instructions {
            self.objects.remove(&name);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn object(key: String) -> Result<Listed, Failure> {
        let last_modified = "2024-01-01T00:00:00.000Z".to_owned();
        Ok(Listed { key, length: 17, etag: String::new(), last_modified })
    }

    fn listed(keys: &[&str], direction: Direction) -> (Vec<String>, usize) {
        let objects = keys.iter().map(|key| object((*key).to_owned()));
        let sides = Sides::listed(objects, &"s3://b/p".parse().unwrap(), direction, NAMES).unwrap();
        (sides.objects.into_keys().collect(), sides.refused.len())
    }

    #[test]
    fn a_listing_without_end_is_not_held() {
        let url: S3Url = "s3://b".parse().unwrap();
        for name in ["a", "../a"] {
            let endless = (0u64..).map(|number| object(format!("{name}{number:020}")));
            let Err(failure) = Sides::listed(endless, &url, Direction::Down, 1 << 20) else { panic!("it ended") };
            assert!(failure.to_string().contains("more names than are held"), "{failure}");
        }
        let many = (0..5_000).map(|number| object(format!("a{number}")));
        assert_eq!(Sides::listed(many, &url, Direction::Down, 1 << 20).unwrap().objects.len(), 5_000);
        const { assert!(NAMES / (60 + BESIDE) > 10_000_000, "as many names of 60 bytes are an honest bucket") };
    }

    #[test]
    fn names_of_ours_do_not_come_down() {
        let ours = [
            "p/.strongroom-0123456789abcdef",
            "p/.strongroom-0123456789abcdef.partial",
            "p/a/.strongroom-0123456789abcdef/b",
        ];
        let keys = [&ours[..], &["p/../x", "p/a"]].concat();
        assert_eq!(listed(&keys, Direction::Down), (vec!["a".to_owned()], 4));
        assert_eq!(listed(&keys, Direction::Up).0.len(), 4);
    }

    #[test]
    fn instruction_files_belong_to_their_objects() {
        let keys = ["p/a", "p/a.instruction", "p/a.instruction.instruction", "p/b.instruction"];
        assert_eq!(listed(&keys, Direction::Down).0, ["a", "b.instruction"]);
    }
}
