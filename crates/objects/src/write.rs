//! The road of a PUT: plaintext in, sealed segments out.

/// The largest body of one PUT, in bytes (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>).
pub const PUT_LIMIT: u64 = 5 * 1024 * 1024 * 1024;
