use std::fmt;

/// The base path of a proxy: `/kms/xks/v1`, perhaps with a prefix that names its tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UriPath(String);

/// The identifier of an external key, as its proxy knows it. Opaque to us.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(String);

/// A text that is not what it was taken for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {what}")]
pub struct Invalid {
    what: &'static str,
    text: String,
}

impl UriPath {
    /// Characters of a path.
    pub const MAX: usize = 128;
    /// What every path ends with: the only version of the API there is.
    const END: &'static str = "/kms/xks/v1";

    /// Parses a path: letters, digits, `/`, `-` and `_`, with `/kms/xks/v1` at its end.
    ///
    /// # Errors
    /// [`Invalid`], also for a version that we do not speak.
    pub fn parse(text: &str) -> Result<UriPath, Invalid> {
        let good =
            |prefix: &str| prefix.is_empty() || (prefix.len() > 1 && prefix.starts_with('/') && only(prefix, b"/-_"));
        if text.len() <= UriPath::MAX && text.strip_suffix(UriPath::END).is_some_and(good) {
            return Ok(UriPath(text.to_owned()));
        }
        Err(Invalid { what: "a path that ends in /kms/xks/v1", text: text.to_owned() })
    }

    /// The path, without a slash at its end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl KeyId {
    /// Characters of an identifier.
    pub const MAX: usize = 128;

    /// Parses an identifier: 1 to 128 letters, digits, `-`, `_` and `.`, and not a path segment that servers resolve.
    ///
    /// # Errors
    /// [`Invalid`].
    pub fn parse(text: &str) -> Result<KeyId, Invalid> {
        let dots = matches!(text, "." | "..");
        if text.is_empty() || text.len() > KeyId::MAX || dots || !only(text, b"-_.") {
            return Err(Invalid { what: "an external key id", text: text.to_owned() });
        }
        Ok(KeyId(text.to_owned()))
    }

    /// The identifier.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Letters, digits and `more`.
fn only(text: &str, more: &[u8]) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        for good in ["/kms/xks/v1", "/tenant_1/kms/xks/v1", "/a/b-c/kms/xks/v1"] {
            assert!(UriPath::parse(good).is_ok(), "{good}");
        }
        let long = format!("/{}/kms/xks/v1", "a".repeat(117));
        for bad in [
            "",
            "/",
            "/kms/xks/v2",
            "/kms/xks/v1/",
            "kms/xks/v1",
            "a/kms/xks/v1",
            "//kms/xks/v1/..",
            "/a%20/kms/xks/v1",
            &long,
        ] {
            assert!(UriPath::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn key_ids() {
        let (most, more) = ("k".repeat(128), "k".repeat(129));
        for good in ["k", "b42c7fbf-de61", "Key_1.v2", "...", &most] {
            assert!(KeyId::parse(good).is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "a/b", "a b", "a?b", "\u{e9}", &more] {
            assert!(KeyId::parse(bad).is_err(), "{bad}");
        }
    }
}
