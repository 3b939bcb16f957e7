//! ARNs of KMS keys, by the Encryption SDK's rules
//! ([specification](https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/framework/aws-kms/aws-kms-key-arn.md)).

use crate::error::{Error, Result};
use std::fmt;
use std::str::FromStr;

/// The ARN of a KMS key or alias.
///
/// ```
/// use client::kms::KeyArn;
///
/// let arn: KeyArn = "arn:aws:kms:eu-central-1:111122223333:key/mrk-1234".parse()?;
/// assert_eq!((arn.region(), arn.account()), ("eu-central-1", "111122223333"));
/// assert!(arn.is_multi_region());
/// assert_eq!(arn.in_region("us-east-1").to_string(), "arn:aws:kms:us-east-1:111122223333:key/mrk-1234");
/// # Ok::<(), client::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyArn {
    partition: String,
    region: String,
    account: String,
    kind: Kind,
    id: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Key,
    Alias,
}

impl KeyArn {
    /// `aws`, `aws-cn`, ...
    #[must_use]
    pub fn partition(&self) -> &str {
        &self.partition
    }

    /// `eu-central-1`, ...
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The account that owns the key.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.account
    }

    /// Whether it names a key itself, not an alias of one.
    #[must_use]
    pub fn is_key(&self) -> bool {
        self.kind == Kind::Key
    }

    /// Whether it names a multi-Region key: one whose id begins with `mrk-`. An alias never is one, whatever its name.
    #[must_use]
    pub fn is_multi_region(&self) -> bool {
        self.is_key() && self.id.starts_with("mrk-")
    }

    /// The same key in another Region.
    #[must_use]
    pub fn in_region(&self, region: impl Into<String>) -> Self {
        Self { region: region.into(), ..self.clone() }
    }
}

impl FromStr for KeyArn {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        parse(text).ok_or_else(|| Error::KeyArn(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<KeyArn> {
    let mut parts = text.splitn(6, ':');
    let [arn, partition, service, region, account, resource] = std::array::from_fn(|_| parts.next());
    let (kind, id) = resource?.split_once('/')?;
    let kind = match kind {
        "key" => Kind::Key,
        "alias" => Kind::Alias,
        _ => return None,
    };
    let [partition, region, account, id] = [partition?, region?, account?, id].map(str::to_owned);
    let empty = [&partition, &region, &account, &id].into_iter().any(String::is_empty) || id.contains(':');
    (arn? == "arn" && service? == "kms" && !empty).then_some(KeyArn { partition, region, account, kind, id })
}

impl fmt::Display for KeyArn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, region, account, kind, id } = self;
        let kind = if *kind == Kind::Key { "key" } else { "alias" };
        write!(formatter, "arn:{partition}:kms:{region}:{account}:{kind}/{id}")
    }
}

/// Whether two key identifiers are the same, or ARNs of the same multi-Region key in two Regions
/// ([specification](https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/framework/aws-kms/aws-kms-mrk-match-for-decrypt.md)).
///
/// ```
/// use client::kms::mrk_match;
///
/// assert!(mrk_match("arn:aws:kms:eu-west-1:1:key/mrk-a", "arn:aws:kms:us-east-1:1:key/mrk-a"));
/// assert!(!mrk_match("arn:aws:kms:eu-west-1:1:key/a", "arn:aws:kms:us-east-1:1:key/a"));
/// ```
#[must_use]
pub fn mrk_match(one: &str, other: &str) -> bool {
    if one == other {
        return true;
    }
    let (Some(one), Some(other)) = (parse(one), parse(other)) else { return false };
    one.is_multi_region() && other.is_multi_region() && one == other.in_region(&one.region)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn what_is_no_arn_of_a_key_is_refused() {
        for text in [
            "",
            "mrk-1234",
            "alias/a",
            "arn:aws:kms:eu-west-1:1:key",
            "arn:aws:kms:eu-west-1:1:key/",
            "arn:aws:kms:eu-west-1::key/a",
            "arn:aws:kms::1:key/a",
            "arn::kms:eu-west-1:1:key/a",
            "arn:aws:s3:eu-west-1:1:key/a",
            "arn:aws:kms:eu-west-1:1:grant/a",
            "aws:arn:kms:eu-west-1:1:key/a",
            "arn:aws:kms:eu-west-1:1:key/a:b",
        ] {
            assert!(text.parse::<KeyArn>().is_err(), "{text}");
        }
        for text in ["arn:aws-cn:kms:cn-north-1:1:key/a", "arn:aws:kms:eu-west-1:1:alias/a/b/c"] {
            assert_eq!(text.parse::<KeyArn>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn only_multi_region_keys_match_across_regions() {
        let arn = |partition, region, account, resource| format!("arn:{partition}:kms:{region}:{account}:{resource}");
        let key = arn("aws", "eu-west-1", "1", "key/mrk-a");
        assert!(mrk_match(&key, &key));
        assert!(mrk_match(&key, &arn("aws", "us-east-1", "1", "key/mrk-a")));
        for other in [
            arn("aws-cn", "us-east-1", "1", "key/mrk-a"),
            arn("aws", "us-east-1", "2", "key/mrk-a"),
            arn("aws", "us-east-1", "1", "key/mrk-b"),
            arn("aws", "us-east-1", "1", "key/a"),
            arn("aws", "us-east-1", "1", "alias/mrk-a"),
            "mrk-a".to_owned(),
        ] {
            assert!(!mrk_match(&key, &other), "{other}");
        }
        let alias = |region| arn("aws", region, "1", "alias/mrk-a");
        assert!(!mrk_match(&alias("eu-west-1"), &alias("us-east-1")), "an alias is no multi-Region key");
    }
}
