//! Who calls, and where: accounts, Regions, principals.

use std::fmt;

use crate::error::InvalidIdentifier;

/// An AWS account id: twelve decimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId([u8; AccountId::LEN]);

impl AccountId {
    /// Digits in an account id.
    pub const LEN: usize = 12;

    /// Parses twelve ASCII digits.
    pub fn parse(text: &str) -> Result<Self, InvalidIdentifier> {
        let digits = text.as_bytes().try_into().ok();
        digits.and_then(Self::from_bytes).ok_or(InvalidIdentifier("an account id"))
    }

    /// The same from bytes, as row keys and records hold them; `None` if they are no digits.
    pub(crate) fn from_bytes(digits: [u8; Self::LEN]) -> Option<Self> {
        digits.iter().all(u8::is_ascii_digit).then_some(Self(digits))
    }

    /// The twelve digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("an account id holds ASCII digits alone")
    }

    /// The twelve digits as bytes; row keys and records hold them.
    pub(crate) fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for AccountId {
    type Err = InvalidIdentifier;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

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

/// The authenticated caller of an operation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Principal {
    /// The account that the caller belongs to.
    pub account: AccountId,
    /// The caller's ARN, as messages and audit records name it.
    pub arn: String,
    /// The access key id that signed the request.
    pub access_key_id: String,
    /// The unique id of the caller (IAM's `UserId`; the account id for a root user).
    pub user_id: String,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn an_account_id_is_twelve_digits() {
        assert_eq!(AccountId::parse("000123456789").unwrap().to_string(), "000123456789");
        for bad in ["", "12345678901", "1234567890123", "12345678901a", "１２３４"] {
            assert!(AccountId::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_region_is_a_dns_label() {
        assert!(Region::parse("us-east-1").is_ok());
        for bad in ["", "US-EAST-1", "a:b", "a/b", "a b"] {
            assert!(Region::parse(bad).is_err(), "{bad}");
        }
    }
}
