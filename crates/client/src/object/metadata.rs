//! The user metadata of an object.

use crate::error::{Error, Result};
use std::collections::BTreeMap;

/// What the metadata of an object, or an instruction file, have in all at most, in bytes. S3 takes 2 KiB of metadata; the longest
/// instruction file, with an RSA key of 16,384 bits and a context of 8 KiB, has less than 20 KiB.
pub const METADATA_LIMIT: usize = 1 << 16;

/// What an instruction file is called: the name of its object, and this.
pub const INSTRUCTION_SUFFIX: &str = ".instruction";

/// What the metadata of an instruction file have, with an empty value.
pub(super) const INSTRUCTION_MARK: &str = "x-amz-crypto-instr-file";

/// How user metadata are called in HTTP.
const PREFIX: &str = "x-amz-meta-";

/// User metadata: names in lower case, without `x-amz-meta-`.
///
/// ```
/// use client::object::Metadata;
///
/// let metadata = Metadata::from_headers([("Content-Type", "text/plain"), ("X-Amz-Meta-Colour", "blue")])?;
/// assert_eq!(metadata.get("colour"), Some("blue"));
/// assert_eq!(metadata.iter().count(), 1);
/// assert!(Metadata::from_headers([("x-amz-meta-a", "1"), ("X-Amz-Meta-A", "2")]).is_err());
/// # Ok::<(), client::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata(BTreeMap<String, String>);

impl Metadata {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Of the headers of an answer: those that begin with `x-amz-meta-`, in whatever case.
    ///
    /// # Errors
    /// [`Error::RepeatedMember`] for one that comes twice.
    pub fn from_headers<N: AsRef<str>, V: Into<String>>(headers: impl IntoIterator<Item = (N, V)>) -> Result<Self> {
        let mut metadata = Self::new();
        for (name, value) in headers {
            let name = name.as_ref().to_ascii_lowercase();
            let Some(name) = name.strip_prefix(PREFIX) else { continue };
            if metadata.insert(name, value).is_some() {
                return Err(Error::RepeatedMember(name.to_owned()));
            }
        }
        Ok(metadata)
    }

    /// The value of a name in lower case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Adds a pair, or gives a name another value; the former one is returned.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<String>) -> Option<String> {
        let mut name = name.into();
        name.make_ascii_lowercase();
        self.0.insert(name, value.into())
    }

    /// Takes a pair out.
    pub fn remove(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    /// The pairs, in the order of the names' bytes.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// How many pairs there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no pair.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first name that is reserved to this format: who writes an object adds none of these.
    ///
    /// ```
    /// use client::object::Metadata;
    /// assert_eq!(Metadata::from([("colour", "blue")]).reserved(), None);
    /// assert_eq!(Metadata::from([("x-amz-key", "")]).reserved(), Some("x-amz-key"));
    /// ```
    #[must_use]
    pub fn reserved(&self) -> Option<&str> {
        let reserved = |name: &&str| *name == INSTRUCTION_MARK || super::member::NAMES.contains(name);
        self.0.keys().map(String::as_str).find(reserved)
    }

    /// # Errors
    /// [`Error::MetadataLength`].
    pub(super) fn bounded(&self) -> Result<&Self> {
        let total = self.0.iter().fold(0usize, |sum, (name, value)| sum.saturating_add(name.len() + value.len()));
        if total > METADATA_LIMIT { Err(Error::MetadataLength { limit: METADATA_LIMIT }) } else { Ok(self) }
    }
}

impl<N: Into<String>, V: Into<String>> Extend<(N, V)> for Metadata {
    fn extend<I: IntoIterator<Item = (N, V)>>(&mut self, pairs: I) {
        for (name, value) in pairs {
            self.insert(name, value);
        }
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Metadata {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let mut metadata = Self::new();
        metadata.extend(pairs);
        metadata
    }
}

impl<N: Into<String>, V: Into<String>, const L: usize> From<[(N, V); L]> for Metadata {
    fn from(pairs: [(N, V); L]) -> Self {
        pairs.into_iter().collect()
    }
}

impl From<BTreeMap<String, String>> for Metadata {
    fn from(pairs: BTreeMap<String, String>) -> Self {
        pairs.into_iter().collect()
    }
}
