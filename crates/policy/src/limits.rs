//! How long policies may be, and how AWS measures them.
//!
//! Sources: IAM User Guide, "IAM and AWS STS quotas" ("IAM and STS character limits"); KMS Developer Guide, "Resource quotas";
//! S3 User Guide, "Bucket policies".

/// Characters of all inline policies of one user together, white space not counted.
pub const USER_INLINE_CHARACTERS: usize = 2_048;
/// Characters of all inline policies of one group together, white space not counted.
pub const GROUP_INLINE_CHARACTERS: usize = 5_120;
/// Characters of all inline policies of one role together, white space not counted.
pub const ROLE_INLINE_CHARACTERS: usize = 10_240;
/// Characters of a version of a managed policy, white space not counted.
pub const MANAGED_CHARACTERS: usize = 6_144;
/// Characters of a role's trust policy, white space not counted: AWS's default quota, which can be raised to 4,096.
pub const TRUST_CHARACTERS: usize = 2_048;
/// Characters of a session policy, white space counted; that and the ARNs of managed session policies have a packed limit besides.
pub const SESSION_CHARACTERS: usize = 2_048;
/// Bytes of a bucket policy, white space counted: 20 KB.
pub const BUCKET_BYTES: usize = 20_480;
/// Bytes of a key policy, white space counted: 32 KB.
pub const KEY_BYTES: usize = 32_768;

/// The length of a policy as IAM's quotas count it: "IAM does not count white space when calculating the size of a policy against
/// these quotas." White space in strings is no exception.
pub fn characters(document: &str) -> usize {
    document.chars().filter(|c| !c.is_ascii_whitespace()).count()
}
