//! `s3://bucket/key`, and which files objects are.

use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

use clap::builder::{OsStringValueParser, TypedValueParser};

use super::super::output;

/// What the names of S3 begin with on the command line.
const SCHEME: &str = "s3://";

/// Longest key in bytes, by S3's own rule.
const KEY: usize = 1024;

/// A bucket and a key, which may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::client) struct S3Url {
    pub(in crate::client) bucket: String,
    pub(in crate::client) key: String,
}

impl FromStr for S3Url {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rest = text.strip_prefix(SCHEME).ok_or_else(|| format!("{text:?} is not of the form s3://bucket/key"))?;
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() || key.len() > KEY {
            return Err(format!("{text:?} has no bucket, or a key of more than {KEY} bytes"));
        }
        Ok(Self { bucket: bucket.to_owned(), key: key.to_owned() })
    }
}

impl fmt::Display for S3Url {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{SCHEME}{}/{}", self.bucket, self.key)
    }
}

impl S3Url {
    /// Another object in the same bucket.
    pub(in crate::client) fn with_key(&self, key: impl Into<String>) -> Self {
        Self { bucket: self.bucket.clone(), key: key.into() }
    }

    /// The prefix of what is in this folder: nothing, or the key with a slash at its end.
    pub(in crate::client) fn prefix(&self) -> String {
        if self.key.is_empty() || self.key.ends_with('/') { self.key.clone() } else { format!("{}/", self.key) }
    }

    /// Whether it names a folder rather than an object: by a slash at the end, or by having no key.
    pub(in crate::client) fn is_folder(&self) -> bool {
        self.key.is_empty() || self.key.ends_with('/')
    }
}

/// One end of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::client) enum End {
    /// In S3.
    Object(S3Url),
    /// Standard input or output.
    Pipe,
    /// A file or a folder.
    File(PathBuf),
}

impl End {
    /// Names of files need not be UTF-8.
    pub(in crate::client) fn parser() -> impl TypedValueParser<Value = Self> {
        OsStringValueParser::new().try_map(|name| match name.to_str() {
            Some("-") => Ok(End::Pipe),
            Some(text) if text.starts_with(SCHEME) => text.parse().map(End::Object),
            _ => Ok(End::File(PathBuf::from(name))),
        })
    }
}

impl fmt::Display for End {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Object(url) => url.fmt(formatter),
            End::Pipe => formatter.write_str("-"),
            End::File(path) => path.display().fmt(formatter),
        }
    }
}

/// The file of an object, by what its key has behind the folder's prefix. `None` for a name that is no path within a folder: whoever can
/// write to the bucket chooses it, and `../../.ssh/authorized_keys` is a key like any other.
pub(in crate::client) fn path_of(rest: &str) -> Option<PathBuf> {
    let path = Path::new(rest);
    let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    // `a//b`, `a/./b` and `a/` would be the file of another key.
    let same = path.components().collect::<PathBuf>().as_os_str() == path.as_os_str();
    (plain && same && !rest.is_empty() && !rest.ends_with('/') && !rest.contains('\0')).then(|| path.to_owned())
}

/// Whether a path is that of a file of ours that is not whole yet, or leads through a name of one: what another object became so far must not
/// be replaced by what whoever can write to the bucket likes.
pub(in crate::client) fn is_ours(path: &Path) -> bool {
    path.components().any(|part| output::is_ours(part.as_os_str()))
}

/// What stands behind the prefix in the key of a file's object. `None` for a name that is no UTF-8, which S3 cannot have.
pub(in crate::client) fn key_of(path: &Path) -> Option<String> {
    let parts: Option<Vec<&str>> = path.components().map(|part| part.as_os_str().to_str()).collect();
    parts.map(|parts| parts.join("/"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn urls_have_a_bucket_and_perhaps_a_key() {
        for (text, bucket, key, prefix) in [
            ("s3://b", "b", "", ""),
            ("s3://b/", "b", "", ""),
            ("s3://b/a", "b", "a", "a/"),
            ("s3://b/a/", "b", "a/", "a/"),
            ("s3://b//a", "b", "/a", "/a/"),
        ] {
            let url: S3Url = text.parse().unwrap();
            assert_eq!((&*url.bucket, &*url.key, &*url.prefix()), (bucket, key, prefix), "{text}");
        }
        for text in ["", "b/a", "s3://", "s3:///a", "S3://b/a", &format!("s3://b/{}", "x".repeat(1025))] {
            assert!(text.parse::<S3Url>().is_err(), "{text}");
        }
    }

    #[test]
    fn names_of_ours_are_told_wherever_they_are_in_a_path() {
        for ours in
            [".strongroom-0123456789abcdef", ".strongroom-0123456789abcdef.partial", ".Strongroom-0123456789ABCDEF"]
        {
            for path in [ours.to_owned(), format!("a/{ours}"), format!("{ours}/a"), format!("a/{ours}/b")] {
                assert!(is_ours(Path::new(&path)), "{path:?}");
            }
        }
        for path in ["a", ".strongroom-notes", "a/.strongroom-0123456789abcdef.txt", "strongroom-0123456789abcdef"] {
            assert!(!is_ours(Path::new(path)), "{path:?}");
        }
    }

    #[test]
    fn no_key_leads_out_of_the_folder() {
        for rest in ["", "/", "/etc/passwd", "..", "../a", "a/../b", "a/..", "./a", "a//b", "a/./b", "a/", ".", "a\0b"]
        {
            assert_eq!(path_of(rest), None, "{rest:?}");
        }
        for rest in ["a", "a/b", "...", ".a", "a b", "a\\b", "ü/\n"] {
            assert_eq!(path_of(rest), Some(PathBuf::from(rest)), "{rest:?}");
            assert_eq!(key_of(&path_of(rest).unwrap()).unwrap(), rest);
        }
    }
}
