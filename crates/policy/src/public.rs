//! Whether a bucket policy is public, for GetBucketPolicyStatus and the block of public access.
//!
//! "Amazon S3 begins by assuming that the policy is public. [...] To be considered non-public, a bucket policy must grant access only
//! to fixed values (values that don't contain a wildcard or an IAM policy variable) for one or more of the following" (S3 User Guide,
//! "Blocking public access to your Amazon S3 storage", "The meaning of 'public'"): principals, or the condition keys here.

use crate::arn::ArnPattern;
use crate::network::Network;
use crate::template::{Glob, Text};
use crate::test::Test;

/// The condition keys that make a statement non-public by a fixed value. Those of the principal stand for "an AWS principal, user,
/// role, or service principal (e.g. `aws:PrincipalOrgID`)".
const KEYS: &[&str] = &[
    ACCESS_POINT,
    SOURCE_IP,
    USER_ID,
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalservicename",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "s3:dataaccesspointaccount",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
];
const ACCESS_POINT: &str = "s3:dataaccesspointarn";
const SOURCE_IP: &str = "aws:sourceip";
const USER_ID: &str = "aws:userid";

/// Whether a test that a request can only pass by having the key pins it to fixed values.
pub(crate) fn pins(key: &str, test: &Test) -> bool {
    if !KEYS.contains(&key) {
        return false;
    }
    match test {
        Test::Ip(networks) => key == SOURCE_IP && networks.iter().all(narrow),
        Test::Equals(texts) | Test::EqualsIgnoreCase(texts) => key != SOURCE_IP && texts.iter().all(fixed_text),
        Test::Like(globs) => key != SOURCE_IP && globs.iter().all(|glob| fixed_glob(glob) || excepted(key, glob)),
        Test::Arn(patterns) => patterns.iter().all(|pattern| match pattern {
            ArnPattern::Any => false,
            // It matches nothing, and grants nothing.
            ArnPattern::Nothing => true,
            ArnPattern::Components(parts) => {
                parts.iter().all(fixed_glob) || (key == ACCESS_POINT && fixed_account(&parts[4]))
            }
        }),
        Test::Numeric(..) | Test::Date(..) | Test::Bool(_) | Test::Binary(_) => false,
    }
}

/// "Values broader than /8 for IPv4 and /32 for IPv6 (excluding RFC1918 private ranges)" are public; no private range is broader.
fn narrow(network: &Network) -> bool {
    network.prefix() >= if network.is_ipv4() { 8 } else { 32 }
}

fn fixed_text(text: &Text) -> bool {
    matches!(text, Text::Fixed(text) if !text.contains(['*', '?']))
}

fn fixed_glob(glob: &Glob) -> bool {
    matches!(glob, Glob::Fixed(pattern) if pattern.literal().is_some())
}

fn fixed_account(glob: &Glob) -> bool {
    matches!(glob, Glob::Fixed(pattern) if pattern.literal().is_some_and(is_account))
}

/// The two patterns that are no less fixed for their wildcard: `AROLEID:*` as `aws:userid`, and an access point's ARN whose account is
/// fixed.
fn excepted(key: &str, glob: &Glob) -> bool {
    let Glob::Fixed(pattern) = glob else { return false };
    let Some(leading) = pattern.before_first_star() else { return false };
    match key {
        USER_ID => leading.strip_suffix(':').is_some_and(|id| id.starts_with("ARO") && !id.contains(':')),
        ACCESS_POINT => leading.split(':').nth(4).is_some_and(is_account) && leading.matches(':').count() >= 5,
        _ => false,
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}
