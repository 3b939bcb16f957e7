//! Accounts.

use std::fmt;

/// An AWS account id: twelve decimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId([u8; AccountId::LEN]);

/// A text that is no account id.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not an account id of twelve digits")]
pub struct InvalidAccount;

impl AccountId {
    /// Digits in an account id.
    pub const LEN: usize = 12;

    /// The account of callers that have none: anonymous ones, and services. No account may have this id.
    pub const NOBODY: AccountId = AccountId([b'0'; AccountId::LEN]);

    /// Parses twelve ASCII digits.
    ///
    /// # Errors
    /// [`InvalidAccount`].
    pub fn parse(text: &str) -> Result<Self, InvalidAccount> {
        let digits = text.as_bytes().try_into().ok();
        digits.and_then(Self::from_bytes).ok_or(InvalidAccount)
    }

    /// The same from bytes, as row keys and records hold them; `None` if they are no digits.
    pub fn from_bytes(digits: [u8; Self::LEN]) -> Option<Self> {
        digits.iter().all(u8::is_ascii_digit).then_some(Self(digits))
    }

    /// The twelve digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("an account id holds ASCII digits alone")
    }

    /// The twelve digits as bytes; row keys and records hold them.
    pub fn as_bytes(&self) -> &[u8; Self::LEN] {
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
    type Err = InvalidAccount;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
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
}
