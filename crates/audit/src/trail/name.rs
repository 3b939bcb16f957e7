//! How trails are named: names, ARNs, and what a request may name one by.
//!
//! CloudTrail User Guide, "Naming requirements for CloudTrail resources".

use std::net::Ipv4Addr;

use keys::AccountId;

use super::Error;

/// A trail's name: 3 to 128 ASCII letters, digits, periods, underscores and hyphens, the first and last a letter or digit, no two of
/// the others side by side, and no IP address.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TrailName(String);

impl TrailName {
    /// Fewest characters.
    pub const MIN_LEN: usize = 3;
    /// Most characters.
    pub const MAX_LEN: usize = 128;

    /// Parses a name.
    ///
    /// # Errors
    /// [`Error::InvalidTrailName`], in AWS's words.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let invalid = |message: String| Err(Error::InvalidTrailName(message));
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        let length = text.chars().count();
        if length < Self::MIN_LEN {
            return invalid(format!(
                "Trail name too short. Minimum allowed length: {} characters. Specified name length: {length} characters.",
                Self::MIN_LEN
            ));
        }
        if length > Self::MAX_LEN {
            return invalid(format!(
                "Trail name too long. Maximum allowed length: {} characters. Specified name length: {length} characters.",
                Self::MAX_LEN
            ));
        }
        let bytes = text.as_bytes();
        if !bytes[0].is_ascii_alphanumeric() {
            return invalid("Trail name must starts with a letter or number.".to_owned());
        }
        if !bytes[bytes.len() - 1].is_ascii_alphanumeric() {
            return invalid("Trail name must ends with a letter or number.".to_owned());
        }
        if !bytes.iter().copied().all(allowed) {
            return invalid(
                "Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, periods (.), hyphens (-), and \
                 underscores (_)."
                    .to_owned(),
            );
        }
        if bytes.windows(2).any(|pair| pair.iter().all(|byte| !byte.is_ascii_alphanumeric())) {
            return invalid("Trail name cannot have adjacent periods, underscores, or hyphens.".to_owned());
        }
        if text.parse::<Ipv4Addr>().is_ok() {
            return invalid("Trail name cannot be in IP address format.".to_owned());
        }
        Ok(Self(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A trail's ARN.
pub fn arn(account: AccountId, region: &str, name: &str) -> String {
    format!("arn:aws:cloudtrail:{region}:{account}:trail/{name}")
}

/// A trail as a request names it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reference {
    /// Whose it is; of a name alone the caller's.
    pub account: AccountId,
    /// Its home Region, if an ARN tells it.
    pub region: Option<String>,
    /// Its name.
    pub name: TrailName,
    /// What the request said.
    pub text: String,
}

impl Reference {
    /// Parses a name or an ARN. `caller` is the account that asks.
    ///
    /// # Errors
    /// [`Error::InvalidTrailName`], [`Error::ArnInvalid`].
    pub fn parse(text: &str, caller: AccountId) -> Result<Self, Error> {
        if !text.starts_with("arn:") {
            return Ok(Self { account: caller, region: None, name: TrailName::parse(text)?, text: text.to_owned() });
        }
        let invalid = || Error::ArnInvalid(format!("Invalid trail ARN: {text}"));
        let mut parts = text.splitn(6, ':');
        let [Some("arn"), Some("aws"), Some("cloudtrail"), Some(region), Some(account), Some(resource)] =
            std::array::from_fn(|_| parts.next())
        else {
            return Err(invalid());
        };
        let account = AccountId::parse(account).map_err(|_| invalid())?;
        let name = resource.strip_prefix("trail/").filter(|_| !region.is_empty()).ok_or_else(invalid)?;
        let name = TrailName::parse(name)?;
        Ok(Self { account, region: Some(region.to_owned()), name, text: text.to_owned() })
    }

    /// What there is none of.
    pub fn not_found(&self, caller: AccountId) -> Error {
        Error::TrailNotFound(format!("Unknown trail: {} for the user: {caller}", self.text))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    const ACCOUNT: &str = "123456789012";

    #[test]
    fn names_keep_the_documented_rules() {
        for good in ["abc", "a.b", "My-trail_1.x", &"a".repeat(128), "1.2.3.400"] {
            assert!(TrailName::parse(good).is_ok(), "{good}");
        }
        for bad in
            ["", "ab", "-abc", "abc-", ".abc", "a b c", "a/b", "my-_name", "my--name", "a..b", "192.168.5.4", "träil"]
        {
            assert!(matches!(TrailName::parse(bad), Err(Error::InvalidTrailName(_))), "{bad}");
        }
        assert!(TrailName::parse(&"a".repeat(129)).is_err());
    }

    #[test]
    fn a_trail_is_named_by_name_or_arn() {
        let account = AccountId::parse(ACCOUNT).unwrap();
        let by_name = Reference::parse("my-trail", account).unwrap();
        assert_eq!((by_name.account, by_name.region.as_deref()), (account, None));
        let text = arn(account, "eu-west-1", "my-trail");
        let by_arn = Reference::parse(&text, AccountId::NOBODY).unwrap();
        assert_eq!(
            (by_arn.account, by_arn.region.as_deref(), by_arn.name.as_str()),
            (account, Some("eu-west-1"), "my-trail")
        );
        for bad in [
            "arn:",
            "arn:aws:s3:::b",
            "arn:aws:cloudtrail:us-east-1:1:trail/abc",
            "arn:aws:cloudtrail::123456789012:trail/abc",
        ] {
            assert!(matches!(Reference::parse(bad, account), Err(Error::ArnInvalid(_))), "{bad}");
        }
    }
}
