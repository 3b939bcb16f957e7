//! Headers of the service model that ask for what does not exist here. Nothing is accepted and ignored: each is refused with AWS's own
//! error where AWS would refuse it on a bucket like ours, and with NotImplemented where AWS would do it.

use super::text;
use crate::s3::error::{Code, S3Error};
use crate::s3::operation::Operation;
use http::HeaderMap;

/// What becomes of a header.
enum Verdict {
    /// 501.
    NotImplemented,
    /// These values (in any case) change nothing that is not so already; others are 501.
    Only(&'static [&'static str]),
    /// ACLs are disabled on every bucket.
    Acl,
    /// STANDARD is the only storage class.
    StorageClass,
    /// AWS's answer on a bucket without Object Lock.
    NoObjectLock,
    /// AWS's answer on a bucket without Object Lock, unless it says false.
    NoGovernance,
}

const WRITES: &[Operation] = &[Operation::PutObject, Operation::CopyObject, Operation::CreateMultipartUpload];
const DELETES: &[Operation] = &[Operation::DeleteObject, Operation::DeleteObjects];
const CREATE: &[Operation] = &[Operation::CreateBucket];
const LISTS: &[Operation] = &[Operation::ListObjects, Operation::ListObjectsV2, Operation::ListObjectVersions];
const GRANTING: &[Operation] = &[
    Operation::PutObject,
    Operation::CopyObject,
    Operation::CreateMultipartUpload,
    Operation::CreateBucket,
    Operation::PutBucketAcl,
    Operation::PutObjectAcl,
];

const TABLE: &[(&str, &[Operation], Verdict)] = &[
    // No object has annotations, so there is nothing to copy or to leave out.
    ("x-amz-object-annotation-directive", WRITES, Verdict::Only(&["COPY", "EXCLUDE"])),
    ("x-amz-object-lock-mode", WRITES, Verdict::NoObjectLock),
    ("x-amz-object-lock-retain-until-date", WRITES, Verdict::NoObjectLock),
    ("x-amz-object-lock-legal-hold", WRITES, Verdict::NoObjectLock),
    ("x-amz-object-lock-event-hold", WRITES, Verdict::NoObjectLock),
    ("x-amz-object-lock-event-hold-duration-days", WRITES, Verdict::NoObjectLock),
    ("x-amz-object-lock-event-hold-duration-years", WRITES, Verdict::NoObjectLock),
    ("x-amz-storage-class", WRITES, Verdict::StorageClass),
    ("x-amz-website-redirect-location", WRITES, Verdict::NotImplemented),
    ("x-amz-write-offset-bytes", WRITES, Verdict::NotImplemented),
    ("x-amz-mfa", DELETES, Verdict::NotImplemented),
    ("x-amz-bypass-governance-retention", DELETES, Verdict::NoGovernance),
    ("x-amz-bucket-object-lock-enabled", CREATE, Verdict::Only(&["false"])),
    ("x-amz-object-ownership", CREATE, Verdict::Only(&["BucketOwnerEnforced"])),
    ("x-amz-bucket-namespace", CREATE, Verdict::Only(&["global"])),
    // No object is archived or restored, so there is no RestoreStatus to tell.
    ("x-amz-optional-object-attributes", LISTS, Verdict::Only(&["RestoreStatus"])),
    ("x-amz-grant-full-control", GRANTING, Verdict::Acl),
    ("x-amz-grant-read", GRANTING, Verdict::Acl),
    ("x-amz-grant-read-acp", GRANTING, Verdict::Acl),
    ("x-amz-grant-write", GRANTING, Verdict::Acl),
    ("x-amz-grant-write-acp", GRANTING, Verdict::Acl),
];

/// Refuses what `operation` cannot honour, whoever asks for it.
pub(crate) fn refuse_unbuilt(operation: Operation, headers: &HeaderMap) -> Result<(), S3Error> {
    refuse(operation, headers, |verdict| !verdict.is_for_policies())?;
    match text(headers, "x-amz-request-payer")? {
        // No bucket is Requester Pays, where AWS takes the header and does nothing.
        None | Some("requester") => Ok(()),
        Some(other) => Err(S3Error::argument("Invalid Request Payer", "x-amz-request-payer", other)),
    }
}

/// Refuses ACLs and storage classes, once it is known that the caller may do what it asks: policies have a say on these headers, and
/// what they deny they deny with every value.
pub(crate) fn refuse_permitted(operation: Operation, headers: &HeaderMap) -> Result<(), S3Error> {
    check_acl(operation, headers)?;
    refuse(operation, headers, Verdict::is_for_policies)
}

fn refuse(operation: Operation, headers: &HeaderMap, which: impl Fn(&Verdict) -> bool) -> Result<(), S3Error> {
    for (name, operations, verdict) in TABLE {
        if !operations.contains(&operation) || !which(verdict) {
            continue;
        }
        if let Some(value) = text(headers, name)? {
            verdict.judge(operation, name, value)?;
        }
    }
    Ok(())
}

impl Verdict {
    fn is_for_policies(&self) -> bool {
        matches!(self, Verdict::Acl | Verdict::StorageClass)
    }

    fn judge(&self, operation: Operation, name: &str, value: &str) -> Result<(), S3Error> {
        match self {
            Verdict::NotImplemented => Err(S3Error::not_implemented(name)),
            Verdict::Only(values) if values.iter().any(|only| only.eq_ignore_ascii_case(value)) => Ok(()),
            Verdict::Only(_) => Err(S3Error::not_implemented(name)),
            Verdict::Acl if operation == Operation::CreateBucket => {
                Err(Code::InvalidBucketAclWithObjectOwnership.into())
            }
            Verdict::Acl => Err(Code::AccessControlListNotSupported.into()),
            Verdict::StorageClass if value == "STANDARD" => Ok(()),
            Verdict::StorageClass => {
                Err(S3Error::new(Code::InvalidStorageClass).detail("StorageClassRequested", value))
            }
            Verdict::NoObjectLock => Err(S3Error::request("Bucket is missing Object Lock Configuration")),
            Verdict::NoGovernance if value.eq_ignore_ascii_case("false") => Ok(()),
            Verdict::NoGovernance => Err(S3Error::argument(
                "x-amz-bypass-governance-retention is only applicable to Object Lock enabled buckets.",
                name,
                value,
            )),
        }
    }
}

/// `x-amz-acl`, where ACLs are disabled: on objects the one canned ACL that says what is so anyway
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-ownership-error-responses.html>), on a new bucket `private`.
fn check_acl(operation: Operation, headers: &HeaderMap) -> Result<(), S3Error> {
    let Some(canned) = text(headers, "x-amz-acl")? else { return Ok(()) };
    let creates = operation == Operation::CreateBucket;
    match canned {
        "private" if creates => Ok(()),
        "bucket-owner-full-control" if !creates => Ok(()),
        _ if !CANNED.contains(&canned) => Err(S3Error::argument("", "x-amz-acl", canned)),
        _ if creates => Err(Code::InvalidBucketAclWithObjectOwnership.into()),
        _ => Err(Code::AccessControlListNotSupported.into()),
    }
}

const CANNED: &[&str] = &[
    "private",
    "public-read",
    "public-read-write",
    "authenticated-read",
    "aws-exec-read",
    "bucket-owner-read",
    "bucket-owner-full-control",
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::super::map;
    use super::*;
    use crate::s3::operation::{OPERATIONS, State};

    /// Headers of the model that the handlers honour. What is not here must be in [`TABLE`].
    const HONOURED: &[&str] = &[
        "x-amz-acl",
        "x-amz-checksum-algorithm",
        "x-amz-checksum-mode",
        "x-amz-checksum-type",
        "x-amz-confirm-remove-self-bucket-access",
        "x-amz-copy-source",
        "x-amz-copy-source-if-match",
        "x-amz-copy-source-if-modified-since",
        "x-amz-copy-source-if-none-match",
        "x-amz-copy-source-if-unmodified-since",
        "x-amz-copy-source-range",
        "x-amz-expected-bucket-owner",
        "x-amz-if-match-initiated-time",
        "x-amz-if-match-last-modified-time",
        "x-amz-if-match-size",
        "x-amz-max-parts",
        "x-amz-meta-",
        "x-amz-metadata-directive",
        "x-amz-mp-object-size",
        "x-amz-object-attributes",
        "x-amz-part-number-marker",
        "x-amz-request-payer",
        "x-amz-sdk-checksum-algorithm",
        "x-amz-source-expected-bucket-owner",
        "x-amz-tagging",
        "x-amz-tagging-directive",
    ];

    #[test]
    fn no_header_of_the_model_is_accepted_and_ignored() {
        let family = |header: &str| {
            header.starts_with("x-amz-server-side-encryption")
                || header.starts_with("x-amz-copy-source-server-side-encryption")
                || header.starts_with("x-amz-checksum-")
        };
        for row in OPERATIONS.iter().filter(|row| row.state == State::Built) {
            let name = row.operation.name();
            let line = include_str!("../model.txt").lines().find(|line| line.split(' ').next() == Some(name)).unwrap();
            for header in line.split(' ').nth(4).unwrap().split(',').filter(|header| *header != "-") {
                let refused = TABLE.iter().any(|(refused, on, _)| *refused == header && on.contains(&row.operation));
                assert!(refused || HONOURED.contains(&header) || family(header), "{name}: {header}");
            }
        }
    }

    #[test]
    fn each_verdict() {
        let code = |operation, name, value| {
            let headers = map(&[(name, value)]);
            refuse_unbuilt(operation, &headers)
                .and_then(|()| refuse_permitted(operation, &headers))
                .err()
                .map_or("-".to_owned(), |error| error.code().to_owned())
        };
        let put = Operation::PutObject;
        assert_eq!(code(put, "x-amz-storage-class", "STANDARD"), "-");
        assert_eq!(code(put, "x-amz-storage-class", "GLACIER"), "InvalidStorageClass");
        assert_eq!(code(put, "x-amz-object-lock-mode", "GOVERNANCE"), "InvalidRequest");
        assert_eq!(code(put, "x-amz-grant-read", "id=x"), "AccessControlListNotSupported");
        assert_eq!(code(put, "x-amz-request-payer", "requester"), "-");
        assert_eq!(code(put, "x-amz-request-payer", "me"), "InvalidArgument");
        assert_eq!(code(Operation::DeleteObject, "x-amz-bypass-governance-retention", "true"), "InvalidArgument");
        assert_eq!(code(Operation::CreateBucket, "x-amz-bucket-object-lock-enabled", "true"), "NotImplemented");
        assert_eq!(code(Operation::CreateBucket, "x-amz-object-ownership", "ObjectWriter"), "NotImplemented");
        assert_eq!(code(Operation::GetObject, "x-amz-website-redirect-location", "/a"), "-");
        assert_eq!(code(put, "x-amz-website-redirect-location", "/a"), "NotImplemented");
    }

    #[test]
    fn canned_acls() {
        let code = |operation, value| {
            check_acl(operation, &map(&[("x-amz-acl", value)]))
                .err()
                .map_or("-".to_owned(), |error| error.code().to_owned())
        };
        assert_eq!(code(Operation::PutObject, "bucket-owner-full-control"), "-");
        assert_eq!(code(Operation::PutObject, "private"), "AccessControlListNotSupported");
        assert_eq!(code(Operation::PutObject, "nonsense"), "InvalidArgument");
        assert_eq!(code(Operation::CreateBucket, "private"), "-");
        assert_eq!(code(Operation::CreateBucket, "public-read"), "InvalidBucketAclWithObjectOwnership");
    }
}
