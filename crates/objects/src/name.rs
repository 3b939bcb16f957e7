//! Names of buckets and objects: parsed once, right by construction.

use crate::error::Error;
use std::fmt;
use std::sync::Arc;

/// The name of a general purpose bucket
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BucketName(Arc<str>);

/// The name of an object, S3's "key": 1 to 1,024 bytes of UTF-8, compared as bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName(Arc<str>);

impl BucketName {
    /// Checks AWS's rules: 3 to 63 of `a-z 0-9 . -`, a letter or digit at both ends, no two adjacent periods, not shaped like an
    /// IPv4 address, none of the reserved prefixes and suffixes.
    pub fn parse(text: &str) -> Result<BucketName, Error> {
        if is_bucket_name(text) { Ok(BucketName(text.into())) } else { Err(Error::InvalidBucketName) }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `arn:aws:s3:::bucket`.
    pub fn arn(&self) -> String {
        format!("arn:aws:s3:::{}", self.0)
    }
}

impl ObjectName {
    /// Checks the length; UTF-8 is the caller's to have checked.
    pub fn parse(text: &str) -> Result<ObjectName, Error> {
        match text.len() {
            0 => Err(Error::KeyEmpty),
            1..=OBJECT_NAME_LIMIT => Ok(ObjectName(text.into())),
            _ => Err(Error::KeyTooLong),
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as bytes, in which order listings come.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// `arn:aws:s3:::bucket/name`: the encryption context of SSE-KMS.
    pub fn arn(&self, bucket: &BucketName) -> String {
        format!("arn:aws:s3:::{}/{}", bucket.0, self.0)
    }
}

impl fmt::Display for BucketName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

fn is_bucket_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    let alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (BUCKET_NAME_MINIMUM..=BUCKET_NAME_MAXIMUM).contains(&bytes.len())
        && bytes.iter().all(|byte| alphanumeric(byte) || matches!(byte, b'.' | b'-'))
        && bytes.first().is_some_and(alphanumeric)
        && bytes.last().is_some_and(alphanumeric)
        && !text.contains("..")
        && text.parse::<std::net::Ipv4Addr>().is_err()
        && !looks_like_ipv4(text)
        && !RESERVED_PREFIXES.iter().any(|prefix| text.starts_with(prefix))
        && !RESERVED_SUFFIXES.iter().any(|suffix| text.ends_with(suffix))
}

/// `Ipv4Addr` refuses leading zeros and numbers over 255; AWS means the shape.
fn looks_like_ipv4(text: &str) -> bool {
    let mut labels = text.split('.');
    let numeric = |label: &str| (1..=3).contains(&label.len()) && label.bytes().all(|byte| byte.is_ascii_digit());
    labels.by_ref().take(4).filter(|label| numeric(label)).count() == 4 && labels.next().is_none()
}

const BUCKET_NAME_MINIMUM: usize = 3;
/// A DNS label's limit (RFC 1035, 2.3.4), so that the name can stand in a host name.
const BUCKET_NAME_MAXIMUM: usize = 63;
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html>
const OBJECT_NAME_LIMIT: usize = 1_024;
const RESERVED_PREFIXES: [&str; 3] = ["xn--", "sthree-", "amzn-s3-demo-"];
const RESERVED_SUFFIXES: [&str; 6] = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3", "-an"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_names_that_aws_takes() {
        for name in [
            "abc",
            "docexamplebucket-1a1b2c3d4",
            "my.example.bucket",
            "0a0",
            "a-.b",
            &"a".repeat(63),
            "1.2.3",
            "1.2.3.4.5",
        ] {
            assert!(BucketName::parse(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn bucket_names_that_aws_refuses() {
        let long = "a".repeat(64);
        for name in [
            "",
            "ab",
            &long,
            "Abc",
            "a_b",
            "-abc",
            "abc-",
            ".abc",
            "abc.",
            "a..b",
            "192.168.5.4",
            "999.1.1.1",
            "xn--abc",
            "sthree-abc",
            "abc-s3alias",
            "abc--ol-s3",
            "abc.mrap",
            "abc--x-s3",
            "abc--table-s3",
            "a b c",
            "äbc",
        ] {
            assert!(BucketName::parse(name).is_err(), "{name}");
        }
    }

    #[test]
    fn object_names_are_limited_in_bytes() {
        assert!(ObjectName::parse(&"a".repeat(1_024)).is_ok());
        assert!(matches!(ObjectName::parse(&"a".repeat(1_025)), Err(Error::KeyTooLong)));
        assert!(matches!(ObjectName::parse(&"ä".repeat(513)), Err(Error::KeyTooLong)));
        assert!(matches!(ObjectName::parse(""), Err(Error::KeyEmpty)));
    }
}
