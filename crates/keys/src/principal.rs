//! Where: Regions. Who calls, `policy` says.

use std::fmt;

pub use policy::{AccountId, Principal};

use crate::error::InvalidIdentifier;

/// A Region name as it stands in ARNs and credential scopes: lower-case letters, digits and hyphens.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Region(String);

impl Region {
    /// The longest Region name taken. AWS's longest today has 14 characters; DNS labels end at 63.
    pub const MAX_LEN: usize = 63;

    /// Parses a Region name.
    pub fn parse(text: &str) -> Result<Self, InvalidIdentifier> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if text.is_empty() || text.len() > Self::MAX_LEN || !text.bytes().all(plain) {
            return Err(InvalidIdentifier("a Region"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for Region {
    type Err = InvalidIdentifier;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn a_region_is_a_dns_label() {
        assert!(Region::parse("us-east-1").is_ok());
        for bad in ["", "US-EAST-1", "a:b", "a/b", "a b"] {
            assert!(Region::parse(bad).is_err(), "{bad}");
        }
    }
}
