//! Records of IAM, STS and CloudTrail: what is shown of their requests and answers.
//!
//! IAM User Guide, "Logging IAM and AWS STS API calls with AWS CloudTrail".

use super::transcode::Rules;

/// What is shown of IAM's and STS's JSON. AWS shows the session token of an AssumeRole answer; here it is left out, since who reads the
/// log could use it.
pub(crate) const IAM: Rules = Rules {
    secret: &[
        "AddPrivateKey",
        "AuthenticationCode1",
        "AuthenticationCode2",
        "Base32StringSeed",
        "EncodedMessage",
        "NewPassword",
        "OldPassword",
        "Password",
        "PrivateKey",
        "QRCodePNG",
        "SAMLAssertion",
        "SecretAccessKey",
        "ServiceCredentialSecret",
        "ServicePassword",
        "SessionToken",
        "TokenCode",
        "TradeInToken",
        "WebIdentityToken",
    ],
    maps: &[],
    times: &[
        "CreateDate",
        "EnableDate",
        "Expiration",
        "ExpirationDate",
        "PasswordLastUsed",
        "UpdateDate",
        "UploadDate",
    ],
    left_out: &[],
};

/// What is shown of CloudTrail's.
pub(crate) const CLOUDTRAIL: Rules = Rules { secret: &[], maps: &[], times: &["EndTime", "StartTime"], left_out: &[] };

/// Whether an operation of IAM, STS or CloudTrail changes nothing. That of STS makes sessions, which change nothing.
pub(crate) fn is_read_only(source: &str, operation: &str) -> bool {
    let reads = ["Get", "List", "Describe", "Lookup", "Simulate", "GenerateCredentialReport"];
    source == STS || reads.iter().any(|prefix| operation.starts_with(prefix))
}

/// `eventSource` of each.
pub(crate) const IAM_SOURCE: &str = "iam.amazonaws.com";
/// See above.
pub(crate) const STS: &str = "sts.amazonaws.com";
/// See above.
pub(crate) const CLOUDTRAIL_SOURCE: &str = "cloudtrail.amazonaws.com";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted() {
        assert!(IAM.secret.is_sorted());
    }
}
