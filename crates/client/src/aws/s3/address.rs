//! Where a bucket or an object is: host, path and query.

use super::super::config::Config;
use super::super::endpoint::Endpoint;
use super::super::error::AwsError;
use super::super::region::Region;

/// Longest name of a bucket, in bytes: those of today have 63, some of long ago in us-east-1 have 255.
const BUCKET: usize = 255;

/// Longest name of an object, in bytes of UTF-8.
pub(super) const KEY: usize = 1_024;

/// How buckets of an endpoint are addressed.
pub(super) struct Addresses {
    pub(super) region: Region,
    endpoint: Endpoint,
    path_style: bool,
}

impl Addresses {
    /// Without a Region, that of AWS's clients for S3: us-east-1.
    pub(super) fn of(config: &Config) -> Result<Self, AwsError> {
        let region = match &config.region {
            Some(region) => region.clone(),
            None => "us-east-1".parse()?,
        };
        let endpoint = config.s3().cloned().unwrap_or_else(|| Endpoint::of("s3", &region));
        let path_style = endpoint.is_ip() || config.path_style.unwrap_or(config.s3().is_some());
        Ok(Self { region, endpoint, path_style })
    }

    pub(super) fn https(&self) -> bool {
        self.endpoint.https
    }

    /// The endpoint and the path of a bucket, or of an object in it.
    pub(super) fn of_object(&self, bucket: &str, key: Option<&str>) -> Result<(Endpoint, String), AwsError> {
        check_bucket(bucket)?;
        let mut path = String::from("/");
        // A host's label cannot say all that a bucket's name can, and the certificate of AWS is not for two labels.
        let label = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let in_host = !self.path_style && bucket.len() <= 63 && bucket.bytes().all(label);
        let endpoint = if in_host { self.endpoint.under(bucket) } else { self.endpoint.clone() };
        if !in_host {
            encode(&mut path, bucket, false);
        }
        if let Some(key) = key {
            if key.is_empty() || key.len() > KEY {
                let why = format!("the name of an object has 1 to {KEY} bytes, and not {}", key.len());
                return Err(AwsError::Config(why));
            }
            if !in_host {
                path.push('/');
            }
            encode(&mut path, key, true);
        }
        Ok((endpoint, path))
    }
}

fn check_bucket(bucket: &str) -> Result<(), AwsError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    let good = (3..=BUCKET).contains(&bucket.len()) && bucket.bytes().all(allowed) && !bucket.starts_with('.');
    if good { Ok(()) } else { Err(AwsError::Config(format!("not the name of a bucket: {bucket:?}"))) }
}

/// Percent-encodes all but what RFC 3986 section 2.3 leaves alone, and slashes where they are kept: so is what is signed what is sent.
pub(in crate::aws) fn encode(out: &mut String, text: &str, keep_slash: bool) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') || (keep_slash && byte == b'/') {
            out.push(char::from(byte));
        } else {
            out.extend(['%', char::from(HEX[usize::from(byte >> 4)]), char::from(HEX[usize::from(byte & 15)])]);
        }
    }
}

/// A query of these pairs.
pub(super) fn query(pairs: &[(&str, &str)]) -> String {
    let mut query = String::new();
    for (name, value) in pairs {
        if !query.is_empty() {
            query.push('&');
        }
        encode(&mut query, name, false);
        query.push('=');
        encode(&mut query, value, false);
    }
    query
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn url(config: &Config, bucket: &str, key: Option<&str>) -> String {
        let (endpoint, path) = Addresses::of(config).unwrap().of_object(bucket, key).unwrap();
        format!("{}{}{path}", endpoint.authority, endpoint.prefix)
    }

    #[test]
    fn the_bucket_stands_where_it_has_to() {
        let aws = Config::new().region("eu-west-1".parse().unwrap());
        assert_eq!(url(&aws, "bucket", Some("a/b c")), "bucket.s3.eu-west-1.amazonaws.com/a/b%20c");
        assert_eq!(url(&aws, "bucket", None), "bucket.s3.eu-west-1.amazonaws.com/");
        assert_eq!(url(&aws, "my.bucket", Some("a")), "s3.eu-west-1.amazonaws.com/my.bucket/a");
        assert_eq!(url(&aws.clone().path_style(true), "bucket", Some("/a")), "s3.eu-west-1.amazonaws.com/bucket//a");
        let own = Config::new().endpoint("http://s3.example:9000/base/").unwrap();
        assert_eq!(url(&own, "bucket", Some("ü?#%+")), "s3.example:9000/base/bucket/%C3%BC%3F%23%25%2B");
        assert_eq!(url(&own.clone().path_style(false), "bucket", None), "bucket.s3.example:9000/base/");
        let by_number = Config::new().endpoint("http://127.0.0.1:9000").unwrap().path_style(false);
        assert_eq!(url(&by_number, "bucket", Some("../a//./b")), "127.0.0.1:9000/bucket/../a//./b");
    }

    #[test]
    fn names_that_would_ask_for_something_else_are_refused() {
        let addresses = Addresses::of(&Config::new()).unwrap();
        for bucket in ["", "..", "a/b", "ab", "a?b", "bücket", "..a", "arn:aws:s3:eu-west-1:1:accesspoint/a"] {
            assert!(addresses.of_object(bucket, Some("key")).is_err(), "{bucket}");
        }
        assert!(addresses.of_object("bucket", Some("")).is_err(), "that would be the bucket itself");
        assert!(addresses.of_object("bucket", Some(&"a".repeat(1_025))).is_err());
    }
}
