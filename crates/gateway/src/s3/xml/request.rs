//! The documents that clients send, as types.

use super::read::{Document, Malformed, once};
use objects::{Algorithm, BUCKET_TAGS, DELETE_BATCH, ETagMatch, PART_LIMIT, PublicAccessBlock};

/// The most parts of one CompleteMultipartUpload.
const PARTS: usize = PART_LIMIT as usize;

/// `Delete`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Delete {
    pub(crate) objects: Vec<DeleteTarget>,
    pub(crate) quiet: bool,
}

/// `Object` of a `Delete`, as written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct DeleteTarget {
    pub(crate) key: String,
    pub(crate) version: Option<String>,
    pub(crate) etag: Option<String>,
    pub(crate) modified: Option<String>,
    pub(crate) size: Option<u64>,
}

/// `Part` of a `CompleteMultipartUpload`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CompletePart {
    pub(crate) number: u64,
    pub(crate) etag: ETagMatch,
    /// Algorithm and base64, as written.
    pub(crate) checksum: Option<(Algorithm, String)>,
}

/// `Rule` of a `ServerSideEncryptionConfiguration`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct EncryptionRule {
    /// `SSEAlgorithm`; `None` without `ApplyServerSideEncryptionByDefault`.
    pub(crate) algorithm: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) bucket_key: Option<bool>,
    /// `BlockedEncryptionTypes`.
    pub(crate) blocked: Option<Vec<String>>,
}

/// `CreateBucketConfiguration`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct BucketConfiguration {
    pub(crate) location: Option<String>,
    /// `Location`, `Bucket` (directory buckets) or `Tags` that hold something: not built.
    pub(crate) unbuilt: Option<&'static str>,
}

/// `AccessControlPolicy`: permission and canonical id of each grant, and the owner's id.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct AccessPolicy {
    pub(crate) owner: Option<String>,
    pub(crate) grants: Vec<(Option<String>, Option<String>)>,
}

/// Reads a `Delete`: 1 to 1,000 objects.
pub(crate) fn delete(bytes: &[u8]) -> Result<Delete, Malformed> {
    let mut delete = Delete::default();
    let mut quiet = None;
    Document::read(bytes, "Delete", |xml, name| match name {
        "Object" if delete.objects.len() == DELETE_BATCH => Err(Malformed("more than 1,000 objects")),
        "Object" => {
            delete.objects.push(delete_target(xml)?);
            Ok(())
        }
        "Quiet" => once(&mut quiet, xml.boolean()?),
        _ => Err(UNKNOWN),
    })?;
    delete.quiet = quiet.unwrap_or(false);
    if delete.objects.is_empty() { Err(Malformed("no object")) } else { Ok(delete) }
}

fn delete_target(xml: &mut Document<'_>) -> Result<DeleteTarget, Malformed> {
    let mut target = DeleteTarget::default();
    let mut key = None;
    xml.children(|xml, name| match name {
        "Key" => once(&mut key, xml.text()?),
        "VersionId" => once(&mut target.version, xml.text()?),
        "ETag" => once(&mut target.etag, xml.text()?),
        "LastModifiedTime" => once(&mut target.modified, xml.text()?),
        "Size" => once(&mut target.size, xml.number()?),
        _ => Err(UNKNOWN),
    })?;
    target.key = key.filter(|key| !key.is_empty()).ok_or(Malformed("no key"))?;
    Ok(target)
}

/// Reads a `CompleteMultipartUpload`: 1 to 10,000 parts.
pub(crate) fn complete(bytes: &[u8]) -> Result<Vec<CompletePart>, Malformed> {
    let mut parts = Vec::new();
    Document::read(bytes, "CompleteMultipartUpload", |xml, name| match name {
        "Part" if parts.len() == PARTS => Err(Malformed("more than 10,000 parts")),
        "Part" => {
            parts.push(complete_part(xml)?);
            Ok(())
        }
        _ => Err(UNKNOWN),
    })?;
    if parts.is_empty() { Err(Malformed("no part")) } else { Ok(parts) }
}

fn complete_part(xml: &mut Document<'_>) -> Result<CompletePart, Malformed> {
    let (mut number, mut etag, mut checksum) = (None, None, None);
    xml.children(|xml, name| match name {
        "PartNumber" => once(&mut number, xml.number()?),
        "ETag" => once(&mut etag, xml.text()?),
        _ => {
            let label = name.strip_prefix("Checksum").ok_or(UNKNOWN)?;
            let algorithm = Algorithm::parse(label).ok_or(UNKNOWN)?;
            once(&mut checksum, (algorithm, xml.text()?))
        }
    })?;
    let etag = etag.ok_or(Malformed("no ETag"))?;
    Ok(CompletePart { number: number.ok_or(Malformed("no part number"))?, etag: ETagMatch::parse(&etag), checksum })
}

/// Reads a `ServerSideEncryptionConfiguration`: exactly one rule.
pub(crate) fn encryption(bytes: &[u8]) -> Result<EncryptionRule, Malformed> {
    let mut rule = None;
    Document::read(bytes, "ServerSideEncryptionConfiguration", |xml, name| match name {
        "Rule" => once(&mut rule, encryption_rule(xml)?),
        _ => Err(UNKNOWN),
    })?;
    rule.ok_or(Malformed("no rule"))
}

fn encryption_rule(xml: &mut Document<'_>) -> Result<EncryptionRule, Malformed> {
    let mut rule = EncryptionRule::default();
    xml.children(|xml, name| match name {
        "ApplyServerSideEncryptionByDefault" => {
            xml.children(|xml, name| match name {
                "SSEAlgorithm" => once(&mut rule.algorithm, xml.text()?),
                "KMSMasterKeyID" => once(&mut rule.key, xml.text()?),
                _ => Err(UNKNOWN),
            })?;
            if rule.algorithm.is_none() { Err(Malformed("no algorithm")) } else { Ok(()) }
        }
        "BucketKeyEnabled" => once(&mut rule.bucket_key, xml.boolean()?),
        "BlockedEncryptionTypes" => {
            let mut types = Vec::new();
            xml.children(|xml, name| match name {
                "EncryptionType" if types.len() < 2 => {
                    types.push(xml.text()?);
                    Ok(())
                }
                _ => Err(UNKNOWN),
            })?;
            once(&mut rule.blocked, types)
        }
        _ => Err(UNKNOWN),
    })?;
    if rule == EncryptionRule::default() { Err(Malformed("an empty rule")) } else { Ok(rule) }
}

/// Reads a `CreateBucketConfiguration`; an empty body is one without content.
pub(crate) fn bucket_configuration(bytes: &[u8]) -> Result<BucketConfiguration, Malformed> {
    let mut configuration = BucketConfiguration::default();
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(configuration);
    }
    Document::read(bytes, "CreateBucketConfiguration", |xml, name| match name {
        "LocationConstraint" => once(&mut configuration.location, xml.text()?),
        "Location" => unbuilt(xml, &mut configuration.unbuilt, "Location"),
        "Bucket" => unbuilt(xml, &mut configuration.unbuilt, "Bucket"),
        "Tags" => unbuilt(xml, &mut configuration.unbuilt, "Tags"),
        _ => Err(UNKNOWN),
    })?;
    configuration.location = configuration.location.filter(|location| !location.is_empty());
    Ok(configuration)
}

/// Skips an element and notes it if there is anything in it.
fn unbuilt(xml: &mut Document<'_>, slot: &mut Option<&'static str>, name: &'static str) -> Result<(), Malformed> {
    xml.children(|xml, _| {
        *slot = Some(name);
        skip(xml)
    })
}

/// Text or elements, whichever comes.
fn skip(xml: &mut Document<'_>) -> Result<(), Malformed> {
    xml.mixed(skip)
}

/// Reads a `Tagging`: keys and values in order. How many there may be, and which, is not the document's business.
pub(crate) fn tagging(bytes: &[u8]) -> Result<Vec<(String, String)>, Malformed> {
    let mut set = None;
    Document::read(bytes, "Tagging", |xml, name| match name {
        "TagSet" => {
            let mut tags = Vec::new();
            xml.children(|xml, name| match name {
                "Tag" if tags.len() < TAGS => {
                    tags.push(tag(xml)?);
                    Ok(())
                }
                _ => Err(UNKNOWN),
            })?;
            once(&mut set, tags)
        }
        _ => Err(UNKNOWN),
    })?;
    set.ok_or(Malformed("no TagSet"))
}

fn tag(xml: &mut Document<'_>) -> Result<(String, String), Malformed> {
    let (mut key, mut value) = (None, None);
    xml.children(|xml, name| match name {
        "Key" => once(&mut key, xml.text()?),
        "Value" => once(&mut value, xml.text()?),
        _ => Err(UNKNOWN),
    })?;
    Ok((key.ok_or(Malformed("a tag without a key"))?, value.ok_or(Malformed("a tag without a value"))?))
}

/// Reads a `PublicAccessBlockConfiguration`; `None` if it names no setting. A setting that is not named is off.
pub(crate) fn public_access_block(bytes: &[u8]) -> Result<Option<PublicAccessBlock>, Malformed> {
    let (mut acls, mut ignored, mut policy, mut restricted) = (None, None, None, None);
    Document::read(bytes, "PublicAccessBlockConfiguration", |xml, name| match name {
        "BlockPublicAcls" => once(&mut acls, xml.boolean()?),
        "IgnorePublicAcls" => once(&mut ignored, xml.boolean()?),
        "BlockPublicPolicy" => once(&mut policy, xml.boolean()?),
        "RestrictPublicBuckets" => once(&mut restricted, xml.boolean()?),
        _ => Err(UNKNOWN),
    })?;
    if [acls, ignored, policy, restricted].iter().all(Option::is_none) {
        return Ok(None);
    }
    Ok(Some(PublicAccessBlock {
        block_public_acls: acls.unwrap_or(false),
        ignore_public_acls: ignored.unwrap_or(false),
        block_public_policy: policy.unwrap_or(false),
        restrict_public_buckets: restricted.unwrap_or(false),
    }))
}

/// Reads an `OwnershipControls`: the `ObjectOwnership` of its one rule.
pub(crate) fn ownership(bytes: &[u8]) -> Result<String, Malformed> {
    let mut ownership = None;
    Document::read(bytes, "OwnershipControls", |xml, name| match name {
        "Rule" => xml.children(|xml, name| match name {
            "ObjectOwnership" => once(&mut ownership, xml.text()?),
            _ => Err(UNKNOWN),
        }),
        _ => Err(UNKNOWN),
    })?;
    ownership.ok_or(Malformed("no ObjectOwnership"))
}

/// Reads an `AccessControlPolicy`.
pub(crate) fn access_policy(bytes: &[u8]) -> Result<AccessPolicy, Malformed> {
    let mut policy = AccessPolicy::default();
    Document::read(bytes, "AccessControlPolicy", |xml, name| match name {
        "Owner" => {
            policy.owner = identity(xml)?;
            Ok(())
        }
        "AccessControlList" => xml.children(|xml, name| match name {
            "Grant" if policy.grants.len() < GRANTS => {
                policy.grants.push(grant(xml)?);
                Ok(())
            }
            _ => Err(UNKNOWN),
        }),
        _ => Err(UNKNOWN),
    })?;
    Ok(policy)
}

fn grant(xml: &mut Document<'_>) -> Result<(Option<String>, Option<String>), Malformed> {
    let (mut permission, mut id) = (None, None);
    xml.children(|xml, name| match name {
        "Permission" => once(&mut permission, xml.text()?),
        "Grantee" => {
            id = identity(xml)?;
            Ok(())
        }
        _ => Err(UNKNOWN),
    })?;
    Ok((permission, id))
}

/// The `ID` of an owner or grantee; other ways to name one give `None`.
fn identity(xml: &mut Document<'_>) -> Result<Option<String>, Malformed> {
    let mut id = None;
    xml.children(|xml, name| match name {
        "ID" => once(&mut id, xml.text()?),
        "DisplayName" | "EmailAddress" | "URI" | "Type" => xml.text().map(drop),
        _ => Err(UNKNOWN),
    })?;
    Ok(id)
}

const UNKNOWN: Malformed = Malformed("an element that does not belong here");
/// AWS's limit of an ACL (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html>).
const GRANTS: usize = 100;
/// One more than may be: more is told as too many, much more is not read.
const TAGS: usize = BUCKET_TAGS + 1;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_delete_with_everything() {
        let xml = b"<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Object><Key>a&amp;b</Key><VersionId>null</VersionId><ETag>\"x\"</ETag><LastModifiedTime>t</LastModifiedTime><Size>3</Size></Object><Object><Key>c</Key></Object><Quiet>true</Quiet></Delete>";
        let read = delete(xml).unwrap();
        assert!(read.quiet);
        assert_eq!((read.objects[0].key.as_str(), read.objects[0].size), ("a&b", Some(3)));
        assert_eq!(read.objects[1], DeleteTarget { key: "c".into(), ..DeleteTarget::default() });
    }

    #[test]
    fn deletes_have_limits() {
        let of = |count: usize| format!("<Delete>{}</Delete>", "<Object><Key>k</Key></Object>".repeat(count));
        assert_eq!(delete(of(1_000).as_bytes()).unwrap().objects.len(), 1_000);
        assert!(delete(of(1_001).as_bytes()).is_err());
        for bad in [
            "<Delete/>",
            "<Delete><Object/></Delete>",
            "<Delete><Object><Key/></Object></Delete>",
            "<Delete><Object><Key>a</Key><Key>b</Key></Object></Delete>",
        ] {
            assert!(delete(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn ten_thousand_parts_and_no_more() {
        let of = |count: usize| {
            let part = "<Part><PartNumber>1</PartNumber><ETag>e</ETag><ChecksumCRC64NVME>AAAAAAAAAAA=</ChecksumCRC64NVME></Part>";
            format!("<CompleteMultipartUpload>{}</CompleteMultipartUpload>", part.repeat(count))
        };
        let parts = complete(of(10_000).as_bytes()).unwrap();
        assert_eq!(parts.len(), 10_000);
        assert_eq!(parts[0].checksum, Some((Algorithm::Crc64Nvme, "AAAAAAAAAAA=".into())));
        assert!(complete(of(10_001).as_bytes()).is_err());
        assert!(complete(of(0).as_bytes()).is_err());
        assert!(
            complete(b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>")
                .is_err()
        );
    }

    #[test]
    fn an_encryption_configuration_has_one_rule() {
        let rule = "<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>k</KMSMasterKeyID></ApplyServerSideEncryptionByDefault><BucketKeyEnabled>true</BucketKeyEnabled><BlockedEncryptionTypes><EncryptionType>NONE</EncryptionType></BlockedEncryptionTypes></Rule>";
        let of = |rules: &str| {
            encryption(
                format!("<ServerSideEncryptionConfiguration>{rules}</ServerSideEncryptionConfiguration>").as_bytes(),
            )
        };
        let read = of(rule).unwrap();
        assert_eq!(
            (read.algorithm.as_deref(), read.key.as_deref(), read.bucket_key),
            (Some("aws:kms"), Some("k"), Some(true))
        );
        assert_eq!(read.blocked.unwrap(), ["NONE"]);
        for bad in ["", "<Rule/>", &rule.repeat(2), "<Rule><ApplyServerSideEncryptionByDefault/></Rule>"] {
            assert!(of(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_bucket_configuration_may_be_empty() {
        let of = |inner: &str| {
            bucket_configuration(format!("<CreateBucketConfiguration>{inner}</CreateBucketConfiguration>").as_bytes())
                .unwrap()
        };
        assert_eq!(bucket_configuration(b"").unwrap(), BucketConfiguration::default());
        assert_eq!(of("<LocationConstraint>eu-west-1</LocationConstraint>").location.as_deref(), Some("eu-west-1"));
        assert_eq!(of("<LocationConstraint/>").location, None);
        assert_eq!(of("<Tags/>").unbuilt, None);
        assert_eq!(of("<Tags><Tag><Key>a</Key><Value>b</Value></Tag></Tags>").unbuilt, Some("Tags"));
    }

    #[test]
    fn an_access_policy_by_ids() {
        let xml = "<AccessControlPolicy><Owner><ID>o</ID></Owner><AccessControlList><Grant><Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\"><ID>o</ID></Grantee><Permission>FULL_CONTROL</Permission></Grant></AccessControlList></AccessControlPolicy>";
        let read = access_policy(xml.as_bytes()).unwrap();
        assert_eq!(read.grants, [(Some("FULL_CONTROL".to_owned()), Some("o".to_owned()))]);
    }

    #[test]
    fn tags_and_settings() {
        let tags = |inner: &str| tagging(format!("<Tagging>{inner}</Tagging>").as_bytes());
        let one = "<Tag><Key>a</Key><Value>b &amp; c</Value></Tag>";
        assert_eq!(tags(&format!("<TagSet>{one}</TagSet>")).unwrap(), [("a".to_owned(), "b & c".to_owned())]);
        assert!(tags("<TagSet/>").unwrap().is_empty());
        for bad in ["", "<TagSet><Tag><Key>a</Key></Tag></TagSet>", &format!("<TagSet>{}</TagSet>", one.repeat(52))] {
            assert!(tags(bad).is_err(), "{bad}");
        }
        let block = |inner: &str| {
            let root = "PublicAccessBlockConfiguration";
            public_access_block(format!("<{root}>{inner}</{root}>").as_bytes())
        };
        let only = block("<BlockPublicPolicy>true</BlockPublicPolicy>").unwrap().unwrap();
        assert_eq!(only, PublicAccessBlock { block_public_policy: true, ..PublicAccessBlock::default() });
        assert_eq!(block("").unwrap(), None);
        assert!(block("<BlockPublicPolicy>maybe</BlockPublicPolicy>").is_err());
        assert!(ownership(b"<OwnershipControls><Rule/></OwnershipControls>").is_err());
    }

    proptest! {
        #[test]
        fn no_document_panics(body in "[<>/DeltOObjcKyRuPart&;! ]{0,80}") {
            for bytes in [body.clone(), format!("<Delete>{body}</Delete>"), format!("<CompleteMultipartUpload>{body}</CompleteMultipartUpload>")] {
                let _ = delete(bytes.as_bytes());
                let _ = complete(bytes.as_bytes());
                let _ = encryption(bytes.as_bytes());
                let _ = bucket_configuration(bytes.as_bytes());
                let _ = access_policy(bytes.as_bytes());
                let _ = tagging(bytes.as_bytes());
                let _ = public_access_block(bytes.as_bytes());
            }
        }
    }
}
