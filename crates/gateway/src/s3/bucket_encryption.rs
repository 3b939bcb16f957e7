//! GetBucketEncryption, PutBucketEncryption, DeleteBucketEncryption.

use super::call::{Call, xml};
use super::error::{Code, S3Error};
use super::xml::Writer;
use super::xml::request::{self, EncryptionRule};
use crate::response::Response;
use http::StatusCode;
use objects::{BlockedTypes, BucketEncryption, DefaultEncryption};

/// Every bucket has a rule: AES256 without a Bucket Key if nobody made one.
pub(crate) async fn get_bucket_encryption(call: &mut Call<'_>) -> Result<Response, S3Error> {
    let bucket = call.authorized_bucket("s3:GetEncryptionConfiguration").await?;
    let encryption = &bucket.encryption;
    let (algorithm, key) = match &encryption.default {
        DefaultEncryption::SseS3 => (AES256, None),
        DefaultEncryption::SseKms { key } => (KMS, key.as_deref()),
        DefaultEncryption::DsseKms { key } => (DSSE, key.as_deref()),
    };
    Ok(xml(Writer::document("ServerSideEncryptionConfiguration", |xml| {
        xml.element("Rule", |xml| {
            xml.element("ApplyServerSideEncryptionByDefault", |xml| {
                xml.text("SSEAlgorithm", algorithm);
                xml.optional("KMSMasterKeyID", key);
            });
            xml.value("BucketKeyEnabled", encryption.bucket_key);
            xml.element("BlockedEncryptionTypes", |xml| {
                xml.text("EncryptionType", if encryption.blocked.customer { CUSTOMER } else { NONE });
            });
        });
    })))
}

pub(crate) async fn put_bucket_encryption(call: &mut Call<'_>) -> Result<Response, S3Error> {
    let bucket = call.authorized_bucket("s3:PutEncryptionConfiguration").await?;
    let body = call.document(DOCUMENT_LIMIT).await?;
    let encryption = configuration(request::encryption(&body)?, bucket.encryption.blocked)?;
    call.app.objects.put_bucket_encryption(&bucket, encryption).await?;
    Ok(Response::empty(StatusCode::OK))
}

pub(crate) async fn delete_bucket_encryption(call: &mut Call<'_>) -> Result<Response, S3Error> {
    let bucket = call.authorized_bucket("s3:PutEncryptionConfiguration").await?;
    call.app.objects.delete_bucket_encryption(&bucket).await?;
    Ok(Response::empty(StatusCode::NO_CONTENT))
}

/// What a rule says. Without `BlockedEncryptionTypes` what was blocked stays so.
fn configuration(rule: EncryptionRule, blocked: BlockedTypes) -> Result<BucketEncryption, S3Error> {
    let default = match (rule.algorithm.as_deref(), rule.key) {
        (None | Some(AES256), None) => DefaultEncryption::SseS3,
        (Some(KMS), key) => DefaultEncryption::SseKms { key },
        (Some(DSSE), key) => DefaultEncryption::DsseKms { key },
        (None | Some(AES256), Some(key)) => {
            let message =
                "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse";
            return Err(S3Error::argument(message, "KMSMasterKeyID", key));
        }
        (Some(_), _) => return Err(Code::MalformedXML.into()),
    };
    let blocked = match rule.blocked.as_deref() {
        None => blocked,
        Some([only]) if only == NONE => BlockedTypes { customer: false },
        Some([only]) if only == CUSTOMER => BlockedTypes { customer: true },
        Some(_) => return Err(Code::MalformedXML.into()),
    };
    Ok(BucketEncryption { default, bucket_key: rule.bucket_key.unwrap_or(false), blocked })
}

const AES256: &str = "AES256";
const KMS: &str = "aws:kms";
const DSSE: &str = "aws:kms:dsse";
const NONE: &str = "NONE";
const CUSTOMER: &str = "SSE-C";
/// One rule with a key ARN takes less than 1 KiB.
const DOCUMENT_LIMIT: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    const OPEN: BlockedTypes = BlockedTypes { customer: false };

    fn rule(algorithm: &str, key: Option<&str>, blocked: Option<&[&str]>) -> EncryptionRule {
        EncryptionRule {
            algorithm: Some(algorithm.to_owned()),
            key: key.map(str::to_owned),
            bucket_key: None,
            blocked: blocked.map(|types| types.iter().map(|&kind| kind.to_owned()).collect()),
        }
    }

    #[test]
    fn each_default_mode() {
        let of = |algorithm, key| configuration(rule(algorithm, key, None), OPEN).unwrap().default;
        assert_eq!(of("AES256", None), DefaultEncryption::SseS3);
        assert_eq!(of("aws:kms", None), DefaultEncryption::SseKms { key: None });
        assert_eq!(of("aws:kms:dsse", Some("k")), DefaultEncryption::DsseKms { key: Some("k".into()) });
    }

    #[test]
    fn blocked_types() {
        let of = |types: Option<&[&str]>, before| {
            configuration(rule("AES256", None, types), before).unwrap().blocked.customer
        };
        assert!(of(Some(&["SSE-C"]), OPEN));
        assert!(!of(Some(&["NONE"]), BlockedTypes { customer: true }));
        assert!(of(None, BlockedTypes { customer: true }));
    }

    #[test]
    fn contradictions() {
        let code = |rule| configuration(rule, OPEN).unwrap_err().code().to_owned();
        assert_eq!(code(rule("AES256", Some("k"), None)), "InvalidArgument");
        assert_eq!(code(rule("AES128", None, None)), "MalformedXML");
        assert_eq!(code(rule("AES256", None, Some(&["NONE", "SSE-C"]))), "MalformedXML");
        assert_eq!(code(rule("AES256", None, Some(&[]))), "MalformedXML");
    }
}
