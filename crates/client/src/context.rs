//! The encryption context: pairs of text that are authenticated with the data and stored beside it in clear.

use crate::error::{Error, Result};
use std::collections::{BTreeMap, BTreeSet};

/// Names that begin so belong to the AWS Encryption SDK.
const RESERVED: &str = "aws-crypto-";

/// Pairs of names and values, in the order of the names' UTF-8 bytes. **Not secret**: they are stored and logged in clear.
///
/// ```
/// use client::EncryptionContext;
///
/// let context = EncryptionContext::from([("purpose", "backup"), ("host", "pluto")]);
/// assert_eq!(context.get("purpose"), Some("backup"));
/// assert_eq!(context.serialize()?[..9], *b"\0\x02\0\x04host\0");
/// assert_eq!(EncryptionContext::parse(&context.serialize()?)?, context);
/// # Ok::<(), client::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct EncryptionContext(BTreeMap<String, String>);

impl EncryptionContext {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Adds a pair, or gives a name another value; the former one is returned.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<String>) -> Option<String> {
        self.0.insert(name.into(), value.into())
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

    /// The Encryption SDK's bytes: a count, then length and bytes of each name and value, all lengths in two bytes, sorted by name; nothing
    /// at all for an empty context ([specification](https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/framework/structures.md#serialization)).
    ///
    /// # Errors
    /// [`Error::ContextLength`] when the whole, a name or a value has more than 65,535 bytes.
    pub fn serialize(&self) -> Result<Vec<u8>> {
        if self.0.is_empty() {
            return Ok(Vec::new());
        }
        let mut bytes = length(self.0.len())?.to_vec();
        for text in self.0.iter().flat_map(|(name, value)| [name, value]) {
            bytes.extend(length(text.len())?);
            bytes.extend(text.as_bytes());
        }
        length(bytes.len())?;
        Ok(bytes)
    }

    /// Reads what [`EncryptionContext::serialize`] wrote. Pairs out of order are taken, since some clients sorted by UTF-16; their
    /// bytes are authenticated as they stand.
    ///
    /// # Errors
    /// [`Error::Header`]: a length that does not fit, a name twice, text that is no UTF-8, a count of zero.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let mut pairs = BTreeMap::new();
        if bytes.is_empty() {
            return Ok(Self(pairs));
        }
        let (count, mut rest) = number(bytes)?;
        if count == 0 {
            return Err(Error::Header("an encryption context of no pairs that is not empty"));
        }
        for _ in 0..count {
            let (name, after) = text(rest)?;
            let (value, after) = text(after)?;
            rest = after;
            if pairs.insert(name.to_owned(), value.to_owned()).is_some() {
                return Err(Error::Header("a name twice in the encryption context"));
            }
        }
        if rest.is_empty() {
            Ok(Self(pairs))
        } else {
            Err(Error::Header("an encryption context longer than its pairs"))
        }
    }

    /// Without these names, and these names alone.
    pub(crate) fn split(&self, names: &BTreeSet<String>) -> (Self, Self) {
        let (named, rest) = self.0.clone().into_iter().partition(|(name, _)| names.contains(name));
        (Self(rest), Self(named))
    }

    /// The first name that is reserved to the Encryption SDK: one that begins with `aws-crypto-`.
    #[must_use]
    pub fn reserved(&self) -> Option<&str> {
        self.0.keys().map(String::as_str).find(|name| name.starts_with(RESERVED))
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for EncryptionContext {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl<N: Into<String>, V: Into<String>, const L: usize> From<[(N, V); L]> for EncryptionContext {
    fn from(pairs: [(N, V); L]) -> Self {
        pairs.into_iter().collect()
    }
}

impl From<BTreeMap<String, String>> for EncryptionContext {
    fn from(pairs: BTreeMap<String, String>) -> Self {
        Self(pairs)
    }
}

fn length(bytes: usize) -> Result<[u8; 2]> {
    u16::try_from(bytes).map(u16::to_be_bytes).map_err(|_| Error::ContextLength)
}

const SHORT: Error = Error::Header("an encryption context shorter than its pairs");

fn number(bytes: &[u8]) -> Result<(u16, &[u8])> {
    let (number, rest) = bytes.split_first_chunk().ok_or(SHORT)?;
    Ok((u16::from_be_bytes(*number), rest))
}

fn text(bytes: &[u8]) -> Result<(&str, &[u8])> {
    let (length, rest) = number(bytes)?;
    let (text, rest) = rest.split_at_checked(length.into()).ok_or(SHORT)?;
    let text = std::str::from_utf8(text).map_err(|_| Error::Header("an encryption context that is no UTF-8"))?;
    Ok((text, rest))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn pairs_are_in_the_order_of_their_bytes_not_of_utf_16() {
        // U+FF5E sorts before U+1F600 in UTF-8, and after its surrogates in UTF-16.
        let context = EncryptionContext::from([("\u{1F600}", "b"), ("\u{FF5E}", "a")]);
        assert_eq!(context.serialize().unwrap(), "\0\x02\0\x03\u{FF5E}\0\x01a\0\x04\u{1F600}\0\x01b".as_bytes());
    }

    #[test]
    fn an_empty_one_has_no_bytes() {
        assert_eq!(EncryptionContext::new().serialize().unwrap(), b"");
        assert_eq!(EncryptionContext::parse(b"").unwrap(), EncryptionContext::new());
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let long = "x".repeat(65_536);
        assert!(matches!(EncryptionContext::from([("a", &long)]).serialize(), Err(Error::ContextLength)));
        let many: EncryptionContext = (0..70_000).map(|n| (n.to_string(), "")).collect();
        assert!(matches!(many.serialize(), Err(Error::ContextLength)));
        let half = "x".repeat(40_000);
        assert!(matches!(EncryptionContext::from([("a", &half), ("b", &half)]).serialize(), Err(Error::ContextLength)));
    }

    #[test]
    fn malformed_ones_are_told_apart() {
        let cases: [(&[u8], &str); 6] = [
            (b"\0", "shorter"),
            (b"\0\0", "no pairs"),
            (b"\0\x01\0\x01a\0\x02b", "shorter"),
            (b"\0\x02\0\x01a\0\x01b\0\x01a\0\x01c", "twice"),
            (b"\0\x01\0\x01a\0\x01\xff", "UTF-8"),
            (b"\0\x01\0\x01a\0\x01bc", "longer"),
        ];
        for (bytes, words) in cases {
            let error = EncryptionContext::parse(bytes).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }

    proptest! {
        #[test]
        fn every_context_comes_back(pairs in prop::collection::btree_map(".{0,20}", ".{0,40}", 0..20)) {
            let context = EncryptionContext::from(pairs);
            prop_assert_eq!(EncryptionContext::parse(&context.serialize().unwrap()).unwrap(), context);
        }

        #[test]
        fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = EncryptionContext::parse(&bytes);
        }
    }
}
