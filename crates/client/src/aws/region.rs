//! Regions and the hosts of services in them.

use super::error::AwsError;
use std::fmt;
use std::str::FromStr;

/// Longest label of a host name (RFC 1035 section 2.3.4).
const LABEL: usize = 63;

/// Where the services of a partition live, by what its Regions begin with; all others are `amazonaws.com`.
///
/// Source: `endpoints.json` of AWS's clients.
const SUFFIXES: [(&str, &str); 6] = [
    ("cn-", "amazonaws.com.cn"),
    ("eusc-", "amazonaws.eu"),
    ("eu-isoe-", "cloud.adc-e.uk"),
    ("us-isob-", "sc2s.sgov.gov"),
    ("us-isof-", "csp.hci.ic.gov"),
    ("us-iso-", "c2s.ic.gov"),
];

/// The name of a Region. It becomes part of a host name and may come out of a message that a stranger wrote, so it is held to lower-case
/// letters, digits and hyphens.
///
/// ```
/// use client::aws::Region;
///
/// assert_eq!("eu-central-1".parse::<Region>()?.as_str(), "eu-central-1");
/// assert!("eu-central-1.example.com/".parse::<Region>().is_err());
/// # Ok::<(), client::aws::AwsError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region(String);

impl Region {
    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it looks like those of AWS: letters, a hyphen, letters, maybe more such, and a number at the end (`us-gov-west-1`). Other
    /// labels are of something else: `s3`, `kms-fips`, a bucket.
    pub(super) fn is_plausible(&self) -> bool {
        let letters = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
        let Some((place, number)) = self.0.rsplit_once('-') else { return false };
        let parts: Vec<&str> = place.split('-').collect();
        parts.len() > 1
            && parts[0].len() > 1
            && parts.into_iter().all(letters)
            && number.bytes().all(|byte| byte.is_ascii_digit())
    }

    /// `amazonaws.com`, or that of another partition.
    pub(super) fn suffix(&self) -> &'static str {
        SUFFIXES.iter().find(|(begin, _)| self.0.starts_with(begin)).map_or("amazonaws.com", |(_, suffix)| suffix)
    }
}

impl FromStr for Region {
    type Err = AwsError;

    fn from_str(text: &str) -> Result<Self, AwsError> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let outer = |byte: Option<&u8>| byte.is_some_and(|byte| *byte != b'-');
        let bytes = text.as_bytes();
        if bytes.len() <= LABEL
            && bytes.iter().all(|byte| allowed(*byte))
            && outer(bytes.first())
            && outer(bytes.last())
        {
            return Ok(Region(text.to_owned()));
        }
        Err(AwsError::Config(format!("not the name of a Region: {text:?}")))
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn what_could_change_a_host_is_no_region() {
        for text in ["", "-a", "a-", "EU", "a.b", "a/b", "a@b", "a:1", "a b", "a\r\nb", "a#", "ü", &"a".repeat(64)] {
            assert!(text.parse::<Region>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn regions_of_aws_have_a_shape() {
        let plausible = |text: &str| text.parse::<Region>().unwrap().is_plausible();
        for text in ["us-east-1", "ap-southeast-12", "us-gov-west-1", "us-isob-east-1", "eusc-de-east-1", "cn-north-1"]
        {
            assert!(plausible(text), "{text}");
        }
        for text in
            ["s3", "kms-fips", "us-east", "us-1", "u-east-1", "us-east-1a", "us-3ast-1", "us--1", "vpce-1a-b-1", "1"]
        {
            assert!(!plausible(text), "{text}");
        }
    }

    #[test]
    fn partitions_have_their_own_domains() {
        let suffix = |text: &str| text.parse::<Region>().unwrap().suffix();
        assert_eq!(suffix("eu-central-1"), "amazonaws.com");
        assert_eq!(suffix("us-gov-west-1"), "amazonaws.com");
        assert_eq!(suffix("cn-north-1"), "amazonaws.com.cn");
        assert_eq!(suffix("us-iso-east-1"), "c2s.ic.gov");
        assert_eq!(suffix("us-isob-east-1"), "sc2s.sgov.gov");
    }
}
