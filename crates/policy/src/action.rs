//! Patterns of actions: `kms:Encrypt`, `s3:Get*`, `*`. Letters match in either case.

use crate::error::Malformed;
use crate::pattern::Pattern;

/// A pattern of actions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ActionPattern(Pattern);

impl ActionPattern {
    pub(crate) fn parse(text: &str) -> Result<Self, Malformed> {
        if text != "*" {
            let (vendor, name) = text.split_once(':').ok_or(Malformed::NoVendor)?;
            if name.contains(':') {
                return Err(Malformed::ManyColons);
            }
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            if vendor.is_empty() || !vendor.bytes().all(plain) {
                return Err(Malformed::InvalidVendor(vendor.to_owned()));
            }
            if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"*?_-".contains(&byte)) {
                return Err(Malformed::syntax(format!("{text} is not an action")));
            }
        }
        Ok(Self(Pattern::new(&text.to_ascii_lowercase())))
    }

    /// Whether an action matches that is in lower case already.
    pub(crate) fn matches(&self, lowered: &str) -> bool {
        self.0.matches(lowered)
    }
}
