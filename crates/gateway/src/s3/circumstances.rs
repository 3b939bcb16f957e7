//! What policies may ask of a request to S3: the condition keys of the service. Those of all services are in crate `policy`.
//!
//! A key is there if the action knows it (Service Authorization Reference, "Condition keys for Amazon S3") and the request says it: a
//! header or parameter that was not sent has no value, not its default one. So `Null` tells who named no encryption, as the policies of
//! AWS's documentation want it (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html>).
//!
//! What costs a read of the store is read once a policy asks for it: the value is missing at first, which is noted, and the decision is
//! made anew when it is known.

use super::call::Call;
use super::copy::source_name;
use super::headers;
use super::operation::Operation;
use objects::{Bucket, Mode, ObjectName, Tags, UploadCreation};
use policy::{Context, Value};
use sigv4::Mechanism;
use std::borrow::Cow;
use std::cell::Cell;
use std::time::{Duration, UNIX_EPOCH};

/// What has been read for the policies of a request.
#[derive(Default)]
pub(crate) struct Known {
    /// The object's tags; none of an object that is not there.
    pub(crate) tags: Option<Tags>,
    /// What the upload was created with that the request continues; `Some(None)`: there is no such upload.
    pub(crate) upload: Option<Option<UploadCreation>>,
    /// The ARN of the KMS key that a write names, by whatever name.
    pub(crate) key_arn: Option<Option<String>>,
}

/// Something that a policy asked for and that is not read yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lack {
    Tags,
    Upload,
    KeyArn,
}

/// The circumstances of one action of a request.
pub(crate) struct Circumstances<'a> {
    pub(crate) call: &'a Call<'a>,
    /// In lower case, without `s3:`.
    pub(crate) action: &'a str,
    /// Of a bucket that is there.
    pub(crate) bucket: Option<&'a Bucket>,
    pub(crate) known: &'a Known,
    /// `versionId` of what the action is about, which need not be the request's own (a copy's source, one key of a DeleteObjects).
    pub(crate) version: Option<&'a str>,
    /// The object that was looked for in vain, where the question is whether the caller may know.
    pub(crate) sought: Option<&'a ObjectName>,
    pub(crate) lack: Cell<Option<Lack>>,
}

impl Context for Circumstances<'_> {
    fn value(&self, key: &str) -> Option<Value<'_>> {
        match key.strip_prefix("s3:") {
            Some(name) if objects::action_knows(self.action, key) == Some(true) => match self.upload() {
                Continued::Nothing => self.own(name),
                Continued::Unknown => self.own(name).filter(|_| !is_said_once(name)),
                Continued::Upload(upload) if is_said_once(name) => said(upload, name),
                Continued::Upload(_) => self.own(name),
            },
            Some(_) => None,
            None => self.of_bucket_tagging(key),
        }
    }
}

/// The upload that a request continues.
enum Continued<'a> {
    Nothing,
    /// It has not been read, or there is no such upload.
    Unknown,
    Upload(&'a UploadCreation),
}

impl Circumstances<'_> {
    fn own(&self, name: &str) -> Option<Value<'_>> {
        let signed = self.call.caller.signature();
        let presigned = || matches!(signed.map(sigv4::Authenticated::mechanism), Some(Mechanism::Presigned { .. }));
        match name {
            "resourceaccount" => Some(self.bucket?.owner.as_str().into()),
            "tlsversion" => Some(self.call.request.tls.as_ref()?.version.strip_prefix("TLSv")?.into()),
            "signatureversion" => signed.map(|_| "AWS4-HMAC-SHA256".into()),
            "authtype" => signed.map(|_| if presigned() { "REST-QUERY-STRING" } else { "REST-HEADER" }.into()),
            "signatureage" => {
                let time = UNIX_EPOCH.checked_add(Duration::from_secs(signed?.time().unix()))?;
                let age = self.call.request.received.duration_since(time).unwrap_or_default();
                Some(age.as_millis().to_string().into())
            }
            "x-amz-content-sha256" if presigned() => Some("UNSIGNED-PAYLOAD".into()),
            "prefix" if self.sought.is_some() => Some(self.sought?.as_str().into()),
            "prefix" | "delimiter" | "max-keys" if self.lists() => self.call.query(name).map(Value::from),
            "versionid" => self.version.map(Value::from),
            "locationconstraint" => self.call.location.as_deref().map(Value::from),
            "if-match" | "if-none-match" => self.header(name),
            "objectcreationoperation" => Some(if self.creates() { "true" } else { "false" }.into()),
            "x-amz-copy-source" => {
                // As a policy can name it: decoded, without the slash in front that some clients send.
                self.header(name)?;
                let source = source_name(self.call).ok()?;
                Some(format!("{}/{}", source.bucket, source.key).into())
            }
            "x-amz-server-side-encryption-aws-kms-key-id" => self.key_arn(),
            "requestobjecttagkeys" => many(self.call.tags.iter().map(|(key, _)| key)),
            _ => match name.split_once('/') {
                Some(("existingobjecttag", tag)) => tagged(self.read(Lack::Tags, self.known.tags.as_ref())?, tag),
                Some(("requestobjecttag", tag)) => tagged(&self.call.tags, tag),
                _ if name.starts_with("x-amz-") => self.header(name),
                _ => None,
            },
        }
    }

    /// `aws:RequestTag/...` and `aws:TagKeys`, of what tags a bucket.
    fn of_bucket_tagging(&self, key: &str) -> Option<Value<'_>> {
        if self.action != "putbuckettagging" {
            return None;
        }
        match key.split_once('/') {
            Some(("aws:requesttag", tag)) => tagged(&self.call.tags, tag),
            None if key == "aws:tagkeys" => many(self.call.tags.iter().map(|(key, _)| key)),
            _ => None,
        }
    }

    /// A header. The operations refuse most that are sent twice; here all values count.
    fn header(&self, name: &str) -> Option<Value<'_>> {
        let mut sent = self.call.headers().get_all(name).iter().filter_map(|value| value.to_str().ok()).map(str::trim);
        let first = sent.next()?;
        match sent.next() {
            None => Some(first.into()),
            Some(second) => Some(Value::Many([first, second].into_iter().chain(sent).map(Cow::Borrowed).collect())),
        }
    }

    /// Whether the request is a listing. Only there do its parameters mean what the condition keys say: a GetObject that looks for
    /// s3:ListBucket must not get it by a `prefix` of its own choice.
    fn lists(&self) -> bool {
        use Operation::{ListObjectVersions, ListObjects, ListObjectsV2};
        matches!(self.call.operation, ListObjects | ListObjectsV2 | ListObjectVersions)
    }

    /// Whether the request makes an object exist, if it succeeds.
    fn creates(&self) -> bool {
        use Operation::{CreateMultipartUpload, UploadPart, UploadPartCopy};
        !matches!(self.call.operation, CreateMultipartUpload | UploadPart | UploadPartCopy)
    }

    fn upload(&self) -> Continued<'_> {
        use Operation::{CompleteMultipartUpload, UploadPart, UploadPartCopy};
        if self.action != "putobject"
            || !matches!(self.call.operation, UploadPart | UploadPartCopy | CompleteMultipartUpload)
        {
            return Continued::Nothing;
        }
        match &self.known.upload {
            Some(Some(upload)) => Continued::Upload(upload),
            Some(None) => Continued::Unknown,
            None => {
                self.lack.set(Some(Lack::Upload));
                Continued::Unknown
            }
        }
    }

    /// "The AWS KMS key ID that Amazon S3 uses for object encryption must match the AWS KMS key ID in the policy"
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html>): the ARN, however the header names the key, and
    /// where it names none.
    fn key_arn(&self) -> Option<Value<'_>> {
        let mode = headers::text(self.call.headers(), "x-amz-server-side-encryption").ok()??;
        if !mode.starts_with("aws:kms") {
            return None;
        }
        let arn = self.read(Lack::KeyArn, self.known.key_arn.as_ref())?;
        Some(arn.as_deref()?.into())
    }

    fn read<'k, T>(&self, lack: Lack, known: Option<&'k T>) -> Option<&'k T> {
        if known.is_none() {
            self.lack.set(Some(lack));
        }
        known
    }
}

/// What an upload's creation says, and its parts and its completion do not: it counts for them, too, or none of the policies that
/// demand encryption would let anybody upload in parts.
fn is_said_once(name: &str) -> bool {
    name.starts_with("x-amz-server-side-encryption")
        || name.starts_with("requestobjecttag")
        || UPLOAD_HEADERS.contains(&name)
}

fn said<'u>(upload: &'u UploadCreation, name: &str) -> Option<Value<'u>> {
    // Where the bucket's default chose, nobody named anything.
    let applied = Some(&upload.applied).filter(|applied| !applied.by_default);
    match name {
        "x-amz-server-side-encryption" => mode(applied?.mode).map(Value::from),
        "x-amz-server-side-encryption-customer-algorithm" => (applied?.mode == Mode::Customer).then(|| "AES256".into()),
        "x-amz-server-side-encryption-aws-kms-key-id" => Some(applied?.key_arn.as_deref()?.into()),
        "requestobjecttagkeys" => many(upload.tags.iter().map(|(key, _)| key)),
        _ => match name.split_once('/') {
            Some((_, tag)) => tagged(&upload.tags, tag),
            None => upload.said.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str().into()),
        },
    }
}

/// Headers of CreateMultipartUpload that are kept for the policies about its parts.
pub(crate) const UPLOAD_HEADERS: [&str; 2] = ["x-amz-acl", "x-amz-storage-class"];

fn mode(mode: Mode) -> Option<&'static str> {
    match mode {
        Mode::SseS3 => Some("AES256"),
        Mode::SseKms => Some("aws:kms"),
        Mode::DsseKms => Some("aws:kms:dsse"),
        Mode::Customer => None,
    }
}

/// Names of condition keys have no case, keys of tags have: the first that fits counts.
fn tagged<'t>(tags: &'t Tags, name: &str) -> Option<Value<'t>> {
    tags.iter().find(|(key, _)| *key == name || key.to_lowercase() == name).map(|(_, value)| value.into())
}

fn many<'t>(values: impl Iterator<Item = &'t str>) -> Option<Value<'t>> {
    let values: Vec<_> = values.map(Cow::Borrowed).collect();
    (!values.is_empty()).then_some(Value::Many(values))
}
