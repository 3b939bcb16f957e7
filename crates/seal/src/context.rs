//! The encryption context: pairs that are authenticated with a ciphertext but not stored in it.

use std::collections::BTreeMap;

use aws_lc_rs::digest;

/// The most bytes that the names and values of one context may have together. Our own limit: it goes through HTTP headers
/// (8 KiB for all of S3's user metadata and context) and into every audit record of the key.
pub const MAX_BYTES: usize = 8_192;
/// The most pairs of one context; our own limit, so that a context of empty strings has an end too.
pub const MAX_PAIRS: usize = 256;

/// A KMS encryption context: each name once, and names and values compared byte by byte.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct EncryptionContext(BTreeMap<String, String>);

/// The context has too many pairs ([`MAX_PAIRS`]) or too many bytes ([`MAX_BYTES`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the encryption context is larger than {MAX_PAIRS} pairs or {MAX_BYTES} bytes")]
pub struct TooLarge;

impl EncryptionContext {
    /// The context without pairs, which is what a call without a context has.
    pub fn new() -> EncryptionContext {
        EncryptionContext::default()
    }

    /// Adds a pair; a name that is there already gets the new value.
    ///
    /// # Errors
    /// If the context would be too large. It is unchanged then.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<String>) -> Result<(), TooLarge> {
        let mut pairs = self.0.clone();
        pairs.insert(name.into(), value.into());
        *self = EncryptionContext::try_from(pairs)?;
        Ok(())
    }

    /// The pairs, in the order of their names' bytes.
    pub fn pairs(&self) -> &BTreeMap<String, String> {
        &self.0
    }

    /// The value of `name`.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Whether there is no pair.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The bytes that stand for the context in authenticated data. Two contexts have the same bytes only if they are equal.
    ///
    /// ```text
    /// count ‖ (length ‖ name ‖ length ‖ value)*        numbers: 32 bits, big-endian; names in the order of their UTF-8 bytes
    /// ```
    pub fn canonical(&self) -> Vec<u8> {
        let text: usize = self.0.iter().map(|(n, v)| n.len() + v.len()).sum();
        let mut bytes = Vec::with_capacity(4 + 8 * self.0.len() + text);
        bytes.extend_from_slice(&length(self.0.len()));
        for (name, value) in &self.0 {
            for text in [name, value] {
                bytes.extend_from_slice(&length(text.len()));
                bytes.extend_from_slice(text.as_bytes());
            }
        }
        bytes
    }
}

fn length(number: usize) -> [u8; 4] {
    u32::try_from(number).expect("a context is held under its limits, far below 4 GiB").to_be_bytes()
}

impl EncryptionContext {
    /// SHA-256 (FIPS 180-4) of [`canonical`](EncryptionContext::canonical): binds the context where its words must not go, or are
    /// too many.
    pub fn digest(&self) -> [u8; 32] {
        let mut out = [0; 32];
        out.copy_from_slice(digest::digest(&digest::SHA256, &self.canonical()).as_ref());
        out
    }
}

impl TryFrom<BTreeMap<String, String>> for EncryptionContext {
    type Error = TooLarge;

    fn try_from(pairs: BTreeMap<String, String>) -> Result<EncryptionContext, TooLarge> {
        let bytes: usize = pairs.iter().map(|(n, v)| n.len() + v.len()).sum();
        if pairs.len() > MAX_PAIRS || bytes > MAX_BYTES {
            return Err(TooLarge);
        }
        Ok(EncryptionContext(pairs))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;
    use proptest::prelude::*;

    fn context(pairs: &[(&str, &str)]) -> EncryptionContext {
        let mut context = EncryptionContext::new();
        for (name, value) in pairs {
            context.insert(*name, *value).unwrap();
        }
        context
    }

    #[test]
    fn canonical_bytes_are_known() {
        assert_eq!(context(&[]).canonical(), [0; 4]);
        let expected = b"\0\0\0\x02\0\0\0\x01a\0\0\0\x02bc\0\0\0\x02\xc3\xa9\0\0\0\0";
        assert_eq!(context(&[("é", ""), ("a", "bc")]).canonical(), expected);
        assert_eq!(context(&[("a", "bc"), ("é", "")]).canonical(), expected);
    }

    #[test]
    fn names_are_ordered_by_bytes_and_keep_their_case() {
        let context = context(&[("b", "1"), ("\u{10000}", "2"), ("\u{ffff}", "3"), ("B", "4")]);
        let names: Vec<&str> = context.pairs().keys().map(String::as_str).collect();
        assert_eq!(names, ["B", "b", "\u{ffff}", "\u{10000}"]);
    }

    #[test]
    fn limits_hold_and_leave_the_context_as_it_was() {
        let mut full = context(&[("a", &"x".repeat(MAX_BYTES - 1))]);
        assert_eq!(full.insert("b", ""), Err(TooLarge));
        assert_eq!(full.pairs().len(), 1);
        assert_eq!(full.value("b"), None);
        full.insert("a", "").unwrap();

        let pairs = |count| -> BTreeMap<_, _> { (0..count).map(|n| (n.to_string(), String::new())).collect() };
        assert!(EncryptionContext::try_from(pairs(MAX_PAIRS)).is_ok());
        assert!(EncryptionContext::try_from(pairs(MAX_PAIRS + 1)).is_err());
    }

    fn any_context() -> impl Strategy<Value = EncryptionContext> {
        let text = proptest::sample::select(vec!["", "a", "b", "ab", "ba", "\0", "\0\0\0\u{1}a", "é"]);
        proptest::collection::btree_map(text.clone().prop_map(String::from), text.prop_map(String::from), 0..4)
            .prop_map(|pairs| pairs.try_into().unwrap())
    }

    proptest! {
        #[test]
        fn only_equal_contexts_have_equal_bytes(a in any_context(), b in any_context()) {
            prop_assert_eq!(a == b, a.canonical() == b.canonical());
        }
    }
}
